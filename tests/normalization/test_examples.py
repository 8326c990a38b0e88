"""The documented choices, one example each."""

import pytest

PARIS = "Europe/Paris"
TAGS = "utm_id=1&gclid=2&dclid=3&wbraid=4&gbraid=5&msclkid=6&fbclid=7&ttclid=8&utm_term=%20é"
EXAMPLES = [
    # E-mail: what is taken off, folded, kept apart, refused.
    ("normalize_email", "Jean Dupont <JEAN@Example.fr>; ", "jean@example.fr"),
    ("normalize_email", "A <a@example.fr>, B <b@example.fr>", None),
    ("normalize_email", "m.a.rie+promo@gmail.com", "m.a.rie+promo@gmail.com"),
    ("normalize_email", "ÉMILE@example.fr", "émile@example.fr"),
    ("normalize_email", "i\u0307sa@example.com", "i\u0307sa@example.com"),
    ("normalize_email", "a@münchen.bücher.example", "a@xn--mnchen-3ya.xn--bcher-kva.example"),
    ("normalize_email", "a@例え.テスト", "a@xn--r8jz45g.xn--zckzah"),
    ("normalize_email", ".dot@example.com", None),
    ("normalize_email", "two..dots@example.com", None),
    ("normalize_email", "a@b", None),
    ("normalize_email", "a@-b.example", None),
    ("normalize_email", "a b@example.com", None),
    ("normalize_email", f"{'a' * 64}@example.com", f"{'a' * 64}@example.com"),
    ("normalize_email", f"{'a' * 65}@example.com", None),
    ("normalize_email", f"a@{'b' * 64}.example", None),
    ("normalize_email", f"a@{('b' * 60 + '.') * 5}example", None),
    ("email_domain", "Jean@Example.fr", "example.fr"),
    ("email_local_part", "Jean@Example.fr", "jean"),
    # Phones: the country of the record, trunk prefixes, what is never guessed.
    ("normalize_phone", ("07700 900123", "GB"), "+447700900123"),
    ("normalize_phone", ("+44 (0)7700 900123", "FR"), "+447700900123"),
    ("normalize_phone", ("07700 900123", "FR"), None),
    ("normalize_phone", ("030/901820", "DE"), "+4930901820"),
    ("normalize_phone", ("30901820", "DE"), None),
    ("normalize_phone", ("030 123 / 456", "DE"), None),
    ("normalize_phone", ("912 345 678", "PT"), "+351912345678"),
    ("normalize_phone", ("4930901820", "DE"), "+4930901820"),
    ("normalize_phone", ("06 1234 5678", "IT"), "+390612345678"),
    ("normalize_phone", ("393331234567", "IT"), "+393331234567"),
    ("normalize_phone", ("0475 12 34 56", "BE"), "+32475123456"),
    ("normalize_phone", ("(202) 555-0101", "US"), "+12025550101"),
    ("normalize_phone", ("612 34 56 78", "ES"), "+34612345678"),
    ("normalize_phone", ("079 123 45 67", "CH"), "+41791234567"),
    ("normalize_phone", ("06 39 98 00 41", "ZZ"), "+33639980041"),
    ("normalize_phone", ("06 39 98 00 41", None), "+33639980041"),
    ("normalize_phone", ("tel: 06-39-98-00-41", "FR"), "+33639980041"),
    ("normalize_phone", ("06.39.98.00", "FR"), None),
    ("normalize_phone", ("6.3998E+08", "FR"), None),
    ("normalize_phone", ("+33639980041/42", "FR"), None),
    ("normalize_phone", ("+3363998004123", "FR"), None),
    ("normalize_phone", ("+81 90 1234 5678", "FR"), "+819012345678"),
    # Names.
    ("normalize_name", "  Jean \u00a0 François\n", "Jean François"),
    ("normalize_name", "-", None),
    ("normalize_name", "Na", "Na"),
    ("null_if_placeholder", "NA", None),
    ("name_key", "Jean-Franc\u0327ois", "jeanfrancois"),
    ("name_key", "O’Brien Jr 2", "obrienjr"),
    ("name_key", "Œuvrard-Weiß", "oeuvrardweiss"),
    ("name_key", "Łukasz Ægir Þór", "lukaszaegirthor"),
    ("name_key", "Алексей", "алексей"),
    ("name_key", "张", "张"),
    ("name_key", "🎉 42", None),
    # Dates and times.
    ("normalize_birth_date", "3/4/1985", "1985-04-03"),
    ("normalize_birth_date", "1985/12/31", "1985-12-31"),
    ("normalize_birth_date", "19851231", "1985-12-31"),
    ("normalize_birth_date", "31.12.1985", "1985-12-31"),
    ("normalize_birth_date", "1906-01-01", "1906-01-01"),
    ("normalize_birth_date", "1905-12-31", None),
    ("normalize_birth_date", "2026-01-01", "2026-01-01"),
    ("normalize_birth_date", "2026-01-02", None),
    ("normalize_birth_date_in_1850", "1832-02-29", "1832-02-29"),
    ("normalize_birth_date_in_1850", "1800-02-29", None),
    ("normalize_birth_date_in_1850", "1600-02-29", None),
    ("normalize_birth_date_in_1850", "1730-06-01", "1730-06-01"),
    ("normalize_birth_date_in_1850", "1730-05-31", None),
    ("normalize_birth_date_in_1850", "1850-06-02", None),
    ("normalize_timestamp", "2024-05-01", "2024-05-01 00:00:00"),
    ("normalize_timestamp", "2024-05-01 10:00", "2024-05-01 10:00:00"),
    ("normalize_timestamp", "2024-05-01T10:00:00+0530", "2024-05-01 04:30:00"),
    ("normalize_timestamp", "2024-05-01 10:00:00.5-02", "2024-05-01 12:00:00.500000"),
    ("normalize_timestamp", "20240501T100000Z", "2024-05-01 10:00:00"),
    ("normalize_timestamp", "01/05/2024 10:00", "2024-05-01 10:00:00"),
    ("normalize_timestamp", "2024-05-01 10:00:00 UTC", "2024-05-01 10:00:00"),
    ("normalize_timestamp", "1714557600.25", "2024-05-01 10:00:00.250000"),
    ("normalize_timestamp", "1714557600123456", "2024-05-01 10:00:00.123456"),
    ("normalize_timestamp", "1714557600123456789", "2024-05-01 10:00:00.123456"),
    ("normalize_timestamp", "2100-02-29 00:00:00", None),
    ("normalize_timestamp", "2024-05-01T10:00:00+15:00", None),
    ("normalize_timestamp", "0", None),
    ("local_to_utc", ("2024-07-01 12:00:00", PARIS), "2024-07-01 10:00:00"),
    ("local_to_utc", ("2024-01-01 12:00", PARIS), "2024-01-01 11:00:00"),
    ("local_to_utc", ("2024-07-01T12:00:00Z", PARIS), "2024-07-01 12:00:00"),
    ("local_to_utc", ("2024-07-01T12:00:00-04:00", PARIS), "2024-07-01 16:00:00"),
    ("local_to_utc", ("1714557600", PARIS), "2024-05-01 10:00:00"),
    ("local_to_utc", ("2024-07-01 24:00:00", PARIS), "2024-07-01 22:00:00"),
    ("local_to_utc", ("1970-01-01 00:00:00", PARIS), None),
    ("from_utc", ("2023-12-31 23:30:00", PARIS), "2024-01-01 00:30:00"),
    # Amounts and codes.
    ("normalize_money", " 1234.565 ", "1234.57"),
    ("normalize_money", "-0.005", "-0.01"),
    ("normalize_money", "0.00499999999999", "0.00"),
    ("normalize_money", "999999999999999.995", "1000000000000000.00"),
    ("normalize_money", "1000000000000000", None),
    ("normalize_money_thousandths", "1.2345", "1.235"),
    ("normalize_money_fr", "1 234,56", "1234.56"),
    ("normalize_money_fr", "12.34,5", None),
    ("normalize_money_us", "1,234.56", "1234.56"),
    ("normalize_currency", " eur ", "EUR"),
    ("normalize_currency", "$", None),
    ("normalize_country", "États-Unis", "US"),
    ("normalize_country", "uk", "GB"),
    ("normalize_country", "xx", None),
    ("normalize_language", "fr-CA", "fr"),
    ("normalize_language", "Français", "fr"),
    ("normalize_gender", "Mme", "f"),
    ("normalize_gender", "Monsieur", "m"),
    ("normalize_gender", "Männlich", "m"),
    ("normalize_gender", "9", None),
    ("normalize_boolean", "OUI", True),
    ("normalize_boolean", "0", False),
    ("normalize_boolean", "maybe", None),
    ("normalize_status", "Annulé", "cancelled"),
    ("normalize_postcode", ("1000", "FR"), "01000"),
    ("normalize_postcode", ("75001.0", "FR"), "75001"),
    ("normalize_postcode", ("sw1a1aa", "GB"), "SW1A 1AA"),
    ("normalize_postcode", ("1234ab", "NL"), "1234 AB"),
    ("normalize_postcode", ("L-1234", "LU"), "1234"),
    ("normalize_postcode", ("123456789", "US"), "12345-6789"),
    ("normalize_postcode", ("75", "FR"), None),
    ("normalize_postcode", ("110 00", "CZ"), "110 00"),
    # Addresses of pages and free text.
    ("clean_url", "https://user:pw@shop.example/p#top", "https://shop.example/p"),
    ("clean_url", "https://shop.example/u/a@b.fr/x?sid=1", "https://shop.example/u/[email]/x"),
    ("clean_url", "https://shop.example/?utm_source=a%40b.fr&utm_medium=x",
     "https://shop.example/?utm_medium=x"),
    ("clean_url", "https://shop.example/?a=1&gclid=z&b=2&&utm_id=3",
     "https://shop.example/?gclid=z&utm_id=3"),
    ("clean_url", "https://shop.example/?phone=0639980041", "https://shop.example/"),
    ("clean_url", "", None),
    ("clean_url", f"https://s.example/?{TAGS}&id=1#x", f"https://s.example/?{TAGS}"),
    ("clean_url", f"https://s.example/?{TAGS}", f"https://s.example/?{TAGS}"),
    ("scrub_text", "Call +33 6 39 98 00 41 or a.b@c.fr!", "Call [phone] or [email]!"),
    ("scrub_text", "card 4111-1111-1111-1111, 2024-05-01", "card [card], 2024-05-01"),
    ("scrub_text", "IBAN FR76 3000 6000 0112 3456 7890 189", "IBAN [iban]"),
    ("is_valid_json", '{"a": [1, {"b": "\\u00e9"}]}', True),
    ("is_valid_json", '{"a": 1,}', False),
    ("is_valid_json", "", False),
    ("record_key", " 0042 ", "crm:0042"),
    ("record_key_of_odd_source", "1:2", "a%3Ab%25:1:2"),
    ("record_key_of", ("b:c", "a:%"), "a%3A%25:b:c"),
    ("sha256_hex", "é", "4a99557e4033c3539de2eb65472017cad5f9557f7a0625a09f1c3f6e2ba69c4c"),
]  # fmt: skip


@pytest.mark.parametrize(("macro", "given", "expected"), EXAMPLES)
def test_example(engine, macro, given, expected):
    columns = given if isinstance(given, tuple) else (given,)
    value = engine.value(macro, *columns)
    typed = value if value is None or isinstance(value, bool | int) else str(value)
    assert typed == expected


@pytest.mark.parametrize("macro", ["normalize_email", "normalize_phone", "normalize_timestamp"])
def test_null_is_null(engine, macro):
    assert engine.value(macro, None) is None


def test_a_value_that_cannot_be_is_never_the_newest(engine):
    day = "2024-05-01 10:00:00"
    rows = {
        "offline for three days": (day, "2024-05-04 10:00:00", "2024-05-04 10:00:01"),
        "happened after it was sent": ("2024-05-02 10:00:00", day, day),
        "five minutes ahead": ("2024-05-01 10:05:00", None, day),
        "six minutes ahead": ("2024-05-01 10:06:00", None, day),
        "a year late": ("2023-04-29 10:00:00", None, day),
        "never received": (day, None, None),
        "nothing known": (None, None, None),
    }
    bad = dict(zip(rows, engine.run("has_bad_time", list(rows.values())), strict=True))
    assert [name for name, is_bad in bad.items() if is_bad] == [
        "happened after it was sent",
        "six minutes ahead",
        "a year late",
        "nothing known",
    ]
    times = dict(zip(rows, engine.run("event_time", list(rows.values())), strict=True))
    assert str(times["offline for three days"]) == "2024-05-01 10:00:01"
    assert str(times["six minutes ahead"]) == "2024-05-01 10:00:00"
    assert times["nothing known"] is None
