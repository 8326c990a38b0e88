"""A declaration that is not what is used, or cannot be: ``cdp`` says so."""

import json
import os

import pytest
from typer.testing import CliRunner

from orchestration.cli import app
from orchestration.destinations.hubspot import HubSpot
from tests.sync.lab import PLANNED, SYNC, Lab
from tests.sync.terminal import Terminal


def unplan(lab: Lab) -> None:
    """Build without the plan in the union."""
    path = lab.project / "target/manifest.json"
    manifest = json.loads(path.read_text())
    manifest["parent_map"]["model.cdp.sync_plan"].remove(f"model.cdp.{PLANNED}")
    path.write_text(json.dumps(manifest))


@pytest.mark.parametrize("command", [("plan", SYNC), ("apply", SYNC), ("syncs",)])
def test_a_sync_whose_plan_is_in_no_union_is_no_success(
    terminal: Terminal, command: tuple[str, ...]
) -> None:
    unplan(terminal.lab)
    shown = terminal.cdp(*command, code=2)
    assert f"{SYNC}: its plan is not in sync_plan; add the line `- {PLANNED}`" in shown


def edit(lab: Lab, suffix: str, more: str, seconds: int) -> str:
    """Append to a file of the sync, so long after dbt has read it; its name."""
    name = f"models/activation/{SYNC}{suffix}"
    path = lab.project / name
    path.write_text(path.read_text() + more)
    read_at = (lab.project / "target/manifest.json").stat().st_mtime
    os.utime(path, (read_at + seconds,) * 2)
    return name


@pytest.mark.parametrize("command", [("plan", SYNC, "--json"), ("apply", SYNC)])
@pytest.mark.parametrize("suffix", [".yml", ".sql"])
def test_a_declaration_edited_since_the_build_is_told(
    terminal: Terminal, suffix: str, command: tuple[str, ...]
) -> None:
    terminal.lab.build()
    name = edit(terminal.lab, suffix, "# edited", 60)
    result = CliRunner(env={"COLUMNS": "200"}).invoke(app, command)
    assert result.exit_code == 0
    assert result.stderr.startswith(f"{name} was edited since dbt read it")
    assert len(result.stderr.splitlines()) == 1
    assert name not in result.stdout


@pytest.mark.parametrize(
    ("suffix", "more", "seconds"),
    [
        (".yml", "# edited", -60),  # dbt read it since
        (".sql", "-- edited", -60),
        (".sql", "\n\n", 60),  # the same text, as dbt strips it
    ],
)
def test_files_that_say_what_was_built_are_not_mentioned(
    terminal: Terminal, suffix: str, more: str, seconds: int
) -> None:
    terminal.lab.build()
    edit(terminal.lab, suffix, more, seconds)
    assert CliRunner().invoke(app, ["plan", SYNC]).stderr == ""


def test_an_endpoint_that_nobody_can_read_is_told_when_nothing_is_held_too(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal.lab.build()
    assert "0 rows read back" in terminal.cdp("reconcile", SYNC)
    monkeypatch.setattr(HubSpot, "read", lambda *_: None)
    shown = terminal.cdp("reconcile", SYNC, code=2)
    assert shown.strip() == f"{SYNC}: hubspot cannot be read back"
