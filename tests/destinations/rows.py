"""Rows for the tests of destinations."""

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from orchestration.destinations.base import Destination, Outcome, Refused, Row

# Quotes, a NUL, an emoji, a right-to-left mark, what spreadsheets and templates run, 10 KB.
WILD_TEXTS = st.one_of(
    st.text(max_size=40),
    st.sampled_from(["'; drop table x; --", '"', "\x00", "👩‍👩‍👧", "\u202eabc", "=1+1", "{{x}}"]),
    st.sampled_from(["é" * 5000, " ", ""]),
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


def leaver(key: str, remote_id: str | None = None, reason: str = "left", **more: Any) -> Row:
    return Row(key, "remove", reason, {}, remote_id, **more)


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
    assert len({outcome.key for outcome in outcomes}) == len(outcomes), "one outcome per row"
    return {outcome.key: (outcome.status, outcome.error_code) for outcome in outcomes}
