"""The twin of the macro ``row_hash``: what a row's values come to, as the plan knows them."""

import hashlib
from collections.abc import Callable, Mapping, Sequence


def row_hash(values: Mapping[str, str | None], salt: str) -> str:
    """The twin of the macro ``row_hash``: md5 of ``tag;length:value...`` with the columns by
    name, the length in characters and none for null."""
    return row_hasher(tuple(values), salt)(tuple(values.values()))


def row_hasher(names: Sequence[str], salt: str) -> Callable[[Sequence[str | None]], str]:
    """``row_hash`` of many rows with the same columns, given as values in their order: what a
    run spends most of its own time on."""
    order = sorted(range(len(names)), key=names.__getitem__)
    head = _md5(f"{salt};{','.join(sorted(names))}")[:8] + ";"

    def hashed(values: Sequence[str | None]) -> str:
        ordered = [values[number] for number in order]
        parts = [":" if value is None else f"{len(value)}:{value}" for value in ordered]
        return _md5(head + "".join(parts))

    return hashed


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
