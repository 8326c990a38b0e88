"""Identity is a function of the set of records: order, repeats and names of keys are nothing."""

from __future__ import annotations

import random

import pytest

from .graph_project import partition
from .identity_project import CUSTOMERS, IdentityProject

FIRST = ["Chloé", "chloe", "Chole", "Louis", "Louise", "Jean", "Jean-Pierre", "J.", "Bob", "Robert"]
LAST = ["Lefèvre", "LEFEVRE", "Martin", "Durand", None]
BIRTHDAYS = ["1988-04-02", "02/04/1988", "1958-04-02", None, None]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> IdentityProject:
    return IdentityProject(tmp_path_factory.mktemp("properties"), select=CUSTOMERS)


def make_records(seed: int, count: int = 400) -> list[dict[str, str | None]]:
    """People of few names who share mailboxes, phones and browsers more than anybody does."""
    chance = random.Random(seed)
    records = []
    for number in range(count):
        pool = count // 6
        record = {
            "record_key": f"{chance.choice(['crm', 'pos', 'shop'])}:{number:05d}",
            "first_name": chance.choice([*FIRST, None]),
            "last_name": chance.choice(LAST),
            "email": f"box{chance.randrange(pool)}@post.example" if chance.random() < 0.7 else None,
            "phone": f"+336399{chance.randrange(pool):05d}" if chance.random() < 0.5 else None,
            "birth_date": chance.choice(BIRTHDAYS),
            "loyalty_id": f"L{chance.randrange(count)}" if chance.random() < 0.3 else None,
            "loaded_at": f"2024-01-{chance.randrange(1, 28):02d} 00:00:00",
        }
        if chance.random() < 0.3:
            record = {
                "record_key": f"web:{number:05d}",
                "is_anonymous": "true",
                "cookie_id": f"{number:05d}",
                "previous_cookie_id": f"{number - chance.randrange(1, 9):05d}",
                "email": record["email"] if chance.random() < 0.3 else None,
                "loaded_at": record["loaded_at"],
            }
        records.append(record)
    return records


def test_order_of_rows_changes_nothing(project: IdentityProject) -> None:
    records = make_records(1)
    expected = project.resolve(records)
    assert 10 < len(set(expected.values())) < len(records) - 50
    assert project.resolve(random.Random(1).sample(records, len(records))) == expected


def test_a_second_copy_of_everything_changes_nothing(project: IdentityProject) -> None:
    """Each record again under another key, loaded later: same people, same ids."""
    records = [r for r in make_records(3) if r.get("is_anonymous") != "true"]
    records = [r for r in records if r["email"] and r["first_name"] and r["last_name"]]
    expected = project.resolve(records)
    copies = [
        {**r, "record_key": r["record_key"] + "-copy", "loaded_at": "2025-01-01 00:00:00"}
        for r in records
    ]
    found = project.resolve(records + copies)
    assert {key: found[key] for key in expected} == expected
    by_copy = {key.removesuffix("-copy"): found[key] for key in found if key.endswith("-copy")}
    assert by_copy == expected


def exchanged(records: list[dict], column: str, chance: random.Random) -> dict:
    """Each value of a column and the one that stands for it from now on."""
    values = sorted({r[column] for r in records if r.get(column)})
    return dict(zip(values, chance.sample(values, len(values)), strict=True)) | {None: None}


def test_other_keys_sources_and_values_give_the_same_people(project: IdentityProject) -> None:
    """Every record key, source, e-mail, phone and card stands for another. Of the named; where one
    without a name may go to either of two, its key may decide."""
    records = [
        r for r in make_records(4) if r.get("is_anonymous") != "true" and r.get("first_name")
    ]
    before = project.resolve(records)
    chance = random.Random(4)
    columns = ("record_key", "email", "phone", "loyalty_id")
    other = {column: exchanged(records, column, chance) for column in columns}
    renamed = [{**r, **{column: other[column][r[column]] for column in columns}} for r in records]
    after = project.resolve([{**r, "record_key": f"new-{r['record_key']}"} for r in renamed])
    back = {r["record_key"]: after[f"new-{other['record_key'][r['record_key']]}"] for r in records}
    assert partition(back) == partition(before)


def test_no_browser_joins_two_known_people(project: IdentityProject) -> None:
    """Without the browsers the known people are the same, ids included."""
    records = make_records(5)
    known = [r for r in records if r.get("is_anonymous") != "true"]
    everybody = project.resolve(records)
    assert {r["record_key"]: everybody[r["record_key"]] for r in known} == project.resolve(known)


def test_a_chain_of_a_hundred_cookies_reaches_its_only_log_in(project: IdentityProject) -> None:
    chain = [
        {
            "record_key": f"web:{number:03d}",
            "is_anonymous": "true",
            "cookie_id": f"{number:03d}",
            "previous_cookie_id": f"{number - 1:03d}" if number else None,
        }
        for number in range(100)
    ]
    account = {"record_key": "shop:1", "shop_customer_id": "1", "first_name": "Ana"}
    other = {"record_key": "shop:2", "shop_customer_id": "2", "first_name": "Bob"}
    chain[99]["shop_customer_id"] = "1"
    found = project.resolve([*chain, account, other])
    assert {found[c["record_key"]] for c in chain} == {found["shop:1"]}

    chain[0]["shop_customer_id"] = "2"
    found = project.resolve([*chain, account, other])
    assert len({found[c["record_key"]] for c in chain}) == 1
    assert len({found["web:000"], found["shop:1"], found["shop:2"]}) == 3
