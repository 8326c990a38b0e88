"""Templates: what is a placeholder, and numbers that stay the same number."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.destinations._template import BadValue, JsonTemplate, PathTemplate

NAMES = ["a", "b", "first.name", "$id", "Custom-Field"]
VALUES = {name: name.upper() for name in NAMES}


def rendered(text: str) -> str:
    return JsonTemplate(json.dumps(text), NAMES).render(VALUES)


def number(value: str) -> str:
    """As it is sent."""
    return json.dumps(JsonTemplate('"${a | number}"', NAMES).render({"a": value}))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${a}", "A"),
        ("${ a }${b}", "AB"),
        ("${first.name} ${$id} ${Custom-Field}", "FIRST.NAME $ID CUSTOM-FIELD"),
        ("$5, $a, $$ and 5$", "$5, $a, $$ and 5$"),
        ("$${a}{b}", "$A{b}"),
        ("{a} {% } #", "{a} {% } #"),
    ],
)
def test_a_placeholder_is_a_dollar_with_a_name_in_braces(text: str, expected: str) -> None:
    assert rendered(text) == expected


@pytest.mark.parametrize("text", ["${}", "${", "${a", "${a b}", "${a | }", "${a || b}", "${${a}}"])
def test_what_begins_like_a_placeholder_is_one(text: str) -> None:
    for template in (
        lambda: JsonTemplate(json.dumps(text), NAMES),
        lambda: PathTemplate("/" + text, NAMES),
    ):
        with pytest.raises(ValueError, match="written"):
            template()


def test_what_a_value_says_is_not_read_again() -> None:
    values = {"a": "${b}", "b": "secret"}
    assert JsonTemplate('"${a} ${a}"', NAMES).render(values) == "${b} ${b}"
    assert PathTemplate("/x/${a}?of=${b}", NAMES).render(values) == "/x/%24%7Bb%7D?of=secret"
    assert PathTemplate("/$metadata/${ a }", NAMES).render(VALUES) == "/$metadata/A"


# -- numbers


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("7", "7"),
        ("-7", "-7"),
        ("+7", "7"),
        ("1234567890123456789", "1234567890123456789"),
        ("-9223372036854775809", "-9223372036854775809"),
        ("9" * 400, "9" * 400),
        ("120.49", "120.49"),
        ("0.100000000000000000", "0.1"),
        ("12.0", "12.0"),
        (".5", "0.5"),
        ("5.", "5.0"),
        ("1e3", "1000.0"),
        ("1E+22", "1e+22"),
        ("0.30000000000000004", "0.30000000000000004"),
    ],
)
def test_a_number_stays_the_same_number(value: str, sent: str) -> None:
    assert number(value) == sent


@pytest.mark.parametrize(
    "value",
    [
        "1234567890123456.78",
        "1234567890123456789.5",
        "0.12345678901234567890",
        "1e-400",
        "1e400",
        "1e-99999999999999999999",
        "9" * 401,
        "nan",
        "inf",
        "-Infinity",
        "1_000",
        "1,5",
        "0x1f",
        " 7",
        "7 ",
        "7\n",
        "٣",
        "",
        "-",
        ".",
        "many",
    ],
)
def test_what_would_be_another_number_is_refused(value: str) -> None:
    with pytest.raises(BadValue, match="NOT_A_NUMBER"):
        number(value)


NUMBERS = st.one_of(
    st.integers(-(10**60), 10**60).map(str),
    st.decimals(allow_nan=False, allow_infinity=False, places=4).map(str),
    st.from_regex(r"[+-]?[0-9]{1,30}(\.[0-9]{0,30})?(e-?[0-9]{1,4})?", fullmatch=True),
    st.text(max_size=5),
)


@given(value=NUMBERS)
def test_what_is_sent_says_what_was_given(value: str) -> None:
    try:
        sent = number(value)
    except BadValue:
        return
    assert Decimal(sent) == Decimal(value)


@given(value=st.floats(allow_nan=False, allow_infinity=False))
def test_every_float_of_a_warehouse_is_sent(value: float) -> None:
    assert number(repr(value)) == json.dumps(value)


@pytest.mark.parametrize("text", ['"a ${a | number}"', '"${a | number} "', '"${a | number}${a}"'])
def test_a_filter_stands_alone_as_in_a_text_it_would_do_nothing(text: str) -> None:
    with pytest.raises(ValueError, match="in the middle of a text"):
        JsonTemplate(text, NAMES)
    with pytest.raises(ValueError, match="in the middle of a text"):
        PathTemplate("/people/${a | number}", NAMES)
