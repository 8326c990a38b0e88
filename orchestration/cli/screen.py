"""What all commands share: the terminal, tables, and errors that a person can put right."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

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
    """Errors that a person can put right are a line, not a traceback."""
    try:
        yield
    except errors as error:
        # A key that is missing in a dict of ours is a defect, and its place must be seen.
        if isinstance(error, (KeyError, IndexError)):
            raise
        complain(error)
