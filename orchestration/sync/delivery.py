"""How long a run goes on, and what it came to so far."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from orchestration.destinations.base import Outcome, Row


@dataclass(frozen=True)
class Patience:
    """When to stop. Seconds."""

    run_deadline: float = 3600.0
    """On DuckDB the run holds the file, so it must end."""
    job_deadline: float = 600.0
    """Waiting for jobs after the last batch; they are asked again by the next run. A job that
    is not worth asking about before then (``Destination.poll_seconds``) is not waited for."""
    barren_batches: int = 3
    """Batches in a row of which nothing arrived: the endpoint is down, or we are wrong."""
    barren_rows: int = 30
    """Rows in them, where all were refused one by one: an endpoint that takes one row per call
    may begin with three bad ones."""
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
    in_jobs: int = 0
    """Unknown rows that the endpoint has taken and works on."""
    underway: int = 0
    """Rows that were left out, as an older job may still write them."""
    in_doubt: int = 0
    """Rows that were left out, as nobody knows whether an older call made them and another could
    make them twice: a person looks (``cdp settle``)."""
    resumed: int = 0
    """Rows of earlier runs' jobs that have been settled; not among the sent."""
    resumed_rejected: int = 0
    """Of them, those that were refused. What is in doubt is sent again by this run."""
    stopped_by: str | None = None
    rejections: Counter[str] = field(default_factory=Counter)
    """Error codes of refused rows, of earlier runs' jobs too."""
    on_progress: Callable[[int], None] = lambda rows: None
    """Told how many rows have been settled since it was told last."""

    def count(self, row: Row, outcome: Outcome) -> None:
        """A row by what became of it."""
        if outcome.status == "unsent":
            return
        self.sent += 1
        if outcome.status == "delivered":
            self.removed += row.action == "remove"
            self.delivered += row.action == "upsert"
        elif outcome.status == "rejected":
            self.rejected += 1
            self.rejections[outcome.error_code or ""] += 1
        else:
            self.unknown += 1

    def count_resumed(self, outcomes: Iterable[Outcome]) -> None:
        """Rows of a job that an earlier run handed over."""
        for outcome in outcomes:
            self.resumed += 1
            if outcome.status == "rejected":
                self.resumed_rejected += 1
                self.rejections[outcome.error_code or ""] += 1
