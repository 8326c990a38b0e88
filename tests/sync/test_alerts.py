"""People are told when a state changes, once, and everybody who could not be reached later."""

import copy
import json
import sys
import time
from collections.abc import Iterator

import pytest

from orchestration.alerts import Report, tell
from orchestration.alerts.channels import (
    Channel,
    DeliveryFailed,
    Slack,
    Webhook,
    channels_from_environment,
)
from orchestration.alerts.states import Change, State, changes
from orchestration.sync.http import Policy
from orchestration.sync.safe_url import UrlGuard
from orchestration.sync.spec import load_manifest
from tests.fakes.alerts import FakeHook, FakeSlack
from tests.fakes.server import Fault
from tests.sync.lab import SYNC, Lab

QUICK = Policy(tries=2, first_wait=0.0, max_wait=0.0, exchange_deadline=2.0)
LOCAL = UrlGuard("127.0.0.1")
NEWS = [Change("sync_crm__people", "failing", "ok", "HTTP_401 rows_unsent=3")]


@pytest.fixture
def hook() -> Iterator[FakeHook]:
    with FakeHook() as fake:
        yield fake


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        yield fake


def webhook(hook: FakeHook) -> Webhook:
    return Webhook(hook.url + "/alerts?team=data", LOCAL, hook.token, QUICK)


def told(lab: Lab, *to: Channel) -> Report:
    return tell(project_dir=lab.project, channels=to)


def alerts(lab: Lab) -> list[dict]:
    return lab.fetch("select * from state.alerts order by alert_number")


def last_changes(hook: FakeHook) -> dict[str, dict]:
    return {change["subject"]: change for change in hook.received[-1]["changes"]}


# -- what there is to tell


@pytest.mark.parametrize(
    ("before", "now", "is_told"),
    [
        (None, "ok", False),
        (None, "failing", True),
        ("ok", "ok", False),
        ("ok", "degraded", True),
        ("failing", "failing", False),
        ("degraded", "failing", True),
        ("failing", "ok", True),
    ],
)
def test_a_state_is_told_when_it_is_not_what_was_told_last(before, now, is_told) -> None:
    found = changes([State("s", now, "")], {"s": before} if before else {})
    assert found == ([Change("s", now, before, "")] if is_told else [])


def test_severity_tells_a_recovery_from_a_failure() -> None:
    states = ("ok", "degraded", "stale", "blocked", "failing")
    assert [Change("s", state, None, "").severity for state in states] == [
        "info",
        "warning",
        "warning",
        "critical",
        "critical",
    ]


# -- from a run to a message


def test_what_has_always_been_fine_is_not_mentioned(lab: Lab, hook: FakeHook) -> None:
    lab.add_customers(3)
    lab.sync()
    report = told(lab, webhook(hook))
    assert {state.subject: state.state for state in report.states} == {SYNC: "ok", "tests": "ok"}
    assert (hook.received, report.told) == ([], {})


def test_a_failure_and_its_end_are_told_once_each(lab: Lab, hook: FakeHook) -> None:
    lab.add_customers(3)
    lab.hub.faults.extend([Fault(status=401)] * 2)
    assert lab.sync().status == "failed"
    told(lab, webhook(hook))
    told(lab, webhook(hook))
    assert len(hook.received) == 1
    failing = {
        "subject": SYNC,
        "state": "failing",
        "previous_state": None,
        "detail": "HTTP_401 rows_unknown=3",
        "severity": "critical",
    }
    assert hook.received[0] == {"source": "cdp", "changes": [failing]}
    lab.hub.faults.clear()
    assert lab.sync().ok
    told(lab, webhook(hook))
    told(lab, webhook(hook))
    assert len(hook.received) == 2
    recovered = last_changes(hook)[SYNC]
    assert (recovered["state"], recovered["previous_state"]) == ("ok", "failing")
    assert recovered["severity"] == "info"
    assert [(a["state"], a["previous_state"]) for a in alerts(lab)] == [
        ("failing", None),
        ("ok", "failing"),
    ]
    assert hook.contract_violations == []


def test_a_held_run_is_told_with_the_guard(lab: Lab, hook: FakeHook) -> None:
    lab.add_customers(150)
    lab.sync()
    lab.execute("delete from standin.segment_members")
    assert lab.sync().status == "blocked"
    told(lab, webhook(hook))
    change = last_changes(hook)[SYNC]
    assert (change["state"], change["detail"]) == (
        "blocked",
        "GUARD_MODEL_EMPTIED rows_unsent=150",
    )


def test_refused_rows_degrade_a_sync(lab: Lab, hook: FakeHook) -> None:
    lab.add_customers(3)
    lab.execute("update standin.customers set email = 'no address' where customer_id = 'c0002'")
    assert lab.sync().status == "partial"
    told(lab, webhook(hook))
    change = last_changes(hook)[SYNC]
    assert (change["state"], change["detail"]) == ("degraded", "rows_rejected=1")
    text = json.dumps(hook.received) + json.dumps(alerts(lab), default=str)
    assert "no address" not in text
    assert "c0002" not in text


def test_a_sync_that_has_not_run_for_long_is_stale(lab: Lab, hook: FakeHook) -> None:
    lab.add_customers(1)
    lab.sync()
    lab.execute("update state.sync_runs set recorded_at = recorded_at - interval 35 hour")
    told(lab, webhook(hook))
    assert hook.received == []
    lab.execute("update state.sync_runs set recorded_at = recorded_at - interval 2 hour")
    told(lab, webhook(hook))
    assert last_changes(hook)[SYNC]["state"] == "stale"


def test_identity_landings_and_tests_are_subjects_too(lab: Lab, hook: FakeHook) -> None:
    lab.execute(
        "insert into standin.identity_health values (date '2026-01-02', true, 2, 500, 7)",
        "insert into state.landings (source_name, table_name, file_name, verdict, landed_at)"
        " values ('crm', 'contacts', 'a.csv', 'refused', current_timestamp)",
        "insert into state.test_verdicts values ('test.cdp.x', 1, 'failed', current_timestamp)",
    )
    told(lab, webhook(hook))
    assert {s: (c["state"], c["detail"]) for s, c in last_changes(hook).items()} == {
        "identity": ("failing", "customers=2 largest_records=500 merged=7"),
        "landings": ("failing", "refused_files=1"),
        "tests": ("failing", "failed_tests=1"),
    }


def test_before_the_first_build_there_is_nothing_to_tell(lab: Lab, hook: FakeHook) -> None:
    lab.execute("drop view activation.alert_states")
    assert told(lab, webhook(hook)).states == []


# -- a channel that cannot be reached


def test_who_was_not_reached_is_told_next_time_and_nobody_else_twice(
    lab: Lab, hook: FakeHook, slack: FakeSlack
) -> None:
    lab.add_customers(1)
    lab.hub.faults.append(Fault(status=403))
    lab.sync()
    both = (webhook(hook), Slack(slack.url + slack.path, LOCAL, QUICK))
    hook.faults.extend([Fault(status=503)] * QUICK.tries)
    report = told(lab, *both)
    assert report.failed == {"webhook": "HTTP_503"}
    assert list(report.told) == ["slack"]
    report = told(lab, *both)
    assert (report.failed, list(report.told)) == ({}, ["webhook"])
    assert len(slack.texts) == len(hook.received) == 1
    assert [alert["channel"] for alert in alerts(lab)] == ["slack", "webhook"]


def test_what_breaks_in_a_channel_is_its_failure_alone(
    lab: Lab, hook: FakeHook, slack: FakeSlack, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(Channel):
        name = "broken"

        def send(self, news: object) -> None:
            raise IndexError("jane@example.com")

    lab.execute("insert into state.test_verdicts values ('x', 1, 'failed', current_timestamp)")
    depth = 200_000
    hook.faults.append(Fault(status=200, body=b"[" * depth + b"]" * depth))
    reached = Slack(slack.url + slack.path, LOCAL, QUICK)
    report = told(lab, Broken(), webhook(hook), reached)
    assert report.failed.pop("broken") == "INDEXERROR"
    # Deeply nested JSON is no answer to a webhook, or a 200: nobody reads it.
    assert set(report.failed.values()) <= {"RECURSIONERROR", "NOT_JSON"}
    assert "slack" in report.told
    assert len(slack.texts) == 1
    assert "jane" not in caplog.text


def test_a_sync_that_is_declared_wrong_is_failing(lab: Lab, hook: FakeHook, monkeypatch) -> None:
    lab.add_customers(1)
    lab.sync()
    manifest = copy.deepcopy(load_manifest(lab.project))
    manifest["parent_map"]["model.cdp.sync_plan"] = []
    with monkeypatch.context() as patch:
        # By attributes, `orchestration.alerts.tell` is the function.
        module = sys.modules["orchestration.alerts.tell"]
        patch.setattr(module, "load_manifest", lambda _: manifest)
        told(lab, webhook(hook))
        told(lab, webhook(hook))
    [change] = hook.received[0]["changes"]
    assert (change["subject"], change["state"]) == (SYNC, "failing")
    assert change["detail"] == "INVALID_DECLARATION"
    told(lab, webhook(hook))
    assert len(hook.received) == 2
    assert last_changes(hook)[SYNC]["state"] == "ok"


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault(status=302, headers={"Location": "http://127.0.0.1:1/"}), "REDIRECT_REFUSED"),
        (Fault(status=401), "HTTP_401"),
        (Fault(status=404, body=b"jane@example.com"), "HTTP_404"),
        (Fault(hangs_up=True), "CONNECTION_LOST"),
        (Fault(seconds_per_byte=1.0, status=200, body=b"drip, drip"), "EXCHANGE_DEADLINE"),
    ],
)
def test_a_failed_delivery_is_a_code(hook: FakeHook, fault: Fault, code: str) -> None:
    hook.faults.extend([fault] * QUICK.tries)
    with pytest.raises(DeliveryFailed) as failure:
        webhook(hook).send(NEWS)
    assert str(failure.value) == failure.value.code == code


def test_a_wrong_token_is_a_code(hook: FakeHook) -> None:
    with pytest.raises(DeliveryFailed, match="HTTP_401"):
        Webhook(hook.url, LOCAL, "wrong", QUICK).send(NEWS)


# -- Slack


def test_slack_gets_escaped_text(slack: FakeSlack) -> None:
    odd = [*NEWS, Change("sync_a&b__<c>", "ok", "failing", "")]
    Slack(slack.url + slack.path, LOCAL, QUICK).send(odd)
    assert slack.texts == [
        "*sync_crm__people* is failing (was ok): HTTP_401 rows_unsent=3\n"
        "*sync_a&amp;b__&lt;c&gt;* is ok (was failing)"
    ]
    assert slack.contract_violations == []


def test_a_revoked_slack_webhook_is_a_code(slack: FakeSlack) -> None:
    with pytest.raises(DeliveryFailed, match="HTTP_404"):
        Slack(slack.url + "/services/T0/B0/gone", LOCAL, QUICK).send(NEWS)


# -- configuration


@pytest.fixture
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("WEBHOOK_URL", "WEBHOOK_TOKEN", "SLACK_URL", "EMAIL_TO", "EMAIL_FROM"):
        monkeypatch.delenv(f"CDP_ALERT_{name}", raising=False)
    for name in ("HOST", "PORT", "USER", "PASSWORD"):
        monkeypatch.delenv(f"CDP_ALERT_SMTP_{name}", raising=False)
    monkeypatch.delenv("CDP_WEBHOOK_ALLOWED_HOSTS", raising=False)
    return monkeypatch


def test_without_settings_nobody_is_told(nothing_set) -> None:
    assert channels_from_environment() == ([], {})


def test_all_channels_come_from_the_environment(nothing_set, hook: FakeHook) -> None:
    nothing_set.setenv("CDP_WEBHOOK_ALLOWED_HOSTS", "127.0.0.1")
    nothing_set.setenv("CDP_ALERT_WEBHOOK_URL", hook.url)
    nothing_set.setenv("CDP_ALERT_WEBHOOK_TOKEN", hook.token)
    nothing_set.setenv("CDP_ALERT_SLACK_URL", "https://hooks.slack.com/services/T0/B0/x")
    nothing_set.setenv("CDP_ALERT_EMAIL_TO", "a@example.com, b@example.com")
    nothing_set.setenv("CDP_ALERT_EMAIL_FROM", "cdp@example.com")
    nothing_set.setenv("CDP_ALERT_SMTP_HOST", "smtp.example.com")
    found, wrong = channels_from_environment()
    assert ([channel.name for channel in found], wrong) == (["webhook", "slack", "email"], {})
    found[0].send(NEWS)
    assert len(hook.received) == 1


MAIL = {
    "EMAIL_TO": "a@example.com, Ana Ruiz <ana@example.com>",
    "EMAIL_FROM": "CDP <cdp@example.com>",
    "SMTP_HOST": "smtp.example.com",
}


def test_addresses_may_have_names(nothing_set) -> None:
    for name, value in MAIL.items():
        nothing_set.setenv(f"CDP_ALERT_{name}", value)
    found, wrong = channels_from_environment()
    assert (len(found), wrong) == (1, {})


def test_a_maker_that_breaks_hinders_nobody_else(nothing_set) -> None:
    def breaks(*_: object) -> None:
        raise IndexError("s3cret")

    nothing_set.setenv("CDP_ALERT_WEBHOOK_URL", "https://h.example.com/")
    nothing_set.setenv("CDP_ALERT_SLACK_URL", "https://hooks.slack.com/services/T0/B0/x")
    nothing_set.setattr("orchestration.alerts.channels._webhook", breaks)
    found, wrong = channels_from_environment()
    assert ([channel.name for channel in found], wrong) == (["slack"], {"webhook": "INDEXERROR"})


@pytest.mark.parametrize(
    ("settings", "channel", "why"),
    [
        ({"WEBHOOK_URL": "https://h.example.com/?k=s3cret"}, "webhook", "is not in CDP_WEBHOOK_AL"),
        ({"SLACK_URL": "http://hooks.slack.com/s3cret"}, "slack", "must be https"),
        ({"SLACK_URL": "https://slack.example.com/s3cret"}, "slack", "is not in CDP_WEBHOOK_ALL"),
        ({"EMAIL_TO": "s3cret@example.com"}, "email", "CDP_ALERT_SMTP_HOST is not set"),
        ({"EMAIL_TO": "a@example.com", "SMTP_PORT": "s3cret"}, "email", "CDP_ALERT_SMTP_PORT is"),
        (MAIL | {"EMAIL_FROM": "<"}, "email", "CDP_ALERT_EMAIL_FROM: each"),
        (MAIL | {"EMAIL_FROM": "s3cret"}, "email", "CDP_ALERT_EMAIL_FROM: each"),
        (
            MAIL | {"EMAIL_FROM": "a@b.org\nBcc: s3cret@b.org"},
            "email",
            "CDP_ALERT_EMAIL_FROM: each",
        ),
        (MAIL | {"EMAIL_TO": "@"}, "email", "CDP_ALERT_EMAIL_TO: each"),
        (MAIL | {"EMAIL_TO": "a@example.com, s3cret@"}, "email", "CDP_ALERT_EMAIL_TO: each"),
        (MAIL | {"EMAIL_TO": ","}, "email", "CDP_ALERT_EMAIL_TO: each"),
    ],
)
def test_a_wrong_setting_is_told_by_name_and_hinders_nobody_else(
    nothing_set, settings: dict[str, str], channel: str, why: str
) -> None:
    for name, value in settings.items():
        nothing_set.setenv(f"CDP_ALERT_{name}", value)
    found, wrong = channels_from_environment()
    assert found == []
    assert why in wrong[channel]
    assert "s3cret" not in wrong[channel]


def test_an_address_of_the_machines_network_is_never_called(hook: FakeHook) -> None:
    port = hook.url.rpartition(":")[2]
    # The host is on the list, its address (this machine's own) is not.
    guard = UrlGuard(f"localhost:{port}")
    with pytest.raises(DeliveryFailed, match="UNSAFE_ADDRESS"):
        Webhook(f"https://localhost:{port}/", guard, policy=QUICK).send(NEWS)
    assert hook.connections == 0


def test_a_hanging_webhook_does_not_hold_the_job_up(hook: FakeHook) -> None:
    hook.faults.extend([Fault(delay=30.0)] * 2)
    started = time.monotonic()
    with pytest.raises(DeliveryFailed, match="EXCHANGE_DEADLINE"):
        Webhook(hook.url, LOCAL, hook.token, QUICK).send(NEWS)
    assert time.monotonic() - started < 10
