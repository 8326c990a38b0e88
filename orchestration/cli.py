"""``cdp``: the commands for people. Each is a few lines around a function of the project."""

import importlib.util
import os
from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.table import Table

app = typer.Typer(
    name="cdp",
    help="The customer data platform that lives in your warehouse.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # its tracebacks show local variables: personal data
)
console = Console()

Target = Annotated[
    str | None, typer.Option(help="Target of profiles.yml; default: CDP_TARGET or duckdb.")
]


@app.command("demo")
def demo(
    persons: Annotated[int, typer.Option(min=100, help="People of the made-up retailer.")] = 20_000,
    seed: Annotated[int, typer.Option(help="Same seed, same data.")] = 42,
    orders: Annotated[
        Path | None, typer.Option(exists=True, help="Real order lines (Online Retail II).")
    ] = None,
) -> None:
    """Make a retailer's data, run the daily job on it and show what came out."""
    from orchestration.demo.run import run_demo

    raise typer.Exit(run_demo(console, persons=persons, seed=seed, orders=orders))


@app.command("demo-data")
def demo_data(
    out: Annotated[Path, typer.Option(help="Folder for raw/ and truth/.")] = Path("data"),
    persons: Annotated[int, typer.Option(min=100)] = 20_000,
    seed: int = 42,
    orders: Annotated[Path | None, typer.Option(exists=True)] = None,
) -> None:
    """Make a retailer's raw files, and the truth about them, and nothing else."""
    from orchestration.demo import generate

    summary = generate(out, persons=persons, seed=seed, orders=orders)
    console.print(f"{sum(summary.rows.values()):,} rows in {out / 'raw'}")


@app.command("land")
def land_files(
    raw: Annotated[
        Path,
        typer.Argument(
            exists=True, file_okay=False, help="Folder with <source>/<table>.csv or .parquet."
        ),
    ],
    until: Annotated[datetime | None, typer.Option(help="Only rows loaded before it.")] = None,
    target: Target = None,
) -> None:
    """Check raw files and load them into raw tables; bad rows go to quarantine."""
    from orchestration.landing import land

    report = land(raw, target=target, loaded_at_until=until)
    _print(report.columns, report.rows())
    raise typer.Exit(0 if report.ok else 1)


@app.command("fit")
def fit(target: Target = None) -> None:
    """Fit the lifetime-value models on the order statistics in the warehouse."""
    from orchestration.lifetime_value import fit_into_warehouse

    for name, value in fit_into_warehouse(target=target).metadata().items():
        console.print(f"{name}: {value}")


@app.command("plan")
def plan(sync: Annotated[str, typer.Argument()], target: Target = None) -> None:
    """Show what a sync would send, and which guard would hold it, without any call."""
    _show(_run_sync(sync, target=target, dry_run=True))


@app.command("apply")
def apply(
    sync: Annotated[str, typer.Argument()],
    max_removed: Annotated[
        int | None, typer.Option(help="Rows that this run may remove beyond the guard.")
    ] = None,
    max_changed: Annotated[
        int | None, typer.Option(help="Rows that this run may change beyond the guard.")
    ] = None,
    allow_empty: Annotated[bool, typer.Option(help="The model may be empty this once.")] = False,
    target: Target = None,
) -> None:
    """Send what the plan of a sync says."""
    from orchestration.sync.guards import Overrides

    overrides = Overrides(max_removed, max_changed, allow_empty)
    run = _run_sync(sync, target=target, overrides=overrides)
    _show(run)
    raise typer.Exit(0 if run.ok else 1)


def _run_sync(sync: str, **options: Any) -> Any:
    """Errors that a person can put right are one line, not a traceback."""
    from orchestration.sync.lease import SyncBusy
    from orchestration.sync.run import run_sync
    from orchestration.sync.spec import InvalidSync

    try:
        return run_sync(sync, **options)
    except (InvalidSync, SyncBusy, LookupError) as error:
        console.print(f"[red]{error}[/]")
        raise typer.Exit(2) from None


def _show(run: Any) -> None:
    counts = {name: value for name, value in asdict(run).items() if name.startswith("rows_")}
    _print(
        ("", run.sync_name), [("status", run.status), *((k, f"{v:,}") for k, v in counts.items())]
    )
    for verdict in run.guards:
        if not verdict.passed:
            console.print(
                f"[yellow]held by {verdict.guard}[/]: {verdict.observed:,} of {verdict.limit:,}"
            )


def _print(columns: Iterable[str], rows: Iterable[tuple[str, ...]]) -> None:
    table = Table(*columns, header_style="dim")
    for row in rows:
        table.add_row(*row)
    console.print(table)


identity_app = typer.Typer(help="Decide who is who; the next build applies it.")
app.add_typer(identity_app, name="identity")
explain_app = typer.Typer(help="Why two records are one customer, or are not.")
app.add_typer(explain_app, name="explain")

Author = Annotated[str, typer.Option(help="Who decides.", envvar="CDP_AUTHOR")]
Reason = Annotated[str, typer.Option(help="Why, in words.")]


@identity_app.command("link")
def link_records(
    record: str, other: str, author: Author, reason: Reason, target: Target = None
) -> None:
    """Two records are one customer, whatever the evidence says."""
    _decide(target, "same", record, other_record_key=other, author=author, reason=reason)


@identity_app.command("separate")
def separate_records(
    record: str, other: str, author: Author, reason: Reason, target: Target = None
) -> None:
    """Two records are two customers, whatever the evidence says."""
    _decide(target, "different", record, other_record_key=other, author=author, reason=reason)


@identity_app.command("detach")
def detach_value(
    record: str,
    identifier_type: str,
    value_hash: Annotated[str, typer.Argument(help="SHA-256 of the value, as in identity_links.")],
    author: Author,
    reason: Reason,
    target: Target = None,
) -> None:
    """A value is not the record's own: it joins the record to nobody any more."""
    about = {"identifier_type": identifier_type, "value_hash": value_hash}
    _decide(target, "detach", record, **about, author=author, reason=reason)


@identity_app.command("withdraw")
def withdraw_decision(
    decision_number: int, author: Author, reason: Reason, target: Target = None
) -> None:
    """Take a decision back."""
    from orchestration.identity.decisions import NoSuchSubject, withdraw
    from orchestration.warehouse import Warehouse

    try:
        with Warehouse.open(target) as warehouse:
            number = withdraw(warehouse, decision_number, author=author, reason=reason)
    except (NoSuchSubject, ValueError) as error:
        console.print(f"[red]{error}[/]")
        raise typer.Exit(2) from None
    console.print(f"decision {number} withdraws {decision_number}; the next build applies it")


@identity_app.command("diff")
def diff_identity(
    base: Annotated[str, typer.Argument(help="Git revision to compare the working tree with.")],
    max_changed: Annotated[
        float, typer.Option(help="Share of customers that may merge, split or get another id.")
    ] = 1.0,
    out: Annotated[Path | None, typer.Option(help="File for the Markdown.")] = None,
) -> None:
    """Build both versions on what is landed (DuckDB) and say what becomes of customers."""
    from orchestration.identity.diff import DiffFailed, as_markdown, diff

    file = Path(os.environ.get("CDP_DUCKDB_PATH", "data/warehouse/cdp.duckdb"))
    if not file.exists():
        console.print(f"[red]no warehouse at {file}; land data first, or set CDP_DUCKDB_PATH[/]")
        raise typer.Exit(2)
    try:
        found = diff(base, file)
    except DiffFailed as error:
        console.print(f"[red]{error}[/]")
        raise typer.Exit(2) from None
    text = as_markdown(found, base)
    typer.echo(text)
    if out:
        out.write_text(text, encoding="utf-8")
    if found.changed_share() > max_changed:
        console.print(f"[red]{found.changed_share():.2%} change, {max_changed:.2%} may[/]")
        raise typer.Exit(1)


@identity_app.command("train")
def train_weights(
    write: Annotated[
        bool, typer.Option("--write", help="Write the seed identity_weights.")
    ] = False,
    target: Target = None,
) -> None:
    """Learn the weights of the fuzzy tier from the records in the warehouse (extra fuzzy)."""
    from orchestration.identity.fuzzy_model import (
        WEIGHTS_FILE,
        read_comparisons,
        read_weights,
        write_weights,
    )
    from orchestration.identity.training import NoForms, changes, read_forms, train
    from orchestration.warehouse import Warehouse

    if importlib.util.find_spec("splink") is None:
        console.print(r"[red]training needs Splink: pip install 'cdp\[fuzzy]'[/]")
        raise typer.Exit(2)
    before, comparisons = read_weights(), read_comparisons()
    try:
        with Warehouse.open(target) as warehouse:
            forms = read_forms(warehouse, comparisons)
    except NoForms as error:
        console.print(f"[red]{error}[/]")
        raise typer.Exit(2) from None
    after = train(forms, comparisons, before)
    _print(("comparison", "level", "m", "u"), changes(before, after))
    if not write:
        console.print(f"learned from {forms.num_rows:,} forms; --write keeps it")
        return
    write_weights(after, WEIGHTS_FILE)
    console.print(f"{WEIGHTS_FILE.name} is written; `dbt seed` and the next build apply it")


def _decide(target: str | None, decision: str, record: str, **about: Any) -> None:
    from orchestration.identity.decisions import NoSuchSubject, decide
    from orchestration.warehouse import Warehouse

    try:
        with Warehouse.open(target) as warehouse:
            number = decide(warehouse, decision, record, **about)
    except (NoSuchSubject, ValueError) as error:
        console.print(f"[red]{error}[/]")
        raise typer.Exit(2) from None
    console.print(f"decision {number} is written; the next build applies it")


Format = Annotated[Literal["text", "json", "svg"], typer.Option("--format", help="How to answer.")]


@explain_app.command("link")
def explain_link(record: str, other: str, form: Format = "text", target: Target = None) -> None:
    """The shortest path of evidence that makes two records one customer."""
    from orchestration.identity import explain

    _answer(target, form, lambda w: explain.explain_link(w, record, other))


@explain_app.command("apart")
def explain_apart(record: str, other: str, form: Format = "text", target: Target = None) -> None:
    """What two customers' records share, and the guard that keeps them apart."""
    from orchestration.identity import explain

    _answer(target, form, lambda w: explain.explain_apart(w, record, other))


@explain_app.command("customer")
def explain_customer(customer: str, form: Format = "text", target: Target = None) -> None:
    """A customer's records, evidence, identifiers and history; former ids are followed."""
    from orchestration.identity import explain

    _answer(target, form, lambda w: explain.explain_customer(w, customer))


def _answer(target: str | None, form: str, ask: Callable[[Any], Any]) -> None:
    from orchestration.identity.explain import UnknownSubject
    from orchestration.identity.rendering import rendered
    from orchestration.warehouse import Warehouse

    try:
        with Warehouse.open(target) as warehouse:
            answer = ask(warehouse)
    except UnknownSubject as error:
        console.print(f"[red]{error}[/]")
        raise typer.Exit(2) from None
    typer.echo(rendered(answer, form))


@app.command("publish")
def publish_marts(
    folder: Annotated[Path, typer.Option()] = Path("data/published"), target: Target = None
) -> None:
    """Write the copy of the marts that BI tools read."""
    from orchestration.defs.project import manifest
    from orchestration.publication import publish

    publication = publish(folder, manifest(), target=target)
    console.print(f"{len(publication.tables)} tables in {folder}")


if __name__ == "__main__":
    app()
