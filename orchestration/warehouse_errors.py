"""Errors of the warehouse that never hold a value of a row.

Engines quote the offending value ("Could not convert string 'jane@example.fr'"), and an
exception's text ends in logs, run pages and tickets. So the engine's own exception is
never chained; what is kept is its class or SQLSTATE, the kind of statement, the relation
and, only for errors about the statement itself, the message with its literals masked.
"""

import re

# Raised before or besides the reading of rows: unknown names, syntax, locks, resources.
_SAFE_CLASSES = {
    "BinderException",
    "CatalogException",
    "FailedToConnectError",
    "IOException",
    "OutOfMemoryException",
    "ParserException",
    "PermissionException",
    "TransactionException",
}
# SQLSTATE classes with the same property; 22 (data) and 23 (constraints) quote values.
_SAFE_SQLSTATES = ("08", "28", "3D", "3F", "40", "42", "53", "55", "57")

# Of a table or view that is asked for; its DuckDB class is that of unknown functions, too.
_MISSING = re.compile(r"^Catalog Error: (Table|View) with name .* does not exist")
_MISSING_SQLSTATES = {"3F000", "42P01"}

_LITERAL = re.compile(r"'(?:[^']|'')*'")
_STATEMENT = re.compile(
    r"^\s*(?:--[^\n]*\n\s*)*(?P<kind>[a-z]+)"
    r"(?:.*?\b(?:into|from|table|update|view|schema)\s+"
    r"(?:if\s+(?:not\s+)?exists\s+)?(?P<relation>[\w\".]+))?",
    re.IGNORECASE | re.DOTALL,
)


class WarehouseError(Exception):
    """A statement failed. Holds what was attempted, never the data it was attempted on."""


class WarehouseBusy(WarehouseError):
    """Another process holds the DuckDB file. Retry when it is done, or read the BI copy."""


class Unreachable(WarehouseError):
    """There is no connection: the profile, the file or the server is not as it must be."""


class NotBuilt(WarehouseError):
    """A statement reads a table that no build has made yet."""


class UnknownRelation(WarehouseError):
    """No model, seed or source of that name is declared in the project."""


def scrubbed(error: Exception, sql: str | None = None) -> WarehouseError:
    """The engine's ``error`` as a ``WarehouseError`` without values. Raise it outside the
    ``except`` block, so that the original is not even its ``__context__``."""
    parts = [_attempt(sql), _cause(error)]
    return _kind(error, sql)(": ".join(parts))


def _kind(error: Exception, sql: str | None) -> type[WarehouseError]:
    if "Could not set lock on file" in str(error):
        return WarehouseBusy
    if sql is None:
        return Unreachable
    is_missing = getattr(error, "pgcode", None) in _MISSING_SQLSTATES or _MISSING.match(str(error))
    return NotBuilt if is_missing else WarehouseError


def _attempt(sql: str | None) -> str:
    if sql is None:
        return "connect"
    found = _STATEMENT.match(sql)
    if not found:
        return "statement"
    kind, relation = found["kind"].lower(), found["relation"]
    return f"{kind} {relation}" if relation else kind


def _cause(error: Exception) -> str:
    name = type(error).__name__
    sqlstate = getattr(error, "pgcode", None)
    if sqlstate:
        name = f"{name} ({sqlstate})"
        message = error.diag.message_primary if sqlstate.startswith(_SAFE_SQLSTATES) else None
    elif name in _SAFE_CLASSES or (name == "OperationalError" and not sqlstate):
        message = str(error).removeprefix("Database Error\n")  # dbt's heading of any
    elif isinstance(error, OSError) and error.strerror:
        message = f"{error.strerror}: {error.filename}"
    else:
        message = None
    if not message:
        return name
    first_line = message.strip().splitlines()[0]
    return f"{name}: {_LITERAL.sub('?', first_line)[:500]}"
