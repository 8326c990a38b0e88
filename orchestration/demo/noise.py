"""How people and tills spell names, addresses and dates, and how late rows arrive."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa

from orchestration.demo import text
from orchestration.demo.persons import (
    Persons,
    country_codes,
    first_names,
    last_names,
    places,
    streets,
)
from orchestration.demo.pools import LANGUAGES, NICKNAMES
from orchestration.demo.settings import Settings

# Spellings of a name, in the order of `_spellings`.
AS_IS, UPPER, LOWER, PLAIN, UPPER_PLAIN, PADDED, DECOMPOSED, NICK, INITIAL, TYPO = range(10)
TYPOS = 4


@dataclass(frozen=True)
class Habits:
    """Share of records with each spelling; the rest is written as it should be."""

    upper: float = 0.08
    lower: float = 0.06
    plain: float = 0.08
    upper_plain: float = 0.05
    padded: float = 0.02
    decomposed: float = 0.01
    nick: float = 0.03
    initial: float = 0.01
    typo: float = 0.02
    missing: float = 0.02

    def draw(self, rng: np.random.Generator, rows: int) -> np.ndarray:
        """A spelling per row; -1 is missing."""
        shares = (
            self.upper, self.lower, self.plain, self.upper_plain, self.padded, self.decomposed,
            self.nick, self.initial, self.typo, self.missing,
        )  # fmt: skip
        edges = np.cumsum(shares)
        spelling = np.searchsorted(edges, rng.random(rows), side="right") + 1
        spelling = np.where(spelling == 11, AS_IS, np.where(spelling == 10, -1, spelling))
        return np.where(spelling == TYPO, TYPO + rng.integers(0, TYPOS, rows), spelling)


TILL = Habits(upper=0.30, lower=0.03, plain=0.05, upper_plain=0.20, typo=0.03, nick=0.02)
FORM = Habits()


def _without_accents(name: str) -> str:
    folded = unicodedata.normalize("NFKD", name.replace("ß", "ss"))
    return "".join(c for c in folded if not unicodedata.combining(c))


def _typos(name: str) -> list[str]:
    middle = max(1, len(name) // 2)
    swapped = name[: middle - 1] + name[middle : middle + 1] + name[middle - 1] + name[middle + 1 :]
    return [
        swapped,
        name[:middle] + name[middle + 1 :],
        name[:middle] + name[middle - 1 : middle] + name[middle:],
        name[:-1] + chr(ord(name[-1]) ^ 1) if name[-1].isascii() else name + "e",
    ]


def _spellings(name: str) -> list[str]:
    plain = _without_accents(name)
    return [
        name, name.upper(), name.lower(), plain, plain.upper(), f" {name} ",
        unicodedata.normalize("NFD", name), NICKNAMES.get(name, name), f"{name[0]}.",
        *_typos(name),
    ]  # fmt: skip


@cache
def _spelling_table(kind: str) -> pa.Array:
    names = first_names() if kind == "first" else last_names()
    return pa.array([spelling for name in names for spelling in _spellings(name)])


def names(kind: str, codes: np.ndarray, spelling: np.ndarray) -> text.Column:
    """Names (`first` or `last`) in the given spelling; negative is null."""
    width = AS_IS + TYPO + TYPOS
    # A family name has no nickname or initial: it is written as it is.
    if kind == "last":
        spelling = np.where((spelling == NICK) | (spelling == INITIAL), AS_IS, spelling)
    return text.dictionary(_spelling_table(kind), codes * width + spelling, missing=spelling < 0)


def person_names(
    rng: np.random.Generator, persons: Persons, rows: np.ndarray, habits: Habits = FORM
) -> tuple[text.Column, text.Column]:
    """First and last name of a record per row; in a few they have changed places."""
    spelling = habits.draw(rng, len(rows))
    # Another case or lost accents are no other name.
    is_careful = persons.leans_on_phone[rows] & ((spelling < 0) | (spelling > UPPER_PLAIN))
    first = names("first", persons.first_name[rows], np.where(is_careful, AS_IS, spelling))
    last = names("last", persons.last_name[rows], habits.draw(rng, len(rows)))
    is_swapped = (rng.random(len(rows)) < 0.004) & ~persons.leans_on_phone[rows]
    return text.where(is_swapped, last, first), text.where(is_swapped, first, last)


def full_names(rng: np.random.Generator, persons: Persons, rows: np.ndarray) -> pa.Array:
    """`Chloé Lefèvre`, sometimes `LEFEVRE Chloé` or `Lefèvre, Chloé`."""
    first, last = (
        names(kind, codes[rows], np.maximum(FORM.draw(rng, len(rows)), 0))
        for kind, codes in (("first", persons.first_name), ("last", persons.last_name))
    )
    style = rng.random(len(rows))
    return text.where(
        style < 0.85,
        text.join(first, last, separator=" "),
        text.where(
            style < 0.93, text.join(last, first, separator=" "), text.join(last, ", ", first)
        ),
    )


def genders(rng: np.random.Generator, persons: Persons, rows: np.ndarray) -> text.Column:
    """A letter or a word for the gender; often missing."""
    words = (("f", "F", "female", "Mme", "Frau", "w"), ("m", "M", "male", "M.", "Herr", "h"))
    style = rng.choice(6, len(rows), p=(0.5, 0.2, 0.12, 0.08, 0.07, 0.03))
    code = np.where(persons.is_female[rows], 0, 6) + style
    code = np.where(rng.random(len(rows)) < 0.01, 12, code)
    return text.dictionary((*words[0], *words[1], "x"), code, rng.random(len(rows)) < 0.15)


def birth_dates(
    rng: np.random.Generator, persons: Persons, rows: np.ndarray, missing: float
) -> tuple[pa.Array, np.ndarray]:
    """Birth dates as typed, and where they are impossible (those are to become null)."""
    day = persons.birth_day[rows]
    country = persons.country[rows]
    style = rng.random(len(rows))
    is_local = style > 0.75
    groups = np.where(is_local, np.where(country == 2, 2, 1), 0)
    groups = np.where(style > 0.97, 3, groups)
    is_bad = rng.random(len(rows)) < 0.006
    groups = np.where(is_bad, 4, groups)
    wrong = ("1900-01-01", "31/02/1985", "2087-05-12", "0000-00-00", "1899-12-30", "13/13/1970")
    typed = text.by_group(
        groups,
        {
            0: lambda at: text.dates(day[at]),
            1: lambda at: text.dates(day[at], "dmy/"),
            2: lambda at: text.dates(day[at], "dmy."),
            3: lambda at: text.dates(day[at], "ymd"),
            4: lambda at: text.dictionary(wrong, rng.integers(0, len(wrong), len(at))),
        },
    )
    is_missing = rng.random(len(rows)) < missing
    return text.blank(typed, is_missing), is_bad & ~is_missing


@dataclass
class Address:
    street: pa.Array
    postcode: pa.Array
    city: pa.Array
    country: text.Column
    language: text.Column


def addresses(
    rng: np.random.Generator, persons: Persons, rows: np.ndarray, missing: float = 0.12
) -> Address:
    """Postal address of each record, spelled by hand."""
    n = len(rows)
    country = persons.country[rows]
    is_upper = rng.random(n) < 0.12
    words = [*streets(), *(_without_accents(street).upper() for street in streets())]
    street = text.dictionary(words, persons.street[rows] + is_upper * len(streets()))
    house = text.numbers(persons.house_number[rows])
    house = text.where(rng.random(n) < 0.03, text.join(house, " bis"), house)
    number_first = (country == 0) | (country == 1)
    line = text.where(
        number_first,
        text.join(house, street, separator=" "),
        text.join(street, house, separator=" "),
    )
    known = places()
    postcodes = [postcode for _, postcode, _ in known]
    lost_zero = [postcode.lstrip("0").replace(" ", "") for postcode in postcodes]
    sloppy = rng.random(n) < 0.04
    postcode = text.dictionary(
        [*postcodes, *lost_zero], persons.place[rows] + sloppy * len(postcodes)
    )
    cities = [city for _, _, city in known]
    spelled = [*cities, *(_without_accents(city).upper() for city in cities)]
    city = text.dictionary(spelled, persons.place[rows] + is_upper * len(cities))
    is_missing = rng.random(n) < missing
    code = persons.country_code[rows]
    lower = [code.lower() for code in country_codes()]
    is_lower = rng.random(n) < 0.03
    is_blank = (rng.random(n) < 0.02) | (code == len(lower) - 1)
    is_blank &= country == 0
    return Address(
        street=text.blank(line, is_missing),
        postcode=text.blank(postcode, is_missing & (rng.random(n) < 0.7)),
        city=text.blank(city, is_missing),
        country=text.dictionary([*country_codes(), *lower], code + is_lower * len(lower), is_blank),
        language=text.dictionary(LANGUAGES, country, rng.random(n) < 0.1),
    )


def loads(
    rng: np.random.Generator,
    settings: Settings,
    changed: np.ndarray,
    every: int = text.HOUR,
    late: float = 0.02,
) -> np.ndarray:
    """When the extract-load tool wrote each row: the next batch after a short delay, or days
    and weeks later for a share of rows; always before the end of the period.

    Args:
        changed: time of the change, microseconds.
        every: how often the tool runs.
        late: share of late rows.
    """
    rows = len(changed)
    delay = rng.uniform(2 * text.MINUTE, 40 * text.MINUTE, rows)
    is_late = rng.random(rows) < late
    delay = np.where(is_late, rng.exponential(9 * text.DAY, rows) + text.DAY, delay)
    written = changed + np.minimum(delay, 60 * text.DAY).astype(np.int64)
    written = (written // every + 1) * every + 7 * text.MINUTE
    room = np.maximum(settings.end - changed, 2)
    squeezed = changed + (rng.random(rows) * room).astype(np.int64)
    return np.where(written < settings.end, written, np.minimum(squeezed, settings.end - 1))


def in_period(settings: Settings, times: np.ndarray) -> np.ndarray:
    """Times kept inside the period."""
    return np.clip(times, settings.start, settings.end - text.HOUR)
