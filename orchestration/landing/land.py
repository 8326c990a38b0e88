"""Files of the raw folder into raw tables: all of a file in one transaction, or nothing."""

import hashlib
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from orchestration.landing.chunks import Chunk, Reader
from orchestration.landing.csv_file import CsvFile
from orchestration.landing.declared import LOADED_AT, Table, declared_tables
from orchestration.landing.ledger import Ledger, RejectionSpool, Window, relation_of
from orchestration.landing.parquet_file import ParquetFile
from orchestration.landing.raw_folder import scan
from orchestration.landing.report import FileOutcome, LandingReport, Refused, Verdict
from orchestration.landing.values import check
from orchestration.warehouse import ROOT, Warehouse

# More bad rows than this share is a broken export, not a few poisoned rows. The share of a
# handful of rows says nothing, hence the floor.
QUARANTINE_LIMIT = 0.30
QUARANTINE_FLOOR = 10


def land(
    raw_dir: Path,
    target: str | None = None,
    sources: Iterable[str] | None = None,
    loaded_at_from: datetime | None = None,
    loaded_at_until: datetime | None = None,
    run_id: str | None = None,
    *,
    landed_at: datetime | None = None,
    quarantine_limit: float = QUARANTINE_LIMIT,
    project_dir: Path = ROOT,
    on_file: Callable[[FileOutcome], None] | None = None,
) -> LandingReport:
    """Land what is new in ``raw_dir``, the folder ``<source>/<table>.parquet|csv`` or
    ``<source>/<table>/*.parquet|csv``.

    sources: only these. loaded_at_from, loaded_at_until: only rows with a ``loaded_at`` in
    this half-open range, for the replay of a part of history; what an earlier range took is
    not taken again. landed_at: the landing's time, UTC, default now; it is the ``loaded_at``
    of files that have none (ranges do not apply to those). on_file: called after each file.

    A file that cannot be taken is refused and the others go on: see ``report.ok`` and
    ``report.raise_for_refusals()``. Raises ``FileNotFoundError`` without the folder,
    ``ValueError`` for a source that is not declared, ``DeclarationError``,
    ``WarehouseError``.
    """
    raw_dir = Path(raw_dir)
    if not raw_dir.is_dir():
        raise FileNotFoundError(f"no folder {raw_dir}")
    tables = declared_tables(project_dir)
    files, unknown = scan(raw_dir, tables, sources)
    at = _utc(landed_at) or datetime.now(UTC).replace(tzinfo=None)
    report = LandingReport(run_id or uuid.uuid4().hex, at, unknown=unknown)
    window = Window(_utc(loaded_at_from), _utc(loaded_at_until))
    with Warehouse.open(target, project_dir) as warehouse:
        ledger = Ledger(warehouse, tables, report.run_id, at)
        for table in dict.fromkeys(file.table for file in files):
            _create(warehouse, table)
        for file in files:
            landing = _FileLanding(
                warehouse, ledger, file.table, file.path, file.name, window, at, quarantine_limit
            )
            outcome = landing.run()
            report.files.append(outcome)
            if on_file:
                on_file(outcome)
    return report


@dataclass
class _FileLanding:
    warehouse: Warehouse
    ledger: Ledger
    table: Table
    path: Path
    name: str
    window: Window
    at: datetime
    limit: float
    read: int = 0
    loaded: int = 0
    quarantined: int = 0
    deduplicated: int = 0
    reasons: Counter = field(default_factory=Counter)

    def run(self) -> FileOutcome:
        started = time.monotonic()
        sha256 = _sha256(self.path)
        empty = FileOutcome(
            self.table.source, self.table.name, self.name, sha256, Verdict.ALREADY_LANDED
        )
        try:
            outcome = self._land(empty)
        except Refused as refusal:
            outcome = replace(empty, verdict=Verdict.REFUSED, reason=str(refusal))
            with self.warehouse.transaction():
                if not self.ledger.is_known_refusal(outcome):
                    self.ledger.record(outcome, self.window)
        return replace(outcome, seconds=time.monotonic() - started)

    def _land(self, empty: FileOutcome) -> FileOutcome:
        earlier = self.ledger.windows(self.table, empty.file_sha256)
        if any(window.covers(self.window) for window in earlier):
            return replace(empty, reason="the same content has landed before")
        size = self.path.stat()
        reader = self._reader()
        if not reader.has_loaded_at:
            self.window = Window()
        with self.warehouse.transaction():
            self.ledger.lock()
            earlier = self.ledger.windows(self.table, empty.file_sha256)
            if any(window.covers(self.window) for window in earlier):
                return replace(empty, reason="the same content has landed before")
            if self.name in self.ledger.landed_names(self.table) and not earlier:
                reader.warnings.append("a file of this name landed before with other content")
            rejections = RejectionSpool()
            rows = (
                self._take(chunk, earlier, rejections, is_placed=reader.has_loaded_at)
                for chunk in reader.chunks()
            )
            self.loaded = self.warehouse.load(relation_of(self.table), rows)
            self.ledger.reject(self.table, self.name, rejections)
            after = self.path.stat()
            if (after.st_size, after.st_mtime_ns) != (size.st_size, size.st_mtime_ns):
                raise Refused("it changed while it was read")
            self._refuse_beyond_limit()
            if self.read != self.loaded + self.quarantined + self.deduplicated:
                raise Refused("rows read and rows accounted for differ")  # never a loss
            outcome = replace(
                empty,
                verdict=self._verdict(reader),
                reason=self._reason(reader),
                rows_read=self.read,
                rows_loaded=self.loaded,
                rows_quarantined=self.quarantined,
                rows_deduplicated=self.deduplicated,
            )
            self.ledger.record(outcome, self.window)
        return outcome

    def _reader(self) -> Reader:
        kind = ParquetFile if self.path.suffix == ".parquet" else CsvFile
        return kind(self.path, self.table)

    def _take(
        self, chunk: Chunk, earlier: list[Window], spool: RejectionSpool, *, is_placed: bool
    ) -> pa.RecordBatch:
        """A chunk's good rows; the bad ones go to the spool. Rows without a usable loaded_at
        are in nobody's window: the first landing of the content takes them."""
        batch, reasons = check(chunk.batch, self.table, self.at, self.table.csv.decimal)
        broken = [] if earlier else chunk.rejected
        scope = fresh = pa.repeat(True, batch.num_rows)
        if is_placed:
            loaded_at = batch.column(LOADED_AT)
            placeless = pc.and_(pc.is_null(loaded_at), not earlier)
            scope = pc.or_(_within(loaded_at, self.window), placeless)
            fresh = scope
            for window in earlier:
                fresh = pc.and_not(fresh, _within(loaded_at, window))
        good = pc.and_(fresh, pc.is_null(reasons))
        bad = pc.and_not(fresh, good)
        rejections = broken + [
            chunk.rejection(position, reasons[position].as_py())
            for position in pc.indices_nonzero(bad).to_pylist()
        ]
        spool.add(rejections)
        self.reasons.update(rejection.reason for rejection in rejections)
        self.read += _count(scope) + len(broken)
        self.quarantined += len(rejections)
        self.deduplicated += _count(pc.and_not(scope, fresh))
        return batch if _count(good) == batch.num_rows else batch.filter(good)

    def _refuse_beyond_limit(self) -> None:
        bad, read = self.quarantined, self.read
        too_many = bad >= QUARANTINE_FLOOR and bad > self.limit * read
        if too_many or (bad and bad == read):
            raise Refused(f"{bad} of {read} rows are bad: {self._told_reasons()}")

    def _verdict(self, reader: Reader) -> Verdict:
        if self.quarantined:
            return Verdict.PARTLY_QUARANTINED
        return Verdict.LOADED_WITH_WARNINGS if reader.warnings else Verdict.LOADED

    def _reason(self, reader: Reader) -> str | None:
        parts = [self._told_reasons()] if self.reasons else []
        return "; ".join(parts + reader.warnings) or None

    def _told_reasons(self) -> str:
        return "; ".join(f"{reason} ({n})" for reason, n in self.reasons.most_common(5))


def _create(warehouse: Warehouse, table: Table) -> None:
    """Make the raw table, or add the columns that were declared since it was made."""
    relation = relation_of(table)
    warehouse.create(relation, table.definitions)
    present = warehouse.columns(relation)
    for name, data_type in table.definitions:
        if name not in present:
            warehouse.add_column(relation, name, data_type)


def _within(loaded_at: pa.Array, window: Window) -> pa.BooleanArray:
    inside = pc.is_valid(loaded_at)
    if window.begin is not None:
        begin = pa.scalar(window.begin, loaded_at.type)
        inside = pc.and_(inside, pc.fill_null(pc.greater_equal(loaded_at, begin), False))
    if window.end is not None:
        end = pa.scalar(window.end, loaded_at.type)
        inside = pc.and_(inside, pc.fill_null(pc.less(loaded_at, end), False))
    return inside


def _count(mask: pa.BooleanArray) -> int:
    return pc.sum(mask).as_py() or 0


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _utc(moment: datetime | None) -> datetime | None:
    """In UTC, without a zone; without one it is taken to be UTC."""
    if moment is None or moment.tzinfo is None:
        return moment
    return moment.astimezone(UTC).replace(tzinfo=None)
