"""The connected_components materialization finds scipy's partition on any graph."""

from __future__ import annotations

import random
from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .graph_project import (
    OTHER_ENGINE,
    GraphProject,
    expected_partition,
    graph_table,
    partition,
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> GraphProject:
    return GraphProject(tmp_path_factory.mktemp("graph") / "project")


def check(project: GraphProject, edges: list[tuple[str, str]], nodes: list[str] = ()) -> dict:
    project.load(graph_table(edges, nodes))
    project.run()
    clusters = project.clusters()
    assert partition(clusters) == expected_partition(edges, nodes)
    for members in partition(clusters):
        assert {clusters[member] for member in members} == {min(members)}
    return clusters


def chain(length: int, name: str = "n") -> list[tuple[str, str]]:
    return [(f"{name}{i:06d}", f"{name}{i + 1:06d}") for i in range(length - 1)]


def shuffled(edges: list[tuple[str, str]], seed: int) -> list[tuple[str, str]]:
    """The same shape with random keys, directions and order of rows."""
    randomizer = random.Random(seed)
    keys = sorted({key for edge in edges for key in edge})
    names = dict(zip(keys, randomizer.sample(keys, len(keys)), strict=True))
    renamed = [tuple(randomizer.sample([names[a], names[b]], 2)) for a, b in edges]
    return randomizer.sample(renamed, len(renamed))


def test_chains_of_every_length_at_once(project: GraphProject) -> None:
    lengths = [2, 3, 4, 5, 7, 10, 20, 64, 100, 101, 256, 500]
    edges = [edge for n in lengths for edge in chain(n, f"c{n}_")]
    edges += [edge for n in lengths for edge in shuffled(chain(n, f"s{n}_"), seed=n)]
    check(project, edges)


def test_hubs_and_trees(project: GraphProject) -> None:
    hub_is_last = [("z", f"leaf{i:05d}") for i in range(5000)]
    hub_is_first = [("a", f"twig{i:05d}") for i in range(5000)]
    tree = [(f"t{i:05d}", f"t{(i - 1) // 2:05d}") for i in range(1, 4096)]
    check(project, hub_is_last + hub_is_first + shuffled(tree, seed=3))


def test_odd_rows(project: GraphProject) -> None:
    """Loops, doubles, both directions, lone nodes and no keys at all."""
    edges = [("a", "a"), ("b", "c"), ("b", "c"), ("c", "b"), ("é", "e"), ("x y'", '"z')]
    check(project, edges, nodes=["lone", "a", "c"])
    project.load(graph_table([], []))
    project.run()
    assert project.clusters() == {}


def test_nulls_are_no_nodes(project: GraphProject) -> None:
    graph = {"node_key": [None, "a", None], "neighbour_key": ["b", None, None]}
    project.load(pa.table(graph, schema=pa.schema(dict.fromkeys(graph, pa.string()).items())))
    project.run()
    assert project.clusters() == {"a": "a", "b": "b"}


@pytest.mark.parametrize("order", ["sorted", "random"])
def test_long_path_needs_few_rounds(project: GraphProject, order: str) -> None:
    edges = chain(200_000)
    edges = shuffled(edges, seed=1) if order == "random" else edges
    project.load(graph_table(edges))
    project.run()
    assert set(project.clusters().values()) == {"n000000"}
    assert project.rounds <= 12
    assert project.scratch_tables_left() == []


@pytest.mark.parametrize(("length", "rounds"), [(5, 1), (9, 2), (600, 4)])
def test_a_small_graph_jumps_three_times_a_round(
    project: GraphProject, length: int, rounds: int
) -> None:
    """A path in the order of its ids; whoever moved with the last jump is a node once more. Three
    rounds are one statement, and are counted as far as there is something to do."""
    names = project.fetch(f"select 'n' || i from range({length}) as t(i) order by hash('n' || i)")
    keys = [name for (name,) in names]
    check(project, list(pairwise(keys)))
    assert f"in {rounds} rounds, {3 * rounds} jumps" in project.message


def test_an_engine_that_takes_one_statement_at_a_time(tmp_path) -> None:
    project = GraphProject(tmp_path / "project", macros=OTHER_ENGINE)
    tree = [(f"t{i:05d}", f"t{(i - 1) // 2:05d}") for i in range(1, 2000)]
    check(project, [*shuffled(chain(600), seed=2), *shuffled(tree, seed=3)], nodes=["lone"])
    assert project.scratch_tables_left() == []


def test_a_select_may_end_in_a_comment(tmp_path) -> None:
    operation = """
    {% macro make_two() %}
        {% set found = cdp.create_scratch_tables({
            'one': 'select 1 as x -- of it',
            'two': 'select x from one -- the other',
        }, 'select count(*) from two -- and what is asked')[0][0] %}
        {% do exceptions.raise_compiler_error('found ' ~ found) if found != 1 %}
    {% endmacro %}
    """
    project = GraphProject(tmp_path / "project", macros=operation)
    done = project.invoke("run-operation", "overrides.make_two")
    assert done.success, done.exception


graphs = st.tuples(
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=70),
    st.lists(st.integers(0, 80), max_size=5),
)


@settings(max_examples=10, deadline=None)
@given(graphs=st.lists(graphs, min_size=1, max_size=10))
def test_random_graphs(project: GraphProject, graphs: list) -> None:
    """Several side by side, because a run costs more than a graph."""
    edges = [(f"{i}n{a}", f"{i}n{b}") for i, (edges, _) in enumerate(graphs) for a, b in edges]
    nodes = [f"{i}n{node}" for i, (_, nodes) in enumerate(graphs) for node in nodes]
    check(project, edges, nodes)


def test_the_limit_of_rounds_is_kept_within_a_statement(project: GraphProject) -> None:
    check(project, shuffled(chain(9), seed=5))
    assert project.rounds == 2
    project.run(max_rounds=2)
    with pytest.raises(AssertionError, match=r"has not converged: .* after 1 rounds"):
        project.run(max_rounds=1)


def test_not_converged_is_an_error_and_keeps_the_old_table(project: GraphProject) -> None:
    old = check(project, [("a", "b")])
    project.load(graph_table(shuffled(chain(1000), seed=5)))
    with pytest.raises(AssertionError, match=r"components has not converged: .* after 1 rounds"):
        project.run(max_rounds=1)
    assert project.clusters() == old
    assert project.scratch_tables_left() == []
