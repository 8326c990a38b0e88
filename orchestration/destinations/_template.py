"""Templates of requests: JSON and paths with ``{{ column }}`` in them.

A template is parsed before a value is put in, so a value can be no syntax: quotes and braces in
a name stay a name. Nothing is evaluated. ``{{ points | number }}`` and ``{{ vip | boolean }}``
turn the text of a column into the JSON type; a placeholder that is the whole string and has no
value leaves its member out.
"""

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote

_PLACEHOLDER = re.compile(r"\{\{\s*([\w.$-]+)\s*(?:\|\s*(\w+)\s*)?\}\}")
_BRACES = re.compile(r"\{\{|\}\}")
_OMITTED = object()

Values = Mapping[str, Any]


class BadValue(ValueError):
    """A row's value does not fit the template. ``code`` tells how, never the value."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


def _number(value: str) -> int | float:
    try:
        return int(value) if re.fullmatch(r"[+-]?[0-9]{1,18}", value) else _finite(value)
    except ValueError:
        raise BadValue("NOT_A_NUMBER") from None


def _finite(value: str) -> float:
    number = float(value)
    if not math.isfinite(number) or "_" in value:
        raise ValueError
    return number


def _boolean(value: str) -> bool:
    found = {"true": True, "false": False}.get(value.casefold())
    if found is None:
        raise BadValue("NOT_A_BOOLEAN")
    return found


_FILTERS: dict[str | None, Callable[[Any], Any]] = {
    None: lambda value: value,
    "number": _number,
    "boolean": _boolean,
}


class JsonTemplate:
    """A JSON document with placeholders in its strings. Raises ``ValueError`` for what is no
    JSON, a name that is not in ``names`` and a filter there is not."""

    def __init__(self, text: str, names: Iterable[str]) -> None:
        try:
            self._document = json.loads(text)
        except (ValueError, RecursionError):
            raise ValueError("a template must be JSON (placeholders stand in strings)") from None
        self.names: set[str] = set()
        _scan(self._document, frozenset(names), self.names)

    def render(self, values: Values, cleared: Iterable[str] = ()) -> Any:
        """The document of a row. A name in ``cleared`` that has no value becomes null, another
        one is left out. Raises ``BadValue``."""
        rendered = _render(self._document, values, frozenset(cleared))
        return None if rendered is _OMITTED else rendered


class PathTemplate:
    """A path with a query, perhaps. Values are encoded: they are never more than one segment."""

    def __init__(self, text: str, names: Iterable[str]) -> None:
        if text and not re.match(r"[/?]", text):
            raise ValueError("a path begins with / (or ? where it is a query only)")
        if not re.fullmatch(r"[!-~ ]*", text) or "\\" in text or "#" in text:
            raise ValueError("a path is printable ASCII without backslash and fragment")
        self._text = text
        self.names: set[str] = set()
        _scan(text, frozenset(names), self.names)
        if " " in _PLACEHOLDER.sub("", text):
            raise ValueError("a path holds no space")

    def render(self, values: Values) -> str:
        """Raises ``BadValue`` for an empty value, and for dots, which would climb."""

        def encoded(match: re.Match[str]) -> str:
            value = values.get(match[1])
            if value in (None, "", ".", ".."):
                raise BadValue("EMPTY_PATH_VALUE")
            try:
                return quote(str(value), safe="")
            except UnicodeEncodeError:
                raise BadValue("NOT_UNICODE") from None

        return _PLACEHOLDER.sub(encoded, self._text)


def value_at(document: Any, path: str) -> Any:
    """What stands at ``results.0.id``: names and positions. None where there is nothing."""
    for part in filter(None, path.split(".")):
        if isinstance(document, dict):
            document = document.get(part)
        elif isinstance(document, list) and part.isdecimal() and int(part) < len(document):
            document = document[int(part)]
        else:
            return None
    return document


def _scan(node: Any, known: frozenset[str], found: set[str]) -> None:
    if isinstance(node, dict):
        for name, value in node.items():
            if _BRACES.search(name):
                raise ValueError("names of members are fixed: no placeholder in them")
            _scan(value, known, found)
    elif isinstance(node, list):
        for value in node:
            _scan(value, known, found)
    elif isinstance(node, str):
        for name, kind in _PLACEHOLDER.findall(node):
            if name not in known:
                raise ValueError(f"a template names {name}, which is no column here")
            if (kind or None) not in _FILTERS:
                raise ValueError(f"a template asks for {kind}; there are number and boolean")
            found.add(name)
        if _BRACES.search(_PLACEHOLDER.sub("", node)):
            raise ValueError("a placeholder is written {{ column }} or {{ column | number }}")


def _render(node: Any, values: Values, cleared: frozenset[str]) -> Any:
    if isinstance(node, dict):
        members = {name: _render(value, values, cleared) for name, value in node.items()}
        return {name: value for name, value in members.items() if value is not _OMITTED}
    if isinstance(node, list):
        items = [_render(value, values, cleared) for value in node]
        return [None if item is _OMITTED else item for item in items]
    if not isinstance(node, str):
        return node
    whole = _PLACEHOLDER.fullmatch(node)
    if whole is None:
        return _PLACEHOLDER.sub(lambda match: _text(values.get(match[1])), node)
    value = values.get(whole[1])
    if value is None:
        return None if whole[1] in cleared else _OMITTED
    return _FILTERS[whole[2]](value)


def _text(value: Any) -> str:
    return "" if value is None else str(value)
