"""A sync in Dagster: what its page shows, its own times, and who is told when it fails."""

import datetime as dt
import json
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from orchestration.alerts import Report
from orchestration.alerts.states import Change, State
from orchestration.sync.guards import Verdict
from orchestration.sync.run import SyncRun
from orchestration.sync.spec import SyncSpec, load_syncs
from orchestration.warehouse import WarehouseBusy

SYNC = "sync_hubspot__contacts"


@pytest.fixture(scope="module")
def defs():
    # Loading them sets this variable, which other tests' dbt must not see.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DBT_INDIRECT_SELECTION", "buildable")
        from orchestration import defs

        yield defs


@pytest.fixture
def of_syncs(defs):
    from orchestration.defs import syncs

    return syncs


@pytest.fixture
def of_alerts(defs):
    from orchestration.defs import alerts

    return alerts


@pytest.fixture
def spec(of_syncs) -> SyncSpec:
    return of_syncs.specs[SYNC]


@pytest.fixture
def run_of(of_syncs, spec, monkeypatch):
    """Materialize the sync's asset with a given outcome of the engine; without one, with the
    error it raises."""

    def materialize(run: SyncRun, settles: tuple[int, ...] = (), **health: int):
        def runs(*_: object, on_progress, **__: object) -> SyncRun:
            for rows in settles:
                on_progress(rows)
            return run

        monkeypatch.setattr(of_syncs, "run_sync", runs)
        monkeypatch.setattr(of_syncs, "planned_rows", lambda *_: sum(settles))
        row = {"sync_name": SYNC, **health}
        monkeypatch.setattr(of_syncs, "overview", lambda *_: [row])
        return dg.materialize([of_syncs.sync_asset(spec)], raise_on_error=False)

    return materialize


def checks(result: dg.ExecuteInProcessResult) -> dict[str, bool]:
    return {e.check_name: e.passed for e in result.get_asset_check_evaluations()}


def metadata(result: dg.ExecuteInProcessResult, asset: str) -> dict:
    [event] = result.asset_materializations_for_node(asset)
    return {name: value.value for name, value in event.metadata.items()}


def test_the_page_of_a_sync_shows_counts_calls_digest_and_verdicts(run_of) -> None:
    verdict = Verdict("removed_rows", 3, 100)
    run = SyncRun(
        "r1",
        SYNC,
        "succeeded",
        rows_delivered=250,
        calls_made=3,
        plan_digest="0a1b",
        guards=[verdict],
    )
    result = run_of(run, dead_letters=0, rows_in_doubt=0)
    shown = metadata(result, f"hubspot__{SYNC}")
    assert (shown["status"], shown["rows_delivered"], shown["calls_made"]) == ("succeeded", 250, 3)
    assert shown["plan_digest"] == "0a1b"
    assert shown["guards"] == [verdict.as_dict()]
    assert checks(result) == {
        "no_row_was_refused": True,
        "no_guard_held_it": True,
        "nothing_waits_for_somebody": True,
    }
    assert result.success


def test_refused_rows_and_dead_letters_are_red_checks_of_a_green_step(run_of) -> None:
    run = SyncRun("r1", SYNC, "partial", rows_rejected=2, rejections={"BAD": 2})
    result = run_of(run, dead_letters=1)
    assert result.success
    assert checks(result) == {
        "no_row_was_refused": False,
        "no_guard_held_it": True,
        "nothing_waits_for_somebody": False,
    }
    assert metadata(result, f"hubspot__{SYNC}")["rejections"] == {"BAD": 2}


def test_a_held_sync_fails_its_step_and_names_the_guard(run_of) -> None:
    result = run_of(SyncRun("r1", SYNC, "blocked", guards=[Verdict("removed_rows", 340, 100)]))
    assert not result.success
    assert checks(result)["no_guard_held_it"] is False
    [failure] = [e for e in result.all_events if e.is_step_failure]
    assert "held by removed_rows" in json.dumps(failure.event_specific_data.error.to_string())


def test_progress_is_told_now_and_then(of_syncs, monkeypatch) -> None:
    now = [0.0]
    monkeypatch.setattr(of_syncs, "time", SimpleNamespace(monotonic=lambda: now[0]))
    lines, events = [], []
    context = SimpleNamespace(
        log=SimpleNamespace(info=lines.append), log_event=lambda event: events.append(event)
    )
    news = of_syncs.News(context, dg.AssetKey("sync"), 1_000_000)
    for _ in range(1000):  # ten rows every tenth of a second, a hundred seconds long
        now[0] += 0.1
        news(10)
    assert len(lines) == len(events) == 3
    assert lines[0].startswith("3,0")
    assert lines[0].endswith("of 1,000,000 rows are settled")
    assert events[-1].metadata["rows_settled"].value <= 10_000


def test_a_run_shows_its_progress_on_the_page_of_the_asset(run_of, of_syncs, monkeypatch) -> None:
    monkeypatch.setattr(of_syncs, "_SECONDS_BETWEEN_NEWS", 0.0)
    result = run_of(SyncRun("r1", SYNC, "succeeded"), settles=(100, 100, 50))
    observations = result.asset_observations_for_node(f"hubspot__{SYNC}")
    assert [o.metadata["rows_settled"].value for o in observations] == [100, 200, 250]


# -- times of its own


@pytest.fixture
def scheduled(defs, spec) -> SyncSpec:
    return spec.model_copy(update={"schedule": "30 */6 * * *"})


def test_a_sync_with_times_of_its_own_has_a_job_that_plans_and_runs_it(defs, scheduled) -> None:
    from orchestration.definitions import defs as all_defs
    from orchestration.defs.project import manifest
    from orchestration.defs.schedules import sync_schedule

    schedule = sync_schedule(scheduled, manifest())
    assert (schedule.cron_schedule, schedule.job_name) == ("30 */6 * * *", SYNC)
    selected = schedule.job.selection.resolve(all_defs.resolve_asset_graph())
    names = {key.to_user_string() for key in selected}
    assert {f"hubspot/{SYNC}", "state/alerts", f"activation/{SYNC}", "activation/sync_plan"} < names
    assert {name.split("/")[0] for name in names} == {"hubspot", "state", "activation"}
    tick = dt.datetime(2026, 3, 1, 18, 30, tzinfo=ZoneInfo("Europe/Paris"))
    request = schedule(dg.build_schedule_context(scheduled_execution_time=tick))
    assert request.tags["cdp/as_of"] == "2026-03-01"
    assert request.run_key == "2026-03-01T18:30"


def test_its_job_leaves_the_plans_of_other_syncs_alone(defs, scheduled) -> None:
    from orchestration.defs.project import manifest
    from orchestration.defs.syncs import planning_keys

    edited = json.loads(json.dumps(manifest()))
    add_sync(edited, "sync_lanterna__people")
    assert set(load_syncs(edited)) == {SYNC, "sync_lanterna__people"}
    names = {key.path[-1] for key in planning_keys(scheduled, edited)}
    assert SYNC in names
    assert "int_activation__hubspot_contacts_planned" in names
    assert not [name for name in names if "lanterna" in name]


def test_a_wrong_declaration_fails_for_itself_and_the_others_are_there(of_syncs) -> None:
    from orchestration.defs.project import manifest

    edited = json.loads(json.dumps(manifest()))
    add_sync(edited, "sync_lanterna__people")
    meta = edited["exposures"]["exposure.cdp.sync_lanterna__people"]["config"]["meta"]
    meta["sync"] |= {"schedule": "0 25 * * *"}
    right, wrong = of_syncs.sync_assets(*of_syncs.load_each(edited))
    assert right.key.path == ["hubspot", SYNC]
    assert wrong.key.path == ["invalid", "sync_lanterna__people"]
    result = dg.materialize([wrong], raise_on_error=False)
    [failure] = [event for event in result.all_events if event.is_step_failure]
    told = failure.event_specific_data.error.to_string()
    assert "sync_lanterna__people: schedule: '0 25 * * *' is not cron" in told


def test_a_sync_whose_plan_is_in_no_union_fails_for_itself(of_syncs) -> None:
    from orchestration.defs.project import manifest

    edited = json.loads(json.dumps(manifest()))
    add_sync(edited, "sync_lanterna__people")
    edited["parent_map"]["model.cdp.sync_plan"].pop()
    right, wrong = of_syncs.sync_assets(*of_syncs.load_each(edited))
    assert (right.key.path, wrong.key.path[0]) == (["hubspot", SYNC], "invalid")
    [description] = wrong.descriptions_by_key.values()
    assert "to vars.planned_syncs in dbt_project.yml" in description


def add_sync(manifest: dict, name: str) -> None:
    """A second sync with a plan, in the union of plans."""
    plan, source = f"model.cdp.int_activation__{name}", f"model.cdp.{SYNC}"
    for model in (f"model.cdp.{name}", plan):
        node = dict(manifest["nodes"][source], unique_id=model, name=model.split(".")[-1])
        manifest["nodes"][model] = node
        manifest["parent_map"][model] = list(manifest["parent_map"][source])
    manifest["parent_map"][plan] = [f"model.cdp.{name}"]
    manifest["parent_map"]["model.cdp.sync_plan"].append(plan)
    exposure = json.loads(json.dumps(manifest["exposures"][f"exposure.cdp.{SYNC}"]))
    exposure |= {"name": name, "depends_on": {"nodes": [f"model.cdp.{name}"]}}
    manifest["exposures"][f"exposure.cdp.{name}"] = exposure


def test_a_sync_with_times_of_its_own_is_not_in_the_daily_job(defs, scheduled) -> None:
    from orchestration.definitions import defs as all_defs
    from orchestration.defs.schedules import daily_selection

    graph = all_defs.resolve_asset_graph()
    usual = daily_selection({SYNC: scheduled.model_copy(update={"schedule": None})})
    without = daily_selection({SYNC: scheduled})
    missing = usual.resolve(graph) - without.resolve(graph)
    assert {key.to_user_string() for key in missing} == {f"hubspot/{SYNC}"}


# -- alerts


def told(of_alerts, monkeypatch, outcome) -> dg.ExecuteInProcessResult:
    def tell(*_: object) -> Report:
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr(of_alerts, "tell", tell)
    return dg.materialize([of_alerts.alerts], raise_on_error=False)


def test_the_step_shows_who_was_told_what(of_alerts, monkeypatch) -> None:
    change = Change(SYNC, "failing", None, "HTTP_401")
    report = Report(
        [State(SYNC, "failing", "HTTP_401")], {"slack": [change]}, {"email": "SMTP_535"}
    )
    result = told(of_alerts, monkeypatch, report)
    assert result.success, "a channel that fails does not fail the job"
    assert metadata(result, "state__alerts") == {
        "states": {SYNC: "failing"},
        "told": {"slack": [SYNC]},
        "failed": {"email": "SMTP_535"},
    }


def test_a_warehouse_that_cannot_be_read_does_not_fail_the_job(of_alerts, monkeypatch) -> None:
    assert told(of_alerts, monkeypatch, WarehouseBusy("connect")).success


def test_a_run_that_failed_asks_for_an_alert(of_alerts) -> None:
    @dg.op
    def breaks() -> None:
        raise RuntimeError

    @dg.job(name="daily")
    def failing() -> None:
        breaks()

    @dg.job(name="alert")
    def failing_alert() -> None:
        breaks()

    def asked(job: dg.JobDefinition):
        with dg.instance_for_test() as instance:
            result = job.execute_in_process(instance=instance, raise_on_error=False)
            context = dg.build_run_status_sensor_context(
                sensor_name="tell_of_failures",
                dagster_instance=instance,
                dagster_run=result.dagster_run,
                dagster_event=result.get_run_failure_event(),
            ).for_run_failure()
            return result.run_id, of_alerts.tell_of_failures(context)

    run_id, request = asked(failing)
    assert isinstance(request, dg.RunRequest)
    assert request.run_key == run_id
    assert isinstance(asked(failing_alert)[1], dg.SkipReason)
    assert of_alerts.tell_of_failures.default_status == dg.DefaultSensorStatus.RUNNING


def test_a_failed_sync_keeps_the_last_step_from_running(
    of_syncs, of_alerts, spec, run_of, monkeypatch
) -> None:
    """Why there is a sensor."""
    run_of(SyncRun("r1", SYNC, "failed", error_code="HTTP_401"))
    monkeypatch.setattr(of_alerts, "tell", lambda *_: Report([]))
    assets = [of_syncs.sync_asset(spec), of_alerts.alerts]
    result = dg.materialize(assets, raise_on_error=False)
    assert not result.success
    assert not result.asset_materializations_for_node("state__alerts")


def test_the_sensor_is_there_and_asks_for_the_job_of_alerts(defs) -> None:
    from orchestration.definitions import defs as all_defs

    assert [sensor.name for sensor in all_defs.sensors] == ["tell_of_failures"]
    assert [job.name for job in all_defs.sensors[0].jobs] == ["alert"]
