"""E-mail addresses and phone numbers as they are typed: spellings, shared and junk values."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from orchestration.demo import text
from orchestration.demo.persons import Persons
from orchestration.demo.pools import JUNK_EMAILS, JUNK_PHONES, NULL_WORDS

# What precedes the eight digits of a mobile number, without the trunk zero.
MOBILE_PREFIXES = ("6", "79", "151", "6")
CALLING_CODES = ("33", "44", "49", "34")

_FORMATS = {
    # (country, is landline): spellings; the first is the international one.
    (0, False): (
        "+336########", "06 ## ## ## ##", "06########", "+33 6 ## ## ## ##", "06.##.##.##.##",
        "00336########", "+33 (0)6 ## ## ## ##", "06-##-##-##-##",
    ),
    (0, True): ("+334########", "04 ## ## ## ##", "04########", "+33 4 ## ## ## ##"),
    (1, False): (
        "+4479########", "079## ######", "079########", "+44 79## ######", "004479########",
        "+44 (0)79## ######", "079## ### ###",
    ),
    (1, True): ("+4420########", "020 #### ####", "(020) #### ####", "+44 20 #### ####"),
    (2, False): (
        "+49151########", "0151 ########", "0151/########", "+49 151 ########",
        "0049151########", "+49 (0)151 ########",
    ),
    (2, True): ("+4930########", "030 ########", "030/########", "+49 30 ########"),
    (3, False): (
        "+346########", "6## ## ## ##", "6########", "+34 6## ### ###", "00346########",
    ),
    (3, True): ("+349########", "9## ### ###", "9########", "+34 9## ### ###"),
}  # fmt: skip


def spell_phones(
    rng: np.random.Generator,
    country: np.ndarray,
    number: np.ndarray,
    is_landline: np.ndarray,
    international: np.ndarray | float = 0.25,
) -> pa.Array:
    """Phone numbers in the formats of their countries.

    Args:
        country: index of the country per row.
        number: the eight digits after the prefix.
        is_landline: which prefix.
        international: share, or per row a flag, of numbers written as E.164.
    """
    rows = len(country)
    is_e164 = rng.random(rows) < international
    pick = rng.random(rows)
    keys = list(_FORMATS)
    kind = np.zeros(rows, dtype=np.int64)
    for index, (code, landline) in enumerate(keys):
        styles = len(_FORMATS[code, landline])
        rows_of_kind = (country == code) & (is_landline == landline)
        style = np.where(is_e164, 0, 1 + (pick * (styles - 1)).astype(np.int64))
        kind = np.where(rows_of_kind, index * 10 + style, kind)
    return text.by_group(
        kind,
        {
            index * 10 + style: (
                lambda at, pattern=pattern: text.template(pattern, text.digits(number[at], 8))
            )
            for index, key in enumerate(keys)
            for style, pattern in enumerate(_FORMATS[key])
        },
    )


def e164(country: np.ndarray, number: np.ndarray) -> pa.Array:
    """Mobile numbers in E.164."""
    prefix = [f"+{c}{p}" for c, p in zip(CALLING_CODES, MOBILE_PREFIXES, strict=True)]
    return text.join(text.dictionary(prefix, country), text.numbers(number))


def person_phones(
    rng: np.random.Generator,
    persons: Persons,
    rows: np.ndarray,
    times: np.ndarray,
    missing: float,
    landline: float = 0.10,
    international: np.ndarray | float = 0.25,
) -> pa.Array:
    """The phone a person gives: the mobile of that time or the line of the household."""
    country = persons.country[rows]
    leans = persons.leans_on_phone[rows]
    is_landline = (persons.landline[rows] >= 0) & (rng.random(len(rows)) < landline) & ~leans
    number = np.where(is_landline, persons.landline[rows], persons.mobiles_at(rows, times))
    # A national format without its country would be somebody else's number.
    is_foreign = persons.country_code[rows] != country
    must = np.where(is_foreign, 1.0, international)
    phones = spell_phones(rng, country, number, is_landline, must)
    return text.blank(phones, (rng.random(len(rows)) < missing) & ~leans)


def spell_emails(rng: np.random.Generator, emails: pa.Array, typo: float = 0.001) -> pa.Array:
    """Addresses as typed: mostly right, sometimes another case, blanks or a mistyped domain."""
    style = rng.random(len(emails))
    edges = np.cumsum((0.03, 0.03, 0.01, 0.005, 0.002, 0.002, typo))
    groups = np.searchsorted(edges, style, side="right")

    def pick(at: np.ndarray) -> pa.Array:
        return text.take(emails, at)

    return text.by_group(
        groups,
        {
            0: lambda at: pc.utf8_upper(pick(at)),
            1: lambda at: pc.utf8_capitalize(pick(at)),
            2: lambda at: text.join(" ", pick(at), " "),
            3: lambda at: text.join(pick(at), "\t"),
            4: lambda at: text.join("mailto:", pick(at)),
            5: lambda at: text.join(pick(at), ";"),
            6: lambda at: pc.replace_substring(pick(at), ".example", ".exemple"),
            7: pick,
        },
    )


def spoil(
    rng: np.random.Generator,
    column: pa.Array,
    share: float,
    words: tuple[str, ...],
    spare: np.ndarray | None = None,
) -> tuple[pa.Array, np.ndarray]:
    """Put one of the words in a share of the rows, but not where `spare`; returns the column
    and where."""
    rows = len(column)
    hit = rng.random(rows) < share
    if spare is not None:
        hit &= ~spare
    if not hit.any():
        return text.plain(column), hit
    # The first words are typed far more often than the others.
    code = (len(words) * rng.random(rows) ** 2).astype(np.int64)
    return text.where(hit, text.dictionary(words, code), column), hit


def junk_emails(rng, column, share, spare=None):
    return spoil(rng, column, share, JUNK_EMAILS, spare)


def junk_phones(rng, column, share, spare=None):
    return spoil(rng, column, share, JUNK_PHONES, spare)


def null_words(rng, column, share, spare=None):
    return spoil(rng, column, share, NULL_WORDS, spare)
