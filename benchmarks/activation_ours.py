"""Our side of the comparison: prepares a small dbt project, and runs its sync in a process.

    python -m benchmarks.activation_ours prepare FOLDER ROWS
    python -m benchmarks.activation_ours leave FOLDER ROWS_THAT_STAY
    python -m benchmarks.activation_ours rows FOLDER URL ROWS_PER_REQUEST
    python -m benchmarks.activation_ours hubspot FOLDER [MAX_REMOVED_ROWS]

Each writes ``told.json`` into the folder. ``rows`` posts lists of rows, or single ones, through
the engine and its HTTP client; ``hubspot`` uses the destination of that name, with its guard
of removals overridden by a number.
"""

import json
import resource
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

from orchestration.destinations.base import Destination, Limits, Outcome, Refused, Row
from orchestration.sync.http import BearerToken, HttpClient
from orchestration.sync.run import run_sync
from orchestration.sync.switchboard import finish
from orchestration.warehouse import Warehouse, dbt
from tests.fixtures.activation_project import make_project, stand_in_statements

SYNC = "sync_hubspot__contacts"
CONNECTIONS = 8
# As wide as makes no difference: drt's pacing is off, too.
_WIDE = ((1_000_000, 1.0),)


class Rows(Destination):
    """Takes rows as a JSON list, or one by one as objects."""

    name = "rows"
    has_coroutines = True
    limits: Limits
    supported: ClassVar = frozenset({("contacts", "audience")})

    def __init__(self, url: str, batch_rows: int) -> None:
        self.limits = Limits(batch_rows, _WIDE, CONNECTIONS)
        self._http = HttpClient(url, BearerToken("benchmark"), self.limits)

    @classmethod
    def from_environment(cls, spec: Any) -> "Rows":
        raise NotImplementedError

    @property
    def calls(self) -> int:
        return self._http.calls

    async def send(self, rows: Sequence[Row]) -> list[Outcome]:
        values = [row.values for row in rows]
        payload = values if self.limits.batch_rows > 1 else values[0]
        reply = await self._http.call("POST", "/rows", payload)
        if reply.status != 200:
            raise Refused(f"HTTP_{reply.status}")
        return [Outcome.delivered(row.key) for row in rows]

    def upsert(self, rows: Sequence[Row]) -> list[Outcome]:
        return finish(self.send(rows))

    def remove(self, rows: Sequence[Row]) -> list[Outcome]:
        raise NotImplementedError


def prepare(folder: Path, rows: int) -> dict[str, Any]:
    """Make the project with that many people in the segment, and build it."""
    project = make_project(folder)
    key = "'c' || lpad(cast(i as varchar), 7, '0')"
    people = f"from range(1, {rows + 1}) as numbers(i)"
    execute(
        folder,
        *stand_in_statements(),
        f"insert into standin.customers select {key}, {key} || '@example.com', 'Ana', 'Ruiz',"
        f" '+346' || lpad(cast(i as varchar), 8, '0'), 'Madrid', 'ES' {people}",
        f"insert into standin.segment_members select 'champions', {key} {people}",
        f"insert into standin.customer_consents"
        f" select {key}, 'marketing', 'email', true, false {people}",
        f"insert into standin.rfm_scores select {key}, 'champions' {people}",
        f"insert into standin.customer_lifetime_value select {key}, 120.49 {people}",
    )
    return build(project)


def execute(folder: Path, *statements: str) -> None:
    """Statements on the project's warehouse."""
    with Warehouse.open(project_dir=folder) as warehouse:
        for statement in statements:
            warehouse.execute(statement)


def build(folder: Path) -> dict[str, Any]:
    """The model and the plan; the models' own seconds, without dbt's start-up."""
    outcome = dbt(["run"], project_dir=folder)
    if not outcome.success:
        raise SystemExit(f"dbt failed: {outcome.exception or dict(outcome.statuses)}")
    return {"seconds": sum(result.execution_time for result in outcome.result)}


def leave(folder: Path, stay: int) -> dict[str, Any]:
    """All but the first members leave the segment."""
    execute(
        folder,
        f"delete from standin.segment_members"
        f" where customer_id > 'c' || lpad(cast({stay} as varchar), 7, '0')",
    )
    return build(folder)


def send(folder: Path, destination: Destination | None, max_removed: int | None) -> dict[str, Any]:
    """One run. dbt's adapter is loaded before the clock starts: that is start-up."""
    with Warehouse.open(project_dir=folder):
        pass
    started, cpu = time.time(), time.process_time()
    run = run_sync(
        SYNC,
        project_dir=folder,
        destination=destination,
        overrides={"max_removed_rows": max_removed} if max_removed else None,
    )
    return {
        "started_at": started,
        "seconds": time.time() - started,
        "cpu_seconds": time.process_time() - cpu,
        "delivered": run.rows_delivered,
        "removed": run.rows_removed,
        "rejected": run.rows_rejected,
        "status": run.status,
        "held_by": run.held_by,
        "state": _state(folder),
    }


def _state(folder: Path) -> str:
    """The words of the state tables, to look for e-mails in; of small ledgers only."""
    with Warehouse.open(project_dir=folder) as warehouse:
        [size] = warehouse.fetch("select count(*) as n from state.sync_ledger")
        if size["n"] > 10_000:
            return ""
        tables = ("sync_ledger", "sync_runs")
        return str([warehouse.fetch(f"select * from state.{name}") for name in tables])


def main(verb: str, folder: Path, *words: str) -> None:
    """Do it and tell."""
    verbs: dict[str, Callable[[], dict[str, Any]]] = {
        "prepare": lambda: prepare(folder, int(words[0])),
        "leave": lambda: leave(folder, int(words[0])),
        "rows": lambda: send(folder, Rows(words[0], int(words[1])), None),
        "hubspot": lambda: send(folder, None, int(words[0]) if words else None),
    }
    told = verbs[verb]()
    told["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    (folder / "told.json").write_text(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:])
