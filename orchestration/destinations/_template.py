"""Templates of requests: JSON and paths with ``${column}`` in them.

A template is parsed before a value is put in, so a value can be no syntax: quotes and braces in
a name stay a name. Nothing is evaluated. ``${points | number}`` and ``${vip | boolean}`` turn the
text of a column into the JSON type; a placeholder that is the whole string and has no value leaves
its member out. A dollar without a brace is one.

Templates stand in the YAML of dbt, which renders Jinja there before anybody reads it: with double
braces every placeholder would arrive as an empty text.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import quote

_PLACEHOLDER = re.compile(r"\$\{\s*([\w.$-]+)\s*(?:\|\s*(\w+)\s*)?\}")
_OPENING = "${"
_JINJA = re.compile(r"\{\{|\}\}")
_NO_JINJA = "placeholders are written ${column}, as dbt would render double braces itself"
# Python reads no longer ones than of 4300 digits; nobody counts that far.
_WHOLE = re.compile(r"[+-]?[0-9]{1,400}")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_OMITTED = object()

Values = Mapping[str, Any]


class BadValue(ValueError):
    """A row's value does not fit the template. ``code`` tells how, never the value."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


def _number(value: str) -> int | float:
    """The same number in JSON: whole ones of up to 400 digits as they are, others where the
    float that is sent for them says no other number."""
    if _WHOLE.fullmatch(value):
        return int(value)
    if _DECIMAL.fullmatch(value) and _is_exact(number := float(value), value):
        return number
    raise BadValue("NOT_A_NUMBER")


def _is_exact(number: float, text: str) -> bool:
    """Whether the digits that are written for ``number`` are those of ``text``."""
    try:
        return Decimal(repr(number)) == Decimal(text)
    except InvalidOperation:  # an exponent beyond reason
        return False


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
            if "{{" in text:  # which JSON holds in strings only; its objects may end in two
                raise ValueError(_NO_JINJA) from None
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
            if _JINJA.search(name):
                raise ValueError(_NO_JINJA)
            if _OPENING in name:
                raise ValueError("names of members are fixed: no placeholder in them")
            _scan(value, known, found)
    elif isinstance(node, list):
        for value in node:
            _scan(value, known, found)
    elif isinstance(node, str):
        if _JINJA.search(node):
            raise ValueError(_NO_JINJA)
        for name, kind in _PLACEHOLDER.findall(node):
            if name not in known:
                raise ValueError(f"a template names {name}, which is no column here")
            if (kind or None) not in _FILTERS:
                raise ValueError(f"a template asks for {kind}; there are number and boolean")
            if kind and not _PLACEHOLDER.fullmatch(node):
                raise ValueError(f"${{{name} | {kind}}} in the middle of a text would be text")
            found.add(name)
        if _OPENING in _PLACEHOLDER.sub(" ", node):
            raise ValueError("a placeholder is written ${column} or ${column | number}")


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
