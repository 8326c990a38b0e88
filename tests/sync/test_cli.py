"""The commands for syncs as a person types them: what they show, and their exit codes."""

import json
import re

import pytest
from typer.testing import CliRunner

import orchestration.sync.preview
import orchestration.sync.run
from orchestration.cli import app
from orchestration.destinations.hubspot import HubSpot
from orchestration.sync.guards import OVERRIDES
from orchestration.sync.ledger import LedgerBroken
from orchestration.warehouse import WarehouseBusy, dbt
from tests.fakes.server import Fault
from tests.sync.lab import SYNC, Lab
from tests.sync.terminal import Terminal

# -- plan


def test_a_plan_is_shown_and_then_sent_by_its_digest(terminal: Terminal) -> None:
    lab = terminal.lab
    lab.add_customers(250)
    lab.build()
    shown = terminal.cdp("plan", SYNC)
    assert lab.hub.calls == []
    assert "250 rows in the model, 0 unchanged" in shown
    assert "about 3 calls" in shown
    [line] = re.findall(r"^cdp apply .*$", shown, re.MULTILINE)
    assert re.fullmatch(rf"cdp apply {SYNC} --plan [0-9a-f]{{32}}", line)
    shown = terminal.cdp(*line.split()[1:])
    assert "succeeded" in shown
    assert len(lab.hub.contacts) == 250
    again = terminal.plan("--sample", "5")
    assert (again["reasons"], again["sample"], again["estimated_calls"]) == ([], [], 0)


def test_a_plan_as_json_says_all_that_it_shows(terminal: Terminal) -> None:
    lab = terminal.lab
    lab.add_customers(5)
    lab.execute("update standin.customers set email = null where customer_id = 'c0005'")
    lab.sync()
    lab.execute("update standin.customers set city = 'Lyon' where customer_id = 'c0001'")
    lab.execute("delete from standin.segment_members where customer_id = 'c0002'")
    lab.build()
    found = terminal.plan("--sample", "2")
    assert (found["sync"], found["is_stale"], found["estimated_calls"]) == (SYNC, False, 2)
    assert found["apply"] == f"cdp apply {SYNC} --plan {found['digest']}"
    counted = {(r["action"], r["reason"], r["blocked_reason"]): r["rows"] for r in found["reasons"]}
    assert counted == {
        ("upsert", "changed", None): 1,
        ("remove", "left", None): 1,
        (None, None, "missing_identifier"): 1,
    }
    assert {verdict["guard"] for verdict in found["guards"]} >= set(OVERRIDES)
    [changed] = [row for row in found["sample"] if row["reason"] == "changed"]
    [(column, old, new)] = changed["changes"]
    assert column == "city"
    assert old != new


def test_a_plan_shows_no_values(terminal: Terminal) -> None:
    lab = terminal.lab
    lab.add_customers(5)
    lab.build()
    shown = terminal.cdp("plan", SYNC, "--sample", "5") + json.dumps(terminal.plan("--sample", "5"))
    for value in ("@example.com", "Ruiz", "Madrid", "+34600", "c0001"):
        assert value not in shown


def test_a_sample_of_none_is_none(terminal: Terminal) -> None:
    terminal.lab.add_customers(1)
    terminal.lab.build()
    assert terminal.plan("--sample", "0")["sample"] == []


# -- guards and their ways out


def hold(lab: Lab, guard: str) -> int:
    """Make a guard hold the next run, and say what it finds."""
    lab.add_customers(150)
    lab.sync()
    if guard == "model_emptied":
        lab.execute("delete from standin.segment_members")
    elif guard == "removed_rows":
        lab.execute("delete from standin.segment_members where customer_id <= 'c0120'")
    elif guard == "mapping_changed":
        lab.execute("update state.sync_runs set mapping_hash = 'another'")
        lab.execute("update standin.customers set city = 'Lyon'")
    elif guard == "ledger_lost":
        lab.execute("delete from state.sync_ledger", "delete from activation.sync_ledger_folded")
    lab.build()
    return 120 if guard == "removed_rows" else 150


@pytest.mark.parametrize("guard", ["removed_rows", "mapping_changed", "ledger_lost"])
def test_the_option_that_a_plan_names_lets_a_guard_pass(terminal: Terminal, guard: str) -> None:
    lab = terminal.lab
    found = hold(lab, guard)
    [held] = [verdict for verdict in terminal.plan()["guards"] if not verdict["passed"]]
    assert held["guard"] == guard
    assert held["override"] == OVERRIDES[guard].format(observed=found)
    assert held["override"] in terminal.cdp("plan", SYNC)
    lab.hub.calls.clear()
    assert held["override"] in terminal.cdp("apply", SYNC, code=1)
    assert lab.hub.calls == []
    terminal.cdp("apply", SYNC, *held["override"].split())
    assert lab.hub.calls


def test_an_empty_model_needs_two_confirmations(terminal: Terminal) -> None:
    hold(terminal.lab, "model_emptied")
    held = [v["override"] for v in terminal.plan()["guards"] if not v["passed"]]
    assert held == ["--allow-empty", "--max-removed 150"]
    terminal.cdp("apply", SYNC, "--allow-empty", code=1)
    terminal.cdp("apply", SYNC, "--allow-empty", "--max-removed", "150")


def test_a_number_that_was_confirmed_does_not_cover_a_larger_plan(terminal: Terminal) -> None:
    hold(terminal.lab, "removed_rows")
    terminal.cdp("apply", SYNC, "--max-removed", "119", code=1)


# -- apply


def test_not_all_there_is_exit_code_1(terminal: Terminal) -> None:
    lab = terminal.lab
    lab.add_customers(3)
    lab.execute("update standin.customers set email = 'no address' where customer_id = 'c0002'")
    lab.build()
    shown = terminal.cdp("apply", SYNC, code=1)
    assert "partial" in shown
    assert "refused with INVALID_EMAIL: 1" in shown
    assert "no address" not in shown


def test_another_plan_than_the_approved_one_is_not_sent(terminal: Terminal) -> None:
    lab = terminal.lab
    lab.add_customers(3)
    lab.build()
    digest = terminal.plan()["digest"]
    lab.add_customers(1, prefix="d")
    lab.build()
    shown = terminal.cdp("apply", SYNC, "--plan", digest, code=2)
    assert len(shown.strip().splitlines()) == 1
    assert "plan again" in shown
    assert lab.hub.calls == []


@pytest.mark.parametrize("command", ["plan", "apply", "reconcile", "retry"])
def test_a_sync_that_is_not_declared_is_a_line(terminal: Terminal, command: str) -> None:
    shown = terminal.cdp(command, "sync_of_nothing", code=2)
    assert shown.strip() == "sync_of_nothing: no exposure of that name has meta.sync"


def test_a_variable_that_is_not_set_is_a_line(terminal: Terminal, monkeypatch) -> None:
    terminal.lab.add_customers(1)
    terminal.lab.build()
    monkeypatch.delenv("HUBSPOT_TOKEN")
    assert terminal.cdp("apply", SYNC, code=2).strip() == "HUBSPOT_TOKEN is not set"


@pytest.mark.parametrize(
    ("variable", "value", "line"),
    [
        ("HUBSPOT_TOKEN", "wrong", "the endpoint failed with HTTP_401; look at its credentials"),
        ("HUBSPOT_BASE_URL", "http://example.com", "the address of an endpoint must be https"),
        ("HUBSPOT_BASE_URL", "https://127.0.0.1:99999", "failed with BAD_ADDRESS; look at its"),
    ],
)
def test_an_endpoint_that_cannot_be_read_back_is_a_line(
    terminal: Terminal, monkeypatch, variable: str, value: str, line: str
) -> None:
    terminal.lab.add_customers(1)
    terminal.lab.sync()
    monkeypatch.setenv(variable, value)
    shown = terminal.cdp("reconcile", SYNC, code=2).strip()
    assert line in shown
    assert len(shown.splitlines()) == 1


def test_what_is_read_back_is_checked_as_what_is_sent(terminal: Terminal, monkeypatch) -> None:
    def refuses(spec: object) -> None:
        raise ValueError("options: no list")

    monkeypatch.setattr(HubSpot, "check", refuses)
    assert terminal.cdp("reconcile", SYNC, code=2).strip() == f"{SYNC}: options: no list"


def test_a_run_that_is_going_on_is_a_line(terminal: Terminal) -> None:
    lab = terminal.lab
    lab.add_customers(1)
    lab.sync()
    lab.execute(
        "update state.sync_runs set owner = 'elsewhere:1'",
        "insert into state.sync_runs (run_id, sync_name, status, owner, lease_number, started_at,"
        f" recorded_at) select 'r', '{SYNC}', 'running', 'elsewhere:1', 9, current_timestamp,"
        " current_timestamp",
    )
    shown = terminal.cdp("apply", SYNC, code=2)
    assert "run r of elsewhere:1 is still going" in shown
    assert len(shown.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (LedgerBroken("entries are there twice; [red]"), "entries are there twice; [red]"),
        (WarehouseBusy("connect"), "another process holds the warehouse; try again when it is"),
    ],
)
def test_what_keeps_a_run_from_starting_is_a_line(terminal, monkeypatch, error, line) -> None:
    def fails(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(orchestration.sync.preview, "planned_rows", lambda *_: 1)
    monkeypatch.setattr(orchestration.sync.run, "run_sync", fails)
    assert line in terminal.cdp("apply", SYNC, code=2)


def test_a_defect_is_not_dressed_as_a_mistake_of_the_person(terminal, monkeypatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise KeyError("email")

    monkeypatch.setattr(orchestration.sync.preview, "planned_rows", fails)
    result = CliRunner().invoke(app, ["apply", SYNC])
    assert isinstance(result.exception, KeyError)


def test_complaints_stay_out_of_the_json(terminal: Terminal) -> None:
    result = CliRunner().invoke(app, ["plan", "sync_of_nothing", "--json"])
    assert result.stdout == ""
    assert "no exposure" in result.stderr


# -- upkeep


def test_rows_that_were_refused_too_often_can_be_tried_again(terminal: Terminal) -> None:
    lab = terminal.lab
    lab.add_customers(2)
    lab.execute("update standin.customers set email = 'no address of ' || customer_id")
    for _ in range(3):
        lab.sync()
    assert lab.sync().rows_blocked == 2
    assert "1 refused rows" in terminal.cdp("retry", SYNC, "--key", "c0001")
    assert lab.sync().rows_planned_upserts == 1
    shown = terminal.cdp("retry", SYNC, "--key", "c0003", code=2)
    assert "no row of that key" in shown


def test_all_rows_are_sent_once_more_when_somebody_says_so(terminal: Terminal) -> None:
    terminal.lab.add_customers(3)
    terminal.lab.sync()
    assert "two things" in terminal.cdp("retry", SYNC, "--all", "--key", "c0001", code=2)
    assert "3 rows are planned again" in terminal.cdp("retry", SYNC, "--all")
    terminal.lab.build()
    assert terminal.lab.sync().rows_delivered == 3


def test_only_events_are_settled(terminal: Terminal) -> None:
    assert "sent again by the next run" in terminal.cdp("settle", SYNC, "--lost", code=2)
    assert "Missing option" in terminal.cdp("settle", SYNC, code=2)


def test_what_was_changed_or_lost_over_there_is_sent_again(terminal: Terminal) -> None:
    lab = terminal.lab
    lab.add_customers(150)
    lab.sync()
    assert "150 rows read back: 0 are changed, 0 are missing" in terminal.cdp("reconcile", SYNC)
    lab.hub.by_email("c0007@example.com")["city"] = "Elsewhere"
    [gone] = [
        contact_id
        for contact_id, contact in lab.hub.contacts.items()
        if contact["email"] == "c0009@example.com"
    ]
    lab.hub.delete(gone)
    shown = terminal.cdp("reconcile", SYNC, code=1)
    assert "150 rows read back: 1 are changed, 1 are missing" in shown
    assert lab.sync().rows_delivered == 2
    assert lab.hub.by_email("c0007@example.com")["city"] == "Madrid"
    assert lab.hub.by_email("c0009@example.com")
    terminal.cdp("reconcile", SYNC)


def test_a_ledger_is_set_aside_only_after_a_question(terminal: Terminal) -> None:
    lab = terminal.lab
    lab.add_customers(3)
    lab.sync()
    assert dbt(["run", "--select", "sync_ledger_folded"], project_dir=lab.project).success
    terminal.cdp("repair", code=1, answer="n\n")
    assert lab.fetch("select count(*) as n from state.sync_ledger")[0]["n"] == 6
    shown = terminal.cdp("repair", answer="y\n")
    assert "kept as state.sync_ledger_set_aside_1" in shown
    assert lab.fetch("select count(*) as n from state.sync_ledger")[0]["n"] == 0
    assert lab.fetch("select count(*) as n from state.sync_ledger_set_aside_1")[0]["n"] == 6
    lab.build()
    assert "--rebaseline" in terminal.cdp("apply", SYNC, code=1)
    terminal.cdp("apply", SYNC, "--rebaseline")
    assert lab.sync().rows_unchanged == 3


def test_all_syncs_are_shown_with_how_they_are(terminal: Terminal) -> None:
    lab = terminal.lab
    [before] = json.loads(terminal.cdp("syncs", "--json"))
    assert (before["sync_name"], before["state"]) == (SYNC, "never_ran")
    lab.add_customers(3)
    lab.sync()
    [after] = json.loads(terminal.cdp("syncs", "--json"))
    assert (after["state"], after["destination"], after["held_rows"]) == ("ok", "hubspot", 3)
    assert "audience" in terminal.cdp("syncs")


# -- alert


def test_alerts_are_shown_and_a_channel_that_fails_is_exit_code_1(terminal, monkeypatch) -> None:
    lab = terminal.lab
    lab.add_customers(1)
    lab.hub.faults.append(Fault(status=401))
    lab.sync()
    assert "nobody to tell" in terminal.cdp("alert")
    monkeypatch.setenv("CDP_WEBHOOK_ALLOWED_HOSTS", "")
    monkeypatch.setenv("CDP_ALERT_WEBHOOK_URL", "https://hook.example.com/secret")
    shown = terminal.cdp("alert", code=1)
    assert "failing" in shown
    assert "webhook was not reached: the host is not in CDP_WEBHOOK_ALLOWED_HOSTS" in shown
    assert "secret" not in shown
