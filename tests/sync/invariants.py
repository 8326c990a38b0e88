"""What holds after every fault: nobody is lost, nobody is there twice, the newest version is the
one that is there, nobody is there without permission, a run that says ok is right, calls are
bounded, counts add up, and no personal data leaves for state, logs or exceptions.

    settle(lab)   # the fault is over: run until nothing is left to do
    hold(lab, caplog.text)
"""

import traceback
from collections.abc import Callable
from math import ceil
from typing import Any

from orchestration.sync.run import SyncRun
from tests.fixtures.open_warehouse import opened
from tests.sync.lab import SYNC, Lab

STATE = ("sync_ledger", "sync_runs", "sync_jobs", "sync_identifiers", "sync_matches")
TRIES = 4
"""Of the lab's HTTP policy."""
REFUSED_CALLS = 60
"""Calls that halving one batch may take (``Patience.calls_per_refused_batch``)."""
QUIET_AFTER = 4
"""Runs: a refused row is tried three times, and the fourth finds nothing to do."""
CONFIRMED = {
    "allow_empty": True,
    "max_removed_rows": 10**6,
    "max_changed_rows": 10**6,
    "rebaseline": True,
    "resync": True,
    "moved": True,
}

# What `Lab.add_customers` gives people, in any spelling, and the portal's token.
PERSONAL = ("@example.com", "ruiz", "+3460000", "madrid", "fake-token")

SCRIPTS: dict[str, list[str]] = {}
"""Names of tests by the case of the fault catalogue that they play."""


def plays(*cases: str) -> Callable:
    """Marks a test as the script of cases of ``destination_faults.csv``."""

    def mark(test: Callable) -> Callable:
        for case in cases:
            SCRIPTS.setdefault(case, []).append(test.__name__)
        return test

    return mark


def wanted(lab: Lab) -> dict[str, dict[str, str]]:
    """What the destination is to hold, by customer: the model without what cannot be sent."""
    blocked = f"select row_key from activation.sync_plan where sync_name = '{SYNC}'"
    sql = f"""
        select * from activation.{SYNC}
        where cdp_customer_id not in ({blocked} and blocked_reason is not null)
    """
    rows = ({n: v for n, v in row.items() if v is not None} for row in lab.fetch(sql))
    return {row["cdp_customer_id"]: row for row in rows}


def members(records: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """Records in the segment, by customer. Fails where a customer is there twice."""
    inside = [record for record in records.values() if "cdp_segment" in record]
    found = {record["cdp_customer_id"]: record for record in inside}
    assert len(found) == len(inside), "a customer is there twice"
    return found


def holds_the_model(lab: Lab) -> None:
    """No loss, no leftover, the newest version of everyone. In mode upsert who left stays; whose
    newest version is refused stays as they were."""
    there, here = members(lab.hub.records), wanted(lab)
    assert sorted(set(here) - set(there)) == [], "lost"
    permitted = lab.fetch(f"select cdp_customer_id from activation.{SYNC}")
    leftover = set(there) - {row["cdp_customer_id"] for row in permitted}
    if lab.mode == "upsert":
        leftover &= refused(lab)
    assert sorted(leftover) == [], "there without permission"
    different = [
        key
        for key, row in here.items()
        if any(there[key].get(name, "") != value for name, value in row.items())
    ]
    assert different == [], "not the newest"


def refused(lab: Lab) -> set[str]:
    """Customers who said no: consent withdrawn, objection, erasure."""
    found = lab.fetch(
        "select customer_id from standin.customer_consents where not is_granted"
        " union select customer_id from standin.customer_suppressions"
    )
    return {row["customer_id"] for row in found}


def counts_add_up(run: SyncRun | dict[str, Any]) -> None:
    """The identities of ``activation.sync_run_history``."""
    of = run if isinstance(run, dict) else vars(run)
    if of["error_code"] == "INTERRUPTED" or of["rows_in_model"] is None:
        return  # killed, the warehouse failed midway, or no run but upkeep of the ledger
    planned = of["rows_planned_upserts"] + of["rows_planned_removals"]
    kept = of["rows_unchanged"] + of["rows_blocked"]
    assert of["rows_in_model"] == kept + of["rows_planned_upserts"]
    assert planned == of["rows_sent"] + of["rows_unsent"]
    settled = of["rows_delivered"] + of["rows_removed"]
    assert of["rows_sent"] == settled + of["rows_rejected"] + of["rows_unknown"]
    assert min(value for name, value in of.items() if name.startswith("rows_")) >= 0


def calls_are_bounded(run: SyncRun, batch_rows: int) -> None:
    """Up to three requests a batch, each tried a few times; halving has its own bound."""
    planned = run.rows_planned_upserts + run.rows_planned_removals
    phases = 5
    batches = ceil(planned / batch_rows) + phases
    troubled = run.rows_rejected + run.rows_unknown
    halved = REFUSED_CALLS * min(ceil(planned / batch_rows), troubled)
    erased = run.rows_planned_removals  # the portal takes erasures one by one
    assert run.calls_made <= TRIES * (3 * batches + erased) + halved


def is_honest(run: SyncRun, lab: Lab) -> None:
    """Ok says that everything planned is there."""
    if run.status == "succeeded":
        assert run.rows_rejected == run.rows_unknown == run.rows_unsent == 0
        assert run.error_code is None
        holds_the_model(lab)


def says_nothing_personal(lab: Lab, *texts: str) -> None:
    """In state, and in what was logged, raised or returned."""
    tables = lab.fetch("select table_name from information_schema.tables")
    present = {row["table_name"] for row in tables}
    state = [lab.fetch(f"select * from state.{name}") for name in STATE if name in present]
    raised = ["".join(traceback.format_exception(error)) for error in lab.raised]
    everything = "".join([repr(state), repr(lab.runs), *raised, *texts]).casefold()
    assert [word for word in PERSONAL if word in everything] == []


def settle(lab: Lab, **options: Any) -> None:
    """The fault is over: build and run until there is nothing to do, and a further run makes
    no call."""
    lab.end_faults()
    for _ in range(QUIET_AFTER):
        run = lab.sync(overrides=CONFIRMED, **options)
        assert run.status in ("succeeded", "pending", "partial")
        if not run.rows_sent:
            break
    assert lab.hub.calls == []
    assert (run.status, run.rows_sent) == ("succeeded", 0)


def hold(lab: Lab, *texts: str) -> None:
    """All of them, once it has settled."""
    with opened(lab.target, lab.project):
        holds_the_model(lab)
        for run in lab.runs:
            counts_add_up(run)
            calls_are_bounded(run, lab.batch_rows)
        for row in lab.fetch("select * from activation.sync_run_history"):
            counts_add_up(row)
        says_nothing_personal(lab, *texts)
    assert lab.hub.contract_violations == []
