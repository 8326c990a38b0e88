"""The lineage that Dagster shows: from raw tables through every layer to destinations.

Rules hold for every asset; the one picture kept is which layer feeds which (`layers.txt`).
"""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

LAYERS = Path(__file__).with_name("layers.txt")
STATE_GROUPS = {
    "landings": "raw",
    "landing_rejections": "raw",
    "identity_decisions": "identity",
    "clv_parameters": "marts",
    "test_verdicts": "activation",
    "sync_ledger": "destinations",
    "sync_identifiers": "destinations",
    "sync_jobs": "destinations",
    "sync_matches": "destinations",
    "sync_runs": "destinations",
    "alerts": "destinations",
    "access_answers": "rights",
    "erasures": "rights",
    "erased_rows": "rights",
    "erased_identifiers": "rights",
    "erasure_salts": "rights",
}
# No model reads them, so dbt alone runs the tests of their declaration.
UNREAD = {"sync_jobs", "erased_identifiers"}
LEDGER = {f"state/sync_{table}" for table in ("ledger", "identifiers", "jobs", "matches", "runs")}


@pytest.fixture(scope="module")
def defs() -> Iterator[dg.Definitions]:
    # Loading them sets this variable, which other tests' dbt must not see.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DBT_INDIRECT_SELECTION", "buildable")
        from orchestration.definitions import defs

        yield defs


@pytest.fixture(scope="module")
def nodes(defs) -> list[dict]:
    """What dbt declares."""
    from orchestration.defs.project import manifest

    kinds = ("nodes", "sources", "exposures")
    return [node for kind in kinds for node in manifest()[kind].values()]


@pytest.fixture(scope="module")
def graph(defs):
    return defs.resolve_asset_graph()


@pytest.fixture(scope="module")
def parents(graph) -> dict[str, set[str]]:
    """Assets by name, with those they are made from."""
    return {
        key.to_user_string(): {parent.to_user_string() for parent in graph.get(key).parent_keys}
        for key in graph.get_all_asset_keys()
    }


@pytest.fixture(scope="module")
def groups(graph) -> dict[str, str]:
    return {key.to_user_string(): graph.get(key).group_name for key in graph.get_all_asset_keys()}


def of_type(nodes: list[dict], resource_type: str) -> list[dict]:
    return [node for node in nodes if node["resource_type"] == resource_type]


def ancestors(parents: dict[str, set[str]], name: str) -> set[str]:
    found: set[str] = set()
    waiting = [name]
    while waiting:
        new = parents[waiting.pop()] - found
        found |= new
        waiting.extend(new)
    return found


def test_layers_feed_each_other_as_in_the_picture(parents, groups):
    edges = {
        f"{groups[parent]} -> {groups[child]}"
        for child in parents
        for parent in parents[child]
        if groups[parent] != groups[child]
    }
    assert sorted(edges) == LAYERS.read_text().splitlines()


def test_every_model_and_seed_is_an_asset_grouped_by_its_layer(nodes, groups):
    expected = {
        f"{node['schema']}/{node['name']}": node["fqn"][1] for node in of_type(nodes, "model")
    }
    expected |= {f"seeds/{node['name']}": "seeds" for node in of_type(nodes, "seed")}
    schemas = {name.split("/")[0] for name in expected}
    assert {name: g for name, g in groups.items() if name.split("/")[0] in schemas} == expected


def test_every_source_table_is_an_asset_that_somebody_makes(nodes, groups, graph):
    expected = {
        f"{node['source_name']}/{node['name']}": STATE_GROUPS[node["name"]]
        if node["source_name"] == "state"
        else "raw"
        for node in of_type(nodes, "source")
    }
    assert {name: groups[name] for name in expected} == expected
    unmade = {key.to_user_string() for key in graph.external_asset_keys}
    assert unmade == {
        *LEDGER,  # written by the syncs,
        "state/test_verdicts",  # by dbt,
        "state/identity_decisions",  # and by people
        *(f"state/{table}" for table, group in STATE_GROUPS.items() if group == "rights"),
    }


def test_the_fit_stands_between_the_histograms_and_the_scores(parents):
    assert parents["state/clv_parameters"] == {
        "marts/clv_histogram",
        "marts/clv_spend_histogram",
    }
    assert "state/clv_parameters" in ancestors(parents, "marts/customer_lifetime_value")


def test_the_publication_is_downstream_of_the_public_tables(nodes, parents):
    public = {
        f"{node['schema']}/{node['name']}"
        for node in of_type(nodes, "model")
        if "__" not in node["name"]
        and node["config"]["meta"].get(
            "publish", node["fqn"][1] in ("profiles", "marts", "segments")
        )
    }
    assert parents["published/marts"] == public
    assert {"identity/customer_id_redirects", "identity/customer_households"} <= public


def test_every_sync_exposure_is_an_asset_downstream_of_its_model(nodes, parents, groups):
    syncs = {
        f"{node['meta']['sync']['destination']}/{node['name']}": node["name"]
        for node in of_type(nodes, "exposure")
        if "sync" in node["meta"]
    }
    executable = {name for name, group in groups.items() if group == "destinations"}
    assert executable - LEDGER - {"state/alerts"} == set(syncs)
    for asset, model in syncs.items():
        assert parents[asset] == {f"activation/{model}", "activation/sync_plan"}
        assert {"crm/contacts", "pos/receipts"} <= ancestors(parents, asset), "back to the files"


def test_every_data_test_is_a_check_of_one_asset(nodes, graph):
    checks = sorted(key.name for key in graph.asset_check_keys)
    data_tests = [
        node["name"]
        for node in of_type(nodes, "test")
        if not any(parent.split(".")[-1] in UNREAD for parent in node["depends_on"]["nodes"])
    ]
    of_a_sync = ["no_row_was_refused", "no_guard_held_it", "nothing_waits_for_somebody"]
    assert checks == sorted([*data_tests, *of_a_sync])


def test_steps_that_open_the_warehouse_run_one_at_a_time(graph):
    pools = {made.op.name: made.op.pool for made in graph.assets_defs if made.is_executable}
    assert set(pools) > {"landing", "warehouse", "published__marts", "state__clv_parameters"}
    assert set(pools.values()) == {"warehouse"}


def test_the_daily_job_makes_and_checks_everything(defs, graph):
    job = defs.resolve_job_def("daily")
    assert job.asset_layer.selected_asset_keys == graph.materializable_asset_keys
    assert job.asset_layer.asset_graph.asset_check_keys == graph.asset_check_keys


def test_the_schedule_builds_the_day_it_runs_on(defs):
    schedule = next(s for s in defs.schedules if s.name == "every_morning")
    assert (schedule.job_name, schedule.cron_schedule) == ("daily", "0 4 * * *")
    assert schedule.execution_timezone == "Europe/Paris"
    tick = dt.datetime(2026, 3, 1, 4, tzinfo=ZoneInfo("Europe/Paris"))
    request = schedule(dg.build_schedule_context(scheduled_execution_time=tick))
    assert request.tags["cdp/as_of"] == "2026-03-01"


def test_alerts_are_the_last_step_and_a_job_of_their_own(defs, graph, parents):
    syncs = {made for made, above in parents.items() if "activation/sync_plan" in above}
    syncs &= {key.to_user_string() for key in graph.materializable_asset_keys}
    assert parents["state/alerts"] >= {s for s in syncs if not s.startswith("activation/")}
    assert parents["state/alerts"] >= {"activation/alert_states"}
    assert not [name for name, above in parents.items() if "state/alerts" in above]
    job = defs.resolve_job_def("alert")
    assert {key.to_user_string() for key in job.asset_layer.selected_asset_keys} == {"state/alerts"}
    hourly = next(s for s in defs.schedules if s.name == "every_hour")
    assert hourly.job_name == "alert"
