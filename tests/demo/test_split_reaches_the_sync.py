"""Somebody parts two records of a customer that a destination already has: with the next run each
is a customer with a profile, segments and planned rows of its own."""

import duckdb
import pytest

from orchestration.identity.decisions import decide
from orchestration.warehouse import Warehouse
from tests.fixtures import demo_project

SYNC = "sync_hubspot__contacts"

# From the decision to what is looked at here: 77 models of 116.
BETWEEN = [
    f"source:state.identity_decisions+,+{model}"
    for model in ("sync_plan", "orders", "segment_members")
]
# A customer that is to be sent, and two of its records that bought.
MERGED = f"""
select identities.customer_id, min(orders.record_key), max(orders.record_key), plan.row_hash
from identity.customer_identities as identities
inner join activation.sync_plan as plan
    on identities.customer_id = plan.row_key and plan.sync_name = '{SYNC}'
inner join conformed.record_orders as orders on identities.record_key = orders.record_key
where not identities.is_anonymous and plan.blocked_reason is null
group by all
having count(distinct orders.record_key) > 1
order by identities.customer_id
limit 1
"""


def query(project: demo_project.DemoProject, sql: str, *values: str) -> list[tuple]:
    with duckdb.connect(project.env["CDP_DUCKDB_PATH"]) as warehouse:
        return warehouse.execute(sql, values).fetchall()


@pytest.fixture(scope="module")
def split(small_demo, tmp_path_factory) -> tuple[demo_project.DemoProject, dict[str, str], str]:
    """The demo after one run, the customers of the two records, and what was sent of the one."""
    project = demo_project.copied(small_demo, tmp_path_factory.mktemp("split"))
    [(customer, one, other, sent)] = query(project, MERGED)
    query(
        project,
        "insert into state.sync_ledger (sync_name, entry_number, row_key, action, status, row_hash,"
        " attempt, run_id, remote_id) values (?, 1, ?, 'upsert', 'delivered', ?, 1, 'r', '9')",
        *(SYNC, customer, sent),
    )
    with project.environment(), Warehouse.open() as warehouse:
        decide(warehouse, "different", one, other_record_key=other, author="Noor", reason="asked")
    project.dbt("run", "--select", *BETWEEN, "sync_ledger_current")
    found = query(
        project,
        "select record_key, customer_id from identity.customer_identities"
        " where record_key in (?, ?)",
        *(one, other),
    )
    customers = dict(found)
    assert customer in customers.values()
    assert len(set(customers.values())) == 2
    return project, customers, sent


def test_each_half_has_its_own_profile_and_orders(split):
    project, customers, _ = split
    for customer in customers.values():
        assert query(project, "select 1 from profiles.customers where customer_id = ?", customer)
        held = query(
            project,
            "select i.customer_id from marts.orders as o"
            " inner join conformed.record_orders as r on o.order_id = r.order_id"
            " inner join identity.customer_identities as i on r.record_key = i.record_key"
            " where o.customer_id = ?",
            customer,
        )
        assert {owner for (owner,) in held} == {customer}


def test_segments_and_plan_are_those_of_the_halves(split):
    project, customers, sent = split
    for customer in customers.values():
        champion = query(
            project,
            "select 1 from marts.rfm_scores where customer_id = ? and rfm_segment = 'champions'",
            customer,
        )
        member = query(
            project,
            "select 1 from segments.segment_members"
            " where customer_id = ? and segment_name = 'champions'",
            customer,
        )
        assert bool(champion) == bool(member)
        wanted = query(
            project, f"select 1 from activation.{SYNC} where cdp_customer_id = ?", customer
        )
        assert not wanted or member
    plan = dict(
        query(
            project,
            "select row_key, (action, previous_hash, row_hash) from activation.sync_plan"
            " where sync_name = ? and row_key in (?, ?)",
            *(SYNC, *customers.values()),
        )
    )
    [elder] = [key for key, (_, previous, _) in plan.items() if previous == sent]
    action, _, row_hash = plan[elder]
    # What was sent by mistake is put right.
    assert action in {"upsert", "remove"}
    assert row_hash != sent
