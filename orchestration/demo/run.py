"""``make demo``: data, fake CRM, the daily job, and a summary of what came out."""

import os
import shutil
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from threading import Thread

import dagster as dg
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

from orchestration.private_files import make_private_folder
from orchestration.warehouse import ROOT

REAL_ORDERS_AS_OF = date(2010, 12, 10)
"""The day after the last order of Online Retail II's first year."""


def run_demo(console: Console, persons: int, seed: int, orders: Path | None) -> int:
    """Returns the exit code: 0 when every step and every blocking check is green."""
    started = time.monotonic()
    data = ROOT / "data" / "demo"
    shutil.rmtree(data, ignore_errors=True)
    _point_at(data, orders)
    home = Path(os.environ.setdefault("DAGSTER_HOME", str(ROOT / ".dagster")))
    home.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "orchestration" / "dagster.yaml", home / "dagster.yaml")

    from orchestration.demo import generate
    from tests.fakes.hubspot import FakeHubSpot

    with console.status("Making the retailer's raw files ..."):
        generate(data, persons=persons, seed=seed, orders=orders)
    console.print(f"[green]✓[/] raw files of {persons:,} people in {data.relative_to(ROOT)}/raw")

    with FakeHubSpot() as hubspot:
        os.environ["HUBSPOT_BASE_URL"] = hubspot.url
        os.environ["HUBSPOT_TOKEN"] = hubspot.token
        succeeded = _run_daily_job(console)
        first_calls = len(hubspot.calls)
        if succeeded:
            _sync_again()
        second_calls = len(hubspot.calls) - first_calls

    if not succeeded:
        console.print("[red]The job failed.[/] Its log is in the Dagster UI: make ui")
        return 1
    from orchestration.demo.summary import print_summary

    print_summary(console, data, calls=(first_calls, second_calls))
    console.print(f"\nDone in {time.monotonic() - started:.0f} s.")
    return 0


def _point_at(data: Path, orders: Path | None) -> None:
    """The demo has files of its own: a project's real warehouse is never touched."""
    os.environ["CDP_TARGET"] = "duckdb"
    os.environ["CDP_DATA_DIR"] = str(data)
    os.environ["CDP_DUCKDB_PATH"] = str(data / "warehouse" / "cdp.duckdb")
    make_private_folder(data / "warehouse")
    if orders is not None:
        os.environ["CDP_AS_OF"] = REAL_ORDERS_AS_OF.isoformat()


def _sync_again() -> None:
    """The same data once more: nothing is to be sent."""
    from orchestration.defs.project import manifest
    from orchestration.sync.run import run_sync
    from orchestration.sync.spec import load_syncs

    for sync_name in load_syncs(manifest()):
        run_sync(sync_name)


def _run_daily_job(console: Console) -> bool:
    """Run the job ``daily`` in this process, recorded in the instance that ``make ui`` shows,
    with a bar that counts assets."""
    from orchestration.definitions import defs

    job = defs.resolve_job_def("daily")
    instance = dg.DagsterInstance.get()
    total = len(job.asset_layer.selected_asset_keys)
    outcome: list[bool] = []
    run_id = str(uuid.uuid4())
    log = ROOT / "data" / "demo" / "job.log"

    def run() -> None:
        result = job.execute_in_process(
            instance=instance,
            raise_on_error=False,
            run_id=run_id,
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
        outcome.append(result.success)

    worker = Thread(target=run, daemon=True)
    console.print(f"  what dbt and Dagster say is in {log.relative_to(ROOT)}")
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with _quiet(log) as screen, Progress(*columns, console=screen, transient=True) as progress:
        task = progress.add_task("Landing, building, fitting, publishing, syncing", total=total)
        worker.start()
        while worker.is_alive():
            worker.join(timeout=1)
            progress.update(task, completed=_materialized(instance, run_id))
    return bool(outcome and outcome[0])


@contextmanager
def _quiet(log: Path) -> Iterator[Console]:
    """Whatever the process and its children print goes to a file; the console given goes on
    writing to the terminal."""
    terminal = os.dup(1)
    sys.stdout.flush()
    sys.stderr.flush()
    saved_errors = os.dup(2)
    with log.open("w") as file, os.fdopen(os.dup(terminal), "w") as screen:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        try:
            yield Console(file=screen)
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os.dup2(terminal, 1)
            os.dup2(saved_errors, 2)
            os.close(terminal)
            os.close(saved_errors)


def _materialized(instance: dg.DagsterInstance, run_id: str) -> int:
    records = instance.get_records_for_run(
        run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION, limit=10_000
    ).records
    return len(records)
