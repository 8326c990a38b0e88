"""What hashing for advertisers has in common everywhere: the hash, a phone number, what is left
of an earlier upload.

How a value is brought into form first is each platform's own, and so in a module of its own
(``_google_identifiers``, ``_meta_identifiers``): one rule for all would be wrong for each.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import phonenumbers

from orchestration.destinations.base import Row

_HASH_OF_ANY_CASE = re.compile(r"\s*[0-9a-fA-F]{64}\s*")
_WHOLE = phonenumbers.ValidationResult.IS_POSSIBLE  # with its area code
_EMAIL = re.compile(r"[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+\.[^@\s\x00-\x1f\x7f]+")


class Prehashed(ValueError):
    """A column that is to hold plain values holds SHA-256 already."""


def sha256_hex(text: str) -> str:
    """Lower-case SHA-256. The hash of nothing would be shared by everybody without a value, so
    it raises ``ValueError``."""
    if not text:
        raise ValueError("nothing to hash")
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def refuse_prehashed(values: Mapping[str, str | None]) -> None:
    """Raise ``Prehashed``: a second hash on top matches nobody, and no answer would say so."""
    if any(value and _HASH_OF_ANY_CASE.fullmatch(value) for value in values.values()):
        raise Prehashed("a value is hashed already")


def folded(text: str) -> str:
    """Lower case, trimmed, composed: an accent typed as a letter of its own is the same name."""
    return unicodedata.normalize("NFC", text.lower()).replace("\x00", "").strip()


def is_email(text: str) -> bool:
    """It has the form of an address. Anything else would be a hash that matches nobody."""
    return len(text) <= 320 and bool(_EMAIL.fullmatch(text))


def e164(text: str | None, country: str | None) -> str | None:
    """``+442070313000`` of a number as people of the country (two letters) write it; None where
    it is none. A national number without a country is nobody's.

    What says its country itself needs a possible length alone: lists of the ranges in use lag
    behind and have gaps (+33639980001)."""
    region = (country or "").strip().upper() or None
    try:
        number = phonenumbers.parse(text or "", region)
    except phonenumbers.NumberParseException:
        return None
    length = phonenumbers.is_possible_number_with_reason(number)
    is_whole = (text or "").strip().startswith("+") and length == _WHOLE
    if not is_whole and not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def left_over(row: Row, identifiers: tuple[str, ...]) -> tuple[str, ...]:
    """Of what earlier calls may have left there, what the row no longer is."""
    return tuple(name for name in row.sent_identifiers if name not in identifiers)


def chunks(items: Sequence[Any], size: int) -> Iterator[list[Any]]:
    """Parts of at most ``size``."""
    for start in range(0, len(items), size):
        yield list(items[start : start + size])
