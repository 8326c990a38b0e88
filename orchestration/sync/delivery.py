"""Sends batches: the intent is committed before a call, the outcome after it.

A batch refused as a whole is halved until the poison row is alone. What cannot be settled is
unknown, and the next run settles it: every call here may be repeated.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from orchestration.destinations.base import (
    Destination,
    Outcome,
    Refused,
    Row,
    Stopped,
    Unanswered,
)
from orchestration.sync.ledger import Ledger

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Patience:
    """When to stop."""

    run_deadline: float = 3600.0
    """Seconds. On DuckDB the run holds the file, so it must end."""
    barren_batches: int = 3
    """Batches in a row of which nothing arrived: the endpoint is down, or we are wrong."""
    calls_per_refused_batch: int = 60
    """Enough for four poison rows of a hundred (2 * log2(100) calls each)."""


@dataclass
class Delivery:
    """Counts of a run. ``sent`` = delivered + removed + rejected + unknown."""

    sent: int = 0
    delivered: int = 0
    removed: int = 0
    rejected: int = 0
    unknown: int = 0
    stopped_by: str | None = None
    rejections: Counter[str] = field(default_factory=Counter)
    """Error codes of refused rows."""

    def count(self, rows: Sequence[Row], outcomes: dict[str, Outcome]) -> None:
        self.sent += len(rows)
        for row in rows:
            outcome = outcomes[row.key]
            if outcome.status == "delivered":
                self.removed += row.action == "remove"
                self.delivered += row.action == "upsert"
            elif outcome.status == "rejected":
                self.rejected += 1
                self.rejections[outcome.error_code or ""] += 1
            else:
                self.unknown += 1


def deliver(
    batches: Iterable[list[Row]],
    destination: Destination,
    ledger: Ledger,
    patience: Patience,
    delivery: Delivery,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Send batches until there are no more or something says stop, counting into
    ``delivery``, which is right even when an exception of the ledger ends the run."""
    deadline = clock() + patience.run_deadline
    barren = 0
    for rows in batches:
        if clock() >= deadline:
            delivery.stopped_by = "RUN_DEADLINE"
            return
        ledger.record_intents(rows)
        outcomes, stopped = _attempt(rows, destination, patience.calls_per_refused_batch)
        ledger.record_outcomes(rows, outcomes)
        delivery.count(rows, outcomes)
        if stopped:
            delivery.stopped_by = stopped.code
            return
        arrived = any(outcome.status == "delivered" for outcome in outcomes.values())
        barren = 0 if arrived else barren + 1
        if barren == patience.barren_batches:
            delivery.stopped_by = "NOTHING_ARRIVES"
            return


def _attempt(
    rows: Sequence[Row], destination: Destination, calls: int
) -> tuple[dict[str, Outcome], Stopped | None]:
    """One outcome per row, and what stopped the attempt, if anything."""
    outcomes: dict[str, Outcome] = {}
    parts = [list(rows)]
    while parts:
        part = parts.pop()
        calls -= 1
        try:
            if calls < 0:
                raise Unanswered("HALVING_GIVEN_UP")
            given = _call(part, destination)
        except Refused as refused:
            if len(part) > 1:
                middle = len(part) // 2
                parts += [part[middle:], part[:middle]]
                continue
            given = [Outcome.rejected(row.key, refused.code) for row in part]
        except Unanswered as unanswered:
            given = [Outcome.unknown(row.key, unanswered.code) for row in part]
        except Stopped as stopped:
            logger.error("stopped: %s", stopped.code)
            for row in rows:
                unknown = Outcome.unknown(row.key, stopped.code, stopped.error_class)
                outcomes.setdefault(row.key, unknown)
            return outcomes, stopped
        outcomes.update({outcome.key: outcome for outcome in given})
    return outcomes, None


def _call(rows: list[Row], destination: Destination) -> list[Outcome]:
    act = destination.remove if rows[0].action == "remove" else destination.upsert
    given = {outcome.key: outcome for outcome in act(rows)}
    # A row the endpoint does not mention is not delivered.
    return [given.get(row.key) or Outcome.unknown(row.key, "NO_WORD") for row in rows]
