"""Phone numbers in E.164."""

import re
from typing import NamedTuple

from orchestration.normalization.text import DIRECTION, INVISIBLE, SPACE


class Plan(NamedTuple):
    """A country's numbering plan, as in macro `phone_plans`."""

    code: str
    national: str
    trunk: str
    bare: bool


PHONE_PLANS = {
    "FR": Plan("33", "[1-9][0-9]{8}", "0", True),
    "GB": Plan("44", "(?:1[0-9]{8,9}|[235789][0-9]{9})", "0", True),
    "DE": Plan("49", "[1-9][0-9]{5,10}", "0", False),
    "ES": Plan("34", "[5-9][0-9]{8}", "", True),
    "IT": Plan("39", "(?:0[0-9]{5,10}|3[0-9]{8,9}|8[0-9]{5,9})", "", True),
    "CH": Plan("41", "[2-9][0-9]{8}", "0", True),
    "BE": Plan("32", "(?:[1-9][0-9]{7}|4[0-9]{8})", "0", True),
    "NL": Plan("31", "[1-9][0-9]{8}", "0", True),
    "LU": Plan("352", "(?:[24-9][0-9]{4,8}|6[0-9]{8})", "", True),
    "PT": Plan("351", "[2-9][0-9]{8}", "", True),
    "AT": Plan("43", "[1-9][0-9]{5,12}", "0", False),
    "IE": Plan("353", "[1-9][0-9]{6,8}", "0", False),
    "DK": Plan("45", "[2-9][0-9]{7}", "", True),
    "SE": Plan("46", "[1-9][0-9]{6,8}", "0", False),
    "NO": Plan("47", "[2-9][0-9]{7}", "", True),
    "FI": Plan("358", "[1-9][0-9]{4,10}", "0", False),
    "PL": Plan("48", "[1-9][0-9]{8}", "", True),
    "CZ": Plan("420", "[2-9][0-9]{8}", "", True),
    "SK": Plan("421", "[2-9][0-9]{8}", "0", True),
    "RO": Plan("40", "[2-9][0-9]{8}", "0", True),
    "GR": Plan("30", "[2-9][0-9]{9}", "", True),
    "MC": Plan("377", "[3-9][0-9]{7,8}", "0", True),
    "GP": Plan("590", "[1-9][0-9]{8}", "0", True),
    "MQ": Plan("596", "[1-9][0-9]{8}", "0", True),
    "GF": Plan("594", "[1-9][0-9]{8}", "0", True),
    "RE": Plan("262", "[1-9][0-9]{8}", "0", True),
    "MA": Plan("212", "[5-8][0-9]{8}", "0", True),
    "DZ": Plan("213", "[1-9][0-9]{7,8}", "0", False),
    "TN": Plan("216", "[2-9][0-9]{7}", "", True),
    "TR": Plan("90", "[2-9][0-9]{9}", "0", True),
    "US": Plan("1", "[2-9][0-9]{2}[2-9][0-9]{6}", "", True),
    "CA": Plan("1", "[2-9][0-9]{2}[2-9][0-9]{6}", "", True),
    "AU": Plan("61", "[1-9][0-9]{8}", "0", True),
    "JP": Plan("81", "[1-9][0-9]{8,9}", "0", False),
    "IN": Plan("91", "[1-9][0-9]{9}", "0", True),
    "BR": Plan("55", "[1-9][0-9]{9,10}", "0", True),
    "MX": Plan("52", "[1-9][0-9]{9}", "", True),
}
# Assigned calling codes without a plan above, with 5 to 11 digits behind them.
_OTHERS = (
    "(?:20|21[18]|22[0-9]|23[0-9]|24[0-9]|25[0-8]|26[013-9]|27|29[01789]|35[045679]|36|37[0-689]"
    "|38[0-35-79]|423|5[134678]|50[0-9]|59[1235789]|6[02-6]|67[02-9]|68[0-35-9]|69[0-2]|7|82|84"
    "|85[02356]|86|88[06]|92|93|94|95|96[0-8]|97[0-79]|98|99[2-68])[0-9]{5,11}"
)
_VALID = re.compile(
    r"[+](?:" + "|".join(p.code + p.national for p in PHONE_PLANS.values()) + rf"|{_OTHERS})\Z"
)
_FOREIGN_DIGITS = {
    first + digit: str(digit) for first in (0x660, 0x6F0, 0x966, 0xFF10) for digit in range(10)
} | dict(zip((0xFF0B, 0xFF08, 0xFF09, 0xFF0D, 0xFF0E, 0xFF0F), "+()-./", strict=True))
_INVISIBLE = re.compile(f"[{INVISIBLE}{DIRECTION}]+")
_GAP = " ()./\u2010-\u2015\u2212-"
_STEPS = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (f"[{SPACE}]+", " "),
        (" / ", "?"),
        ("\\A[ '\u2019]*(?:tel[.: ]*)?", ""),
        (r"[ .,]*(?:extension|ext|poste|x|#)[.: ]*[0-9]{1,6} *\Z", ""),
        (r"\A([+]?[0-9]{7,15})[.]0\Z", r"\1"),
        (rf"\A.*[^0-9+{_GAP}].*\Z", ""),
        (f"[{_GAP}]+", ""),
        (r"\A00", "+"),
        (r"\A[+](" + "|".join(p.code for p in PHONE_PLANS.values() if p.trunk) + ")0", r"+\1"),
    )
)


def normalize_phone(
    text: str | None, country: str | None = None, default_country: str = "FR"
) -> str | None:
    """E.164 where the number is certain, else None; `country` reads numbers without +."""
    if text is None:
        return None
    digits = _INVISIBLE.sub("", text).translate(_FOREIGN_DIGITS).lower()
    for pattern, replacement in _STEPS:
        digits = pattern.sub(replacement, digits)
    plan = PHONE_PLANS.get(country or default_country, PHONE_PLANS[default_country])
    if digits.startswith("+"):
        candidates = [digits]
    elif plan.trunk and digits.startswith("0"):
        candidates = [f"+{plan.code}{digits[1:]}"]
    else:
        candidates = [f"+{plan.code}{digits}"] if plan.bare else []
    if digits.startswith(plan.code):
        candidates.append(f"+{digits}")
    return next((number for number in candidates if _VALID.match(number)), None)
