"""What the engine remembers: two append-only tables, ``state.sync_ledger`` and
``state.sync_runs``.

Entries are ordered by number, never by clock. Numbers need one writer per sync, which the
lease gives: a run is refused while another one of the same sync is alive.
"""

import json
import os
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from orchestration.destinations.base import Outcome, Row
from orchestration.warehouse import Warehouse, compose

LEDGER, RUNS = "state.sync_ledger", "state.sync_runs"

# Longer than a call with all its retries can take (http.Policy.call_deadline).
_LEASE = timedelta(minutes=15)

_LEDGER_SCHEMA = pa.schema(
    [
        ("sync_name", pa.string()),
        ("entry_number", pa.int64()),
        ("row_key", pa.string()),
        ("action", pa.string()),
        ("status", pa.string()),
        ("row_hash", pa.string()),
        ("attempt", pa.int32()),
        ("run_id", pa.string()),
        ("remote_id", pa.string()),
        ("error_class", pa.string()),
        ("error_code", pa.string()),
        ("recorded_at", pa.timestamp("us")),
    ]
)

_active: set[str] = set()
_active_lock = threading.Lock()


class SyncBusy(RuntimeError):
    """Another run of the same sync is alive."""


class Ledger:
    """The ledger of one sync during one run."""

    def __init__(self, warehouse: Warehouse, sync_name: str, run_id: str) -> None:
        self._warehouse = warehouse
        self._sync_name = sync_name
        self._run_id = run_id
        self._next_number = 1

    def create_tables(self, manifest: dict[str, Any]) -> None:
        """Make the state tables where they are missing, from the YAML that documents them."""
        for name in (LEDGER, RUNS):
            source = manifest["sources"][f"source.cdp.{name}"]
            columns = [(c["name"], c["data_type"]) for c in source["columns"].values()]
            self._warehouse.create(self._warehouse.relation(name), columns)

    @contextmanager
    def lease(self, run_row: dict[str, Any]) -> Iterator[None]:
        """Be the only run of this sync; writes the row ``running``. Raises ``SyncBusy``.

        A run whose process is dead, or which has been silent for fifteen minutes, does not
        count."""
        warehouse = self._warehouse
        with _active_lock, warehouse.transaction():
            warehouse.lock(warehouse.relation(RUNS))
            for other in self._unfinished():
                if _is_alive(other):
                    raise SyncBusy(f"{self._sync_name}: run {other['run_id']} is still going")
            self._append_run(dict(run_row, status="running", owner=_owner()))
            _active.add(self._run_id)
        try:
            sql = "select max(entry_number) as n from {r} where sync_name = ?"
            sql = compose(sql, r=warehouse.relation(LEDGER))
            [newest] = warehouse.fetch(sql, [self._sync_name])
            self._next_number = (newest["n"] or 0) + 1
            yield
        finally:
            with _active_lock:
                _active.discard(self._run_id)

    def finish(self, run_row: dict[str, Any]) -> None:
        """Write the row of the end."""
        self._append_run(dict(run_row, owner=_owner()))

    def record_intents(self, rows: Sequence[Row]) -> None:
        """Say what is about to be sent. Committed on return, and only then may it be sent."""
        self._append([self._entry(row, "intent") for row in rows])

    def record_outcomes(self, rows: Sequence[Row], outcomes: dict[str, Outcome]) -> None:
        """Say what became of it. Committed on return."""
        self._append(
            [self._entry(row, outcomes[row.key].status, outcomes[row.key]) for row in rows]
        )

    # -- inside

    def _entry(self, row: Row, status: str, outcome: Outcome | None = None) -> dict[str, Any]:
        number = self._next_number
        self._next_number += 1
        return {
            "sync_name": self._sync_name,
            "entry_number": number,
            "row_key": row.key,
            "action": row.action,
            "status": status,
            "row_hash": row.row_hash,
            "attempt": row.attempt,
            "run_id": self._run_id,
            "remote_id": outcome.remote_id if outcome else None,
            "error_class": outcome.error_class if outcome else None,
            "error_code": outcome.error_code if outcome else None,
            "recorded_at": _now(),
        }

    def _append(self, entries: list[dict[str, Any]]) -> None:
        table = pa.Table.from_pylist(entries, schema=_LEDGER_SCHEMA)
        self._warehouse.load(self._warehouse.relation(LEDGER), table)

    def _append_run(self, row: dict[str, Any]) -> None:
        guards = json.dumps(row["guards"]) if "guards" in row else None
        row = dict(row, guards=guards, recorded_at=_now())
        fields = [pa.field(name, _run_type(name)) for name in row]
        table = pa.Table.from_pylist([row], schema=pa.schema(fields))
        self._warehouse.load(self._warehouse.relation(RUNS), table)

    def _unfinished(self) -> list[dict[str, Any]]:
        sql = """
            select runs.run_id, runs.owner, runs.recorded_at as started_at,
                max(ledger.recorded_at) as active_at
            from {runs} as runs
            left join {ledger} as ledger
                on runs.run_id = ledger.run_id and ledger.sync_name = runs.sync_name
            where runs.sync_name = ? and runs.status = 'running'
                and not exists (
                    select 1 from {runs} as ends
                    where ends.run_id = runs.run_id and ends.status != 'running'
                )
            group by runs.run_id, runs.owner, runs.recorded_at
        """
        relation = self._warehouse.relation
        sql = compose(sql, runs=relation(RUNS), ledger=relation(LEDGER))
        return self._warehouse.fetch(sql, [self._sync_name])


def _run_type(name: str) -> pa.DataType:
    if name.startswith("rows_") or name == "calls_made":
        return pa.int64()
    return pa.timestamp("us") if name.endswith("_at") else pa.string()


def _owner() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


def _is_alive(run: dict[str, Any]) -> bool:
    host, _, process = run["owner"].rpartition(":")
    if host == socket.gethostname():
        if int(process) == os.getpid():
            return run["run_id"] in _active
        return _process_exists(int(process))
    return _now() - (run["active_at"] or run["started_at"]) < _LEASE


def _process_exists(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _now() -> datetime:
    """UTC without a zone, as the warehouse keeps time."""
    return datetime.now(UTC).replace(tzinfo=None)
