"""An incremental run of connected_components gives the table and the state of a full one."""

from __future__ import annotations

import random

import pyarrow as pa
import pytest
from dbt.adapters.duckdb.environments.local import DuckDBCursorWrapper
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fixtures.postgres import own_database

from .graph_project import OTHER_ENGINE, GraphProject, expected_clusters, graph_table

Row = tuple[str, str | None]


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> dict[int, GraphProject]:
    """By number of threads."""
    folder = tmp_path_factory.mktemp("graph")
    return {n: GraphProject(folder / str(n), threads=n, incremental=True) for n in (1, 4)}


def load(project: GraphProject, rows: set[Row], seed: int = 0) -> None:
    """The rows in some order, some of them twice or the other way round."""
    shuffler = random.Random(seed)
    rows = sorted(rows, key=str)
    rows = shuffler.sample(rows, len(rows)) + shuffler.choices(rows, k=len(rows) // 4)
    edges = [(a, b) if shuffler.random() < 0.8 else (b, a) for a, b in rows if b is not None]
    project.load(graph_table(edges, [a for a, b in rows if b is None]))


def expected(rows: set[Row]) -> dict[str, str]:
    return expected_clusters([r for r in rows if r[1] is not None], [a for a, b in rows if not b])


def check(project: GraphProject, rows: set[Row], mode: str = "incremental") -> None:
    load(project, rows, seed=len(rows))
    # A tiny graph changes a lot at each step.
    project.run(max_share=1000)
    assert mode in project.message
    assert project.clusters() == expected(rows)


def check_against_full_run(project: GraphProject) -> None:
    found = project.clusters(), project.state()
    project.run(full_refresh=True)
    assert "full: full refresh" in project.message
    assert (project.clusters(), project.state()) == found


keys = st.integers(0, 40).map("n{}".format)
rows_of_graph = st.sets(st.one_of(st.tuples(keys, keys), st.tuples(keys, st.none())), max_size=15)


@st.composite
def histories(draw) -> list[set[Row]]:
    """Graphs, each made of the one before: rows come, go, or get another key."""
    graphs = [draw(rows_of_graph)]
    for _ in range(draw(st.integers(2, 5))):
        step = draw(st.sampled_from(["add", "remove", "both", "re-key", "empty"]))
        rows = set(graphs[-1])
        if step in ("remove", "both") and rows:
            rows -= draw(st.sets(st.sampled_from(sorted(rows, key=str)), max_size=6))
        if step in ("add", "both"):
            rows |= draw(rows_of_graph)
        if step == "re-key":
            old, new = draw(keys), draw(keys)
            rows = {tuple(new if key == old else key for key in row) for row in rows}
        graphs.append(set() if step == "empty" else rows)
    return graphs


@settings(max_examples=5, deadline=None)
@given(graphs=histories(), threads=st.sampled_from([1, 4]))
def test_any_history(
    projects: dict[int, GraphProject], graphs: list[set[Row]], threads: int
) -> None:
    for rows in graphs:
        check(projects[threads], rows, mode="")
    assert "incremental" in projects[threads].message
    check_against_full_run(projects[threads])


def story(size: int = 300, seed: int = 5) -> list[set[Row]]:
    """A graph of chains, stars and lone nodes that grows, merges, breaks, ends and comes back."""
    shuffler = random.Random(seed)
    chains = {(f"c{i // 10}_{i:03}", f"c{i // 10}_{i + 1:03}") for i in range(size) if i % 10 < 9}
    stars = {(f"s{i // 7}", f"leaf{i:03}") for i in range(size)}
    lone = {(f"lone{i:02}", None) for i in range(20)} | {("s0", None), ("c0_003", None)}
    lone |= {("leaf045", None), ("s8", None), ("s12", None)}
    pairs = {(f"c{i}_{i}5m", f"c{i}_{i}6m") for i in range(20, 30)}
    first = chains | stars | lone | pairs | {("s10", "s11")}
    merged = first | {("a", "c1_015"), ("c1_012", "s3"), ("s3", "s4"), ("new1", "new2")}
    broken = merged - set(shuffler.sample(sorted(chains), 30)) - {("s3", "s4"), ("lone01", None)}
    moved = (broken - {("a", "c1_015")}) | {("zz", "c1_015"), ("lone02", "leaf001")}
    stripped = moved - {
        ("s5", "leaf040"),  # a leaf that ends
        ("s6", "leaf045"),  # one that stays, alone
        ("s6", "leaf046"),  # one that goes to another star
        ("s7", "leaf049"),  # one that gave the label
        *((f"s{star}", f"leaf{i:03}") for star in (8, 9) for i in range(7 * star, 7 * star + 7)),
        ("s10", "leaf071"),  # a leaf beside a tear
        ("s10", "s11"),
        ("s12", None),  # no more than a word that the node exists
        # Ends of chains, whose smallest key no edge brings, and which name what they meet.
        *((f"c{i}_{i}3", f"c{i}_{i}4") for i in range(20, 30)),
    } | {("leaf046", "s5"), ("s9", "leaf065"), ("s9", "leaf999")}
    stripped |= {(f"c{i}_{i}5m", f"c{i}_{i}7") for i in range(20, 30)}
    return [first, merged, broken, moved, stripped, moved | {("only", None)}, set(), first]


def tell(project: GraphProject) -> None:
    for rows in story():
        check(project, rows, mode="")
    assert "incremental" in project.message
    check_against_full_run(project)


def test_a_long_story(projects: dict[int, GraphProject]) -> None:
    tell(projects[4])


@pytest.mark.postgres
def test_a_long_story_on_postgres(tmp_path, postgres: dict[str, str]) -> None:
    environment = own_database(postgres, "graph")
    project = GraphProject(tmp_path / "project", incremental=True, postgres=environment)
    tell(project)
    path: set[Row] = {(f"n{i}", f"n{i + 1}") for i in range(5_000)}
    load(project, path)
    project.run(full_refresh=True)
    assert project.rounds > 3  # more than one statement has
    assert project.clusters() == expected(path)


@pytest.mark.slow
def test_a_long_story_without_delete_and_with_hashes_that_collide(tmp_path) -> None:
    project = GraphProject(tmp_path / "project", incremental=True, macros=OTHER_ENGINE)
    few: set[Row] = {("n1", "n2"), ("n3", None)}
    check(project, few, mode="full: first run")
    ids = dict(project.fetch("select 'n' || i, hash('n' || i || '0') >> 59 from range(99) as t(i)"))
    present = {ids[key] for key in ("n1", "n2", "n3")}
    new = [key for key in ids if ids[key] not in present]
    twins = next((a, b) for a in new for b in new if a < b and ids[a] == ids[b])
    double = next(key for key in ids if ids[key] == ids["n1"] and key != "n1")
    for more in ({("n3", double)}, {(key, None) for key in twins}):
        load(project, few)
        project.run(full_refresh=True)
        assert project.state()[-1][0][0] == 0
        check(project, few | more, mode="full: two keys share a hash")
        assert project.state()[-1][0][0] == 1
    tell(project)


def test_the_model_may_pass_its_changes(tmp_path) -> None:
    project = GraphProject(tmp_path / "project", incremental=True, changes=True)
    before: set[Row] = set()
    for number, rows in enumerate(story()):
        added, removed = rows - before, before - rows
        # What is there already, or gone already, is no change; what is both, is there.
        added |= set(list(rows & before)[:3])
        changes = [(*row, False) for row in added] + [(*row, True) for row in removed]
        changes += [("never", "seen", True)] + [(*row, True) for row in list(added)[:2]]
        columns = ["node_key", "neighbour_key", "is_removed"]
        types = [pa.string(), pa.string(), pa.bool_()]
        arrays = [pa.array(c, t) for c, t in zip(zip(*changes, strict=True), types, strict=True)]
        project.load(pa.table(arrays, columns), "changed")
        check(project, rows, mode="incremental" if number else "full: first run")
        if number:
            assert f"{len(rows - before)} added, {len(removed)} removed" in project.message
        before = rows
    check_against_full_run(project)


def test_what_leads_to_a_full_run(projects: dict[int, GraphProject]) -> None:
    project = projects[1]
    rows: set[Row] = {(f"n{i:03}", f"n{i + 1:03}") for i in range(0, 400, 2)}
    check(project, rows, mode="")
    more = rows | {("n000", "n100")}
    load(project, more)
    project.run()
    assert "(incremental: 1 added, 0 removed)" in project.message
    project.run()
    assert "in 0 rounds, 0 jumps (incremental: 0 added, 0 removed)" in project.message
    load(project, rows | {("n000", f"n{i:03}") for i in range(4, 200, 4)})
    project.run()
    assert "full: too much has changed" in project.message
    chain: set[Row] = {(f"n{i:03}", f"n{i + 1:03}") for i in range(400)}
    load(project, chain)
    project.run()
    load(project, chain - {("n007", "n008")})
    project.run()
    assert "full: the changes touch too large components" in project.message
    star: set[Row] = {("n000", f"n{i:03}") for i in range(1, 400)}
    load(project, star)
    project.run()
    load(project, star - {("n000", "n007")})
    project.run()
    assert "(incremental: 0 added, 1 removed)" in project.message

    for damage, reason in {
        "drop table components__state": "no state",
        "delete from components__state": "state of another shape",
        "alter table components__edges add column more int": "state of another shape",
        "alter table components rename column record_key to node_key": "state of another shape",
        "update components__state set hash_sample = 1": "state does not match",
        "delete from components__edges where left_id in (select min(left_id) from"
        " components__edges)": "state does not match",
        "update components__edges set right_id = right_id - 1 where left_id in"
        " (select min(left_id) from components__edges)": "state does not match",
        "update components set root_id = node_id where record_key = 'n001'": "state does not match",
        "delete from components where record_key = 'n001'": "state does not match",
        "drop table components": "first run",
    }.items():
        with project.connection() as connection:
            connection.execute(damage)
        project.run()
        assert f"full: {reason}" in project.message
    project.run()
    assert "incremental: 0 added" in project.message


# After the table, before its state: an error, or the end of a process on an engine without
# transactions, where what was written stays.
FAULT = """
{% macro duckdb__replace_rows(relation, key_columns, doomed, fresh) %}
    {% if relation.identifier == 'components__edges' and env_var('GRAPH_FAULT', '') %}
        {% do adapter.commit() if env_var('GRAPH_FAULT') == 'kept' %}
        {% do exceptions.raise_compiler_error('half-way') %}
    {% endif %}
    {% do cdp.duckdb__replace_rows(relation, key_columns, doomed, fresh) %}
{% endmacro %}
"""


def test_failure_half_way(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = GraphProject(tmp_path / "project", incremental=True, macros=FAULT)
    old: set[Row] = {("a", "b"), ("x", "y"), ("y", "z")}
    new: set[Row] = {("a", "b"), ("x", "y"), ("b", "c"), ("c", "d")}
    check(project, old, mode="full")
    before = project.clusters(), project.state()

    load(project, new)
    monkeypatch.setenv("GRAPH_FAULT", "lost")
    with pytest.raises(AssertionError, match="half-way"):
        project.run(max_share=1000)
    assert (project.clusters(), project.state()) == before

    monkeypatch.setenv("GRAPH_FAULT", "kept")
    with pytest.raises(AssertionError, match="half-way"):
        project.run(max_share=1000)
    assert project.clusters() == expected(new)
    assert len(project.fetch("select 1 from components__edges")) == len(old)
    monkeypatch.delenv("GRAPH_FAULT")
    check(project, new, mode="full: no state")
    check(project, old)


def test_places_are_looked_up_in_the_transaction_that_writes(
    projects: dict[int, GraphProject], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row that was found before it might lie elsewhere when it is deleted."""
    project = projects[1]
    rows: set[Row] = {(f"n{i:03}", f"n{i + 1:03}") for i in range(0, 400, 2)}
    check(project, rows, mode="")
    said: list[str] = []
    execute = DuckDBCursorWrapper.execute

    def listen(cursor, sql, bindings=None):
        said.append(sql)
        return execute(cursor, sql, bindings)

    monkeypatch.setattr(DuckDBCursorWrapper, "execute", listen)
    check(project, {*rows, ("n000", "n003")})
    found = next(i for i, sql in enumerate(said) if "_delta as" in sql)
    written = next(i for i, sql in enumerate(said) if "delete from" in sql)
    ends = [sql for sql in said[:found] if sql in ("BEGIN", "COMMIT")]
    assert ends[-1] == "BEGIN"
    assert "COMMIT" not in said[found:written]


def test_failure_leaves_table_and_state(tmp_path) -> None:
    hook = "insert into main.changed select 1"
    project = GraphProject(tmp_path / "project", incremental=True, hook=hook)
    project.load(pa.table({"n": [0]}), "changed")
    old, new = (
        {("a", "b"), ("x", "y"), ("y", "z")},
        {("a", "b"), ("x", "y"), ("b", "c"), ("c", "d")},
    )
    check(project, old, mode="full")
    before = project.clusters(), project.state()

    load(project, new)
    with pytest.raises(AssertionError, match="has not converged"):
        project.run(max_rounds=0, max_share=1000)
    assert (project.clusters(), project.state()) == before
    assert project.scratch_tables_left() == []

    for full_refresh in (False, True):
        with project.connection() as connection:
            connection.execute("alter table changed rename to gone")
        with pytest.raises(AssertionError, match="changed does not exist"):
            project.run(max_share=1000, full_refresh=full_refresh)
        with project.connection() as connection:
            connection.execute("alter table gone rename to changed")
        assert (project.clusters(), project.state()) == before
        assert project.scratch_tables_left() == []

    check(project, new)
    check_against_full_run(project)

    # A model that is incremental no more leaves no state to go stale.
    check(GraphProject(project.folder), old, mode="full: not incremental")
    assert project.fetch("from duckdb_tables() where table_name like 'components_%'") == []


@pytest.mark.postgres
def test_failure_leaves_table_and_state_on_postgres(tmp_path, postgres: dict[str, str]) -> None:
    """Where another model was built before on the same connection."""
    project = GraphProject(
        tmp_path / "project",
        incremental=True,
        changes=True,
        hook="insert into public.hooked select 1",
        postgres=own_database(postgres, "torn"),
    )
    old, new = {("a", "b"), ("x", "y"), ("y", "z")}, {("a", "b"), ("x", "y"), ("b", "c")}
    empty = {name: pa.array([], pa.string()) for name in ("node_key", "neighbour_key")}
    project.load(pa.table({**empty, "is_removed": pa.array([], pa.bool_())}), "changed")
    project.load(pa.table({"n": ["0"]}), "hooked")
    check(project, old, mode="full")
    before = project.clusters(), project.state()

    load(project, new)
    with project.connection() as connection:
        connection.execute("alter table hooked rename to gone")
    for full_refresh in (False, True):
        with pytest.raises(AssertionError, match="hooked"):
            project.run(max_share=1000, full_refresh=full_refresh)
        assert (project.clusters(), project.state()) == before
