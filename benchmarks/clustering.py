"""Time and memory of connected_components on a CDP-shaped graph, next to scipy.

    python benchmarks/clustering.py [--edges 8000000] [--memory-limit 3GB]

The graph: people with a zipf number of records tied by stars, 40 cookie chains of 20 to 500
records (half of them in key order) and 3 hubs. Each engine runs in a process of its own;
memory is the peak resident set of that process. scipy's time includes fetching text keys,
numbering them and writing the clusters back, as the materialization does.
"""

from __future__ import annotations

import argparse
import multiprocessing
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
    with duckdb.connect(str(project.database)) as connection:
        connection.execute(f"create table graph as from read_parquet('{folder}/graph.parquet')")
    started = time.perf_counter()
    project.run()
    seconds = time.perf_counter() - started
    cpu = time.process_time()
    with duckdb.connect(str(project.database)) as connection:
        count = connection.execute("select count(distinct cluster_key) from components").fetchall()
    results.put((seconds, cpu, peak_mb(), count[0][0], project.message))


def run_scipy(folder: str, memory_limit: str, results) -> None:
    """Cluster with scipy; puts (seconds, CPU seconds, peak MB, clusters, note)."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    connection = duckdb.connect(f"{folder}/scipy.duckdb")
    connection.execute("set threads = 2")
    connection.execute(f"create table graph as from read_parquet('{folder}/graph.parquet')")
    started = time.perf_counter()
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
    seconds = time.perf_counter() - started
    results.put((seconds, time.process_time(), peak_mb(), int(count), "connected_components"))


def peak_mb() -> float:
    """Peak resident memory of this process in MB (getrusage would count the parent's)."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--edges", type=int, default=8_000_000)
    parser.add_argument("--memory-limit", default="2GB", help="DuckDB's own limit")
    options = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        graph = make_graph(options.edges)
        path = f"{folder}/graph.parquet"
        duckdb.connect().register("g", graph).execute(f"copy g to '{path}'")
        print(f"{len(graph):,} edges")
        del graph
        for name, run in (("connected_components", run_sql), ("scipy", run_scipy)):
            results = context.Queue()
            process = context.Process(target=run, args=(folder, options.memory_limit, results))
            process.start()
            process.join()
            seconds, cpu, memory, clusters, note = results.get(timeout=5)
            used = f"{seconds:8.1f} s{cpu:8.1f} s of CPU{memory:8.0f} MB"
            print(f"{name:22}{used}  {clusters:,} clusters  {note}")


if __name__ == "__main__":
    main()
