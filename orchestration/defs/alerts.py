"""Who has to know, knows: the last step of a job, and a sensor for jobs that did not get there.

A step that fails keeps those after it from running, this one too. So a sensor sees runs that
failed, and asks for a run of the job ``alert``, which is this step alone; it waits in the queue
for the warehouse as all runs do.
"""

import dagster as dg

from orchestration.alerts import tell
from orchestration.defs.project import POOL, TARGET, manifest, model_key
from orchestration.defs.syncs import asset_key, specs
from orchestration.sync.spec import InvalidSync
from orchestration.warehouse import WarehouseError

ALERTS = dg.AssetKey(["state", "alerts"])


@dg.asset(
    key=ALERTS,
    deps=[model_key("alert_states"), *(asset_key(spec) for spec in specs.values())],
    group_name="destinations",
    kinds={"table"},
    description=manifest()["sources"]["source.cdp.state.alerts"]["description"],
    pool=POOL,
)
def alerts(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """Tell what has changed. Nothing here fails a job."""
    try:
        report = tell(TARGET)
    except (WarehouseError, InvalidSync) as error:
        context.log.error(f"nobody was told: {error}")
        return dg.MaterializeResult(metadata={"failed": str(error)})
    for channel, code in report.failed.items():
        context.log.error(f"{channel} was not reached: {code}")
    return dg.MaterializeResult(
        metadata={
            "states": dg.MetadataValue.json({s.subject: s.state for s in report.states}),
            "told": dg.MetadataValue.json(
                {name: [change.subject for change in news] for name, news in report.told.items()}
            ),
            "failed": dg.MetadataValue.json(report.failed),
        }
    )


alert = dg.define_asset_job(
    "alert", selection=[ALERTS], description="Tell people whose state has changed."
)


@dg.run_failure_sensor(
    name="tell_of_failures", request_job=alert, default_status=dg.DefaultSensorStatus.RUNNING
)
def tell_of_failures(
    context: dg.RunFailureSensorContext,
) -> dg.RunRequest | dg.SkipReason:
    """Of any job of this code location but ``alert`` itself, which would call for itself."""
    if context.dagster_run.job_name == alert.name:
        return dg.SkipReason("an alert is not told about")
    return dg.RunRequest(run_key=context.dagster_run.run_id)


# What does not run fails nothing: only the clock sees a sync that is stale.
every_hour = dg.ScheduleDefinition(
    name="every_hour", job=alert, cron_schedule="7 * * * *", execution_timezone="UTC"
)
