"""Every mode: what it sends at first, nothing when nothing has changed, and what it does with
who changes, leaves, says no or is erased."""

import threading
import time
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from orchestration.destinations.base import (
    CallError,
    Destination,
    Limits,
    Outcome,
    Row,
    Stopped,
    Unanswered,
)
from orchestration.sync.ledger import Ledger
from orchestration.sync.preview import preview
from orchestration.sync.reconcile import resend, settle
from orchestration.sync.run import SyncRun, run_sync
from orchestration.sync.spec import InvalidSync, Mode
from orchestration.warehouse import Warehouse, dbt
from tests.fixtures.activation_project import make_project, remove_the_sync, stand_in_statements

MODES = typing.get_args(Mode)
SYNC, PLANNED = "sync_hubspot__contacts", "int_activation__hubspot_contacts_planned"
OVERRIDES = {"max_removed_rows": 100}
BOTH = "both_purposes"
"""A sync of mode audience that needs two of them."""


class Notebook(Destination):
    """Writes down what it is asked."""

    name = "notebook"
    limits = Limits(batch_rows=100, rates=((1000, 1.0),))
    supported: ClassVar = frozenset({("contacts", mode) for mode in MODES})

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str]] = []
        self._calls = 0

    @classmethod
    def from_environment(cls, spec: Any) -> "Notebook":
        return cls()

    @property
    def calls(self) -> int:
        return self._calls

    def upsert(self, rows: Sequence[Row]) -> list[Outcome]:
        return self._take(rows)

    def remove(self, rows: Sequence[Row]) -> list[Outcome]:
        return self._take(rows)

    def _take(self, rows: Sequence[Row]) -> list[Outcome]:
        self._calls += 1
        self.asked += [(row.key, row.action, row.reason) for row in rows]
        return [Outcome.delivered(row.key) for row in rows]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One sync a mode, all on the same customers."""
    project = make_project(tmp_path_factory.mktemp("modes") / "project")
    models = project / "models/activation"
    texts = {name: (models / name).read_text() for name in (f"{SYNC}.sql", f"{SYNC}.yml")}
    remove_the_sync(project)
    planned = []
    for mode in (*MODES, BOTH):
        sync, plan = f"sync_notebook__{mode}", f"int_activation__{mode}_planned"
        for name, text in texts.items():
            text = text.replace(SYNC, sync)
            if mode == BOTH:
                two = "purpose: [marketing, profiling]\n          channel"
                text = text.replace("purpose: marketing\n          channel", two)
            else:
                text = text.replace("mode: audience", f"mode: {mode}")
            text = text.replace("destination: hubspot", "destination: notebook")
            (models / name.replace(SYNC, sync)).write_text(text)
        (models / f"{plan}.sql").write_text(
            f"{{{{ config(contract={{'enforced': false}}) }}}}\n{{{{ plan_sync('{sync}') }}}}\n"
        )
        planned.append(plan)
    settings = project / "dbt_project.yml"
    text = settings.read_text()
    assert f"[{PLANNED}]" in text
    settings.write_text(text.replace(f"[{PLANNED}]", f"[{', '.join(planned)}]"))
    execute(project, *stand_in_statements())
    add(project, "c", 6)
    return project


def execute(project: Path, *statements: str) -> None:
    with Warehouse.open(project_dir=project) as warehouse:
        for statement in statements:
            warehouse.execute(statement)


def build(project: Path) -> None:
    outcome = dbt(["run"], project_dir=project)
    assert outcome.success, outcome.statuses


def run(project: Path, mode: str) -> tuple[SyncRun, dict[str, tuple[str, str]]]:
    notebook = Notebook()
    name = f"sync_notebook__{mode}"
    done = run_sync(name, project_dir=project, destination=notebook, overrides=OVERRIDES)
    return done, {key: (action, reason) for key, action, reason in notebook.asked}


def test_every_mode_from_the_first_run_to_the_erasure(project: Path) -> None:
    build(project)
    listed = ("archive", "delete")
    for mode in MODES:
        done, asked = run(project, mode)
        first = ("remove", "listed") if mode in listed else ("upsert", "new")
        assert (done.status, asked) == ("succeeded", {f"c{n}": first for n in range(1, 7)}), mode
    build(project)
    for mode in MODES:
        done, asked = run(project, mode)
        assert (done.status, done.calls_made, asked) == ("succeeded", 0, {}), mode

    execute(
        project,
        "update standin.customers set city = 'Rome' where customer_id = 'c1'",
        "delete from standin.segment_members where customer_id = 'c2'",
        "update standin.customer_consents set is_granted = false, is_refused = true"
        " where customer_id = 'c3'",
        "insert into standin.customer_suppressions values ('c4', 'erasure'), ('c5', 'objection')",
    )
    build(project)
    changed = {"c1": ("upsert", "changed")}
    asked_to_go = {
        "c3": ("remove", "consent"),
        "c4": ("remove", "erasure"),
        "c5": ("remove", "objection"),
    }
    left = {"c2": ("remove", "left")}
    expected = {
        "upsert": changed | asked_to_go,
        "update_only": changed | asked_to_go,
        "create_only": asked_to_go,
        "mirror": changed | asked_to_go | left,
        "audience": changed | asked_to_go | left,
        "append": {"c4": ("remove", "erasure")},
        # They are gone already and nobody is written, but what is archived is not erased.
        "archive": {"c4": ("remove", "erasure")},
        "delete": {"c4": ("remove", "erasure")},
    }
    assert {mode: run(project, mode)[1] for mode in MODES} == expected
    build(project)
    assert {mode: run(project, mode)[0].calls_made for mode in MODES} == dict.fromkeys(MODES, 0)


class Silent(Notebook):
    """Takes events one by one and fails, three calls at a time."""

    limits = Limits(batch_rows=1, rates=((1000, 1.0),), connections=3)

    def __init__(self, error: CallError) -> None:
        super().__init__()
        self._error = error

    def _take(self, rows: Sequence[Row]) -> list[Outcome]:
        super()._take(rows)
        raise self._error


def test_an_event_that_cannot_have_arrived_is_sent_by_the_next_run(project: Path) -> None:
    """Nobody would send it again by hand after an evening with a wrong token."""
    name = "sync_notebook__append"
    add(project, "e", 5)
    for error in (
        Stopped("HTTP_401", "auth", may_have_acted=False),
        Unanswered("NO_CONNECTION", may_have_acted=False),
    ):
        build(project)
        done = run_sync(name, project_dir=project, destination=Silent(error))
        assert (done.status, done.rows_sent, done.rows_unsent) == ("failed", 0, 5)
        assert done.calls_made <= 3
    build(project)
    done, asked = run(project, "append")
    assert (done.status, set(asked)) == ("succeeded", {f"e{n}" for n in range(1, 6)})


def test_an_event_in_doubt_waits_for_a_person(project: Path) -> None:
    name = "sync_notebook__append"
    add(project, "f", 4)
    build(project)
    done = run_sync(name, project_dir=project, destination=Silent(Unanswered("CONNECTION_LOST")))
    # One call until one has arrived: three such batches, and the run ends.
    assert (done.status, done.rows_unknown) == ("failed", 3)
    build(project)
    done, asked = run(project, "append")
    assert (done.status, done.error_code) == ("partial", "IN_DOUBT")
    assert set(asked) == {"f4"}
    with pytest.MonkeyPatch.context() as patch:
        for module in ("endpoint", "preview"):
            patch.setattr(f"orchestration.sync.{module}.destination_class", lambda name: Notebook)
        assert preview(name, project_dir=project).in_doubt == 3
    assert settle(name, project_dir=project, arrived=True, key="f1") == 1
    assert settle(name, project_dir=project, arrived=False, key="f4") == 0
    assert settle(name, project_dir=project, arrived=False) == 2
    build(project)
    done, asked = run(project, "append")
    assert (done.status, set(asked)) == ("succeeded", {"f2", "f3"})
    with pytest.raises(InvalidSync, match="are sent again by the next run"):
        settle("sync_notebook__mirror", project_dir=project, arrived=True)


def test_who_is_erased_is_taken_away_whatever_is_in_doubt(project: Path) -> None:
    name = "sync_notebook__append"
    build(project)
    run(project, "append")
    add(project, "x", 1)
    build(project)
    run_sync(name, project_dir=project, destination=Silent(Unanswered("CONNECTION_LOST")))
    execute(project, "insert into standin.customer_suppressions values ('x1', 'erasure')")
    for answer in (Silent(Unanswered("CONNECTION_LOST")), Notebook()):
        build(project)
        run_sync(name, project_dir=project, destination=answer)
        assert ("x1", "remove", "erasure") in answer.asked
        # Whether an event arrived is one thing, whether a person is gone another.
        assert settle(name, project_dir=project, arrived=True) == 0
    build(project)
    assert run(project, "append")[1] == {}


def test_what_a_killed_process_had_written_down_is_little(project: Path) -> None:
    """Of events that must not be sent twice: no more than there are connections."""
    name = "sync_notebook__append"
    add(project, "g", 9)
    build(project)
    counted = []

    class Counting(Silent):
        def _take(self, rows: Sequence[Row]) -> list[Outcome]:
            counted.append(1)
            return [Outcome.delivered(row.key) for row in rows]

    intents = []
    record = Ledger.record_intents

    def noted(ledger, rows, identifiers):
        intents.append(len(rows))
        record(ledger, rows, identifiers)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Ledger, "record_intents", noted)
        done = run_sync(name, project_dir=project, destination=Counting(Unanswered("NEVER")))
    assert (done.status, len(counted), sum(intents)) == ("succeeded", 9, 9)
    assert max(intents) <= 3


def test_a_token_that_dies_under_a_run_costs_one_call_a_connection(project: Path) -> None:
    class Expiring(Silent):
        refused = 0

        def _take(self, rows: Sequence[Row]) -> list[Outcome]:
            with lock:
                self._calls += 1
                is_dead = self._calls > 5
                self.refused += is_dead
            if not is_dead:
                return [Outcome.delivered(row.key) for row in rows]
            time.sleep(0.02)
            raise self._error

    lock = threading.Lock()
    add(project, "t", 30)
    build(project)
    destination = Expiring(Stopped("HTTP_401", "auth"))
    done = run_sync("sync_notebook__upsert", project_dir=project, destination=destination)
    assert (done.status, done.error_code, done.rows_delivered) == ("partial", "HTTP_401", 5)
    assert destination.refused <= destination.limits.connections


def test_everything_can_be_sent_once_more(project: Path) -> None:
    """After a template has changed, which no hash of a row tells."""
    add(project, "h", 2)
    build(project)
    run(project, "mirror")
    build(project)
    assert run(project, "mirror")[1] == {}
    with Warehouse.open(project_dir=project) as warehouse:
        held = warehouse.fetch(
            "select row_key from activation.sync_ledger_current"
            " where sync_name = 'sync_notebook__mirror' and is_held"
        )
    assert resend("sync_notebook__mirror", project_dir=project) == len(held) >= 2
    build(project)
    done, asked = run(project, "mirror")
    assert (done.status, set(asked)) == ("succeeded", {row["row_key"] for row in held})
    assert set(asked.values()) == {("upsert", "drifted")}
    build(project)
    assert run(project, "mirror")[0].calls_made == 0
    with pytest.raises(InvalidSync, match="a row goes once"):
        resend("sync_notebook__append", project_dir=project)


def add(project: Path, prefix: str, count: int) -> None:
    """Customers with a yes to marketing by e-mail."""
    for number in range(1, count + 1):
        key = f"{prefix}{number}"
        execute(
            project,
            f"insert into standin.customers values ('{key}', '{key}@example.com', 'Ana', 'Ruiz',"
            f" '+34622222{number:03}', 'Madrid', 'ES')",
            f"insert into standin.segment_members values ('champions', '{key}')",
            f"insert into standin.customer_consents values"
            f" ('{key}', 'marketing', 'email', true, false)",
        )


def test_of_several_purposes_all_must_be_granted(project: Path) -> None:
    def say(key: str, is_granted: bool) -> None:
        execute(
            project,
            f"delete from standin.customer_consents"
            f" where customer_id = '{key}' and purpose = 'profiling'",
            f"insert into standin.customer_consents"
            f" values ('{key}', 'profiling', 'email', {is_granted}, {not is_granted})",
        )

    add(project, "p", 3)
    say("p1", True)
    say("p2", True)
    say("p3", False)
    build(project)
    assert run(project, BOTH)[1] == {"p1": ("upsert", "new"), "p2": ("upsert", "new")}
    say("p2", False)
    build(project)
    assert run(project, BOTH)[1] == {"p2": ("remove", "consent")}
    # The plan, held against the decisions without the macros: a forged row is found.
    checked = dbt(["test", "--select", "assert_planned_upserts_are_permitted"], project_dir=project)
    assert checked.success, checked.statuses
    execute(
        project,
        "update activation.sync_plan set action = 'upsert', row_key = 'p3', customer_id = 'p3'"
        f" where sync_name = 'sync_notebook__{BOTH}' and row_key = 'p2'",
    )
    checked = dbt(["test", "--select", "assert_planned_upserts_are_permitted"], project_dir=project)
    assert not checked.success
