"""A sync's ledger, open for writing under a lease: what runs and upkeep have in common."""

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from orchestration.sync.endpoint import declared_hashes
from orchestration.sync.lease import Lease
from orchestration.sync.ledger import Ledger
from orchestration.sync.spec import SyncSpec
from orchestration.warehouse import Warehouse


@dataclass
class Session:
    """``ended`` is the row that ``state.sync_runs`` gets at the end."""

    run_id: str
    ledger: Ledger
    ended: dict[str, Any] = field(default_factory=lambda: {"status": "failed"})


@contextmanager
def session(
    warehouse: Warehouse, spec: SyncSpec, manifest: Mapping[str, Any], plan_digest: str | None
) -> Iterator[Session]:
    """Be the only one to write about a sync. Raises ``SyncBusy`` and ``LedgerBroken``."""
    run_id = uuid.uuid4().hex
    ledger = Ledger(warehouse, spec.sync_name, run_id)
    ledger.create_tables(manifest)
    lease = Lease(warehouse, spec.sync_name, run_id)
    stamp = {
        "run_id": run_id,
        "sync_name": spec.sync_name,
        "config_hash": spec.config_hash,
        **declared_hashes(spec),
        "plan_digest": plan_digest,
        "started_at": lease.now(),
    }
    with lease.held(stamp):
        opened = Session(run_id, ledger)
        try:
            ledger.open(lease)
            yield opened
        finally:
            # Also when the warehouse failed midway: what was done is told as far as it goes.
            lease.finish(opened.ended | stamp)
