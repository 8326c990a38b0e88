"""The one door to the database, through dbt's own adapter and ``profiles.yml``.

``profiles.yml`` serves dbt and Python on every engine, so nothing else in Python knows a
path, a host or a password.

    with Warehouse.open() as warehouse:
        customers = warehouse.relation("customers")
        query = compose("select count(*) as n from {r} where country = ?", r=customers)
        [answer] = warehouse.fetch(query, ["FR"])

Values are bound (``?`` on every engine), names go through ``compose``. A statement commits by
itself unless it is inside ``transaction()``. One thread uses one ``Warehouse``.
"""

import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.csv as pa_csv

from orchestration.private_files import private_when_made
from orchestration.warehouse_dbt import (
    ROOT,
    DbtOutcome,
    Manifest,
    dbt,
    load_adapter,
    read_manifest,
    release_duckdb,
)
from orchestration.warehouse_errors import (
    UnknownRelation,
    WarehouseBusy,
    WarehouseError,
    scrubbed,
)
from orchestration.warehouse_source import Source
from orchestration.warehouse_sql import (
    Columns,
    Placeholders,
    Relation,
    compose,
    percent_placeholders,
    quote,
    type_for,
)

__all__ = [
    "ROOT",
    "Columns",
    "DbtOutcome",
    "Placeholders",
    "Relation",
    "Rows",
    "UnknownRelation",
    "Warehouse",
    "WarehouseBusy",
    "WarehouseError",
    "compose",
    "dbt",
    "quote",
    "read_manifest",
]

_TRANSACTIONAL = {"duckdb", "postgres"}


@dataclass(frozen=True)
class Rows:
    """A streamed result. Iterate it for lists of tuples, each at most ``batch`` long."""

    columns: list[str]
    batches: Iterator[list[tuple]]

    def __iter__(self) -> Iterator[list[tuple]]:
        return self.batches


class Warehouse:
    """An open connection. Use ``Warehouse.open``."""

    def __init__(self, config: Any, adapter: Any) -> None:
        self._config = config
        self._adapter = adapter
        self._handle: Any = None
        self._streams: list[Any] = []
        self._depth = 0
        self._manifest = Manifest(config)

    @classmethod
    @contextmanager
    def open(cls, target: str | None = None, project_dir: Path = ROOT) -> Iterator["Warehouse"]:
        """Open the target of ``profiles.yml`` (None: its default). On leaving, the connection
        is closed and DuckDB's file lock released, for dbt in another process. Raises
        ``WarehouseBusy`` where another process holds it, ``Unreachable`` where there is none."""
        config, adapter = load_adapter(target, Path(project_dir))
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
        return self._manifest.relation(name)

    def exists(self, relation: Relation | str) -> bool:
        """Whether the table or view is there."""
        return bool(self.columns(relation))

    def columns(self, relation: Relation | str) -> list[str]:
        """Its column names in order; empty when there is no such table."""
        return list(self.column_types(relation))

    def column_types(self, relation: Relation | str) -> dict[str, str]:
        """Its columns in order with the engine's word for their types, in lower case."""
        relation = self._at(relation)
        rows = self.fetch(
            "select column_name as name, lower(data_type) as type from information_schema.columns"
            " where table_catalog = ? and table_schema = ? and table_name = ?"
            " order by ordinal_position",
            [relation.database, relation.schema, relation.identifier],
        )
        return {row["name"]: row["type"] for row in rows}

    def create(self, relation: Relation | str, columns: Iterable[tuple[str, str]]) -> None:
        """Make a table, and its schema, unless they are there. ``columns``: name and
        declared type (``string``, ``bigint``, ``decimal(18,2)``, ...)."""
        relation = self._at(relation)
        typed = Columns(tuple((name, self.column_type(kind)) for name, kind in columns))
        self.execute(compose("create schema if not exists {s}", s=relation.schema))
        self.execute(compose("create table if not exists {r} ({c})", r=relation, c=typed))

    def add_column(self, relation: Relation | str, name: str, data_type: str) -> None:
        """Add a column, null in the rows that are there."""
        added = Columns(((name, self.column_type(data_type)),))
        self.execute(compose("alter table {r} add column {c}", r=self._at(relation), c=added))

    # -- statements

    def execute(self, sql: str, params: Sequence[Any] | None = None) -> None:
        """Run a statement whose result nobody needs."""
        self._run(self._handle.cursor(), sql, params)

    def fetch(self, sql: str, params: Sequence[Any] | None = None) -> list[dict[str, Any]]:
        """All rows of a small answer, as dicts."""
        cursor = self._run(self._handle.cursor(), sql, params)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def spare_memory(self) -> None:
        """Bound what this connection keeps. DuckDB holds every block it has seen until its limit,
        which is for builds: with this one a run peaks at 430 MB for 100,000 rows, at 700 MB for
        800,000 and at 720 MB for 1,600,000."""
        if self.target_type == "duckdb":
            self.execute("set memory_limit = '400MB'")

    def tuples(self, sql: str, params: Sequence[Any] | None = None) -> list[tuple]:
        """All rows of an answer, in the order of its columns."""
        return self._run(self._handle.cursor(), sql, params).fetchall()

    def stream(self, sql: str, params: Sequence[Any] | None = None, batch: int = 10_000) -> Rows:
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
        exchanges the rows. ``batches`` may be a generator (it must not use this warehouse):
        it is drawn as needed, its own exceptions come through and nothing is written."""
        relation = self._at(relation)
        if isinstance(batches, pa.Table):
            batches = batches.to_batches() or [pa.RecordBatch.from_pylist([], batches.schema)]
        source = Source(batches)
        if source.schema is None:
            return 0
        with self.transaction():
            self._prepare(relation, source.schema, mode)
            self._fill(relation, source)
        return source.rows

    def append(self, relation: Relation | str, rows: pa.Table) -> None:
        """``load`` into a table that is known to have the columns: for what is written many
        times, as to look them up takes 2 to 5 ms, more than to write a thousand rows."""
        if rows.num_rows:
            with self.transaction():
                self._fill(self._at(relation), Source(rows.to_batches()))

    # -- inside

    def _connect(self) -> None:
        failure = None
        credentials = self._config.credentials
        if self.target_type == "duckdb":
            release_duckdb()
        try:
            connections = self._adapter.connections
            connections.set_connection_name("door")
            with private_when_made(getattr(credentials, "path", None)):
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
            release_duckdb()

    def _at(self, relation: Relation | str) -> Relation:
        if isinstance(relation, str):
            relation = Relation.parse(relation)
        database = relation.database or self._config.credentials.database
        return Relation(relation.schema, relation.identifier, database)

    def _run(self, cursor: Any, sql: str, params: Sequence[Any] | None) -> Any:
        failure = None
        try:
            if params is None:
                cursor.execute(sql)
            else:
                cursor.execute(self._spelled(sql), list(params))
        except Exception as error:
            failure = scrubbed(error, sql)
        if failure:
            raise failure
        return cursor

    def _spelled(self, sql: str) -> str:
        return sql if self.target_type == "duckdb" else percent_placeholders(sql)

    def _stream_cursor(self) -> Any:
        if self.target_type == "duckdb":
            # A connection of its own on the same database: a snapshot that the main
            # connection's statements do not disturb.
            handle = self._handle._env.handle()
            self._streams.append(handle)
            return handle.cursor()
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
            self.create(relation, [(field.name, type_for(field.type)) for field in schema])
        elif unknown := [name for name in schema.names if name not in present]:
            raise WarehouseError(f"load {relation}: no column {', '.join(unknown)} there")
        elif mode == "replace":
            self.execute(compose("delete from {r}", r=relation))

    def _fill(self, relation: Relation, source: Source) -> None:
        if self.target_type == "duckdb":
            self._insert(relation, source)
        else:
            for batch in source:
                self._write(relation, batch)
        if source.failure:
            raise source.failure

    def _insert(self, relation: Relation, source: Source) -> None:
        # One statement for all: DuckDB then writes full row groups to disk as it goes; a
        # statement per batch would keep the whole transaction in memory.
        cursor = self._handle.cursor()
        cursor.register("__batches", pa.RecordBatchReader.from_batches(source.schema, source))
        try:
            sql = "insert into {r} ({c}) select {c} from __batches"
            self.execute(compose(sql, r=relation, c=source.schema.names))
        finally:
            with suppress(Exception):  # not in an aborted transaction; the next one replaces it
                cursor.unregister("__batches")

    def _write(self, relation: Relation, batch: pa.RecordBatch) -> None:
        names = batch.schema.names
        if self.target_type == "postgres":
            sql = "copy {r} ({c}) from stdin (format csv)"
            self._copy(compose(sql, r=relation, c=names), batch)
        else:
            sql = "insert into {r} ({c}) values ({v})"
            sql = compose(sql, r=relation, c=names, v=Placeholders(len(names)))
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
