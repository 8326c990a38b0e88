"""The Dagster code location: one lineage from raw tables to destinations."""

import dagster as dg

from orchestration.defs import (
    alerts,
    landing,
    lifetime_value,
    models,
    publication,
    schedules,
    state,
    syncs,
)

defs = dg.Definitions(
    assets=[
        landing.raw_tables,
        models.warehouse,
        lifetime_value.clv_parameters,
        publication.published_marts,
        *syncs.assets,
        *state.assets,
        alerts.alerts,
    ],
    jobs=[schedules.daily, alerts.alert],
    schedules=[schedules.every_morning, *schedules.of_syncs, alerts.every_hour],
    sensors=[alerts.tell_of_failures],
    resources={"dbt": models.dbt_cli},
    executor=dg.multiprocess_executor.configured({"max_concurrent": 2}),
)
