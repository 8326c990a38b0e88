"""Google's form of identifiers, and its text form for the ledger.

    email:<hash>
    phone:<hash>
    address:<hash of given name>:<hash of family name>:<country>:<postcode>

Google takes country and postcode of an address unhashed, and matches and removes an address only
as a whole, so the ledger has to keep both as they are (the postcode percent-encoded). Who does
not want that maps no address.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote

from orchestration.destinations._hashing import (
    e164,
    folded,
    is_email,
    refuse_prehashed,
    sha256_hex,
)

ADDRESS = ("given_name", "family_name", "region_code", "postal_code")
COLUMN = re.compile(rf"(email_address|phone_number)(_[2-9])?|{'|'.join(ADDRESS)}")
"""Columns of a sync. A person may have several addresses: ``email_address_2``."""

_WITHOUT_DOTS = {"gmail.com", "googlemail.com"}
_COUNTRY = re.compile(r"[A-Z]{2}")
_POSTCODE = re.compile(r"[0-9A-Za-z][0-9A-Za-z -]{0,11}")


def normal_email(text: str | None) -> str | None:
    """Lower case; at Gmail alone, dots and what follows a plus are not part of a name."""
    email = folded(text or "")
    local, _, domain = email.rpartition("@")
    if domain in _WITHOUT_DOTS:
        local = local.partition("+")[0].replace(".", "")
        email = f"{local}@{domain}"
    return email if is_email(email) else None


def normal_phone(text: str | None, country: str | None) -> str | None:
    """E.164 with the plus."""
    return e164(text, country)


def normal_name(text: str | None) -> str | None:
    """Trimmed and lower case; punctuation stays, as in Google's own library."""
    return folded(text or "") or None


def normal_country(text: str | None) -> str | None:
    """Two capitals, not hashed."""
    country = (text or "").strip().upper()
    return country if _COUNTRY.fullmatch(country) else None


def normal_postcode(text: str | None) -> str | None:
    """Trimmed, not hashed."""
    postcode = (text or "").strip()
    return postcode if _POSTCODE.fullmatch(postcode) else None


def google_identifiers(values: Mapping[str, str | None]) -> tuple[str, ...]:
    """All identifiers of a row, each once. A value that is none is left out by itself. Raises
    ``Prehashed``."""
    given = {name: value for name, value in values.items() if COLUMN.fullmatch(name)}
    refuse_prehashed(given)
    country = given.get("region_code")
    found = []
    for name, value in given.items():
        if name.startswith("email_address") and (email := normal_email(value)):
            found.append(f"email:{sha256_hex(email)}")
        if name.startswith("phone_number") and (phone := normal_phone(value, country)):
            found.append(f"phone:{sha256_hex(phone)}")
    parts = (
        normal_name(given.get("given_name")),
        normal_name(given.get("family_name")),
        normal_country(country),
        normal_postcode(given.get("postal_code")),
    )
    if all(parts):
        names = ":".join(sha256_hex(name) for name in parts[:2])
        found.append(f"address:{names}:{parts[2]}:{quote(parts[3], safe='')}")
    return tuple(dict.fromkeys(found))


def as_user_identifier(text: str) -> dict[str, Any]:
    """A ``UserIdentifier`` of the text form."""
    kind, _, rest = text.partition(":")
    if kind == "email":
        return {"emailAddress": rest}
    if kind == "phone":
        return {"phoneNumber": rest}
    given, family, country, postcode = rest.split(":")
    return {
        "address": {
            "givenName": given,
            "familyName": family,
            "regionCode": country,
            "postalCode": unquote(postcode),
        }
    }
