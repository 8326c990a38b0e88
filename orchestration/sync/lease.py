"""One run of a sync at a time, and who comes late is fenced off.

``state.sync_runs`` holds a row when a run starts, with a lease number above all before it, and
one when it ends. A run whose process is dead, or which has been silent for fifteen minutes, is
taken over; should it wake up, its number is no longer the newest and it cannot write. Time is
the warehouse's at the start plus a monotonic clock: a host whose clock jumps takes nobody's
lease.
"""

import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa

from orchestration.warehouse import Warehouse, compose

LEDGER, RUNS, JOBS = "state.sync_ledger", "state.sync_runs", "state.sync_jobs"

# Longer than a call with all its retries can take (http.Policy.call_deadline), and than the
# time between two signs of life of a run that waits for a job.
_SILENCE = timedelta(minutes=15)

_active: set[str] = set()
_active_lock = threading.Lock()


class SyncBusy(RuntimeError):
    """Another run of the same sync is alive, or has taken over from this one."""


class Lease:
    """The right of one run to be the only one of its sync."""

    def __init__(self, warehouse: Warehouse, sync_name: str, run_id: str) -> None:
        self._warehouse = warehouse
        self._sync_name = sync_name
        self._run_id = run_id
        self._number = 0
        sql = "select cast(current_timestamp as timestamp) as at"
        self._opened_at = warehouse.fetch(sql)[0]["at"]
        self._opened = time.monotonic()

    def now(self) -> datetime:
        """UTC without a zone, as the warehouse keeps time."""
        return self._opened_at + timedelta(seconds=time.monotonic() - self._opened)

    @contextmanager
    def held(self, run_row: dict[str, Any]) -> Iterator[None]:
        """Be the only run of this sync; writes the row ``running``. Raises ``SyncBusy``."""
        warehouse = self._warehouse
        with _active_lock, warehouse.transaction():
            warehouse.lock(warehouse.relation(RUNS))
            for other in self._unfinished():
                if self._is_alive(other):
                    raise SyncBusy(
                        f"{self._sync_name}: run {other['run_id']} of {other['owner']} is still"
                        f" going, since {other['started_at']:%Y-%m-%d %H:%M} UTC"
                    )
            self._number = self._newest() + 1
            self._append(dict(run_row, status="running"))
            _active.add(self._run_id)
        try:
            yield
        finally:
            with _active_lock:
                _active.discard(self._run_id)

    def check(self) -> None:
        """Raise ``SyncBusy`` where another run has taken over. Inside the transaction of what
        is to be written."""
        self._warehouse.lock(self._warehouse.relation(RUNS))
        if self._newest() != self._number:
            raise SyncBusy(f"{self._sync_name}: another run took over from {self._run_id}")

    def finish(self, run_row: dict[str, Any]) -> None:
        """Write the row of the end."""
        self._append(run_row)

    # -- inside

    def _append(self, row: dict[str, Any]) -> None:
        guards = json.dumps(row["guards"]) if "guards" in row else None
        row = row | {"guards": guards, "recorded_at": self.now()}
        row |= {"owner": f"{socket.gethostname()}:{os.getpid()}", "lease_number": self._number}
        fields = [pa.field(name, _type(name)) for name in row]
        table = pa.Table.from_pylist([row], schema=pa.schema(fields))
        self._warehouse.load(self._warehouse.relation(RUNS), table)

    def _newest(self) -> int:
        sql = "select max(lease_number) as n from {r} where sync_name = ?"
        sql = compose(sql, r=self._warehouse.relation(RUNS))
        [newest] = self._warehouse.fetch(sql, [self._sync_name])
        return newest["n"] or 0

    def _unfinished(self) -> list[dict[str, Any]]:
        sql = """
            select runs.run_id, runs.owner, runs.recorded_at as started_at,
                max(signs.recorded_at) as active_at
            from {runs} as runs
            left join (
                select run_id, recorded_at from {ledger} where sync_name = ?
                union all
                select run_id, recorded_at from {jobs} where sync_name = ?
            ) as signs
                on runs.run_id = signs.run_id
            where runs.sync_name = ? and runs.status = 'running'
                and not exists (
                    select 1 from {runs} as ends
                    where ends.run_id = runs.run_id and ends.status != 'running'
                )
            group by runs.run_id, runs.owner, runs.recorded_at
        """
        relation = self._warehouse.relation
        sql = compose(sql, runs=relation(RUNS), ledger=relation(LEDGER), jobs=relation(JOBS))
        return self._warehouse.fetch(sql, [self._sync_name] * 3)

    def _is_alive(self, run: dict[str, Any]) -> bool:
        host, _, process = run["owner"].rpartition(":")
        if host == socket.gethostname():
            if int(process) == os.getpid():
                return run["run_id"] in _active
            if not _process_exists(int(process)):
                return False
        # On another host, or here, where the number of a dead process may be another's by now.
        return self.now() - (run["active_at"] or run["started_at"]) < _SILENCE


def _type(name: str) -> pa.DataType:
    if name.startswith("rows_") or name in ("calls_made", "lease_number"):
        return pa.int64()
    return pa.timestamp("us") if name.endswith("_at") else pa.string()


def _process_exists(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
