"""``run_sync``: one run of one sync, from the plan in the warehouse to the row in
``state.sync_runs``."""

import gc
import logging
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

from orchestration.destinations.base import Destination, Row
from orchestration.sync.courier import Courier
from orchestration.sync.delivery import Delivery, Patience
from orchestration.sync.endpoint import endpoint_of
from orchestration.sync.facts import read_facts
from orchestration.sync.guards import Overrides, Verdict, judge
from orchestration.sync.plan import LAST_PROTECTED_PHASE, NO_PHASE, PHASES, Plan
from orchestration.sync.plan_counts import PlanCounts
from orchestration.sync.session import session
from orchestration.sync.spec import SyncSpec, load_manifest, load_sync
from orchestration.warehouse import ROOT, Warehouse

logger = logging.getLogger(__name__)

Status = Literal["succeeded", "pending", "partial", "blocked", "failed", "dry_run"]


class PlanChanged(RuntimeError):
    """The plan is not the one that was approved."""


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
    rows_resumed: int = 0
    """Rows of earlier runs' jobs that were settled by this one ..."""
    rows_resumed_rejected: int = 0
    """... and of them those that were refused."""
    calls_made: int = 0
    plan_digest: str | None = None
    """Of the plan as it stood when the run began."""
    guards: list[Verdict] = field(default_factory=list)
    rejections: Mapping[str, int] = field(default_factory=dict)
    """Refused rows by the endpoint's error code."""
    error_code: str | None = None

    @property
    def ok(self) -> bool:
        """Everything planned is at the destination, or was taken by it for a job that goes on
        (``pending``; the next run asks). Anything else is an exit code not 0."""
        return self.status in ("succeeded", "pending", "dry_run")

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
    plan_digest: str | None = None,
    project_dir: Path = ROOT,
    destination: Destination | None = None,
    patience: Patience | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> SyncRun:
    """Send what the plan says. ``target`` is one of ``profiles.yml``.

    A dry run reads the same plan, judges the same guards and builds the same rows, and
    neither calls nor writes anything. ``overrides`` hold for this run only. With a
    ``plan_digest`` only that very plan is sent. ``destination`` replaces the one that the
    environment configures. ``on_progress`` is told how many more rows have been settled.

    Rows that were refused, guards and dead endpoints are in the answer. Raises ``InvalidSync``
    (declaration), ``LookupError`` (a variable that is not set), ``PlanChanged`` and ``SyncBusy``
    (another run) before anything was written, ``LedgerBroken`` before anything was sent, and
    ``WarehouseError`` at any time.
    """
    manifest = load_manifest(project_dir)
    spec = load_sync(manifest, sync_name)
    endpoint = endpoint_of(spec, destination, dry_run)
    confirmed = overrides if isinstance(overrides, Overrides) else Overrides(**(overrides or {}))
    with Warehouse.open(target, project_dir) as warehouse, _set_aside():
        warehouse.spare_memory()
        plan = Plan(warehouse, spec)
        plan.check_columns()
        digest = plan.digest()
        if plan_digest not in (None, digest):
            raise PlanChanged(f"{sync_name}: the plan is not {plan_digest} any more; plan again")
        errand = _Errand(warehouse, spec, plan, digest, manifest, confirmed)
        if dry_run:
            return errand.rehearse(uuid.uuid4().hex)
        delivery = Delivery(on_progress=on_progress or (lambda rows: None))
        return errand.run(endpoint, delivery, patience or Patience())


@contextmanager
def _set_aside() -> Iterator[None]:
    """Keep what is there, dbt for the most part, from Python's collector, which would look through
    all of it again and again as rows come and go: a fifth of the time of a run."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


@dataclass(frozen=True)
class _Errand:
    """One sync, its plan as it stands, and what a person has confirmed."""

    warehouse: Warehouse
    spec: SyncSpec
    plan: Plan
    digest: str
    manifest: Mapping[str, Any]
    confirmed: Overrides

    def rehearse(self, run_id: str) -> SyncRun:
        """The dry run."""
        run = SyncRun(run_id, self.spec.sync_name, "dry_run", plan_digest=self.digest)
        run = self._judged(run)
        sendable = sum(len(rows) for rows in self.plan.batches(100, self._last_phase(run)))
        planned = run.rows_planned_upserts + run.rows_planned_removals
        stale = not run.held_by and sendable < planned
        return replace(run, rows_unsent=planned, error_code="STALE_PLAN" if stale else None)

    def run(self, endpoint: Destination, delivery: Delivery, patience: Patience) -> SyncRun:
        """The real one."""
        calls_before = endpoint.calls
        # DuckDB shuts every other writer out while the run holds its file.
        permitted = self.plan.permitted if self.warehouse.target_type != "duckdb" else None
        with session(self.warehouse, self.spec, self.manifest, self.digest) as opened:
            courier = Courier(
                endpoint, opened.ledger, patience, delivery, permitted, self._is_once(endpoint)
            )
            run = SyncRun(
                opened.run_id,
                self.spec.sync_name,
                "failed",
                plan_digest=self.digest,
                error_code="INTERRUPTED",
            )
            try:
                underway = courier.resume(opened.ledger.open_jobs())
                run = self._judged(run)
                batches = self._batches(endpoint, self._last_phase(run), underway, delivery)
                courier.deliver(batches)
                opened.ledger.forget_erased()
                run = replace(run, error_code=delivery.stopped_by)
            finally:
                run = _with_delivery(run, delivery, endpoint.calls - calls_before)
                opened.ended = _row(run)
        logger.info("%s: %s", run.sync_name, run.status)
        return run

    # -- inside

    def _judged(self, run: SyncRun) -> SyncRun:
        counts = self.plan.counts()
        facts = read_facts(self.warehouse, self.spec, self.manifest)
        verdicts = judge(counts, facts, self.spec.guards, self.confirmed)
        return _with_counts(run, counts, verdicts)

    def _last_phase(self, run: SyncRun) -> str:
        if "place_changed" in run.held_by:
            return NO_PHASE
        return LAST_PROTECTED_PHASE if run.held_by else PHASES[-1]

    def _is_once(self, endpoint: Destination) -> bool:
        return self.spec.mode == "append" and not endpoint.appends_are_repeatable

    def _batches(
        self, endpoint: Destination, last_phase: str, underway: set[str], delivery: Delivery
    ) -> Iterator[list[Row]]:
        """Without rows that an older job may still write, and events an endpoint would keep
        twice: their first call has no known end, and a person has to look. Who is erased is
        taken away all the same, however often."""
        is_once = self._is_once(endpoint)
        limits = endpoint.limits
        for rows in self.plan.batches(
            limits.batch_rows, last_phase, limits.batch_bytes, endpoint.weight
        ):
            settled = [row for row in rows if row.key not in underway]
            delivery.underway += len(rows) - len(settled)
            free = [
                row
                for row in settled
                if not (is_once and row.is_uncertain and row.action == "upsert")
            ]
            delivery.in_doubt += len(settled) - len(free)
            yield from _set_apart(free, limits.batch_rows)


def _set_apart(rows: list[Row], size: int) -> Iterator[list[Row]]:
    """A row that makes an endpoint fall over takes its batch with it, at every run. Rows that
    have been in doubt twice go by a tenth of a batch, then by a hundredth: so it is alone in
    the end, and the others arrive."""
    if size == 1:
        yield from ([row] for row in rows)
        return
    for attempt, some in groupby(rows, key=lambda row: row.attempt if row.is_uncertain else 1):
        alike = list(some)
        step = max(1, size // 10 ** max(0, attempt - 2))
        yield from (alike[start : start + step] for start in range(0, len(alike), step))


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
    waiting = delivery.in_jobs + delivery.underway
    run = replace(
        run,
        rows_sent=delivery.sent,
        rows_delivered=delivery.delivered,
        rows_removed=delivery.removed,
        rows_rejected=delivery.rejected,
        rows_unknown=delivery.unknown,
        rows_unsent=run.rows_planned_upserts + run.rows_planned_removals - delivery.sent,
        rows_resumed=delivery.resumed,
        rows_resumed_rejected=delivery.resumed_rejected,
        calls_made=calls,
        rejections=dict(delivery.rejections),
    )
    if run.error_code == "INTERRUPTED":
        return run
    code = run.error_code or _reason(run, waiting, delivery.in_doubt)
    return replace(run, status=_status(run, waiting), error_code=code)


def _status(run: SyncRun, waiting: int) -> Status:
    if run.held_by:
        return "blocked"
    arrived = run.rows_delivered + run.rows_removed
    # One batch of which nothing was heard is as dead an endpoint as three.
    if not arrived and (run.error_code or run.rows_unknown > waiting):
        return "failed"
    if run.error_code:
        return "partial"
    missing = run.rows_rejected + run.rows_unknown + run.rows_unsent
    if missing > waiting or run.rows_resumed_rejected:
        return "partial"
    return "pending" if waiting else "succeeded"


def _reason(run: SyncRun, waiting: int, in_doubt: int) -> str | None:
    if run.held_by:
        return "GUARD_" + run.held_by[0].upper()
    if waiting:
        return "JOB_STILL_RUNNING"
    if in_doubt:
        # The end of an older call is not known, and a second one could make a second event.
        return "IN_DOUBT"
    # Nothing stopped the run and yet rows were left: their values are not what was planned.
    return "STALE_PLAN" if run.rows_unsent else None


def _row(run: SyncRun) -> dict[str, Any]:
    left_out = ("guards", "rejections")
    row = {name: value for name, value in vars(run).items() if name not in left_out}
    return row | {"guards": [verdict.as_dict() for verdict in run.guards]}
