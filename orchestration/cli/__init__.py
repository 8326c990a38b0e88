"""``cdp``: the commands for people, a module by subject. Each is a few lines around a function
of the project, which it imports when it runs: ``--help`` must not wait for dbt."""

import typer

from orchestration.cli import alerts, data, identity, privacy, syncs
from orchestration.cli.screen import Commands

app = typer.Typer(
    name="cdp",
    cls=Commands,
    help="The customer data platform that lives in your warehouse.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # its tracebacks show local variables: personal data
)
data.register(app)
syncs.register(app)
alerts.register(app)
privacy.register(app)
app.add_typer(identity.identity_app, name="identity")
app.add_typer(identity.explain_app, name="explain")

__all__ = ["app"]
