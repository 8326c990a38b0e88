"""The weights of the fuzzy tier are Splink's: same model, same forms, same pairs. And the command
that trains them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from click.testing import Result
from typer.testing import CliRunner

from benchmarks.identity import settings_of
from benchmarks.identity_table import SETS, TRUTH
from benchmarks.identity_warehouse import CANONICAL_COLUMNS, IdentityWarehouse
from benchmarks.person_files import parse_mapping, read_people
from orchestration.cli import app
from orchestration.identity import fuzzy_model
from orchestration.identity.fuzzy_model import (
    OTHER,
    WEIGHTS_FILE,
    Comparisons,
    Weights,
    columns_compared,
    read_comparisons,
    read_weights,
    write_weights,
)

from .identity_project import IdentityProject
from .misspelled_people import make_records
from .splink_side import ALL_PAIRS, PAIRED, BothSides, weigh_both

pytest.importorskip("splink", reason="needs the extra fuzzy")

TOLERANCE = 1e-6


@pytest.fixture(scope="module")
def comparisons() -> Comparisons:
    return read_comparisons()


@pytest.fixture(scope="module")
def weights() -> Weights:
    return read_weights()


@pytest.fixture(scope="module")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> IdentityProject:
    """A warehouse of some hundred forms; all settings but the fuzzy tier are the defaults."""
    project = IdentityProject(tmp_path_factory.mktemp("made_up"), settings_of("FR"))
    project.resolve(make_records(people=90, seed=5))
    return project


@pytest.fixture(scope="module")
def sides(made_up: IdentityProject, comparisons: Comparisons) -> Iterator[BothSides]:
    """All pairs of all forms, those that the models never compare included."""
    both = weigh_both(made_up, comparisons, ALL_PAIRS)
    yield both
    both.connection.close()


def furthest(sides: BothSides, ours: str, splinks: str) -> tuple[int, float]:
    """Number of pairs that both sides have, and the largest difference in bits."""
    return sides.fetch(
        f"select count(*), max(abs(({ours}) - ({splinks}))) from ours inner join splinks"
        " on left_form_id = form_id_l and right_form_id = form_id_r"
    )[0]


def splinks_weight(name: str, comparisons: Comparisons) -> str:
    """Splink's weight of a comparison, that of the rarity of the value included."""
    has_terms = any(level["term"] for level in comparisons[name]["levels"])
    return f"mw_{name} + mw_tf_adj_{name}" if has_terms else f"mw_{name}"


def check_evidence(sides: BothSides, comparisons: Comparisons) -> int:
    """Every comparison and their sum, pair by pair. Returns the number of pairs."""
    pairs = sides.fetch("select count(*) from ours")[0][0]
    for name in comparisons:
        ours = f"coalesce({name}_weight, 0)"
        found, difference = furthest(sides, ours, splinks_weight(name, comparisons))
        assert found == pairs, "Splink has every pair"
        assert difference < TOLERANCE, name
    _, difference = furthest(
        sides, "evidence + (select match_odds from odds)", "splinks.match_weight"
    )
    assert difference < TOLERANCE
    return pairs


def test_every_pair_weighs_what_splink_says(sides: BothSides, comparisons: Comparisons) -> None:
    assert check_evidence(sides, comparisons) > 20_000


def test_every_level_is_compared(sides: BothSides, comparisons: Comparisons) -> None:
    """Without it the equality above would say little."""
    for name, comparison in comparisons.items():
        wanted = {level["level"] for level in comparison["levels"]} | {OTHER, None}
        assert {level for (level,) in sides.fetch(f"select distinct {name}_level from ours")} == (
            wanted
        ), name


def test_levels_are_splinks(sides: BothSides, comparisons: Comparisons) -> None:
    """Splink numbers them from the worst, and what is missing -1."""
    for name, comparison in comparisons.items():
        numbers = {level["level"]: n for n, level in enumerate(comparison["levels"][::-1], 1)}
        numbers |= {OTHER: 0, None: -1}
        rows = sides.fetch(
            f"select distinct {name}_level, gamma_{name} from ours inner join splinks"
            " on left_form_id = form_id_l and right_form_id = form_id_r"
        )
        assert dict(rows) == numbers, name
        assert len(rows) == len(numbers), name


def test_what_the_models_keep_is_what_was_weighed(sides: BothSides) -> None:
    kept, difference = sides.fetch(
        """
        select count(*), max(abs(kept.evidence - ours.evidence))
        from identity.int_identity__forms_weighed as kept
        inner join ours using (left_form_id, right_form_id)
        """
    )[0]
    assert kept == sides.fetch("select count(*) from identity.int_identity__forms_weighed")[0][0]
    assert kept > 50
    assert difference < TOLERANCE


def test_probability_is_splinks_where_nobody_shares_a_home(sides: BothSides) -> None:
    """Members of a household are the one thing that Splink does not reckon with: ours is never
    above its, and tends to it the less likely a household is."""
    scored = (
        "from identity.int_identity__forms_scored as scored inner join splinks"
        " on left_form_id = form_id_l and right_form_id = form_id_r"
    )
    count, excess = sides.fetch(f"select count(*), max(probability - match_probability) {scored}")[
        0
    ]
    assert count > 50
    assert excess < TOLERANCE
    [(apart,)] = sides.fetch(
        "select max(abs(1 / (1 / probability - exp(-(household_evidence + household_odds) * ln(2)))"
        f" - match_probability)) {scored} cross join odds"
    )
    assert apart < TOLERANCE


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fake_1000"])
def test_public_sets_weigh_what_splink_says(
    name: str, shared_dir: Path, tmp_path: Path, comparisons: Comparisons
) -> None:
    """Pairs that the models compare; the labels are not even read into the warehouse."""
    data = next(each for each in SETS if each.name == name)
    paths = [shared_dir / "data" / "identity" / file for file in data.files]
    if not all(path.is_file() for path in paths):
        pytest.skip(f"{name} is not in {shared_dir}")
    mapping = parse_mapping(data.mapping, CANONICAL_COLUMNS)
    warehouse = IdentityWarehouse(tmp_path, settings_of(data.country), threads=2)
    warehouse.load_table(read_people(paths, [mapping] * len(paths), TRUTH, seed=1).records)
    warehouse.run()
    sides = weigh_both(warehouse, comparisons, PAIRED)
    with sides.connection:
        pairs = check_evidence(sides, comparisons)
        weighed = "select count(*) from identity.int_identity__forms_weighed"
        assert pairs > sides.fetch(weighed)[0][0] > 500


def test_weights_survive_the_file(weights: Weights, tmp_path: Path) -> None:
    write_weights(weights, tmp_path / "weights.csv")
    assert read_weights(tmp_path / "weights.csv") == weights


def test_weights_fit_the_comparisons(comparisons: Comparisons, weights: Weights) -> None:
    levels = {
        (name, level)
        for name, comparison in comparisons.items()
        for level in (*(each["level"] for each in comparison["levels"]), OTHER)
    }
    assert set(weights) == levels
    for name in comparisons:
        for chance in ("m", "u", "u_household"):
            total = sum(getattr(w, chance) for key, w in weights.items() if key[0] == name)
            assert total == pytest.approx(1, abs=0.01), (name, chance)


def test_columns_compared_are_those_of_the_forms(
    made_up: IdentityProject, comparisons: Comparisons
) -> None:
    columns = made_up.query("describe identity.int_identity__forms_described")
    assert set(columns_compared(comparisons)) <= {name for name, *_ in columns}


def run_train(warehouse: IdentityWarehouse, *options: str) -> Result:
    """``cdp identity train`` on a warehouse."""
    with warehouse.environment():
        return CliRunner().invoke(app, ["identity", "train", *options])


@pytest.fixture
def weights_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where --write writes, instead of the seed of the project."""
    path = tmp_path / "identity_weights.csv"
    monkeypatch.setattr(fuzzy_model, "WEIGHTS_FILE", path)
    return path


def test_train_prints_levels_and_nothing_of_anybody(
    made_up: IdentityProject, weights_file: Path
) -> None:
    seed = WEIGHTS_FILE.read_text()
    done = run_train(made_up)
    assert done.exit_code == 0, done.output
    assert "same_mailbox" in done.output
    assert " -> " in done.output
    printed = done.output.lower()
    for column in ("first_name", "last_name", "email", "phone", "street", "birth_date"):
        values = made_up.query(
            f"select distinct {column} from identity.int_identity__forms_described"
            f" where length({column}) > 3"
        )
        assert values
        assert not [value for (value,) in values if value in printed]
    assert not weights_file.exists()
    assert WEIGHTS_FILE.read_text() == seed


def test_train_writes_the_seed_when_asked(
    made_up: IdentityProject, weights_file: Path, weights: Weights
) -> None:
    done = run_train(made_up, "--write")
    assert done.exit_code == 0, done.output
    written = read_weights(weights_file)
    assert list(written) == list(weights), "the rows of the seed, in its order"
    assert written != weights
    assert all(written[key].u_household == weights[key].u_household for key in weights)


@pytest.mark.parametrize("state", ["absent", "empty"])
def test_train_says_what_is_to_be_built(
    state: str, made_up: IdentityProject, weights_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = weights_file.with_name("other.duckdb")
    with duckdb.connect(str(database)) as connection:
        connection.execute("create schema identity")
        for table in ("int_identity__forms_described", "customer_identities"):
            columns = made_up.query(f"describe identity.{table}")
            if state == "empty":
                typed = ", ".join(f"{name} {kind}" for name, kind, *_ in columns)
                connection.execute(f"create table identity.{table} ({typed})")
    monkeypatch.setattr(made_up, "database", database)
    done = run_train(made_up, "--write")
    assert done.exit_code == 2
    assert "identity_fuzzy" in done.output
    assert not weights_file.exists()


def test_train_names_the_extra(made_up: IdentityProject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    done = run_train(made_up)
    assert done.exit_code == 2
    assert "cdp[fuzzy]" in done.output
