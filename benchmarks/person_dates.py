"""Birth dates as files write them, read as ISO dates.

Whether 02/04/1988 is in February or in April no value says by itself; the column does, when some
of its values can be read in one way only. That is looked for, without labels, before a value is
read. A value that cannot be read is handed on as it is.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import yaml

from benchmarks.person_values import rewritten

ORDERS = ("dmy", "mdy", "ymd")
WORDS = {"dmy": "day first", "mdy": "month first", "ymd": "year first"}
SLIPS = 0.05
"""Of the values that tell, how many may tell otherwise and be slips of a keyboard."""
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_MONTH = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    "|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
)
_TIME = re.compile(
    r"(?:\s*T|\s+|\s*,\s*|:)[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?\s*(?:[ap]\.?m\.?)?"
    r"\s*(?:Z|UTC|GMT)?\s*(?:[+-][0-9]{2}(?::?[0-9]{2})?)?\s*(?:[\[(].*[\])])?$",
    re.IGNORECASE,
)
_WEEKDAY = re.compile(r"^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*[,.\s]+", re.IGNORECASE)
_ISO = re.compile(r"[12][0-9]{3}-[0-9]{2}-[0-9]{2}$")
_GAP = r"[-/.,_\s]"
_NUMBERS = re.compile(rf"([0-9]{{1,4}}){_GAP}+([0-9]{{1,2}}){_GAP}+([0-9]{{1,4}})")
_DAY = r"([0-9]{1,2})(?:st|nd|rd|th)?"
_DAY_MONTH = re.compile(
    rf"{_DAY}{_GAP}*(?:of\s+)?({_MONTH}){_GAP}*'?([0-9]{{4}}|[0-9]{{2}})", re.IGNORECASE
)
_MONTH_DAY = re.compile(rf"({_MONTH}){_GAP}*{_DAY}{_GAP}+'?([0-9]{{4}}|[0-9]{{2}})", re.IGNORECASE)
_YEAR_MONTH = re.compile(rf"([0-9]{{4}}){_GAP}*({_MONTH}){_GAP}*([0-9]{{1,2}})", re.IGNORECASE)


@dataclass(frozen=True)
class DateOrder:
    """What was decided of a column, and why: how many values can be read with the day first
    alone, and with the month first alone. ``unread``: values that were handed on as they are."""

    order: str
    decided_by: str
    """option, values, default, or nothing where every value has its year first or its month by
    name."""
    day_first: int
    month_first: int
    is_mixed: bool
    unread: int = 0

    @property
    def text(self) -> str:
        """For a terminal."""
        told = f"{self.day_first:,} values can only have the day first, {self.month_first:,} the"
        told += " month"
        if self.order == "ymd":
            told = "more first than last parts of two digits are no day"
        why = {
            "option": "as --dates says",
            "values": told,
            "default": f"by default: {told}; --dates mdy or dmy says so for all",
            "nothing": "or the month by name, in all values",
        }[self.decided_by]
        return f"{WORDS[self.order]} ({why})"


@cache
def _project_variables() -> dict[str, Any]:
    project = Path(__file__).resolve().parents[1] / "dbt_project.yml"
    return yaml.safe_load(project.read_text(encoding="utf-8"))["vars"]["cdp"]


def _latest() -> date:
    """The day that the project takes for today: nobody is born after it."""
    return date.fromisoformat(_project_variables()["as_of"])


def read_dates(
    column: pa.ChunkedArray, order: str | None = None
) -> tuple[pa.ChunkedArray, DateOrder]:
    """The text column with ISO dates, and what was decided; ``order`` is one of ``ORDERS`` and
    goes before what the values say."""
    counts = {pair["values"]: pair["counts"] for pair in pc.value_counts(column).to_pylist()}
    counts.pop(None, None)
    shapes = {value: _shape(value) for value in counts}
    decided = _decide([(shape, counts[value]) for value, shape in shapes.items() if shape], order)
    read = {value: _read(shape, decided) for value, shape in shapes.items() if shape}
    unread = sum(number for value, number in counts.items() if not read.get(value))
    written, _ = rewritten(column, lambda value: read.get(value) or value)
    return written, replace(decided, unread=unread)


def years_to_oldest(column: pa.ChunkedArray) -> int | None:
    """For a file of people of another time, of whose ISO dates more than half lie further back than
    anybody lives: how many years the oldest does. None for any other file."""
    latest, project = _latest(), _project_variables()
    born = [int(value[:4]) for value in column.to_pylist() if value and _ISO.match(value)]
    old = sum(latest.year - year > project["max_age_years"] for year in born)
    return latest.year - min(born) + 1 if old * 2 > len(born) else None


Shape = tuple[str, tuple[int, int, int]]
"""Which part is the year, and the numbers as they stand: ``y..`` year first, ``..y`` year last,
``dmy`` and ``dm.`` as they say, ``...`` and ``dm.`` years of two digits."""


def _shape(value: str) -> Shape | None:
    text = unicodedata.normalize("NFKC", value).replace("\u2010", "-").replace("\u2013", "-")
    text = _WEEKDAY.sub("", _TIME.sub("", text.strip()).strip())
    if numbers := _NUMBERS.fullmatch(text):
        return _shape_of(numbers.groups())
    if text.isdigit() and text.isascii():
        return _shape_of_digits(text)
    for pattern, places in ((_DAY_MONTH, (0, 1, 2)), (_MONTH_DAY, (1, 0, 2)),
                            (_YEAR_MONTH, (2, 1, 0))):  # fmt: skip
        if named := pattern.fullmatch(text):
            day, month, year = (named.groups()[place] for place in places)
            kind = "dmy" if len(year) == 4 else "dm."
            return kind, (int(day), _MONTHS.index(month[:3].lower()) + 1, int(year))
    return None


def _shape_of(parts: tuple[str, ...]) -> Shape | None:
    first, second, third = parts
    numbers = (int(first), int(second), int(third))
    match len(first), len(third):
        case 4, 1 | 2:
            return "y..", numbers
        case 1 | 2, 4:
            return "..y", numbers
        case 1 | 2, 1 | 2:
            return "...", numbers
    return None


def _shape_of_digits(text: str) -> Shape | None:
    """19880402, 02041988 (and 2041988, a number of it), 880402."""
    if len(text) == 6:
        return "...", (int(text[:2]), int(text[2:4]), int(text[4:]))
    if len(text) == 8 and 18 <= int(text[:2]) <= 20 and 1 <= int(text[4:6]) <= 12:
        # No other reading is a date: a year's 18, 19 or 20 is no month.
        return "y..", (int(text[:4]), int(text[4:6]), int(text[6:]))
    text = text.zfill(8)
    if len(text) == 8 and 18 <= int(text[4:6]) <= 20:
        return "..y", (int(text[:2]), int(text[2:4]), int(text[4:]))
    return None


def _decide(shapes: Iterable[tuple[Shape, int]], order: str | None) -> DateOrder:
    told: Counter[str] = Counter()
    years: Counter[str] = Counter()
    for (kind, (first, second, third)), number in shapes:
        if kind == "...":
            years["first"] += number * (first > 31 or first == 0)
            years["last"] += number * (third > 31 or third == 0)
        if kind in ("...", "..y") and first <= 31 and second <= 31:
            told["any"] += number
            told["day"] += number * (first > 12 and second <= 12)
            told["month"] += number * (second > 12 and first <= 12)
    tells = told["day"] + told["month"]
    is_mixed = min(told["day"], told["month"]) > SLIPS * tells
    counts = (told["day"], told["month"])
    if order:
        return DateOrder(order, "option", *counts, False)
    if years["first"] > years["last"]:
        return DateOrder("ymd", "values", *counts, False)
    if not told["any"]:
        return DateOrder("ymd", "nothing", 0, 0, False)
    # Where both occur, month first has to be all but a few: slips occur in any file.
    if told["month"] > told["day"] and not is_mixed:
        return DateOrder("mdy", "values", *counts, False)
    return DateOrder(
        "dmy", "default" if is_mixed or not told["day"] else "values", *counts, is_mixed
    )


def _read(shape: Shape, decided: DateOrder) -> str | None:
    """ISO, or None for what is no date in the order that was decided."""
    kind, (first, second, third) = shape
    is_short = kind in ("...", "dm.")
    if kind == "y..":
        return _iso(first, second, third)
    if kind in ("dmy", "dm."):
        return _iso(third, second, first, is_short)
    if is_short and decided.order == "ymd":
        return _iso(first, second, third, is_short)
    readings = [(second, first), (first, second)]
    is_told = decided.order == "ymd" and decided.month_first > decided.day_first
    if decided.order == "mdy" or is_told:
        readings.reverse()
    # In a file of both orders a value that has one reading has that; else it is a slip.
    for month, day in readings if decided.is_mixed else readings[:1]:
        if written := _iso(third, month, day, is_short):
            return written
    return None


def _iso(year: int, month: int, day: int, is_short: bool = False) -> str | None:
    if is_short:
        # The last one in which the day is past: births are.
        latest = _latest()
        year += latest.year // 100 * 100
        if (year, month, day) > (latest.year, latest.month, latest.day):
            year -= 100
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None
