"""Seconds to link records by equal identifiers and cluster them, next to Splink's own way.

    python -m benchmarks.deterministic [--records 315611]

The records form chains of 2 to 40 links: each shares its e-mail, phone or card with the next one.
Both sides start from the same table (record_key, email, phone, card) in a DuckDB file and end with
a table of clusters. Ours: edges as stars per value, then connected_components through dbt, timed
with dbt's start-up and without. Splink's: deterministic_link on the three columns, then
cluster_pairwise_predictions_at_threshold, timed from the registered table on. Splink is
an extra (`pip install 'cdp[fuzzy]'`); without it its side is left out.
"""

from __future__ import annotations

import argparse
import importlib.util
import tempfile
import time
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from benchmarks.clustering import in_process

IDENTIFIERS = ("email", "phone", "card")


def make_records(count: int, seed: int = 7) -> pa.Table:
    """record_key, email, phone, card; in random order, keys too."""
    random = np.random.default_rng(seed)
    links = random.integers(2, 41, count // 3)
    ends = np.cumsum(links + 1)
    ends = np.append(ends[ends < count], count)
    has_next = np.ones(count, bool)
    has_next[ends - 1] = False
    # A record has one value of a type: its two links are of different types.
    types = np.zeros(count, int)
    steps = random.integers(1, 3, count)
    np.cumsum(steps, out=types)
    types %= 3
    columns = {"record_key": np.char.add("crm:", random.permutation(count).astype(str))}
    for number, name in enumerate(IDENTIFIERS):
        values = np.full(count, None, object)
        first = np.flatnonzero(has_next & (types == number))
        shared = np.char.add(f"{name}-", first.astype(str))
        values[first] = shared
        values[first + 1] = shared
        columns[name] = values
    order = random.permutation(count)
    return pa.table(
        {name: pa.array(values[order], pa.string()) for name, values in columns.items()}
    )


def graph_sql() -> str:
    """Each record, and a star per value around its first record."""
    stars = [
        f"select min(record_key) over (partition by {name}) as node_key, "
        f"record_key as neighbour_key from records where {name} is not null"
        for name in IDENTIFIERS
    ]
    lone = "select record_key as node_key, cast(null as text) as neighbour_key from records"
    return " union all ".join([lone, *stars])


def run_ours(folder: str, results) -> None:
    """Puts (seconds with dbt's start-up, without, records, clusters, note)."""
    from tests.identity.graph_project import GraphProject

    project = GraphProject(Path(folder) / "project")
    with project.connection() as connection:
        connection.execute(f"create table records as from read_parquet('{folder}/records.parquet')")
        connection.execute(f"create view graph as {graph_sql()}")
    started = time.perf_counter()
    project.run()
    seconds = time.perf_counter() - started
    counts = project.fetch("select count(*), count(distinct cluster_key) from components")
    results.put((seconds, project.seconds, *counts[0], project.message))


def run_splink(folder: str, results) -> None:
    """Puts (seconds, seconds, records, clusters, note)."""
    from splink import Linker, SettingsCreator, block_on
    from splink.backends.duckdb import DuckDBAPI

    connection = duckdb.connect(f"{folder}/splink.duckdb")
    connection.execute("set threads = 2")
    connection.execute("set enable_progress_bar = false")
    connection.execute(f"create table records as from read_parquet('{folder}/records.parquet')")
    database = DuckDBAPI(connection=connection)
    records = database.register(connection.table("records"), dataset_display_name="people")
    settings = SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="record_key",
        blocking_rules_to_generate_predictions=[block_on(name) for name in IDENTIFIERS],
    )
    started = time.perf_counter()
    linker = Linker(records, settings)
    pairs = linker.inference.deterministic_link()
    linked = time.perf_counter() - started
    clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(pairs)
    seconds = time.perf_counter() - started
    counts = connection.execute(
        f"select count(*), count(distinct cluster_id) from {clusters.physical_name}"
    ).fetchall()
    results.put((seconds, seconds, *counts[0], f"of which linking {linked:.1f} s"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=315_611)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        records = make_records(options.records)
        path = f"{folder}/records.parquet"
        duckdb.connect().register("r", records).execute(f"copy r to '{path}'")
        print(f"{len(records):,} records")
        sides = {"connected_components": run_ours, "splink": run_splink}
        if importlib.util.find_spec("splink") is None:
            print("splink is absent: only our side runs (pip install 'cdp[fuzzy]')")
            del sides["splink"]
        for name, run in sides.items():
            whole, seconds, count, clusters, note = in_process(run, folder)
            print(
                f"{name:22}{seconds:6.2f} s ({whole:.2f} s with start-up)"
                f"  {count:,} records, {clusters:,} clusters  {note}"
            )


if __name__ == "__main__":
    main()
