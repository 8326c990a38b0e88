"""No personal data and no secret in state, logs, exceptions or results."""

import logging
import traceback

import pytest

from orchestration.destinations.base import Row, safe_code
from orchestration.sync.delivery import Patience
from orchestration.sync.ledger import Ledger
from orchestration.warehouse import WarehouseError
from tests.fakes.server import Fault
from tests.sync.lab import Lab

CANARIES = (
    "canary.person",
    "CanaryFirst",
    "CanaryLast",
    "+33612345678",
    "CanaryTown",
    "canary-token",
)


@pytest.fixture
def watched(lab: Lab, caplog: pytest.LogCaptureFixture) -> Lab:
    caplog.set_level(logging.DEBUG)
    lab.hub.token = "canary-token"
    lab.add_customers(30)
    lab.execute(
        "update standin.customers set email = customer_id || '.canary.person@example.com',"
        " first_name = 'CanaryFirst', last_name = 'CanaryLast', phone = '+33612345678',"
        " city = 'CanaryTown'",
        "update standin.customers set email = 'canary.person' where customer_id = 'c0003'",
    )
    lab.hub.poison.add("c0005.canary.person@example.com")
    return lab


def assert_clean(text: str) -> None:
    assert not [canary for canary in CANARIES if canary.lower() in text.lower()]


def test_no_canary_in_ledger_runs_logs_or_result(
    watched: Lab, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture
) -> None:
    error = b'{"category": "canary.person@example.com CanaryFirst", "message": "canary.person"}'
    faults = [Fault(500, body=error), Fault(400, body=error), Fault(401, body=error)]
    shown = []
    for fault in [None, *faults, None]:
        watched.hub.faults.extend([fault] if fault else [])
        shown.append(repr(watched.sync()))
    watched.hub.faults.extend([Fault(applies=True, hangs_up=True)] * 8)
    watched.execute("update standin.customers set country = 'FR'")
    shown.append(repr(watched.sync(patience=Patience(barren_batches=1))))
    assert_clean("".join(shown))
    assert_clean(repr(watched.state()))
    assert_clean(caplog.text)
    captured = capsys.readouterr()
    assert_clean(captured.out + captured.err)


def test_no_canary_in_an_exception(watched: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*arguments: object) -> None:
        raise WarehouseError("disk full")

    monkeypatch.setattr(Ledger, "record_outcomes", breaks)
    with pytest.raises(WarehouseError) as caught:
        watched.sync()
    monkeypatch.undo()
    assert_clean("".join(traceback.format_exception(caught.value)))
    # Told as failed, and settled by the next run.
    [run] = watched.fetch("select * from activation.sync_run_history")
    assert (run["status"], run["error_code"]) == ("failed", "INTERRUPTED")
    assert watched.sync().rows_delivered == 28


def test_what_a_destination_says_by_mistake_is_shown_by_its_place_alone(
    watched: Lab, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(type(watched.hubspot())):
        def upsert(self, rows):
            raise ValueError(f"cannot write {dict(rows[0].values)}")

    destination = watched.hubspot()
    destination.__class__ = Broken
    run = watched.sync(destination=destination)
    assert (run.status, run.error_code) == ("failed", "DESTINATION_FAULT")
    assert_clean(repr(run) + caplog.text)
    assert "ValueError at test_privacy.py:" in caplog.text


def test_values_of_a_row_are_not_shown() -> None:
    assert "ana@example.com" not in repr(Row("k", "upsert", "new", {"email": "ana@example.com"}))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("VALIDATION_ERROR", "VALIDATION_ERROR"),
        ("invalid email", "UNSPECIFIED"),
        ("ana@example.com", "UNSPECIFIED"),
        ("TEL_33612345678", "UNSPECIFIED"),
        (None, "UNSPECIFIED"),
        ("X" * 61, "UNSPECIFIED"),
    ],
)
def test_only_what_looks_like_a_code_is_kept(text: str | None, code: str) -> None:
    assert safe_code(text) == code
