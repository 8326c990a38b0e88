"""How names and placeholders get into SQL."""

from types import SimpleNamespace

import pyarrow as pa
import pytest

from orchestration.warehouse import Columns, Placeholders, Relation, compose, quote
from orchestration.warehouse_errors import (
    NotBuilt,
    Unreachable,
    WarehouseBusy,
    WarehouseError,
    scrubbed,
)
from orchestration.warehouse_sql import percent_placeholders, type_for


@pytest.mark.parametrize(
    ("name", "quoted"),
    [
        ("email", '"email"'),
        ("Select", '"Select"'),
        ('a"; drop table x; --', '"a""; drop table x; --"'),
        ("a.b", '"a.b"'),
        ("{r}", '"{r}"'),
    ],
)
def test_a_name_is_quoted(name: str, quoted: str) -> None:
    assert quote(name) == quoted
    assert compose("{r}", r=name) == quoted


@pytest.mark.parametrize("name", ["", "a\x00b"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        quote(name)


def test_parts_are_composed() -> None:
    sql = compose(
        "insert into {r} ({c}) values ({v})",
        r=Relation.parse("raw.rows"),
        c=["a", "b"],
        v=Placeholders(2),
    )
    assert sql == 'insert into "raw"."rows" ("a", "b") values (?, ?)'
    assert str(Columns((("a", "decimal(18, 2)"),))) == '"a" decimal(18, 2)'
    with pytest.raises(ValueError, match="type"):
        str(Columns((("a", "int); drop table x; --"),)))
    for name in ["rows", "a.b.c", ".rows", "raw."]:
        with pytest.raises(ValueError, match=r"schema\.table"):
            Relation.parse(name)


def test_placeholders_of_the_other_style_leave_text_alone() -> None:
    sql = "select '?%', \"?\", 5 % 2 from x where a = ? and b like '%''?' -- why?\n and c = ?"
    assert percent_placeholders(sql) == (
        "select '?%%', \"?\", 5 %% 2 from x where a = %s and b like '%%''?' -- why?\n and c = %s"
    )


def test_types_of_arrow() -> None:
    types = [pa.bool_(), pa.int8(), pa.float32(), pa.decimal128(9, 3), pa.timestamp("ns")]
    assert [type_for(arrow) for arrow in [*types, pa.date32(), pa.large_string()]] == [
        "boolean", "bigint", "double precision", "decimal(9, 3)", "timestamp", "date", "string",
    ]  # fmt: skip


class ConversionException(Exception):
    pass


class CatalogException(Exception):
    pass


def test_errors_keep_the_statement_not_the_data() -> None:
    sql = "-- note\ninsert into marts.customers select 'jane@example.fr'"
    error = scrubbed(ConversionException("Could not convert string 'jane@example.fr'"), sql)
    assert str(error) == "insert marts.customers: ConversionException"
    error = scrubbed(CatalogException("no function f('jane@example.fr')\nLINE 1: ..."), sql)
    assert str(error) == "insert marts.customers: CatalogException: no function f(?)"


class UndefinedTable(Exception):
    pgcode = "42P01"
    diag = SimpleNamespace(message_primary='relation "a" does not exist')


class FailedToConnectError(Exception):
    pass


@pytest.mark.parametrize(
    ("error", "sql", "kind", "words"),
    [
        (
            CatalogException("Catalog Error: Table with name a does not exist!"),
            "select 1 from a",
            NotBuilt,
            "Table with name a does not exist",
        ),
        (UndefinedTable(), "select 1 from a", NotBuilt, "does not exist"),
        (
            CatalogException("Catalog Error: Scalar Function with name f does not exist!"),
            "select f()",
            WarehouseError,
            "Function with name f",
        ),
        (
            FailedToConnectError("Database Error\n  connection refused"),
            None,
            Unreachable,
            "connect: FailedToConnectError: connection refused",
        ),
        (
            PermissionError(13, "Permission denied", "/data"),
            None,
            Unreachable,
            "Permission denied: /data",
        ),
        (Exception("Could not set lock on file"), None, WarehouseBusy, "connect"),
    ],
)
def test_an_error_says_what_kind_of_mistake_it_is(error, sql, kind, words) -> None:
    found = scrubbed(error, sql)
    assert type(found) is kind
    assert words in str(found)
