"""`cdp erase` asks, says for whom it waits, and its exit code tells whether anybody still does."""

from datetime import date

import pytest
from typer.testing import CliRunner

from orchestration import erasure
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
