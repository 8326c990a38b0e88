"""Commands about data on its way in and out: demo, land, fit, publish."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from orchestration.cli.screen import Target, console, one_line_for, print_table

Seed = Annotated[int, typer.Option(min=0, help="Same seed, same data.")]
Orders = Annotated[
    Path | None,
    typer.Option(exists=True, dir_okay=False, help="Real order lines (Online Retail II)."),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("demo")(demo)
    app.command("demo-data")(demo_data)
    app.command("land")(land_files)
    app.command("fit")(fit)
    app.command("publish")(publish_marts)


def demo(
    persons: Annotated[int, typer.Option(min=500, help="People of the made-up retailer.")] = 20_000,
    seed: Seed = 42,
    orders: Orders = None,
) -> None:
    """Make a retailer's data, run the daily job on it and show what came out."""
    from orchestration.demo.online_retail import UnusableOrders
    from orchestration.demo.run import run_demo

    with one_line_for(UnusableOrders):
        code = run_demo(console, persons=persons, seed=seed, orders=orders)
    raise typer.Exit(code)


def demo_data(
    out: Annotated[Path, typer.Option(file_okay=False, help="Folder for raw/ and truth/.")] = Path(
        "data"
    ),
    persons: Annotated[int, typer.Option(min=500)] = 20_000,
    seed: Seed = 42,
    orders: Orders = None,
) -> None:
    """Make a retailer's raw files, and the truth about them, and nothing else."""
    from orchestration.demo import generate
    from orchestration.demo.online_retail import UnusableOrders

    with one_line_for(OSError, UnusableOrders):
        summary = generate(out, persons=persons, seed=seed, orders=orders)
    console.print(f"{sum(summary.rows.values()):,} rows in {out / 'raw'}")


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

    with one_line_for(OSError):
        report = land(raw, target=target, loaded_at_until=until)
    print_table(report.columns, report.rows())
    raise typer.Exit(0 if report.ok else 1)


def fit(target: Target = None) -> None:
    """Fit the lifetime-value models on the order statistics in the warehouse."""
    from orchestration.lifetime_value import fit_into_warehouse

    for name, value in fit_into_warehouse(target=target).metadata().items():
        console.print(f"{name}: {value}")


def publish_marts(
    folder: Annotated[Path, typer.Option(file_okay=False)] = Path("data/published"),
    target: Target = None,
) -> None:
    """Write the copy of the marts that BI tools read."""
    from orchestration.defs.project import manifest
    from orchestration.publication import publish

    with one_line_for(OSError):
        publication = publish(folder, manifest(), target=target)
    console.print(f"{len(publication.tables)} tables in {folder}")
