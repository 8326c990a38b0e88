"""Rows as files in somebody's folder: what S3 and SFTP have in common.

Each batch becomes one file of changes, whose name is a hash of the rows in it: a call that is
repeated writes the same file again. Rows in doubt may come once more in a later file, with the
same ``cdp_idempotency_key``.
"""

import gzip
import hashlib
import io
import re
from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Literal

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from orchestration.destinations.base import Destination, Limits, Outcome, Row
from orchestration.sync.spec import SyncSpec

OWN_COLUMNS = ("cdp_operation", "cdp_idempotency_key", "cdp_version")

# A spreadsheet takes a cell that begins so for a formula (OWASP), also in full width.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_PREFIX = re.compile(r"[A-Za-z0-9_=-][A-Za-z0-9_.=-]*(/[A-Za-z0-9_=-][A-Za-z0-9_.=-]*)*")
_FILE_BYTES = 64 * 1024 * 1024


class FileOptions(BaseModel):
    """``meta.sync.options`` of a file drop; the endpoints add their own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    prefix: str | None = None
    """Folder below which the sync's own lies; no dots, no leading slash."""
    format: Literal["csv", "parquet"] = "csv"
    compression: Literal["none", "gzip", "zstd", "snappy"] = "none"
    cells: Literal["safe", "raw"] = "safe"
    """CSV: formulas are disarmed by a quote, unless no spreadsheet will ever open the file."""
    file_rows: int = Field(10_000, ge=1, le=1_000_000)
    dedupes: Literal["true", "false"] = "false"
    """Mode append: the receiver drops a ``cdp_idempotency_key`` it has seen."""


class FileDrop(Destination):
    """A folder that takes files."""

    options_class: ClassVar[type[FileOptions]] = FileOptions
    manner_options = frozenset({"format", "compression", "cells", "file_rows", "dedupes"})
    supported = frozenset(
        {("records", mode) for mode in ("upsert", "mirror", "audience", "delete")}
        | {("events", "append")}
    )

    def __init__(self, spec: SyncSpec) -> None:
        self._spec = spec
        self._options = self.options_of(spec)
        self._calls = 0
        self.limits = Limits(
            self._options.file_rows, ((20, 1.0),), connections=1, batch_bytes=_FILE_BYTES
        )
        self.appends_are_repeatable = self._options.dedupes == "true"

    @classmethod
    def options_of(cls, spec: SyncSpec) -> FileOptions:
        """Raises ``ValueError`` saying which option is wrong."""
        try:
            return cls.options_class(**spec.options)
        except ValidationError as error:
            wrong = [".".join(map(str, e["loc"])) + ": " + e["msg"] for e in error.errors()]
            raise ValueError("options: " + "; ".join(wrong)) from None

    @classmethod
    def check(cls, spec: SyncSpec) -> None:
        super().check(spec)
        options = cls.options_of(spec)
        if taken := sorted(set(spec.columns) & set(OWN_COLUMNS)):
            raise ValueError(f"columns: {', '.join(taken)} is written by the file drop itself")
        if options.prefix and not _PREFIX.fullmatch(options.prefix):
            raise ValueError("options.prefix: folders of letters, digits, _ - = and inner dots")
        if options.format == "csv" and options.compression not in ("none", "gzip"):
            raise ValueError("options.compression: CSV goes plain or as gzip")

    @property
    def calls(self) -> int:
        return self._calls

    def upsert(self, rows: Sequence[Row]) -> list[Outcome]:
        return self._drop(rows)

    def remove(self, rows: Sequence[Row]) -> list[Outcome]:
        return self._drop(rows)

    def weight(self, row: Row) -> int:
        """Quotes may double within a cell, and the columns of our own take 100."""
        texts = [value for value in self._values(row).values() if value]
        return sum(2 * len(text.encode(errors="replace")) + 3 for text in texts) + 100

    @abstractmethod
    def put(self, name: str, content: bytes) -> None:
        """Store a whole file or none, over one of that name. Raises ``Unanswered``,
        ``Stopped`` and ``Refused`` (too large)."""

    # -- inside

    def _drop(self, rows: Sequence[Row]) -> list[Outcome]:
        good = [row for row in rows if _is_unicode([row.key, *row.values.values()])]
        bad = {row.key for row in rows} - {row.key for row in good}
        if good:
            self.put(self._name(good), self._content(good))
        return [
            Outcome.rejected(row.key, "NOT_UNICODE")
            if row.key in bad
            else Outcome.delivered(row.key)
            for row in rows
        ]

    def _name(self, rows: Sequence[Row]) -> str:
        keys = "".join(row.idempotency_key(self._spec) for row in rows)
        digest = hashlib.sha256(keys.encode()).hexdigest()[:24]
        folder = f"{self._options.prefix}/" if self._options.prefix else ""
        ending = f".{self._options.format}"
        if self._options.format == "csv" and self._options.compression == "gzip":
            ending += ".gz"
        return f"{folder}{self._spec.sync_name}/{rows[0].action}-{digest}{ending}"

    def _content(self, rows: Sequence[Row]) -> bytes:
        columns = [*OWN_COLUMNS, *self._spec.columns]
        table = [self._own(row) | self._values(row) for row in rows]
        if self._options.format == "parquet":
            return _parquet(columns, table, self._options.compression)
        is_safe = self._options.cells == "safe"
        lines = [csv_line(columns, is_safe)]
        lines += [csv_line([line.get(name) for name in columns], is_safe) for line in table]
        content = "".join(lines).encode()
        # No time in the header: the same rows are the same bytes.
        return gzip.compress(content, mtime=0) if self._options.compression == "gzip" else content

    def _values(self, row: Row) -> dict[str, str | None]:
        """Of who goes there is the key, and what the sync declares to be written of it."""
        if row.action == "upsert":
            return dict(row.values)
        return {**self._spec.on_leave, self._spec.key: row.key}

    def _own(self, row: Row) -> dict[str, str | None]:
        is_erasure = row.reason == "erasure" and self._spec.on_erasure == "delete"
        operation = "erase" if row.action == "remove" and is_erasure else row.action
        key = row.idempotency_key(self._spec)
        return dict(zip(OWN_COLUMNS, (operation, key, str(row.version)), strict=True))


def safe_cell(text: str) -> str:
    """The text so that a spreadsheet shows it instead of running it."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def csv_line(cells: Sequence[str | None], is_safe: bool = True) -> str:
    """RFC 4180, with every text in quotes, so that null (nothing) differs from empty (``""``).

    Python's own writer knows that difference from 3.12 on."""
    shown = [cell if cell is None or not is_safe else safe_cell(cell) for cell in cells]
    quoted = ["" if cell is None else '"' + cell.replace('"', '""') + '"' for cell in shown]
    return ",".join(quoted) + "\r\n"


def _parquet(columns: list[str], table: list[dict[str, str | None]], compression: str) -> bytes:
    arrays = [pa.array([line.get(name) for line in table], pa.string()) for name in columns]
    out = io.BytesIO()
    pq.write_table(pa.table(arrays, names=columns), out, compression=compression)
    return out.getvalue()


def _is_unicode(texts: Sequence[str | None]) -> bool:
    """Halves of surrogate pairs cannot be written down."""
    try:
        "".join(text for text in texts if text).encode()
    except UnicodeEncodeError:
        return False
    return True
