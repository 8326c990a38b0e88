"""What a landing came to: plain data, for a table on a terminal or a run's metadata."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from rich.table import Table
from rich.text import Text


class Verdict(StrEnum):
    """What became of a file."""

    LOADED = "loaded"
    LOADED_WITH_WARNINGS = "loaded_with_warnings"
    PARTLY_QUARANTINED = "partly_quarantined"
    REFUSED = "refused"
    ALREADY_LANDED = "already_landed"


class Refused(Exception):
    """A file cannot be taken as a whole. The message names columns, never values."""


class FilesRefused(Exception):
    """Files were refused; the others have landed."""


@dataclass(frozen=True)
class Rejection:
    """A row that was not loaded. ``line_number``: of its first line in a CSV file (the
    header is line 1), of the row in a Parquet file (the first is 1)."""

    line_number: int
    reason: str
    raw_text: str


@dataclass(frozen=True)
class FileOutcome:
    """A file's verdict. ``rows_read = rows_loaded + rows_quarantined + rows_deduplicated``."""

    source_name: str
    table_name: str
    file_name: str
    file_sha256: str
    verdict: Verdict
    reason: str | None = None
    rows_read: int = 0
    rows_loaded: int = 0
    rows_quarantined: int = 0
    rows_deduplicated: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Unknown:
    """A file or folder in the raw folder that no source declares."""

    file_name: str
    reason: str


@dataclass
class LandingReport:
    """All files of a landing. ``columns`` and ``rows()`` make a table of it."""

    run_id: str
    landed_at: datetime
    files: list[FileOutcome] = field(default_factory=list)
    unknown: list[Unknown] = field(default_factory=list)

    columns: ClassVar = (
        "source",
        "table",
        "file",
        "verdict",
        "read",
        "loaded",
        "quarantined",
        "deduplicated",
        "reason",
    )

    def rows(self) -> Iterator[tuple[str, ...]]:
        for file in self.files:
            counts = (
                file.rows_read,
                file.rows_loaded,
                file.rows_quarantined,
                file.rows_deduplicated,
            )
            yield (
                file.source_name,
                file.table_name,
                file.file_name,
                file.verdict.value,
                *(f"{count:,}" for count in counts),
                file.reason or "",
            )
        for item in self.unknown:
            yield "", "", item.file_name, "not_declared", "", "", "", "", item.reason

    def as_table(self) -> Table:
        """The report for a terminal."""
        table = Table(title=f"Landing {self.run_id}")
        for name in self.columns:
            is_count = name in {"read", "loaded", "quarantined", "deduplicated"}
            table.add_column(name, justify="right" if is_count else "left")
        for row in self.rows():
            # As text: a file may be called [red].csv.
            table.add_row(*(Text(cell) for cell in row))
        return table

    def by_table(self) -> dict[tuple[str, str], tuple[int, int, int]]:
        """Rows read, loaded and quarantined by (source, table)."""
        counts: dict[tuple[str, str], tuple[int, int, int]] = {}
        for file in self.files:
            key = (file.source_name, file.table_name)
            added = (file.rows_read, file.rows_loaded, file.rows_quarantined)
            before = counts.get(key, (0, 0, 0))
            counts[key] = tuple(a + b for a, b in zip(before, added, strict=True))
        return counts

    @property
    def refused(self) -> list[FileOutcome]:
        return [file for file in self.files if file.verdict is Verdict.REFUSED]

    @property
    def ok(self) -> bool:
        """No file was refused. Quarantined rows and undeclared files are no failure."""
        return not self.refused

    def total(self, count: str) -> int:
        """Sum of ``rows_read``, ``rows_loaded``, ``rows_quarantined``, ... of all files."""
        return sum(getattr(file, count) for file in self.files)

    def raise_for_refusals(self) -> None:
        if self.refused:
            names = "; ".join(f"{file.file_name}: {file.reason}" for file in self.refused)
            raise FilesRefused(names)
