"""The table of docs/benchmarks.md: identity on labelled sets, next to Splink.

    python -m benchmarks.identity_table [--json FILE]

By data set: the exact rules alone, with the fuzzy tier, and Splink with the models that its own
documentation has for such data. The public sets are in ``$CDP_SHARED_DIR``, or ``../shared``
(``data/identity``); what is absent is left out with a word. The made-up retailer is generated.
Seconds are those from raw values to clusters, without dbt's start-up; Splink's include training.
Every run is a process of its own.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from benchmarks.clustering import in_process, peak_mb
from benchmarks.identity import measure, settings_of
from benchmarks.identity_warehouse import ROOT, IdentityWarehouse
from benchmarks.person_files import read_people
from benchmarks.splink_models import run_splink
from orchestration.demo.accuracy import Accuracy, identity_accuracy, score

FEBRL = (
    "first_name=given_name,last_name=surname,street=street_number+address_1,city=suburb,"
    "postcode=postcode,birth_date=date_of_birth,national_id=soc_sec_id"
)
FEBRL_COLUMNS = (
    "given_name", "surname", "street_number", "address_1", "suburb", "postcode", "state",
    "date_of_birth", "soc_sec_id",
)  # fmt: skip
RETAILER_PEOPLE = 2_000
TRUTH = "cluster"


@dataclass(frozen=True)
class LabelledSet:
    """A public set: its files, what we map, the country of its people; of Splink the columns that
    it is given and the documented models that fit them."""

    name: str
    files: tuple[str, ...]
    mapping: str
    country: str
    splink_columns: tuple[str, ...]
    splink_models: tuple[str, ...]


SETS = (
    LabelledSet(
        "fake_1000",
        ("fake_1000.csv",),
        "first_name=first_name,last_name=surname,birth_date=dob,city=city,email=email",
        "GB",
        ("first_name", "surname", "dob", "city", "email"),
        ("quick start", "fake_1000 example"),
    ),
    LabelledSet(
        "febrl3",
        ("febrl3.csv",),
        FEBRL,
        "AU",
        FEBRL_COLUMNS,
        ("febrl3 example", "febrl4 example, within a file"),
    ),
    LabelledSet(
        "febrl4",
        ("febrl4a.csv", "febrl4b.csv"),
        FEBRL,
        "AU",
        FEBRL_COLUMNS,
        ("febrl4 example",),
    ),
)


@dataclass(frozen=True)
class Row:
    """A line of the table; seconds by the clock, MB of the process."""

    data: str
    method: str
    accuracy: Accuracy
    seconds: float
    peak_mb: float


EXACT, FUZZY = "exact rules only", "with the fuzzy tier"


def splink_rows(data: LabelledSet, paths: list[Path], seed: int = 1) -> Iterator[Row]:
    """Splink on the raw columns of the files, scored like ours; a line for each model."""
    mapping = {name: (name,) for name in data.splink_columns}
    people = read_people(paths, [mapping] * len(paths), TRUTH, seed)
    records = people.records
    sources = [key.split(":")[0] for key in records["record_key"].to_pylist()]
    records = records.append_column("source_dataset", [sources])
    for model in data.splink_models:
        with tempfile.TemporaryDirectory() as folder:
            pq.write_table(records, f"{folder}/people.parquet")
            seconds, memory = in_process(run_splink, folder, model)
            found = pq.read_table(f"{folder}/customers.parquet")
        accuracy = score(people.truth, found)
        yield Row(data.name, f"Splink, {model}", accuracy, seconds, memory)


def rows_of(data: LabelledSet, paths: list[Path]) -> Iterator[Row]:
    """The lines of a public set."""
    for method, exact in ((EXACT, True), (FUZZY, False)):
        outcome = measure(paths, [data.mapping], TRUTH, settings_of(data.country, exact))
        cost = outcome.cost
        yield Row(data.name, method, outcome.accuracy, cost.seconds, cost.peak_mb)
    if importlib.util.find_spec("splink"):
        yield from splink_rows(data, paths)


def resolve_retailer(folder: str, settings: dict[str, Any], results: Any) -> None:
    """Run the identity models on the conformed tables of the made-up retailer in ``folder``; puts
    (accuracy of the known people, seconds of the models, peak MB)."""
    data = Path(folder)
    database = data / "warehouse" / "cdp.duckdb"
    warehouse = IdentityWarehouse(data, settings, database, threads=2)
    warehouse.forget()
    warehouse.run()
    with warehouse.environment():
        accuracy = identity_accuracy(data / "truth")
    results.put((accuracy, warehouse.model_seconds, peak_mb()))


def make_retailer(folder: Path, people: int) -> None:
    """Generate, land, stage and conform the made-up retailer in a new ``folder``. Exits the
    benchmark with the command's words when one fails."""
    (folder / "warehouse").mkdir(parents=True)
    environment = {
        **os.environ,
        "DO_NOT_TRACK": "1",
        "PYTHONPATH": str(ROOT),
        "CDP_TARGET": "duckdb",
        "CDP_DATA_DIR": str(folder),
        "CDP_DUCKDB_PATH": str(folder / "warehouse" / "cdp.duckdb"),
        "DBT_TARGET_PATH": str(folder / "target"),
        "DBT_LOG_PATH": str(folder / "logs"),
    }
    cli, dbt = ["-m", "orchestration.cli"], ["-m", "dbt.cli.main", "--quiet"]
    for command in (
        [*cli, "demo-data", "--out", str(folder), "--persons", str(people)],
        [*cli, "land", str(folder / "raw")],
        [*dbt, "seed"],
        [*dbt, "run", "--select", "path:models/staging", "path:models/conformed"],
    ):
        done = subprocess.run(
            [sys.executable, *command],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"{' '.join(command)} failed\n{done.stdout[-4000:]}")


def retailer_rows(folder: Path) -> Iterator[Row]:
    """The lines of the made-up retailer; nobody has documented a Splink model of it."""
    make_retailer(folder, RETAILER_PEOPLE)
    for method, exact in ((EXACT, True), (FUZZY, False)):
        outcome = in_process(resolve_retailer, str(folder), settings_of("FR", exact))
        yield Row(f"made-up retailer, {RETAILER_PEOPLE:,} people", method, *outcome)


def all_rows() -> Iterator[Row]:
    """Every line of the table; what cannot be run is told on standard error."""
    folder = Path(os.environ.get("CDP_SHARED_DIR", ROOT.parent / "shared")) / "data" / "identity"
    if not importlib.util.find_spec("splink"):
        print("splink is absent, so is its side: pip install 'cdp[fuzzy]'", file=sys.stderr)
    for data in SETS:
        paths = [folder / name for name in data.files]
        if all(path.is_file() for path in paths):
            yield from rows_of(data, paths)
        else:
            print(f"{data.name} is not in {folder} (set CDP_SHARED_DIR)", file=sys.stderr)
    with tempfile.TemporaryDirectory() as temporary:
        yield from retailer_rows(Path(temporary) / "retailer")


def main() -> None:
    """Print the lines as Markdown as they come."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.identity_table", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    path = parser.parse_args().json
    print("| data | records | method | precision | recall | F1 | largest | seconds | MB |")
    print("|---|---|---|---|---|---|---|---|---|")
    rows = []
    for row in all_rows():
        rows.append(row)
        pairs = row.accuracy.pairs
        rates = f"{pairs.precision:.4f} | {pairs.recall:.4f} | {pairs.f1:.4f}"
        print(
            f"| {row.data} | {row.accuracy.records:,} | {row.method} | {rates}"
            f" | {row.accuracy.largest_cluster} | {row.seconds:.1f} | {row.peak_mb:,.0f} |",
            flush=True,
        )
    if path:
        path.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")


if __name__ == "__main__":
    main()
