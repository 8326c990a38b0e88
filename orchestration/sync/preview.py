"""What a run would do, for a person to look at before it does."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestration.destinations import destination_class
from orchestration.sync.plan import Plan, SampleRow
from orchestration.sync.plan_counts import PlanCounts
from orchestration.sync.run import PlanChanged, SyncRun, run_sync
from orchestration.sync.spec import SyncSpec, load_manifest, load_sync
from orchestration.warehouse import ROOT, Warehouse


@dataclass(frozen=True)
class Preview:
    """A plan as it stands."""

    run: SyncRun
    """The dry run: counts, the guards' verdicts, and the digest that names the plan:
    ``run_sync(plan_digest=...)`` sends no other."""
    by_reason: Mapping[tuple[str, str], int]
    """Rows to send by action and reason."""
    by_blocked_reason: Mapping[str, int]
    """Rows that cannot be sent, by why."""
    in_doubt: int
    """Of the rows to send, events that may be there already and would be there twice: they wait for
    ``settle``."""
    estimated_calls: int | None
    """Without retries; None where only the endpoint's settings say how many rows a call takes,
    and they are not there."""
    sample: list[SampleRow]
    """No values: masked keys and hashes."""


def preview(
    sync_name: str, target: str | None = None, *, sample: int = 0, project_dir: Path = ROOT
) -> Preview:
    """Look at a plan, with so many rows of each action and reason. Neither calls nor writes
    anything; raises as ``run_sync`` does."""
    run = run_sync(sync_name, target, dry_run=True, project_dir=project_dir)
    spec, digest, counts, rows = _looked_at(sync_name, target, project_dir, sample)
    if digest != run.plan_digest:
        raise PlanChanged(f"{sync_name}: the plan changes while one looks at it; plan again")
    return Preview(
        run,
        counts.by_reason,
        counts.by_blocked_reason,
        counts.by_reason.get(("retry", "uncertain"), 0) if _is_once(spec) else 0,
        _estimated_calls(spec, counts),
        rows,
    )


def planned_rows(sync_name: str, target: str | None = None, *, project_dir: Path = ROOT) -> int:
    """How many rows a run would settle, guards apart."""
    _, _, counts, _ = _looked_at(sync_name, target, project_dir)
    return counts.upserts + counts.removals


def _looked_at(
    sync_name: str, target: str | None, project_dir: Path, sample: int = 0
) -> tuple[SyncSpec, str, PlanCounts, list[SampleRow]]:
    spec = load_sync(load_manifest(project_dir), sync_name)
    with Warehouse.open(target, project_dir) as warehouse:
        plan = Plan(warehouse, spec)
        plan.check_columns()
        counts = plan.counts()
        # A plan that was carried out is still there, and nothing of it is left to do.
        is_open = counts.upserts + counts.removals + counts.blocked > 0
        return spec, plan.digest(), counts, plan.sample(sample) if sample and is_open else []


def _is_once(spec: SyncSpec) -> bool:
    if spec.mode != "append":
        return False
    kind = destination_class(spec.destination)
    try:  # the sync's own settings may say
        return not kind.from_environment(spec).appends_are_repeatable
    except (LookupError, ValueError):
        return not kind.appends_are_repeatable


def _estimated_calls(spec: SyncSpec, counts: PlanCounts) -> int | None:
    kind = destination_class(spec.destination)
    try:
        # Of the class where the vendor says how many, else of the sync's own settings.
        limits = getattr(kind, "limits", None) or kind.from_environment(spec).limits
    except (LookupError, ValueError):
        return None
    return counts.estimated_calls(limits.batch_rows)
