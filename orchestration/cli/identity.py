"""``cdp identity`` and ``cdp explain``: who is who, and why."""

import importlib.util
import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from orchestration.cli.screen import Target, complain, console, one_line_for, print_table

identity_app = typer.Typer(help="Decide who is who; the next build applies it.")
explain_app = typer.Typer(help="Why two records are one customer, or are not.")

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
    from orchestration.identity.decisions import withdraw
    from orchestration.warehouse import Warehouse

    with Warehouse.open(target) as warehouse, one_line_for(ValueError):
        number = withdraw(warehouse, decision_number, author=author, reason=reason)
    console.print(f"decision {number} withdraws {decision_number}; the next build applies it")


@identity_app.command("diff")
def diff_identity(
    base: Annotated[str, typer.Argument(help="Git revision to compare the working tree with.")],
    max_changed: Annotated[
        float,
        typer.Option(
            min=0, max=1, help="Share of customers that may merge, split or get another id."
        ),
    ] = 1.0,
    out: Annotated[Path | None, typer.Option(dir_okay=False, help="File for the Markdown.")] = None,
) -> None:
    """Build both versions on what is landed (DuckDB) and say what becomes of customers."""
    from orchestration.identity.diff import DiffFailed, as_markdown, diff

    file = Path(os.environ.get("CDP_DUCKDB_PATH", "data/warehouse/cdp.duckdb"))
    if not file.is_file():
        complain(f"no warehouse at {file}; land data first, or set CDP_DUCKDB_PATH")
    if out and not out.parent.is_dir():  # said before the builds, which take minutes
        complain(f"no folder {out.parent}")
    with one_line_for(DiffFailed):
        found = diff(base, file)
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
    from orchestration.identity.training import changes, read_forms, train
    from orchestration.warehouse import Warehouse

    if importlib.util.find_spec("splink") is None:
        complain("training needs Splink: pip install 'cdp[fuzzy]'")
    before, comparisons = read_weights(), read_comparisons()
    with Warehouse.open(target) as warehouse:
        forms = read_forms(warehouse, comparisons)
    after = train(forms, comparisons, before)
    print_table(("comparison", "level", "m", "u"), changes(before, after))
    if not write:
        console.print(f"learned from {forms.num_rows:,} forms; --write keeps it")
        return
    write_weights(after, WEIGHTS_FILE)
    console.print(f"{WEIGHTS_FILE.name} is written; `dbt seed` and the next build apply it")


def _decide(target: str | None, decision: str, record: str, **about: Any) -> None:
    from orchestration.identity.decisions import decide
    from orchestration.warehouse import Warehouse

    with Warehouse.open(target) as warehouse, one_line_for(ValueError):
        number = decide(warehouse, decision, record, **about)
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
    from orchestration.identity.rendering import rendered
    from orchestration.warehouse import Warehouse

    with Warehouse.open(target) as warehouse:
        answer = ask(warehouse)
    typer.echo(rendered(answer, form))
