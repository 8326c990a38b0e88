"""``cdp export``, ``cdp erase`` and ``cdp compact``: what people may ask of us."""

from pathlib import Path
from typing import Annotated, Any

import typer

from orchestration.cli.screen import Target, console, one_line_for, print_table


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("export")(export)
    app.command("erase")(erase)
    app.command("compact")(compact)


def export(
    request: Annotated[
        str | None, typer.Argument(help="Id of the request; without one, who waits.")
    ] = None,
    folder: Annotated[Path, typer.Option(file_okay=False)] = Path("data/exports"),
    target: Target = None,
) -> None:
    """Write all that is there about a person who asks for it into a file. Without a request: who
    waits. 1: somebody does."""
    from orchestration import access

    if request is None:
        _show_requests(access.requests(target))
        return
    with one_line_for(OSError):
        answer = access.export(request, folder, target)
    rows = [("received", name, f"{count:,}") for name, count in answer.received.items()]
    rows += [("derived", name, f"{count:,}") for name, count in answer.derived.items()]
    print_table(("", "table", "rows"), rows)
    console.print(f"{answer.path}, with {answer.recipients} recipients: for the person alone")


def _show_requests(requests: list[Any]) -> None:
    if not requests:
        console.print("nobody asks what is there about them")
        return
    print_table(
        ("request", "due", "answered"),
        (
            (
                request.request_id,
                str(request.due_on or ""),
                f"{request.answered_at:%Y-%m-%d %H:%M}" if request.answered_at else "",
            )
            for request in requests
        ),
    )
    raise typer.Exit(any(request.answered_at is None for request in requests))


def erase(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    target: Target = None,
) -> None:
    """Take people who asked for it, and whom no destination holds any more, out of the
    warehouse for good. 1: somebody is still to be waited for."""
    from orchestration import erasure

    requests = erasure.open_requests(target)
    if not requests:
        console.print("nobody waits to be erased")
        return
    print_table(
        ("request", "due", "state"),
        (
            (
                request.request_id,
                str(request.due_on or ""),
                "ready"
                if request.is_ready
                else f"waits for {request.waits_for} ({request.destination_row_count} rows)",
            )
            for request in requests
        ),
    )
    ready = [request for request in requests if request.is_ready]
    if ready:
        if not yes:
            typer.confirm(f"Erase {len(ready)}? Their raw rows are gone for good", abort=True)
        with one_line_for(erasure.ErasureFailed):
            found = erasure.erase(target)
        rows = ((r.table_name, r.action, f"{r.row_count:,}") for r in found.rows)
        print_table(("raw table", "action", "rows"), rows)
        console.print(
            f"{found.requests} erased; `dbt build` takes them out of what is built, `cdp compact`"
            " out of the free space of DuckDB's file, `cdp publish` out of the copy for BI"
        )
    raise typer.Exit(0 if len(ready) == len(requests) else 1)


def compact(target: Target = None) -> None:
    """Write DuckDB's file anew, without what was deleted from it. After the build that follows
    an erasure."""
    from orchestration.compaction import compact as write_anew

    before, after = write_anew(target)
    console.print(f"{before / 1e6:,.0f} MB before, {after / 1e6:,.0f} MB now")
