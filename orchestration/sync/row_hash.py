"""The twin of the macro ``row_hash``: what a row's values come to, as the plan knows them."""

import hashlib
from collections.abc import Sequence


def row_hash_sql(columns: Sequence[str], salt: str) -> str:
    """For ``compose``: md5 of ``tag;length:value...`` with the columns of ``model`` by name, the
    length in characters and none for null. ``{column_N}`` is the N-th of the columns."""
    order = sorted(range(len(columns)), key=columns.__getitem__)
    tag = hashlib.md5(
        f"{salt};{','.join(sorted(columns))}".encode(), usedforsecurity=False
    ).hexdigest()[:8]
    values = (f"model.{{column_{number}}}" for number in order)
    parts = (f"coalesce(length({value}) || ':' || {value}, ':')" for value in values)
    return f"md5('{tag};' || {' || '.join(parts)})"
