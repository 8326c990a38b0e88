"""How well the identity models find the people of a labelled file, in how many seconds.

    python -m benchmarks.identity people.csv --truth cluster
    python -m benchmarks.identity people.csv --truth cluster
        --map first_name=given_name,last_name=surname,street=street_number+address_1
    python -m benchmarks.identity a.csv b.parquet --truth cluster --map ... [--map ...]

One file is deduplicated, two are linked (each is a source of its own; what is found within a file
counts too). ``--map`` fills canonical columns from the file's, for both files or once for each;
without it the names of the columns say. The project's own models run on a new DuckDB file with the
same settings for every data set; ``--exact`` leaves out the fuzzy tier. The truth column and
unmapped columns are never loaded: a record is known by its row after a shuffle. Records without a
label are resolved like any other and are in no rate. dbt runs in a process of its own, whose peak
memory is given.

``python -m benchmarks.identity_table`` measures the labelled sets of docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.clustering import in_process, peak_mb
from benchmarks.identity_warehouse import CANONICAL_COLUMNS, IDENTIFIERS, IdentityWarehouse
from benchmarks.person_columns import PersonFileError
from benchmarks.person_dates import ORDERS, years_to_oldest
from benchmarks.person_files import Reading, parse_mapping, read_people
from orchestration.demo.accuracy import Accuracy, Rates, score

BROWSERS = ("cookie_id", "device_id")
SHARED_BY_TOO_MANY = """
select identifier_type, count(distinct value_hash), count(*)
from identity.customer_identifier_rejections
where reason in ('too_many_records', 'too_many_persons')
group by identifier_type order by identifier_type
"""
MAY_BE_LOST = 0.05
"""Of a column's values, how many the normalisers may make null without a warning."""


@dataclass(frozen=True)
class Cost:
    """Seconds by the clock: dbt's start-up (parsing, seeds, connecting), normalising the raw
    values, the identity models. ``peak_mb``: MB of the process."""

    start_seconds: float
    normalise_seconds: float
    model_seconds: float
    peak_mb: float

    @property
    def seconds(self) -> float:
        """From raw values to customers, without dbt's start-up."""
        return self.normalise_seconds + self.model_seconds


@dataclass(frozen=True)
class Outcome:
    """What a data set came to; ``settings`` are the dbt variables that were set, ``unlabelled`` the
    records that are in no rate, ``lost`` by column its values and those that were made null,
    ``shared`` by identifier type the values that were no keys, as too many records or people hold
    them, and how many records do."""

    accuracy: Accuracy
    cost: Cost
    settings: dict[str, Any]
    unlabelled: int
    lost: dict[str, tuple[int, int]]
    readings: tuple[Reading, ...]
    shared: dict[str, tuple[int, int]]

    def as_dict(self) -> dict[str, Any]:
        """For JSON: counts, rates to full precision, seconds, MB."""
        counts = asdict(self.accuracy)
        del counts["bcubed"]
        rates = {
            name: {**asdict(rate), "f1": rate.f1} for name, rate in rates_of(self.accuracy).items()
        }
        return {
            **counts,
            "unlabelled": self.unlabelled,
            "rates": rates,
            "cost": asdict(self.cost),
            "settings": self.settings,
            "files": [reading.as_dict() for reading in self.readings],
            "columns": {
                name: {"values": values, "made_null": lost}
                for name, (values, lost) in self.lost.items()
            },
            "shared_by_too_many": {
                name: {"values": values, "records": records}
                for name, (values, records) in self.shared.items()
            },
            "warnings": self.warnings(),
        }

    def warnings(self) -> list[str]:
        """What makes the rates say less about the models than they seem to."""
        told = [warning for reading in self.readings for warning in reading.warnings()]
        for name, (values, lost) in self.lost.items():
            if lost > MAY_BE_LOST * values:
                hint = {
                    "phone": " (is --country right?)",
                    "postcode": " (is --country right?)",
                    "birth_date": " (see --dates)",
                }.get(name, "")
                told.append(
                    f"{lost:,} of {values:,} values of {name} are none that the models can"
                    f" use, and count as empty{hint}"
                )
        told += [
            f"values of {name} that too many records or people share: {values:,}, on {records:,}"
            " records; they join nobody (limits: seed identifier_rules)"
            for name, (values, records) in self.shared.items()
        ]
        if not self.accuracy.true_pairs:
            told.append("no two records have the same label: there is nothing to find")
        return told


def rates_of(accuracy: Accuracy) -> dict[str, Rates]:
    """By what is counted."""
    return {"pairs": accuracy.pairs, "clusters": accuracy.clusters, "b-cubed": accuracy.bcubed}


def settings_of(country: str, exact: bool = False) -> dict[str, Any]:
    """dbt variables of a run: the same for every data set but for the country."""
    return {"identity_fuzzy": not exact, "default_country": country}


def run_models(folder: str, settings: dict[str, Any], results: Any) -> None:
    """Resolve ``records.parquet`` of the folder into its ``customers.parquet``; puts a ``Cost``,
    what was lost on the way and what too many share."""
    begun = time.perf_counter()
    warehouse = IdentityWarehouse(Path(folder), settings, threads=2)
    started = time.perf_counter()
    warehouse.load_table(pq.read_table(f"{folder}/records.parquet"))
    loaded = time.perf_counter()
    warehouse.run()
    ran = time.perf_counter()
    pq.write_table(warehouse.customer_table(), f"{folder}/customers.parquet")
    start = started - begun + (ran - loaded - warehouse.model_seconds)
    cost = Cost(start, loaded - started, warehouse.model_seconds, peak_mb())
    shared = {name: counts for name, *counts in warehouse.query(SHARED_BY_TOO_MANY)}
    results.put((cost, warehouse.lost, shared))


def measure(
    paths: Sequence[Path],
    maps: Sequence[str],
    truth: str,
    settings: dict[str, Any],
    seed: int = 1,
    folder: Path | None = None,
    dates: Sequence[str] = (),
    say: Callable[[str], None] = lambda line: None,
) -> Outcome:
    """Resolve the files and compare with their truth; the warehouse and the records stay in
    ``folder`` when one is given. ``maps`` and ``dates`` (orders) are none, one for all files or one
    for each; what was read is told by ``say`` before the models run. Raises ``PersonFileError`` for
    what cannot be read."""
    mappings = [parse_mapping(text, CANONICAL_COLUMNS) for text in maps]
    people = read_people(
        paths,
        _for_each(paths, mappings, "--map"),
        truth,
        seed,
        CANONICAL_COLUMNS,
        tuple(IDENTIFIERS),
        _for_each(paths, dates, "--dates"),
    )
    for reading in people.readings:
        say("\n".join(reading.lines()))
    if "birth_date" in people.records.column_names and (
        years := years_to_oldest(people.records["birth_date"])
    ):
        say(f"  birth_date: most lie further back than anybody lives: {years} years are allowed")
        settings = settings | {"max_age_years": years}
    with tempfile.TemporaryDirectory() as temporary:
        place = folder or Path(temporary)
        place.mkdir(parents=True, exist_ok=True)
        pq.write_table(with_anonymity(people.records), place / "records.parquet")
        cost, lost, shared = in_process(run_models, str(place), settings)
        found = pq.read_table(place / "customers.parquet")
    if found.num_rows != people.records.num_rows:
        raise SystemExit(f"{people.records.num_rows} records went in, {found.num_rows} came out")
    unlabelled = people.truth["person_id"].null_count
    accuracy = score(people.truth, found)
    return Outcome(accuracy, cost, settings, unlabelled, lost, people.readings, shared)


def _for_each(paths: Sequence[Path], given: Sequence[Any], option: str) -> list[Any]:
    if len(given) not in (0, 1, len(paths)):
        raise PersonFileError(f"give one {option} for all files, or one for each")
    return [*(given or [None])] * (len(paths) // (len(given) or 1))


def with_anonymity(records: pa.Table) -> pa.Table:
    """The records and is_anonymous: 'true' where a browser or a device is all that is known."""
    told = [n for n in records.column_names if n not in ("record_key", *BROWSERS)]
    browsers = [n for n in records.column_names if n in BROWSERS]
    if not browsers:
        return records
    is_anonymous = pc.is_valid(pc.coalesce(*(records[name] for name in browsers)))
    if told:
        is_named = pc.is_valid(pc.coalesce(*(records[name] for name in told)))
        is_anonymous = pc.and_not(is_anonymous, is_named)
    flag = pc.if_else(is_anonymous, "true", pa.scalar(None, pa.string()))
    return records.append_column("is_anonymous", flag)


def text_of(outcome: Outcome) -> str:
    """The figures for a terminal."""
    accuracy, cost = outcome.accuracy, outcome.cost
    unlabelled = [
        f"records without a label: {outcome.unlabelled:,} more; they were resolved, too, and are in"
        " no rate"
    ] * bool(outcome.unlabelled)
    lines = [f"{'column':16}{'values':>11}{'made null by the normalisers':>31}"]
    lines += [f"{name:16}{values:11,}{lost:31,}" for name, (values, lost) in outcome.lost.items()]
    lines += [
        f"{accuracy.records:,} records of {accuracy.persons:,} people,"
        f" {accuracy.customers:,} customers found, the largest of {accuracy.largest_cluster:,}",
        f"pairs: {accuracy.true_pairs:,} true, {accuracy.found_pairs:,} found,"
        f" {accuracy.right_pairs:,} right",
        *unlabelled,
        f"{'':10}{'precision':>11}{'recall':>9}{'F1':>9}",
    ]
    lines += [
        f"{name:10}{rate.precision:11.4f}{rate.recall:9.4f}{rate.f1:9.4f}"
        for name, rate in rates_of(accuracy).items()
    ]
    lines += [
        f"{cost.seconds:.1f} s: normalising {cost.normalise_seconds:.1f},"
        f" models {cost.model_seconds:.1f}; dbt's start-up {cost.start_seconds:.1f} s more",
        f"peak memory {cost.peak_mb:,.0f} MB; settings {json.dumps(outcome.settings)}",
    ]
    lines += [f"WARNING: {warning}" for warning in outcome.warnings()]
    return "\n".join(lines)


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.identity",
        description=__doc__.splitlines()[0],
        epilog=f"Canonical columns: {', '.join(CANONICAL_COLUMNS)}. A file's column is found by its"
        " name, case and white space around it aside; a name with a comma, a plus, an equals sign"
        " or white space at its ends goes in double quotes, or the sign after a backslash:"
        """ --map 'full_name="last, first",city=town\\,village'.""",
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="one or two files")
    parser.add_argument(
        "--map",
        action="append",
        default=[],
        help="canonical=column+column,... for all files or once for each; without it, common names"
        " of columns are known, and what is used is printed as a --map",
    )
    parser.add_argument("--truth", help="column that says who a record is; empty: not labelled")
    parser.add_argument(
        "--dates",
        action="append",
        choices=ORDERS,
        default=[],
        help="order of day, month and year in birth dates that have no ISO form, for all files or"
        " once for each (default: what the values of the column say, else dmy)",
    )
    parser.add_argument("--exact", action="store_true", help="without the fuzzy tier")
    parser.add_argument("--country", default="FR", help="of numbers without one (default FR)")
    parser.add_argument("--seed", type=int, default=1, help="of the shuffle (default 1)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the warehouse there")
    return parser


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the figures; with ``--json`` write them too."""
    parser = make_parser()
    options = parser.parse_args(arguments)
    if len(options.files) not in (1, 2):
        parser.error("give one file to deduplicate or two to link")
    if not options.truth:
        parser.error("--truth is needed")
    try:
        outcome = measure(
            options.files,
            options.map,
            options.truth,
            settings_of(options.country, options.exact),
            options.seed,
            options.keep,
            options.dates,
            partial(print, flush=True),
        )
    except PersonFileError as problem:
        parser.error(str(problem))
    print(text_of(outcome))
    if options.json:
        options.json.write_text(json.dumps(outcome.as_dict(), indent=1) + "\n")


if __name__ == "__main__":
    main()
