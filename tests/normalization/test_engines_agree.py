"""Both engines and the Python functions give the same for texts nobody thought of."""

from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration import normalization as twin

AS_OF = date(2026, 1, 1)

# Characters that normalisers treat specially, and neighbours of theirs that they must not.
SIGNS = (
    "aZ09zK kKıIİßẞœŒæøłđðþéÉe\u0301ñσςΣжЖй\u0439張张مح🎉\u200d\U0001f468ﬁＡａ１＠．。"
    " \t\n\r\u00a0\u202f\u3000\u200b\u200c\ufeff\u00ad\u202a\u202c\u202e\u2066\u2069\u2028"
    "\"'`’“«<>()[]{}|\\/:;,.!?#$%&*+-=_~^@€\u0660\u0665\u06f9\u0967\u2010\u2212\u0001\u0085"
)
WORDS = {
    "text": [
        "null", "N/A", "#n/a", "-", "--", "0", "test", "inconnu", "Néant", '\\N', "xxx", "na",
    ],
    "email": [
        "chloe", "@", "example", ".fr", ".", "mailto:", "<", ">", "bücher", "xn--bcher-kva", "ü",
        "\xfc\u0301", "İ", "K", "+tag", "..", ";", "a-b", "x" * 64, "\u202e",
    ],
    "phone": [
        "06", "39", "98", "00", "41", "+33", "0033", "(0)", "+44", "7700900123", "33", "0", " / ",
        " poste 12", "x5", ".0", "E+10", "tel:", "'", "٠٦", "０６", "+", "+1", "202555",
    ],
    "time": [
        "2024-05-01", "2024-02-29", "2023-02-29", "T", " ", "10:00:00", "23:59:60", "24:00:00",
        "24:00", "12:30", ".123456789", ".5", ",25", "Z", "z", "+02:00", "-1000", "+14", "+15:00",
        " UTC", "1714557600", "1714557600000", "31/12/1985", "12/31/1985", "3/4/1985", "19851231",
        "20240501T100000", "infinity", "1970-01-01", "1900-01-01", "0", "'", "2999-12-31",
        "1832-02-29", "1800-02-29", "0999-12-31",
    ],
    "money": [
        "1", "0", "12", "234", ".", ",", "-", "+", "56", "e5", "0x", "_", "\u202f", "005", "9" * 15,
        "9" * 16, "NaN", "€",
    ],
    "web": [
        "https://", "boutique.example", "/", "p", "?", "&", "#", "utm_source=", "utm_campaign=",
        "gclid=", "sid=", "a@b.fr", "%40", "a%40b.fr", "user:pw@", "%20", "+", "%C3%A9", "%ff", "é",
    ],
    "private": [
        "a@b.fr", "jean.dupont@example.fr", "4111 1111 1111 1111", "4111111111111111", "FR76",
        "3000 6000 0112 3456 7890 189", "+33 6 39 98 00 41", "06.39.98.00.41", "2024-05-01", " ",
        ",", "1714557600000", "ref 12345",
    ],
    "json": [
        "{", "}", "[", "]", ":", ",", '"a"', '"b"', '"\\u0000"', '"\\ud83d\\ude00"', '"\\ud83d"',
        "1", "-0.5e+3", "01", "1.", "NaN", "true", "null", " ", '"é"', '"\\""', '"\\x"', "\t",
        '"\n"', '{"a":',
    ],
}  # fmt: skip


def texts(kind: str) -> st.SearchStrategy[list[str]]:
    """Batches of texts made of a kind's words and of odd characters."""
    part = st.sampled_from(WORDS[kind]) | st.sampled_from(SIGNS)
    text = st.lists(part, max_size=9).map("".join)
    return st.lists(text, min_size=1, max_size=60, unique=True)


MACROS = [
    ("clean_text", "text", twin.clean_text),
    ("null_if_placeholder", "text", twin.null_if_placeholder),
    ("normalize_name", "text", twin.normalize_name),
    ("name_key", "text", twin.name_key),
    ("lower_text", "text", None),
    ("strip_accents", "text", None),
    ("fold_width", "text", None),
    ("sha256_hex", "text", twin.sha256_hex),
    ("record_key", "text", lambda text: twin.record_key("crm", text)),
    ("normalize_email", "email", twin.normalize_email),
    ("normalize_phone_home", "phone", twin.normalize_phone),
    ("normalize_birth_date", "time", lambda text: twin.normalize_birth_date(text, AS_OF)),
    (
        "normalize_birth_date_in_1850",
        "time",
        lambda text: twin.normalize_birth_date(text, date(1850, 6, 1)),
    ),
    ("normalize_timestamp", "time", twin.normalize_timestamp),
    ("normalize_money", "money", twin.normalize_money),
    ("normalize_money_thousandths", "money", lambda text: twin.normalize_money(text, scale=3)),
    ("normalize_money_fr", "money", None),
    ("normalize_money_us", "money", None),
    ("normalize_gender", "text", None),
    ("normalize_boolean", "text", None),
    ("normalize_status", "text", None),
    ("normalize_country", "text", None),
    ("normalize_language", "text", None),
    ("normalize_currency", "text", None),
    ("normalize_postcode", "phone", None),
    ("clean_url", "web", twin.clean_url),
    ("scrub_text", "private", twin.scrub_text),
    ("is_valid_json", "json", None),
]


@pytest.mark.parametrize(("macro", "kind", "function"), MACROS, ids=[m[0] for m in MACROS])
def test_same_everywhere(on_duckdb, on_postgres, macro, kind, function):
    @settings(
        max_examples=25,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(texts(kind))
    def check(batch):
        first, second = on_duckdb.run(macro, batch), on_postgres.run(macro, batch)
        third = [function(text) for text in batch] if function else first
        differences = [
            row for row in zip(batch, first, second, third, strict=True) if len(set(row[1:])) > 1
        ]
        assert differences == []

    check()


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(st.lists(st.text("aßéüжσ張مк-🎉\u0301", min_size=1, max_size=12), min_size=1, max_size=40))
def test_punycode_is_that_of_the_standard_library(on_duckdb, on_postgres, labels):
    expected = [
        label if label.isascii() else "xn--" + label.encode("punycode").decode() for label in labels
    ]
    assert on_duckdb.run("domain_to_ascii", labels) == expected
    assert on_postgres.run("domain_to_ascii", labels) == expected


@pytest.mark.parametrize(
    "label", ["\U000270f8\U00027100", "\U00027000\U00027100", "a\U000d0000z" * 9]
)
def test_punycode_where_its_bias_turns(on_duckdb, on_postgres, label):
    """The first delta of the first label scales to 456, where one division more is due."""
    expected = "xn--" + label.encode("punycode").decode()
    assert on_duckdb.value("domain_to_ascii", label) == expected
    assert on_postgres.value("domain_to_ascii", label) == expected
