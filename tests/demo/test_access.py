"""People of the demo ask what is there about them: the rows that the generator made of them."""

import json
from pathlib import Path

import duckdb
import pytest

from orchestration import access
from tests.fixtures import demo_project

pytestmark = pytest.mark.slow

# Known people whose every record, and no other, is in their customer; whom an address names.
WHO = """
    select min(identifiers.identifier_value) as email, any_value(people.person_id) as person_id
    from (
        select truth.person_id, min(identities.customer_id) as customer_id
        from read_parquet('{truth}') as truth
        inner join identity.customer_identities as identities using (record_key)
        group by truth.person_id
        having count(distinct identities.customer_id) = 1
    ) as people
    inner join (
        select identities.customer_id
        from read_parquet('{truth}') as truth
        inner join identity.customer_identities as identities using (record_key)
        group by identities.customer_id
        having count(distinct truth.person_id) = 1
    ) as customers using (customer_id)
    inner join identity.customer_identifiers as identifiers using (customer_id)
    where identifiers.identifier_type = 'email'
    group by identifiers.customer_id
    order by hash(identifiers.customer_id)
    limit 60
"""
ASK = """
    insert into raw_privacy.privacy_requests
        (request_id, request_type, subject_type, subject_value, is_verified, loaded_at)
    values (?, 'access', 'email', ?, ?, '2025-12-01 10:00:00')
"""
# By raw table, whose record a row is of; null where nothing but an address may say it.
RECORDS = {
    "crm.contacts": "'crm:' || contact_id",
    "shop.customers": "'shop:' || customer_id",
    "shop.orders": "'shop:' || coalesce(customer_id, 'guest-' || order_id)",
    "pos.members": "'pos:' || member_id",
    "pos.receipts": "'pos:' || member_id",
    "email.subscribers": "'email:' || subscriber_id",
    "email.clicks": "'email:' || subscriber_id",
    "support.requesters": "'support:' || requester_id",
    "support.tickets": "'support:' || requester_id",
    "survey.respondents": "'survey:' || respondent_id",
    "web.page_views": "coalesce('shop:' || user_id, 'web:' || anonymous_id)",
}


@pytest.fixture(scope="module")
def asked(small_demo, tmp_path_factory) -> tuple[demo_project.DemoProject, dict[str, str]]:
    """The demo in which many ask, and the person behind each request."""
    project = demo_project.copied(small_demo, tmp_path_factory.mktemp("access"))
    truth = small_demo.data / "truth/record_truth.parquet"
    with duckdb.connect(project.env["CDP_DUCKDB_PATH"]) as warehouse:
        people = warehouse.execute(WHO.format(truth=truth)).fetchall()
        asking = {f"asks-{number}": person for number, (_, person) in enumerate(people)}
        for request_id, (email, _) in zip(asking, people, strict=True):
            warehouse.execute(ASK, [request_id, email, "true"])
        warehouse.execute(ASK, ["nobody-verified-it", people[0][0], "false"])
        warehouse.execute("create schema truth")
        warehouse.execute(f"create table truth.records as from '{truth}'")
    project.dbt("run", "--select", "privacy_requests int_profiles__identifier_holders_counted")
    return project, {f"privacy:{request_id}": person for request_id, person in asking.items()}


def test_rows_of_the_person_and_no_others(asked) -> None:
    project, asking = asked
    with project.environment():
        sql = access._access_rows(None, demo_project.ROOT).replace("request_id = ?", "true")
    with duckdb.connect(project.env["CDP_DUCKDB_PATH"]) as warehouse:
        requests = warehouse.execute("select request_id from rights.access_requests").fetchall()
        named = {request_id for (request_id,) in requests} & asking.keys()
        assert len(named) >= 50
        assert ("privacy:nobody-verified-it",) not in requests
        warehouse.execute(f"create temp table received as {sql}")
        for table, record in RECORDS.items():
            expected = warehouse.execute(
                f"""
                select truth.person_id, count(*) from raw_{table} as held
                inner join truth.records as truth on truth.record_key = {record}
                where truth.person_id in (select unnest(?))
                group by all
                """,
                [list(asking.values())],
            ).fetchall()
            expected = dict(expected)
            found = dict(
                warehouse.execute(
                    "select request_id, count(*) from received where table_name = ? group by all",
                    [table],
                ).fetchall()
            )
            assert {r: found.get(r, 0) for r in named} == {
                r: expected.get(asking[r], 0) for r in named
            }, table


def test_the_command_writes_it_all_down(asked, tmp_path: Path) -> None:
    project, _ = asked
    project.cdp("export", "privacy:asks-0", "--folder", str(tmp_path))
    [path] = tmp_path.iterdir()
    content = json.loads(path.read_text(encoding="utf-8"))
    [customer] = content["derived"]["customers"]
    assert {"customer_traits", "customer_consents"} <= content["derived"].keys()
    for rows in content["derived"].values():
        assert {row["customer_id"] for row in rows} == {customer["customer_id"]}
    assert customer["email"] in str(content["received"]).lower()
    assert content["recipients"] == []
