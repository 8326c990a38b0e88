"""One asset per sync: dbt exposures whose ``meta`` names a destination."""


import dagster as dg

from orchestration.defs.project import POOL, TARGET, manifest, model_key
from orchestration.sync import SyncSpec, run_sync, sync_specs


def _asset(spec: SyncSpec) -> dg.AssetsDefinition:
    key = dg.AssetKey([spec.destination, spec.name])

    @dg.asset(
        key=key,
        deps=[model_key(spec.model), model_key("sync_plan")],
        group_name="destinations",
        kinds={"reverse_etl", spec.destination},
        description=f"What {spec.destination} holds of `{spec.model}`.",
        pool=POOL,
        check_specs=[dg.AssetCheckSpec("no_row_was_refused", asset=key)],
    )
    def sync(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        run = run_sync(spec.name, target=TARGET)
        return dg.MaterializeResult(
            metadata=run.metadata(),
            check_results=[
                dg.AssetCheckResult(
                    check_name="no_row_was_refused",
                    passed=run.rejected == 0,
                    severity=dg.AssetCheckSeverity.WARN,
                    metadata={"rejected": run.rejected},
                )
            ],
        )

    return sync


assets = [_asset(spec) for spec in sync_specs(manifest())]
