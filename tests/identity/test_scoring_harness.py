"""The harness that scores identity: figures by hand, no label in the warehouse."""

from __future__ import annotations

import json
import random
from contextlib import redirect_stdout
from io import StringIO
from itertools import combinations
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from benchmarks.identity import main, with_anonymity
from benchmarks.identity_table import SETS, TRUTH
from benchmarks.identity_warehouse import CANONICAL_COLUMNS, ROOT
from benchmarks.person_files import parse_mapping, read_people
from orchestration.demo.accuracy import Accuracy, Rates, score

# Comma and space, as febrl's files. Found by exact rules: the two of ALPHA with a mailbox, all
# three Bobs of a mailbox (GAMMA wrongly), and the others alone; one record is not labelled.
PEOPLE = """\
rec_id, given_name, surname, number, road, born, mail, call, who
SECRET-1, Ana, Ruiz, 12, "Rose Lane, 2nd floor", 19880402, ana@post.example, , TRUTH-ALPHA
SECRET-2, Ana, Ruiz, , , 4/2/1988, ana@post.example, , TRUTH-ALPHA
SECRET-3, Ana, Ruiz, 12, Rose Lane, , , , TRUTH-ALPHA
SECRET-4, Bob, Durand, 7, High Street, , bob@post.example, , TRUTH-BETA
SECRET-5, Bob, Durand, , High Street, , bob@post.example, , TRUTH-BETA
SECRET-6, Bob, Durand, , , , bob@post.example, , TRUTH-GAMMA
SECRET-7, Carla, Neri, , , 19700512, carla@post.example, ring twice, TRUTH-DELTA
SECRET-8, Dora, Klein, , N/A, , dora@post.example, 612345678.0,
"""
MAP = (
    "first_name=given_name,last_name=surname,street=number+road,birth_date=born,email=mail,"
    "phone=call"
)


def run(*arguments: object, folder: Path) -> dict:
    """The figures that the command writes."""
    options = ["--exact", "--json", folder / "figures.json", "--keep", folder / "kept"]
    main([str(argument) for argument in (*arguments, *options)])
    return json.loads((folder / "figures.json").read_text())


@pytest.fixture(scope="module")
def deduplicated(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict, Path]:
    """Figures of one file, and the folder of its warehouse."""
    folder = tmp_path_factory.mktemp("deduplicated")
    (folder / "people.csv").write_text(PEOPLE)
    with redirect_stdout(StringIO()) as printed:
        options = ("--truth", "who", "--map", MAP, "--dates", "mdy")
        figures = run(folder / "people.csv", *options, folder=folder)
    figures["printed"] = printed.getvalue()
    return figures, folder / "kept"


def rows(folder: Path, sql: str) -> list[tuple]:
    with duckdb.connect(str(folder / "cdp.duckdb"), read_only=True) as warehouse:
        return warehouse.execute(sql).fetchall()


def test_figures_are_those_computed_by_hand(deduplicated) -> None:
    figures, _ = deduplicated
    counts = {name: value for name, value in figures.items() if isinstance(value, int)}
    assert counts == {
        "records": 7,
        "persons": 4,
        "customers": 4,
        "true_pairs": 4,
        "found_pairs": 4,
        "right_pairs": 2,
        "exact_customers": 1,
        "largest_cluster": 3,
        "persons_in_worst_cluster": 2,
        "unlabelled": 1,
    }
    half = {"precision": 0.5, "recall": 0.5, "f1": 0.5}
    quarter = {"precision": 0.25, "recall": 0.25, "f1": 0.25}
    assert figures["rates"]["pairs"] == pytest.approx(half)
    assert figures["rates"]["clusters"] == pytest.approx(quarter)
    # Right shares of the customers: 1, 1, 1, 2/3, 2/3, 1/3, 1; of the people likewise.
    assert figures["rates"]["b-cubed"] == pytest.approx(dict.fromkeys(half, 17 / 21))
    assert figures["settings"]["identity_fuzzy"] is False
    assert all(figures["cost"].values()), "every part is measured"


def test_what_was_read_and_what_was_lost_is_told(deduplicated) -> None:
    """A column whose values are not understood does not make a bad resolver."""
    figures, _ = deduplicated
    assert {name: tuple(counts.values()) for name, counts in figures["columns"].items()} == {
        "first_name": (8, 0),
        "last_name": (8, 0),
        "birth_date": (3, 0),
        "email": (7, 0),
        "phone": (2, 1),
        "street": (4, 0),
    }
    warning = (
        "1 of 2 values of phone are none that the models can use, and count as empty (is --country"
        " right?)"
    )
    assert figures["warnings"] == [warning]
    [file] = figures["files"]
    assert (file["file"], file["encoding"], file["map"]) == ("people.csv", "utf-8-sig", MAP)
    assert file["nothing"]["street"] == 1
    assert (file["dates"]["order"], file["dates"]["decided_by"]) == ("mdy", "option")
    told = figures["printed"]
    for line in (
        f"  --map {MAP}",
        "  not used: rec_id",
        "  birth_date: month first (as --dates says)",
        "  words for nothing, taken as empty: street 1",
        f"{'phone':16}{2:11}{1:31}",
        "records without a label: 1 more; they were resolved, too, and are in no rate",
        f"WARNING: {warning}",
    ):
        assert line in told.splitlines()
    # What was read is known before the models run for minutes.
    assert told.index("--map") < told.index("records of")


def test_values_are_normalised_and_joined(deduplicated) -> None:
    _, folder = deduplicated
    found = rows(
        folder,
        "select first_name, street, cast(birth_date as text) from conformed.customer_records"
        " where first_name in ('Ana', 'Bob') order by all",
    )
    assert found == [
        ("Ana", "12 Rose Lane", None),
        ("Ana", "12 Rose Lane, 2nd floor", "1988-04-02"),
        ("Ana", None, "1988-04-02"),
        ("Bob", "7 High Street", None),
        ("Bob", "High Street", None),
        ("Bob", None, None),
    ]


def test_no_label_is_in_the_warehouse(deduplicated) -> None:
    """Neither the truth nor an id that was not mapped, in any table, nor in the order of keys."""
    _, folder = deduplicated
    holders: dict[str, list[str]] = {"TRUTH": [], "SECRET": [], "ana@post.example": []}
    with duckdb.connect(str(folder / "cdp.duckdb"), read_only=True) as warehouse:
        tables = warehouse.execute(
            "select table_schema || '.' || table_name from information_schema.tables"
        ).fetchall()
        for (table,) in tables:
            sql = f"select cast(columns(*) as text) from {table}"
            text = "\n".join(
                value or "" for row in warehouse.execute(sql).fetchall() for value in row
            )
            for planted, found in holders.items():
                found += [table] * (planted in text)
    assert holders["TRUTH"] == holders["SECRET"] == []
    assert {"conformed.record_identifiers", "identity.customer_identifiers"} <= set(
        holders["ana@post.example"]
    ), "a value that is loaded is seen"
    names = {name for (name,) in rows(folder, "select column_name from information_schema.columns")}
    assert not names & {"who", "rec_id"}
    given = pq.read_table(folder / "records.parquet")
    assert given["record_key"].to_pylist() == [f"people:{row}" for row in range(8)]
    assert given["first_name"].to_pylist() != ["Ana"] * 3 + ["Bob"] * 3 + ["Carla", "Dora"]


def test_the_records_meet_the_contract(deduplicated) -> None:
    """Every column of the conformed models."""
    _, folder = deduplicated
    expected = set()
    for name in ("customer_records", "record_identifiers"):
        [model] = yaml.safe_load((ROOT / "models" / "conformed" / f"{name}.yml").read_text())[
            "models"
        ]
        expected |= {(name, column["name"]) for column in model["columns"]}
    sql = "select table_name, column_name from information_schema.columns"
    assert expected <= set(rows(folder, sql))


def test_values_that_too_many_share_are_told(tmp_path: Path) -> None:
    """101 equal rows of one person are 101 customers: a telephone joins 100 at most."""
    (tmp_path / "people.csv").write_text("phone,who\n" + "+33639980041,A\n" * 101)
    figures = run(tmp_path / "people.csv", "--truth=who", folder=tmp_path)
    assert figures["customers"] == 101
    assert figures["shared_by_too_many"] == {"phone": {"values": 1, "records": 101}}
    assert figures["warnings"] == [
        "values of phone that too many records or people share: 1, on 101 records; they join nobody"
        " (limits: seed identifier_rules)"
    ]


@pytest.mark.slow
def test_two_files_are_linked(tmp_path: Path) -> None:
    """Each has columns of its own; Parquet values are read as text."""
    left = {"id": [1, 2, 3], "name": ["Ana Ruiz", "Bob Durand", "Carla Neri"]}
    left |= {"card": [8_001, 8_002, 8_003], "person": [1, 2, 3]}
    pq.write_table(pa.table(left), tmp_path / "till.parquet")
    (tmp_path / "shop.csv").write_text(
        "person;first;last;loyalty\n1;Ana;Ruiz;8001\n2;Bob;Durand;8002\n4;Carla;Neri;9003\n"
    )
    figures = run(
        tmp_path / "till.parquet",
        tmp_path / "shop.csv",
        "--truth=person",
        "--map=full_name=name,loyalty_id=card",
        "--map=first_name=first,last_name=last,loyalty_id=loyalty",
        folder=tmp_path,
    )
    assert figures["records"] == 6
    assert figures["customers"] == figures["persons"] == 4
    assert figures["right_pairs"] == figures["found_pairs"] == figures["true_pairs"] == 2
    assert figures["rates"]["clusters"]["f1"] == 1.0
    sources = rows(
        tmp_path / "kept",
        "select source_name, count(*) from conformed.customer_records group by all order by all",
    )
    assert sources == [("people_1", 3), ("people_2", 3)]


@pytest.mark.parametrize(
    ("mapping", "truth", "message"),
    [
        ("forename=given_name", "who", "'forename' is no canonical column"),
        ("first_name=forename", "who", "people.csv has no column 'forename'; its columns are rec"),
        ("street=number+street", "who", "people.csv has no column 'street'"),
        ("first_name=given_name", "cluster", "people.csv has no column 'cluster'"),
        ("first_name=given_name,city=who", "who", "'who' is the truth: it must not be mapped"),
        ("first_name=given_name,first_name=surname", "who", "'first_name' is mapped twice"),
        ("first_name", "who", "'first_name' is not canonical_column=column"),
        (",", "who", "nothing is mapped"),
        ('first_name="given', "who", "a quote is not closed in"),
    ],
)
def test_a_wrong_mapping_is_a_clear_error(
    mapping: str, truth: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    (tmp_path / "people.csv").write_text(PEOPLE)
    with pytest.raises(SystemExit):
        main([str(tmp_path / "people.csv"), "--map", mapping, "--truth", truth])
    assert message in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "no such file"),
        ("", "empty file"),
        ("given_name, who\nAna, 1\nBob, 2, 3\n", "line 3: 3 fields, not 2"),
        ('given_name, who\nAna, 1\n"Bob" ob, 2\n', "line 3: ',' expected after '\"'"),
        ("given_name, who\nAna,\n", "'who' is empty in all records"),
        ("given_name,given_name,who\nAna,Ana,1\n", "two columns 'given_name'"),
    ],
)
def test_a_broken_file_is_a_clear_error(
    text: str | None, message: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    if text is not None:
        (tmp_path / "people.csv").write_text(text)
    with pytest.raises(SystemExit):
        main([str(tmp_path / "people.csv"), "--map", "first_name=given_name", "--truth", "who"])
    assert message in " ".join(capsys.readouterr().err.split())


def test_a_record_of_nothing_but_a_browser_is_anonymous() -> None:
    records = {"record_key": ["p:0", "p:1", "p:2"], "cookie_id": ["c", "c", None]}
    records |= {"email": [None, "ana@post.example", None]}
    flagged = with_anonymity(pa.table(records, pa.schema([(n, pa.string()) for n in records])))
    assert flagged["is_anonymous"].to_pylist() == ["true", None, None]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--truth=who", "--map=email=mail", "--map=email=mail"], "one --map for all files, or"),
        (["--truth=who", "--dates=mdy", "--dates=dmy"], "give one --dates for all files, or one"),
        (["--truth=who", "--dates=day"], "invalid choice: 'day'"),
        ([], "--truth is needed"),
    ],
)
def test_wrong_options_are_a_clear_error(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    (tmp_path / "people.csv").write_text(PEOPLE)
    with pytest.raises(SystemExit):
        main([str(tmp_path / "people.csv"), *arguments])
    assert message in " ".join(capsys.readouterr().err.split())


def test_the_seed_decides_the_order(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text(PEOPLE)
    mapping = parse_mapping(MAP, CANONICAL_COLUMNS)
    one, same, other = (
        read_people([tmp_path / "people.csv"], [mapping], "who", seed) for seed in (1, 1, 2)
    )
    assert one == same
    assert one.records != other.records


@pytest.mark.parametrize("seed", range(5))
def test_counted_pairs_are_the_listed_ones(seed: int) -> None:
    """Against the definition: every pair looked at, every cluster compared."""
    chance = random.Random(seed)
    keys = [f"p:{number}" for number in range(60)]
    persons = {key: str(chance.randrange(20)) for key in keys}
    customers = {key: str(chance.randrange(15)) for key in keys}
    found = score(
        pa.table({"record_key": keys, "person_id": list(persons.values())}),
        pa.table({"record_key": keys, "customer_id": list(customers.values())}),
    )
    true, together = (
        {pair for pair in combinations(keys, 2) if len({labels[key] for key in pair}) == 1}
        for labels in (persons, customers)
    )
    of_persons, of_customers = (
        {frozenset(key for key in keys if labels[key] == name) for name in labels.values()}
        for labels in (persons, customers)
    )
    shared = {
        key: sum(persons[o] == persons[key] and customers[o] == customers[key] for o in keys)
        for key in keys
    }
    mean = [
        sum(shared[key] / sum(labels[o] == labels[key] for o in keys) for key in keys) / len(keys)
        for labels in (customers, persons)
    ]
    assert found.pairs == Rates(
        len(true & together) / len(together), len(true & together) / len(true)
    )
    assert found.exact_customers == len(of_persons & of_customers)
    assert (found.bcubed.precision, found.bcubed.recall) == pytest.approx(tuple(mean))


def test_nothing_found_is_nothing_wrong() -> None:
    nobody = pa.table({"record_key": ["p:0", "p:1"], "person_id": ["a", "b"]})
    alone = pa.table({"record_key": ["p:0", "p:1"], "customer_id": ["x", "y"]})
    assert score(nobody, alone).pairs == Rates(1.0, 1.0)
    empty = score(nobody.slice(0, 0), alone)
    assert isinstance(empty, Accuracy)
    assert empty.records == 0


@pytest.mark.parametrize(
    ("name", "records", "persons", "pairs"),
    [
        ("fake_1000", 1_000, 251, 2_031),
        ("febrl3", 5_000, 2_000, 6_538),
        ("febrl4", 10_000, 5_000, 5_000),
    ],
)
def test_the_public_sets_are_read_whole(
    name: str, records: int, persons: int, pairs: int, shared_dir: Path
) -> None:
    data = next(data for data in SETS if data.name == name)
    paths = [shared_dir / "data" / "identity" / file for file in data.files]
    if not all(path.is_file() for path in paths):
        pytest.skip(f"{name} is not in {shared_dir / 'data' / 'identity'} (set CDP_SHARED_DIR)")
    mapping = parse_mapping(data.mapping, CANONICAL_COLUMNS)
    people = read_people(paths, [mapping] * len(paths), TRUTH, seed=1)
    assert TRUTH not in people.records.column_names
    found = people.truth.rename_columns({"person_id": "customer_id"})
    accuracy = score(people.truth, found)
    assert (accuracy.records, accuracy.persons, accuracy.true_pairs) == (records, persons, pairs)
    assert accuracy.clusters == accuracy.pairs == accuracy.bcubed == Rates(1.0, 1.0)
