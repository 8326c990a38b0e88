"""An endpoint that works on batches as jobs, and its destination: what is handed over is done
later, perhaps in part, perhaps never.

A job takes effect when it ends, ``polls`` questions after it was handed over. ``endings`` says
how the next jobs end; without a word they end well.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from orchestration.destinations.base import Destination, Job, Limits, Outcome, Row, Unanswered
from orchestration.sync.http import BearerToken, HttpClient, Policy
from orchestration.sync.spec import SyncSpec
from tests.fakes.server import Answer, ApiError, FakeServer, Request

LIMITS = Limits(batch_rows=50, rates=((1000, 1),))


@dataclass
class Work:
    """A job over there. ``ending``: done, failed, cancelled, forgotten, stuck."""

    action: str
    rows: list[dict[str, Any]]
    ending: str
    asked: int = 0
    results: dict[str, str] = field(default_factory=dict)
    state: str = "running"


class JobDesk(FakeServer):
    """``records`` maps keys to what is held of them."""

    def __init__(self, polls: int = 1) -> None:
        super().__init__()
        self.token = "fake-token"
        self.polls = polls
        self.endings: deque[str] = deque()
        self.poison: set[str] = set()
        """Keys that a job refuses one by one."""
        self.records: dict[str, dict[str, str]] = {}
        self.jobs: dict[str, Work] = {}

    def answer(self, request: Request) -> Answer:
        if request.headers.get("authorization") != f"Bearer {self.token}":
            raise ApiError(401, {"code": "UNAUTHORISED"})
        if request.method == "POST" and request.path == "/jobs":
            return self._take(request.json)
        if request.method == "GET" and request.path.startswith("/jobs/"):
            return self._tell(request.path.removeprefix("/jobs/"))
        self.contract_violations.append("no such resource")
        raise ApiError(404, {"code": "NOT_FOUND"})

    def keys(self, request: Request) -> tuple[str, ...]:
        rows = (request.json or {}).get("rows", [])
        return tuple(row["key"] for row in rows)

    def running(self) -> set[str]:
        """Keys of jobs that have not ended."""
        working = [work for work in self.jobs.values() if work.state == "running"]
        return {row["key"] for work in working for row in work.rows}

    def _take(self, payload: dict[str, Any]) -> Answer:
        if not 0 < len(payload["rows"]) <= LIMITS.batch_rows:
            self.contract_violations.append("too many rows")
        if self.running() & {row["key"] for row in payload["rows"]}:
            self.contract_violations.append("a row of a job that is still running")
        ending = self.endings.popleft() if self.endings else "done"
        job_id = f"J{len(self.jobs) + 1}"
        self.jobs[job_id] = Work(payload["action"], payload["rows"], ending)
        return Answer(201, {"job": job_id})

    def _tell(self, job_id: str) -> Answer:
        work = self.jobs[job_id]
        work.asked += 1
        if work.state == "running" and work.asked > self.polls and work.ending != "stuck":
            self.end(work)
        if work.state == "forgotten":
            raise ApiError(404, {"code": "NOT_FOUND"})
        return Answer(200, {"state": work.state, "results": work.results})

    def end(self, work: Work) -> None:
        """A job comes to its end."""
        work.state = work.ending
        done = {"done": 1.0, "failed": 0.5, "forgotten": 0.5, "cancelled": 0.0}[work.ending]
        for row in work.rows[: round(len(work.rows) * done)]:
            if row["key"] in self.poison:
                work.results[row["key"]] = "ROW_REFUSED"
            elif work.action == "remove":
                self.records.pop(row["key"], None)
                work.results[row["key"]] = "OK"
            else:
                given = {name: value for name, value in row["values"].items() if value is not None}
                self.records[row["key"]] = given
                work.results[row["key"]] = "OK"


class DeskClient(Destination):
    """The destination of a ``JobDesk``. A row with the e-mail ``bad`` is not handed over."""

    name = "job_desk"
    limits: ClassVar[Limits] = LIMITS
    supported = frozenset({("contacts", mode) for mode in ("upsert", "mirror", "audience")})
    poll_seconds: ClassVar[float] = 0.01

    def __init__(self, url: str, token: str = "fake-token", policy: Policy | None = None) -> None:
        self._http = HttpClient(url, BearerToken(token), LIMITS, policy)

    @classmethod
    def from_environment(cls, spec: SyncSpec) -> "DeskClient":
        raise LookupError("made by hand")

    @property
    def calls(self) -> int:
        return self._http.calls

    def upsert(self, rows: Sequence[Row]) -> Job:
        bad = [row for row in rows if row.values["email"] == "bad"]
        refused = tuple(Outcome.rejected(row.key, "INVALID_EMAIL") for row in bad)
        good = [row for row in rows if row.values["email"] != "bad"]
        return Job(self._submit("upsert", good) if good else "NONE", refused)

    def remove(self, rows: Sequence[Row]) -> Job:
        return Job(self._submit("remove", rows))

    def poll(self, job_id: str, rows: Sequence[Row]) -> list[Outcome] | None:
        reply = self._http.request("GET", f"/jobs/{job_id}")
        if reply.status == 404:
            return [Outcome.unknown(row.key, "JOB_FORGOTTEN") for row in rows]
        state, results = reply.body["state"], reply.body["results"]
        if state == "running":
            return None
        return [self._outcome(row, results.get(row.key), state) for row in rows]

    def _submit(self, action: str, rows: Sequence[Row]) -> str:
        sent = [{"key": row.key, "values": dict(row.values)} for row in rows]
        payload = {"action": action, "rows": sent}
        # Not repeatable: a second job could be under way with the rows of the first.
        reply = self._http.request("POST", "/jobs", payload, repeatable=False)
        if reply.status != 201:
            raise Unanswered(f"HTTP_{reply.status}")
        return reply.body["job"]

    def _outcome(self, row: Row, result: str | None, state: str) -> Outcome:
        if result == "OK":
            return Outcome.delivered(row.key)
        if result:
            return Outcome.rejected(row.key, result)
        return Outcome.unknown(row.key, f"JOB_{state.upper()}")
