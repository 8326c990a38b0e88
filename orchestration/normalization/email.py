"""E-mail addresses."""

import re

from orchestration.normalization.text import INVISIBLE, SPACE, fold_width, lower_text, nfc

_OTHER = (
    "\u00a1-\u00ac\u00ae-\u02af\u0300-\u167f\u1681-\u180d\u180f-\u1fff\u2c00-\u2dff"
    "\u3005-\ud7ff\uf900-\ufdff\U00010000-\U000dffff"
)
_ATOM = f"[a-z0-9!#$%&'*+/=?^_`{{|}}~{_OTHER}-]+"
_LABEL = f"[a-z0-9{_OTHER}](?:[a-z0-9{_OTHER}-]*[a-z0-9{_OTHER}])?"
_TOP = f"(?:[a-z{_OTHER}]{{2,}}|xn--[a-z0-9-]*[a-z0-9])"
_ADDRESS = re.compile(rf"{_ATOM}(?:[.]{_ATOM})*@(?:{_LABEL}[.])+{_TOP}\Z")
_QUOTE = "\"'`\u00b4\u00ab\u00bb\u2018\u2019\u201c\u201d"
_INVISIBLE = re.compile(f"[{INVISIBLE}]+")
_ANGLE = re.compile(rf"\A[^<>]*<([^<>]*)>[{SPACE};,.]*\Z")
_ENDS = re.compile(rf"\A[{SPACE}{_QUOTE}]*(?:mailto:)?[{SPACE}{_QUOTE}]*|[{SPACE}{_QUOTE};,.]+\Z")
_FOLDS_TO_ASCII = re.compile("[\u212a\u0130]")


def normalize_email(text: str | None) -> str | None:
    """One address to compare, its domain in ASCII; None when the text is not exactly one.

    Raises nothing: a domain that no name server could hold is None too.
    """
    if text is None or _FOLDS_TO_ASCII.search(text):
        return None
    folded = lower_text(nfc(_INVISIBLE.sub("", fold_width(text))))
    bare = _ENDS.sub("", _ANGLE.sub(r"\1", folded))
    if not _ADDRESS.match(bare):
        return None
    local, domain = bare.split("@")
    address = f"{local}@{domain_to_ascii(domain)}"
    too_long = len(address) > 254 or len(local) > 64
    return None if too_long or re.search("@(?:[^.]*[.])*[a-z0-9-]{64}", address) else address


def domain_to_ascii(domain: str) -> str:
    """Labels of other letters as punycode (RFC 3492), without the mappings of UTS 46."""
    return ".".join(
        label if label.isascii() else "xn--" + label.encode("punycode").decode()
        for label in domain.split(".")
    )
