"""One asset per sync: dbt exposures whose ``meta`` names a destination."""

from dataclasses import asdict

import dagster as dg

from orchestration.defs.project import POOL, TARGET, manifest, model_key
from orchestration.sync.run import SyncRun, run_sync
from orchestration.sync.spec import SyncSpec, load_syncs


class SyncIncomplete(Exception):
    """Something planned is not at the destination. Says how much, never what."""


def _asset(spec: SyncSpec) -> dg.AssetsDefinition:
    key = dg.AssetKey([spec.destination, spec.sync_name])

    @dg.asset(
        key=key,
        deps=[model_key(spec.sync_name), model_key("sync_plan")],
        group_name="destinations",
        kinds={"reverse_etl", spec.destination},
        description=f"What {spec.destination} holds of `{spec.sync_name}`.",
        pool=POOL,
        check_specs=[dg.AssetCheckSpec("no_row_was_refused", asset=key)],
    )
    def sync(context: dg.AssetExecutionContext):
        run = run_sync(spec.sync_name, target=TARGET)
        context.log.info(f"{spec.sync_name}: {run.status}")
        yield dg.MaterializeResult(
            metadata=_counts(run),
            check_results=[
                dg.AssetCheckResult(
                    check_name="no_row_was_refused",
                    passed=run.rows_rejected == 0,
                    severity=dg.AssetCheckSeverity.WARN,
                    metadata={"rows_rejected": run.rows_rejected},
                )
            ],
        )
        if run.status in ("blocked", "failed"):
            held = f", held by {', '.join(run.held_by)}" if run.held_by else ""
            raise SyncIncomplete(f"{spec.sync_name}: {run.status}{held}")

    return sync


def _counts(run: SyncRun) -> dict[str, int | str]:
    return {
        name: value
        for name, value in asdict(run).items()
        if name.startswith("rows_") or name in ("run_id", "status", "calls_made")
    }


def _ledger_specs() -> list[dg.AssetSpec]:
    """Tables that the syncs write and the next plan reads: no asset makes them, or the graph
    would be a circle."""
    return [
        dg.AssetSpec(
            key=[source["source_name"], source["name"]],
            group_name="destinations",
            description=source["description"],
            kinds={"table"},
        )
        for source in manifest()["sources"].values()
        if source["source_name"] == "state" and source["name"].startswith("sync_")
    ]


assets = [*(_asset(spec) for spec in load_syncs(manifest()).values()), *_ledger_specs()]
