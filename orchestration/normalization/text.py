"""Text: invisible characters, case, width, words for nothing."""

import re
import unicodedata

SPACE = " \t\n\u000b\u000c\r\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
INVISIBLE = "\u00ad\u200b-\u200f\u202a\u202c\u2060-\u2064\u2066\u2068\u2069\ufeff"
DIRECTION = "\u202b\u202d\u202e\u2067"

_EDGES = re.compile(rf"\A[{SPACE}{INVISIBLE}]+|[{SPACE}{INVISIBLE}]+\Z")
_NOT_LATIN = re.compile("[^\u0001-\u024f\u0300-\u036f\u1e00-\u1eff\u2000-\u206f]")
_MARKS = re.compile("[\u0300-\u036f]+")
_WIDTH = {code + 0xFEE0: code for code in range(33, 127)} | {0x3000: 32, 0x3002: 46, 0xFF61: 46}
_PLACEHOLDER_WORDS = (
    "null", "[(]null[)]", "<null>", "#null!", r"[\\]n", "none", "[(]none[)]", "nan", "n/a",
    "#n/?a", "n[.]a[.]?", "#ref!", "#value!", "#name[?]", "undefined", r"\[object object\]",
    "unknown", "[(]unknown[)]", "inconnue?", "n[ée]ant", "aucune?", "anonym(?:ous|e)", "unbekannt",
    "desconocido", "sconosciuto", "onbekend", "not (?:set|available|provided|applicable)",
    "[(]not set[)]", "[(]blank[)]", "empty", "missing", "non renseign[ée]e?", "vide", "tests?",
    "tb[dac]", "to be defined", "todo", "x{2,}", "-?0+(?:[.]0+)?", "-1", "[-_.?*/#]+",
    "0{8}-0{4}-0{4}-0{4}-0{12}",
)  # fmt: skip
_NAME_PLACEHOLDER = re.compile(rf"(?:{'|'.join(_PLACEHOLDER_WORDS)})\Z")
_PLACEHOLDER = re.compile(rf"(?:{'|'.join(_PLACEHOLDER_WORDS)}|na|nil)\Z")


def nfc(text: str) -> str:
    """Unicode normal form C."""
    return unicodedata.normalize("NFC", text)


def lower_text(text: str) -> str:
    """Lower case with σ for every sigma and dotted İ as i with its dot."""
    return text.lower().replace("ς", "σ")


def fold_width(text: str) -> str:
    """Full-width ASCII to ASCII."""
    return text.translate(_WIDTH)


def strip_accents(text: str) -> str:
    """Latin text (in NFC) without accents; text with other scripts keeps its letters."""
    if _NOT_LATIN.search(text):
        return _MARKS.sub("", text)
    return nfc(_MARKS.sub("", unicodedata.normalize("NFD", text)))


def clean_text(text: str | None) -> str | None:
    """NFC without white space and invisible characters at the ends; None when empty."""
    return None if text is None else nfc(_EDGES.sub("", text)) or None


def null_if_placeholder(text: str | None, is_name: bool = False) -> str | None:
    """Cleaned text, None where it is a word for nothing; people may be called Na or Nil."""
    cleaned = clean_text(text)
    if cleaned is None:
        return None
    words = _NAME_PLACEHOLDER if is_name else _PLACEHOLDER
    return None if len(cleaned) <= 36 and words.match(lower_text(cleaned)) else cleaned
