"""``cdp alert``: tell people what has changed."""

import typer
from rich.markup import escape

from orchestration.cli.screen import Target, complaints, console, print_table


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("alert")(alert)


def alert(target: Target = None) -> None:
    """Tell whom the environment names (CDP_ALERT_...) about each state that has changed.

    Exit code 0: who is to know, knows, 1: a channel was not reached, 2: nothing was tried."""
    from orchestration.alerts import tell

    report = tell(target)
    told = {
        change.subject: ", ".join(name for name, news in report.told.items() if change in news)
        for news in report.told.values()
        for change in news
    }
    rows = [(s.subject, s.state, s.detail, told.get(s.subject, "")) for s in report.states]
    print_table(("subject", "state", "detail", "told"), rows)
    if not report.told and not report.failed:
        console.print("There is nothing new to tell, or nobody to tell it to (CDP_ALERT_...).")
    for channel, code in report.failed.items():
        complaints.print(f"[red]{channel} was not reached: {escape(code)}[/]", soft_wrap=True)
    raise typer.Exit(1 if report.failed else 0)
