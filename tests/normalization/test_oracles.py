"""The normalisers against other people's libraries, and against their own tables."""

import json
import re
import time
from datetime import datetime
from pathlib import Path

import pytest

from orchestration.normalization.phone import PHONE_PLANS

ROOT = Path(__file__).resolve().parents[2]
KINDS = ("FIXED_LINE", "MOBILE")


def _examples():
    phonenumbers = pytest.importorskip("phonenumbers")
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        for kind in KINDS:
            number = phonenumbers.example_number_for_type(
                region, getattr(phonenumbers.PhoneNumberType, kind)
            )
            if number:
                yield phonenumbers, region, number


def test_international_numbers_of_every_country(engine):
    """At least 98 of 100 example numbers of libphonenumber, written internationally."""
    texts, expected = [], []
    for phonenumbers, _, number in _examples():
        texts.append(
            phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
        )
        expected.append(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
    actual = engine.run("normalize_phone", texts)
    wrong = [(t, a) for t, a, e in zip(texts, actual, expected, strict=True) if a not in (e, None)]
    missed = [t for t, a in zip(texts, actual, strict=True) if a is None]
    assert wrong == []
    assert len(missed) <= 0.02 * len(texts), missed


def test_national_numbers_of_planned_countries(engine):
    """National writing reads as libphonenumber reads it, or as nothing; never as another number."""
    rows, expected = [], []
    for phonenumbers, region, number in _examples():
        if region in PHONE_PLANS:
            text = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
            rows.append((text, region))
            expected.append(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
    actual = engine.run("normalize_phone", rows)
    differences = [x for x in zip(rows, actual, expected, strict=True) if x[1] != x[2]]
    assert differences == []


def test_plans_in_python_are_those_of_the_macro(dbt):
    plans = json.loads(dbt.compile("{{ phone_plans() | tojson }}"))
    assert plans == {name: plan._asdict() for name, plan in PHONE_PLANS.items()}


def test_dates_that_exist(engine):
    """Every 29 February from 1900 to 2999, and every day and its neighbours of two years."""
    leap_days = [f"{year}-02-29" for year in range(1900, 3000)]
    days = [
        f"{year}-{month:02}-{day:02}"
        for year in (2023, 2024)
        for month in range(14)
        for day in range(33)
    ]
    for day, value in zip(
        leap_days + days, engine.run("normalize_timestamp", leap_days + days), strict=True
    ):
        try:
            assert value == datetime.fromisoformat(day), day
        except ValueError:
            assert value is None, day


def test_mailboxes_that_the_library_accepts(engine):
    validator = pytest.importorskip("email_validator")
    addresses = [
        "simple@example.com", "first.last@sub.example.co.uk", "x+y@example.org", "o'b@example.ie",
        "用户@例え.jp", "a_b-c@example-one.fr", "1@example.com", "é@example.fr", "a@b.co",
        "plain", "@example.com", "a@", "a@b..fr", "a..b@c.fr", "a@b.c_d.fr", "a@.fr", "a@b.fr-",
    ]  # fmt: skip
    for address, value in zip(addresses, engine.run("normalize_email", addresses), strict=True):
        try:
            parsed = validator.validate_email(address, check_deliverability=False)
            local = parsed.local_part
            assert value == f"{local.lower()}@{parsed.ascii_domain}", address
        except validator.EmailNotValidError:
            assert value is None, address


@pytest.mark.parametrize(
    ("macro", "limit"),
    [
        ("normalize_email", 6000),
        ("normalize_phone", 5500),
        ("normalize_timestamp", 3500),
        ("local_to_utc", 4500),
        ("normalize_country", 5000),
        ("normalize_name", 1500),
        ("clean_url", 2500),
        ("record_key", 100),
    ],
)
def test_sql_of_a_macro_stays_small(engine, macro, limit):
    """A staging model calls a dozen of them; engines parse each call again and again."""
    assert len(engine.sql[macro]) <= limit


def test_planning_a_macro_takes_no_time(on_duckdb):
    """Nested lambdas once made a query for one e-mail address plan for more than a second."""
    seconds = {}
    for macro in on_duckdb.sql:
        start = time.process_time()
        on_duckdb.run(macro, [])
        seconds[macro] = time.process_time() - start
    assert {macro for macro, taken in seconds.items() if taken > 0.5} == set()


def test_every_macro_file_is_documented():
    for path in sorted((ROOT / "macros" / "normalization").glob("*.sql")):
        names = re.findall(r"{%-? *macro (\w+)\(", path.read_text(encoding="utf-8"))
        assert names == [path.stem], path
        assert f"- name: {path.stem}\n" in path.with_suffix(".yml").read_text(encoding="utf-8")
