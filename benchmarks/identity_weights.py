"""Makes the weights of the fuzzy tier that the project comes with, the seed ``identity_weights``.

    python -m benchmarks.identity_weights [--out FILE]

Trains, without labels, on the public sets fake_1000, febrl3 and febrl4 (``$CDP_SHARED_DIR``, or
``../shared``) and on the made-up retailer of 10,000 people, and blends what each came to with
weights written by hand (``identity_weights_by_hand.csv``), which are also where every training
starts: m is the mean of the kinds of data that could teach a comparison (febrl3 and febrl4 are
one kind) and of the hand's, u the median of the kinds that could, the hand's where none could.
How often a household agrees is the hand's alone. Prints what differs from today's seed.

Needs the extra fuzzy, and some ten minutes. A data set that is absent is an error: weights
without it would be other weights.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.clustering import in_process
from benchmarks.identity import settings_of
from benchmarks.identity_table import SETS, TRUTH, LabelledSet, make_retailer
from benchmarks.identity_warehouse import CANONICAL_COLUMNS, ROOT, IdentityWarehouse
from benchmarks.person_files import parse_mapping, read_people
from orchestration.identity.fuzzy_model import (
    Weights,
    read_comparisons,
    read_weights,
    write_weights,
)
from orchestration.identity.training import (
    changes,
    comparisons_with_other_m,
    normalised,
    read_forms,
    train,
)
from orchestration.warehouse import Warehouse

BY_HAND = Path(__file__).with_name("identity_weights_by_hand.csv")
KINDS = (("fake_1000",), ("febrl3", "febrl4"), ("retailer",))
"""Sets of one kind count once."""
RETAILER_PEOPLE = 10_000


def blend(learned: Mapping[str, Weights], by_hand: Weights) -> Weights:
    """The weights of all kinds of data and of the hand in one."""
    taught = {name: comparisons_with_other_m(by_hand, weights) for name, weights in learned.items()}
    blended: Weights = {}
    for key, chances in by_hand.items():
        by_kind = [
            [learned[name][key] for name in kind if key[0] in taught[name]] for kind in KINDS
        ]
        several = [kind for kind in by_kind if kind]
        ms = [statistics.fmean(each.m for each in kind) for kind in several]
        us = [statistics.fmean(each.u for each in kind) for kind in several]
        blended[key] = replace(
            chances,
            m=statistics.fmean([*ms, chances.m]),
            u=statistics.median(us) if us else chances.u,
        )
    return normalised(blended)


def resolve_set(data: LabelledSet, paths: Sequence[Path], folder: Path) -> IdentityWarehouse:
    """A public set, its labels left out, through the identity models."""
    mapping = parse_mapping(data.mapping, CANONICAL_COLUMNS)
    people = read_people(paths, [mapping] * len(paths), TRUTH, seed=1)
    warehouse = IdentityWarehouse(folder, settings_of(data.country), threads=2)
    warehouse.load_table(people.records)
    return warehouse


def resolve_retailer(folder: Path) -> IdentityWarehouse:
    """The made-up retailer through the identity models."""
    data = folder / "retailer"
    make_retailer(data, RETAILER_PEOPLE)
    database = data / "warehouse" / "cdp.duckdb"
    return IdentityWarehouse(data, settings_of("FR"), database, threads=2)


def learn(name: str, paths: Sequence[Path], folder: str, results: Any) -> None:
    """Puts the weights that a data set comes to, starting from those by hand."""
    data = next((each for each in SETS if each.name == name), None)
    place = Path(folder)
    warehouse = resolve_set(data, paths, place) if data else resolve_retailer(place)
    warehouse.run()
    comparisons = read_comparisons()
    with warehouse.environment(), Warehouse.open() as door:
        forms = read_forms(door, comparisons)
    results.put(train(forms, comparisons, read_weights(BY_HAND)))


def learn_all() -> dict[str, Weights]:
    """Weights by data set, each learned in a process of its own."""
    folder = Path(os.environ.get("CDP_SHARED_DIR", ROOT.parent / "shared")) / "data" / "identity"
    files = {data.name: [folder / file for file in data.files] for data in SETS}
    absent = [str(path) for paths in files.values() for path in paths if not path.is_file()]
    if absent:
        raise SystemExit(f"absent: {', '.join(absent)} (set CDP_SHARED_DIR)")
    learned = {}
    for name in (name for kind in KINDS for name in kind):
        with tempfile.TemporaryDirectory() as temporary:
            learned[name] = in_process(learn, name, files.get(name, ()), temporary)
        taught = sorted(comparisons_with_other_m(read_weights(BY_HAND), learned[name]))
        print(f"{name} teaches {', '.join(taught)}", flush=True)
    return learned


def main(arguments: Sequence[str] | None = None) -> None:
    """Print what would change in the seed; with ``--out`` write the weights to a file."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.identity_weights", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the weights there")
    options = parser.parse_args(arguments)
    weights = blend(learn_all(), read_weights(BY_HAND))
    print(f"\n{'comparison':12} {'level':14} {'m':22} u")
    for comparison, level, m, u in changes(read_weights(), weights):
        print(f"{comparison:12} {level:14} {m:22} {u}")
    if options.out:
        write_weights(weights, options.out)


if __name__ == "__main__":
    main()
