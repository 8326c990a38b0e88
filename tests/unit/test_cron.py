"""What is taken for the times of a sync, and that Dagster takes it, too."""

import pytest
from dagster._utils.schedules import is_valid_cron_string
from hypothesis import given
from hypothesis import strategies as st

from orchestration.sync.cron import check_cron

NUMBERS = st.integers(0, 62).map(str) | st.sampled_from(
    ["*", "jan", "Dec", "mon", "SUN", "x", "-1"]
)
RANGES = st.builds("{}-{}".format, NUMBERS, NUMBERS)
PARTS = st.builds("{}{}".format, NUMBERS | RANGES, st.sampled_from(["", "", "/2", "/70", "/0"]))
FIELDS = st.lists(PARTS, min_size=1, max_size=2).map(",".join)


@pytest.mark.parametrize(
    "text",
    [
        "30 */6 * * *",
        "0 4 * * MON-fri",
        "0,30 8-18/2 1,15 jan-mar *",
        "5/15 * * * 7",
        "0 22 * * fri-mon",
        "0 0 29 2 *",
        "0 0 31 2-3 *",
        "@daily",
    ],
)
def test_plain_cron_is_taken(text: str) -> None:
    assert check_cron(text) == text
    assert is_valid_cron_string(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "five fields"),
        ("0 4 * *", "minute, hour, day, month, weekday"),
        ("0 0 4 * * *", "five fields"),
        ("@noon", "five fields"),
        ("60 4 * * *", "minute: '60' is not from 0 to 59"),
        ("0 4-25 * * *", "hour: '25'"),
        ("0 4 0 * *", "day: '0'"),
        ("0 4 * feb-13 *", "month: '13'"),
        ("0 4 * * frey", "weekday: 'frey'"),
        ("0 4 * * mon,", "weekday: '' is no number"),
        ("*/0 4 * * *", r"minute: '\*/0' is no number"),
        ("0 4 \u0663 * *", "day: '\u0663' is no number"),
        ("0 0 30 2 *", "day: no such day in the month"),
        ("0 0 31 apr-6/2 *", "day: no such day in the month"),
    ],
)
def test_anything_else_is_refused_by_its_field(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        check_cron(text)


@given(st.tuples(*[st.just("*") | FIELDS] * 5).map(" ".join))
def test_what_is_taken_does_not_take_the_definitions_down(text: str) -> None:
    try:
        check_cron(text)
    except ValueError:
        return
    assert is_valid_cron_string(text)
