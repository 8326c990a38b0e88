"""How names get into SQL: the one place that quotes. Values are never put into SQL, they
are bound."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa

_COMPOSED = re.compile(r"\{(\w+)\}")
_TYPE = re.compile(r"[A-Za-z][A-Za-z0-9_ ]*(\(\s*\d+\s*(,\s*\d+\s*)?\))?")
_PLACEHOLDER = re.compile(r"""('(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*)|(\?)|(%)""")


@dataclass(frozen=True)
class Relation:
    """A table or view, ``schema.identifier``, in the target's database. As text: quoted."""

    schema: str
    identifier: str
    database: str | None = None

    @classmethod
    def parse(cls, name: str) -> "Relation":
        """``schema.table``, unquoted."""
        schema, _, identifier = name.partition(".")
        if not schema or not identifier or "." in identifier:
            raise ValueError("a relation is given as schema.table")
        return cls(schema, identifier)

    def __str__(self) -> str:
        parts = [self.database, self.schema, self.identifier]
        return ".".join(quote(part) for part in parts if part)


@dataclass(frozen=True)
class Columns:
    """Columns of a table to be made: (name, type as the engine spells it)."""

    definitions: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        for _, data_type in self.definitions:
            if not _TYPE.fullmatch(data_type):
                raise ValueError("not a type of a column")
        return ", ".join(f"{quote(name)} {data_type}" for name, data_type in self.definitions)


@dataclass(frozen=True)
class Placeholders:
    """``?, ?, ?``: as many as ``count``."""

    count: int

    def __str__(self) -> str:
        return ", ".join("?" * self.count)


def quote(name: str) -> str:
    """A name, quoted for SQL (double quotes: DuckDB, Postgres, Snowflake, ANSI Spark)."""
    if not name or "\x00" in name:
        raise ValueError("a name for SQL is empty or has a NUL")
    return '"' + name.replace('"', '""') + '"'


def compose(template: str, /, **parts: Relation | Columns | Placeholders | str | Iterable[str]):
    """Put names into SQL, the only way to do so. ``{x}`` becomes a quoted relation, a quoted
    name or a comma-separated list of quoted names. Values are bound, not composed."""

    def rendered(match: re.Match) -> str:
        part = parts[match[1]]
        if isinstance(part, Relation | Columns | Placeholders):
            return str(part)
        if isinstance(part, str):
            return quote(part)
        return ", ".join(quote(name) for name in part)

    return _COMPOSED.sub(rendered, template)


def percent_placeholders(sql: str) -> str:
    """``?`` as ``%s``, for drivers of that style; within literals, names and comments it
    stays, and ``%`` is doubled."""

    def spelled(match: re.Match) -> str:
        if match[2]:
            return "%s"
        return (match[1] or match[3]).replace("%", "%%")

    return _PLACEHOLDER.sub(spelled, sql)


def type_for(arrow: pa.DataType) -> str:
    """The SQL type of a column that is made from an Arrow one."""
    if pa.types.is_boolean(arrow):
        return "boolean"
    if pa.types.is_integer(arrow):
        return "bigint"
    if pa.types.is_floating(arrow):
        return "double precision"
    if pa.types.is_decimal(arrow):
        return f"decimal({arrow.precision}, {arrow.scale})"
    if pa.types.is_timestamp(arrow):
        return "timestamp"
    if pa.types.is_date(arrow):
        return "date"
    return "string"
