"""A ledger folded bit by bit is the ledger folded at once, and the view is never behind."""

import random

from orchestration.warehouse import dbt
from tests.sync.lab import PLANNED, SYNC, Lab

CURRENT = "select * from activation.sync_ledger_current order by sync_name, row_key"
FOLDED = "select * from activation.sync_ledger_folded order by sync_name, row_key"


def history(rows: int, seed: int) -> list[list[str]]:
    """Entries of rows that are written, refused, taken away, lost, reset and found drifted; few
    records, so that rows take them from one another. In four parts, as SQL values."""
    dice = random.Random(seed)
    entries = []
    for number in range(rows):
        key, content, attempt = f"k{number:03}", 1, 1
        for _ in range(dice.randint(1, 6)):
            action = dice.choice(["upsert", "upsert", "remove"])
            content += dice.random() < 0.5
            removed = action == "remove"
            row_hash = "null" if removed else f"'h{content}'"
            fields = "null" if removed else f"'f{content}'"
            customer = dice.choice(["null", f"'p{number % 7}'"])
            entries.append((number, key, action, "intent", row_hash, fields, "null", customer))
            last = dice.choice(["delivered", "delivered", "rejected", "unknown", None])
            if last:
                record = f"'{dice.randint(1, rows // 2)}'" if last == "delivered" else "null"
                entries.append((number, key, action, last, row_hash, "null", record, "null"))
            if dice.random() < 0.2:
                word = dice.choice(["reset", "drifted"])
                entries.append((number, key, "upsert", word, "null", "null", "null", "null"))
            attempt += 1
    # Rows in any order, the entries of a row in theirs.
    order = sorted(range(len(entries)), key=lambda _: dice.random())
    queues: dict[int, list] = {}
    for entry in entries:
        queues.setdefault(entry[0], []).append(entry)
    shuffled = [queues[entries[position][0]].pop(0) for position in order]
    numbered: dict[str, int] = {}
    values = []
    for number, key, action, status, row_hash, fields, record, customer in shuffled:
        sync = "s" if number % 3 else "t"
        numbered[sync] = numbered.get(sync, 0) + 1
        values.append(
            f"('{sync}', {numbered[sync]}, '{key}', '{action}', '{status}', {row_hash}, {fields},"
            f" {record}, {customer}, 1, 'r', timestamp '2026-01-01')"
        )
    quarter = len(values) // 4 + 1
    return [values[start : start + quarter] for start in range(0, len(values), quarter)]


def record(lab: Lab, values: list[str]) -> None:
    lab.execute(
        "insert into state.sync_ledger (sync_name, entry_number, row_key, action, status,"
        " row_hash, field_hashes, remote_id, customer_id, attempt, run_id, recorded_at)"
        f" values {', '.join(values)}"
    )


def fold(lab: Lab, *options: str) -> None:
    outcome = dbt(["run", "--select", "sync_ledger_folded", *options], project_dir=lab.project)
    assert outcome.success, outcome.statuses


def test_folding_bit_by_bit_is_folding_at_once(lab: Lab) -> None:
    for part in history(rows=150, seed=11):
        record(lab, part)
        before = lab.fetch(CURRENT)
        fold(lab)
        assert lab.fetch(CURRENT) == before, "the view is as new before the fold as after it"
    bit_by_bit, current = lab.fetch(FOLDED), lab.fetch(CURRENT)
    fold(lab, "--full-refresh")
    assert lab.fetch(FOLDED) == bit_by_bit
    assert lab.fetch(CURRENT) == current
    held = [row for row in current if row["is_held"]]
    assert 0 < len(held) < len(current)
    assert any(row["is_uncertain"] for row in current)


def test_a_plan_is_the_same_before_a_fold_and_after(lab: Lab) -> None:
    """Whether an entry was folded yet changes nothing about what there is to do."""
    lab.add_customers(100)
    lab.execute(
        "insert into standin.customer_suppressions"
        " select customer_id, 'erasure' from standin.customers where hash(customer_id) % 5 = 0"
    )
    lab.build()
    hashed = lab.fetch(f"select row_key, row_hash from activation.{PLANNED}")
    reasons = set()
    for part in history(rows=150, seed=11):
        record(lab, [row.replace("'s'", f"'{SYNC}'").replace("'k", "'c0") for row in part])
        lab.execute(
            *(
                "update state.sync_ledger set row_hash = '{row_hash}'"
                " where row_key = '{row_key}' and row_hash = 'h1'".format(**row)
                for row in hashed
            ),
            "update state.sync_ledger set reason = 'left' where action = 'remove'",
        )
        lab.build()
        planned = lab.fetch(f"select * from activation.{PLANNED} order by row_key")
        fold(lab)
        lab.build()
        assert lab.fetch(f"select * from activation.{PLANNED} order by row_key") == planned
        reasons |= {row["reason"] for row in planned}
    assert reasons >= {"new", "changed", "returned", "uncertain", "rejected", "left", "erasure"}


def test_a_ledger_restored_to_an_earlier_day_is_noticed(lab: Lab) -> None:
    lab.add_customers(3)
    lab.sync()
    fold(lab)
    test = ["test", "--select", "assert_no_fold_is_ahead_of_the_ledger"]
    assert dbt(test, project_dir=lab.project).success
    lab.execute("delete from state.sync_ledger where entry_number > 2")
    assert not dbt(test, project_dir=lab.project).success
