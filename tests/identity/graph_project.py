"""A throw-away dbt project around the connected_components materialization.

It holds this repository's macros and one model that reads the table ``graph``
(node_key, neighbour_key: text), so the materialization is tested alone.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import yaml
from dbt.cli.main import dbtRunner
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

ROOT = Path(__file__).resolve().parents[2]
MODEL = """
{{ config(
    materialized='connected_components',
    node_column='record_key',
    cluster_column='cluster_key',
) }}
select node_key, neighbour_key from {{ target.schema }}.graph
"""


class GraphProject:
    """Clusters graphs through dbt; ``rounds`` is what the last run reported."""

    def __init__(self, folder: Path, threads: int = 2, memory_limit: str = "3GB") -> None:
        self.folder = folder
        self.database = folder / "graph.duckdb"
        self.rounds = 0
        self.message = ""
        (folder / "models").mkdir(parents=True)
        (folder / "models" / "components.sql").write_text(MODEL)
        project = {
            "name": "cdp",
            "version": "1.0",
            "profile": "graph",
            "macro-paths": [str(ROOT / "macros/identity"), str(ROOT / "macros/cross_db")],
            "flags": {"send_anonymous_usage_stats": False},
        }
        output = {
            "type": "duckdb",
            "path": str(self.database),
            "threads": 1,
            "settings": {
                "threads": threads,
                "memory_limit": memory_limit,
                "preserve_insertion_order": False,
            },
        }
        (folder / "dbt_project.yml").write_text(yaml.safe_dump(project))
        profile = {"graph": {"target": "dev", "outputs": {"dev": output}}}
        (folder / "profiles.yml").write_text(yaml.safe_dump(profile))
        self.runner = dbtRunner()
        self.manifest = self.invoke("parse").result
        self.runner = dbtRunner(manifest=self.manifest)

    def invoke(self, *arguments: str):
        """Run dbt in this project; the caller judges the result."""
        where = ["--project-dir", str(self.folder), "--profiles-dir", str(self.folder)]
        return self.runner.invoke(["--quiet", *arguments, *where])

    def load(self, graph: pa.Table) -> None:
        """Replace the graph; columns node_key and neighbour_key, both text."""
        with duckdb.connect(str(self.database)) as connection:
            connection.register("incoming", graph)
            connection.execute("create or replace table main.graph as select * from incoming")

    def run(self, max_rounds: int = 40) -> None:
        """Build the table; raises AssertionError with dbt's message when it fails."""
        outcome = self.invoke("run", "--vars", f"identity_max_rounds: {max_rounds}")
        assert outcome.success, outcome.result.results[0].message
        response = outcome.result.results[0].adapter_response
        self.message = response["_message"]
        self.rounds = int(self.message.split(" rounds")[0].split()[-1])

    def clusters(self) -> dict[str, str]:
        """record_key -> cluster_key of the last build."""
        with duckdb.connect(str(self.database)) as connection:
            rows = connection.execute("select record_key, cluster_key from main.components")
            rows = rows.fetchall()
        found = dict(rows)
        assert len(found) == len(rows), "a record has two clusters"
        return found

    def scratch_tables_left(self) -> list[str]:
        """Names of tables other than the graph and the result."""
        with duckdb.connect(str(self.database)) as connection:
            rows = connection.execute("select table_name from duckdb_tables()").fetchall()
        return [name for (name,) in rows if name not in ("graph", "components")]


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
