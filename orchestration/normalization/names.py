"""Names: the form to show and the key to compare."""

import re

from orchestration.normalization.text import (
    SPACE,
    lower_text,
    nfc,
    null_if_placeholder,
    strip_accents,
)

_SPACES = re.compile(f"[{SPACE}]+")
_NOT_LETTER = re.compile(
    "[\u0001-`{-\u00a9\u00ab-\u00b4\u00b6-\u00b9\u00bb-\u00bf\u00d7\u00f7\u02b0-\u02ff"
    "\u2000-\u2bff\u2e00-\u2e7f\u3000-\u3004\u3008-\u3020\ufe00-\ufe0f\ufeff\uff00-\uff20"
    "\ufff0-\uffff\U0001f000-\U0001faff]+"
)
_LETTERS = str.maketrans(
    {"ø": "o", "đ": "d", "ð": "d", "ł": "l", "ı": "i", "œ": "oe", "æ": "ae", "ß": "ss", "þ": "th"}
)


def normalize_name(text: str | None) -> str | None:
    """Display form: one space between words, case and accents as typed."""
    return None if text is None else null_if_placeholder(_SPACES.sub(" ", text), is_name=True)


def name_key(text: str | None) -> str | None:
    """Comparison key: lower-case letters without Latin accents, nothing else."""
    if text is None:
        return None
    folded = lower_text(strip_accents(nfc(text))).translate(_LETTERS)
    return _NOT_LETTER.sub("", folded) or None
