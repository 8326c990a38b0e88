"""What a run does to the portal, from first delivery to the last person leaving."""

import copy
import gc
from math import ceil, log2

import pytest

from orchestration.sync import overview
from orchestration.sync.spec import InvalidSync, load_manifest
from tests.fakes.server import Answer, ApiError, Request
from tests.sync.invariants import plays
from tests.sync.lab import SYNC, Lab


def test_first_run_sends_everyone_a_hundred_at_a_time(lab: Lab) -> None:
    lab.add_customers(250)
    run = lab.sync()
    assert (run.status, run.rows_delivered, run.rows_in_model) == ("succeeded", 250, 250)
    assert len(lab.hub.calls) == run.calls_made == ceil(250 / 100)
    assert len(lab.hub.contacts) == 250
    contact = lab.hub.by_email("c0001@example.com")
    assert contact["cdp_segment"] == "champions"
    assert contact["cdp_customer_id"] == "c0001"


def test_second_run_makes_no_call(lab: Lab) -> None:
    lab.add_customers(250)
    lab.sync()
    run = lab.sync()
    assert lab.hub.calls == []
    assert (run.status, run.rows_unchanged, run.rows_planned_upserts) == ("succeeded", 250, 0)


def test_second_run_on_the_same_plan_makes_no_call(lab: Lab) -> None:
    lab.add_customers(120)
    lab.sync()
    run = lab.sync(build=False)
    assert lab.hub.calls == []
    assert (run.status, run.rows_unchanged, run.rows_unsent) == ("succeeded", 120, 0)


def test_a_changed_column_sends_exactly_that_row(lab: Lab) -> None:
    lab.add_customers(250)
    lab.sync()
    lab.execute("update standin.customers set city = 'Lyon' where customer_id = 'c0042'")
    run = lab.sync()
    [call] = lab.hub.calls
    assert len(call.keys) == run.rows_delivered == 1
    assert lab.hub.by_email("c0042@example.com")["city"] == "Lyon"
    lab.sync()
    assert lab.hub.calls == []


def test_a_column_that_is_not_mapped_sends_nothing(lab: Lab) -> None:
    lab.add_customers(10)
    lab.sync()
    lab.execute("insert into standin.segment_members values ('other', 'c0001')")
    lab.sync()
    assert lab.hub.calls == []


def test_null_and_empty_are_different_content(lab: Lab) -> None:
    lab.add_customers(1)
    lab.execute("update standin.customers set city = null")
    lab.sync()
    lab.execute("update standin.customers set city = ''")
    assert lab.sync().rows_delivered == 1


def test_null_leaves_a_field_alone(lab: Lab) -> None:
    lab.hub.add(email="c0001@example.com", city="Paris")
    lab.add_customers(1)
    lab.execute("update standin.customers set city = null")
    lab.sync()
    assert lab.hub.by_email("c0001@example.com")["city"] == "Paris"


def test_who_leaves_the_segment_stays_a_contact_without_membership(lab: Lab) -> None:
    lab.add_customers(3)
    lab.sync()
    lab.execute("delete from standin.segment_members where customer_id = 'c0002'")
    run = lab.sync()
    assert (run.status, run.rows_removed, len(lab.hub.calls)) == ("succeeded", 1, 1)
    contact = lab.hub.by_email("c0002@example.com")
    assert contact["firstname"] == "Ana"
    assert "cdp_segment" not in contact
    lab.sync()
    assert lab.hub.calls == []


def test_who_returns_is_the_same_contact(lab: Lab) -> None:
    lab.add_customers(3)
    lab.sync()
    lab.execute("delete from standin.segment_members where customer_id = 'c0002'")
    lab.sync()
    lab.execute("insert into standin.segment_members values ('champions', 'c0002')")
    assert lab.sync().rows_delivered == 1
    assert len(lab.hub.contacts) == 3
    assert lab.hub.by_email("c0002@example.com")["cdp_segment"] == "champions"


def test_a_changed_email_changes_the_contact(lab: Lab) -> None:
    lab.add_customers(2)
    lab.sync()
    lab.execute("update standin.customers set email = 'n@example.com' where customer_id = 'c0001'")
    lab.sync()
    assert len(lab.hub.contacts) == 2
    assert lab.hub.by_email("c0001@example.com") is None
    assert lab.hub.by_email("n@example.com")["cdp_customer_id"] == "c0001"


def test_a_merge_hands_the_contact_over_and_leaves_it_alone(lab: Lab) -> None:
    lab.add_customers(2)
    lab.sync()
    # c0001 and c0002 turn out to be one person, known as c0002 by the address of c0001.
    lab.execute(
        "delete from standin.segment_members where customer_id = 'c0001'",
        "update standin.customers set email = 'old@example.com' where customer_id = 'c0001'",
    )
    lab.add_customers(1, prefix="m")
    lab.execute(
        "update standin.customers set email = 'c0001@example.com' where customer_id = 'm0001'"
    )
    lab.sync()
    assert lab.hub.by_email("c0001@example.com")["cdp_customer_id"] == "m0001"
    assert lab.hub.by_email("c0001@example.com")["cdp_segment"] == "champions"
    lab.sync()
    assert lab.hub.calls == []


def test_who_was_merged_and_returns_does_not_take_the_contact_back(lab: Lab) -> None:
    lab.add_customers(2)
    lab.sync()
    # c0001 is known as m0001 now, at the same address ...
    lab.execute(
        "delete from standin.segment_members where customer_id = 'c0001'",
        "update standin.customers set email = 'old@example.com' where customer_id = 'c0001'",
    )
    lab.add_customers(1, prefix="m")
    lab.execute(
        "update standin.customers set email = 'c0001@example.com' where customer_id = 'm0001'"
    )
    lab.sync()
    # ... and then it was two people after all.
    lab.execute("insert into standin.segment_members values ('champions', 'c0001')")
    assert lab.sync().status == "succeeded"
    assert len(lab.hub.contacts) == 3
    assert lab.hub.by_email("c0001@example.com")["cdp_customer_id"] == "m0001"
    assert lab.hub.by_email("old@example.com")["cdp_customer_id"] == "c0001"
    lab.sync()
    assert lab.hub.calls == []


@plays("DF16")
def test_a_contact_deleted_over_there_is_made_again(lab: Lab) -> None:
    lab.add_customers(2)
    lab.sync()
    gone = next(i for i, c in lab.hub.contacts.items() if c["cdp_customer_id"] == "c0001")
    lab.hub._forget(gone)
    lab.execute("update standin.customers set city = 'Lyon'")
    run = lab.sync()
    assert (run.status, run.rows_delivered) == ("succeeded", 2)
    assert lab.hub.by_email("c0001@example.com")["city"] == "Lyon"


def test_rows_without_or_with_a_shared_email_are_blocked_and_counted(lab: Lab) -> None:
    lab.add_customers(4)
    lab.execute(
        "update standin.customers set email = null where customer_id = 'c0001'",
        "update standin.customers set email = 'one@example.com' where customer_id > 'c0002'",
    )
    run = lab.sync()
    assert (run.rows_in_model, run.rows_blocked, run.rows_delivered) == (4, 3, 1)


def test_a_dry_run_calls_and_writes_nothing(lab: Lab) -> None:
    lab.add_customers(120)
    lab.sync()
    lab.execute("update standin.customers set city = 'Lyon' where customer_id < 'c0011'")
    before = lab.state()
    run = lab.sync(dry_run=True)
    assert (run.status, run.rows_planned_upserts, lab.hub.calls) == ("dry_run", 10, [])
    assert lab.state() == before


def test_values_that_changed_since_the_plan_wait_for_the_next_one(lab: Lab) -> None:
    lab.add_customers(3)
    lab.build()
    lab.execute(f"update activation.{SYNC} set city = 'Lyon' where cdp_customer_id = 'c0001'")
    run = lab.sync(build=False)
    assert (run.status, run.error_code, run.rows_delivered) == ("partial", "STALE_PLAN", 2)


@plays("DF35")
def test_who_lost_permission_since_the_plan_is_not_sent(lab: Lab) -> None:
    lab.add_customers(3)
    lab.build()
    lab.execute(f"delete from activation.{SYNC} where cdp_customer_id = 'c0001'")
    run = lab.sync(build=False)
    assert (run.status, run.rows_delivered) == ("succeeded", 2)
    assert lab.hub.by_email("c0001@example.com") is None


@plays("DF30")
def test_a_missing_column_stops_before_the_first_call(lab: Lab) -> None:
    lab.add_customers(3)
    lab.build()
    lab.execute(f"alter table activation.{SYNC} drop column city")
    with pytest.raises(InvalidSync, match="city"):
        lab.sync(build=False)
    assert lab.hub.calls == []


def test_counts_of_every_run_add_up(lab: Lab) -> None:
    lab.add_customers(130)
    lab.hub.poison.add("c0007@example.com")
    lab.execute("update standin.customers set email = 'bad' where customer_id = 'c0009'")
    lab.sync()
    lab.execute("delete from standin.segment_members where customer_id > 'c0120'")
    lab.sync()
    runs = lab.fetch("select * from activation.sync_run_history")
    assert len(runs) == 2
    for run in runs:
        assert run["rows_in_model"] == (
            run["rows_unchanged"] + run["rows_blocked"] + run["rows_planned_upserts"]
        )
        planned = run["rows_planned_upserts"] + run["rows_planned_removals"]
        assert planned == run["rows_sent"] + run["rows_unsent"]
        assert run["rows_sent"] == (
            run["rows_delivered"] + run["rows_removed"] + run["rows_rejected"] + run["rows_unknown"]
        )


def test_a_row_that_brings_the_endpoint_down_is_alone_in_the_end(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = lab.hub.answer

    def fall_over(request: Request) -> Answer:
        if b"c0042@" in request.body:
            raise ApiError(500, {"status": "error"})
        return answer(request)

    monkeypatch.setattr(lab.hub, "answer", fall_over)
    lab.add_customers(100)
    there = []
    for _ in range(4):
        lab.sync()
        there.append(len(lab.hub.contacts))
    assert there == [0, 0, 90, 99]
    monkeypatch.undo()
    assert lab.sync().rows_delivered == 1


def test_two_poison_rows_in_a_thousand_cost_a_few_calls_and_nobody_else(lab: Lab) -> None:
    lab.add_customers(1000)
    lab.hub.poison |= {"c0123@example.com", "c0777@example.com"}
    run = lab.sync()
    assert (run.rows_delivered, run.rows_rejected, run.rejections) == (998, 2, {"CONFLICT": 2})
    assert run.calls_made - 10 <= 2 * 2 * log2(100) + 2
    lab.hub.poison.clear()
    run = lab.sync()
    assert (run.status, run.rows_delivered, run.calls_made) == ("succeeded", 2, 1)


def test_a_run_leaves_the_collector_as_it_was(lab: Lab) -> None:
    lab.add_customers(3)
    lab.sync()
    assert gc.get_freeze_count() == 0


def test_how_a_sync_is_can_be_asked_beside_one_that_is_declared_wrong(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the asset does after its run."""
    manifest = copy.deepcopy(load_manifest(lab.project))
    exposure = copy.deepcopy(manifest["exposures"][f"exposure.cdp.{SYNC}"])
    exposure["name"] = "sync_lanterna__people"
    exposure["depends_on"]["nodes"] = []
    manifest["exposures"]["exposure.cdp.sync_lanterna__people"] = exposure
    monkeypatch.setattr(overview, "load_manifest", lambda _: manifest)
    wrong = "sync_lanterna__people"
    fine, told = overview.overview(project_dir=lab.project)
    assert (fine["sync_name"], fine["state"]) == (SYNC, "never_ran")
    assert (told["sync_name"], told["state"]) == (wrong, "invalid")
    assert told["problem"].startswith(f"{wrong}: ")
    assert overview.overview(None, SYNC, project_dir=lab.project) == [fine]
    with pytest.raises(InvalidSync, match=wrong):
        overview.overview(None, wrong, project_dir=lab.project)
