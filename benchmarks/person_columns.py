"""Which columns of a person file fill which canonical ones."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

Mapping = dict[str, tuple[str, ...]]
"""By canonical column: the columns of the file whose values, joined by a space, fill it."""


class PersonFileError(ValueError):
    """A file or a mapping that cannot be used; the text says why."""


def split_outside_quotes(text: str, separator: str, most: int = -1) -> list[str]:
    """The parts of a text between separators that are neither in double quotes nor after a
    backslash; quotes and backslashes stay. ``most``: of splits. Raises ``PersonFileError``."""
    parts, start, quoted, place = [], 0, False, 0
    while place < len(text):
        character = text[place]
        if character == "\\":
            place += 1
        elif character == '"':
            quoted = not quoted
        elif character == separator and not quoted and len(parts) != most:
            parts.append(text[start:place])
            start = place + 1
        place += 1
    if quoted:
        raise PersonFileError(f"a quote is not closed in '{text}'")
    return [*parts, text[start:]]


def unquoted(text: str) -> str:
    """A name of ``--map`` without its quotes and backslashes."""
    return re.sub(r'\\(.)|"', lambda found: found[1] or "", text.strip())


def mapping_text(mapping: Mapping) -> str:
    """What ``--map`` is told to have this mapping."""
    return ",".join(
        f"{name}={'+'.join(map(_quoted, columns))}" for name, columns in mapping.items()
    )


def _quoted(name: str) -> str:
    escaped = re.sub(r'(["\\])', r"\\\1", name)
    return f'"{escaped}"' if re.search(r"[,+=\s]", name) else escaped


def _folded(name: str) -> str:
    """A column's name however it is written: case, white space, byte order marks aside."""
    plain = unicodedata.normalize("NFC", name.replace("\ufeff", ""))
    return " ".join(plain.split()).casefold()


def find_columns(file: str, header: Sequence[str], wanted: Sequence[str]) -> dict[str, int]:
    """Where the wanted columns are, by name: a column of that very name, or the only one that
    differs in case and white space alone. Raises ``PersonFileError``."""
    places, absent = {}, []
    for name in wanted:
        found = [place for place, column in enumerate(header) if column == name]
        found = found or [p for p, column in enumerate(header) if _folded(column) == _folded(name)]
        if not found:
            absent.append(name)
        elif len(found) > 1:
            columns = ", ".join(repr(header[place]) for place in found)
            raise PersonFileError(f"{file} has two columns {name!r}: {columns}")
        else:
            places[name] = found[0]
    if absent:
        raise PersonFileError(
            f"{file} has no column {', '.join(map(repr, absent))};"
            f" its columns are {', '.join(header)}"
        )
    return places
