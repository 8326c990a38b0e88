"""A process that dies at any moment: the next run brings the destination to the model, nothing is
there twice, and the ledger never says more than what is there.

``CDP_FAULTS=full`` (``make faults``) kills 25 times per failpoint and 200 times at random; else
a few times.
"""

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from random import Random

import pytest

from tests.fakes.hubspot import FakeHubSpot
from tests.fakes.job_desk import JobDesk
from tests.fakes.row_desk import RowDesk
from tests.fakes.server import FakeServer
from tests.sync.invariants import CONFIRMED, hold, holds_the_model, plays, settle
from tests.sync.killing import FAILPOINTS, Nursery
from tests.sync.lab import SYNC, DeskLab, Lab, RowLab

FULL = os.environ.get("CDP_FAULTS") == "full"
PER_FAILPOINT = 25 if FULL else 2
AT_RANDOM = 200 if FULL else 8
ON_FULL_DISKS = 100 if FULL else 3
KILLS_PER_LAB = 20
"""Then a fresh one: every kill makes the ledger longer."""
OF_JOBS = ("after job commit", "mid poll")

MakeLab = Callable[[type[Lab]], Lab]


@pytest.fixture
def new_lab(compiled_project: Path, tmp_path: Path) -> Iterator[MakeLab]:
    """Makes labs, each with its endpoint."""
    endpoints = {Lab: FakeHubSpot, DeskLab: partial(JobDesk, polls=0), RowLab: RowDesk}
    opened: list[FakeServer] = []

    def make(kind: type[Lab]) -> Lab:
        endpoint = endpoints[kind]().__enter__()
        opened.append(endpoint)
        project = shutil.copytree(compiled_project, tmp_path / str(len(opened)))
        return kind(project, endpoint)

    yield make
    for endpoint in opened:
        endpoint.__exit__()


def change_everything(lab: Lab, number: int) -> None:
    """Every row has new content; a few people leave, return, withdraw or grant again."""
    share = f"hash(customer_id || '{number}') % 20"
    lab.execute(
        f"update standin.customers set city = 'City {number}'",
        "delete from standin.segment_members",
        "insert into standin.segment_members"
        f" select 'champions', customer_id from standin.customers where {share} != 0",
        f"update standin.customer_consents set is_granted = ({share} != 1)",
    )
    lab.build()


def nothing_is_half(lab: Lab) -> None:
    """What a killed run left: whole entries, each outcome after its intent, and no delivery
    that did not happen."""
    [entries] = lab.fetch(
        "select count(*) as n, count(distinct entry_number) as numbers,"
        " coalesce(max(entry_number), 0) as newest from state.sync_ledger"
    )
    assert entries["n"] == entries["numbers"] == entries["newest"]
    orphans = lab.fetch(
        "select row_key from state.sync_ledger group by run_id, row_key having"
        " count(case when status = 'intent' then 1 end)"
        " < count(case when status != 'intent' then 1 end)"
    )
    # A resumed job's outcome is another run's than its intent.
    assert isinstance(lab, DeskLab) or orphans == []
    claimed = lab.fetch(f"""
        select model.cdp_customer_id as customer_id, model.city
        from state.sync_ledger as ledger
        inner join activation.{SYNC} as model on ledger.row_key = model.cdp_customer_id
        inner join activation.sync_plan as plan
            on ledger.row_key = plan.row_key and ledger.row_hash = plan.row_hash
        where ledger.status = 'delivered' and ledger.entry_number > plan.ledger_entry_number
    """)
    there = {record["cdp_customer_id"]: record for record in lab.hub.records.values()}
    assert all(there[claim["customer_id"]].get("city") == claim["city"] for claim in claimed)


def called(lab: Lab) -> set[str]:
    """Keys of the rows that the endpoint was asked for."""
    return {key for call in lab.hub.calls for key in call.keys}


def intended(lab: Lab) -> set[str]:
    """Keys of the rows that the newest run has written down."""
    newest = "select max_by(run_id, entry_number) from state.sync_ledger"
    rows = lab.fetch(f"select row_key from state.sync_ledger where run_id = ({newest})")
    return {row["row_key"] for row in rows}


def converges(lab: Lab, is_rebuilt: bool) -> None:
    """The next run, or the one after it where the plan was older than the end of a job."""
    time.sleep(0.02)  # the killed run's last request may still be at work over there
    if isinstance(lab, DeskLab):
        lab.end_orphans()
    run = lab.sync(build=is_rebuilt, overrides=CONFIRMED)
    assert run.ok, (run.status, run.error_code)
    holds_the_model(lab)
    run = lab.sync(overrides=CONFIRMED)
    assert (run.status, run.rows_sent, lab.hub.calls) == ("succeeded", 0, [])


def test_the_process_that_forks_has_no_thread_that_a_fork_would_lose(nursery: Nursery) -> None:
    # The allocator of pyarrow prepares for forks.
    assert set(nursery.threads) <= {"jemalloc_bg_thd"}


@plays("DF22", "DF23")
@pytest.mark.parametrize(
    ("failpoint", "kind"),
    [(name, DeskLab if name in OF_JOBS else Lab) for name in FAILPOINTS]
    + [(name, RowLab) for name in FAILPOINTS if name not in OF_JOBS],
)
def test_killed_at_a_failpoint_the_next_run_converges(
    new_lab: MakeLab,
    nursery: Nursery,
    failpoint: str,
    kind: type[Lab],
    caplog: pytest.LogCaptureFixture,
) -> None:
    chance = Random(failpoint)
    lab = new_lab(kind)
    lab.add_customers(250)
    most = {"after job commit": 5, "mid poll": 5}.get(failpoint, 3)
    kills = attempts = 0
    while kills < PER_FAILPOINT:
        attempts += 1
        assert attempts <= 3 * PER_FAILPOINT + 10, "the failpoint is not reached"
        change_everything(lab, attempts)
        lab.hub.calls.clear()
        status = nursery.run(lab, failpoint, chance.randint(1, most))
        kills += status == -signal.SIGKILL
        assert status in (-signal.SIGKILL, 0)
        nothing_is_half(lab)
        if kind is RowLab:
            assert called(lab) <= intended(lab), "called before the intent was committed"
        elif status and failpoint in ("before intent commit", "after intent commit"):
            known = len(lab.hub.calls)
            assert known < 4, "called before the intent was committed"
        converges(lab, is_rebuilt=chance.random() < 0.5)
    settle(lab)
    hold(lab, caplog.text)
    print(f"{failpoint}, {kind.__name__}: {kills} kills in {attempts} runs, 0 violations")


@plays("DF24")
@pytest.mark.parametrize("kind", [Lab, RowLab])
def test_killed_at_any_time_the_next_run_converges(
    new_lab: MakeLab, nursery: Nursery, kind: type[Lab], caplog: pytest.LogCaptureFixture
) -> None:
    chance = Random(24)
    kills = runs = 0
    lasts = 0.0
    while kills < AT_RANDOM:
        if runs % KILLS_PER_LAB == 0:
            lab = new_lab(kind)
            lab.add_customers(1000)
            lab.build()
            started = time.monotonic()
            assert nursery.run(lab) == 0
            lasts = time.monotonic() - started
        runs += 1
        assert runs <= 3 * AT_RANDOM
        change_everything(lab, runs)
        status = nursery.run(lab, kill_after=chance.uniform(0, lasts))
        kills += status == -signal.SIGKILL
        assert status in (-signal.SIGKILL, 0)
        nothing_is_half(lab)
        converges(lab, is_rebuilt=chance.random() < 0.5)
        if runs % KILLS_PER_LAB == 0:
            hold(lab, caplog.text)
    print(
        f"at random, {kind.__name__}: {kills} kills in {runs} runs of {lasts:.2f} s, 0 violations"
    )


@plays("DF33")
def test_a_full_disk_ends_the_run_and_the_old_state_can_be_read(
    new_lab: MakeLab, nursery: Nursery, caplog: pytest.LogCaptureFixture
) -> None:
    """The disk is full as soon as a file, the log of the warehouse first, reaches some size."""
    chance = Random(33)
    failed = 0
    for number in range(ON_FULL_DISKS):
        if number % KILLS_PER_LAB == 0:
            lab = new_lab(Lab)
            lab.add_customers(250)
        change_everything(lab, number)
        lab.hub.calls.clear()
        nursery.start(lab, file_limit=chance.choice([1, 2, 8, 16, 24, 32, 48, 64]) * 1024)
        end = nursery.wait()
        failed += end["status"] == 1
        assert end["status"] in (0, 1)
        assert end["status"] == 0 or end["said"].startswith("WarehouseError: "), end["said"]
        nothing_is_half(lab)
        converges(lab, is_rebuilt=chance.random() < 0.5)
        if (number + 1) % KILLS_PER_LAB == 0 or number + 1 == ON_FULL_DISKS:
            hold(lab, caplog.text)
    assert failed > ON_FULL_DISKS / 3
    print(f"full disks: {failed} of {ON_FULL_DISKS} runs failed, 0 violations")
