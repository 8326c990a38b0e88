"""When things run."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from orchestration.defs.alerts import ALERTS
from orchestration.defs.models import AS_OF_TAG
from orchestration.defs.project import manifest
from orchestration.defs.syncs import asset_key, planning_keys, specs
from orchestration.sync.spec import SyncSpec

TIME_ZONE = "Europe/Paris"


def daily_selection(specs: Mapping[str, SyncSpec]) -> dg.AssetSelection:
    """Everything but the syncs that have a schedule of their own."""
    everything = dg.AssetSelection.all() | dg.AssetSelection.all_asset_checks()
    others = [asset_key(spec) for spec in specs.values() if spec.schedule]
    return everything - dg.AssetSelection.assets(*others) if others else everything


def sync_schedule(spec: SyncSpec, manifest: Mapping[str, Any]) -> dg.ScheduleDefinition:
    """A job that plans and runs one sync, at its own times."""
    job = dg.define_asset_job(
        spec.sync_name,
        selection=[*planning_keys(spec, manifest), asset_key(spec), ALERTS],
        description=f"Plan and run {spec.sync_name}, alert.",
    )

    @dg.schedule(
        job=job,
        name=f"{spec.sync_name}_schedule",
        cron_schedule=spec.schedule,
        execution_timezone=TIME_ZONE,
    )
    def at_its_times(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        return _request(context, f"{context.scheduled_execution_time:%Y-%m-%dT%H:%M}")

    return at_its_times


daily = dg.define_asset_job(
    "daily",
    selection=daily_selection(specs),
    description="Land, build, fit, score, publish, sync, alert.",
)


@dg.schedule(job=daily, cron_schedule="0 4 * * *", execution_timezone=TIME_ZONE)
def every_morning(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """The business date is the day of the tick: what happened before its midnight counts."""
    return _request(context, f"{context.scheduled_execution_time:%Y-%m-%d}")


def _request(context: dg.ScheduleEvaluationContext, run_key: str) -> dg.RunRequest:
    day = f"{context.scheduled_execution_time:%Y-%m-%d}"
    return dg.RunRequest(run_key=run_key, tags={AS_OF_TAG: day})


of_syncs = [sync_schedule(spec, manifest()) for spec in specs.values() if spec.schedule]
