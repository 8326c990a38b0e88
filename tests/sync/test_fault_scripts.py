"""Endpoints that refuse, stall, lie and hang up; and a process that dies in between."""

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from math import ceil, log2

import pytest

from orchestration.sync.delivery import Patience
from orchestration.sync.http import Policy
from orchestration.sync.lease import SyncBusy
from orchestration.warehouse import ROOT
from tests.fakes.server import Fault
from tests.sync.conftest import SYNC, Lab


def customer_keys(lab: Lab) -> list[str]:
    return sorted(contact["cdp_customer_id"] for contact in lab.hub.contacts.values())


def statuses(lab: Lab) -> dict[str, int]:
    sql = "select status, count(*) as n from activation.sync_outcomes group by status"
    return {row["status"]: row["n"] for row in lab.fetch(sql)}


def test_a_refused_row_does_not_hold_the_others(lab: Lab) -> None:
    lab.add_customers(120)
    lab.execute("update standin.customers set email = 'bad' where customer_id = 'c0009'")
    run = lab.sync()
    assert (run.status, run.rows_delivered, run.rows_rejected) == ("partial", 119, 1)
    assert run.rejections == {"INVALID_EMAIL": 1}
    assert len(lab.hub.calls) == 2


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
def test_too_many_requests_waits_as_told(lab: Lab, header, least: float, most: float) -> None:
    lab.add_customers(3)
    value = header() if callable(header) else header
    lab.hub.faults.append(Fault(429, {"Retry-After": value} if value else {}))
    run = lab.sync()
    assert (run.status, run.rows_delivered, run.calls_made) == ("succeeded", 3, 2)
    [waited] = lab.waits
    assert least <= waited <= most


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
    ],
    ids=["lost reply", "half a reply", "html", "empty", "500 after the work"],
)
def test_an_answer_that_is_lost_makes_no_second_contact(lab: Lab, fault: Fault) -> None:
    lab.add_customers(3)
    lab.hub.faults.append(fault)
    run = lab.sync()
    assert (run.status, run.rows_delivered) == ("succeeded", 3)
    assert customer_keys(lab) == ["c0001", "c0002", "c0003"]


def test_answers_lost_for_good_are_unknown_and_settled_by_the_next_run(lab: Lab) -> None:
    lab.add_customers(3)
    lab.hub.faults.extend([Fault(applies=True, hangs_up=True)] * 4)
    run = lab.sync()
    assert (run.status, run.rows_unknown) == ("partial", 3)
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


@pytest.mark.parametrize("status", [401, 403])
def test_bad_credentials_stop_at_once(lab: Lab, status: int) -> None:
    lab.add_customers(250)
    lab.hub.faults.append(Fault(status))
    run = lab.sync()
    assert (run.status, run.error_code) == ("failed", f"HTTP_{status}")
    assert (run.calls_made, run.rows_rejected, run.rows_unsent) == (1, 0, 150)
    assert lab.sync().rows_delivered == 250


def test_a_redirect_is_not_followed(lab: Lab) -> None:
    lab.add_customers(3)
    lab.hub.faults.append(Fault(307, {"Location": lab.hub.url + "/elsewhere"}))
    run = lab.sync()
    assert (run.error_code, run.calls_made) == ("REDIRECT_REFUSED", 1)
    assert len(lab.hub.calls) == 1


def test_removals_survive_faults_too(lab: Lab) -> None:
    lab.add_customers(30)
    lab.sync()
    lab.execute("delete from standin.segment_members where customer_id <= 'c0020'")
    lab.hub.faults.extend([Fault(applies=True, hangs_up=True)] * 4)
    assert lab.sync().rows_unknown == 20
    run = lab.sync()
    assert (run.status, run.rows_removed) == ("succeeded", 20)


def test_the_deadline_of_a_run_leaves_the_rest_for_the_next(lab: Lab) -> None:
    lab.add_customers(250)
    run = lab.sync(patience=Patience(run_deadline=0.0))
    assert (run.status, run.error_code, run.rows_unsent) == ("failed", "RUN_DEADLINE", 250)
    assert lab.sync().rows_delivered == 250


RUN = """
import sys
from pathlib import Path
from orchestration.sync.run import run_sync
run_sync(sys.argv[1], project_dir=Path(sys.argv[2]))
"""


def start_run(lab: Lab) -> subprocess.Popen:
    environment = os.environ | {
        "HUBSPOT_TOKEN": lab.hub.token,
        "HUBSPOT_BASE_URL": lab.hub.url,
        "DO_NOT_TRACK": "1",
    }
    command = [sys.executable, "-c", RUN, SYNC, str(lab.project)]
    return subprocess.Popen(command, cwd=ROOT, env=environment)


def test_killed_between_intent_and_outcome_the_next_run_converges(lab: Lab) -> None:
    lab.add_customers(250)
    lab.build()
    processes: list[subprocess.Popen] = []

    def kill(call) -> None:
        if len(lab.hub.calls) == 2:
            os.kill(processes[0].pid, signal.SIGKILL)

    lab.hub.on_applied = kill
    processes.append(start_run(lab))
    assert processes[0].wait(timeout=120) == -signal.SIGKILL
    lab.hub.on_applied = None
    # The second batch was sent and the third was about to be.
    assert statuses(lab) == {"delivered": 100, "unknown": 150}

    run = lab.sync(build=False)
    assert (run.status, run.rows_delivered) == ("succeeded", 150)
    assert len(lab.hub.contacts) == 250
    lab.sync()
    assert lab.hub.calls == []
    history = lab.fetch("select status from activation.sync_run_history order by started_at")
    assert [row["status"] for row in history] == ["running", "succeeded", "succeeded"]


def test_a_second_run_at_the_same_time_is_turned_away(lab: Lab) -> None:
    lab.add_customers(3)
    lab.build()
    turned_away: list[Exception] = []

    def meanwhile(call) -> None:
        try:
            lab.sync(build=False)
        except SyncBusy as busy:
            turned_away.append(busy)

    lab.hub.on_applied = meanwhile
    run = lab.sync(build=False)
    assert (run.status, len(turned_away)) == ("succeeded", 1)
