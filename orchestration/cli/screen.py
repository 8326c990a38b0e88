"""What all commands share: the terminal, tables, and errors that a person can put right."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from typer.core import TyperGroup

CANNOT_RUN = 2
"""Exit code of a command that did nothing; 1: it did something, and not all is well."""

# Into a file or a pipe a table goes whole, not cut to the width of no terminal.
console = Console(width=None if sys.stdout.isatty() else 200)
# Apart from the answer, so that `cdp plan --json | jq` has JSON and nothing else.
complaints = Console(stderr=True)

Target = Annotated[
    str | None, typer.Option(help="Target of profiles.yml; default: CDP_TARGET or duckdb.")
]


def print_table(columns: Iterable[str], rows: Iterable[tuple[str, ...]]) -> None:
    """Cells are text as it is: brackets in it are no markup. The first names the row and is
    shown whole."""
    table = Table(*columns, header_style="dim")
    table.columns[0].no_wrap = True
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    console.print(table)


def complain(what: object) -> NoReturn:
    """One line, and the exit code."""
    complaints.print(f"[red]{escape(str(what))}[/]", soft_wrap=True)
    raise typer.Exit(CANNOT_RUN) from None


@contextmanager
def one_line_for(*errors: type[Exception]) -> Iterator[None]:
    """Errors of one command that a person can put right are a line, not a traceback."""
    try:
        yield
    except errors as error:
        complain(error)


class Commands(TyperGroup):
    """All commands: what a person can put right is a line, whichever command it keeps from
    running. Anything else is a defect, and its place must be seen."""

    def invoke(self, ctx: typer.Context) -> Any:
        try:
            return super().invoke(ctx)
        except Exception as error:
            if not (line := _way_on(error)):
                raise
        complain(line)


def _way_on(error: Exception) -> str | None:
    """What is wrong and what to do next; None for a defect."""
    # Now that one was raised: --help must not wait for these.
    from orchestration.destinations.base import CallError
    from orchestration.landing.declared import DeclarationError
    from orchestration.sync.lease import SyncBusy
    from orchestration.sync.ledger import LedgerBroken
    from orchestration.sync.run import PlanChanged
    from orchestration.sync.spec import InvalidSync
    from orchestration.warehouse_errors import NotBuilt, Unreachable, WarehouseBusy, WarehouseError

    told = str(error).rstrip(".!")
    if isinstance(error, WarehouseBusy):
        return "another process holds the warehouse; try again when it is done"
    if isinstance(error, Unreachable):
        return f"{told}; `dbt debug` tests what profiles.yml and the environment say"
    if isinstance(error, NotBuilt):
        return f"{told}; land and build first (`cdp land`, `dbt build`)"
    if isinstance(error, CallError):
        is_login = getattr(error, "error_class", None) == "auth"
        look_at = "" if is_login else "address and "
        return f"the endpoint failed with {error.code}; look at its {look_at}credentials"
    says_what_to_do = (
        WarehouseError, InvalidSync, DeclarationError, SyncBusy, PlanChanged, LedgerBroken
    )  # fmt: skip
    # A variable that is not set, a record that is not there; not a key of a dict of ours.
    is_unknown = isinstance(error, LookupError) and not isinstance(error, (KeyError, IndexError))
    return str(error) if is_unknown or isinstance(error, says_what_to_do) else None
