"""The plan as Python reads it: who is left out, what a batch is, what an approver sees."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from orchestration.destinations.base import Row
from orchestration.sync.plan import LAST_PROTECTED_PHASE, Plan, masked
from orchestration.sync.plan_counts import PlanCounts
from orchestration.sync.spec import load_manifest, load_sync
from orchestration.warehouse import Warehouse
from tests.sync.lab import SYNC, Lab


@contextmanager
def plan_of(lab: Lab, **changes) -> Iterator[Plan]:
    spec = load_sync(load_manifest(lab.project), SYNC).model_copy(update=changes)
    with Warehouse.open(project_dir=lab.project) as warehouse:
        yield Plan(warehouse, spec)


def digest(lab: Lab, **changes) -> str:
    with plan_of(lab, **changes) as plan:
        return plan.digest()


def rows_of(lab: Lab, **options) -> list[Row]:
    with plan_of(lab) as plan:
        return [row for batch in plan.batches(100, **options) for row in batch]


def withdraw(lab: Lab, key: str) -> None:
    lab.execute(
        f"update standin.customer_consents set is_granted = false where customer_id = '{key}'"
    )


def test_a_consent_withdrawn_after_the_build_is_not_sent(lab: Lab) -> None:
    lab.add_customers(3)
    lab.build()
    withdraw(lab, "c0002")
    run = lab.sync(build=False)
    assert {c["cdp_customer_id"] for c in lab.hub.contacts.values()} == {"c0001", "c0003"}
    assert (run.status, run.error_code, run.rows_unsent) == ("partial", "STALE_PLAN", 1)


@pytest.mark.parametrize("reason", ["erasure", "objection", "restriction"])
def test_who_is_suppressed_after_the_build_is_not_sent(lab: Lab, reason: str) -> None:
    lab.add_customers(2)
    lab.build()
    lab.execute(f"insert into standin.customer_suppressions values ('c0001', '{reason}')")
    assert [row.key for row in rows_of(lab)] == ["c0002"]


def test_permission_is_told_by_key_as_it_stands(lab: Lab) -> None:
    lab.add_customers(3)
    lab.build()
    with plan_of(lab) as plan:
        assert plan.permitted(["c0001", "c0002", "x"]) == {"c0001", "c0002"}
        assert plan.permitted([]) == set()
    withdraw(lab, "c0002")
    lab.execute("insert into standin.customer_suppressions values ('c0003', 'objection')")
    with plan_of(lab) as plan:
        assert plan.permitted(["c0001", "c0002", "c0003"]) == {"c0001"}


def test_a_removal_needs_no_permission(lab: Lab) -> None:
    lab.add_customers(2)
    lab.sync()
    withdraw(lab, "c0001")
    lab.build()
    [row] = rows_of(lab)
    assert (row.key, row.action, row.reason, row.values) == ("c0001", "remove", "consent", {})


def test_rows_say_which_delivery_they_replace_and_whose_they_are(lab: Lab) -> None:
    lab.add_customers(2)
    lab.sync()
    lab.execute("update standin.customers set city = 'Lyon' where customer_id = 'c0001'")
    lab.build()
    [row] = rows_of(lab)
    [entry] = lab.fetch(
        "select max(entry_number) as n from state.sync_ledger"
        " where row_key = 'c0001' and status = 'delivered'"
    )
    assert (row.version, row.customer_id) == (entry["n"], "c0001")
    assert len(row.field_hashes) == 6 * len(row.values)


def test_the_digest_is_of_what_was_planned(lab: Lab) -> None:
    lab.add_customers(3)
    lab.build()
    first = digest(lab)
    lab.build()
    assert digest(lab) == first
    assert digest(lab, on_erasure="leave") != first
    lab.sync(build=False)
    assert digest(lab) == first, "sending is no change of what was planned"


@pytest.mark.parametrize(
    "change",
    [
        "row_key = 'c0009'",
        "action = 'retry'",
        "reason = 'returned'",
        "row_hash = md5('other')",
        "blocked_reason = 'shared_identifier'",
    ],
)
def test_the_digest_changes_with_anything_planned(lab: Lab, change: str) -> None:
    lab.add_customers(3)
    lab.build()
    first = digest(lab)
    lab.execute(f"update activation.sync_plan set {change} where row_key = 'c0002'")
    assert digest(lab) != first


def test_the_digest_knows_no_order_of_rows_and_tells_two_rows_from_one(lab: Lab) -> None:
    lab.add_customers(3)
    lab.build()
    first = digest(lab)
    lab.execute(
        "create or replace table activation.sync_plan as"
        " select * from activation.sync_plan order by row_key desc"
    )
    assert digest(lab) == first
    lab.execute("delete from activation.sync_plan where row_key = 'c0001'")
    assert digest(lab) != first
    lab.execute("delete from activation.sync_plan")
    assert len({digest(lab), first}) == 2


def test_a_sample_names_the_columns_that_change_and_shows_no_value(lab: Lab) -> None:
    lab.add_customers(4)
    lab.sync()
    # As the engine writes them with the intents.
    lab.execute(
        "update state.sync_ledger set field_hashes = plan.field_hashes from activation.sync_plan"
        " as plan where plan.row_key = sync_ledger.row_key and status = 'intent'",
        "update standin.customers set city = 'Lyon' where customer_id = 'c0002'",
        "delete from standin.segment_members where customer_id = 'c0003'",
    )
    lab.add_customers(3, prefix="n")
    lab.build()
    with plan_of(lab) as plan:
        sample = plan.sample(2)
        counts = plan.counts()
    assert counts.by_reason == {
        ("remove", "left"): 1,
        ("upsert", "changed"): 1,
        ("upsert", "new"): 3,
    }
    assert [(row.action, row.reason) for row in sample] == [
        ("remove", "left"),
        ("upsert", "changed"),
        ("upsert", "new"),
        ("upsert", "new"),
    ]
    [(column, old, new)] = sample[1].changes
    assert column == "city"
    assert old != new
    assert len(old) == len(new) == 6
    assert "c0002" not in repr(sample)
    assert "Lyon" not in repr(sample)


def test_a_sample_of_another_mapping_compares_nothing(lab: Lab) -> None:
    lab.add_customers(1)
    lab.build()
    lab.execute(
        "update activation.sync_plan set previous_field_hashes = 'aaaaaa', reason = 'changed'"
    )
    with plan_of(lab) as plan:
        [row] = plan.sample(5)
    assert len(row.changes) == 10
    assert {old for _, old, _ in row.changes} == {None}


def test_a_masked_key_is_never_whole() -> None:
    assert [masked(key) for key in ("a", "ab", "abcd", "abcdefghijkl")] == [
        "…",
        "a…",
        "ab…",
        "abcd…",
    ]


def test_calls_are_estimated_by_phase() -> None:
    zero = dict.fromkeys(("in_model", "null_keys", "duplicate_keys", "held", "removals"), 0)
    zero |= dict.fromkeys(("leavers", "upserts", "changes", "blocked"), 0)
    counts = PlanCounts(**zero, by_phase={"3_leavers": 1, "4_known": 100, "5_new": 101})
    assert counts.estimated_calls(100) == 1 + 1 + 2


def test_what_cannot_be_sent_is_counted_by_reason(lab: Lab) -> None:
    lab.add_customers(3)
    lab.execute("update standin.customers set email = null where customer_id = 'c0001'")
    lab.build()
    with plan_of(lab) as plan:
        counts = plan.counts()
    assert counts.by_blocked_reason == {"missing_identifier": 1}
    assert (counts.blocked, counts.upserts, counts.by_phase) == (1, 2, {"5_new": 2})


def test_batches_end_at_the_bytes_too(lab: Lab) -> None:
    lab.add_customers(7)
    lab.build()
    weights = {"c0001": 40, "c0002": 60, "c0003": 1, "c0004": 500, "c0005": 99, "c0006": 1}
    with plan_of(lab) as plan:
        batches = plan.batches(3, batch_bytes=100, weight=lambda row: weights.get(row.key, 1))
        keys = [[row.key[-1] for row in batch] for batch in batches]
    assert keys == [["1", "2"], ["3"], ["4"], ["5", "6"], ["7"]]


def test_identifiers_of_before_come_with_the_row_that_no_longer_needs_them(lab: Lab) -> None:
    lab.add_customers(4)
    lab.sync()
    # Old and new of c0001; c0002 and c0003 share a phone; c0004 shares one with c0001.
    held = [("c0001", "e1"), ("c0001", "p14"), ("c0002", "e2"), ("c0002", "p23")]
    held += [("c0003", "e3"), ("c0003", "p23"), ("c0004", "p14")]
    for key, identifier in held:
        lab.execute(
            "insert into state.sync_identifiers (sync_name, entry_number, row_key, identifier)"
            f" select sync_name, max(entry_number), row_key, '{identifier}' from state.sync_ledger"
            f" where row_key = '{key}' group by sync_name, row_key",
        )
    lab.execute(
        # Of before the delivery that stands: not there any more.
        f"insert into state.sync_identifiers values ('{SYNC}', 0, 'c0001', 'e0')",
        "update standin.customers set city = 'Lyon' where customer_id = 'c0001'",
        "delete from standin.segment_members where customer_id in ('c0002', 'c0003')",
    )
    lab.build()
    sent = {row.key: row.sent_identifiers for row in rows_of(lab)}
    assert sent == {"c0001": ("e1",), "c0002": ("e2", "p23"), "c0003": ("e3", "p23")}


def test_an_identifier_stays_for_who_is_held_back_by_a_guard(lab: Lab) -> None:
    lab.add_customers(2)
    lab.sync()
    lab.execute(
        "insert into state.sync_identifiers select sync_name, max(entry_number), row_key, 'p'"
        " from state.sync_ledger group by sync_name, row_key",
        "delete from standin.segment_members where customer_id = 'c0002'",
    )
    withdraw(lab, "c0001")
    lab.build()
    [row] = rows_of(lab, last_phase=LAST_PROTECTED_PHASE)
    assert (row.key, row.sent_identifiers) == ("c0001", ())
    assert [row.sent_identifiers for row in rows_of(lab)] == [("p",), ("p",)]


def test_every_sync_has_the_permission_test_for_its_purpose(lab: Lab) -> None:
    manifest = load_manifest(lab.project)
    declared = {
        name: node["config"]["meta"]["sync"]
        for node in manifest["exposures"].values()
        if "sync" in node["config"]["meta"] and (name := node["name"])
    }
    tested = {
        node["attached_node"].split(".")[-1]: node["test_metadata"]["kwargs"]
        for node in manifest["nodes"].values()
        if (node.get("test_metadata") or {}).get("name") == "has_permission"
    }
    assert SYNC in declared
    for name, sync in declared.items():
        if sync["mode"] in ("archive", "delete"):
            continue
        arguments = tested[name]
        assert arguments["key"] == sync.get("person", sync["key"])
        assert (arguments["purpose"], arguments["channel"]) == (sync["purpose"], sync["channel"])
