"""Whatever happens, in whatever order: customers come, change, leave, withdraw, are erased and
merged, endpoints fail, runs are killed. Once the faults are over, a few runs bring the portal to
what one clean run makes of an empty one, and a further run makes no call.

``CDP_FAULTS=full`` (``make faults``) takes longer walks.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from orchestration.sync.lease import Lease
from orchestration.sync.ledger import Ledger
from orchestration.warehouse import dbt
from tests.fakes.hubspot import FakeHubSpot
from tests.fakes.row_desk import RowDesk
from tests.fakes.server import Fault
from tests.sync.invariants import CONFIRMED, hold, is_honest, members, settle
from tests.sync.lab import Lab, RowLab

FULL = os.environ.get("CDP_FAULTS") == "full"
EXAMPLES, STEPS = (10, 100) if FULL else (3, 20)
"""Per world, of which there are four."""

PEOPLE = [f"p{number}" for number in range(8)]
CITIES = st.sampled_from(["Lyon", "Oslo", "Rome", None])
people = st.sampled_from(PEOPLE)

FAULTS = {
    "429": [Fault(429, {"Retry-After": "1"})],
    "reply lost": [Fault(applies=True, hangs_up=True)],
    "reply lost for good": [Fault(applies=True, hangs_up=True)] * 4,
    "no call arrives": [Fault(hangs_up=True)] * 4,
    "storm of 500": [Fault(500)] * 12,
    "500 after the work": [Fault(500, applies=True)] * 4,
    "truncated": [Fault(applies=True, truncates=True)] * 4,
    "reset": [Fault(applies=True, resets=True)],
    "forbidden": [Fault(403)],
    "refused as a whole": [Fault(400, body=b'{"category": "VALIDATION_ERROR"}')],
    "too long a wait": [Fault(429, {"Retry-After": "86400"})],
}


class Killed(BaseException):
    """A process that dies, as far as one process can play that."""


class World(RuleBasedStateMachine):
    """``people`` is the truth; a build writes it to the stand-in tables."""

    mode: ClassVar[str]
    project: ClassVar[Path]
    is_by_row: ClassVar[bool]
    """Whether the endpoint takes a row a request."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        self.lab = self.new_lab("lab")
        self.people: dict[str, dict[str, Any]] = {}
        self.erased: set[str] = set()
        self.addresses = 0

    def new_lab(self, name: str) -> Lab:
        hub = self.stack.enter_context(RowDesk() if self.is_by_row else FakeHubSpot())
        project = shutil.copytree(self.project, self.folder / name)
        lab = RowLab(project, hub) if self.is_by_row else Lab(project, hub)
        lab.mode = self.mode
        return lab

    def new_address(self) -> str:
        self.addresses += 1
        return f"a{self.addresses}@example.com"

    def build(self, lab: Lab) -> None:
        known = self.people.items()
        there = [(key, person) for key, person in known if key not in self.erased]
        customers = [(key, of["email"], "Ana", "Ruiz", None, of["city"], "ES") for key, of in there]
        rows = {
            "customers": customers,
            "segment_members": [("champions", key) for key, of in there if of["member"]],
            "customer_consents": [
                (key, "marketing", "email", of["granted"], not of["granted"]) for key, of in there
            ],
            "customer_suppressions": [(key, "erasure") for key in self.erased]
            + [(key, "objection") for key, of in there if of["objects"]],
        }
        statements = [f"delete from standin.{table}" for table in rows]
        statements += [
            f"insert into standin.{table} values {', '.join(map(literal, values))}"
            for table, values in rows.items()
            if values
        ]
        lab.build(*statements)

    # -- what happens to customers

    @initialize()
    def begin(self) -> None:
        """With people to lose: a walk of 20 steps has no time to find them."""
        for key in PEOPLE[:4]:
            self.add(key, None)

    @rule(key=people, city=CITIES)
    def add(self, key: str, city: str | None) -> None:
        if key not in self.people:
            self.people[key] = {
                "email": self.new_address(),
                "city": city or "Nice",
                "member": True,
                "granted": True,
                "objects": False,
            }

    @precondition(lambda self: self.people)
    @rule(data=st.data(), city=CITIES.filter(bool))
    def change(self, data: st.DataObject, city: str) -> None:
        self.anyone(data)["city"] = city

    @precondition(lambda self: self.people)
    @rule(data=st.data(), is_member=st.booleans())
    def leave_or_return(self, data: st.DataObject, is_member: bool) -> None:
        self.anyone(data)["member"] = is_member

    @precondition(lambda self: self.people)
    @rule(data=st.data(), is_granted=st.booleans())
    def withdraw_or_grant(self, data: st.DataObject, is_granted: bool) -> None:
        self.anyone(data)["granted"] = is_granted

    @precondition(lambda self: self.people)
    @rule(data=st.data(), objects=st.booleans())
    def object_or_not(self, data: st.DataObject, objects: bool) -> None:
        self.anyone(data)["objects"] = objects

    @precondition(lambda self: self.people)
    @rule(data=st.data())
    def erase(self, data: st.DataObject) -> None:
        self.erased.add(data.draw(st.sampled_from(sorted(self.people))))

    @precondition(lambda self: self.people)
    @rule(data=st.data(), is_valid=st.booleans())
    def rotate_address(self, data: st.DataObject, is_valid: bool) -> None:
        self.anyone(data)["email"] = self.new_address() if is_valid else "bad"

    @precondition(lambda self: self.people and len(self.people) < len(PEOPLE))
    @rule(data=st.data(), newcomer=people)
    def merge(self, data: st.DataObject, newcomer: str) -> None:
        """Someone turns out to be another, who is known by a new key at the same address."""
        merged = self.anyone(data)
        if newcomer not in self.people and merged["email"] != "bad":
            self.people[newcomer] = dict(merged)
            merged.update(member=False, email=self.new_address())

    def anyone(self, data: st.DataObject) -> dict[str, Any]:
        return self.people[data.draw(st.sampled_from(sorted(self.people)))]

    # -- what happens to runs

    @precondition(lambda self: self.people)
    @rule(data=st.data())
    def poison(self, data: st.DataObject) -> None:
        self.lab.hub.poison.add(self.anyone(data)["email"])

    @rule(
        faults=st.lists(st.sampled_from(sorted(FAULTS)), max_size=2),
        is_confirmed=st.booleans(),
        is_rebuilt=st.sampled_from([True, True, False]),
    )
    def run(self, faults: list[str], is_confirmed: bool, is_rebuilt: bool) -> None:
        if is_rebuilt or not self.lab.runs:
            self.build(self.lab)
        self.lab.hub.faults.extend(fault for name in faults for fault in FAULTS[name])
        run = self.lab.sync(build=False, overrides=CONFIRMED if is_confirmed else None)
        if is_rebuilt:
            is_honest(run, self.lab)

    @rule(
        method=st.sampled_from(["record_intents", "record_outcomes"]),
        is_after=st.booleans(),
        occurrence=st.integers(1, 4),
    )
    def kill(self, method: str, is_after: bool, occurrence: int) -> None:
        self.build(self.lab)
        with dying(method, is_after, occurrence), suppress(Killed):
            self.lab.sync(build=False, overrides=CONFIRMED)

    # -- and in the end

    def teardown(self) -> None:
        with self.stack:
            self.check()

    def check(self) -> None:
        self.build(self.lab)
        settle(self.lab)
        hold(self.lab)
        clean = self.new_lab("clean")
        self.build(clean)
        clean.sync(build=False)
        there, fresh = members(self.lab.hub.records), members(clean.hub.records)
        blocked = "select row_key from activation.sync_plan where blocked_reason is not null"
        given_up = {row["row_key"] for row in self.lab.fetch(blocked)}
        # Who was given up is not there or as they were; in mode upsert who left stays.
        ignored = given_up | (set(there) - set(fresh) if self.mode == "upsert" else set())
        assert without(there, ignored) == without(fresh, ignored)
        everyone = {of.get("cdp_customer_id") for of in self.lab.hub.records.values()}
        assert everyone & self.erased == set()


def without(records: dict[str, Any], keys: set[str]) -> dict[str, Any]:
    return {key: record for key, record in records.items() if key not in keys}


def literal(row: tuple) -> str:
    shown = (
        "null" if v is None else str(v).lower() if isinstance(v, bool) else f"'{v}'" for v in row
    )
    return f"({', '.join(shown)})"


@contextmanager
def dying(method: str, is_after: bool, occurrence: int) -> Iterator[None]:
    """The run dies when the ledger is written for the given time; it cannot say so either."""
    write, passed = getattr(Ledger, method), 0

    def dies(*arguments: Any) -> None:
        nonlocal passed
        passed += 1
        if passed == occurrence and not is_after:
            raise Killed
        write(*arguments)
        if passed == occurrence:
            raise Killed

    def finishes(lease: Lease, row: dict[str, Any]) -> None:
        if passed < occurrence:
            finish(lease, row)

    finish = Lease.finish
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Ledger, method, dies)
        patch.setattr(Lease, "finish", finishes)
        yield


@pytest.fixture(scope="session")
def project_of(
    compiled_project: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Path]:
    """The compiled project with its sync in another mode."""

    def make(mode: str) -> Path:
        if mode == "audience":
            return compiled_project
        project = shutil.copytree(compiled_project, tmp_path_factory.mktemp(mode) / "project")
        declaration = project / "models/activation/sync_hubspot__contacts.yml"
        text = declaration.read_text()
        assert "mode: audience" in text
        declaration.write_text(text.replace("mode: audience", f"mode: {mode}"))
        outcome = dbt(["compile"], project_dir=project)
        assert outcome.success, outcome.statuses
        return project

    return make


@pytest.mark.parametrize(
    ("mode", "is_by_row"),
    [("audience", False), ("mirror", False), ("upsert", False), ("audience", True)],
)
def test_faults_and_kills_leave_no_trace(
    mode: str, is_by_row: bool, project_of: Callable[[str], Path]
) -> None:
    world = {"mode": mode, "project": project_of(mode), "is_by_row": is_by_row}
    machine = type(f"World_{mode}", (World,), world)
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            derandomize=not FULL,
            suppress_health_check=list(HealthCheck),
        ),
    )
