"""Requests of the adversarial corpus, made to a warehouse that has its nasty people: who is erased,
who is told, who is nobody, and for whom a person has to look."""

import csv
import json
from pathlib import Path

import duckdb
import pytest

from tests.conftest import Dbt

CONTACT = """
    insert into raw_crm.contacts (contact_id, first_name, last_name, email, phone, birth_date,
        street, postcode, city, country, created_at, updated_at, loaded_at)
    select coalesce(source_customer_id, case_id), first_name, last_name, email, phone, birth_date,
        street, postcode, city, country, created_at, updated_at, '2024-06-02'
    from read_csv('{corpus}/customers.csv', all_varchar = true)
    where source_system = 'crm'
"""
REQUEST = """
    insert into raw_privacy.privacy_requests (request_id, request_type, subject_type,
        subject_value, requested_at, is_verified, loaded_at)
    select request_id, request_type, subject_type, subject_value, requested_at, verified,
        '2024-07-03'
    from read_csv('{corpus}/privacy_requests.csv', all_varchar = true)
"""
MODELS = "+erasure_identifiers +access_identifiers +privacy_requests_for_review"


@pytest.fixture(scope="module")
def corpus(shared_dir: Path) -> Path:
    return shared_dir / "data/adversarial"


@pytest.fixture(scope="module")
def asked(corpus: Path, dbt: Dbt, tmp_path_factory) -> duckdb.DuckDBPyConnection:
    """The people of the corpus as contacts of a CRM, and all requests."""
    path = str(tmp_path_factory.mktemp("corpus") / "cdp.duckdb")
    dbt.invoke("run", "--select", "stg_crm__contacts", env={"CDP_DUCKDB_PATH": path})
    with duckdb.connect(path) as warehouse:
        warehouse.execute(CONTACT.format(corpus=corpus))
        warehouse.execute(REQUEST.format(corpus=corpus))
    untested = ["--exclude-resource-type", "test", "unit_test"]
    dbt.invoke("build", "--select", *MODELS.split(), *untested, env={"CDP_DUCKDB_PATH": path})
    with duckdb.connect(path) as warehouse:
        yield warehouse


def test_one_person_is_erased_by_any_spelling(asked, corpus: Path) -> None:
    """Fifteen records of her, two requests, one of them twice."""
    erased = asked.execute(
        "select request_id, customer_id, status from rights.erasure_requests"
    ).fetchall()
    [(request_id, customer_id, status)] = erased
    assert (request_id, status) == ("privacy:r1", "ready")
    with open(corpus / "customers.csv", encoding="utf-8", newline="") as file:
        hers = {
            f"crm:{row['source_customer_id']}"
            for row in csv.DictReader(file)
            if row["source_system"] == "crm" and "A01" <= row["case_id"] <= "A15"
        }
    known_by = asked.execute(
        "select identifier_value from rights.erasure_identifiers where identifier_type = 'record'"
    ).fetchall()
    assert {key for (key,) in known_by} == hers
    suppressed = asked.execute(
        "select customer_id from profiles.customer_suppressions where reason = 'erasure'"
    ).fetchall()
    assert suppressed == [(customer_id,)]


def test_who_names_nobody_for_certain_is_looked_at_or_nobody(asked) -> None:
    review = asked.execute(
        "select request_id, review_reason, holder_count from profiles.privacy_requests_for_review"
    ).fetchall()
    assert sorted(review) == [
        ("privacy:r3", "identifier_rejected", 0),
        ("privacy:r7", "identifier_shared", 3),
    ]
    # Empty, a wildcard and a statement are no addresses.
    refused = asked.execute(
        "select request_id from staging.stg_privacy__privacy_requests"
        " where quarantine_reason is not null order by all"
    ).fetchall()
    assert refused == [("r4",), ("r5",), ("r6",)]


def test_who_is_verified_is_told_of_herself_alone(asked, dbt: Dbt) -> None:
    """Eight others have addresses that look like hers."""
    assert asked.execute("select request_id from rights.access_requests").fetchall() == [
        ("privacy:r8",)
    ]
    sql = dbt.compile("{{ access_rows() }}")
    rows = {}
    for _, table, row in asked.execute(sql, ["privacy:r8"]).fetchall():
        rows.setdefault(table, []).append(json.loads(row))
    assert [row["contact_id"] for row in rows.pop("crm.contacts")] == ["CRM-00027"]
    assert {row["request_id"] for row in rows.pop("privacy.privacy_requests")} == {"r8", "r9"}
    assert rows == {}
