"""The golden profile: every value explained, and the same whatever the order of the records."""

import random
from collections import defaultdict
from datetime import date, datetime

import pytest

from tests.fixtures.profile_project import ProfileProject

SOURCES = ["crm", "shop", "pos", "support", "email", "fax"]
GROUPS = {
    "name": ["first_name", "last_name", "full_name"],
    "email": ["email"],
    "phone": ["phone"],
    "birth_date": ["birth_date"],
    "gender": ["gender"],
    "address": ["street", "postcode", "city", "country"],
    "language": ["language"],
    "company": ["company_name"],
    "loyalty": ["loyalty_tier"],
}
POOL = {
    "first_name": ["Ana", "ANA", "Bo", None],
    "last_name": ["Diaz", "Eriksen", None],
    "full_name": ["Ana Diaz", None, None],
    "phone": ["+33639980001", "+33639980002", None],
    "birth_date": [date(1980, 1, 1), date(1981, 1, 1), None],
    "gender": ["f", "x", None],
    "street": ["1 rue A", "2 rue B", None],
    "postcode": ["69001", "75001", None],
    "city": ["Lyon", "Paris", None],
    "country": ["FR", "BE", None],
    "language": ["fr", "nl", None],
    "company_name": ["Acme", "Acme France", None],
    "loyalty_tier": ["gold", "silver", None],
}


LOADED_AT = datetime.fromisoformat("2025-06-01")
KEPT = pytest.StashKey[list]()


def random_records(rng: random.Random, customers: int) -> list[dict]:
    """Up to five records a customer, from few values and times, so that ties are common."""
    rows = []
    for customer in range(customers):
        for _ in range(rng.randint(1, 5)):
            source = rng.choice(SOURCES)
            values = {column: rng.choice(pool) for column, pool in POOL.items()}
            changed = rng.choice([None, *(LOADED_AT.replace(month=month) for month in (1, 2, 3))])
            rows.append(
                {
                    "customer_id": f"c{customer:04}",
                    "record_key": f"{source}:{len(rows)}",
                    "source_name": source,
                    "is_anonymous": False,
                    "email": rng.choice([f"a{customer}@x.test", "info@shop.test", None]),
                    "is_email_verified": rng.random() < 0.3,
                    "updated_at": changed,
                    "loaded_at": LOADED_AT,
                    **values,
                }
            )
    return rows


def upstream(rows: list[dict]) -> dict[str, list[dict]]:
    """The records, their customers, and their contact points but for one junk address."""
    held = {(r["customer_id"], "email", r["email"]) for r in rows if r["email"]}
    held |= {(r["customer_id"], "phone", r["phone"]) for r in rows if r["phone"]}
    return {
        "customer_records": rows,
        "customer_identities": rows,
        "customer_identifiers": [
            {"customer_id": c, "identifier_type": t, "identifier_value": v}
            for c, t, v in held
            if v != "info@shop.test"
        ],
    }


def build(project: ProfileProject, rows: list[dict]) -> tuple[dict, dict]:
    """Customers by id, and their attributes' sources by customer and attribute."""
    project.fill(**upstream(rows))
    project.dbt("run", "--select", "+customers", "+customer_attribute_sources")
    customers = {r["customer_id"]: r for r in project.fetch("select * from profiles.customers")}
    sources = project.fetch("select * from profiles.customer_attribute_sources")
    return customers, {(r["customer_id"], r["attribute_name"]): r for r in sources}


@pytest.fixture(scope="module")
def rows() -> list[dict]:
    return random_records(random.Random(7), customers=400)


@pytest.fixture(scope="module")
def built(project: ProfileProject, rows: list[dict]) -> tuple[dict, dict]:
    return build(project, rows)


def test_every_golden_value_is_that_of_its_record(built, rows):
    customers, sources = built
    records = {row["record_key"]: row for row in rows}
    attributes = [column for group in GROUPS.values() for column in group]
    explained = 0
    for customer_id, customer in customers.items():
        for attribute in attributes:
            source = sources.get((customer_id, attribute))
            if source is None:
                # A full name may be put together from the two others.
                assert customer[attribute] is None or attribute == "full_name"
                continue
            record = records[source["record_key"]]
            assert record["customer_id"] == customer_id
            assert record[attribute] == customer[attribute]
            assert record["source_name"] == source["source_name"]
            explained += 1
    assert explained == len(sources) > 2_000


def test_attributes_of_a_group_come_from_one_record(built):
    _, sources = built
    winners = defaultdict(set)
    for (customer_id, attribute), source in sources.items():
        [group] = [name for name, columns in GROUPS.items() if attribute in columns]
        winners[customer_id, group].add(source["record_key"])
    assert all(len(keys) == 1 for keys in winners.values())


def test_no_value_is_lost_that_a_customer_has(built, rows):
    customers, sources = built
    for row in rows:
        for group, columns in GROUPS.items():
            values = [row[column] for column in columns]
            if any(v is not None and v != "info@shop.test" for v in values):
                known = [(row["customer_id"], column) in sources for column in columns]
                assert any(known), (row["record_key"], group)
    assert len(customers) == 400
    assert "info@shop.test" not in {customer["email"] for customer in customers.values()}


def test_order_of_the_records_changes_nothing(project, built, rows):
    shuffled = rows[:]
    random.Random(8).shuffle(shuffled)
    assert build(project, shuffled) == built


def test_engines_agree(built, request):
    """Each engine's result is kept and compared with the other's."""
    kept = request.config.stash.setdefault(KEPT, [])
    kept.append(built)
    assert kept[0] == built
