"""The twin of the macro ``row_hash``: what a row's values come to, as the plan knows them."""

import hashlib
from collections.abc import Sequence


def row_hash_sql(columns: Sequence[str], key: str, salt: str) -> str:
    """For ``compose``: md5 of ``tag;length:value...`` with the columns of ``model`` but the key by
    name, the length in characters and none for null. ``{column_N}`` is the N-th of the columns;
    the tag is of ``salt``, the sync's name, and the names of all, the key's too."""
    names = sorted(columns)
    tag = hashlib.md5(f"{salt};{','.join(names)}".encode(), usedforsecurity=False).hexdigest()[:8]
    values = (f"model.{{column_{columns.index(name)}}}" for name in names if name != key)
    parts = (f"coalesce(length({value}) || ':' || {value}, ':')" for value in values)
    return "md5(" + " || ".join([f"'{tag};'", *parts]) + ")"
