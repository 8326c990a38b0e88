"""A throw-away dbt project around the connected_components materialization.

It holds this repository's macros and one model that reads the table ``graph``
(node_key, neighbour_key: text), so the materialization is tested alone.
"""

from __future__ import annotations

import re
import time
from contextlib import closing, contextmanager
from pathlib import Path

import duckdb
import numpy as np
import psycopg2
import psycopg2.extras
import pyarrow as pa
import yaml
from dbt.cli.main import dbtRunner
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from orchestration.warehouse_dbt import release_duckdb

ROOT = Path(__file__).resolve().parents[2]
MODEL = """
{{{{ config(
    materialized='connected_components',
    node_column='record_key',
    cluster_column='cluster_key',
    {config}
) }}}}
{comment}
select node_key, neighbour_key from {{{{ target.schema }}}}.graph
"""
# Parquet on Spark knows no delete and no row's place, takes one statement at a time and computes
# what is named as often as it is read; and hashes of five bits collide at once.
OTHER_ENGINE = """
{% macro duckdb__computes_ctes_once() %}
    {{ return(cdp.default__computes_ctes_once()) }}
{% endmacro %}
{% macro duckdb__scratch_table(name) %}
    {{ return(cdp.default__scratch_table(name)) }}
{% endmacro %}
{% macro duckdb__create_scratch_tables(selects, asked) %}
    {% do return(cdp.default__create_scratch_tables(selects, asked)) %}
{% endmacro %}
{% macro duckdb__row_locator(key_columns, may_have_parts) -%}
    {{ return(key_columns) }}
{%- endmacro %}
{% macro duckdb__replace_rows(relation, key_columns, doomed, fresh) %}
    {% do cdp.default__replace_rows(relation, key_columns, doomed, fresh) %}
{% endmacro %}
{% macro duckdb__key_id(expr, seed) -%}
    cast(hash({{ expr }} || '{{ seed }}') >> {{ 59 if seed == 0 else 1 }} as bigint)
{%- endmacro %}
"""

CHANGES = "select node_key, neighbour_key, is_removed from {{ target.schema }}.changed"


class GraphProject:
    """Clusters graphs through dbt; ``rounds``, ``message``, ``seconds`` and ``cpu_seconds`` are
    those of the model in the last run, dbt's own start and end left out.

    ``changes``: the model takes its delta from the table ``changed``. ``macros``: SQL of macros
    that go before the engine's own. ``postgres``: the environment of a server.
    """

    def __init__(
        self,
        folder: Path,
        threads: int = 2,
        memory_limit: str = "3GB",
        incremental: bool = False,
        changes: bool = False,
        macros: str = "",
        hook: str = "",
        postgres: dict[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.database = folder / "graph.duckdb"
        self.postgres = postgres
        self.schema = "public" if postgres else "main"
        self.rounds = 0
        self.message = ""
        self.seconds = 0.0
        self.cpu_seconds = 0.0
        self.started = (0.0, 0.0)
        config = ["incremental=true"] * incremental + ["changes='changes'"] * changes
        config += [f"post_hook={hook!r}"] * bool(hook)
        comment = "-- depends_on: {{ ref('changes') }}" if changes else ""
        model = MODEL.format(config=", ".join(config), comment=comment)
        files = {
            "models/components.sql": model,
            "dbt_project.yml": yaml.safe_dump(
                {
                    "name": "cdp",
                    "version": "1.0",
                    "profile": "graph",
                    "macro-paths": [str(ROOT / "macros/identity"), str(ROOT / "macros/cross_db")],
                    "dispatch": [{"macro_namespace": "cdp", "search_order": ["overrides", "cdp"]}],
                    "flags": {"send_anonymous_usage_stats": False},
                }
            ),
            "dbt_packages/overrides/dbt_project.yml": yaml.safe_dump(
                {"name": "overrides", "version": "1.0"}
            ),
            "dbt_packages/overrides/macros/overrides.sql": macros,
            "profiles.yml": yaml.safe_dump(
                {
                    "graph": {
                        "target": "dev",
                        "outputs": {"dev": self._output(threads, memory_limit)},
                    }
                }
            ),
        }
        if changes:
            files["models/changes.sql"] = "{{ config(materialized='view') }} " + CHANGES
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        self.runner = dbtRunner()
        self.manifest = self.invoke("parse").result
        self.runner = dbtRunner(manifest=self.manifest, callbacks=[self._watch])

    def _watch(self, event) -> None:
        """Note when the model starts and ends."""
        if event.info.name not in ("NodeStart", "NodeFinished"):
            return
        if event.data.node_info.node_name == "components":
            now = time.perf_counter(), time.process_time()
            if event.info.name == "NodeStart":
                self.started = now
            else:
                self.seconds, self.cpu_seconds = np.subtract(now, self.started)

    def _output(self, threads: int, memory_limit: str) -> dict:
        if self.postgres:
            return {
                "type": "postgres",
                "host": self.postgres["CDP_POSTGRES_HOST"],
                "port": int(self.postgres["CDP_POSTGRES_PORT"]),
                "user": self.postgres["CDP_POSTGRES_USER"],
                "password": "",
                "dbname": self.postgres["CDP_POSTGRES_DATABASE"],
                "schema": self.schema,
                "threads": 1,
            }
        return {
            "type": "duckdb",
            "path": str(self.database),
            "threads": 1,
            "settings": {
                "threads": threads,
                "memory_limit": memory_limit,
                "preserve_insertion_order": False,
            },
        }

    @contextmanager
    def connection(self):
        """A DB-API cursor of its own on the warehouse, committed at the end."""
        if not self.postgres:
            with duckdb.connect(str(self.database)) as connection:
                yield connection
            return
        output = self._output(1, "")
        with (
            closing(
                psycopg2.connect(
                    **{name: output[name] for name in ("host", "port", "user", "dbname")}
                )
            ) as connection,
            connection,
            connection.cursor() as cursor,
        ):
            yield cursor

    def invoke(self, *arguments: str):
        """Run dbt in this project; the caller judges the result."""
        where = ["--project-dir", str(self.folder), "--profiles-dir", str(self.folder)]
        return self.runner.invoke(["--quiet", *arguments, *where])

    def load(self, rows: pa.Table, table: str = "graph") -> None:
        """Replace the graph, or another table."""
        with self.connection() as connection:
            connection.execute(f"drop table if exists {self.schema}.{table} cascade")
            if not self.postgres:
                connection.register("incoming", rows)
                connection.execute(f"create table {self.schema}.{table} as from incoming")
                return
            types = {"bool": "boolean", "string": "text"}
            columns = ", ".join(f"{field.name} {types[str(field.type)]}" for field in rows.schema)
            connection.execute(f"create table {self.schema}.{table} ({columns})")
            values = list(zip(*rows.to_pydict().values(), strict=True))
            if values:
                insert = f"insert into {self.schema}.{table} values %s"
                psycopg2.extras.execute_values(connection, insert, values)

    def run(self, max_rounds: int = 40, max_share: float = 0.2, full_refresh: bool = False) -> None:
        """Build the table; raises AssertionError with dbt's message when it fails."""
        settings = {"identity_max_rounds": max_rounds, "identity_incremental_max_share": max_share}
        full = ["--full-refresh"] * full_refresh
        outcome = self.invoke("run", "--vars", yaml.safe_dump(settings), *full)
        release_duckdb()  # as every command does: the next one opens the file anew
        result = next(
            (r for r in outcome.result or [] if r.node.name == "components"), outcome.exception
        )
        assert outcome.success, getattr(result, "message", result)
        self.message = result.adapter_response["_message"]
        self.rounds = int(re.search(r"in (\d+) rounds", self.message).group(1))

    def fetch(self, sql: str) -> list[tuple]:
        """Rows of a query."""
        with self.connection() as connection:
            connection.execute(sql)
            return connection.fetchall()

    def clusters(self) -> dict[str, str]:
        """record_key -> cluster_key of the last build."""
        rows = self.fetch(f"select record_key, cluster_key from {self.schema}.components")
        found = dict(rows)
        assert len(found) == len(rows), "a record has two clusters"
        return found

    def state(self) -> list[list[tuple]]:
        """Rows of what an incremental run starts from: table, edges, state."""
        tables = ("components", "components__edges", "components__state")
        return [self.fetch(f"select * from {table} order by 1, 2") for table in tables]

    def scratch_tables_left(self) -> list[str]:
        """Names of tables other than the graph, the result and its state."""
        with self.connection() as connection:
            rows = connection.execute("select table_name from duckdb_tables()").fetchall()
        ours = ["components", "components__edges", "components__state"]
        return [name for (name,) in rows if name not in ("graph", "changed", *ours)]


def graph_table(edges: list[tuple[str, str]], nodes: list[str] = ()) -> pa.Table:
    """Edges and lone nodes as the arrow table that ``GraphProject.load`` takes."""
    lone = [(node, None) for node in nodes]
    left, right = zip(*[*edges, *lone], strict=True) if edges or lone else ((), ())
    return pa.table(
        {"node_key": pa.array(left, pa.string()), "neighbour_key": pa.array(right, pa.string())}
    )


def partition(clusters: dict[str, str]) -> set[frozenset[str]]:
    """Clusters as a set of sets, whatever their keys are."""
    members: dict[str, set[str]] = {}
    for record, cluster in clusters.items():
        members.setdefault(cluster, set()).add(record)
    return {frozenset(group) for group in members.values()}


def expected_partition(edges: list[tuple[str, str]], nodes: list[str] = ()) -> set[frozenset[str]]:
    """The same, by scipy."""
    keys = sorted({key for edge in edges for key in edge} | set(nodes))
    if not keys:
        return set()
    index = {key: number for number, key in enumerate(keys)}
    left = np.array([index[a] for a, _ in edges], dtype=int)
    right = np.array([index[b] for _, b in edges], dtype=int)
    shape = (len(keys), len(keys))
    matrix = coo_matrix((np.ones(len(edges)), (left, right)), shape=shape)
    labels = connected_components(matrix, directed=False)[1]
    return partition({key: str(label) for key, label in zip(keys, labels, strict=True)})


def expected_clusters(edges: list[tuple[str, str]], nodes: list[str] = ()) -> dict[str, str]:
    """record -> smallest record of its component, by scipy."""
    return {member: min(group) for group in expected_partition(edges, nodes) for member in group}
