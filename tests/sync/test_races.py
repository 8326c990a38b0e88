"""Two runs of one sync at once, and one that wakes up late: nobody is written twice, nobody is
lost, and who was overtaken writes nothing. And versions of a row arrive in their order."""

import os
import signal
import socket
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from orchestration.destinations.base import Limits
from orchestration.sync import courier
from orchestration.sync.lease import SyncBusy
from orchestration.warehouse import Warehouse, WarehouseBusy, dbt
from tests.fakes.hubspot import FakeHubSpot
from tests.fakes.server import Fault
from tests.fixtures.activation_project import make_project, stand_in_statements
from tests.fixtures.environment import environment
from tests.fixtures.postgres import own_database
from tests.sync.invariants import hold, holds_the_model, plays, settle
from tests.sync.killing import Nursery
from tests.sync.lab import SYNC, Lab

FULL = os.environ.get("CDP_FAULTS") == "full"
RACES = 20 if FULL else 4
USERS, VERSIONS = 50, 40


@pytest.fixture
def second_nursery() -> Iterator[Nursery]:
    with Nursery() as process:
        yield process


@pytest.fixture(scope="module")  # whose environment no other file may see
def postgres_project(
    postgres: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """The activation project built on a PostgreSQL database of its own."""
    project = make_project(tmp_path_factory.mktemp("races") / "project")
    with environment(own_database(postgres, "races")):
        with Warehouse.open("postgres", project) as warehouse:
            for statement in stand_in_statements():
                warehouse.execute(statement)
        outcome = dbt(["build"], "postgres", project)
        assert outcome.success, outcome.statuses
        yield project


@pytest.fixture
def postgres_lab(postgres_project: Path, hub: FakeHubSpot) -> Lab:
    lab = Lab(postgres_project, hub)
    lab.target = "postgres"
    tables = lab.fetch(
        "select table_schema || '.' || table_name as name from information_schema.tables"
        " where table_schema in ('standin', 'state') and table_type = 'BASE TABLE'"
    )
    lab.execute(*(f"delete from {table['name']}" for table in tables))
    return lab


@pytest.fixture(params=["duckdb", pytest.param("postgres", marks=pytest.mark.slow)])
def any_lab(request: pytest.FixtureRequest) -> Lab:
    return request.getfixturevalue("lab" if request.param == "duckdb" else "postgres_lab")


@plays("DF25")
def test_of_two_runs_at_once_one_leaves_and_nobody_is_written_twice(
    any_lab: Lab, caplog: pytest.LogCaptureFixture
) -> None:
    lab, left = any_lab, 0
    lab.add_customers(250)
    # Forked with the environment of the database.
    with Nursery() as first, Nursery() as second:
        for race in range(RACES):
            lab.execute(f"update standin.customers set city = 'Race {race}'")
            lab.build()
            lab.hub.calls.clear()
            first.start(lab)
            second.start(lab)
            ends = [first.wait(), second.wait()]
            assert 0 in [end["status"] for end in ends], ends
            for end in ends:
                words = ("SyncBusy: ", "WarehouseBusy: ")
                assert end["said"] == "succeeded" or end["said"].startswith(words)
                left += end["status"] == 1
            written = Counter(key for call in lab.hub.calls for key in call.keys)
            assert max(written.values()) == 1, "written twice"
            holds_the_model(lab)
    settle(lab)
    hold(lab, caplog.text)
    assert left or not FULL
    print(f"{lab.target or 'duckdb'}: {RACES} races, {left} left, 0 double, 0 lost")


@plays("DF25")
def test_a_second_run_in_the_same_process_is_turned_away(lab: Lab) -> None:
    lab.add_customers(3)
    lab.build()
    turned_away: list[Exception] = []

    def meanwhile(call) -> None:
        try:
            lab.sync(build=False)
        except SyncBusy as busy:
            turned_away.append(busy)

    lab.hub.on_applied = meanwhile
    run = lab.sync(build=False)
    assert (run.status, len(turned_away)) == ("succeeded", 1)


@plays("DF34")
def test_a_warehouse_that_another_process_holds_is_left_with_its_holders_name(
    lab: Lab, nursery: Nursery
) -> None:
    lab.add_customers(3)
    lab.build()
    met: list[WarehouseBusy] = []
    holder: list[int] = []

    def meanwhile(call) -> None:
        try:
            lab.fetch("select 1")
        except WarehouseBusy as busy:
            met.append(busy)

    lab.hub.on_applied = meanwhile
    holder.append(nursery.start(lab))
    assert nursery.wait()["status"] == 0
    assert f"PID {holder[0]}" in str(met[0])
    settle(lab)


def running_row(lab: Lab, owner: str, minutes: int, number: int) -> None:
    """A run of another process that began some minutes ago and has not ended."""
    lab.execute(
        "insert into state.sync_runs (run_id, sync_name, status, owner, lease_number, recorded_at)"
        f" values ('other', '{SYNC}', 'running', '{owner}', {number},"
        f" cast(current_timestamp as timestamp) - interval '{minutes} minutes')"
    )


def test_a_run_that_was_overtaken_writes_nothing_more(postgres_lab: Lab) -> None:
    lab = postgres_lab
    lab.add_customers(500)
    lab.build()

    def overtake(call) -> None:
        if len(lab.hub.calls) == 2:
            running_row(lab, "elsewhere:1", 0, 1_000_000)
            before.extend(lab.fetch("select count(*) as n from state.sync_ledger"))

    before: list[dict] = []
    lab.hub.on_applied = overtake
    with pytest.raises(SyncBusy, match="took over"):
        lab.sync(build=False)
    after = lab.fetch("select count(*) as n from state.sync_ledger")
    assert after == before
    calls = len(lab.hub.calls)
    lab.execute("delete from state.sync_runs where run_id = 'other'")
    lab.end_faults()
    # What it had in hand is in doubt, and settled by the next one.
    run = lab.sync(build=False)
    assert (run.status, len(lab.hub.contacts)) == ("succeeded", 500)
    assert calls <= 1 + lab.endpoint().limits.connections
    settle(lab)
    hold(lab)


def test_a_run_that_was_stopped_sends_nothing_of_what_it_had_in_hand(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It sleeps for twenty minutes in its second call, with more batches waiting."""
    lab.add_customers(1000)
    lab.build()
    asleep: list[float] = []
    clock = courier.time.monotonic

    def now() -> float:
        return clock() + (1200 if asleep else 0)

    class Sleeper(type(lab.endpoint())):
        def upsert(self, rows):
            outcomes = super().upsert(rows)
            if len(lab.hub.calls) >= 2 and not asleep:
                asleep.append(clock())
            return outcomes

    destination = lab.endpoint()
    destination.__class__ = Sleeper
    destination.limits = Limits(batch_rows=100, rates=((1000, 1),), connections=1)
    initial = courier.Courier.__init__
    monkeypatch.setattr(
        courier.Courier,
        "__init__",
        lambda self, *arguments: initial(self, *arguments, clock=now),
    )
    run = lab.sync(build=False, destination=destination)
    assert (run.ok, run.calls_made) == (False, 2)
    monkeypatch.undo()
    settle(lab)
    hold(lab)


@pytest.mark.parametrize(
    ("owner", "minutes", "is_alive"),
    [
        ("elsewhere:1", 5, True),
        ("elsewhere:1", 20, False),
        (f"{socket.gethostname()}:999999999", 0, False),
        # The first process of all: there, but perhaps not who made the row.
        (f"{socket.gethostname()}:1", 5, True),
        (f"{socket.gethostname()}:1", 20, False),
        (f"{socket.gethostname()}:{os.getpid()}", 0, False),
    ],
    ids=["other host", "silent host", "dead", "process", "number used again", "own number"],
)
def test_a_lease_is_taken_over_from_who_is_dead_or_silent(
    lab: Lab, owner: str, minutes: int, is_alive: bool
) -> None:
    lab.add_customers(3)
    lab.build()
    running_row(lab, owner, minutes, 7)
    if is_alive:
        with pytest.raises(SyncBusy, match="still going"):
            lab.sync(build=False)
        assert lab.hub.calls == []
    else:
        assert lab.sync(build=False).status == "succeeded"


def test_the_lease_of_a_killed_run_is_free_at_once(postgres_lab: Lab) -> None:
    lab = postgres_lab
    lab.add_customers(250)
    lab.build()
    with Nursery() as nursery:
        assert nursery.run(lab, "after call", 2) == -signal.SIGKILL
    run = lab.sync(build=False)
    assert (run.status, len(lab.hub.contacts)) == ("succeeded", 250)
    settle(lab)
    hold(lab)


@plays("DF35")
def test_who_withdraws_while_the_run_is_going_is_not_sent(postgres_lab: Lab) -> None:
    lab = postgres_lab
    lab.add_customers(500)
    lab.build()

    def withdraw(call) -> None:
        if len(lab.hub.calls) == 1:
            lab.execute(
                "update standin.customer_consents set is_granted = false"
                " where customer_id > 'c0400'"
            )

    lab.hub.on_applied = withdraw
    run = lab.sync(build=False)
    sent = {contact["cdp_customer_id"] for contact in lab.hub.contacts.values()}
    assert max(sent) <= "c0400"
    assert (run.rows_delivered, run.rows_unsent) == (400, 100)


def test_versions_of_a_row_arrive_in_their_order(lab: Lab, caplog) -> None:
    """Fifty people, forty versions each, and answers of 500, 400 and 200 by script."""
    chance = Random(9)
    seen: dict[str, list[str]] = defaultdict(list)
    write = lab.hub._write

    def watched(item, contact_id, properties):
        if "city" in properties:
            seen[properties["cdp_customer_id"]].append(properties["city"])
        return write(item, contact_id, properties)

    lab.hub._write = watched
    lab.add_customers(USERS)
    refused = Fault(400, body=b'{"category": "VALIDATION_ERROR"}')
    lost = Fault(applies=True, hangs_up=True)
    scripts = [[], [Fault(500)], [refused], [Fault(500)] * 4, [lost] * 4, [refused] * 5, [lost]]
    repeats = 0
    for version in range(VERSIONS):
        lab.build(f"update standin.customers set city = 'V{version:03}'")
        script = chance.choice(scripts)
        repeats += script.count(lost)
        lab.hub.faults.extend(script)
        destination = lab.endpoint()
        destination.limits = Limits(batch_rows=10, rates=((1000, 1),), connections=4)
        lab.sync(build=False, destination=destination)
        lab.hub.faults.clear()
    lab.build()
    lab.sync(build=False)
    newest = f"V{VERSIONS - 1:03}"
    assert len(seen) == USERS
    assert all(versions == sorted(versions) for versions in seen.values())
    assert all(versions[-1] == newest for versions in seen.values())
    twice = sum(len(versions) - len(set(versions)) for versions in seen.values())
    assert twice <= repeats * 10 * 2
    settle(lab)
    hold(lab, caplog.text)
