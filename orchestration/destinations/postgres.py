"""Rows of a table in a PostgreSQL of somebody else.

A batch is one transaction. A row that the table refuses (a type, a constraint, a trigger) is
found by halving within it, at a savepoint, so the others arrive all the same. Only keys that the
engine hands over are ever touched.
"""

import os
import queue
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import zip_longest
from typing import Annotated, Any, Literal

import psycopg2
from psycopg2 import errors
from psycopg2.extensions import AsIs, parse_dsn
from psycopg2.extensions import connection as Connection
from psycopg2.extras import execute_values
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from orchestration.destinations._postgres_sql import NAME, Statements
from orchestration.destinations.base import (
    CallError,
    Destination,
    Limits,
    Outcome,
    Refused,
    Row,
    Stopped,
    Unanswered,
    setting,
)
from orchestration.sync.spec import SyncSpec

PREFIX = "CDP_SYNC_POSTGRES_"

_TRIES = 4
_ROW_MODES = ("upsert", "mirror", "audience", "create_only", "update_only", "archive", "delete")
# Seconds until a peer that went silent counts as gone; the server limits statements itself.
_SILENCE = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
_TLS = {"verify-ca", "verify-full"}
_PAGE = 5000
_ONCE = ("create_only", "append")
_DEFAULT = AsIs("default")
_HERE = {"", "127.0.0.1", "localhost", "::1"}

Name = Annotated[str, StringConstraints(pattern=NAME)]

# A row's own fault: data (22), constraints (23), a key twice (21), what a trigger raises (P0), a
# view's check option (44), a text too long for an index (54).
_ROW_FAULTS = ("21", "22", "23", "44", "54", "P0")
# Somebody was faster, or the server is busy or going down.
_TRANSIENT = ("08", "40", "53", "55", "57")


class PostgresOptions(BaseModel):
    """``meta.sync.options``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    table: Annotated[str, StringConstraints(pattern=rf"{NAME[:-1]}\.{NAME[1:]}")]
    """``schema.table``."""
    dsn_env: Annotated[str, StringConstraints(pattern=rf"^{PREFIX}[A-Z0-9_]+$")] = f"{PREFIX}DSN"
    flag_column: Name | None = None
    """Boolean: true for who is in, false for who left or was put away."""
    dedupe_column: Name | None = None
    """Mode append: unique text column that takes the event's idempotency key."""
    batch_rows: int = Field(1000, ge=1, le=20_000)

    @classmethod
    def of(cls, spec: SyncSpec) -> "PostgresOptions":
        """Raises ``ValueError`` saying which option is wrong."""
        try:
            return cls(**spec.options)
        except ValidationError as error:
            wrong = [".".join(map(str, e["loc"])) + ": " + e["msg"] for e in error.errors()]
            raise ValueError("options: " + "; ".join(wrong)) from None


class Postgres(Destination):
    """One table. Environment: ``CDP_SYNC_POSTGRES_DSN`` (libpq's: a URL or ``host=...``)."""

    name = "postgres"
    supported = frozenset({("records", mode) for mode in _ROW_MODES} | {("events", "append")})
    # By the column with the key of the event.
    appends_are_repeatable = True

    def __init__(
        self, spec: SyncSpec, dsn: str, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._spec = spec
        self._options = PostgresOptions.of(spec)
        self._dsn = dsn
        self._sleep = sleep
        self._calls = 0
        self._idle: queue.LifoQueue[Connection] = queue.LifoQueue()
        self._sql = Statements(spec, self._options.table, self._options.flag_column)
        self.limits = Limits(self._options.batch_rows, ((100, 1.0),), connections=2)

    @classmethod
    def from_environment(cls, spec: SyncSpec) -> "Postgres":
        """Raises ``ValueError`` for a connection without TLS to another machine."""
        return cls(spec, secure_dsn(setting(PostgresOptions.of(spec).dsn_env)))

    @classmethod
    def check(cls, spec: SyncSpec) -> None:
        super().check(spec)
        options = PostgresOptions.of(spec)
        if odd := [name for name in spec.columns if not re.fullmatch(NAME, name)]:
            raise ValueError(f"columns: {', '.join(odd)} is no name of a column")
        if taken := {options.flag_column, options.dedupe_column} & set(spec.columns):
            raise ValueError(f"options: {', '.join(map(str, taken))} is a mapped column already")
        if spec.mode == "append" and not options.dedupe_column:
            raise ValueError("options.dedupe_column: what keeps an event from being there twice")
        leaves_trace = options.flag_column or spec.on_leave
        if spec.mode == "audience" and not leaves_trace:
            raise ValueError("options.flag_column (or on_leave): what tells who left")
        if spec.mode == "archive" and not leaves_trace:
            raise ValueError("options.flag_column (or on_leave): what tells who was put away")

    @property
    def calls(self) -> int:
        """Transactions begun."""
        return self._calls

    def upsert(self, rows: Sequence[Row]) -> list[Outcome]:
        good = [row for row in rows if not _unfit(row)]
        outcomes = [Outcome.rejected(row.key, _unfit(row)) for row in rows if _unfit(row)]
        return outcomes + self._transaction(self._write, good)

    def remove(self, rows: Sequence[Row]) -> list[Outcome]:
        good = [row for row in rows if not _unfit(row)]
        # A key that no text can be was never there.
        outcomes = [Outcome.delivered(row.key) for row in rows if _unfit(row)]
        return outcomes + self._transaction(self._take_away, good)

    def read(self, rows: Sequence[Row]) -> Mapping[str, Mapping[str, str | None]]:
        found: dict[str, dict[str, str | None]] = {}

        def fetch(cursor: Any, rows: Sequence[Row]) -> list[Outcome]:
            records = [self._record(row) for row in rows]
            for key, *values in execute_values(
                cursor, self._sql.read(), records, None, _PAGE, True
            ):
                found[key] = dict(zip(self._spec.columns, values, strict=True))
            return []

        fit = [row for row in rows if not _unfit(row)]
        odd = {outcome.key for outcome in self._transaction(fetch, fit)}
        # With a value that its column cannot hold, a row differs; a key like that is nobody's.
        self._transaction(fetch, [replace(row, values={}) for row in fit if row.key in odd])
        return found

    # -- statements

    def _write(self, cursor: Any, rows: Sequence[Row]) -> list[Outcome]:
        """Rows that are there change first: an insert would ask them for each column that must
        not be null. Who came in between is found by doing so again; ``returning`` leaves out what
        a trigger drops."""
        written = self._reach(cursor, rows)
        absent = [row for row in rows if row.key not in written]
        if self._spec.mode == "update_only":
            there = self._there(cursor, self._spec.key, _by_key(absent))
            nobody = [row.key for row in absent if row.key not in there]
        else:
            written |= self._add(cursor, absent)
            written |= self._reach(cursor, [row for row in absent if row.key not in written])
            nobody = []
        told = {row.key: Outcome.unknown(row.key, "NOT_WRITTEN") for row in rows}
        told |= {key: Outcome.delivered(key) for key in written}
        told |= {key: Outcome.rejected(key, "NOT_THERE") for key in nobody}
        return list(told.values())

    def _reach(self, cursor: Any, rows: Sequence[Row]) -> set[str]:
        """Keys of the rows that are there and, where the mode changes them, as they should be."""
        if self._spec.mode in _ONCE:
            return self._there(cursor, self._mark, self._by_mark(rows))
        records = [self._record(row) for row in rows]
        reached = execute_values(cursor, self._sql.update(), records, None, _PAGE, True)
        return {key for (key,) in reached}

    def _there(self, cursor: Any, column: str, keys: Mapping[str, str]) -> set[str]:
        """Of ``keys`` by what the column says of them, those that are there."""
        if not keys:
            return set()
        cursor.execute(self._sql.there(column), (list(keys),))
        return {keys[value] for (value,) in cursor.fetchall()}

    def _add(self, cursor: Any, rows: Sequence[Row]) -> set[str]:
        """Keys of the rows that were not there and now are. A null is for the column's default,
        unless the sync says that it empties the column."""
        keys = self._by_mark(rows)
        more = self._options.flag_column if self._mark == self._spec.key else self._mark
        empties = [name in self._spec.clear_nulls for name in self._spec.columns]
        records: list[list[Any]] = []
        for mark, row in zip(keys, rows, strict=True):
            cells = zip(self._record(row), empties, strict=True)
            record = [_DEFAULT if v is None and not empty else v for v, empty in cells]
            end = [mark if more == self._mark else True] if more else []
            records.append([*record, *end])
        statement = self._sql.insert(more, self._mark)
        added = execute_values(cursor, statement, records, None, _PAGE, True)
        return {keys[mark] for (mark,) in added if mark in keys}

    def _record(self, row: Row) -> list[str | None]:
        values = {**row.values, self._spec.key: row.key}
        return [values.get(name) for name in self._spec.columns]

    @property
    def _mark(self) -> str:
        """The column that tells a row from others."""
        return (self._spec.mode == "append" and self._options.dedupe_column) or self._spec.key

    def _by_mark(self, rows: Sequence[Row]) -> dict[str, str]:
        """Keys of rows to write by what the column says of them."""
        if self._mark == self._spec.key:
            return _by_key(rows)
        return {row.idempotency_key(self._spec): row.key for row in rows}

    def _take_away(self, cursor: Any, rows: Sequence[Row]) -> list[Outcome]:
        """A trigger may keep a row as it was: who is still there is not told as gone."""
        deleted = [row for row in rows if self._is_deleted(row)]
        others = [row for row in rows if not self._is_deleted(row)]
        told = {row.key: Outcome.delivered(row.key) for row in rows}
        if deleted:
            cursor.execute(self._sql.delete(), ([row.key for row in deleted],))
            there = self._there(cursor, self._spec.key, _by_key(deleted))
            told |= {key: Outcome.unknown(key, "NOT_REMOVED") for key in there}
        if others and self._sql.leaves_trace:
            cursor.execute(self._sql.put_away(), (*self._sql.left, [row.key for row in others]))
            changed = {key for (key,) in cursor.fetchall()}
            same = _by_key([row for row in others if row.key not in changed])
            there = self._there(cursor, self._spec.key, same)
            told |= {key: Outcome.unknown(key, "NOT_WRITTEN") for key in there}
        elif others:
            told |= {row.key: Outcome.rejected(row.key, "NO_REMOVAL_DECLARED") for row in others}
        return list(told.values())

    def _is_deleted(self, row: Row) -> bool:
        if row.reason == "erasure" and self._spec.on_erasure == "delete":
            return True
        return self._spec.mode in ("mirror", "delete")

    # -- transactions

    def _transaction(
        self, act: Callable[[Any, Sequence[Row]], list[Outcome]], rows: Sequence[Row]
    ) -> list[Outcome]:
        """Done as a whole, or tried again as a whole: the same statements twice change
        nothing. A failure to commit can mean that it is done."""
        failure: CallError | None = None
        for number in range(_TRIES if rows else 0):
            if number:
                self._sleep(0.5 * 2**number)
            self._calls += 1
            try:
                with self._connection() as connection, connection.cursor() as cursor:
                    cursor.execute("set local statement_timeout = '60s'")
                    cursor.execute("set local lock_timeout = '20s'")
                    self._sql.learn_types(cursor)
                    return list(_bisect(cursor, act, rows))
            except psycopg2.Error as error:
                failure = _call_error(error)
            if not isinstance(failure, Unanswered):
                break
        if failure:
            raise failure
        return []

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        """Commits at the end; a connection that failed is not used again."""
        try:
            connection = self._idle.get_nowait()
        except queue.Empty:
            connection = psycopg2.connect(
                self._dsn,
                connect_timeout=10,
                application_name="cdp",
                client_encoding="UTF8",
                **_SILENCE,
            )
        try:
            yield connection
            connection.commit()
        except BaseException:
            with suppress(psycopg2.Error):
                connection.close()
            raise
        self._idle.put(connection)


def secure_dsn(dsn: str) -> str:
    """The address with the server's certificate verified, unless it is this machine. Where a
    service of ``pg_service.conf`` leads, nobody knows here.

    Raises ``ValueError`` where it says otherwise."""
    try:
        parts = parse_dsn(dsn)
    except psycopg2.Error:
        raise ValueError(f"{PREFIX}...: not an address of a PostgreSQL") from None
    named = {
        name: parts.get(name, os.environ.get(f"PG{name.upper()}", ""))
        for name in ("host", "hostaddr", "service")
    }
    # As libpq goes: of each place the address, else the name, else a socket of this machine.
    places = zip_longest(*(named[n].split(",") for n in ("hostaddr", "host")), fillvalue="")
    hosts = [address or host for address, host in places]
    if not named["service"] and all(host.startswith("/") or host in _HERE for host in hosts):
        return dsn
    mode: Literal["verify-full"] | str = parts.setdefault("sslmode", "verify-full")
    if mode not in _TLS:
        raise ValueError(f"{PREFIX}...: sslmode must be verify-full or verify-ca")
    return psycopg2.extensions.make_dsn(**parts)


def _by_key(rows: Sequence[Row]) -> dict[str, str]:
    return {row.key: row.key for row in rows}


def _bisect(
    cursor: Any, act: Callable[[Any, Sequence[Row]], list[Outcome]], rows: Sequence[Row]
) -> Iterator[Outcome]:
    """Outcomes of all rows, a refused one by itself."""
    cursor.execute("savepoint part")
    try:
        outcomes = act(cursor, rows)
    except psycopg2.Error as error:
        if not _is_of_a_row(error):
            raise
        code = _name(error)
    else:
        cursor.execute("release savepoint part")
        yield from outcomes
        return
    cursor.execute("rollback to savepoint part")
    cursor.execute("release savepoint part")
    if len(rows) == 1:
        yield Outcome.rejected(rows[0].key, code)
        return
    middle = len(rows) // 2
    yield from _bisect(cursor, act, rows[:middle])
    yield from _bisect(cursor, act, rows[middle:])


def _is_of_a_row(error: psycopg2.Error) -> bool:
    """A policy that refuses a row has the code of a permission that is missing, and nothing but
    the message tells them apart."""
    is_policy = isinstance(error, errors.InsufficientPrivilege) and "row-level" in str(error)
    return is_policy or (error.pgcode or "").startswith(_ROW_FAULTS)


def _call_error(error: psycopg2.Error) -> CallError:
    """Messages of PostgreSQL quote keys and values; the name of the condition does not."""
    state = error.pgcode or ""
    if state.startswith("28") or isinstance(error, errors.InsufficientPrivilege):
        return Stopped(_name(error), "auth")
    if not state:
        # No connection, or one that broke; a wrong password looks the same from here, and
        # psycopg2 tells them apart by nothing but the message.
        refused = "authentication failed" in str(error)
        return Stopped("LOGIN_REFUSED", "auth") if refused else Unanswered("NO_CONNECTION")
    if state.startswith(_ROW_FAULTS):
        return Refused(_name(error))  # a constraint that waits for the end
    if state.startswith(_TRANSIENT):
        return Unanswered(_name(error))
    return Stopped(_name(error))


def _name(error: psycopg2.Error) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(error).__name__).upper()


def _unfit(row: Row) -> str | None:
    """What PostgreSQL's text cannot hold."""
    text = "".join([row.key, *(value for value in row.values.values() if value)])
    if "\x00" in text:
        return "NUL_IN_TEXT"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "NOT_UNICODE"
    return None
