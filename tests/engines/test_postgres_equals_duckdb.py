"""PostgreSQL gives the same tables as DuckDB, row by row, on the same raw files."""

import json
from collections import Counter

import pytest

from orchestration.warehouse import Relation, Warehouse, compose

pytestmark = pytest.mark.postgres

FLOAT_DIGITS = 9
"""Sums of doubles differ in the last bits with the order of rows."""
CLOCK = {"fresh_until"}
"""Columns that count from when the files were landed, which was not at the same time."""
NATIVE_HASHES = {"node_id", "root_id"}
"""Columns that hold the engine's own hash."""


def table(warehouse: Warehouse, relation: Relation, columns: list[str]) -> Counter:
    """The rows of a table, doubles at ``FLOAT_DIGITS`` significant digits. Decimals with and
    without trailing zeros are equal in Python."""
    rows = warehouse.stream(compose("select {c} from {r}", c=columns, r=relation), batch=50_000)
    types = warehouse.column_types(relation)
    doubles = [position for position, name in enumerate(columns) if "double" in types[name]]

    def canonical(row: tuple) -> tuple:
        values = list(row)
        for position in doubles:
            if values[position] is not None:
                values[position] = f"{values[position]:.{FLOAT_DIGITS}g}"
        return tuple(values)

    return Counter(
        row for batch in rows for row in (map(canonical, batch) if doubles else map(tuple, batch))
    )


def columns_that_differ(ours: Counter, theirs: Counter, columns: list[str]) -> list[str]:
    """Columns whose values, taken alone, differ: where to look first."""
    differing = []
    for position, column in enumerate(columns):
        sides = []
        for rows in (ours, theirs):
            values: Counter = Counter()
            for row, count in rows.items():
                values[row[position]] += count
            sides.append(values)
        if sides[0] != sides[1]:
            differing.append(column)
    return differing


def test_every_table_is_equal(small_demo, small_demo_on_postgres):
    manifest = json.loads((small_demo.data / "target" / "manifest.json").read_text())
    models = {
        node["name"]: [column for column in node["columns"] if column not in CLOCK | NATIVE_HASHES]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model"
        and node["fqn"][1] != "staging"
        # What a step on the way holds is in what it leads to.
        and (node["config"]["materialized"] != "view" or "__" not in node["name"])
    }
    with small_demo.environment(), Warehouse.open("duckdb") as duckdb:
        ours = {name: table(duckdb, duckdb.relation(name), models[name]) for name in models}
    with small_demo_on_postgres.environment(), Warehouse.open("postgres") as postgres:
        theirs = {name: table(postgres, postgres.relation(name), models[name]) for name in models}
    different = {
        name: (
            sum((ours[name] - theirs[name]).values()),
            sum((theirs[name] - ours[name]).values()),
            columns_that_differ(ours[name], theirs[name], columns),
        )
        for name, columns in sorted(models.items())
        if ours[name] != theirs[name]
    }
    assert not different, f"rows on one engine only (duckdb, postgres, columns): {different}"


@pytest.mark.slow
def test_data_tests_pass(small_demo_on_postgres):
    small_demo_on_postgres.dbt("test", "--exclude-resource-type", "unit_test")
