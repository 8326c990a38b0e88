"""PostgreSQL gives the same tables as DuckDB, row by row, on the same raw files."""

import datetime as dt
from collections import Counter
from decimal import Decimal

import pytest

from orchestration.warehouse import Warehouse, compose

pytestmark = [pytest.mark.slow, pytest.mark.postgres]

FLOAT_DIGITS = 9
"""Sums of doubles differ in the last bits with the order of rows."""


def canonical(value):
    """A value in the form both engines agree on: decimals without trailing zeros, doubles at
    ``FLOAT_DIGITS`` significant digits."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, float):
        return f"{value:.{FLOAT_DIGITS}g}"
    if isinstance(value, int | Decimal):
        return format(Decimal(value).normalize(), "f")
    if isinstance(value, dt.datetime):
        return value.replace(tzinfo=None).isoformat()
    return str(value)


def table(warehouse: Warehouse, name: str, columns: list[str]) -> Counter:
    relation = warehouse.relation(name)
    rows = warehouse.stream(compose("select {c} from {r}", c=columns, r=relation), batch=50_000)
    return Counter(tuple(canonical(v) for v in row) for batch in rows for row in batch)


def test_every_table_is_equal(small_demo, small_demo_on_postgres, manifest):
    names = sorted(
        node["name"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["fqn"][1] != "staging"
    )
    different = {}
    columns = {
        node["name"]: [c for c in node["columns"]]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model"
    }
    for name in names:
        with small_demo.environment(), Warehouse.open("duckdb") as duckdb:
            ours = table(duckdb, name, columns[name])
        with small_demo_on_postgres.environment(), Warehouse.open("postgres") as postgres:
            theirs = table(postgres, name, columns[name])
        if ours != theirs:
            only = (ours - theirs, theirs - ours)
            different[name] = [len(only[0]), len(only[1])]
    assert not different, f"rows on one engine only (duckdb, postgres): {different}"
