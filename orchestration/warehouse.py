"""The one door to the database, through dbt's own adapter and ``profiles.yml``.

``profiles.yml`` serves dbt and Python on every engine, so nothing else in Python knows a
path, a host or a password. dbt's internals stay behind this module.

    with Warehouse.open() as warehouse:
        warehouse.fetch(compose("select count(*) as n from {r}", r=warehouse.relation("customers")))

Values are bound (``?`` on every engine), names go through ``compose``. Statements commit by
themselves unless inside ``transaction()``. One thread uses one ``Warehouse``.
"""

import io
import json
import os
import re
from argparse import Namespace
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.csv as pa_csv

from orchestration.warehouse_errors import (
    UnknownRelation,
    WarehouseBusy,
    WarehouseError,
    scrubbed,
)

__all__ = [
    "ROOT",
    "DbtOutcome",
    "Relation",
    "Rows",
    "UnknownRelation",
    "Warehouse",
    "WarehouseBusy",
    "WarehouseError",
    "compose",
    "dbt",
    "quote",
]

ROOT = Path(__file__).resolve().parents[1]
Parameters = Sequence[Any] | None

_TRANSACTIONAL = {"duckdb", "postgres"}
_PLACEHOLDER = re.compile(r"""('(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*)|(\?)|(%)""")
_COMPOSED = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Relation:
    """A table or view, ``schema.identifier``, in the target's database."""

    schema: str
    identifier: str
    database: str | None = None

    @classmethod
    def parse(cls, name: str) -> "Relation":
        """``schema.table``, unquoted."""
        schema, _, identifier = name.partition(".")
        if not identifier or "." in identifier:
            raise ValueError(f"not schema.table: {name}")
        return cls(schema, identifier)

    def __str__(self) -> str:
        parts = [self.database, self.schema, self.identifier]
        return ".".join(quote(part) for part in parts if part)


@dataclass(frozen=True)
class Rows:
    """A streamed result: iterate it for lists of tuples, at most ``batch`` long each."""

    columns: list[str]
    batches: Iterator[list[tuple]]

    def __iter__(self) -> Iterator[list[tuple]]:
        return self.batches


def quote(name: str) -> str:
    """A name, quoted for SQL (double quotes: DuckDB, Postgres, Snowflake, ANSI Spark)."""
    if not name or "\x00" in name:
        raise ValueError("a name for SQL is empty or has a NUL")
    return '"' + name.replace('"', '""') + '"'


def compose(template: str, /, **names: Relation | str | Iterable[str]) -> str:
    """Put names into SQL, the only way to do so: ``{x}`` becomes a quoted relation, a
    quoted name, or a comma-separated list of quoted names. Values are bound, not composed."""

    def rendered(match: re.Match) -> str:
        name = names[match[1]]
        if isinstance(name, Relation):
            return str(name)
        if isinstance(name, str):
            return quote(name)
        return ", ".join(quote(part) for part in name)

    return _COMPOSED.sub(rendered, template)


class Warehouse:
    """An open connection. Use ``Warehouse.open``."""

    def __init__(self, config: Any, adapter: Any) -> None:
        self._config = config
        self._adapter = adapter
        self._handle: Any = None
        self._streams: list[Any] = []
        self._depth = 0
        self._manifest: dict | None = None

    @classmethod
    @contextmanager
    def open(cls, target: str | None = None, project_dir: Path = ROOT) -> Iterator["Warehouse"]:
        """Open the target of ``profiles.yml`` (None: its default). On leaving, the
        connection is closed and DuckDB's file lock released, so that dbt in another
        process can have it. Raises ``WarehouseBusy`` where another process holds it."""
        config, adapter = _adapter(target, Path(project_dir))
        warehouse = cls(config, adapter)
        try:
            warehouse._connect()
            yield warehouse
        finally:
            warehouse._close()

    # -- what it is

    @property
    def target_type(self) -> str:
        """``duckdb``, ``postgres``, ..."""
        return self._config.credentials.type

    def quote(self, name: str) -> str:
        """A name, quoted for SQL."""
        return quote(name)

    def column_type(self, data_type: str) -> str:
        """The engine's name of a declared type: the same mapping as dbt's contracts."""
        return self._adapter.Column.translate_type(data_type)

    def relation(self, name: str) -> Relation:
        """The relation of a model or seed (``customers``) or a source (``crm.contacts``).

        Read from dbt's manifest, which is made when absent, of another engine or older
        than the model. Raises ``UnknownRelation``."""
        for refreshed in (False, True):
            manifest = self._load_manifest(refresh=refreshed)
            for node in _nodes(manifest):
                if name == _public_name(node):
                    identifier = node.get("identifier") or node.get("alias")
                    return Relation(node["schema"], identifier, self._config.credentials.database)
        raise UnknownRelation(f"no model, seed or source is called {name}")

    def exists(self, relation: Relation | str) -> bool:
        """Whether the table or view is there."""
        return bool(self.columns(relation))

    def columns(self, relation: Relation | str) -> list[str]:
        """Its column names in order; empty when there is no such table."""
        relation = self._at(relation)
        rows = self.fetch(
            "select column_name as name from information_schema.columns"
            " where table_catalog = ? and table_schema = ? and table_name = ?"
            " order by ordinal_position",
            [relation.database, relation.schema, relation.identifier],
        )
        return [row["name"] for row in rows]

    # -- statements

    def execute(self, sql: str, params: Parameters = None) -> None:
        """Run a statement whose result nobody needs."""
        self._run(self._handle.cursor(), sql, params)

    def fetch(self, sql: str, params: Parameters = None) -> list[dict[str, Any]]:
        """All rows of a small answer, as dicts."""
        cursor = self._run(self._handle.cursor(), sql, params)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def stream(self, sql: str, params: Parameters = None, batch: int = 10_000) -> Rows:
        """Rows of any number in bounded memory, as of now: other statements may write,
        commit and roll back while it is read. Not inside ``transaction()``."""
        if self._depth:
            raise WarehouseError("stream: not inside a transaction")
        cursor = self._run(self._stream_cursor(), sql, params)
        if cursor.description is None and self.target_type == "postgres":
            head = cursor.fetchmany(batch)  # a server-side cursor knows its columns then
        else:
            head = None
        names = [column[0] for column in cursor.description or ()]

        def batches() -> Iterator[list[tuple]]:
            rows = head if head is not None else cursor.fetchmany(batch)
            while rows:
                yield rows
                rows = cursor.fetchmany(batch)
            cursor.close()

        return Rows(names, batches())

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing. An inner one joins the outer one. Engines without transactions
        (Spark) run the statements one by one."""
        if self._depth or self.target_type not in _TRANSACTIONAL:
            yield
            return
        self.execute("begin")
        self._depth += 1
        try:
            yield
        except BaseException:
            self._depth -= 1
            with suppress(WarehouseError):  # the connection may be what failed
                self.execute("rollback")
            raise
        self._depth -= 1
        self.execute("commit")

    def lock(self, relation: Relation | str) -> None:
        """Make other writers of a table wait until the transaction ends (Postgres). DuckDB
        has one writing process anyway."""
        if self.target_type == "postgres":
            self.execute(
                compose("lock table {r} in share row exclusive mode", r=self._at(relation))
            )

    def load(
        self,
        relation: Relation | str,
        batches: Iterable[pa.RecordBatch] | pa.Table,
        mode: Literal["append", "replace"] = "append",
    ) -> int:
        """Write Arrow batches in bulk, all or nothing, and return the number of rows.

        The columns are matched by name; those the table has beyond are null. A missing
        table is made from the Arrow schema. ``replace`` keeps the table and its types, and
        exchanges the rows. ``batches`` may be a generator: its own exceptions come through
        and nothing is written."""
        relation = self._at(relation)
        if isinstance(batches, pa.Table):
            batches = batches.to_batches() or [pa.RecordBatch.from_pylist([], batches.schema)]
        written = 0
        with self.transaction():
            for number, batch in enumerate(batches):
                if number == 0:
                    self._prepare(relation, batch.schema, mode)
                if batch.num_rows:
                    self._write(relation, batch)
                written += batch.num_rows
        return written

    # -- inside

    def _connect(self) -> None:
        failure = None
        credentials = self._config.credentials
        if self.target_type == "duckdb":
            _release_duckdb()
            if credentials.path != ":memory:":
                Path(credentials.path).parent.mkdir(parents=True, exist_ok=True)
        try:
            connections = self._adapter.connections
            connections.set_connection_name("door")
            self._handle = connections.get_thread_connection().handle
        except Exception as error:
            failure = scrubbed(error)
        if failure:
            raise failure
        if self.target_type == "postgres":
            self._handle.autocommit = True
            self.execute("set time zone 'UTC'")

    def _close(self) -> None:
        for cursor in self._streams:
            with suppress(Exception):
                cursor.close()
        self._streams.clear()
        with suppress(Exception):
            self._adapter.cleanup_connections()
        self._handle = None
        if self.target_type == "duckdb":
            _release_duckdb()

    def _at(self, relation: Relation | str) -> Relation:
        if isinstance(relation, str):
            relation = Relation.parse(relation)
        database = relation.database or self._config.credentials.database
        return Relation(relation.schema, relation.identifier, database)

    def _run(self, cursor: Any, sql: str, params: Parameters) -> Any:
        failure = None
        try:
            if params is None:
                cursor.execute(sql)
            else:
                cursor.execute(self._placeholders(sql), list(params))
        except Exception as error:
            failure = scrubbed(error, sql)
        if failure:
            raise failure
        return cursor

    def _placeholders(self, sql: str) -> str:
        """``?`` as the driver spells it; those within literals, names, comments stay."""
        if self.target_type == "duckdb":
            return sql

        def spelled(match: re.Match) -> str:
            if match[2]:
                return "%s"
            return (match[1] or match[3]).replace("%", "%%")

        return _PLACEHOLDER.sub(spelled, sql)

    def _stream_cursor(self) -> Any:
        if self.target_type == "duckdb":
            # A connection of its own on the same database: a snapshot that the main
            # connection's statements do not disturb.
            cursor = self._handle.cursor()._cursor.cursor()
            self._streams.append(cursor)
            return cursor
        if self.target_type == "postgres":
            # On the server and held beyond the statement's commit.
            name = f"stream_{len(self._streams)}"
            cursor = self._handle.cursor(name=name, withhold=True)
            self._streams.append(cursor)
            return cursor
        return self._handle.cursor()

    def _prepare(self, relation: Relation, schema: pa.Schema, mode: str) -> None:
        present = self.columns(relation)
        if not present:
            self.execute(compose("create schema if not exists {s}", s=relation.schema))
            types = [f"{quote(field.name)} {_sql_type(field.type)}" for field in schema]
            self.execute(compose("create table {r} (", r=relation) + ", ".join(types) + ")")
        elif unknown := [name for name in schema.names if name not in present]:
            raise WarehouseError(f"load {relation}: no column {', '.join(unknown)} there")
        elif mode == "replace":
            self.execute(compose("delete from {r}", r=relation))

    def _write(self, relation: Relation, batch: pa.RecordBatch) -> None:
        names = batch.schema.names
        if self.target_type == "duckdb":
            cursor = self._handle.cursor()
            cursor.register("__batch", pa.Table.from_batches([batch]))
            try:
                sql = "insert into {r} ({c}) select {c} from __batch"
                self.execute(compose(sql, r=relation, c=names))
            finally:
                cursor.unregister("__batch")
        elif self.target_type == "postgres":
            self._copy(compose("copy {r} ({c}) from stdin (format csv)", r=relation, c=names), batch)
        else:
            sql = compose("insert into {r} ({c}) values (", r=relation, c=names)
            sql += ", ".join("?" * len(names)) + ")"
            for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                self.execute(sql, row)

    def _copy(self, sql: str, batch: pa.RecordBatch) -> None:
        # Every value quoted, null bare: so '' and null stay apart.
        text = io.BytesIO()
        options = pa_csv.WriteOptions(include_header=False, quoting_style="all_valid")
        pa_csv.write_csv(batch, text, options)
        text.seek(0)
        failure = None
        try:
            with self._handle.cursor() as cursor:
                cursor.copy_expert(sql, text)
        except Exception as error:
            failure = scrubbed(error, sql)
        if failure:
            raise failure

    def _load_manifest(self, *, refresh: bool) -> dict:
        path = Path(self._config.project_target_path) / "manifest.json"
        if self._manifest is None and path.exists() and not refresh:
            self._manifest = json.loads(path.read_text(encoding="utf-8"))
        current = self._manifest
        if refresh or current is None or current["metadata"]["adapter_type"] != self.target_type:
            root = Path(self._config.project_root)
            outcome = dbt(["parse"], target=self._config.target_name, project_dir=root)
            if not outcome.success:
                raise WarehouseError("dbt cannot parse the project")
            self._manifest = json.loads(path.read_text(encoding="utf-8"))
        return self._manifest


@dataclass(frozen=True)
class DbtOutcome:
    """What a dbt command came to."""

    success: bool
    statuses: Mapping[str, str] = field(default_factory=dict)
    """Status by unique id: success, pass, fail, error, warn, skipped."""
    result: Any = None
    """dbt's own result object, for who needs more."""
    exception: BaseException | None = None


def dbt(
    args: Sequence[str],
    target: str | None = None,
    project_dir: Path = ROOT,
    quiet: bool = True,
) -> DbtOutcome:
    """Run a dbt command in this process (saves the 4 s of its import after the first),
    without telemetry, and release DuckDB's file afterwards. ``args`` begins with the
    command: ``["build", "--select", "staging"]``."""
    os.environ.setdefault("DO_NOT_TRACK", "1")
    from dbt.cli.main import dbtRunner

    root = str(Path(project_dir).resolve())
    command = ["--quiet"] if quiet else []
    command += [*args, "--project-dir", root, "--profiles-dir", root]
    if target:
        command += ["--target", target]
    before = Path.cwd()
    try:
        os.chdir(root)  # relative paths of the profile count from the project
        done = dbtRunner().invoke(command)
    finally:
        os.chdir(before)
        _release_duckdb()
    results = getattr(done.result, "results", None) or []
    statuses = {r.node.unique_id: str(r.status) for r in results if getattr(r, "node", None)}
    return DbtOutcome(done.success, statuses, done.result, done.exception)


def _adapter(target: str | None, project_dir: Path) -> tuple[Any, Any]:
    """dbt's configuration and an adapter of our own: dbt's registry of adapters is emptied
    by each of its commands, ours must outlive one that runs meanwhile."""
    os.environ.setdefault("DO_NOT_TRACK", "1")
    from dbt.adapters.factory import get_adapter_class_by_name
    from dbt.config.runtime import RuntimeConfig
    from dbt.flags import set_from_args
    from dbt.mp_context import get_mp_context
    from dbt_common.context import set_invocation_context

    root = str(project_dir.resolve())
    args = Namespace(
        project_dir=root,
        profiles_dir=root,
        target=target,
        profile=None,
        vars={},
        threads=None,
        which="run",
        send_anonymous_usage_stats=False,
    )
    set_invocation_context(os.environ)
    set_from_args(args, None)
    config = RuntimeConfig.from_args(args)
    if config.credentials.type == "duckdb":
        _make_absolute(config.credentials, Path(root))
    return config, get_adapter_class_by_name(config.credentials.type)(config, get_mp_context())


def _make_absolute(credentials: Any, root: Path) -> None:
    """Paths of a profile count from the project, wherever Python was started."""
    if not credentials.path.startswith((":memory:", "md:")):
        credentials.path = str(root / credentials.path)
    spill = (credentials.settings or {}).get("temp_directory")
    if spill:
        credentials.settings["temp_directory"] = str(root / spill)


def _release_duckdb() -> None:
    """dbt-duckdb keeps the file open after its last connection was closed."""
    with suppress(ImportError):
        from dbt.adapters.duckdb.connections import DuckDBConnectionManager

        environment = DuckDBConnectionManager._ENV
        if environment is not None and getattr(environment, "handle_count", 1) <= 0:
            environment.close()
            DuckDBConnectionManager._ENV = None


def _nodes(manifest: dict) -> Iterator[dict]:
    yield from manifest["sources"].values()
    for node in manifest["nodes"].values():
        if node["resource_type"] in {"model", "seed", "snapshot"}:
            yield node


def _public_name(node: dict) -> str:
    if node["resource_type"] == "source":
        return f"{node['source_name']}.{node['name']}"
    return node["name"]


def _sql_type(arrow: pa.DataType) -> str:
    if pa.types.is_boolean(arrow):
        return "boolean"
    if pa.types.is_integer(arrow):
        return "bigint"
    if pa.types.is_floating(arrow):
        return "double precision"
    if pa.types.is_decimal(arrow):
        return f"decimal({arrow.precision}, {arrow.scale})"
    if pa.types.is_timestamp(arrow):
        return "timestamp"
    if pa.types.is_date(arrow):
        return "date"
    return "text"
