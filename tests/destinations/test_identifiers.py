"""How each ad platform wants identifiers brought into form before they are hashed."""

import hashlib
import json
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.destinations import _google_identifiers as google
from orchestration.destinations import _hashing as hashing
from orchestration.destinations import _meta_identifiers as meta
from orchestration.destinations.base import Row

# Countries of the people behind the phone numbers of the vectors; the vendors' libraries know
# none.
COUNTRIES = {
    "212-565-0000": "US",
    "0044 20 7031 3000": "GB",
    "020 7031 3000": "GB",
}
GOOGLE: dict[str, Callable[[str], str | None]] = {
    "email": google.normal_email,
    "phone": lambda text: google.normal_phone(text, COUNTRIES.get(text)),
    "fn": google.normal_name,
    "zip": google.normal_postcode,
    "country": google.normal_country,
}
META: dict[str, Callable[[str], str | None]] = {
    "email": meta.normal_email,
    "phone": lambda text: meta.normal_phone(text, COUNTRIES.get(text)),
    "fn": meta.normal_name,
    "zip": meta.normal_postcode,
    "country": meta.normal_country,
}

WRONG_NUMBER = "digits strung together are no number of that country"
NO_NUMBER = "no such country code"
NOT_GOOGLE: dict[str, tuple[str | None, str]] = {
    "212-565-0000": ("+12125650000", WRONG_NUMBER),
    "0044 20 7031 3000": ("+442070313000", WRONG_NUMBER),
    "020 7031 3000": ("+442070313000", WRONG_NUMBER),
    "+49 (0)30 123456": ("+4930123456", WRONG_NUMBER),
    "+0000000000": (None, NO_NUMBER),
}
# What we do otherwise than Meta's normaliser of audiences.
NOT_META: dict[str, tuple[str | None, str]] = {
    "a b@c.com": (None, "no address, and Meta's other normaliser says so of its like"),
    "nobody": (None, "no address, as Meta's other normaliser says"),
    "212-565-0000": ("12125650000", WRONG_NUMBER),
    "0044 20 7031 3000": ("442070313000", WRONG_NUMBER),
    "020 7031 3000": ("442070313000", WRONG_NUMBER),
    "+49 (0)30 123456": ("4930123456", WRONG_NUMBER),
    "+0000000000": (None, NO_NUMBER),
    "José": ("josé", "letters stay, as in Meta's other normaliser and Segment's connector"),
    "李": ("李", "letters stay, else nothing is left to hash"),
    "Mary Ann": ("mary ann", "spaces within stay, as in both others"),
    "Dr. John": ("dr john", "spaces within stay, punctuation goes, as in Segment's connector"),
    " SW1A 1AA ": ("sw1a1aa", "the documentation says no white space, as the other one does"),
    "USA": (None, "no code of two letters; the other one refuses it too"),
    "United States": (None, "cut to two letters it would be 'un'"),
}
FIRST_PARTS = st.text("abcXYZ.+_ ", min_size=1, max_size=12)
VALUES = st.one_of(
    st.text(max_size=40),
    st.builds(lambda local, domain: f"{local}@{domain}.com", FIRST_PARTS, FIRST_PARTS),
    st.sampled_from(["+1 (212) 565-0000", "O'Brien-Smith", "ＡＢＣ", "İstanbul", "ΑΣ", "\x00"]),
    st.text("x\U0001f600'\"", min_size=1, max_size=4).map(lambda text: (text * 10_000)[:10_000]),
)


@pytest.fixture(scope="module")
def vectors(shared_dir: Path) -> list[dict[str, Any]]:
    """What the vendors' own libraries make of 26 inputs."""
    path = shared_dir / "data" / "vendor_specs" / "normalisation_vectors.json"
    return json.loads(path.read_text(encoding="utf-8"))


def _expected(vector: dict[str, Any], vendor: str) -> str | None:
    text = vector[vendor]
    return None if text.startswith("ERR ") else text


def _check(
    vectors: list[dict[str, Any]],
    vendor: str,
    ours: dict[str, Callable[[str], str | None]],
    differences: dict[str, tuple[str | None, str]],
) -> None:
    assert len(vectors) == 26
    found = {v["input"]: ours[v["field"]](v["input"]) for v in vectors}
    theirs = {v["input"]: _expected(v, vendor) for v in vectors}
    assert {text for text in found if found[text] != theirs[text]} == set(differences)
    assert {text: found[text] for text in differences} == {
        text: wanted for text, (wanted, _) in differences.items()
    }


def test_google_vectors_hold_but_for_the_differences_we_chose(vectors) -> None:
    _check(vectors, "google_datamanager_util_0_4_0", GOOGLE, NOT_GOOGLE)


def test_meta_vectors_hold_but_for_the_differences_we_chose(vectors) -> None:
    _check(vectors, "meta_custom_audience_sdk_26_0_3", META, NOT_META)


def test_the_two_platforms_disagree_so_one_rule_cannot_serve_both(vectors) -> None:
    disagreed = {v["field"] for v in vectors if GOOGLE[v["field"]](v["input"]) is not None}
    disagreed = {
        field
        for field in disagreed
        if any(
            GOOGLE[field](v["input"]) != META[field](v["input"])
            for v in vectors
            if v["field"] == field
        )
    }
    assert disagreed == {"email", "phone", "fn", "zip", "country"}


@pytest.mark.parametrize(
    ("email", "start"), [("dana@example.com", "07e2f139"), ("danam@example.com", "1df6b43b")]
)
def test_hashes_google_published(email: str, start: str) -> None:
    [identifier] = google.google_identifiers({"email_address": f" {email.title()} "})
    assert identifier.startswith(f"email:{start}")


def test_dots_and_tags_go_at_gmail_alone_and_at_google_alone() -> None:
    variants = ("Da.Na+x@Gmail.com", "dana@gmail.com")
    assert len({google.normal_email(text) for text in variants}) == 1
    assert len({meta.normal_email(text) for text in variants}) == 2
    assert google.normal_email("da.na+x@example.com") == "da.na+x@example.com"
    assert google.normal_email("da.na@mail.gmail.com") == "da.na@mail.gmail.com"
    assert google.normal_email("+tag@gmail.com") is None


def test_a_phone_number_is_read_as_people_of_its_country_write_it() -> None:
    for text, country, number in (
        ("06 12 34 56 78", "fr", "+33612345678"),
        ("030 123456", "DE", "+4930123456"),
        ("212-565-0000", " us ", "+12125650000"),
        ("+33 6 12 34 56 78", None, "+33612345678"),
        ("+33 6 12 34 56 78", "XX", "+33612345678"),
        # In no list of ranges in use.
        ("+33639980001", None, "+33639980001"),
        (" +44 7700 900123", "FR", "+447700900123"),
    ):
        assert google.normal_phone(text, country) == number
        assert meta.normal_phone(text, country) == number[1:]
    for text, country in (
        ("06 12 34 56 78", None),
        ("06 12 34 56 78", "XX"),
        ("1234567890", "US"),
        ("0639980001", "FR"),
        ("0033639980001", "FR"),
        ("+3363998000", None),
        ("+336399800011", None),
        ("+15550100", "US"),  # without its area code
        ("+999123456789", None),
        ("", "FR"),
        ("n/a", "FR"),
        ("0" * 10_000, "FR"),
    ):
        assert google.normal_phone(text, country) is None
        assert meta.normal_phone(text, country) is None


def test_postcodes_are_cut_only_where_they_are_zip_plus_four() -> None:
    for text, wanted in (
        ("94107-1234", "94107"),
        ("00-950", "00-950"),
        ("01310-100", "01310-100"),
        ("123456789", "123456789"),
    ):
        assert meta.normal_postcode(text) == wanted


def test_birthdays_and_gender_of_meta() -> None:
    row = {"email": "a@example.com", "doby": "1980", "dobm": "3", "dobd": "07", "gen": "Female"}
    cells = meta.meta_cells(row)
    plain = {"DOBY": "1980", "DOBM": "03", "DOBD": "07", "GEN": "f"}
    assert {key: cells[key] for key in plain} == {
        key: hashlib.sha256(text.encode()).hexdigest() for key, text in plain.items()
    }
    junk = {"email": "a@example.com", "doby": "80", "dobm": "13", "dobd": "x", "gen": "unknown"}
    assert set(meta.meta_cells(junk)) == {"EMAIL"}


def test_the_same_name_typed_with_a_loose_accent_has_the_same_hash() -> None:
    loose = unicodedata.normalize("NFD", "José")
    assert loose != "José"
    assert google.normal_name(loose) == google.normal_name("José")
    assert meta.normal_name(loose) == meta.normal_name("JOSÉ ")


def test_nothing_is_never_hashed() -> None:
    with pytest.raises(ValueError, match="nothing"):
        hashing.sha256_hex("")
    blank = {"given_name": "", "family_name": " ", "region_code": "US", "postal_code": "94107"}
    for nothing in ("", "  ", "\x00", "n/a", None):
        row = {"email_address": nothing, "phone_number": nothing} | blank
        assert google.google_identifiers(row) == ()
        assert meta.meta_cells({"email": nothing, "phone": nothing, "fn": "…", "ct": ""}) == {}


@pytest.mark.parametrize("write", [str.lower, str.upper, lambda text: f" {text} "])
@pytest.mark.parametrize("column", ["email", "phone", "fn", "zip"])
def test_what_is_hashed_already_is_refused(column: str, write: Callable[[str], str]) -> None:
    hashed = write(hashlib.sha256(b"dana@example.com").hexdigest())
    with pytest.raises(hashing.Prehashed) as caught:
        meta.meta_cells({"email": "a@example.com", column: hashed})
    assert hashed.strip() not in str(caught.value)
    columns = {"email": "email_address", "phone": "phone_number", "fn": "given_name"}
    with pytest.raises(hashing.Prehashed):
        google.google_identifiers({columns.get(column, "postal_code"): hashed})


def test_our_own_id_may_look_like_a_hash() -> None:
    extern_id = hashlib.sha256(b"1").hexdigest()
    cells = meta.meta_cells({"email": "a@example.com", "extern_id": extern_id})
    assert cells["EXTERN_ID"] == extern_id


def test_the_text_forms_go_there_and_back() -> None:
    row = {
        "email_address": "a@example.com",
        "email_address_2": "A@example.com",
        "phone_number": "+33612345678",
        "given_name": "Dana",
        "family_name": "O'Brien",
        "region_code": "gb",
        "postal_code": "SW1A 1AA",
    }
    email, phone, address = google.google_identifiers(row)
    assert google.as_user_identifier(email) == {"emailAddress": email.removeprefix("email:")}
    assert google.as_user_identifier(phone) == {"phoneNumber": phone.removeprefix("phone:")}
    parts = google.as_user_identifier(address)["address"]
    assert (parts["regionCode"], parts["postalCode"]) == ("GB", "SW1A 1AA")
    assert parts["familyName"] == hashlib.sha256(b"o'brien").hexdigest()
    assert all(text.isprintable() and " " not in text for text in (email, phone, address))
    cells = meta.meta_cells(
        {"email": "a@example.com", "fn": "Dana", "ln": "O'Brien", "zip": "1", "extern_id": "7=7;8"}
    )
    back: dict[str, str] = {}
    for text in meta.meta_identifiers(cells):
        back |= meta.as_cells(text)
    assert back == cells


def test_no_removal_by_what_many_share() -> None:
    row = {"email": "a@example.com", "country": "fr", "ct": "Paris", "fn": "Dana"}
    [only] = meta.meta_identifiers(meta.meta_cells(row))
    assert only.startswith("EMAIL=")
    names = {"fn": "Dana", "ln": "Smith", "country": "fr"}
    assert meta.meta_identifiers(meta.meta_cells(names)) == ()
    assert len(meta.meta_identifiers(meta.meta_cells(names | {"zip": "75001"}))) == 1
    assert meta.meta_identifiers(meta.meta_cells({"extern_id": "7"})) == ()


def test_what_is_left_over_of_a_row() -> None:
    row = Row("a", "upsert", "changed", {}, sent_identifiers=("email:old", "phone:same"))
    assert hashing.left_over(row, ("email:new", "phone:same")) == ("email:old",)


NORMALISERS = {
    "google email": google.normal_email,
    "google phone": lambda text: google.normal_phone(text, "US"),
    "google name": google.normal_name,
    "google postcode": google.normal_postcode,
    "google country": google.normal_country,
    "meta email": meta.normal_email,
    "meta name": meta.normal_name,
    "meta place": meta.normal_place,
    "meta postcode": meta.normal_postcode,
    "meta country": meta.normal_country,
    "meta gender": meta.normal_gender,
    "meta extern_id": meta.normal_extern_id,
}


@pytest.mark.parametrize("normalise", NORMALISERS.values(), ids=list(NORMALISERS))
@given(text=VALUES)
def test_what_is_in_form_stays_as_it_is(normalise: Callable, text: str) -> None:
    once = normalise(text)
    assert once is None or (once and normalise(once) == once)


@pytest.mark.parametrize("normalise", [google.normal_email, meta.normal_email])
@given(
    local=st.text("abcdXYZ0123.+-_", min_size=1, max_size=20),
    domain=st.sampled_from(["gmail.com", "GoogleMail.com", "example.com", "Example.co.uk"]),
    space=st.sampled_from(["", " ", "\t", "\n", " "]),
)
def test_case_and_space_around_an_email_do_not_matter(
    normalise: Callable, local: str, domain: str, space: str
) -> None:
    email = f"{local}@{domain}"
    forms = {normalise(f"{space}{text}{space}") for text in (email, email.upper(), email.lower())}
    assert len(forms) == 1
