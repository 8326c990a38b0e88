"""Personal data taken out of addresses and free text."""

import re

_KEPT = re.compile(r"(?:utm_|(?:gclid|dclid|wbraid|gbraid|msclkid|fbclid|ttclid)=)")
_CONTROL = re.compile("[\u0001-\u0020\u007f]+")
_USER = re.compile(r"\A([a-zA-Z][a-zA-Z0-9+.-]*://|//)[^/]*@")
_ADDRESS_IN_PATH = re.compile("[^/@%]+(?:@|%40)[^/]*")

_WORD = "[^][ \t\r\n<>\"'`,;:(){}|=&?/@!"
_GAP = "[ .\u00a0\u202f-]?"
_EDGE = r"(\A|[^0-9A-Za-z])"
_MARKS = tuple(
    (re.compile(pattern), mark)
    for pattern, mark in (
        (f"{_WORD}]+(?:@|%40){_WORD}]*{_WORD}.]", "[email]"),
        (_EDGE + "[A-Z]{2}[0-9]{2}(?: ?[0-9A-Z]{4}){3,7}(?: ?[0-9A-Z]{1,4})?", r"\1[iban]"),
        (_EDGE + f"[3-6][0-9]{{3}}(?:{_GAP}[0-9]){{9,15}}", r"\1[card]"),
        (_EDGE + "(?:[+]|00)[1-9](?:[ .()/\u00a0\u202f-]{0,3}[0-9]){7,14}", r"\1[phone]"),
        (_EDGE + f"0[1-9](?:{_GAP}[0-9]{{2}}){{4}}", r"\1[phone]"),
    )
)


def scrub_text(text: str | None) -> str | None:
    """Free text with e-mail addresses, bank accounts, cards and phones replaced by a mark."""
    for pattern, mark in _MARKS:
        text = None if text is None else pattern.sub(mark, text)
    return text


def clean_url(text: str | None) -> str | None:
    """A web address without user, fragment and parameters other than campaign tags."""
    if text is None:
        return None
    printable = _CONTROL.sub("", text).split("#")[0]
    page, _, query = printable.partition("?")
    page = _ADDRESS_IN_PATH.sub("[email]", _USER.sub(r"\1", page))
    kept = [part for part in query.split("&") if _KEPT.match(part) and not re.search("@|%40", part)]
    return page + ("?" + "&".join(kept) if kept else "") or None
