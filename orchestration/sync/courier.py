"""Sends batches: the intent is committed before a call, the outcome after it.

One thread owns the warehouse and writes the ledger. Others call the endpoint, one for each of
``limits.connections``, or one for all of them (switchboard.py). What is sent in a second waits
between the two, so that a commit is worth its price and a slow call holds nobody up. Batches of
one phase are under way together; a phase begins when the one before has been answered, so who
leaves has left before anyone is written.

A batch refused as a whole is halved until the poison row is alone. What cannot be settled is
unknown, and the next run settles it: every call here may be repeated, except events an endpoint
would keep twice.
"""

import logging
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import groupby, islice
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event

from orchestration.destinations.base import (
    CallError,
    Destination,
    Job,
    Matched,
    Outcome,
    Outcomes,
    Refused,
    Row,
    Stopped,
    Unanswered,
)
from orchestration.sync.delivery import Delivery, Patience
from orchestration.sync.ledger import Ledger, OpenJob
from orchestration.sync.switchboard import Switchboard, Threads

logger = logging.getLogger(__name__)

# Rows are written down ahead of their calls, as many as are sent in this many seconds: a commit
# takes 15 to 30 ms on DuckDB, and with rows sent one by one eight connections would wait for it.
_AHEAD = 1.0
# Of which so many, before the pace is known, and at most. A killed process leaves them in doubt.
_FIRST_ROWS, _MOST_ROWS = 1000, 5000
# Seconds for which answers are gathered into one commit, for the same reason.
_GATHERING = 0.1
_SIGN_OF_LIFE = 300.0
# Seconds since the last commit, after which nothing is sent: shorter than the silence for which
# another run takes over (lease.py). A process that was stopped wakes up with batches in hand.
_TOO_LATE = 600.0


@dataclass
class _Attempt:
    """What one batch, or one question about a job, came to. ``was_called``: the endpoint was
    asked, whatever it said."""

    rows: list[Row]
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    jobs: list[OpenJob] = field(default_factory=list)
    matched: list[Matched] = field(default_factory=list)
    stopped: Stopped | None = None
    was_called: bool = True

    @property
    def settled(self) -> list[Row]:
        return [row for row in self.rows if row.key in self.outcomes]

    @property
    def arrived(self) -> bool:
        delivered = (outcome.status == "delivered" for outcome in self.outcomes.values())
        return bool(self.jobs) or any(delivered)


class Courier:
    """Carries the batches of one run. ``permitted`` gives those of some keys that may still be
    written; None where nobody else can change that meanwhile. ``is_once``: rows that must not be
    sent again once a call may have acted on them. ``clock`` counts seconds."""

    def __init__(
        self,
        destination: Destination,
        ledger: Ledger,
        patience: Patience,
        delivery: Delivery,
        permitted: Callable[[list[str]], set[str]] | None = None,
        is_once: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._destination = destination
        self._ledger = ledger
        self._patience = patience
        self._delivery = delivery
        self._permitted = permitted
        self._is_once = is_once
        self._clock = clock
        self._deadline = clock() + patience.run_deadline
        self._committed = clock()
        self._barren = self._barren_rows = 0
        self._is_proven = False
        self._rows_ahead = _FIRST_ROWS
        self._paced_rows, self._paced_since = 0, clock()
        self._halt = Event()
        self._jobs: dict[str, OpenJob] = {}

    def resume(self, jobs: Iterable[OpenJob]) -> set[str]:
        """Ask how jobs of earlier runs went; the keys of rows that are still under way, which
        must not be sent: the older job could be done after the newer call."""
        waiting = {job.job_id: job for job in jobs}
        for job, attempt in self._asked(list(waiting.values())):
            self._ledger.record_outcomes(attempt.settled, attempt.outcomes, attempt.matched)
            self._ledger.settle_job(job.job_id)
            self._delivery.count_resumed(attempt.outcomes.values())
            del waiting[job.job_id]
        return {row.key for job in waiting.values() for row in job.rows}

    def deliver(self, batches: Iterable[list[Row]]) -> None:
        """Send batches until there are no more or something says stop, counting into the
        ``Delivery``, which is right even when an exception of the ledger ends the run."""
        desk = Switchboard if self._destination.has_coroutines else Threads
        ended: SimpleQueue[_Attempt | BaseException] = SimpleQueue()
        with desk(self._destination.limits.connections, ended.put) as calls:
            try:
                for _, phase in groupby(batches, key=_phase):
                    self._carry(phase, calls, ended)
                    if self._halt.is_set():
                        break
            finally:
                self._halt.set()
        self._wait_for_jobs()

    # -- one phase

    def _carry(
        self,
        batches: Iterator[list[Row]],
        calls: Switchboard | Threads,
        ended: SimpleQueue[_Attempt | BaseException],
    ) -> None:
        underway = 0
        is_last = False
        while True:
            is_last = is_last or self._must_end()
            if not is_last and underway <= self._room // 2:
                fresh, is_last = self._draw(batches, self._room - underway)
                calls.begin(self._attempt(rows) for rows in fresh)
                underway += len(fresh)
            if not underway and is_last:
                return
            if not underway:  # nothing of what was drawn may still be written
                continue
            needed = underway - self._room // 2 if not is_last else underway
            done = _gathered(ended, max(1, needed))
            underway -= len(done)
            self._settle(done)

    @property
    def _room(self) -> int:
        """Batches whose intents are committed and which are not answered: one, until one has
        arrived and while they don't, so that a wrong token costs one call."""
        limits = self._destination.limits
        if self._barren or not self._is_proven:
            return 1
        if self._is_once:
            # None waits: of what a killed process had written down nobody knows what was sent.
            return limits.connections
        return limits.connections + -(-self._rows_ahead // limits.batch_rows)

    def _draw(self, batches: Iterator[list[Row]], room: int) -> tuple[list[list[Row]], bool]:
        """The next batches, their intents committed; and whether there are no more."""
        drawn = list(islice(batches, room))
        fresh = self._allowed(drawn)
        rows = [row for batch in fresh for row in batch]
        upserts = (row for row in rows if row.action == "upsert")
        given = {row.key: self._destination.identifiers(row) for row in upserts}
        self._ledger.record_intents(rows, {key: ids for key, ids in given.items() if ids})
        self._committed = self._clock()
        return fresh, len(drawn) < room

    def _allowed(self, batches: list[list[Row]]) -> list[list[Row]]:
        """What may still be written, asked once for all. Removals may."""
        if self._permitted is None or not batches or batches[0][0].action == "remove":
            return batches
        allowed = self._permitted([row.key for rows in batches for row in rows])
        kept = ([row for row in rows if row.key in allowed] for rows in batches)
        return [rows for rows in kept if rows]

    def _must_end(self) -> bool:
        if self._clock() >= self._deadline and not self._halt.is_set():
            self._stop("RUN_DEADLINE")
        return self._halt.is_set()

    def _may_send(self) -> bool:
        return not self._halt.is_set() and self._clock() - self._committed < _TOO_LATE

    def _stop(self, code: str) -> None:
        self._delivery.stopped_by = self._delivery.stopped_by or code
        self._halt.set()

    def _settle(self, attempts: Sequence[_Attempt]) -> None:
        """Write what became of batches, all in one commit, count it and draw conclusions."""
        self._keep_pace(sum(len(attempt.rows) for attempt in attempts))
        jobs = [job for attempt in attempts for job in attempt.jobs]
        settled = [row for attempt in attempts for row in attempt.settled]
        outcomes = {key: given for attempt in attempts for key, given in attempt.outcomes.items()}
        matched = [said for attempt in attempts for said in attempt.matched]
        self._ledger.record_outcomes(settled, outcomes, matched, jobs)
        self._committed = self._clock()
        self._jobs |= {job.job_id: job for job in jobs}
        for row in settled:
            self._delivery.count(row, outcomes[row.key])
        self._delivery.on_progress(len(settled))
        for attempt in attempts:
            self._judge(attempt)

    def _keep_pace(self, rows: int) -> None:
        """Count rows that have ended, and learn once in a while how many are sent in a second. A
        batch that went alone says nothing of that."""
        now = self._clock()
        seconds = now - self._paced_since
        if self._is_proven:
            self._paced_rows += rows
            if seconds < _AHEAD:
                return
            pace = self._paced_rows / seconds
            self._rows_ahead = min(_MOST_ROWS, int(pace * _AHEAD) + 1)
        self._paced_rows, self._paced_since = 0, now

    def _judge(self, attempt: _Attempt) -> None:
        if not attempt.was_called:
            return
        if attempt.stopped:
            logger.error("stopped: %s", attempt.stopped.code)
            self._stop(attempt.stopped.code)
        self._is_proven = self._is_proven or attempt.arrived
        if attempt.arrived:
            self._barren = self._barren_rows = 0
            return
        self._barren += 1
        answers = [outcome.status == "rejected" for outcome in attempt.outcomes.values()]
        # A row without an answer weighs as much as it takes.
        self._barren_rows += len(answers) if all(answers) else self._patience.barren_rows
        if (
            self._barren >= self._patience.barren_batches
            and self._barren_rows >= self._patience.barren_rows
        ):
            self._stop("NOTHING_ARRIVES")

    # -- one batch, beside the others

    async def _attempt(self, rows: list[Row]) -> _Attempt:
        """Send a batch, halving what is refused as a whole."""
        attempt = _Attempt(rows, was_called=False)
        calls = self._patience.calls_per_refused_batch
        # Each with the actions whose records the endpoint has counted in a larger part.
        parts: list[tuple[list[Row], frozenset[str]]] = [(rows, frozenset())]
        while parts and not attempt.stopped and self._may_send():
            part, counted = parts.pop()
            calls -= 1
            matched: Sequence[Matched] = ()
            try:
                if calls < 0:
                    raise Unanswered("HALVING_GIVEN_UP")
                attempt.was_called = True
                matched = await self._call(part, attempt)
            except Refused as refused:
                matched = refused.matched
                if len(part) > 1:
                    middle = len(part) // 2
                    known = counted | {said.action for said in matched}
                    parts += [(part[middle:], known), (part[:middle], known)]
                else:
                    attempt.outcomes[part[0].key] = Outcome.rejected(part[0].key, refused.code)
            except Unanswered as unanswered:
                self._leave_open(part, attempt, unanswered, "transient")
            except Stopped as stopped:
                self._stop_after(part, attempt, stopped)
            except Exception as error:  # a mistake of ours: other batches keep their outcomes
                self._stop_after(part, attempt, _fault(error))
            attempt.matched += [said for said in matched if said.action not in counted]
        for row in (row for part, _ in parts for row in part):
            attempt.outcomes[row.key] = Outcome(row.key, "unsent")
        return attempt

    def _stop_after(self, rows: list[Row], attempt: _Attempt, stopped: Stopped) -> None:
        """At once, for the other threads, too: of a dead token a run makes one call for each."""
        attempt.stopped = stopped
        self._halt.set()
        self._leave_open(rows, attempt, stopped, stopped.error_class)

    def _leave_open(
        self, rows: list[Row], attempt: _Attempt, error: CallError, error_class: str
    ) -> None:
        """Rows of a call without an end. What must not be sent twice and cannot have arrived was
        not sent; for all others it is safer to take them for held until a call says so."""
        for row in rows:
            if self._is_once and not error.may_have_acted:
                attempt.outcomes[row.key] = Outcome(row.key, "unsent")
            else:
                attempt.outcomes[row.key] = Outcome.unknown(row.key, error.code, error_class)

    async def _call(self, rows: list[Row], attempt: _Attempt) -> list[Matched]:
        answer = await self._destination.send(rows)
        given = answer.settled if isinstance(answer, Job) else answer
        attempt.outcomes |= {outcome.key: outcome for outcome in given}
        open_rows = [row for row in rows if row.key not in attempt.outcomes]
        if isinstance(answer, Job) and open_rows:
            attempt.jobs.append(OpenJob(answer.job_id, open_rows))
            return []
        # A row the endpoint does not mention is not delivered.
        attempt.outcomes |= {row.key: Outcome.unknown(row.key, "NO_WORD") for row in open_rows}
        return _matched(answer)

    # -- jobs

    def _wait_for_jobs(self) -> None:
        """Until all are done or patience ends. A stopped run asks once and leaves."""
        until = min(self._deadline, self._clock() + self._patience.job_deadline)
        heard = self._clock()
        while self._jobs:
            for job, attempt in self._asked(list(self._jobs.values())):
                self._settle([attempt])
                self._ledger.settle_job(job.job_id)
                del self._jobs[job.job_id]
            pause = self._destination.poll_seconds
            is_stopped = self._delivery.stopped_by is not None
            if not self._jobs or is_stopped or self._clock() + pause > until:
                break
            if self._clock() - heard >= _SIGN_OF_LIFE:
                heard = self._clock()
                self._ledger.job_goes_on(next(iter(self._jobs)))
            time.sleep(pause)
        open_rows = sum(len(job.rows) for job in self._jobs.values())
        self._delivery.sent += open_rows
        self._delivery.unknown += open_rows
        self._delivery.in_jobs += open_rows

    def _asked(self, jobs: list[OpenJob]) -> Iterator[tuple[OpenJob, _Attempt]]:
        """The jobs that are done, each with its outcomes. No answer is no news, for as long as
        a job may take."""
        patience = timedelta(hours=self._destination.job_hours)
        for job in jobs:
            try:
                answer = self._destination.poll(job.job_id, job.rows) if job.rows else []
            except CallError as error:
                logger.warning("a job could not be asked about: %s", error.code)
                answer = None
            except Exception as error:
                self._stop(_fault(error).code)
                answer = None
            if answer is None and job.age > patience:
                answer = [Outcome.unknown(row.key, "JOB_LOST") for row in job.rows]
            if answer is None:
                continue
            given = {outcome.key: outcome for outcome in answer}
            outcomes = {
                row.key: given.get(row.key) or Outcome.unknown(row.key, "NO_WORD")
                for row in job.rows
            }
            yield job, _Attempt(job.rows, outcomes, matched=_matched(answer))


def _fault(error: Exception) -> Stopped:
    """Something that no endpoint answers. Its text could have values in it: the place will do."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(frame.filename).name}:{frame.lineno}"
    logger.error("the destination failed: %s at %s", type(error).__name__, place)
    return Stopped("DESTINATION_FAULT")


def _matched(answer: object) -> list[Matched]:
    return list(answer.matched) if isinstance(answer, Outcomes) else []


def _gathered(ended: SimpleQueue[_Attempt | BaseException], needed: int) -> list[_Attempt]:
    """The first to end and what ends soon after it, until there are as many as are needed to
    go on."""
    ends = [ended.get()]
    until = time.monotonic() + _GATHERING
    with suppress(Empty):
        while len(ends) < needed:
            ends.append(ended.get(timeout=max(0.0, until - time.monotonic())))
    for end in ends:
        if isinstance(end, BaseException):
            raise end
    return ends


def _phase(rows: list[Row]) -> tuple[str, bool, bool]:
    """Of a batch, which is of one phase of the plan (plan.PHASES)."""
    first = rows[0]
    if first.action == "remove":
        return first.action, first.reason == "erasure", first.reason in ("left", "listed")
    return first.action, first.remote_id is not None, True
