"""``run_sync``: one run of one sync, from the plan in the warehouse to the row in
``state.sync_runs``."""

import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from orchestration.destinations import destination_class
from orchestration.destinations.base import Destination
from orchestration.sync.delivery import Delivery, Patience, deliver
from orchestration.sync.guards import Overrides, Verdict, judge
from orchestration.sync.ledger import Ledger
from orchestration.sync.plan import LAST_PROTECTED_PHASE, PHASES, Plan, PlanCounts
from orchestration.sync.spec import InvalidSync, SyncSpec, load_manifest, load_sync
from orchestration.warehouse import ROOT, Warehouse

logger = logging.getLogger(__name__)

Status = Literal["succeeded", "partial", "blocked", "failed", "dry_run"]


@dataclass(frozen=True)
class SyncRun:
    """What a run came to. Its counts add up (``activation.sync_run_history``)."""

    run_id: str
    sync_name: str
    status: Status
    rows_in_model: int = 0
    rows_unchanged: int = 0
    rows_blocked: int = 0
    rows_planned_upserts: int = 0
    rows_planned_removals: int = 0
    rows_sent: int = 0
    rows_delivered: int = 0
    rows_removed: int = 0
    rows_rejected: int = 0
    rows_unknown: int = 0
    rows_unsent: int = 0
    calls_made: int = 0
    guards: list[Verdict] = field(default_factory=list)
    rejections: Mapping[str, int] = field(default_factory=dict)
    """Refused rows by the endpoint's error code."""
    error_code: str | None = None

    @property
    def ok(self) -> bool:
        """Everything planned is at the destination. Anything else is an exit code not 0."""
        return self.status in ("succeeded", "dry_run")

    @property
    def held_by(self) -> list[str]:
        """Guards that did not pass."""
        return [verdict.guard for verdict in self.guards if not verdict.passed]


def run_sync(
    sync_name: str,
    target: str | None = None,
    dry_run: bool = False,
    overrides: Overrides | Mapping[str, Any] | None = None,
    *,
    project_dir: Path = ROOT,
    destination: Destination | None = None,
    patience: Patience | None = None,
) -> SyncRun:
    """Send what the plan says. ``target`` is one of ``profiles.yml``.

    A dry run reads the same plan, judges the same guards and builds the same rows, and
    neither calls nor writes anything. ``overrides`` hold for this run only. ``destination``
    replaces the one that the environment configures.

    Rows that were refused, guards and dead endpoints are in the answer. Raises
    ``InvalidSync`` (declaration), ``LookupError`` (a variable that is not set), ``SyncBusy``
    (another run) and ``WarehouseError``, the first three before anything was written.
    """
    manifest = load_manifest(project_dir)
    spec = load_sync(manifest, sync_name)
    endpoint = _endpoint(spec, destination, dry_run)
    confirmed = overrides if isinstance(overrides, Overrides) else Overrides(**(overrides or {}))
    run = SyncRun(uuid.uuid4().hex, sync_name, "dry_run")
    with Warehouse.open(target, project_dir) as warehouse:
        plan = Plan(warehouse, spec)
        plan.check_columns()
        if dry_run:
            return _dry_run(run, plan, spec, confirmed)
        ledger = Ledger(warehouse, sync_name, run.run_id)
        ledger.create_tables(manifest)
        stamp = {"config_hash": spec.config_hash, "started_at": _now()}
        with ledger.lease({"run_id": run.run_id, "sync_name": sync_name, **stamp}):
            return _run(run, plan, spec, confirmed, endpoint, ledger, patience, stamp)


def _run(
    run: SyncRun,
    plan: Plan,
    spec: SyncSpec,
    confirmed: Overrides,
    endpoint: Destination,
    ledger: Ledger,
    patience: Patience | None,
    stamp: dict[str, Any],
) -> SyncRun:
    delivery = Delivery()
    calls_before = endpoint.calls
    run = replace(run, status="failed", error_code="INTERRUPTED")
    try:
        counts = plan.counts()
        run = _with_counts(run, counts, judge(counts, spec.guards, confirmed))
        last_phase = LAST_PROTECTED_PHASE if run.held_by else PHASES[-1]
        batches = plan.batches(endpoint.limits.batch_rows, last_phase)
        deliver(batches, endpoint, ledger, patience or Patience(), delivery)
        run = replace(run, error_code=delivery.stopped_by)
    finally:
        # Also when the warehouse failed midway: what was sent is told as far as it goes.
        run = _with_delivery(run, delivery, endpoint.calls - calls_before)
        ledger.finish(_row(run) | stamp)
    logger.info("%s: %s", spec.sync_name, run.status)
    return run


def _dry_run(run: SyncRun, plan: Plan, spec: SyncSpec, confirmed: Overrides) -> SyncRun:
    counts = plan.counts()
    run = _with_counts(run, counts, judge(counts, spec.guards, confirmed))
    last_phase = LAST_PROTECTED_PHASE if run.held_by else PHASES[-1]
    sendable = sum(len(rows) for rows in plan.batches(100, last_phase))
    planned = run.rows_planned_upserts + run.rows_planned_removals
    stale = not run.held_by and sendable < planned
    return replace(run, rows_unsent=planned, error_code="STALE_PLAN" if stale else None)


def _with_counts(run: SyncRun, counts: PlanCounts, verdicts: list[Verdict]) -> SyncRun:
    return replace(
        run,
        rows_in_model=counts.in_model,
        rows_unchanged=counts.unchanged,
        rows_blocked=counts.blocked,
        rows_planned_upserts=counts.upserts,
        rows_planned_removals=counts.removals,
        rows_unsent=counts.upserts + counts.removals,
        guards=verdicts,
    )


def _with_delivery(run: SyncRun, delivery: Delivery, calls: int) -> SyncRun:
    run = replace(
        run,
        rows_sent=delivery.sent,
        rows_delivered=delivery.delivered,
        rows_removed=delivery.removed,
        rows_rejected=delivery.rejected,
        rows_unknown=delivery.unknown,
        rows_unsent=run.rows_planned_upserts + run.rows_planned_removals - delivery.sent,
        calls_made=calls,
        rejections=dict(delivery.rejections),
    )
    if run.error_code == "INTERRUPTED":
        return run
    return replace(run, status=_status(run), error_code=run.error_code or _reason(run))


def _status(run: SyncRun) -> Status:
    if run.held_by:
        return "blocked"
    if run.error_code:
        return "partial" if run.rows_delivered or run.rows_removed else "failed"
    pending = run.rows_rejected + run.rows_unknown + run.rows_unsent
    return "partial" if pending else "succeeded"


def _reason(run: SyncRun) -> str | None:
    if run.held_by:
        return "GUARD_" + run.held_by[0].upper()
    # Nothing stopped the run and yet rows were left: their values are not what was planned.
    return "STALE_PLAN" if run.rows_unsent else None


def _row(run: SyncRun) -> dict[str, Any]:
    left_out = ("guards", "rejections")
    row = {name: value for name, value in vars(run).items() if name not in left_out}
    return row | {"guards": [verdict.as_dict() for verdict in run.guards]}


def _endpoint(spec: SyncSpec, given: Destination | None, dry_run: bool) -> Destination | None:
    try:
        kind = type(given) if given else destination_class(spec.destination)
        kind.check(spec)
    except (LookupError, ValueError) as error:
        raise InvalidSync(f"{spec.sync_name}: {error}") from None
    return given or (None if dry_run else kind.from_environment(spec))


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
