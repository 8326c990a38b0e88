"""Rows for the tests of destinations, and what becomes of them."""

from collections.abc import Sequence
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from orchestration.destinations.base import Destination, Job, Outcome, Refused, Row

# Quotes, a NUL, an emoji, a right-to-left mark, what spreadsheets and templates run, 10 KB.
WILD_TEXTS = st.one_of(
    st.text(max_size=40),
    st.sampled_from(["'; drop table x; --", '"', "\x00", "👩‍👩‍👧", "\u202eabc", "=1+1"]),
    st.sampled_from(["{{x}}", "${x}", "é" * 5000, " ", ""]),
)

# The fake's state is none of the examples' business.
FORTY_EXAMPLES = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def wild_rows(columns: list[str]) -> st.SearchStrategy[list[Row]]:
    """A few rows with anything in their columns."""
    values = st.fixed_dictionaries({name: st.none() | WILD_TEXTS for name in columns})
    return st.lists(values, min_size=1, max_size=5).map(
        lambda rows: [Row(f"k{n}", "upsert", "new", row) for n, row in enumerate(rows)]
    )


def leaver(key: str, reason: str = "left", remote_id: str | None = None, **more: Any) -> Row:
    return Row(key, "remove", reason, {}, remote_id, **more)


def settle(
    destination: Destination, answer: list[Outcome] | Job, rows: list[Row]
) -> dict[str, Outcome]:
    """Outcomes by key, a job's after as many questions as it takes, asked as a later run does:
    with rows that have no values."""
    if isinstance(answer, list):
        return _once(answer)
    known = _once(answer.settled)
    asked = [Row(row.key, row.action, row.reason) for row in rows if row.key not in known]
    for _ in range(10):
        if (outcomes := destination.poll(answer.job_id, asked)) is not None:
            return _once([*known.values(), *outcomes])
    raise AssertionError("the job never ends")


def deliver(destination: Destination, rows: list[Row]) -> dict[str, Outcome]:
    act = destination.remove if rows[0].action == "remove" else destination.upsert
    return settle(destination, act(rows), rows)


def statuses(outcomes: dict[str, Outcome]) -> dict[str, tuple[str, str | None]]:
    return {key: (outcome.status, outcome.error_code) for key, outcome in outcomes.items()}


def halved(destination: Destination, rows: list[Row]) -> list[Outcome]:
    """Outcomes of an upsert, halving a refused batch as the engine does."""
    try:
        return destination.upsert(rows)
    except Refused as refused:
        if len(rows) == 1:
            return [Outcome.rejected(rows[0].key, refused.code)]
    middle = len(rows) // 2
    return halved(destination, rows[:middle]) + halved(destination, rows[middle:])


def by_key(outcomes: list[Outcome]) -> dict[str, tuple[str, str | None]]:
    """Status and code by row key."""
    return statuses(_once(outcomes))


def _once(outcomes: Sequence[Outcome]) -> dict[str, Outcome]:
    found = {outcome.key: outcome for outcome in outcomes}
    assert len(found) == len(outcomes), "one outcome per row"
    return found
