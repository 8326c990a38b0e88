"""Training: what is true of made-up records is found, what they cannot teach stays as it was."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from orchestration.identity import training
from orchestration.identity.fuzzy_model import (
    OTHER,
    Chances,
    Comparisons,
    Weights,
    columns_compared,
    read_comparisons,
    read_weights,
    write_weights,
)
from orchestration.identity.training import changes, comparisons_with_other_m, train

pytestmark = pytest.mark.slow

pytest.importorskip("splink", reason="needs the extra fuzzy")

PEOPLE = 1_000
WRONG = {"last_name": 0.1, "birth_date": 0.05, "phone": 0.2, "gender": 0.03}
"""How often a record states something else altogether."""
MISTYPED = {"last_name": 0.1, "birth_date": 0.1}
"""How often it has another last letter or digit."""


def random_word(source: random.Random, letters: int) -> str:
    return "".join(source.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(letters))


def random_date(source: random.Random) -> str:
    """Of few years, for strangers to agree now and then and never to be a generation apart."""
    return f"19{source.randrange(70, 82)}{source.randrange(1, 13):02}{source.randrange(1, 29):02}"


MAKERS: dict[str, Callable[[random.Random], str]] = {
    "first_name": lambda source: f"{NAMES[int(source.triangular(0, len(NAMES), 0))]}",
    "last_name": lambda source: f"{NAMES[int(source.triangular(0, len(NAMES), 0))]}",
    "birth_date": random_date,
    "phone": lambda source: f"+336{source.randrange(10**7, 10**8)}",
    "gender": lambda source: source.choice("mf"),
}
NAMES = [random_word(random.Random(f"name {n}"), 8) for n in range(400)]


def made_up_forms(comparisons: Comparisons, people: int = PEOPLE, seed: int = 3) -> pa.Table:
    """Two forms of each person with errors of known rates; the customers are the forms, as if no
    key had joined any: training is not told who is who."""
    source = random.Random(seed)
    rows = []
    for _ in range(people):
        person = {name: make(source) for name, make in MAKERS.items()}
        for _ in range(2):
            row = dict(person)
            for name, make in MAKERS.items():
                chance = source.random()
                if chance < WRONG.get(name, 0):
                    row[name] = make(source)
                elif chance < WRONG.get(name, 0) + MISTYPED.get(name, 0):
                    row[name] = row[name][:-1] + source.choice(
                        "zq" if name != "birth_date" else "9"
                    )
            rows.append(row)
    source.shuffle(rows)
    return as_forms(rows, comparisons)


def as_forms(rows: list[dict[str, str]], comparisons: Comparisons) -> pa.Table:
    """Rows as ``read_forms`` returns them."""
    columns = {"form_id": pa.array(range(1, len(rows) + 1), pa.int64())}
    columns["customer_id"] = pa.array([f"c{n}" for n in range(len(rows))], pa.string())
    for name in columns_compared(comparisons):
        columns[name] = pa.array([row.get(name) for row in rows], pa.string())
    return pa.table(columns)


@pytest.fixture(scope="module")
def comparisons() -> Comparisons:
    return read_comparisons()


@pytest.fixture(scope="module")
def seed_weights() -> Weights:
    return read_weights()


@pytest.fixture(scope="module")
def trained(comparisons: Comparisons, seed_weights: Weights) -> Weights:
    return train(made_up_forms(comparisons), comparisons, seed_weights)


def both(right: float) -> float:
    """That two records have it right, each with the chance given."""
    return right * right


@pytest.mark.parametrize(
    ("level", "m"),
    [
        # A changed one of few values is the same one again, or near it, now and then.
        (("last_name", "equal"), both(0.8) + 0.1 * 0.1 / 2),
        (("last_name", "near"), 2 * 0.8 * 0.1 + 0.1 * 0.1 / 2),
        (("last_name", OTHER), 1 - both(0.9)),
        (("birth_date", "equal"), both(0.85) + both(0.1) + 0.1 * 0.85 * 2 * 0.1),
        (("birth_date", OTHER), 1 - both(0.95)),
        (("gender", "equal"), 1 - 2 * 0.03 * 0.97 / 2),
        (("phone", "equal"), both(0.8)),
        (("phone", OTHER), 1 - both(0.8)),
        (("first_name", "equal"), 1.0),
    ],
)
def test_how_often_one_person_agrees_is_recovered(
    trained: Weights, level: tuple[str, str], m: float
) -> None:
    assert trained[level].m == pytest.approx(m, abs=0.04)


def test_how_often_strangers_agree_is_recovered(trained: Weights) -> None:
    assert trained["gender", "equal"].u == pytest.approx(0.5, abs=0.01)
    # Two draws from a triangle over n names agree with 4 / 3n.
    expected = 4 / (3 * len(NAMES))
    assert trained["first_name", "equal"].u == pytest.approx(expected, rel=0.2)
    assert trained["birth_date", "equal"].u < 0.001


def test_the_start_does_not_matter_much(
    comparisons: Comparisons, seed_weights: Weights, trained: Weights
) -> None:
    again = train(made_up_forms(comparisons), comparisons, trained)
    for key, chances in trained.items():
        assert again[key].m == pytest.approx(chances.m, abs=0.02), key


def test_comparisons_without_data_keep_their_weights(
    trained: Weights, seed_weights: Weights
) -> None:
    silent = {"email", "national_id", "address", "place"}
    for key, chances in seed_weights.items():
        if key[0] in silent:
            assert trained[key] == chances, key
        assert trained[key].u_household == chances.u_household
    assert comparisons_with_other_m(seed_weights, trained) == set(MAKERS)


def test_every_comparison_adds_up_to_one(trained: Weights) -> None:
    for name in MAKERS:
        levels = [chances for key, chances in trained.items() if key[0] == name]
        assert sum(chances.m for chances in levels) == pytest.approx(1)
        assert sum(chances.u for chances in levels) == pytest.approx(1)
        assert all(chances.m > 0 and chances.u > 0 for chances in levels)


def test_same_data_same_file(
    comparisons: Comparisons, seed_weights: Weights, trained: Weights, tmp_path: Path
) -> None:
    write_weights(trained, tmp_path / "one.csv")
    forms = made_up_forms(comparisons)
    write_weights(train(forms, comparisons, seed_weights), tmp_path / "other.csv")
    assert (tmp_path / "one.csv").read_text() == (tmp_path / "other.csv").read_text()


@pytest.mark.parametrize("people", [0, 1, 2, 10])
def test_a_handful_of_people_teaches_nothing(
    people: int, comparisons: Comparisons, seed_weights: Weights
) -> None:
    forms = made_up_forms(comparisons, people)
    learned = train(forms, comparisons, seed_weights)
    assert not comparisons_with_other_m(seed_weights, learned)
    if people < 10:
        assert learned == seed_weights


def test_strangers_alone_teach_no_m(comparisons: Comparisons, seed_weights: Weights) -> None:
    """A thousand people of whom no two records are one: pairs that share a date are strangers."""
    source = random.Random(1)
    rows = [{name: make(source) for name, make in MAKERS.items()} for _ in range(1_000)]
    for row in rows:
        row["birth_date"] = source.choice(("19700101", "19710203"))
    learned = train(as_forms(rows, comparisons), comparisons, seed_weights)
    assert not comparisons_with_other_m(seed_weights, learned)
    assert learned != seed_weights, "what strangers have in common is learned"


def test_constant_columns_do_no_harm(comparisons: Comparisons, seed_weights: Weights) -> None:
    """Everybody is called Ana and female: being equal in it says nothing of anybody."""
    forms = made_up_forms(comparisons, 500)
    for name, value in (("first_name", "ana"), ("gender", "f")):
        place = forms.column_names.index(name)
        constant = pa.repeat(pa.scalar(value), forms.num_rows)
        forms = forms.set_column(place, name, constant)
    learned = train(forms, comparisons, seed_weights)
    assert learned["first_name", "equal"].u > 0.999
    assert comparisons_with_other_m(seed_weights, learned) == {"last_name", "birth_date", "phone"}
    assert learned["phone", "equal"].m == pytest.approx(both(0.8), abs=0.06)


def test_an_estimation_that_has_not_settled_is_left_out(
    comparisons: Comparisons, seed_weights: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "MAX_MOVE", -1.0)
    learned = train(made_up_forms(comparisons, 300), comparisons, seed_weights)
    assert not comparisons_with_other_m(seed_weights, learned)


def test_changes_are_told_level_by_level() -> None:
    before = {
        ("gender", "equal"): Chances(0.9, 0.5, 0.4),
        ("gender", OTHER): Chances(0.1, 0.5, 0.6),
    }
    after = {**before, ("gender", "equal"): Chances(0.95, 0.5, 0.4)}
    assert list(changes(before, after)) == [
        ("gender", "equal", "0.9 -> 0.95", "0.5"),
        ("gender", "other", "0.1", "0.5"),
    ]
