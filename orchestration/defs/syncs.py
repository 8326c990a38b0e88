"""One asset per sync: dbt exposures whose ``meta`` names a destination."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg

from orchestration.defs.project import POOL, TARGET, manifest, model_key, translator
from orchestration.sync.overview import overview
from orchestration.sync.preview import planned_rows
from orchestration.sync.run import SyncRun, run_sync
from orchestration.sync.spec import InvalidSync, SyncSpec, ancestors, load_sync, sync_names

CHECKS = ("no_row_was_refused", "no_guard_held_it", "nothing_waits_for_somebody")

# A run of a million rows takes an hour: a line every half minute is a hundred of them.
_SECONDS_BETWEEN_NEWS = 30.0


class SyncIncomplete(Exception):
    """Something planned is not at the destination. Says how much, never what."""


def asset_key(spec: SyncSpec) -> dg.AssetKey:
    """Destination and name."""
    return dg.AssetKey([spec.destination, spec.sync_name])


def sync_asset(spec: SyncSpec) -> dg.AssetsDefinition:
    """What a destination holds of a sync."""
    key = asset_key(spec)

    @dg.asset(
        key=key,
        deps=[model_key(spec.sync_name), model_key("sync_plan")],
        group_name="destinations",
        kinds={"reverse_etl", spec.destination},
        description=f"What {spec.destination} holds of `{spec.sync_name}`.",
        pool=POOL,
        check_specs=[dg.AssetCheckSpec(name, asset=key) for name in CHECKS],
    )
    def sync(context: dg.AssetExecutionContext):
        news = News(context, key, planned_rows(spec.sync_name, TARGET))
        run = run_sync(spec.sync_name, target=TARGET, on_progress=news)
        context.log.info(f"{spec.sync_name}: {run.status}")
        yield dg.MaterializeResult(metadata=run_metadata(run), check_results=list(_checks(run)))
        if run.status in ("blocked", "failed"):
            held = f", held by {', '.join(run.held_by)}" if run.held_by else ""
            raise SyncIncomplete(f"{spec.sync_name}: {run.status}{held}")

    return sync


def unusable_asset(name: str, wrong: InvalidSync) -> dg.AssetsDefinition:
    """A sync whose declaration is wrong: the others are there all the same, and this one says at
    each run what is wrong. Nobody knows its destination, so its key is another."""

    @dg.asset(key=["invalid", name], group_name="destinations", description=str(wrong))
    def unusable() -> None:
        raise wrong

    return unusable


class News:
    """Tells a run's progress now and then: a line in its log, and an observation of the asset
    that the page of the asset shows while the run goes on."""

    def __init__(self, context: dg.AssetExecutionContext, key: dg.AssetKey, planned: int) -> None:
        self._context, self._key, self._planned = context, key, planned
        self._settled = 0
        self._told_at = time.monotonic()

    def __call__(self, rows: int) -> None:
        self._settled += rows
        if time.monotonic() - self._told_at < _SECONDS_BETWEEN_NEWS:
            return
        self._told_at = time.monotonic()
        self._context.log.info(f"{self._settled:,} of {self._planned:,} rows are settled")
        counts = {"rows_settled": self._settled, "rows_planned": self._planned}
        self._context.log_event(dg.AssetObservation(self._key, metadata=counts))


def run_metadata(run: SyncRun) -> dict[str, Any]:
    """Counts, calls, the digest of the plan, verdicts of the guards, codes of refusals."""
    plain = {
        name: value
        for name, value in vars(run).items()
        if name.startswith("rows_") or name in ("run_id", "status", "calls_made")
    }
    optional = {"plan_digest": run.plan_digest, "error_code": run.error_code}
    return {
        **plain,
        **{name: value for name, value in optional.items() if value},
        "guards": dg.MetadataValue.json([verdict.as_dict() for verdict in run.guards]),
        "rejections": dg.MetadataValue.json(dict(run.rejections)),
    }


def _checks(run: SyncRun) -> Iterator[dg.AssetCheckResult]:
    """None of them blocks: what a guard holds fails the step by itself."""
    [health] = overview(TARGET, run.sync_name)
    waiting = {name: health.get(name) or 0 for name in ("dead_letters", "rows_in_doubt")}
    held_by = {v.guard: v.observed for v in run.guards if not v.passed}
    refused = {name: getattr(run, name) for name in ("rows_rejected", "rows_resumed_rejected")}
    yield _check("no_row_was_refused", not any(refused.values()), refused)
    yield _check("no_guard_held_it", not held_by, held_by)
    yield _check("nothing_waits_for_somebody", not any(waiting.values()), waiting)


def _check(name: str, passed: bool, metadata: Mapping[str, Any]) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=name, passed=passed, severity=dg.AssetCheckSeverity.WARN, metadata=metadata
    )


def planning_keys(spec: SyncSpec, manifest: Mapping[str, Any]) -> list[dg.AssetKey]:
    """The models of activation that a plan of this sync is made of: its own, and not those of
    other syncs, whose plans stay as they are."""
    others = {_model(name) for name in sync_names(manifest)} - {_model(spec.sync_name)}
    above = ancestors(manifest, _model("sync_plan")) | {_model(spec.sync_name)}
    own = [
        name
        for name in above
        if name in manifest["nodes"]
        and manifest["nodes"][name]["fqn"][1] == "activation"
        and (name == _model("sync_plan") or not others & ancestors(manifest, name))
    ]
    return [translator.get_asset_key(manifest["nodes"][name]) for name in sorted(own)]


def _model(name: str) -> str:
    return f"model.cdp.{name}"


def check_times(spec: SyncSpec) -> None:
    """Raises ``InvalidSync`` for a schedule that Dagster cannot read: it would take all other
    definitions down."""
    try:
        if spec.schedule:
            dg.ScheduleDefinition(job_name=spec.sync_name, cron_schedule=spec.schedule)
    except dg.DagsterInvalidDefinitionError:
        raise InvalidSync(f"{spec.sync_name}: schedule: {spec.schedule!r} is not cron") from None


def load_each(
    manifest: dict[str, Any],
) -> tuple[dict[str, SyncSpec], dict[str, InvalidSync]]:
    """Declarations by name, the right and the wrong ones."""
    right, wrong = {}, {}
    for name in sync_names(manifest):
        try:
            spec = load_sync(manifest, name)
            check_times(spec)
            right[name] = spec
        except InvalidSync as error:
            wrong[name] = error
    return right, wrong


def sync_assets(
    right: Mapping[str, SyncSpec], wrong: Mapping[str, InvalidSync]
) -> list[dg.AssetsDefinition]:
    """Of all syncs."""
    return [
        *(sync_asset(spec) for spec in right.values()),
        *(unusable_asset(name, error) for name, error in wrong.items()),
    ]


specs, _unusable = load_each(manifest())
assets = sync_assets(specs, _unusable)
