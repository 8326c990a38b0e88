"""Endpoints that refuse rows, ask to wait, lose answers or fall silent."""

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from math import ceil, log2

import pytest

from orchestration.destinations.base import Limits
from orchestration.sync.http import Policy
from tests.fakes.server import Fault
from tests.sync.invariants import plays
from tests.sync.lab import Lab, customer_keys, statuses

pytestmark = pytest.mark.usefixtures("invariants_hold")


@plays("DF06", "DF08")
def test_a_refused_row_does_not_hold_the_others(lab: Lab) -> None:
    lab.add_customers(120)
    lab.execute("update standin.customers set email = 'bad' where customer_id = 'c0009'")
    run = lab.sync()
    assert (run.status, run.rows_delivered, run.rows_rejected) == ("partial", 119, 1)
    assert run.rejections == {"INVALID_EMAIL": 1}
    assert len(lab.hub.calls) == 2


@plays("DF07")
def test_a_poison_row_is_found_by_halving(lab: Lab) -> None:
    lab.add_customers(100)
    lab.hub.poison.add("c0007@example.com")
    run = lab.sync()
    assert (run.rows_delivered, run.rows_rejected) == (99, 1)
    assert run.calls_made - 1 <= 2 * ceil(log2(100)) + 1
    [rejected] = lab.fetch("select * from activation.sync_outcomes where status = 'rejected'")
    assert (rejected["row_key"], rejected["error_code"]) == ("c0007", "CONFLICT")


def test_a_refused_row_is_tried_again_a_few_times_and_then_waits_for_a_change(lab: Lab) -> None:
    lab.add_customers(5)
    lab.execute("update standin.customers set email = 'bad' where customer_id = 'c0003'")
    calls = []
    for _ in range(5):
        run = lab.sync()
        calls.append(len(lab.hub.calls))
    assert calls == [1, 1, 1, 0, 0]
    assert (run.status, run.rows_blocked) == ("succeeded", 1)
    lab.execute("update standin.customers set email = 'c3@example.com' where customer_id = 'c0003'")
    assert lab.sync().rows_delivered == 1


def test_bad_rows_one_by_one_do_not_stop_the_others(lab: Lab) -> None:
    lab.add_customers(20)
    lab.execute("update standin.customers set email = customer_id where customer_id <= 'c0010'")
    destination = lab.hubspot()
    destination.limits = Limits(batch_rows=1, rates=((1000, 1),))
    run = lab.sync(destination=destination)
    assert (run.rows_delivered, run.rows_rejected, run.calls_made) == (10, 10, 20)


def test_a_refused_row_arrives_when_the_endpoint_changes_its_mind(lab: Lab) -> None:
    lab.add_customers(3)
    lab.hub.poison.add("c0002@example.com")
    lab.sync()
    lab.hub.poison.clear()
    run = lab.sync()
    assert (run.status, run.rows_delivered) == ("succeeded", 1)


def test_an_endpoint_that_refuses_everything_is_given_up(lab: Lab) -> None:
    lab.add_customers(1000)
    lab.hub.properties.discard("city")
    run = lab.sync()
    assert (run.status, run.error_code) == ("failed", "NOTHING_ARRIVES")
    assert run.calls_made <= 3 * 60
    assert run.rows_unsent == 700
    # Only rows refused by themselves count as refused; the others are not given up.
    assert run.rows_rejected < run.rows_unknown
    lab.hub.properties.add("city")
    lab.hub.contract_violations.clear()
    assert lab.sync().rows_delivered == 1000


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [
        ("2", 2, 3),
        ("0.5", 0.5, 1.5),
        (lambda: format_datetime(datetime.now(UTC) + timedelta(seconds=110), usegmt=True), 50, 111),
        (None, 0, 0),
        ("soon", 0, 0),
    ],
)
@plays("DF02")
def test_too_many_requests_waits_as_told(lab: Lab, header, least: float, most: float) -> None:
    lab.add_customers(3)
    value = header() if callable(header) else header
    lab.hub.faults.append(Fault(429, {"Retry-After": value} if value else {}))
    run = lab.sync()
    assert (run.status, run.rows_delivered, run.calls_made) == ("succeeded", 3, 2)
    [waited] = lab.waits
    assert least <= waited <= most


@plays("DF03")
def test_a_wait_beyond_reason_ends_the_run(lab: Lab) -> None:
    lab.add_customers(250)
    lab.hub.faults.append(Fault(429, {"Retry-After": "86400"}))
    run = lab.sync()
    assert (run.error_code, run.rows_unsent, lab.waits) == ("RETRY_AFTER_TOO_LONG", 150, [])
    assert lab.sync().rows_delivered == 250


def test_server_errors_are_tried_again(lab: Lab) -> None:
    lab.add_customers(3)
    lab.hub.faults.extend([Fault(500), Fault(503), Fault(502)])
    run = lab.sync()
    assert (run.status, run.calls_made) == ("succeeded", 4)


@plays("DF05")
def test_a_dead_endpoint_ends_the_run_and_nothing_is_lost(lab: Lab) -> None:
    lab.add_customers(1000)
    lab.hub.faults.extend([Fault(500)] * 100)
    run = lab.sync()
    assert (run.ok, run.error_code, run.rows_unknown) == (False, "NOTHING_ARRIVES", 300)
    assert run.calls_made == 3 * 4
    lab.hub.faults.clear()
    assert lab.sync().rows_delivered == 1000
    assert len(lab.hub.contacts) == 1000


@pytest.mark.parametrize(
    "fault",
    [
        Fault(applies=True, hangs_up=True),
        Fault(applies=True, truncates=True),
        Fault(200, body=b"<html>welcome</html>", applies=True),
        Fault(200, body=b"", applies=True),
        Fault(500, applies=True),
        Fault(applies=True, resets=True),
    ],
    ids=["lost reply", "half a reply", "html", "empty", "500 after the work", "reset"],
)
@plays("DF09", "DF10", "DF11")
def test_an_answer_that_is_lost_makes_no_second_contact(lab: Lab, fault: Fault) -> None:
    lab.add_customers(3)
    lab.hub.faults.append(fault)
    run = lab.sync()
    assert (run.status, run.rows_delivered) == ("succeeded", 3)
    assert customer_keys(lab) == ["c0001", "c0002", "c0003"]


@plays("DF08")
@pytest.mark.parametrize("applies", [True, False])
def test_a_row_that_an_answer_does_not_mention_is_not_delivered(lab: Lab, applies: bool) -> None:
    lab.add_customers(3)
    body = b'{"status": "COMPLETE", "results": []}'
    lab.hub.faults.append(Fault(200, body=body, applies=applies))
    run = lab.sync()
    assert (run.ok, run.rows_delivered, run.rows_unknown) == (False, 0, 3)
    assert lab.sync().rows_delivered == 3
    assert customer_keys(lab) == ["c0001", "c0002", "c0003"]


def test_answers_lost_for_good_are_unknown_and_settled_by_the_next_run(lab: Lab) -> None:
    lab.add_customers(3)
    lab.hub.faults.extend([Fault(applies=True, hangs_up=True)] * 4)
    run = lab.sync()
    assert (run.status, run.rows_unknown) == ("failed", 3)
    assert statuses(lab) == {"unknown": 3}
    # Meanwhile one of them has another address: found by the customer key, not made twice.
    lab.execute("update standin.customers set email = 'n@example.com' where customer_id = 'c0001'")
    run = lab.sync()
    assert (run.status, run.rows_delivered) == ("succeeded", 3)
    assert customer_keys(lab) == ["c0001", "c0002", "c0003"]


def test_a_person_whose_delivery_is_in_doubt_can_still_leave(lab: Lab) -> None:
    lab.add_customers(3)
    lab.hub.faults.extend([Fault(applies=True, hangs_up=True)] * 4)
    lab.sync()
    lab.execute("update standin.customer_consents set is_granted = false")
    lab.execute("delete from standin.customers")
    run = lab.sync()
    assert (run.status, run.rows_removed) == ("blocked", 3)
    assert not any("cdp_segment" in contact for contact in lab.hub.contacts.values())


@plays("DF12")
def test_a_slow_drip_ends_with_the_deadline(lab: Lab) -> None:
    lab.add_customers(3)
    policy = Policy(tries=2, first_wait=0, max_wait=0, exchange_deadline=1.0)
    lab.build()
    lab.hub.faults.extend([Fault(seconds_per_byte=0.2)] * 2)
    started = time.monotonic()
    run = lab.sync(build=False, destination=lab.hubspot(policy))
    assert run.rows_unknown == 3
    assert time.monotonic() - started < 2 * 1.0 + 4.0
    assert lab.sync().rows_delivered == 3
