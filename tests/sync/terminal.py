"""``cdp`` as a person calls it, in the laboratory."""

import json

from click.testing import Result
from typer.testing import CliRunner

import orchestration.alerts
import orchestration.sync.overview
import orchestration.sync.preview
import orchestration.sync.reconcile
import orchestration.sync.repair
import orchestration.sync.run
import orchestration.sync.spec
from orchestration.cli import app
from tests.sync.lab import SYNC, Lab

FUNCTIONS = {
    orchestration.sync.run: ("run_sync",),
    orchestration.sync.preview: ("preview", "planned_rows"),
    orchestration.sync.reconcile: ("reconcile", "resend", "retry", "settle"),
    orchestration.sync.repair: ("repair",),
    orchestration.sync.overview: ("overview",),
    orchestration.sync.spec: ("edited_since_read",),
    orchestration.alerts: ("tell",),
}


class Terminal:
    """``cdp`` in the laboratory's project, with its portal in the environment."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab

    def cdp(self, *arguments: str, code: int = 0, answer: str | None = None) -> str:
        result: Result = CliRunner(env={"COLUMNS": "200"}).invoke(app, arguments, input=answer)
        assert not result.exception or isinstance(result.exception, SystemExit), result.exception
        assert result.exit_code == code, result.output
        return result.output

    def plan(self, *options: str) -> dict:
        return json.loads(self.cdp("plan", SYNC, "--json", *options))
