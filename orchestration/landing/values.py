"""Checks and conversions of values, a column at a time, on Arrow.

A value that does not fit gives its row a reason; nothing is cast to null in silence.
Reasons name columns and types, never values.
"""

from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from orchestration.landing.declared import LOADED_AT, Column, Table

# Stricter than the casts below, which would take 0x10, inf or 1_000.
_INTEGER = r"^[+-]?\d+$"
_NUMBER = r"^[+-]?(\d+(\.\d*)?|\.\d+)$"
_FLOAT = r"^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$"
_NUMBER_COMMA = r"^[+-]?(\d{1,3}([ .\x{00A0}\x{202F}]\d{3})+|\d+)(,\d+)?$"
_DATE = r"^\d{4}-\d{2}-\d{2}$"
_TIMESTAMP = r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}(:?\d{2})?)?)?$"
_ZONED = r":\d{2}(\.\d+)?(Z|[+-]\d{2}(:?\d{2})?)$"
_BOOLEAN = r"(?i)^(true|false|1|0)$"


def is_supported(given: pa.DataType, column: Column) -> bool:
    """Whether a file's column of type ``given`` can hold what is declared."""
    if pa.types.is_dictionary(given):
        given = given.value_type
    if pa.types.is_nested(given) or pa.types.is_duration(given) or pa.types.is_interval(given):
        return False
    if pa.types.is_null(given) or _is_text(given) or column.data_type == "string":
        return True
    try:
        pa.array([], given).cast(column.arrow_type)
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
        return False
    return True


def check(
    batch: pa.RecordBatch, table: Table, landed_at: datetime, decimal: str = "."
) -> tuple[pa.RecordBatch, pa.StringArray]:
    """The batch in the declared columns and types, and per row the reason why it cannot be
    loaded (null: it can). A file without ``loaded_at`` gets ``landed_at`` there."""
    size = batch.num_rows
    reasons = pa.nulls(size, pa.string())
    arrays = []
    for column in table.columns:
        if column.name == LOADED_AT and LOADED_AT not in batch.schema.names:
            arrays.append(pa.repeat(pa.scalar(landed_at, column.arrow_type), size))
            continue
        array, bad, reason = _convert(batch.column(column.name), column, decimal)
        reasons = _reasoned(reasons, bad, f"{column.name}: {reason}")
        if column.is_required:
            missing = pc.is_null(array)
            if pa.types.is_string(array.type):
                missing = pc.or_(missing, pc.fill_null(_equals(_trim(array), ""), True))
            reasons = _reasoned(reasons, missing, f"{column.name}: required, but empty")
        arrays.append(array)
    return pa.RecordBatch.from_arrays(arrays, schema=table.arrow_schema), reasons


def _convert(
    array: pa.Array, column: Column, decimal: str
) -> tuple[pa.Array, pa.BooleanArray, str]:
    """The column as declared, which rows were not, and what was wrong with them."""
    if isinstance(array, pa.DictionaryArray):
        array = array.dictionary_decode()
    nothing = pa.repeat(False, len(array))
    if pa.types.is_null(array.type):
        return pa.nulls(len(array), column.arrow_type), nothing, ""
    if column.data_type == "string":
        array, bad = to_text(array)
        return array, bad, "not UTF-8 text, or with a NUL"
    if _is_text(array.type):
        array, bad = _from_text(array, column, decimal)
    else:
        array, bad = _cast(_in_utc(array), column.arrow_type)
    return array, bad, f"not a {column.data_type}"


def to_text(array: pa.Array) -> tuple[pa.StringArray, pa.BooleanArray]:
    """As text: ISO dates and times (``2024-05-01T10:00:00Z``), true and false, numbers
    without a fraction of zero (a float column of ids holds 123.0). What is text stays."""
    kind = array.type
    if _is_text(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        text, bad = _valid_text(array)
        if _may_have_nul(text):
            bad = pc.or_(bad, pc.fill_null(pc.match_substring(text, "\x00"), False))
        return text, bad
    if pa.types.is_floating(kind):
        text = _float_text(array.cast(pa.float64()))
    elif pa.types.is_timestamp(kind):
        text = _timestamp_text(array)
    elif pa.types.is_date(kind):
        text = array.cast(pa.date32()).cast(pa.string())
    else:
        text = array.cast(pa.string())
    return text, pa.repeat(False, len(array))


def _from_text(array: pa.Array, column: Column, decimal: str) -> tuple[pa.Array, pa.BooleanArray]:
    text, broken = _valid_text(array)
    text = _trim(text)
    text = pc.if_else(_equals(text, ""), None, text)
    kind = column.arrow_type
    if decimal == "," and (pa.types.is_decimal(kind) or pa.types.is_floating(kind)):
        text, odd = _only(text, _NUMBER_COMMA)
        text = pc.replace_substring_regex(text, r"[ .\x{00A0}\x{202F}]", "")
        text = pc.replace_substring(text, ",", ".")
    else:
        text, odd = _only(text, _pattern(kind))
    if pa.types.is_timestamp(kind):
        typed, bad = _timestamps(text)
    else:
        typed, bad = _cast(pc.replace_substring_regex(text, r"^\+", ""), kind)
    if pa.types.is_floating(kind):
        bad = pc.or_(bad, pc.fill_null(pc.invert(pc.is_finite(typed)), False))
    return typed, pc.or_(broken, pc.or_(odd, bad))


def _pattern(kind: pa.DataType) -> str:
    if pa.types.is_integer(kind):
        return _INTEGER
    if pa.types.is_decimal(kind):
        return _NUMBER
    if pa.types.is_floating(kind):
        return _FLOAT
    if pa.types.is_date(kind):
        return _DATE
    if pa.types.is_boolean(kind):
        return _BOOLEAN
    return _TIMESTAMP


def _timestamps(text: pa.StringArray) -> tuple[pa.Array, pa.BooleanArray]:
    """Text of ISO times to UTC; without a zone they are UTC. Beyond microseconds: cut."""
    text = pc.replace_substring_regex(text, r"(\.\d{6})\d+", r"\1")
    zoned = pc.fill_null(pc.match_substring_regex(text, _ZONED), False)
    absolute, bad = _cast(pc.if_else(zoned, text, None), pa.timestamp("us", "UTC"))
    plain, worse = _cast(pc.if_else(zoned, None, text), pa.timestamp("us"))
    return pc.coalesce(absolute.cast(pa.timestamp("us")), plain), pc.or_(bad, worse)


def _cast(array: pa.Array, kind: pa.DataType) -> tuple[pa.Array, pa.BooleanArray]:
    """``array`` in another type, and which values could not be: those are null. Arrow does
    not say which one failed, so halves are tried until it is alone."""
    try:
        return array.cast(kind), pa.repeat(False, len(array))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        if len(array) == 1:
            return pa.nulls(1, kind), pa.array([True])
    middle = len(array) // 2
    halves = [_cast(array[:middle], kind), _cast(array[middle:], kind)]
    return tuple(pa.concat_arrays(part) for part in zip(*halves, strict=True))


def _valid_text(array: pa.Array) -> tuple[pa.StringArray, pa.BooleanArray]:
    # Parquet's text is not checked on reading: by way of bytes it is.
    wide = pa.types.is_large_string(array.type) or pa.types.is_large_binary(array.type)
    return _cast(array.cast(pa.large_binary() if wide else pa.binary()), pa.string())


def _may_have_nul(text: pa.StringArray) -> bool:
    data = text.buffers()[2]
    return data is not None and bool(data.size) and not np.frombuffer(data, np.uint8).all()


def _only(text: pa.StringArray, pattern: str) -> tuple[pa.StringArray, pa.BooleanArray]:
    odd = pc.fill_null(pc.invert(pc.match_substring_regex(text, pattern)), False)
    return pc.if_else(odd, None, text), odd


def _float_text(array: pa.DoubleArray) -> pa.StringArray:
    array = pc.if_else(pc.is_nan(array), None, array)
    whole = pc.and_(pc.equal(pc.floor(array), array), pc.less(pc.abs(array), 2.0**53))
    whole = pc.fill_null(whole, False)
    integers = pc.if_else(whole, array, None).cast(pa.int64()).cast(pa.string())
    return pc.if_else(whole, integers, array.cast(pa.string()))


def _timestamp_text(array: pa.Array) -> pa.StringArray:
    zone = "Z" if array.type.tz else ""
    micros = _in_utc(array).cast(pa.timestamp("us"), safe=False).cast(pa.string())
    text = pc.replace_substring(micros, " ", "T")
    text = pc.replace_substring_regex(text, r"\.?0*$", "")  # six digits before this
    return pc.binary_join_element_wise(text, zone, "")


def _in_utc(array: pa.Array) -> pa.Array:
    """A timestamp with a zone as UTC without one."""
    if pa.types.is_timestamp(array.type) and array.type.tz:
        return array.cast(pa.timestamp(array.type.unit, "UTC")).cast(pa.timestamp(array.type.unit))
    return array


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _trim(array: pa.StringArray) -> pa.StringArray:
    return pc.utf8_trim_whitespace(array)


def _equals(array: pa.StringArray, value: str) -> pa.BooleanArray:
    return pc.equal(array, value)


def _reasoned(reasons: pa.StringArray, bad: pa.BooleanArray, reason: str) -> pa.StringArray:
    if not pc.any(bad).as_py():
        return reasons
    return pc.if_else(pc.and_(bad, pc.is_null(reasons)), reason, reasons)
