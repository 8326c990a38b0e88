"""Time and memory of connected_components on a CDP-shaped graph, next to scipy.

    python -m benchmarks.clustering [--edges 8000000] [--memory-limit 2GB] [--hubs] [--runs 3]

The graph: people with a zipf number of records tied by stars, 40 cookie chains of 20 to 500
records (half of them in key order) and 3 hubs. Each engine runs in a process of its own;
memory is the peak resident set of that process. scipy's time includes fetching text keys,
numbering them and writing the clusters back, as the materialization does.

Then the incremental runs: one percent of the edges comes, a tenth of a percent goes, one percent
goes. `found by comparison` looks for what changed in the whole graph, `told` is passed it (config
`changes`). Each is measured against a full run of a model that is not incremental, and so writes
no state, on the same graph in a process of its own; and the table is compared with that run's. The
last figure is against the first run of the same model, which writes the state.
Seconds are those of the model: dbt's start-up, about half a second for either, is left out. Each
run opens DuckDB's file anew, as a dbt command does. Of each step, full or not, the best of
``--runs`` from the same state counts, for a step of half a second is easily disturbed.
The guards of identity let no hub through, so this graph has none unless asked for: a hub ties a
tenth of all people together, and each change touches them all.
"""

from __future__ import annotations

import argparse
import multiprocessing
import queue
import shutil
import sys
import tempfile
import time
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


def make_graph(edge_count: int, seed: int = 7) -> pa.Table:
    """node_key, neighbour_key (text): about ``edge_count`` edges."""
    random = np.random.default_rng(seed)
    people = int(edge_count / 2.89)
    sizes = np.minimum(random.zipf(2.2, people), 300) + 1
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    offsets = np.arange(sizes.sum()) - np.repeat(starts, sizes)
    left = np.repeat(starts, sizes)[offsets > 0]
    right = np.flatnonzero(offsets > 0)
    parts = [(left, right)]
    node = int(sizes.sum())
    for number, length in enumerate(np.linspace(20, 500, 40).astype(int)):
        chain = np.arange(node, node + length)
        chain = chain if number % 2 else random.permutation(chain)
        parts.append((chain[:-1], chain[1:]))
        node += length
    for size in (5_000, 10_000, 50_000):
        members = random.choice(node, size, replace=False)
        parts.append((np.repeat(members[:1], size - 1), members[1:]))
    left, right = (np.concatenate(side)[:] for side in zip(*parts, strict=True))
    names = np.char.add("crm:", random.permutation(node).astype(str))
    return pa.table({"node_key": pa.array(names[left]), "neighbour_key": pa.array(names[right])})


def run_sql(folder: str, memory_limit: str, results) -> None:
    """Cluster with the materialization; puts (seconds, CPU seconds, peak MB, clusters, note)."""
    from tests.identity.graph_project import GraphProject

    project = GraphProject(Path(folder) / "project", memory_limit=memory_limit)
    with project.connection() as connection:
        connection.execute(f"create table graph as from read_parquet('{folder}/graph.parquet')")
    project.run()
    seconds, cpu = project.seconds, project.cpu_seconds
    count = project.fetch("select count(distinct cluster_key) from components")[0][0]
    results.put((seconds, cpu, peak_mb(), count, project.message))


# By step: the parts (thousandths of the edges) that are there, those that changed, how.
STEPS = {
    "first run": ("part >= 10", "1 = 0", False),
    "1 % added": ("true", "part < 10", False),
    "0.1 % removed": ("part < 999", "part = 999", True),
    "1 % removed": ("part < 989", "part between 989 and 998", True),
}


def run_steps(
    folder: str, memory_limit: str, has_hubs: bool, runs: int, config: dict, results
) -> None:
    """Puts a dict, by step, of (seconds, CPU seconds, peak MB, checksum of the table, message)."""
    from tests.identity.graph_project import GraphProject

    name = "_".join(["steps", *config])
    project = GraphProject(Path(folder) / name, memory_limit=memory_limit, **config)

    def execute(sql: str) -> None:
        with project.connection() as connection:
            connection.execute(sql)

    guard = "group by node_key having count(*) >= 1000"
    guarded = "" if has_hubs else f"where node_key not in (select node_key from g {guard})"
    execute(
        f"""
        create table all_edges as
        with g as (from read_parquet('{folder}/graph.parquet'))
        select *, hash(node_key, neighbour_key, 'part') % 1000 as part from g {guarded}
        """
    )
    rows = {}
    for step, (present, changed, is_removed) in STEPS.items():
        for table, columns, parts in (
            ("graph", "node_key, neighbour_key", present),
            ("changed", f"node_key, neighbour_key, {is_removed} as is_removed", changed),
        ):
            execute(
                f"create or replace table {table} as select {columns} from all_edges where {parts}"
            )
        before = project.database.with_suffix(".before")
        shutil.copy(project.database, before)
        measured = []
        for _ in range(runs):
            shutil.copy(before, project.database)
            project.run()
            measured.append((project.seconds, project.cpu_seconds))
        best = [min(values) for values in zip(*measured, strict=True)]
        checksum = project.fetch("select sum(hash(record_key, cluster_key)) from components")[0][0]
        rows[step] = *best, peak_mb(), checksum, project.message
    results.put(rows)


def run_scipy(folder: str, memory_limit: str, results) -> None:
    """Cluster with scipy; puts (seconds, CPU seconds, peak MB, clusters, note)."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    connection = duckdb.connect(f"{folder}/scipy.duckdb")
    connection.execute("set threads = 2")
    connection.execute("set enable_progress_bar = false")
    connection.execute(f"create table graph as from read_parquet('{folder}/graph.parquet')")
    started, cpu = time.perf_counter(), time.process_time()
    connection.execute(
        "create table nodes as select row_number() over (order by node_key) - 1 as id, node_key "
        "from (select node_key from graph union select neighbour_key from graph)"
    )
    ids = connection.execute(
        "select a.id as x, b.id as y from graph join nodes as a using (node_key) "
        "join nodes as b on neighbour_key = b.node_key"
    ).fetchnumpy()
    size = connection.execute("select count(*) from nodes").fetchall()[0][0]
    matrix = coo_matrix((np.ones(len(ids["x"]), np.int8), (ids["x"], ids["y"])), (size, size))
    count, labels = connected_components(matrix, directed=False)
    connection.register("labels", pa.table({"id": np.arange(size), "label": labels}))
    connection.execute(
        "create table components as select node_key, min(node_key) over (partition by label) "
        "as cluster_key from labels join nodes using (id)"
    )
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    results.put((seconds, cpu, peak_mb(), int(count), ""))


def peak_mb() -> float:
    """Peak resident memory of this process in MB (getrusage would count the parent's)."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def in_process(target, *arguments):
    """What the function puts, run in a fresh process."""
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    process = context.Process(target=target, args=(*arguments, results))
    process.start()
    while True:
        try:
            found = results.get(timeout=1)
            break
        except queue.Empty:
            if not process.is_alive():
                raise SystemExit(f"{target.__name__} failed") from None
    process.join()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--edges", type=int, default=8_000_000)
    parser.add_argument("--memory-limit", default="2GB", help="DuckDB's own limit")
    parser.add_argument("--runs", type=int, default=3, help="of each incremental step")
    parser.add_argument("--hubs", action="store_true", help="incremental runs with hubs")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        graph = make_graph(options.edges)
        path = f"{folder}/graph.parquet"
        duckdb.connect().register("g", graph).execute(f"copy g to '{path}'")
        print(f"{len(graph):,} edges")
        del graph
        wall = {}
        for name, run in (("connected_components", run_sql), ("scipy", run_scipy)):
            seconds, cpu, memory, clusters, note = in_process(run, folder, options.memory_limit)
            wall[name] = seconds, cpu
            used = f"{seconds:8.1f} s{cpu:8.1f} s of CPU{memory:8.0f} MB"
            print(f"{name:22}{used}  {clusters:,} clusters  {note}", flush=True)
        ours, peer = wall.values()
        print(f"ratio: {ours[0] / peer[0]:.2f} by the clock, {ours[1] / peer[1]:.2f} by CPU")

        full, *incremental = (
            in_process(run_steps, folder, options.memory_limit, options.hubs, options.runs, config)
            for config in ({}, {"incremental": True}, {"incremental": True, "changes": True})
        )
        for name, rows in zip(("found by comparison", "told"), incremental, strict=True):
            print(f"incremental, what changed is {name}")
            with_state = rows["first run"]
            for step, (seconds, cpu, memory, checksum, message) in rows.items():
                expected = full[step]
                faster = f"{expected[0] / seconds:5.1f} x, by CPU {expected[1] / cpu:5.1f} x"
                faster += f"; first run {with_state[0] / seconds:5.1f} x"
                full_used = f"full {expected[0]:6.2f} s{expected[1]:7.2f} s of CPU"
                equal = "equal" if checksum == expected[3] else "DIFFERENT"
                used = f"{seconds:8.2f} s{cpu:8.2f} s of CPU{memory:8.0f} MB"
                print(f"{step:14}{used}  {full_used}  {faster}  {equal}  {message}", flush=True)


if __name__ == "__main__":
    main()
