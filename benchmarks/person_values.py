"""What programs write instead of a value: words for nothing, and whole numbers as fractions.

Facts about files, not about people: a value is put right before the project's own normalisers see
it, and each column is told how many were.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

# Of exports and programs, and what people type. Without letter and digit: "-", "--", "?".
_NOTHING = re.compile(
    r"[\W_]*|[(<]?null[)>]?|#null!|[(<\[]?none[)>\]]?|nan|nat|<na>|n/a|#n/?a|n\.a\.?|\\n|undefined"
    r"|[(<]?unknown[)>]?|not (?:available|known|provided|applicable|specified)|missing|[(]blank[)]",
    re.IGNORECASE,
)
# People are called Na and Nil, and NA is Namibia.
_NOTHING_BUT_A_NAME = re.compile("na|nil", re.IGNORECASE)
MAY_BE_NA = ("first_name", "last_name", "full_name", "country")

# Three noughts are thousands: 12.000 is no 12.
_FRACTION = re.compile(r"(-?[0-9]+)\.(?:0{1,2}|0{4,})")
# One digit before the point, and a point or a sign: the id 12E4 is none of these.
_EXPONENT = re.compile(r"-?[0-9](?:\.([0-9]+)[eE]\+?|[eE]\+)([0-9]{1,2})")
LOST_DIGITS = 3
"""So many noughts at the end may be a number's own; more are digits that a spreadsheet cut off."""


def is_nothing(value: str, name: str) -> bool:
    """Whether a value of the canonical column ``name`` is a word for nothing."""
    if _NOTHING.fullmatch(value):
        return True
    return name not in MAY_BE_NA and bool(_NOTHING_BUT_A_NAME.fullmatch(value))


def as_whole(value: str) -> str:
    """12 of 12.0 and 33612345678 of 3.3612345678e+10; any other text as it is, and so a number
    whose digits were cut off (3.36E+10): many people have it in common."""
    if fraction := _FRACTION.fullmatch(value):
        return fraction[1]
    if (exponent := _EXPONENT.fullmatch(value)) and not is_cut(value):
        places = int(exponent[2]) - len(exponent[1] or "")
        return str(int(Decimal(value))) if places >= 0 else value
    return value


def is_cut(value: str) -> bool:
    """Whether a number has lost its last digits to an exponent: 3.36E+10."""
    exponent = _EXPONENT.fullmatch(value)
    # 1e+05 is how R writes 100000.
    return bool(exponent and exponent[1]) and int(exponent[2]) - len(exponent[1]) > LOST_DIGITS


def rewritten(
    column: pa.ChunkedArray, write: Callable[[str], str | None]
) -> tuple[pa.ChunkedArray, int]:
    """The text column with ``write`` done to every value, and how many values it made null. Each
    distinct value is looked at once."""
    coded = pc.dictionary_encode(column).combine_chunks()
    written = pa.array([write(value) for value in coded.dictionary.to_pylist()], pa.string())
    result = written.take(coded.indices)
    return pa.chunked_array([result]), result.null_count - column.null_count


def as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Any column of Parquet as text: whole numbers as such, dates ISO. Raises
    ``pa.ArrowException`` for nested ones."""
    if pa.types.is_floating(column.type):
        return pa.chunked_array([_text_of_floats(chunk) for chunk in column.chunks], pa.string())
    text = column.cast(pa.string())
    if pa.types.is_decimal(column.type) and column.type.scale > 0:
        return pc.replace_substring_regex(text, r"\.0+$", "")
    return text


def _text_of_floats(floats: pa.Array) -> pa.Array:
    values = floats.cast(pa.float64()).to_numpy(zero_copy_only=False)
    with np.errstate(invalid="ignore"):
        is_whole = (np.abs(values) < 2**63) & (np.floor(values) == values)
    whole = pa.array(np.where(is_whole, values, 0).astype(np.int64)).cast(pa.string())
    return pc.if_else(pa.array(is_whole), whole, floats.cast(pa.string()))
