"""Dates and times from text."""

import re
from datetime import date, datetime, timedelta

from orchestration.normalization.text import INVISIBLE, SPACE


def _dates(year: str, leap_century: str) -> str:
    return (
        f"(?:{year}[0-9]{{2}}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
        "|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))"
        f"|(?:{year}(?:0[48]|[2468][048]|[13579][26])|{leap_century}00)-02-29)"
    )


_DATE = _dates("(?:19|2[0-9])", "2[048]")
_TIME = "(?:(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]|24:00:00)"
_ISO = re.compile(
    rf"({_DATE})[T ]({_TIME})(?:[.]([0-9]{{1,6}}))?"
    r"(?:Z|([+-])(0[0-9]|1[0-4])(?::?([0-5][0-9]))?)?\Z"
)
_UNIX = re.compile(r"[1-9][0-9]{9}(?:[.][0-9]{1,9}|[0-9]{3}|[0-9]{6}|[0-9]{9})?\Z")
_EPOCH = datetime.fromisoformat("1970-01-01")
_EDGE = SPACE + INVISIBLE
_TO_ISO = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (rf"\A['{_EDGE}]+|[{_EDGE}]+\Z", ""),
        (r" ?(?:UTC|GMT|z)\Z", "Z"),
        (r"\A([0-9]{2})/([0-9]{2})/([0-9]{4})", r"\3-\2-\1"),
        (
            r"\A([0-9]{4})([0-9]{2})([0-9]{2})T([0-9]{2}):?([0-9]{2}):?([0-9]{2})",
            r"\1-\2-\3 \4:\5:\6",
        ),
        (r"\A([0-9]{4}-[0-9]{2}-[0-9]{2})\Z", r"\1 00:00:00"),
        (r"\A([0-9-]{10}[T ][0-9]{2}:[0-9]{2})(Z|[ +-][ 0-9:+-]*)?\Z", r"\1:00\2"),
        ("([T ]23:59):60", r"\1:59"),
        ("([T ]24:00:00)[.,]0+", r"\1"),
        ("(:[0-9]{2})[.,]([0-9]{1,6})[0-9]*", r"\1.\2"),
        (r" ([+-][0-9]{2}:?[0-9]{2})\Z", r"\1"),
    )
)
_BIRTH_TO_ISO = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (rf"\A[{SPACE}]+|[{SPACE}]+\Z", ""),
        (r"\A([0-9])([/.-])", r"0\1\2"),
        (r"\A([0-9]{2}[/.-])([0-9])([/.-])", r"\g<1>0\2\3"),
        (r"\A([0-9]{2})[/.-]([0-9]{2})[/.-]([0-9]{4})", r"\3-\2-\1"),
        (r"\A([0-9]{4})[/.]([0-9]{2})[/.]([0-9]{2})", r"\1-\2-\3"),
        (r"\A([0-9]{4})([0-9]{2})([0-9]{2})\Z", r"\1-\2-\3"),
    )
)
_BIRTH = re.compile(rf"({_dates('[12][0-9]', '(?:1[26]|2[048])')})(?:[T ][0-9:.,+-]*[Zz]?)?\Z")
_DEFAULT_BIRTHS = (date(1900, 1, 1), date(1970, 1, 1))


def normalize_timestamp(text: str | None) -> datetime | None:
    """UTC without tzinfo; None where the text says no instant for certain."""
    if text is None:
        return None
    for pattern, replacement in _TO_ISO:
        text = pattern.sub(replacement, text)
    if _UNIX.match(text):
        micros = int((text.replace(".", "") + "000000")[:16])
        return _EPOCH + timedelta(microseconds=micros)
    match = _ISO.match(text)
    if not match:
        return None
    day, clock, fraction, sign, hours, minutes = match.groups()
    is_midnight = clock.startswith("24:")
    moment = datetime.fromisoformat(f"{day} {'00:00:00' if is_midnight else clock}")
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    moment += timedelta(microseconds=int((fraction or "").ljust(6, "0")), days=int(is_midnight))
    moment += offset if sign == "-" else -offset
    return None if moment == _EPOCH else moment


def normalize_birth_date(text: str | None, as_of: date, max_age_years: int = 120) -> date | None:
    """Certain date of birth not after `as_of`, at most `max_age_years` before it."""
    if text is None:
        return None
    for pattern, replacement in _BIRTH_TO_ISO:
        text = pattern.sub(replacement, text)
    match = _BIRTH.match(text)
    if not match:
        return None
    born = date.fromisoformat(match.group(1))
    try:
        oldest = as_of.replace(year=as_of.year - max_age_years)
    except ValueError:  # 29 February
        oldest = as_of.replace(year=as_of.year - max_age_years, day=28)
    return born if oldest <= born <= as_of and born not in _DEFAULT_BIRTHS else None
