"""Work that goes on at the endpoint: it is stuck, cancelled, forgotten, done by half, and the run
that handed it over is gone."""

import signal
from collections import Counter
from collections.abc import Iterator

import pyarrow as pa
import pytest

from orchestration.sync.delivery import Patience
from orchestration.warehouse import Relation, Warehouse, WarehouseError
from tests.fakes.server import Fault
from tests.sync.invariants import hold, settle
from tests.sync.killing import Nursery
from tests.sync.lab import SYNC, DeskLab

HASTY = Patience(job_deadline=0.05)


@pytest.fixture(autouse=True)
def invariants(desk_lab: DeskLab, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level("DEBUG")
    yield
    settle(desk_lab)
    hold(desk_lab, caplog.text)


def submissions(lab: DeskLab) -> int:
    return sum(call.method == "POST" for call in lab.hub.calls)


def outcomes(lab: DeskLab) -> dict[tuple[str, str | None], int]:
    sql = "select status, error_code, count(*) as n from activation.sync_outcomes group by all"
    return {(row["status"], row["error_code"]): row["n"] for row in lab.fetch(sql)}


def test_rows_are_delivered_when_their_job_has_ended(desk_lab: DeskLab) -> None:
    desk_lab.add_customers(120)
    run = desk_lab.sync()
    assert (run.status, run.rows_delivered, submissions(desk_lab)) == ("succeeded", 120, 3)
    desk_lab.execute("delete from standin.segment_members where customer_id <= 'c0010'")
    run = desk_lab.sync()
    assert (run.status, run.rows_removed) == ("succeeded", 10)


def test_rows_of_a_job_that_is_still_running_are_not_sent_again(desk_lab: DeskLab) -> None:
    desk_lab.add_customers(60)
    desk_lab.hub.endings.append("stuck")
    run = desk_lab.sync(patience=HASTY)
    assert (run.status, run.error_code) == ("pending", "JOB_STILL_RUNNING")
    assert (run.rows_delivered, run.rows_unknown) == (10, 50)
    # All of them have changed, one has left, and the old job could end after a new one.
    desk_lab.execute(
        "update standin.customers set city = 'New'",
        "delete from standin.segment_members where customer_id = 'c0001'",
    )
    for _ in range(2):
        run = desk_lab.sync(patience=HASTY)
        assert (run.status, run.rows_unsent) == ("pending", 50)
    assert desk_lab.hub.contract_violations == []
    desk_lab.end_faults()
    run = desk_lab.sync()
    # The plan is older than the end of the job, which wrote what nobody wants any more.
    assert (run.status, run.rows_resumed) == ("succeeded", 50)
    assert (run.rows_delivered, run.rows_removed) == (49, 1)
    assert {record["city"] for record in desk_lab.hub.records.values()} == {"New"}


@pytest.mark.parametrize(
    ("ending", "delivered"), [("cancelled", 0), ("forgotten", 0), ("failed", 25)]
)
def test_rows_of_a_job_that_came_to_nothing_are_in_doubt(
    desk_lab: DeskLab, ending: str, delivered: int
) -> None:
    desk_lab.add_customers(50)
    desk_lab.hub.endings.append(ending)
    run = desk_lab.sync()
    assert (run.ok, run.rows_delivered) == (False, delivered)
    assert outcomes(desk_lab)["unknown", f"JOB_{ending.upper()}"] == run.rows_unknown
    assert run.rows_unknown == 50 - delivered
    run = desk_lab.sync()
    assert (run.status, run.rows_delivered, run.rows_resumed) == ("succeeded", 50 - delivered, 0)


def test_a_row_that_a_job_refuses_does_not_hold_the_others(desk_lab: DeskLab) -> None:
    desk_lab.add_customers(50)
    desk_lab.hub.poison.add("c0007")
    desk_lab.execute("update standin.customers set email = 'bad' where customer_id = 'c0009'")
    run = desk_lab.sync()
    assert (run.status, run.rows_delivered, run.rows_rejected) == ("partial", 48, 2)
    assert run.rejections == {"ROW_REFUSED": 1, "INVALID_EMAIL": 1}


def test_no_answer_about_a_job_is_no_news(desk_lab: DeskLab) -> None:
    desk_lab.add_customers(50)
    desk_lab.hub.faults.extend([Fault(500, path="/jobs/")] * 4 + [Fault(403, path="/jobs/")])
    run = desk_lab.sync()
    assert (run.status, run.rows_delivered, submissions(desk_lab)) == ("succeeded", 50, 1)


def test_a_mistake_in_asking_about_a_job_leaves_it_open(
    desk_lab: DeskLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk_lab.add_customers(50)
    endpoint = desk_lab.endpoint()
    monkeypatch.setattr(endpoint, "poll", lambda job, rows: {}[rows[0].values["email"]])
    run = desk_lab.sync(destination=endpoint)
    assert (run.ok, run.error_code, run.rows_unknown) == (False, "DESTINATION_FAULT", 50)
    # The next run does not know what the job did, and sends nothing before it does.
    desk_lab.build()
    run = desk_lab.sync(build=False, destination=endpoint)
    assert (run.error_code, submissions(desk_lab)) == ("DESTINATION_FAULT", 0)
    desk_lab.hub.polls = 0
    assert desk_lab.sync().rows_resumed == 50


def test_a_stopped_run_asks_once_and_leaves_its_jobs_to_the_next(desk_lab: DeskLab) -> None:
    desk_lab.add_customers(120)
    desk_lab.build()

    def forbid(call) -> None:
        if call.method == "POST":
            desk_lab.hub.faults.append(Fault(403, path="/jobs"))

    desk_lab.hub.on_applied = forbid
    run = desk_lab.sync(build=False)
    # A third batch was under way with the second.
    assert (run.error_code, run.rows_unknown + run.rows_unsent) == ("HTTP_403", 120)
    desk_lab.end_faults()
    desk_lab.hub.polls = 0
    run = desk_lab.sync()
    assert (run.status, run.rows_resumed + run.rows_delivered) == ("succeeded", 120)
    assert run.rows_resumed >= 50


@pytest.mark.parametrize("failpoint", ["after job commit", "mid poll", "before outcome commit"])
def test_a_job_is_resumed_by_the_next_run_when_its_run_was_killed(
    desk_lab: DeskLab, nursery: Nursery, failpoint: str
) -> None:
    desk_lab.add_customers(50)
    desk_lab.build()
    assert nursery.run(desk_lab, failpoint) == -signal.SIGKILL
    desk_lab.hub.polls = 0
    run = desk_lab.sync(build=False)
    assert (run.status, run.rows_resumed, submissions(desk_lab)) == ("succeeded", 50, 0)


def test_a_run_that_learns_that_an_older_job_refused_rows_says_so(desk_lab: DeskLab) -> None:
    desk_lab.add_customers(50)
    desk_lab.hub.endings.append("stuck")
    desk_lab.hub.poison |= {"c0007", "c0009"}
    assert desk_lab.sync(patience=HASTY).status == "pending"
    desk_lab.build()
    desk_lab.end_faults()
    desk_lab.hub.poison |= {"c0007", "c0009"}
    run = desk_lab.sync(build=False)
    assert (run.status, run.ok) == ("partial", False)
    assert (run.rows_resumed, run.rows_resumed_rejected) == (50, 2)
    assert (run.rows_sent, run.rejections) == (0, {"ROW_REFUSED": 2})
    sql = f"select state, detail from activation.alert_states where subject = '{SYNC}'"
    [told] = desk_lab.fetch(sql)
    assert told == {"state": "degraded", "detail": "rows_resumed_rejected=2"}


@pytest.mark.parametrize("table", ["sync_ledger", "sync_jobs"])
def test_a_job_and_what_was_refused_beside_it_are_written_together(
    desk_lab: DeskLab, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    """Else a row that was never handed over would be resumed with its job, and end like it."""
    desk_lab.add_customers(5)
    desk_lab.execute("update standin.customers set email = 'bad' where customer_id = 'c0003'")
    append, appended = Warehouse.append, Counter()

    def breaks(warehouse: Warehouse, relation: Relation, rows: pa.Table) -> None:
        appended[relation.identifier] += 1
        if (relation.identifier, appended[table]) == (table, 2 if table == "sync_ledger" else 1):
            raise WarehouseError("the disk is full")
        append(warehouse, relation, rows)

    monkeypatch.setattr(Warehouse, "append", breaks)
    with pytest.raises(WarehouseError):
        desk_lab.sync()
    monkeypatch.undo()
    assert desk_lab.fetch("select * from state.sync_jobs") == []
    statuses = desk_lab.fetch("select distinct status from state.sync_ledger")
    assert [row["status"] for row in statuses] == ["intent"]
    desk_lab.end_orphans()
    run = desk_lab.sync()
    assert (run.rows_delivered, run.rejections) == (4, {"INVALID_EMAIL": 1})


def test_a_resumed_erasure_is_remembered_as_one(desk_lab: DeskLab, nursery: Nursery) -> None:
    desk_lab.add_customers(3)
    desk_lab.sync()
    desk_lab.build("insert into standin.customer_suppressions values ('c0001', 'erasure')")
    assert nursery.run(desk_lab, "after job commit") == -signal.SIGKILL
    desk_lab.hub.polls = 0
    assert desk_lab.sync(build=False).rows_resumed == 1
    desk_lab.sync()
    assert submissions(desk_lab) == 0, "erased twice"


def test_a_job_that_never_ends_is_given_up_in_the_end(desk_lab: DeskLab) -> None:
    desk_lab.add_customers(50)
    desk_lab.hub.endings.append("stuck")
    assert desk_lab.sync(patience=Patience(job_deadline=0.0)).status == "pending"
    assert desk_lab.sync(patience=Patience(job_deadline=0.0)).rows_unsent == 50
    desk_lab.execute("update state.sync_jobs set recorded_at = recorded_at - interval 3 day")
    run = desk_lab.sync()
    assert (run.status, run.rows_resumed, run.rows_delivered) == ("succeeded", 50, 50)
    assert outcomes(desk_lab)["unknown", "JOB_LOST"] == 50
    # It was given up here and is still going there, which is all there is to complain about.
    assert set(desk_lab.hub.contract_violations) == {"a row of a job that is still running"}
    desk_lab.hub.contract_violations.clear()
