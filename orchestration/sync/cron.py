"""When a sync runs: five fields of plain cron, or a word for them.

Dagster reads them as it loads the definitions, where a wrong one takes all others down. Here it is
told before, and without the import of Dagster, which takes seconds."""

import re

_WORDS = {"@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually"}
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
_FIELDS = {
    "minute": (0, 59, ()),
    "hour": (0, 23, ()),
    "day": (1, 31, ()),
    "month": (1, 12, _MONTHS),
    "weekday": (0, 7, _WEEKDAYS),
}
_LONGEST_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_PART = re.compile(r"(?:\*|([a-z0-9]+)(?:-([a-z0-9]+))?)(?:/([1-9][0-9]{0,3}))?")


def check_cron(text: str) -> str:
    """The expression as it is. Raises ``ValueError`` naming the field that is wrong."""
    fields = text.lower().split()
    if text.lower() in _WORDS:
        return text
    if len(fields) != len(_FIELDS):
        raise ValueError(f"not the five fields of cron: {', '.join(_FIELDS)}")
    found = {name: _values(name, field) for name, field in zip(_FIELDS, fields, strict=True)}
    if min(found["day"]) > max(_LONGEST_DAYS[month - 1] for month in found["month"]):
        raise ValueError("day: no such day in the month")
    return text


def _values(name: str, field: str) -> set[int]:
    lowest, highest, _ = _FIELDS[name]
    values: set[int] = set()
    for part in field.split(","):
        if not (match := _PART.fullmatch(part)):
            raise ValueError(f"{name}: {part!r} is no number, range or step")
        first, last, step = match.groups()
        begin = _number(name, first) if first else lowest
        end = _number(name, last) if last else begin if first and not step else highest
        # Past the end it goes on from the beginning: fri-mon.
        turns = [(begin, end)] if begin <= end else [(begin, highest), (lowest, end)]
        reached = [value for low, high in turns for value in range(low, high + 1)]
        values.update(reached[:: int(step or 1)])
    return values


def _number(name: str, text: str) -> int:
    lowest, highest, names = _FIELDS[name]
    value = names.index(text) + lowest if text in names else int(text) if text.isdigit() else -1
    if not lowest <= value <= highest:
        raise ValueError(f"{name}: {text!r} is not from {lowest} to {highest}")
    return value
