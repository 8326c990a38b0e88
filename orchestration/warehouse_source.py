"""Arrow batches on their way into a table."""

from collections.abc import Iterable, Iterator

import pyarrow as pa

from orchestration.warehouse_errors import WarehouseError


class Source:
    """Batches that an engine draws. An exception in their making ends them and is kept, as
    on its way through an engine it would become another, with its message."""

    def __init__(self, batches: Iterable[pa.RecordBatch]) -> None:
        self._batches = iter(batches)
        self._first = next(self._batches, None)
        self.schema = self._first.schema if self._first is not None else None
        self.rows = 0
        self.failure: BaseException | None = None

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        try:
            batch = self._first
            while batch is not None:
                if batch.schema.names != self.schema.names:
                    raise WarehouseError("load: batches of different columns")
                self.rows += batch.num_rows
                yield batch
                batch = next(self._batches, None)
        except GeneratorExit:
            raise
        except BaseException as failure:
            self.failure = failure
