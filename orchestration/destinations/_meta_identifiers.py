"""Meta's form of identifiers, and its text form for the ledger.

    EMAIL=<hash>
    PHONE=<hash>
    EXTERN_ID=<id>
    LN=<hash>;FN=<hash>;ZIP=<hash>

E-mail, phone and our id find a person alone, so each is an identifier. Names and places do so
only together, so they are one. A removal sends a line per identifier with the other columns
blank, and so takes back every way in which the uploaded line can have found somebody, without
touching an identifier that another customer still needs.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping

from orchestration.destinations._hashing import (
    e164,
    folded,
    is_email,
    refuse_prehashed,
    sha256_hex,
)

_COUNTRY = re.compile(r"[a-z]{2}")
_EXTERN_ID = re.compile(r"[\x21-\x7e]{1,256}")
_ZIP_PLUS_FOUR = re.compile(r"([0-9]{5})-?[0-9]{4}")


def normal_email(text: str | None) -> str | None:
    """Lower case, without dots around it; dots and pluses within stay, at Gmail too."""
    email = folded(text or "").strip(" .")
    return email if is_email(email) else None


def normal_phone(text: str | None, country: str | None) -> str | None:
    """E.164 without the plus."""
    number = e164(text, country)
    return number.removeprefix("+") if number else None


def normal_name(text: str | None) -> str | None:
    """Lower case without punctuation. All letters stay: Meta's own library keeps a to z only,
    which makes José ``jos`` and 李 nothing."""
    return _without_punctuation(text) or None


def normal_place(text: str | None) -> str | None:
    """City or state: as a name, without spaces."""
    return "".join(_without_punctuation(text).split()) or None


def normal_postcode(text: str | None) -> str | None:
    """Lower case without spaces; of a US ZIP+4 the first five digits. Other hyphens stay: the
    Polish 00-950 cut at its hyphen would be 00."""
    postcode = "".join(folded(text or "").split())
    matched = _ZIP_PLUS_FOUR.fullmatch(postcode)
    return (matched.group(1) if matched and "-" in postcode else postcode) or None


def normal_country(text: str | None) -> str | None:
    """Two letters. A longer name is none: cut to two, United States would be ``un``."""
    country = folded(text or "")
    return country if _COUNTRY.fullmatch(country) else None


def normal_gender(text: str | None) -> str | None:
    """``f`` or ``m``."""
    first = folded(text or "")
    return first[:1] if first in ("f", "m", "female", "male") else None


def _number(low: int, high: int, digits: int) -> Callable[[str | None], str | None]:
    def normal(text: str | None) -> str | None:
        stripped = (text or "").strip()
        if not re.fullmatch(r"[0-9]{1,4}", stripped) or not low <= int(stripped) <= high:
            return None
        return stripped.lstrip("0").zfill(digits)

    return normal


def normal_extern_id(text: str | None) -> str | None:
    """Our id as it is."""
    extern_id = (text or "").strip()
    return extern_id if _EXTERN_ID.fullmatch(extern_id) else None


_ALONE = ("EXTERN_ID", "EMAIL", "PHONE")
_TOGETHER: dict[str, Callable[[str | None], str | None]] = {
    "LN": normal_name,
    "FN": normal_name,
    "GEN": normal_gender,
    "DOBY": _number(1900, 2100, 4),
    "DOBM": _number(1, 12, 2),
    "DOBD": _number(1, 31, 2),
    "CT": normal_place,
    "ST": normal_place,
    "ZIP": normal_postcode,
    "COUNTRY": normal_country,
}
KEYS = (*_ALONE, *_TOGETHER)
"""Keys of a schema, in the order we send them. A sync's columns are their lower-case names."""


def meta_cells(values: Mapping[str, str | None]) -> dict[str, str]:
    """Cells of a line by key, hashed except for ``EXTERN_ID``. A value that is none has no
    cell. Raises ``Prehashed``."""
    given = {key: values.get(key.lower()) for key in KEYS}
    refuse_prehashed({key: value for key, value in given.items() if key != "EXTERN_ID"})
    normal = {
        "EMAIL": normal_email(given["EMAIL"]),
        "PHONE": normal_phone(given["PHONE"], given["COUNTRY"]),
    } | {key: normalise(given[key]) for key, normalise in _TOGETHER.items()}
    cells = {key: sha256_hex(value) for key, value in normal.items() if value}
    extern_id = normal_extern_id(given["EXTERN_ID"])
    return ({"EXTERN_ID": extern_id} if extern_id else {}) | cells


def meta_identifiers(cells: Mapping[str, str]) -> tuple[str, ...]:
    """The text forms of a line; none where nobody can be found by it. Names are one only with
    something beside them: a removal by country alone must never be."""
    alone = [f"{key}={cells[key]}" for key in _ALONE if key in cells]
    others = [f"{key}={cells[key]}" for key in _TOGETHER if key in cells]
    found = [*alone, ";".join(others)] if _names_a_person(cells) else alone
    # Meta learns our id from the lines it comes with.
    return () if found == alone[:1] and "EXTERN_ID" in cells else tuple(found)


def as_cells(text: str) -> dict[str, str]:
    """The cells of a text form."""
    if text.startswith("EXTERN_ID="):
        return {"EXTERN_ID": text.removeprefix("EXTERN_ID=")}
    return dict(part.split("=", 1) for part in text.split(";"))


def _names_a_person(cells: Mapping[str, str]) -> bool:
    named = {"LN", "FN"} <= set(cells)
    return named and any(key in cells for key in _TOGETHER if key not in ("LN", "FN", "COUNTRY"))


def _without_punctuation(text: str | None) -> str:
    kept = (
        letter for letter in folded(text or "") if not unicodedata.category(letter).startswith("P")
    )
    return folded("".join(kept))
