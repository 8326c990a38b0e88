"""What must not matter does not: noise in values, order of sources, strangers, values that name
nobody. Small worlds of people go through the models together, so each run tries many."""

from __future__ import annotations

import random
import unicodedata

import pytest

from .graph_project import partition
from .identity_project import CUSTOMERS, IdentityProject
from .worlds import Record, all_records, make_worlds, world_of

pytestmark = pytest.mark.slow

Customers = dict[str, str]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> IdentityProject:
    return IdentityProject(tmp_path_factory.mktemp("metamorphic"), select=CUSTOMERS)


def solo(story: int, number: int, chance: random.Random) -> Record:
    """A record of the only person of a story, whom no guard has a reason to take apart."""
    return {
        "record_key": f"crm:s{story}-{number}",
        "first_name": "Ana",
        "last_name": f"Ruiz{story}",
        "birth_date": "1988-04-02",
        "email": chance.choice((None, *(f"s{story}.{n}@post.example" for n in range(4)))),
        "loyalty_id": chance.choice((None, *(f"LS{story}{n}" for n in range(4)))),
        "loaded_at": f"2024-01-{number + 1:02d} 00:00:00",
    }


def noisy(record: Record, chance: random.Random) -> Record:
    """The same values as careless systems write them."""
    changed = dict(record)
    for column in ("first_name", "last_name"):
        if value := record.get(column):
            value = chance.choice((str.upper, str.lower, str.title))(value)
            value = unicodedata.normalize("NFD", value)
            changed[column] = chance.choice((value, f"  {value}", f"{value}\u200b"))
    if value := record.get("email"):
        changed["email"] = chance.choice((value.upper(), f" {value} ", f"\u200b{value}"))
    if value := record.get("phone"):
        number = value.removeprefix("+33")
        pairs = " ".join(number[n : n + 2] for n in range(1, 9, 2))
        changed["phone"] = chance.choice((f"0{number}", f"0{number[0]} {pairs}", f"0033{number}"))
    if value := record.get("birth_date"):
        year, month, day = value.split("-")
        changed["birth_date"] = chance.choice((value, f"{day}/{month}/{year}"))
    return changed


def strangers() -> list[Record]:
    """People whom nobody knows, and rows that share nothing but values that name nobody."""
    people = [
        {
            "record_key": f"pos:stranger-{number}",
            "first_name": "Zoe",
            "last_name": "Quist",
            "email": f"stranger{number % 7}@elsewhere.example",
            "loaded_at": "2023-01-01",
        }
        for number in range(20)
    ]
    blocked = [
        {
            "record_key": f"crm:blocked-{number}",
            "first_name": "Ana",
            "last_name": "Ruiz",
            "email": "test@test.com",
            "phone": "0000000000",
            "loyalty_id": "n/a",
            "loaded_at": "2023-01-01",
        }
        for number in range(20)
    ]
    return people + blocked


@pytest.fixture(scope="module")
def records() -> list[Record]:
    worlds = make_worlds(120, seed=7)
    for world in worlds:
        for number in range(7):
            record = world.new_record(number, number + 1)
            world.records[record["record_key"]] = record
    chance = random.Random(7)
    solos = [solo(story, number, chance) for story in range(40) for number in range(6)]
    return all_records(worlds) + solos


@pytest.fixture(scope="module")
def customers(project: IdentityProject, records) -> Customers:
    found = project.resolve(records)
    assert 200 < len(set(found.values())) < len(found) - 200
    return found


def test_noise_strangers_and_blocked_values_change_no_id(project, records, customers) -> None:
    chance = random.Random(8)
    sources_reversed = sorted(records, key=lambda row: row["record_key"], reverse=True)
    changed = [noisy(record, chance) for record in sources_reversed]
    found = project.resolve(strangers() + changed)
    assert {key: found[key] for key in customers} == customers
    blocked = {found[key] for key in found if key.startswith("crm:blocked")}
    assert len(blocked) == 20, "what names nobody joins nobody"


def test_half_of_the_worlds_alone_and_more_records_of_one_person(
    project, records, customers
) -> None:
    """The result of a union is the union of results; and where no guard has a say, another
    record joins customers and never parts any."""
    chance = random.Random(9)
    half = [
        row
        for row in records
        if (name := world_of(row["record_key"]))[0] == "w" and int(name[1:]) % 2
    ]
    alone = [row for row in records if world_of(row["record_key"])[0] == "s"]
    more = [solo(story, number, chance) for story in range(40) for number in range(6, 9)]
    found = project.resolve([*half, *alone, *more])
    assert {row["record_key"]: found[row["record_key"]] for row in half} == {
        row["record_key"]: customers[row["record_key"]] for row in half
    }
    before = partition({row["record_key"]: customers[row["record_key"]] for row in alone})
    after = partition(found)
    assert all(any(group <= larger for larger in after) for group in before)
    assert len({group for group in before if group not in after}) > 20, "and some were joined"
