"""Parquet files, streamed by batches of their row groups."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from orchestration.landing.chunks import CHUNK_ROWS, Chunk, match_columns
from orchestration.landing.declared import LOADED_AT, Table
from orchestration.landing.report import Refused
from orchestration.landing.values import is_supported


class ParquetFile:
    """A Parquet file whose columns match. Raises ``Refused`` where they do not."""

    def __init__(self, path: Path, table: Table) -> None:
        self._path = path
        try:
            schema = pq.read_schema(path)
        except (pa.ArrowException, OSError):
            if path.stat().st_size == 0:
                raise Refused("empty file") from None
            raise Refused("not a readable Parquet file: damaged, or cut off") from None
        self.warnings = match_columns(schema.names, table)
        self._columns = [name for name in schema.names if table.column(name)]
        for name in self._columns:
            given, declared = schema.field(name).type, table.column(name)
            if not is_supported(given, declared):
                raise Refused(f"column {name}: is {given}, declared {declared.data_type}")
            if pa.types.is_floating(given) and declared.data_type == "string":
                self.warnings.append(f"column {name}: a float, landed as text without .0")
        self.has_loaded_at = LOADED_AT in self._columns

    def chunks(self) -> Iterator[Chunk]:
        row = 1
        try:
            with pq.ParquetFile(self._path) as file:
                for batch in file.iter_batches(CHUNK_ROWS, columns=self._columns):
                    yield Chunk(batch, range(row, row + batch.num_rows))
                    row += batch.num_rows
        except (pa.ArrowException, OSError):
            raise Refused(f"damaged after row {row - 1}") from None
        if row == 1:
            self.warnings.append("no rows")
