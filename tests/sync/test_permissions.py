"""Consent, erasure and the guards: who may be sent, who is taken away, what is held."""

import pytest

from orchestration.sync.guards import Overrides
from orchestration.sync.ledger import Ledger
from orchestration.warehouse import dbt
from tests.fakes.server import Fault
from tests.sync.invariants import plays
from tests.sync.lab import SYNC, Lab, customer_keys


def withdraw(lab: Lab, condition: str) -> None:
    lab.execute(f"update standin.customer_consents set is_granted = false where {condition}")


def test_without_consent_nobody_is_sent(lab: Lab) -> None:
    lab.add_customers(3)
    lab.execute("delete from standin.customer_consents where customer_id = 'c0001'")
    withdraw(lab, "customer_id = 'c0002'")
    assert lab.sync().rows_delivered == 1
    assert [c["cdp_customer_id"] for c in lab.hub.contacts.values()] == ["c0003"]


def test_a_withdrawal_takes_the_person_out_on_the_next_run(lab: Lab) -> None:
    lab.add_customers(3)
    lab.sync()
    withdraw(lab, "customer_id = 'c0002'")
    run = lab.sync()
    assert (run.status, run.rows_removed) == ("succeeded", 1)
    assert "cdp_segment" not in lab.hub.by_email("c0002@example.com")


def test_no_guard_holds_a_withdrawal(lab: Lab) -> None:
    lab.add_customers(150)
    lab.sync()
    withdraw(lab, "customer_id <= 'c0140'")
    run = lab.sync()
    assert (run.status, run.rows_removed) == ("succeeded", 140)


def test_withdrawals_pass_while_the_guard_holds_the_rest(lab: Lab) -> None:
    lab.add_customers(150)
    lab.sync()
    withdraw(lab, "customer_id <= 'c0005'")
    lab.execute("delete from standin.segment_members where customer_id > 'c0030'")
    lab.add_customers(1, prefix="n")
    run = lab.sync()
    assert (run.status, run.held_by) == ("blocked", ["removed_rows"])
    assert (run.rows_removed, run.rows_delivered, run.rows_unsent) == (5, 0, 121)


@pytest.mark.parametrize("reason", ["objection", "restriction"])
def test_a_suppressed_person_is_taken_out_and_stays_out(lab: Lab, reason: str) -> None:
    lab.add_customers(2)
    lab.sync()
    lab.execute(f"insert into standin.customer_suppressions values ('c0001', '{reason}')")
    assert lab.sync().rows_removed == 1
    assert "cdp_segment" not in lab.hub.by_email("c0001@example.com")
    lab.sync()
    assert lab.hub.calls == []


def test_an_erasure_deletes_the_contact_for_good(lab: Lab) -> None:
    lab.add_customers(2)
    lab.sync()
    lab.execute(
        "insert into standin.customer_suppressions values ('c0001', 'erasure')",
        # The profile is gone by then: the removal needs no personal data of ours.
        "delete from standin.customers where customer_id = 'c0001'",
        "delete from standin.segment_members where customer_id = 'c0001'",
        "delete from standin.customer_consents where customer_id = 'c0001'",
    )
    run = lab.sync()
    assert (run.status, run.rows_removed) == ("succeeded", 1)
    assert len(lab.hub.contacts) == len(lab.hub.erased) == 1
    lab.sync()
    assert lab.hub.calls == []


@pytest.mark.parametrize(
    "leave",
    [
        "delete from standin.segment_members where customer_id = 'c0001'",
        "update standin.customer_consents set is_granted = false where customer_id = 'c0001'",
        "insert into standin.customer_suppressions values ('c0001', 'objection')",
    ],
    ids=["left", "withdrew", "objected"],
)
def test_an_erasure_reaches_who_had_left_before(lab: Lab, leave: str) -> None:
    lab.add_customers(3)
    lab.sync()
    lab.execute(leave)
    lab.sync()
    assert len(lab.hub.contacts) == 3, "emptied, and still there"
    lab.execute("insert into standin.customer_suppressions values ('c0001', 'erasure')")
    lab.hub.faults.extend([Fault(503)] * 40)
    lab.sync()
    lab.end_faults()
    run = lab.sync()
    assert (run.status, run.rows_removed) == ("succeeded", 1)
    assert len(lab.hub.contacts) == 2
    lab.sync()
    assert lab.hub.calls == []


def test_what_a_customer_says_reaches_records_of_before_a_merge(lab: Lab) -> None:
    """The portal knows c0001 by the id that it lost to c0002."""
    lab.add_customers(3)
    lab.sync()
    lab.execute(
        "insert into standin.customer_id_redirects"
        " values ('c0001', 'c0002', 'merged'), ('c0002', 'c0002', 'current')",
        *(
            f"delete from standin.{table} where customer_id = 'c0001'"
            for table in ("customers", "segment_members", "customer_consents")
        ),
    )
    withdraw(lab, "customer_id = 'c0002'")
    assert lab.sync().rows_removed == 2
    assert "cdp_segment" not in lab.hub.by_email("c0001@example.com")
    lab.execute("insert into standin.customer_suppressions values ('c0002', 'erasure')")
    assert lab.sync().rows_removed == 2
    assert customer_keys(lab) == ["c0003"]
    known = "select distinct row_key from state.sync_ledger where row_hash is not null"
    assert [row["row_key"] for row in lab.fetch(known)] == ["c0003"]
    lab.sync()
    assert lab.hub.calls == []


def test_of_who_was_erased_the_ledger_keeps_the_key_alone(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also of who had left before, in the fold too, and where a run died before it forgot."""
    lab.add_customers(4)
    lab.sync()
    lab.execute("delete from standin.segment_members where customer_id = 'c0002'")
    lab.sync()
    lab.execute(
        "insert into standin.customer_suppressions"
        " values ('c0001', 'erasure'), ('c0002', 'erasure'), ('c0003', 'objection')"
    )
    lab.execute(f"insert into state.sync_identifiers values ('{SYNC}', 1, 'c0001', 'hash')")
    lab.hub.faults.extend([Fault(503)] * 40)
    lab.sync()
    known = "select distinct row_key from state.sync_ledger where row_hash is not null order by 1"
    # They may still be there: what is needed to take them away stays, and is folded.
    assert [row["row_key"] for row in lab.fetch(known)] == ["c0001", "c0002", "c0003", "c0004"]
    folded = dbt(["run", "--select", "sync_ledger_folded"], project_dir=lab.project)
    assert folded.success, folded.statuses
    lab.end_faults()

    def dies(ledger: Ledger) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Ledger, "forget_erased", dies)
    with pytest.raises(KeyboardInterrupt):
        lab.sync()
    monkeypatch.undo()
    lab.sync()
    assert [row["row_key"] for row in lab.fetch(known)] == ["c0003", "c0004"]
    of_the_erased = "where row_key in ('c0001', 'c0002')"
    entries = lab.fetch(f"select field_hashes, remote_id from state.sync_ledger {of_the_erased}")
    assert {(row["field_hashes"], row["remote_id"]) for row in entries} == {(None, None)}
    assert len(entries) >= 8
    hashes = ("last_hash", "last_field_hashes", "delivered_hash", "delivered_field_hashes")
    ids = ("remote_id", "owned_remote_id")
    rows = lab.fetch(f"select * from activation.sync_ledger_folded {of_the_erased}")
    assert len(rows) == 2
    assert {row[column] for row in rows for column in hashes + ids} == {None}
    assert lab.fetch("select * from state.sync_identifiers") == []
    assert lab.fetch("select * from activation.sync_rows_to_forget") == []
    lab.sync()
    assert lab.hub.calls == []


def test_what_a_person_asked_for_comes_first_and_what_is_new_last(lab: Lab) -> None:
    lab.add_customers(5)
    lab.sync()
    ids = {c["cdp_customer_id"]: contact_id for contact_id, c in lab.hub.contacts.items()}
    lab.execute(
        "insert into standin.customer_suppressions values ('c0005', 'erasure')",
        "delete from standin.segment_members where customer_id = 'c0003'",
        "update standin.customers set city = 'Lyon' where customer_id = 'c0001'",
    )
    withdraw(lab, "customer_id = 'c0004'")
    lab.add_customers(1, prefix="a")
    run = lab.sync()
    assert (run.rows_removed, run.rows_delivered) == (3, 2)
    order = [call.keys for call in lab.hub.calls if not call.path.endswith("read")]
    others = [(ids["c0004"],), (ids["c0003"],), (ids["c0001"],), ("a0001@example.com",)]
    assert order == [(ids["c0005"],), *others]


def test_nobody_is_written_before_the_last_one_has_left(lab: Lab) -> None:
    lab.add_customers(150)
    lab.sync()
    withdraw(lab, "customer_id <= 'c0150'")
    lab.add_customers(300, prefix="n")

    def slow_down(call) -> None:
        lab.hub.on_applied = None
        lab.hub.faults.append(Fault(delay=0.5))

    lab.hub.on_applied = slow_down
    run = lab.sync()
    assert (run.rows_removed, run.rows_delivered) == (150, 300)
    assert [call.path.rsplit("/")[-1] for call in lab.hub.calls] == ["update"] * 2 + ["upsert"] * 3


@plays("DF29")
def test_a_mass_removal_is_held_before_the_first_call(lab: Lab) -> None:
    lab.add_customers(150)
    lab.sync()
    lab.execute("delete from standin.segment_members where customer_id > 'c0030'")
    run = lab.sync()
    assert (run.status, run.ok, run.held_by) == ("blocked", False, ["removed_rows"])
    assert lab.hub.calls == []


def test_a_confirmed_number_lets_it_pass_once(lab: Lab) -> None:
    lab.add_customers(150)
    lab.sync()
    lab.execute("delete from standin.segment_members where customer_id > 'c0030'")
    assert lab.sync(overrides=Overrides(max_removed_rows=119)).status == "blocked"
    run = lab.sync(overrides={"max_removed_rows": 120})
    assert (run.status, run.rows_removed) == ("succeeded", 120)


def test_the_share_counts_from_what_is_held(lab: Lab) -> None:
    lab.add_customers(2400)
    lab.sync()
    # 5 % of 2,400 are 120: more than the 100 rows that always pass.
    lab.execute("delete from standin.segment_members where customer_id > 'c2280'")
    assert lab.sync().status == "succeeded"


@plays("DF28")
def test_an_emptied_model_is_held(lab: Lab) -> None:
    lab.add_customers(3)
    lab.sync()
    lab.execute("delete from standin.segment_members")
    run = lab.sync()
    assert (run.status, run.held_by, lab.hub.calls) == ("blocked", ["model_emptied"], [])
    assert lab.sync(overrides={"allow_empty": True}).rows_removed == 3


def test_a_consent_table_that_failed_to_load_is_no_withdrawal(lab: Lab) -> None:
    lab.add_customers(150)
    lab.sync()
    lab.execute("delete from standin.customer_consents")
    run = lab.sync()
    assert run.status == "blocked"
    assert lab.hub.calls == []


def test_an_empty_model_before_anything_was_sent_is_no_alarm(lab: Lab) -> None:
    assert lab.sync().status == "succeeded"


def test_duplicate_keys_are_held(lab: Lab) -> None:
    lab.add_customers(3)
    lab.execute("insert into standin.segment_members values ('champions', 'c0001')")
    run = lab.sync()
    assert (run.status, run.held_by, lab.hub.calls) == ("blocked", ["duplicate_keys"], [])


def test_null_keys_are_held(lab: Lab) -> None:
    lab.add_customers(3)
    lab.build()
    lab.execute(
        "update activation.sync_hubspot__contacts set cdp_customer_id = null"
        " where cdp_customer_id = 'c0001'"
    )
    run = lab.sync(build=False)
    assert (run.status, run.held_by, lab.hub.calls) == ("blocked", ["null_keys"], [])
