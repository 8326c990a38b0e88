"""Commands about syncs: look at a plan, carry it out, and look after what came of it."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from orchestration.cli.screen import Target, complain, complaints, console, print_table

if TYPE_CHECKING:
    from orchestration.sync.guards import Verdict
    from orchestration.sync.plan import SampleRow
    from orchestration.sync.preview import Preview
    from orchestration.sync.run import SyncRun

Sync = Annotated[str, typer.Argument(help="Name of the sync, as of its model.")]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]

_NOT_ALL_THERE = 1
_UNMENDABLE = "cannot be confirmed: mend the model"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (plan, apply, reconcile, retry, settle, repair, syncs):
        app.command(command.__name__)(command)


def plan(
    sync: Sync,
    sample: Annotated[int, typer.Option(min=0, max=1000, help="Rows to show of each reason.")] = 3,
    as_json: AsJson = False,
    target: Target = None,
) -> None:
    """Show what a sync would send, and which guard would hold it, without any call."""
    from orchestration.sync.preview import preview

    _tell_of_edits(sync)
    found = preview(sync, target, sample=sample)
    if as_json:
        typer.echo(json.dumps(_as_dict(found), indent=2))
    else:
        _show_preview(found)


def apply(
    sync: Sync,
    plan: Annotated[
        str | None, typer.Option(help="Digest that `cdp plan` showed: only that plan is sent.")
    ] = None,
    max_removed: Annotated[
        int | None, typer.Option(min=0, help="Rows that this run may remove beyond the guard.")
    ] = None,
    max_changed: Annotated[
        int | None, typer.Option(min=0, help="Rows that this run may change beyond the guard.")
    ] = None,
    allow_empty: Annotated[
        bool, typer.Option("--allow-empty", help="The model may be empty.")
    ] = False,
    resync: Annotated[
        bool, typer.Option("--resync", help="The mapping has changed: send what differs.")
    ] = False,
    moved: Annotated[
        bool, typer.Option("--moved", help="Rows go elsewhere now; the former place was seen to.")
    ] = False,
    rebaseline: Annotated[
        bool, typer.Option("--rebaseline", help="The ledger was lost: send everything.")
    ] = False,
    allow_stale: Annotated[
        bool, typer.Option("--allow-stale", help="The sources may be old.")
    ] = False,
    allow_failed_tests: Annotated[
        bool, typer.Option("--allow-failed-tests", help="Tests above the model may have failed.")
    ] = False,
    target: Target = None,
) -> None:
    """Send what the plan of a sync says. Options hold for this run only.

    Exit code 0: everything is there, 1: not all is, 2: nothing was tried."""
    from orchestration.sync.guards import Overrides
    from orchestration.sync.preview import planned_rows
    from orchestration.sync.run import run_sync

    overrides = Overrides(
        max_removed_rows=max_removed,
        max_changed_rows=max_changed,
        allow_empty=allow_empty,
        resync=resync,
        moved=moved,
        rebaseline=rebaseline,
        allow_stale=allow_stale,
        allow_failed_tests=allow_failed_tests,
    )
    _tell_of_edits(sync)
    total = planned_rows(sync, target)
    with _bar(sync, total) as on_progress:
        run = run_sync(sync, target, overrides=overrides, plan_digest=plan, on_progress=on_progress)
    _show_run(run)
    raise typer.Exit(0 if run.ok else _NOT_ALL_THERE)


def reconcile(sync: Sync, target: Target = None) -> None:
    """Read back what a destination holds; what is not as delivered is planned again.

    Exit code 0: all is as delivered, 1: not all is, 2: it could not be read."""
    from orchestration.sync.reconcile import reconcile as read_back

    found = read_back(sync, target)
    console.print(
        f"{found.checked:,} rows read back: {found.changed:,} are changed,"
        f" {found.missing:,} are missing"
    )
    if found.changed or found.missing:
        console.print("The next build plans them again.")
        raise typer.Exit(_NOT_ALL_THERE)


def retry(
    sync: Sync,
    key: Annotated[str | None, typer.Option(help="Only the row of this key.")] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="All rows that are held, though they were delivered.")
    ] = False,
    target: Target = None,
) -> None:
    """Let rows that were refused be tried again; the next build plans them."""
    from orchestration.sync.reconcile import resend
    from orchestration.sync.reconcile import retry as try_again

    if everything and key is not None:
        complain("--all and --key are two things")
    if everything:
        count = resend(sync, target)
        console.print(f"{count:,} rows are planned again by the next build")
        return
    count = try_again(sync, target, key=key)
    if key is not None and not count:
        complain(f"{sync}: no row of that key was refused last")
    console.print(f"{count:,} refused rows are planned again by the next build")


def settle(
    sync: Sync,
    arrived: Annotated[
        bool,
        typer.Option("--arrived/--lost", help="The endpoint has them; or not, so send them."),
    ],
    key: Annotated[str | None, typer.Option(help="Only the row of this key.")] = None,
    target: Target = None,
) -> None:
    """Say what became of events in doubt, which are never sent again by themselves."""
    from orchestration.sync.reconcile import settle as say

    count = say(sync, target, arrived=arrived, key=key)
    if key is not None and not count:
        complain(f"{sync}: no row of that key is in doubt")
    after = "count as delivered" if arrived else "are planned again by the next build"
    console.print(f"{count:,} rows in doubt {after}")


def repair(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    target: Target = None,
) -> None:
    """Set a ledger aside that cannot be trusted. Nothing is deleted."""
    from orchestration.sync.repair import repair as set_aside

    if not yes:
        console.print(
            "What all destinations hold is forgotten. Each sync is then held until it is run with"
            " --rebaseline, which sends everything once more and removes nobody."
        )
        typer.confirm("Set the ledger aside?", abort=True)
    kept = set_aside(target)
    if not kept:
        console.print("there is no ledger yet")
    for name in kept:
        console.print(f"kept as {name}")


def syncs(as_json: AsJson = False, target: Target = None) -> None:
    """Show how all syncs are; exit code 2 where one is declared wrong."""
    from orchestration.sync.overview import overview

    found = overview(target)
    if as_json:
        typer.echo(json.dumps(found, indent=2, default=str))
    else:
        _print_syncs(found)
    if problems := [sync["problem"] for sync in found if "problem" in sync]:
        complain("\n".join(problems))


# -- inside


def _print_syncs(found: list[dict[str, Any]]) -> None:
    columns = (
        ("sync_name", "sync"),
        ("mode", "mode"),
        ("state", "state"),
        ("last_run_at", "last run"),
        ("held_rows", "held"),
        ("rows_in_doubt", "doubt"),
        ("rejected_rows", "refused"),
        ("dead_letters", "dead"),
    )
    rows = [tuple(_cell(sync.get(name)) for name, _ in columns) for sync in found]
    print_table((title for _, title in columns), rows)


def _tell_of_edits(sync: str) -> None:
    """Whoever has just edited a declaration takes it for the one that is used."""
    from orchestration.sync.spec import edited_since_read

    for file in edited_since_read(sync):
        line = f"{file} was edited since dbt read it: what was built before is used; build again"
        complaints.print(f"[yellow]{escape(line)}[/]", soft_wrap=True)


@contextmanager
def _bar(sync: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar of settled rows, on a terminal only."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(
        *columns,
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal or not total,
    ) as progress:
        task = progress.add_task(sync, total=total)
        yield lambda rows: progress.advance(task, rows)


def _show_preview(found: "Preview") -> None:
    run = found.run
    console.print(
        f"{run.sync_name}: {run.rows_in_model:,} rows in the model,"
        f" {run.rows_unchanged:,} unchanged"
    )
    if reasons := _reasons(found):
        rows = [tuple(map(_cell, counted.values())) for counted in reasons]
        print_table(("action", "reason", "not sent because", "rows"), rows)
    if found.in_doubt:
        console.print(
            f"{found.in_doubt:,} of them are in doubt and are not sent: look for them there, then"
            f" `cdp settle {run.sync_name}` with --arrived or --lost"
        )
    if found.estimated_calls is not None:
        console.print(f"about {found.estimated_calls:,} calls")
    if found.sample:
        rows = [
            (row.key, row.action, row.reason, row.blocked_reason or "", "\n".join(_changes(row)))
            for row in found.sample
        ]
        print_table(("row", "action", "reason", "not sent because", "old -> new hashes"), rows)
    guards = [
        (v.guard, f"{v.observed:,}", f"{v.limit:,}", "passes" if v.passed else _way_out(v))
        for v in run.guards
    ]
    print_table(("guard", "found", "may be", "verdict"), guards)
    if run.error_code == "STALE_PLAN":
        console.print("[yellow]the model has changed since it was planned: build again[/]")
    console.print(
        f"digest {found.run.plan_digest}\n[bold]{escape(_apply_line(found))}[/]", soft_wrap=True
    )


def _reasons(found: "Preview") -> list[dict[str, Any]]:
    sent = [
        {"action": action, "reason": reason, "blocked_reason": None, "rows": rows}
        for (action, reason), rows in found.by_reason.items()
    ]
    blocked = [
        {"action": None, "reason": None, "blocked_reason": reason, "rows": rows}
        for reason, rows in found.by_blocked_reason.items()
    ]
    return sent + blocked


def _changes(row: "SampleRow") -> list[str]:
    return [f"{column}: {old or '-'} -> {new}" for column, old, new in row.changes]


def _way_out(verdict: "Verdict") -> str:
    option = _override(verdict)
    return f"holds; {option} lets it pass once" if option else f"holds; {_UNMENDABLE}"


def _override(verdict: "Verdict") -> str | None:
    """The option of `cdp apply` that confirms what a guard found."""
    from orchestration.sync.guards import OVERRIDES

    option = OVERRIDES.get(verdict.guard)
    return option and option.format(observed=verdict.observed)


def _apply_line(found: "Preview") -> str:
    return f"cdp apply {found.run.sync_name} --plan {found.run.plan_digest}"


def _as_dict(found: "Preview") -> dict[str, Any]:
    run = found.run
    return {
        "sync": run.sync_name,
        "digest": found.run.plan_digest,
        "apply": _apply_line(found),
        "is_stale": run.error_code == "STALE_PLAN",
        "rows": _counts(run),
        "estimated_calls": found.estimated_calls,
        "in_doubt": found.in_doubt,
        "reasons": _reasons(found),
        "guards": [{**v.as_dict(), "override": _override(v)} for v in run.guards],
        "sample": [asdict(row) for row in found.sample],
    }


def _counts(run: "SyncRun") -> dict[str, int]:
    return {name: value for name, value in vars(run).items() if name.startswith("rows_")}


def _show_run(run: "SyncRun") -> None:
    ended = f"{run.status} ({run.error_code})" if run.error_code else run.status
    counts = [(name, f"{value:,}") for name, value in _counts(run).items()]
    calls = ("calls_made", f"{run.calls_made:,}")
    print_table(("", run.sync_name), [("status", ended), *counts, calls])
    for code, rows in sorted(run.rejections.items()):
        console.print(f"[yellow]refused with {escape(code)}[/]: {rows:,}")
    for verdict in run.guards:
        if not verdict.passed:
            console.print(
                f"[yellow]held by {verdict.guard}[/]: {verdict.observed:,} where"
                f" {verdict.limit:,} may be; {_override(verdict) or _UNMENDABLE}"
            )


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return f"{value:,}" if isinstance(value, int) else str(value)
