"""The Dagster code location: one lineage from raw tables to destinations."""

import dagster as dg

from orchestration.defs import (
    identity,
    landing,
    lifetime_value,
    models,
    publication,
    schedules,
    syncs,
)

defs = dg.Definitions(
    assets=[
        landing.raw_tables,
        models.warehouse,
        lifetime_value.clv_parameters,
        publication.published_marts,
        *syncs.assets,
        *identity.assets,
    ],
    jobs=[schedules.daily],
    schedules=[schedules.every_morning],
    resources={"dbt": models.dbt_cli},
    executor=dg.multiprocess_executor.configured({"max_concurrent": 2}),
)
