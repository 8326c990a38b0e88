"""Which encoding a text file is in: UTF-8, what its first bytes say, or what is declared."""

import codecs
from pathlib import Path

from orchestration.landing.report import Refused

_BLOCK = 1024 * 1024
# Letters and marks of Windows-1252 that Western text has beyond ASCII. FE and FF are left
# out: they are leftovers of byte order marks far more often than letters.
_WESTERN = (set(range(0xC0, 0xFE)) - {0xD7, 0xF7}) | set(b"\x80\x8a\x8c\x8e\x92\x9a\x9c\x9e\x9f")
_WESTERN |= set(b"\xa0\xab\xb0\xbb")


def detect_encoding(path: Path, declared: str) -> tuple[str, list[str]]:
    """Python's name of the encoding to read with, and warnings. Raises ``Refused`` for an
    empty file and for one in Windows-1252 (Latin-1) that is not declared to be: its
    accented letters would otherwise be quarantined one by one, or read wrong."""
    with path.open("rb") as file:
        start = file.read(4)
    if not start:
        raise Refused("empty file")
    if start.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32", ["UTF-32, read as such"]
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16", ["UTF-16, read as such"]
    try:
        name = codecs.lookup(declared).name
    except LookupError:
        raise Refused("the declared csv.encoding is not known") from None
    if name != "utf-8":
        return name, []
    if not _is_utf8(path) and _looks_western(path):
        raise Refused(
            "not UTF-8 but, by the look of it, Windows-1252 (Latin-1): convert it, or declare"
            " config.meta.csv.encoding: windows-1252"
        )
    return "utf-8-sig", []


def _is_utf8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        try:
            while block := file.read(_BLOCK):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def _looks_western(path: Path) -> bool:
    """Whether all lines that are not UTF-8 are Western letters, and no other line has a
    letter beyond ASCII that is: a UTF-8 file with some damage has."""
    with path.open("rb") as file:
        for line in file:
            if line.isascii():
                continue
            try:
                line.decode()
            except UnicodeDecodeError:
                if not {byte for byte in line if byte >= 0x80} <= _WESTERN:
                    return False
            else:
                return False
    return True
