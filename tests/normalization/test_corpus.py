"""Every macro over the adversarial corpus, against what its authors say must come out."""

import csv
import subprocess
import sys
import unicodedata

import pytest

from orchestration import normalization as twin

# Field of the corpus -> file, raw column, macro, its second column.
FIELDS = {
    "email_norm": ("customers", "email", "normalize_email", None),
    "phone_e164": ("customers", "phone", "normalize_phone", "country"),
    "loyalty_key": ("customers", "loyalty_id", "null_if_placeholder", None),
    "device_key": ("customers", "device_id", "null_if_placeholder", None),
    "birth_date": ("customers", "birth_date", "normalize_birth_date", None),
    "first_name_norm": ("customers", "first_name", "normalize_name", None),
    "last_name_norm": ("customers", "last_name", "normalize_name", None),
    "user_key": ("events", "user_id", "null_if_placeholder", None),
}


def _column(engine, corpus, field):
    file, column, macro, second = FIELDS[field]
    rows = corpus(f"{file}.csv")
    values = engine.run(macro, [(row[column], row[second] if second else None) for row in rows])
    return {
        row["case_id"]: "" if v is None else str(v) for row, v in zip(rows, values, strict=True)
    }


@pytest.mark.parametrize("field", FIELDS)
def test_field_is_as_the_corpus_says(engine, corpus, field):
    actual = _column(engine, corpus, field)
    expected = {
        row["case_id"]: row["expected"]
        for row in corpus("expected_values.csv")
        if (row["file"], row["field"]) == (FIELDS[field][0], field)
    }
    assert expected
    assert {case: actual[case] for case in expected} == expected


def test_scorer_accepts_the_values(engine, corpus, shared_dir, tmp_path):
    rows = [
        (FIELDS[field][0], case, field, value)
        for field in FIELDS
        for case, value in _column(engine, corpus, field).items()
    ]
    emails = {case: value for _, case, field, value in rows if field == "email_norm"}
    rows += [("customers", case, "email_valid", str(bool(emails[case])).lower()) for case in emails]
    rows += [("customers", case, "golden_email", emails[case]) for case in emails]
    with (tmp_path / "actual.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("file", "case_id", "field", "value"), *rows])
    scorer = shared_dir / "data" / "adversarial" / "score.py"
    done = subprocess.run(
        [sys.executable, scorer, "values", tmp_path / "actual.csv"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout
    assert "values 296/296" in done.stdout


def test_look_alikes_stay_apart(engine, corpus):
    emails = _column(engine, corpus, "email_norm")
    kept = [emails[f"B{number:02}"] for number in range(1, 14) if emails[f"B{number:02}"]]
    assert len(kept) == len(set(kept)) == 11
    assert emails["B11"] == emails["B13"] == ""


@pytest.mark.parametrize("column", ["first_name", "last_name"])
def test_data_comes_out_as_it_went_in(engine, corpus, column):
    rows = [row for row in corpus("customers.csv") if row["case_id"].startswith("F")]
    values = engine.run("clean_text", [row[column] for row in rows])
    for row, value in zip(rows, values, strict=True):
        blank = not row[column].strip(" \u200b")
        assert value == (None if blank else unicodedata.normalize("NFC", row[column]))


def test_event_times(engine, corpus):
    rows = {row["case_id"]: row for row in corpus("events.csv")}
    web = {
        "H12": None,
        "H13": None,
        "H14": "2999-01-01 00:00:00",
        "H15": None,
        "H16": None,
        "H17": "2024-05-01 10:00:00",
        "H18": "2024-05-01 10:00:00",
        "H19": "2024-05-01 10:00:00",
        "H23": "2024-12-31 23:59:59",
        "H24": "2025-01-01 00:00:00",
        "H25": "2024-05-01 10:00:00.123456",
    }
    values = engine.run("normalize_timestamp", [rows[case]["event_at"] for case in web])
    assert [value and str(value) for value in values] == list(web.values())
    till = {
        "H20": "2024-05-01 10:00:00",
        "H21": "2024-10-27 01:30:00",
        "H22": "2024-03-31 01:30:00",
    }
    local = [(rows[case]["event_at"], "Europe/Paris") for case in till]
    assert [str(value) for value in engine.run("local_to_utc", local)] == list(till.values())


def test_skewed_and_bad_times(engine, corpus):
    cases = ["H10", "H11", "H12", "H13", "H14", "H15", "H16", "H26"]
    rows = {row["case_id"]: row for row in corpus("events.csv")}
    times = [
        tuple(
            None if value is None else str(value)
            for value in engine.run(
                "normalize_timestamp",
                [rows[case][f"{name}_at"] for name in ("event", "sent", "received")],
            )
        )
        for case in cases
    ]
    occurred = dict(zip(cases, map(str, engine.run("event_time", times)), strict=True))
    received = "2024-05-01 10:00:05"
    assert occurred == {
        "H10": "2024-05-01 10:00:01",
        "H11": "2024-05-01 10:00:03",
        "H12": received,
        "H13": received,
        "H14": received,
        "H15": received,
        "H16": received,
        "H26": "2024-05-01 10:00:00",
    }
    bad = dict(zip(cases, engine.run("has_bad_time", times), strict=True))
    assert [case for case in cases if bad[case]] == ["H12", "H13", "H14", "H15", "H16"]


def test_amounts(engine, corpus):
    rows = [row for row in corpus("orders.csv") if "J10" <= row["case_id"] <= "J29"]
    amounts = [row["gross_amount"] for row in rows]
    values = engine.run("normalize_money", amounts)
    good = {
        row["case_id"]: str(value)
        for row, value in zip(rows, values, strict=True)
        if value is not None
    }
    assert good == {
        "J22": "0.00",
        "J23": "0.01",
        "J25": "0.00",
        "J26": "-15.00",
        "J27": "0.10",
        "J28": "0.10",
        "J29": "0.10",
    }
    assert values == [twin.normalize_money(amount) for amount in amounts]


def test_currencies_order_times_and_states(engine, corpus):
    rows = {row["case_id"]: row for row in corpus("orders.csv")}
    currencies = [rows[f"J{number}"]["currency"] for number in range(30, 38)]
    expected = ["USD", "EUR", "EUR", None, None, "JPY", "KWD", None]
    assert engine.run("normalize_currency", currencies) == expected
    times = [rows[f"J{number}"]["order_at"] for number in range(40, 47)]
    assert [value and str(value) for value in engine.run("normalize_timestamp", times)] == [
        "2030-01-01 00:00:00",
        None,
        None,
        None,
        "2024-04-01 09:30:00",
        "2023-12-31 23:30:00",
        None,
    ]
    states = [rows[f"J{number}"]["status"] for number in (57, 58, 59)]
    assert engine.run("normalize_status", states) == ["completed", "completed", None]


def test_addresses_of_pages(engine, corpus):
    rows = {row["case_id"]: row for row in corpus("events.csv")}
    urls = engine.run("clean_url", [rows[f"H{number}"]["url"] for number in range(50, 55)])
    assert urls[0] == "https://boutique.example/?utm_source=<script>&gclid=x"
    assert urls[1] == "javascript:alert(1)"
    assert urls[2] == rows["H52"]["url"]
    assert urls[3] == "http://169.254.169.254/latest/meta-data/"


def test_broken_json_never_stops_a_run(engine, corpus):
    rows = [row for row in corpus("events.csv") if "H30" <= row["case_id"] <= "H41"]
    valid = engine.run("is_valid_json", [row["properties_json"] for row in rows])
    broken = [row["case_id"] for row, ok in zip(rows, valid, strict=True) if not ok]
    assert broken == ["H30", "H35", "H37"]
    assert engine.value("scrub_text", rows[9]["properties_json"]) == (
        '{"email":"[email]","card":"[card]"}'
    )


def test_keys_of_source_rows_are_unambiguous(engine, corpus):
    rows = [row for row in corpus("customers.csv") if "D21" <= row["case_id"] <= "D25"]
    columns = [(row["source_customer_id"], row["source_system"]) for row in rows]
    keys = engine.run("record_key_of", columns)
    assert keys == ["crm:42", "pos:42", "pos:00042", "crm:A|B", "crm|A:B"]
    assert keys == [twin.record_key(source, native_id) for native_id, source in columns]


TWINS = {
    "clean_text": twin.clean_text,
    "null_if_placeholder": twin.null_if_placeholder,
    "normalize_name": twin.normalize_name,
    "name_key": twin.name_key,
    "normalize_email": twin.normalize_email,
    "normalize_phone_home": twin.normalize_phone,
    "normalize_timestamp": twin.normalize_timestamp,
    "normalize_money": twin.normalize_money,
    "clean_url": twin.clean_url,
    "scrub_text": twin.scrub_text,
    "sha256_hex": twin.sha256_hex,
    "md5_hex": twin.md5_hex,
}


@pytest.mark.parametrize("macro", TWINS)
def test_python_equals_sql_on_every_cell(engine, corpus, macro):
    cells = sorted(
        {
            value
            for file in ("customers.csv", "events.csv", "orders.csv", "collapse.csv")
            for row in corpus(file)
            for value in row.values()
        }
    )
    actual = engine.run(macro, cells)
    differences = [
        (cell, value, TWINS[macro](cell))
        for cell, value in zip(cells, actual, strict=True)
        if value != TWINS[macro](cell)
    ]
    assert differences == []
