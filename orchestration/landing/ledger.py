"""The state tables of landings: what was landed, and which rows were not."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime

import pyarrow as pa

from orchestration.landing.declared import Table
from orchestration.landing.report import FileOutcome, Rejection, Verdict
from orchestration.warehouse import Relation, Warehouse, compose

_REJECTION = pa.schema(
    [("line_number", pa.int64()), ("reason", pa.string()), ("raw_text", pa.string())]
)


@dataclass(frozen=True)
class Window:
    """A half-open range of ``loaded_at`` (UTC, without a zone). None: open on that side."""

    begin: datetime | None = None
    end: datetime | None = None

    def covers(self, other: "Window") -> bool:
        begins = self.begin is None or (other.begin is not None and self.begin <= other.begin)
        ends = self.end is None or (other.end is not None and other.end <= self.end)
        return begins and ends


class Ledger:
    """``state.landings`` and ``state.landing_rejections``, made from their declaration."""

    def __init__(
        self, warehouse: Warehouse, tables: dict[tuple[str, str], Table], run_id: str, at: datetime
    ) -> None:
        self._warehouse = warehouse
        self._run_id = run_id
        self._landed_at = at
        self._landings = tables["state", "landings"]
        self._rejections = tables["state", "landing_rejections"]
        for table in (self._landings, self._rejections):
            warehouse.create(relation_of(table), table.definitions)

    def lock(self) -> None:
        """No other landing writes until this transaction ends."""
        self._warehouse.lock(relation_of(self._landings))

    def windows(self, table: Table, sha256: str) -> list[Window]:
        """The windows in which this content has landed."""
        rows = self._warehouse.fetch(
            compose(
                "select loaded_at_from, loaded_at_until from {r}"
                " where source_name = ? and table_name = ? and file_sha256 = ? and verdict <> ?",
                r=relation_of(self._landings),
            ),
            [table.source, table.name, sha256, Verdict.REFUSED.value],
        )
        return [Window(row["loaded_at_from"], row["loaded_at_until"]) for row in rows]

    def landed_names(self, table: Table) -> set[str]:
        """Names of the files that have landed in a table."""
        rows = self._warehouse.fetch(
            compose(
                "select distinct file_name from {r}"
                " where source_name = ? and table_name = ? and verdict <> ?",
                r=relation_of(self._landings),
            ),
            [table.source, table.name, Verdict.REFUSED.value],
        )
        return {row["file_name"] for row in rows}

    def is_known_refusal(self, outcome: FileOutcome) -> bool:
        """Whether the same content was refused before for the same reason."""
        [row] = self._warehouse.fetch(
            compose(
                "select count(*) as n from {r} where source_name = ? and table_name = ?"
                " and file_sha256 = ? and verdict = ? and reason = ?",
                r=relation_of(self._landings),
            ),
            [
                outcome.source_name,
                outcome.table_name,
                outcome.file_sha256,
                outcome.verdict.value,
                outcome.reason,
            ],
        )
        return row["n"] > 0

    def record(self, outcome: FileOutcome, window: Window) -> None:
        row = {
            name: getattr(outcome, name)
            for name, _ in self._landings.definitions
            if hasattr(outcome, name)
        }
        row |= {
            "run_id": self._run_id,
            "verdict": outcome.verdict.value,
            "loaded_at_from": window.begin,
            "loaded_at_until": window.end,
            "landed_at": self._landed_at,
        }
        self._load(self._landings, [row])

    def reject(self, table: Table, file_name: str, rejections: "RejectionSpool") -> None:
        same = {
            "run_id": self._run_id,
            "source_name": table.source,
            "table_name": table.name,
            "file_name": file_name,
            "landed_at": self._landed_at,
        }

        def rows() -> Iterator[pa.RecordBatch]:
            schema = self._rejections.arrow_schema
            for batch in rejections:
                arrays = [
                    pa.repeat(pa.scalar(same[column.name], column.type), batch.num_rows)
                    if column.name in same
                    else batch.column(column.name)
                    for column in schema
                ]
                yield pa.RecordBatch.from_arrays(arrays, schema=schema)

        self._warehouse.load(relation_of(self._rejections), rows())

    def _load(self, table: Table, rows: list[dict]) -> None:
        self._warehouse.load(
            relation_of(table), pa.Table.from_pylist(rows, schema=table.arrow_schema)
        )


class RejectionSpool:
    """The bad rows of a file, compressed in memory until its good ones are loaded: an engine
    that draws the good ones cannot write at the same time."""

    def __init__(self) -> None:
        self._parts: list[pa.Buffer] = []

    def add(self, rejections: list[Rejection]) -> None:
        if not rejections:
            return
        rows = [asdict(rejection) for rejection in rejections]
        sink = pa.BufferOutputStream()
        options = pa.ipc.IpcWriteOptions(compression="zstd")
        with pa.ipc.new_stream(sink, _REJECTION, options=options) as stream:
            stream.write_batch(pa.RecordBatch.from_pylist(rows, schema=_REJECTION))
        self._parts.append(sink.getvalue())

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        for part in self._parts:
            yield from pa.ipc.open_stream(part)


def relation_of(table: Table) -> Relation:
    return Relation(table.schema, table.name)
