"""What holds a run before its first call, and how a person lets it go, once."""

import copy
from typing import Any

import pytest

from orchestration.sync.endpoint import declared_hashes
from orchestration.sync.facts import read_facts
from orchestration.sync.guards import Facts, Overrides, judge
from orchestration.sync.plan_counts import PlanCounts, tally
from orchestration.sync.run import SyncRun
from orchestration.sync.spec import Guards, load_manifest, load_sync
from orchestration.warehouse import Warehouse, dbt
from tests.sync.lab import SYNC, Lab


def blocked_by(run: SyncRun) -> list[str]:
    assert (run.status, run.calls_made) == ("blocked", 0)
    return run.held_by


def test_a_failed_test_above_the_sync_holds_it(lab: Lab) -> None:
    lab.add_customers(3)
    lab.execute("insert into standin.customers select * from standin.customers limit 1")
    outcome = dbt(["build", "--select", SYNC], project_dir=lab.project)
    assert not outcome.success
    lab.execute("delete from standin.customers", "delete from standin.segment_members")
    lab.add_customers(3, prefix="d")
    assert blocked_by(lab.sync()) == ["failed_tests"]
    assert lab.sync(overrides={"allow_failed_tests": True}).rows_delivered == 3
    # It passes again: nothing is held, and the change is on record.
    assert dbt(["build", "--select", SYNC], project_dir=lab.project).success
    assert lab.sync().status == "succeeded"
    verdicts = lab.fetch("select verdict from state.test_verdicts order by change_number")
    assert [row["verdict"] for row in verdicts] == ["failed", "passed"]


def test_a_failed_test_that_is_taken_out_of_the_project_is_not_remembered(lab: Lab) -> None:
    lab.execute(
        "insert into state.test_verdicts values ('test.cdp.gone', 1, 'failed', current_timestamp)"
    )
    assert dbt(["build", "--select", SYNC], project_dir=lab.project).success
    verdicts = lab.fetch("select verdict from state.test_verdicts order by change_number")
    assert [row["verdict"] for row in verdicts] == ["failed", "removed"]


def test_a_changed_mapping_is_a_full_resync_that_a_person_confirms(lab: Lab) -> None:
    lab.add_customers(5)
    lab.sync()
    lab.execute("update state.sync_runs set mapping_hash = 'of other columns'")
    assert lab.sync().status == "succeeded"  # no row differs: there is nothing to announce
    lab.execute("update state.sync_runs set mapping_hash = 'of other columns'")
    lab.execute("update standin.customers set city = 'Rome'")
    run = lab.sync()
    assert blocked_by(run) == ["mapping_changed"]
    assert next(v.observed for v in run.guards if v.guard == "mapping_changed") == 5
    # A blocked run is not a run with the new mapping.
    assert blocked_by(lab.sync()) == ["mapping_changed"]
    assert lab.sync(overrides={"resync": True}).rows_delivered == 5
    assert lab.sync().status == "succeeded"


def test_nothing_at_all_is_sent_to_another_place(lab: Lab) -> None:
    """Who withdrew would be taken away where they are not, and booked as gone."""
    lab.add_customers(5)
    lab.sync()
    lab.execute(
        "update standin.customer_consents set is_granted = false where customer_id = 'c0001'",
        "update standin.customers set city = 'Rome' where customer_id = 'c0002'",
    )
    before = lab.fetch("select place_hash from state.sync_runs")
    lab.execute("update state.sync_runs set place_hash = 'of another list'")
    run = lab.sync()
    assert blocked_by(run) == ["place_changed"]
    assert next(v.observed for v in run.guards if v.guard == "place_changed") == 5
    assert lab.sync(dry_run=True).held_by == ["place_changed"]
    lab.execute("insert into standin.customer_suppressions values ('c0003', 'erasure')")
    assert blocked_by(lab.sync()) == ["place_changed"]
    assert len(lab.hub.contacts) == 5
    run = lab.sync(overrides={"moved": True})
    assert (run.status, run.rows_removed, run.rows_delivered) == ("succeeded", 2, 1)
    assert lab.sync().calls_made == 0
    hashes = "select place_hash from state.sync_runs order by lease_number desc limit 1"
    assert lab.fetch(hashes)[0] in before


@pytest.mark.parametrize(
    ("change", "is_elsewhere"),
    [
        ({"options": {"list_id": "2"}}, True),
        ({"object": "lists"}, True),
        ({"destination": "klaviyo"}, True),
        ({"guards": Guards(max_removed_rows=1), "schedule": "0 5 * * *"}, False),
        ({"columns": ["email"], "mode": "mirror"}, False),
    ],
)
def test_where_rows_go_is_destination_object_and_options(
    lab: Lab, change: dict[str, Any], is_elsewhere: bool
) -> None:
    spec = load_sync(load_manifest(lab.project), SYNC)
    changed = spec.model_copy(update=change)
    assert (changed.place_hash() != spec.place_hash()) is is_elsewhere


@pytest.mark.parametrize(
    ("destination", "options", "changed"),
    [
        ("http", {"connections": "4", "auth": "basic", "dedupes": "true"}, set()),
        ("http", {"path": "/others"}, {"place_hash"}),
        ("http", {"body": '{"email": "${email}"}'}, {"mapping_hash"}),
        ("braze", {"batch_rows": "10"}, set()),
        ("braze", {"numbers": "points"}, {"mapping_hash"}),
        ("meta", {"chunk_size": "10"}, set()),
        ("s3", {"cells": "raw", "file_rows": "10"}, set()),
        ("s3", {"prefix": "elsewhere"}, {"place_hash"}),
        ("klaviyo", {"resubscribe": "true"}, set()),
        ("klaviyo", {"list_id": "2"}, {"place_hash"}),
        ("google", {"audience_id": "2"}, {"place_hash"}),
    ],
)
def test_an_option_is_a_place_unless_it_says_how_or_what(
    lab: Lab, destination: str, options: dict[str, str], changed: set[str]
) -> None:
    """A wider pipe must not hold an erasure."""
    spec = load_sync(load_manifest(lab.project), SYNC)
    before = declared_hashes(spec.model_copy(update={"destination": destination}))
    change = {"destination": destination, "options": spec.options | options}
    after = declared_hashes(spec.model_copy(update=change))
    assert {name for name in after if after[name] != before[name]} == changed


def test_a_changed_template_is_told_though_no_row_differs() -> None:
    counts = PlanCounts(5, 0, 0, 5, 1, 0, 0, 0, 0)
    facts = Facts(mapping_changed=True, template_changed=True)
    [held] = [v for v in judge(counts, facts, Guards(), Overrides()) if not v.passed]
    assert (held.guard, held.observed) == ("mapping_changed", 5)
    assert all(v.passed for v in judge(counts, facts, Guards(), Overrides(resync=True)))


def test_the_mapping_is_the_columns_and_the_key(lab: Lab) -> None:
    """Hashes of rows leave out the key: with another one, all of them are others."""
    spec = load_sync(load_manifest(lab.project), SYNC)

    def mapping(**change: Any) -> str:
        return spec.model_copy(update=change).mapping_hash()

    assert mapping(columns=spec.columns[::-1]) == spec.mapping_hash()
    assert mapping(columns=spec.columns[:-1]) != spec.mapping_hash()
    assert mapping(key="email") != spec.mapping_hash()


@pytest.mark.parametrize("listed", [100, 101])
def test_who_is_listed_to_be_deleted_is_counted_as_removed(listed: int) -> None:
    """A segment that matches everybody by mistake would empty the CRM."""
    group = {"action": "remove", "reason": "listed", "blocked_reason": None, "n": listed}
    asked = {"action": "remove", "reason": "erasure", "blocked_reason": None, "n": 5000}
    counted = tally([group | {"phase": "3_leavers"}, asked | {"phase": "1_erasures"}])
    counts = PlanCounts(in_model=listed, null_keys=0, duplicate_keys=0, held=0, **counted)
    held = {v.guard for v in judge(counts, Facts(), Guards(), Overrides()) if not v.passed}
    assert held == ({"removed_rows"} if listed > 100 else set())
    confirmed = judge(counts, Facts(), Guards(), Overrides(max_removed_rows=listed))
    assert all(verdict.passed for verdict in confirmed)


def test_a_lost_ledger_is_no_first_run(lab: Lab) -> None:
    lab.add_customers(5)
    lab.sync()
    lab.execute("delete from state.sync_ledger")
    lab.execute("delete from standin.segment_members where customer_id = 'c0005'")
    assert blocked_by(lab.sync()) == ["ledger_lost"]
    run = lab.sync(overrides={"rebaseline": True})
    assert (run.status, run.rows_delivered, run.rows_removed) == ("succeeded", 4, 0)
    assert len(lab.hub.contacts) == 5
    assert lab.sync().calls_made == 0


@pytest.mark.parametrize(
    ("hours_ago", "age"), [([1], 1), ([30], 30), ([30, 2], 2), ([], 24 * 365 * 10)]
)
def test_the_age_of_a_source_is_that_of_its_newest_landing(
    lab: Lab, hours_ago: list[int], age: int
) -> None:
    for hours in hours_ago:
        lab.execute(
            "insert into state.landings (source_name, table_name, verdict, landed_at) values"
            f" ('crm', 'contacts', 'loaded', now()::timestamp - interval {hours} hour)"
        )
    manifest = copy.deepcopy(load_manifest(lab.project))
    source = {"source_name": "crm", "name": "contacts"}
    manifest["sources"]["source.cdp.crm.contacts"] = source
    manifest["parent_map"]["model.cdp.customers"] = ["source.cdp.crm.contacts"]
    spec = load_sync(manifest, SYNC)
    limited = spec.model_copy(update={"guards": Guards(max_source_age_hours=24)})
    with Warehouse.open(project_dir=lab.project) as warehouse:
        assert read_facts(warehouse, spec, manifest).source_age_hours == 0
        facts = read_facts(warehouse, limited, manifest)
    assert facts.source_age_hours == age
    counts = PlanCounts(3, 0, 0, 0, 0, 0, 3, 0, 0)
    held = {v.guard for v in judge(counts, facts, limited.guards, Overrides()) if not v.passed}
    assert held == ({"source_age_hours"} if age > 24 else set())
    confirmed = judge(counts, facts, limited.guards, Overrides(allow_stale=True))
    assert all(verdict.passed for verdict in confirmed)
