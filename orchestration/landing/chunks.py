"""What both kinds of files are read into."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import pyarrow as pa

from orchestration.landing.declared import LOADED_AT, Table
from orchestration.landing.report import Refused, Rejection
from orchestration.landing.values import to_text

CHUNK_ROWS = 65_536
# A column that a file without a header would "name" is data; only what looks like a name
# of a column may be told.
_NAME_LENGTH = 63


@dataclass(frozen=True)
class Chunk:
    """Some rows of a file. ``rejected``: rows that are no rows (ragged, not UTF-8, ...)."""

    batch: pa.RecordBatch
    """The declared columns that the file has, as the file has them."""
    lines: list[int] | range
    """Line number per row."""
    texts: list[str] | None = None
    """The row's text as read; None: the row itself, as JSON of texts."""
    rejected: list[Rejection] = field(default_factory=list)

    def rejection(self, position: int, reason: str) -> Rejection:
        if self.texts is not None:
            text = self.texts[position]
        else:
            row = self.batch.slice(position, 1)
            fields = zip(row.schema.names, map(_told_value, row.columns), strict=True)
            text = json.dumps(dict(fields), ensure_ascii=False)
        return Rejection(self.lines[position], reason, printable(text))


class Reader(Protocol):
    """A file that passed the checks of its header. Iterate it once."""

    warnings: list[str]
    has_loaded_at: bool

    def chunks(self) -> Iterator[Chunk]:
        """Its rows. Raises ``Refused`` where the file turns out to be unreadable."""


def match_columns(found: list[str], table: Table) -> list[str]:
    """Compare a file's columns with the declared ones, by name. Raises ``Refused`` and
    names what is missing or there twice; returns warnings."""
    declared = [column.name for column in table.columns]
    missing = [name for name in declared if name not in found and name != LOADED_AT]
    unknown = [name for name in found if name not in declared]
    if missing and len(missing) == len([name for name in declared if name != LOADED_AT]):
        raise Refused("no header: no declared column is named in it")
    twice = sorted({name for name in found if found.count(name) > 1 and name in declared})
    if twice:
        raise Refused(f"column there twice: {', '.join(twice)}")
    if missing:
        hint = f"; not declared: {_told(unknown)} (renamed?)" if unknown else ""
        raise Refused(f"column missing: {', '.join(missing)}{hint}")
    return [f"column not declared, left out: {_told(unknown)}"] if unknown else []


def printable(text: str) -> str:
    """Text that every engine stores: bytes that were not UTF-8 and NULs as ``\\xNN``."""
    text = text.replace("\x00", "\\x00")
    if text.isascii():
        return text
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _told(names: list[str]) -> str:
    def told(name: str) -> str:
        plain = name.replace(" ", "_").replace("-", "_")
        return name if plain.isidentifier() and len(name) <= _NAME_LENGTH else "(no name)"

    return ", ".join(told(name) for name in names)


def _told_value(array: pa.Array) -> str | None:
    """The one value of ``array`` as text, also where it is none."""
    if isinstance(array, pa.DictionaryArray):
        array = array.dictionary_decode()
    if pa.types.is_string(array.type) or pa.types.is_large_string(array.type):
        array = array.cast(pa.large_binary())
    if pa.types.is_binary(array.type) or pa.types.is_large_binary(array.type):
        value = array[0].as_py()
        return None if value is None else value.decode("utf-8", "backslashreplace")
    return to_text(array)[0][0].as_py()
