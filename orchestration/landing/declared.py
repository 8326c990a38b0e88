"""The declared schema of the raw folder: dbt's own source files, read as YAML.

``models/staging/<source>/_<source>__sources.yml`` is documentation, DDL and the guard of
the files at once, so the three cannot differ.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml

RAW_PREFIX = "raw_"
LOADED_AT = "loaded_at"

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_DECIMAL = re.compile(r"(?:decimal|numeric)\(\s*(\d{1,2})\s*(?:,\s*(\d{1,2})\s*)?\)")
_MAX_BYTES = 1_000_000  # of a source file: what is larger is not one
_ARROW = {
    "string": pa.string(),
    "timestamp": pa.timestamp("us"),
    "date": pa.date32(),
    "bigint": pa.int64(),
    "int": pa.int32(),
    "boolean": pa.bool_(),
    "double precision": pa.float64(),
}


class DeclarationError(Exception):
    """A source file cannot be used. Names file, table and column."""


@dataclass(frozen=True)
class Column:
    """A declared column."""

    name: str
    data_type: str
    is_required: bool = False

    @property
    def arrow_type(self) -> pa.DataType:
        found = _DECIMAL.fullmatch(self.data_type)
        if found:
            return pa.decimal128(int(found[1]), int(found[2] or 0))
        return _ARROW[self.data_type]


@dataclass(frozen=True)
class CsvFormat:
    """How a table's CSV files are written, where that is not the default
    (``config.meta.csv``). ``delimiter`` None: found by the header."""

    encoding: str = "utf-8"
    delimiter: str | None = None
    decimal: str = "."


@dataclass(frozen=True)
class Table:
    """A declared table of a source."""

    source: str
    name: str
    schema: str
    columns: tuple[Column, ...]
    csv: CsvFormat = CsvFormat()

    def column(self, name: str) -> Column | None:
        return next((column for column in self.columns if column.name == name), None)

    @property
    def definitions(self) -> list[tuple[str, str]]:
        """Name and declared type of each column, in order."""
        return [(column.name, column.data_type) for column in self.columns]

    @property
    def arrow_schema(self) -> pa.Schema:
        return pa.schema([(column.name, column.arrow_type) for column in self.columns])


def declared_tables(project_dir: Path) -> dict[tuple[str, str], Table]:
    """Every declared source table by (source, table), the state tables included (their
    schema does not begin with ``raw_``). Raises ``DeclarationError``."""
    tables: dict[tuple[str, str], Table] = {}
    for path in sorted(Path(project_dir).glob("models/staging/*/_*__sources.yml")):
        for table in _read(path):
            if (table.source, table.name) in tables:
                raise DeclarationError(f"{path.name}: {table.source}.{table.name} declared twice")
            tables[table.source, table.name] = table
    return tables


def _read(path: Path) -> list[Table]:
    if path.stat().st_size > _MAX_BYTES:
        raise DeclarationError(f"{path.name}: larger than {_MAX_BYTES} bytes")
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        return [
            _table(path, source, table)
            for source in content.get("sources") or []
            for table in source.get("tables") or []
        ]
    except (yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        reason = f"missing {error}" if isinstance(error, KeyError) else type(error).__name__
        raise DeclarationError(f"{path.name}: not a file of dbt sources ({reason})") from None


def _table(path: Path, source: dict[str, Any], table: dict[str, Any]) -> Table:
    where = f"{path.name}: {source['name']}.{table['name']}"
    schema = source.get("schema") or source["name"]
    columns = tuple(_column(where, column) for column in table.get("columns") or [])
    names = [column.name for column in columns]
    if not columns:
        raise DeclarationError(f"{where}: no columns")
    if len(set(names)) < len(names):
        raise DeclarationError(f"{where}: a column is declared twice")
    for name in (source["name"], schema, table.get("identifier") or table["name"]):
        _check_name(where, name)
    csv = CsvFormat(**((table.get("config") or {}).get("meta") or {}).get("csv", {}))
    if csv.decimal not in {".", ","}:
        raise DeclarationError(f"{where}: csv.decimal is a full stop or a comma")
    return Table(source["name"], table.get("identifier") or table["name"], schema, columns, csv)


def _column(where: str, column: dict[str, Any]) -> Column:
    _check_name(where, column["name"])
    data_type = str(column["data_type"]).lower()
    meta = (column.get("config") or {}).get("meta") or {}
    declared = Column(column["name"], data_type, bool(meta.get("required")))
    try:
        assert declared.arrow_type
    except (KeyError, ValueError):
        raise DeclarationError(f"{where}.{declared.name}: unknown type {data_type}") from None
    return declared


def _check_name(where: str, name: str) -> None:
    # Names become folders, schemas and columns: one narrow alphabet for all of them.
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise DeclarationError(f"{where}: names are lower-case letters, digits, underscores")
