"""Finds what an endpoint changed or lost by itself, and what a person says of rows.

A run compares the model with the ledger, and the ledger with nothing. ``reconcile`` reads the
records back where the endpoint allows it; those that are not what was delivered get an entry
``drifted``, and the next plan sends them again. ``retry`` gives rows an entry ``reset``: those
that were refused so often that the plan left them out; and ``drifted`` to all that are held, where
everything is to be sent once more. ``settle`` says how calls without a known end ended.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestration.destinations.base import Destination, Outcome, Row
from orchestration.sync.endpoint import endpoint_of
from orchestration.sync.plan import Plan
from orchestration.sync.session import session
from orchestration.sync.spec import InvalidSync, SyncSpec, load_manifest, load_sync
from orchestration.warehouse import ROOT, Warehouse, compose

_KEPT_UP_TO_DATE = ("upsert", "update_only", "mirror", "audience")
_ROWS_PER_COMMIT = 10_000


@dataclass(frozen=True)
class Reconciliation:
    """Rows that were held unchanged and read back: ``checked`` = as delivered + ``changed`` +
    ``missing``."""

    checked: int
    changed: int
    missing: int


def reconcile(
    sync_name: str,
    target: str | None = None,
    *,
    project_dir: Path = ROOT,
    destination: Destination | None = None,
) -> Reconciliation:
    """Read back what the destination holds and note what is not as delivered. Rows that the
    next plan sends anyway are not looked at. Raises as ``run_sync`` does, ``InvalidSync`` where
    the endpoint cannot be read, and ``CallError`` where it does not answer."""
    manifest = load_manifest(project_dir)
    spec = load_sync(manifest, sync_name)
    endpoint = endpoint_of(spec, destination)
    checked = changed = missing = 0
    with (
        Warehouse.open(target, project_dir) as warehouse,
        session(warehouse, spec, manifest, None) as opened,
    ):
        # That it cannot be read back says nothing about how the sync is.
        opened.ended = {"status": "unreconciled"}
        for rows in Plan(warehouse, spec).held_unchanged(endpoint.limits.batch_rows):
            found = endpoint.read(rows)
            if found is None:
                raise _unreadable(spec, endpoint)
            gone = [row for row in rows if row.key not in found]
            other = [row for row in rows if row.key in found and _differs(row, found, spec)]
            drifted = {row.key: Outcome(row.key, "drifted") for row in gone + other}
            opened.ledger.record_outcomes(gone + other, drifted)
            checked += len(rows)
            missing += len(gone)
            changed += len(other)
        # That nothing was held must not pass for an endpoint that was looked at.
        if not checked and endpoint.read([]) is None:
            raise _unreadable(spec, endpoint)
        opened.ended = {"status": "reconciled"}
    return Reconciliation(checked, changed, missing)


def resend(sync_name: str, target: str | None = None, *, project_dir: Path = ROOT) -> int:
    """Let all rows that are held be planned again: a template has changed, or what is there is not
    to be trusted. Returns how many there were. Raises ``InvalidSync`` where rows go once."""
    manifest = load_manifest(project_dir)
    spec = load_sync(manifest, sync_name)
    if spec.mode not in _KEPT_UP_TO_DATE:
        raise InvalidSync(f"{sync_name}: in mode {spec.mode} a row goes once")
    count = 0
    with (
        Warehouse.open(target, project_dir) as warehouse,
        session(warehouse, spec, manifest, None) as opened,
    ):
        opened.ended = {"status": "reset"}
        for rows in Plan(warehouse, spec).held_unchanged(_ROWS_PER_COMMIT):
            drifted = {row.key: Outcome(row.key, "drifted") for row in rows}
            opened.ledger.record_outcomes(rows, drifted)
            count += len(rows)
    return count


def settle(
    sync_name: str,
    target: str | None = None,
    *,
    arrived: bool,
    key: str | None = None,
    project_dir: Path = ROOT,
) -> int:
    """Say that events whose calls have no known end ``arrived``, or did not and are to be sent;
    only the row ``key`` if it is given. Returns how many there were. Raises ``InvalidSync`` for
    other modes than ``append``, whose rows in doubt are sent again anyway."""
    manifest = load_manifest(project_dir)
    spec = load_sync(manifest, sync_name)
    if spec.mode != "append":
        raise InvalidSync(f"{sync_name}: rows in doubt are sent again by the next run")
    settled: set[str] = set()
    with (
        Warehouse.open(target, project_dir) as warehouse,
        session(warehouse, spec, manifest, None) as opened,
    ):
        opened.ended = {"status": "reset"}
        # Each entry ends one call; a row may have been called twice.
        while rows := _in_doubt(warehouse, sync_name, key):
            status = "delivered" if arrived else "unsent"
            outcomes = {row.key: Outcome(row.key, status) for row in rows}
            opened.ledger.record_outcomes(rows, outcomes)
            settled |= set(outcomes)
    return len(settled)


def _in_doubt(warehouse: Warehouse, sync_name: str, key: str | None) -> list[Row]:
    sql = """
        select row_key, customer_id, last_action, last_hash, last_attempt from {ledger}
        where sync_name = ? and is_uncertain and last_action = 'upsert'
            and row_key = coalesce(?, row_key)
        order by row_key
    """
    sql = compose(sql, ledger=warehouse.relation("sync_ledger_current"))
    return [
        Row(
            record["row_key"],
            record["last_action"],
            "settled",
            row_hash=record["last_hash"],
            attempt=record["last_attempt"],
            customer_id=record["customer_id"],
        )
        for record in warehouse.fetch(sql, [sync_name, key])
    ]


def retry(
    sync_name: str, target: str | None = None, *, key: str | None = None, project_dir: Path = ROOT
) -> int:
    """Let the rows that were refused last be planned again, with attempts from one; only the
    row ``key`` if it is given. Returns how many there were."""
    manifest = load_manifest(project_dir)
    spec = load_sync(manifest, sync_name)
    with (
        Warehouse.open(target, project_dir) as warehouse,
        session(warehouse, spec, manifest, None) as opened,
    ):
        sql = """
            select row_key, last_action, last_hash from {ledger}
            where sync_name = ? and last_status = 'rejected' and row_key = coalesce(?, row_key)
            order by row_key
        """
        sql = compose(sql, ledger=warehouse.relation("sync_ledger_current"))
        found = warehouse.fetch(sql, [sync_name, key])
        rows = [
            Row(record["row_key"], record["last_action"], "reset", row_hash=record["last_hash"])
            for record in found
        ]
        opened.ledger.record_outcomes(rows, {row.key: Outcome(row.key, "reset") for row in rows})
        opened.ended = {"status": "reset"}
    return len(rows)


def _unreadable(spec: SyncSpec, endpoint: Destination) -> InvalidSync:
    return InvalidSync(f"{spec.sync_name}: {endpoint.name} cannot be read back")


def _differs(row: Row, found: Mapping[str, Mapping[str, str | None]], spec: SyncSpec) -> bool:
    held = found[row.key]
    for name, value in row.values.items():
        if value is None and name not in spec.clear_nulls:
            continue
        if name in held and (held[name] or "") != (value or ""):
            return True
    return False
