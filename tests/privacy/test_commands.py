"""What `cdp erase` and `cdp export` say, and what their exit codes tell: whether anybody waits."""

from datetime import date, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from orchestration import access, erasure
from orchestration.access import Answer, NotAnswered
from orchestration.cli import app
from orchestration.erasure import Erased, ErasedRows, ErasureFailed, Request

READY = Request("r1", date(2026, 1, 31), True, None, 0)
WAITING = Request("r2", None, False, "sync_crm", 2)


@pytest.fixture
def erased(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """Targets on which somebody was erased."""
    targets: list[str | None] = []

    def erase(target: str | None) -> Erased:
        targets.append(target)
        return Erased(1, [ErasedRows("crm.contacts", "delete", 1234)])

    monkeypatch.setattr(erasure, "erase", erase)
    return targets


@pytest.mark.parametrize(
    ("requests", "options", "answer", "code", "words", "erases"),
    [
        ([], [], "", 0, ["nobody waits"], False),
        ([READY], ["--yes"], "", 0, ["1 erased", "crm.contacts", "1,234"], True),
        ([READY], [], "y\n", 0, ["Erase 1?", "1 erased"], True),
        ([READY], [], "n\n", 1, ["Aborted"], False),
        ([READY, WAITING], ["--yes"], "", 1, ["waits for sync_crm (2 rows)", "1 erased"], True),
        ([WAITING], ["--yes"], "", 1, ["waits for sync_crm"], False),
    ],
)
def test_what_it_does(monkeypatch, erased, requests, options, answer, code, words, erases) -> None:
    monkeypatch.setattr(erasure, "open_requests", lambda target: requests)
    result = CliRunner(env={"COLUMNS": "200"}).invoke(app, ["erase", *options], input=answer)
    assert result.exit_code == code
    assert [word for word in words if word not in result.output] == []
    assert bool(erased) == erases


def test_a_failure_is_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(target: str | None) -> Erased:
        raise ErasureFailed("nothing was erased; look there")

    monkeypatch.setattr(erasure, "open_requests", lambda target: [READY])
    monkeypatch.setattr(erasure, "erase", fails)
    result = CliRunner().invoke(app, ["erase", "--yes"])
    assert (result.exit_code, result.stderr.strip()) == (2, "nothing was erased; look there")


ASKS = access.Request("p:7", date(2026, 1, 31), None)
ANSWERED = access.Request("p:6", None, datetime.fromisoformat("2026-01-02 10:00:00"))


@pytest.mark.parametrize(
    ("requests", "code", "words"),
    [
        ([], 0, ["nobody asks"]),
        ([ASKS, ANSWERED], 1, ["p:7", "2026-01-31", "p:6", "2026-01-02 10:00"]),
        ([ANSWERED], 0, ["p:6"]),
    ],
)
def test_who_asks(monkeypatch, requests, code, words) -> None:
    monkeypatch.setattr(access, "requests", lambda target: requests)
    result = CliRunner(env={"COLUMNS": "200"}).invoke(app, ["export"])
    assert result.exit_code == code
    assert [word for word in words if word not in result.output] == []


def test_what_was_written(monkeypatch: pytest.MonkeyPatch) -> None:
    def export(request_id: str, folder: Path, target: str | None) -> Answer:
        assert (request_id, folder, target) == ("p:7", Path("elsewhere"), None)
        return Answer(Path("elsewhere/p_7.json"), {"crm.contacts": 1234}, {"orders": 2}, 3)

    monkeypatch.setattr(access, "export", export)
    result = CliRunner(env={"COLUMNS": "200"}).invoke(
        app, ["export", "p:7", "--folder", "elsewhere"]
    )
    assert result.exit_code == 0
    for word in ("crm.contacts", "1,234", "orders", "elsewhere/p_7.json", "3 recipients"):
        assert word in result.output


@pytest.mark.parametrize("error", [NotAnswered("no request"), OSError("no space")])
def test_what_was_not_written(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr(access, "export", fails)
    result = CliRunner().invoke(app, ["export", "p:7"])
    assert (result.exit_code, result.stderr.strip()) == (2, str(error))
