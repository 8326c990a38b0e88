"""When things run."""

import dagster as dg

from orchestration.defs.models import AS_OF_TAG

daily = dg.define_asset_job(
    "daily",
    selection=dg.AssetSelection.all() | dg.AssetSelection.all_asset_checks(),
    description="Land, build, fit, score, publish, sync.",
)


@dg.schedule(job=daily, cron_schedule="0 4 * * *", execution_timezone="Europe/Paris")
def every_morning(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """The business date is the day of the tick: what happened before its midnight counts."""
    day = f"{context.scheduled_execution_time:%Y-%m-%d}"
    return dg.RunRequest(run_key=day, tags={AS_OF_TAG: day})
