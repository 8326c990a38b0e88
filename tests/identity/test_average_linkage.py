"""Whom the fuzzy tier joins: stories that go through the models together, among strangers and
couples, from whom the tier learns how rare names are and how common households."""

from __future__ import annotations

import random
import string
from dataclasses import dataclass
from datetime import date, timedelta

import pytest

from orchestration.identity.decisions import decide
from orchestration.warehouse import Warehouse

from .graph_project import partition
from .identity_project import IdentityProject
from .worlds import Record

FUZZY = {"identity_fuzzy": True, "identity_max_records_per_customer": 4}
BY = {"author": "Noor", "reason": "asked them"}
JOINED = "int_identity__clusters_joined"
HOME = {"street": "12 rue de la Paix", "postcode": "75002", "city": "Paris", "country": "FR"}


def strangers(count: int = 150) -> list[Record]:
    """People who have nothing in common but a city, every other one with somebody at home."""
    rng = random.Random(7)

    def word(letters: int) -> str:
        return "".join(rng.choices(string.ascii_lowercase, k=letters)).title()

    def somebody(key: str, **home: str) -> Record:
        born = date(1940, 1, 1) + timedelta(days=rng.randrange(24000))
        return {"record_key": key, "first_name": word(7), "birth_date": born.isoformat(), **home}

    found = []
    for number in range(count):
        home = {"last_name": word(9), "street": f"{number} {word(12)}"}
        home["city"] = f"City{'abcdefghij'[number % 10] * 6}"
        found += [
            somebody(f"{source}:stranger{number}", **home) for source in "ab"[: number % 2 + 1]
        ]
    return found


def person(source: str, story: str, first: str, last: str, born: str | None, **more: str) -> Record:
    """A record of a story."""
    name = {"first_name": first, "last_name": last, "birth_date": born}
    return {"record_key": f"{source}:{story}", **name, **more}


STORIES = [
    # One person, a slip of the hand in each column.
    person("a", "typo", "Katarina", "Holmberg", "1984-05-17", email="kat.holmberg@post.example"),
    person("b", "typo", "Katarnia", "Holmberg", "1984-05-18", email="kat.holmbrg@post.example"),
    # Two persons of one name, and somebody of that name who may be either.
    person("a", "bridge", "Marta", "Olsenius", "1971-03-04", gender="f", phone="0639981111"),
    person("b", "bridge", "Marta", "Olsenius", None, gender="f"),
    person("c", "bridge", "Marta", "Olsenius", "1992-11-30", gender="f", phone="0639982222"),
    # Twins, and father and son.
    person("a", "twins", "Louis", "Weillmann", "2001-07-08", gender="m", **HOME),
    person("b", "twins", "Hector", "Weillmann", "2001-07-08", gender="m", **HOME),
    person("a", "son", "Jean", "Moreaux", "1955-02-11", gender="m", **HOME),
    person("b", "son", "Jean", "Moreaux", "1986-09-23", gender="m", **HOME),
    # Whom somebody told apart afterwards.
    person("a", "parted", "Ingrid", "Falkenstein", "1966-06-16"),
    person("b", "parted", "Ingrid", "Falkensteim", "1966-06-16"),
    # Alike in all but the two cards of their own, of which nobody has two.
    person("a", "cards", "Octavia", "Brandauer", "1977-12-01", national_id="85N1207"),
    person("b", "cards", "Octavia", "Brandauer", "1977-12-01", national_id="31K9946"),
    # One more record than a customer may have.
    *(person(source, "crowd", "Ulrich", "Zimmermann", "1959-04-25") for source in "abcde"),
]


@dataclass
class Told:
    """Customers by record, and the pairs of records that look like one person by themselves."""

    customers: dict[str, str]
    alike: set[frozenset[str]]

    def count(self, *keys: str) -> int:
        """How many customers the records are."""
        return len({self.customers[key] for key in keys})


def tell(project: IdentityProject, customers: dict[str, str]) -> Told:
    likely = project.query(
        "select l.record_key, r.record_key from identity.int_identity__forms_scored"
        " inner join identity.int_identity__forms_described as l on left_form_id = l.form_id"
        " inner join identity.int_identity__forms_described as r on right_form_id = r.form_id"
        " where probability >= 0.5"
    )
    return Told(customers, {frozenset(pair) for pair in likely})


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> IdentityProject:
    project = IdentityProject(tmp_path_factory.mktemp("linkage"))
    project.query(
        "update seeds.identifier_rules set max_values_per_customer = 1"
        " where identifier_type = 'national_id'"
    )
    return project


@pytest.fixture(scope="module")
def told(project: IdentityProject) -> Told:
    """Before anybody decided anything."""
    return tell(project, project.resolve([*strangers(), *STORIES], variables=FUZZY))


@pytest.fixture(scope="module")
def told_after(project: IdentityProject, told: Told) -> Told:
    """Once two were told apart, with the rows in another order and more threads."""
    with project.environment(), Warehouse.open() as warehouse:
        decide(warehouse, "different", "a:parted", other_record_key="b:parted", **BY)
    rows = [*strangers(), *STORIES]
    random.Random(3).shuffle(rows)
    return tell(project, project.resolve(rows, threads=4, variables=FUZZY))


def test_two_records_with_slips_are_one_customer(told) -> None:
    assert told.count("a:typo", "b:typo") == 1


def test_strangers_and_couples_stay_alone(told) -> None:
    stranger_keys = [row["record_key"] for row in strangers()]
    assert told.count(*stranger_keys) == len(stranger_keys)


def test_who_may_be_either_does_not_join_both(told) -> None:
    for source in "ac":
        assert frozenset((f"{source}:bridge", "b:bridge")) in told.alike
    assert told.count("a:bridge", "c:bridge") == 2
    assert told.count("a:bridge", "b:bridge", "c:bridge") == 2


@pytest.mark.parametrize("story", ["son", "twins"])
def test_a_household_is_not_one_person(told, story) -> None:
    assert told.count(f"a:{story}", f"b:{story}") == 2


def test_a_limit_of_values_keeps_apart_whom_the_score_would_join(told) -> None:
    assert frozenset(("a:cards", "b:cards")) in told.alike
    assert told.count("a:cards", "b:cards") == 2


def test_a_star_does_not_exceed_a_limit_that_its_pairs_keep(told) -> None:
    crowd = [f"{source}:crowd" for source in "abcde"]
    assert {frozenset((crowd[0], other)) for other in crowd[1:]} <= told.alike
    sizes = [list(told.customers.values()).count(told.customers[key]) for key in crowd]
    assert max(sizes) in (2, 3, 4)


def test_a_decision_keeps_apart_whom_the_score_would_join(told, told_after) -> None:
    assert told.count("a:parted", "b:parted") == 1
    assert frozenset(("a:parted", "b:parted")) in told_after.alike
    assert told_after.count("a:parted", "b:parted") == 2


def test_orders_of_rows_and_threads_change_nothing(told, told_after) -> None:
    assert told.alike == told_after.alike
    rest = [key for key in told.customers if not key.endswith(":parted")]
    assert {k: told.customers[k] for k in rest} == {k: told_after.customers[k] for k in rest}


@pytest.mark.parametrize("rounds", [0, 1])
def test_what_has_not_converged_leaves_the_table(project, told_after, rounds) -> None:
    before = project.query(f"from identity.{JOINED} order by all")
    assert before
    variables = {**FUZZY, "identity_max_rounds": rounds}
    with pytest.raises(AssertionError, match="has not converged"):
        project.invoke("run", "--select", JOINED, variables=variables)
    assert project.query(f"from identity.{JOINED} order by all") == before
    assert not project.query(
        "select table_name from duckdb_tables()"
        f" where table_name like '{JOINED}%' and table_name != '{JOINED}'"
    )


def test_switched_off_customers_are_those_whom_keys_prove(project, told_after) -> None:
    project.run({**FUZZY, "identity_fuzzy": False})
    for table in ("forms_stated", "forms_scored", "clusters_joined"):
        assert not project.query(f"from identity.int_identity__{table}")
    proven = dict(
        project.query("select record_key, cluster_key from identity.int_identity__clusters_proven")
    )
    assert partition(project.customers()) == partition(proven)
    assert partition(project.customers()) != partition(told_after.customers)
