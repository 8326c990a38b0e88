"""Columns of text, built for whole arrays at once.

Two ways make a column of millions of rows cheap: characters are written as a byte matrix
(shape rows x width) and become an Arrow string array without a copy per row, or the column is a
dictionary array whose few distinct texts are written once. Nothing here loops over rows.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

Column = pa.Array | pa.ChunkedArray

MICROSECONDS = 1_000_000
DAY = 86_400 * MICROSECONDS
HOUR = 3_600 * MICROSECONDS
MINUTE = 60 * MICROSECONDS

_HEX = np.frombuffer(b"".join(b"%02x" % i for i in range(256)), dtype=np.uint8).reshape(256, 2)
_FIRST_DAY = -36_525  # 1870-01-01 in days since 1970
_LAST_DAY = 36_525
_DATES = np.frombuffer(
    np.arange(_FIRST_DAY, _LAST_DAY).astype("datetime64[D]").astype("S10").tobytes(), dtype=np.uint8
).reshape(-1, 10)


def _clock_table() -> np.ndarray:
    seconds = np.arange(86_400)
    parts = (seconds // 3600, seconds // 60 % 60, seconds % 60)
    table = np.full((86_400, 8), ord(":"), dtype=np.uint8)
    for position, part in zip((0, 3, 6), parts, strict=True):
        table[:, position] = part // 10 + 48
        table[:, position + 1] = part % 10 + 48
    return table


_CLOCK = _clock_table()


def digits(values: np.ndarray, width: int) -> np.ndarray:
    """Decimal digits of non-negative integers, zero-padded: shape (n, width), ASCII codes."""
    powers = 10 ** np.arange(width - 1, -1, -1, dtype=np.int64)
    return (np.asarray(values, dtype=np.int64)[:, None] // powers % 10 + 48).astype(np.uint8)


def from_matrix(matrix: np.ndarray, missing: np.ndarray | None = None) -> pa.StringArray:
    """An Arrow string array of the rows of a byte matrix; `missing` marks the nulls."""
    matrix = np.ascontiguousarray(matrix, dtype=np.uint8)
    rows, width = matrix.shape
    offsets = np.arange(rows + 1, dtype=np.int64) * width
    wide = pa.LargeStringArray if rows * width > 2**31 - 1 else pa.StringArray
    offset_type = np.int64 if wide is pa.LargeStringArray else np.int32
    validity = None
    if missing is not None:
        validity = pa.py_buffer(np.packbits(~missing, bitorder="little").tobytes())
    return wide.from_buffers(
        rows, pa.py_buffer(offsets.astype(offset_type)), pa.py_buffer(matrix), validity
    )


def template(pattern: str, characters: np.ndarray, missing: np.ndarray | None = None) -> Column:
    """Fill each `#` of the pattern with the next column of characters, shape (n, count of #)."""
    encoded = np.frombuffer(pattern.encode(), dtype=np.uint8)
    matrix = np.broadcast_to(encoded, (len(characters), len(encoded))).copy()
    matrix[:, np.flatnonzero(encoded == ord("#"))] = characters
    return from_matrix(matrix, missing)


def numbered(prefix: str, values: np.ndarray, width: int, missing: np.ndarray | None = None):
    """Keys such as `C0000123`: a prefix and a zero-padded number."""
    return template(prefix + "#" * width, digits(values, width), missing)


def mixed(values: np.ndarray, stream: int) -> np.ndarray:
    """splitmix64: a bijection of 64-bit integers, so distinct values stay distinct."""
    with np.errstate(over="ignore"):
        z = np.asarray(values).astype(np.uint64) + np.uint64(
            (stream + 1) * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF
        )
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def hex_key(values: np.ndarray, stream: int, pattern: str = "#" * 16, missing=None) -> Column:
    """Random-looking unique keys of 16 hex digits, laid out by a pattern of 16 `#`."""
    raw = mixed(values, stream).astype(">u8").view(np.uint8).reshape(-1, 8)
    return template(pattern, _HEX[raw].reshape(-1, 16), missing)


def timestamps(
    times: np.ndarray, style: str = "####-##-## ##:##:##", missing: np.ndarray | None = None
) -> Column:
    """Microseconds since 1970 as text; the style says where the 14 digits go (19 characters
    of date and time plus what follows)."""
    times = np.asarray(times, dtype=np.int64)
    days, rest = np.divmod(times, DAY)
    matrix = np.empty((len(times), len(style)), dtype=np.uint8)
    matrix[:, :10] = _DATES[np.clip(days, _FIRST_DAY, _LAST_DAY - 1) - _FIRST_DAY]
    matrix[:, 10] = ord(style[10])
    matrix[:, 11:19] = _CLOCK[rest // MICROSECONDS]
    if len(style) > 19:
        matrix[:, 19:] = np.frombuffer(style[19:].encode(), dtype=np.uint8)
    return from_matrix(matrix, missing)


def iso(times: np.ndarray, missing: np.ndarray | None = None) -> Column:
    """`2024-05-01T10:00:00Z`, as trackers and interfaces write it."""
    return timestamps(times, "####-##-##T##:##:##Z", missing)


def dates(days: np.ndarray, style: str = "ymd-", missing: np.ndarray | None = None) -> Column:
    """Days since 1970 as text: `ymd-` 1988-04-02, `dmy/` 02/04/1988, `dmy.` 02.04.1988, `ymd`."""
    table = _DATES[np.clip(days, _FIRST_DAY, _LAST_DAY - 1) - _FIRST_DAY]
    order, mark = style[:3], style[3:]
    parts = {"y": table[:, :4], "m": table[:, 5:7], "d": table[:, 8:10]}
    between = np.full((len(days), len(mark)), ord(mark) if mark else 0, dtype=np.uint8)
    pieces = [parts[order[0]], between, parts[order[1]], between, parts[order[2]]]
    return from_matrix(np.concatenate(pieces, axis=1), missing)


def dictionary(texts: Sequence[str] | pa.Array, codes: np.ndarray, missing=None) -> Column:
    """A column of few distinct texts; `codes` index the texts, negative codes are null."""
    codes = np.asarray(codes, dtype=np.int32)
    absent = codes < 0 if missing is None else missing | (codes < 0)
    values = texts if isinstance(texts, pa.Array) else pa.array(list(texts), pa.string())
    distinct = values.dictionary_encode()
    if len(distinct.dictionary) < len(values):
        # With a text twice in its dictionary, Parquet's bytes differ from run to run.
        codes = np.where(absent, 0, distinct.indices.to_numpy()[codes])
        values = distinct.dictionary
    indices = pa.array(codes, mask=absent) if absent.any() else pa.array(codes)
    return pa.DictionaryArray.from_arrays(indices, values)


def constant(text: str | None, rows: int) -> Column:
    """The same text in every row."""
    return dictionary([text or ""], np.full(rows, 0 if text is not None else -1))


def plain(column: Column) -> pa.Array:
    """A dictionary or chunked column as one plain string array."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if pa.types.is_dictionary(column.type):
        column = column.cast(pa.string())
    return column


def join(*parts: Column | str, separator: str = "") -> pa.Array:
    """Row by row concatenation; null when a part is null."""
    columns = [pa.scalar(part) if isinstance(part, str) else plain(part) for part in parts]
    return pc.binary_join_element_wise(*columns, pa.scalar(separator))


def numbers(values: np.ndarray) -> pa.Array:
    """Integers as text."""
    return pa.array(values).cast(pa.string())


def money(cents: np.ndarray, missing: np.ndarray | None = None) -> pa.Array:
    """Integer cents as `12.34` or `-0.05`."""
    cents = np.asarray(cents, dtype=np.int64)
    size = np.abs(cents)
    whole = pa.array(size // 100).cast(pa.string())
    sign = dictionary(["", "-"], (cents < 0).astype(np.int32))
    fraction = dictionary([f".{i:02d}" for i in range(100)], size % 100)
    return blank(join(sign, whole, fraction), missing)


def decimals(thousandths: np.ndarray) -> pa.Array:
    """Integer thousandths as a decimal with the two or three places it needs: `6.95`, `0.012`."""
    size = np.abs(np.asarray(thousandths, dtype=np.int64))
    sign = dictionary(["", "-"], (thousandths < 0).astype(np.int32))
    places = [f".{i:03d}"[: 3 if i % 10 == 0 else 4] for i in range(1000)]
    return join(sign, numbers(size // 1000), dictionary(places, size % 1000))


def blank(column: Column, missing: np.ndarray | None) -> pa.Array:
    """The column with nulls where `missing`."""
    column = plain(column)
    if missing is None or not missing.any():
        return column
    return pc.if_else(pa.array(missing), pa.scalar(None, column.type), column)


def where(condition: np.ndarray, first: Column | str, second: Column | str) -> pa.Array:
    """Row by row choice of two columns (or one text)."""
    first, second = (
        pa.scalar(part, pa.string()) if isinstance(part, str) else plain(part)
        for part in (first, second)
    )
    return pc.if_else(pa.array(np.asarray(condition, dtype=bool)), first, second)


def by_group(groups: np.ndarray, makers: dict[int, object]) -> pa.Array:
    """Rows of each group written by its own maker (a function of the row numbers)."""
    pieces, order = [], []
    for group, make in makers.items():
        rows = np.flatnonzero(groups == group)
        if len(rows):
            pieces.append(plain(make(rows)))
            order.append(rows)
    if not pieces:
        return pa.array([], pa.string())
    inverse = np.empty(len(groups), dtype=np.int64)
    inverse[np.concatenate(order)] = np.arange(len(groups))
    return pa.concat_arrays(pieces).take(pa.array(inverse))


def take(column: Column, rows: np.ndarray) -> Column:
    """Rows of a column, as a new column."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    return column.take(pa.array(rows))


def ascii_fold(text: str) -> str:
    """Lower-case ASCII letters of a name, as in an e-mail address (for pools, not for rows)."""
    text = text.replace("ß", "ss").replace("ø", "o")
    plain_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z]", "", plain_text)
