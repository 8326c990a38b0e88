"""The statements of the PostgreSQL destination. Names are quoted here and nowhere else; values
are bound."""

from functools import cached_property
from typing import Any

from psycopg2 import sql

from orchestration.sync.spec import SyncSpec

NAME = r"^[A-Za-z_][A-Za-z0-9_]{0,62}$"


class Statements:
    """SQL for one table and one sync."""

    def __init__(self, spec: SyncSpec, table: str, flag_column: str | None) -> None:
        self._spec = spec
        self._table = sql.Identifier(*table.split("."))
        self._key = sql.Identifier(spec.key)
        self._flag = sql.Identifier(flag_column) if flag_column else None
        self._types: dict[str, str] = {}

    @property
    def leaves_trace(self) -> bool:
        """Something is written of who left."""
        return bool(self._flag or self._spec.on_leave)

    @cached_property
    def _columns(self) -> list[sql.Identifier]:
        return [sql.Identifier(name) for name in self._spec.columns]

    def insert(self, keeps_what_is_there: bool) -> sql.Composable:
        """``insert ... on conflict``, of records with true at the end where there is a flag.
        Literals take the types of the columns. A null leaves
        what is there, unless the sync says that it empties the column."""
        flag = [self._flag] if self._flag else []
        columns = sql.SQL(", ").join([*self._columns, *flag])
        insert = sql.SQL("insert into {} as held ({}) values %s on conflict ({}) do ").format(
            self._table, columns, self._key
        )
        if keeps_what_is_there:
            return insert + sql.SQL("nothing")
        return insert + sql.SQL("update set {}").format(self._changes())

    def append(self, dedupe_column: str) -> sql.Composable:
        """Events: once per key, never changed."""
        column = sql.Identifier(dedupe_column)
        return sql.SQL("insert into {} ({}) values %s on conflict ({}) do nothing").format(
            self._table, sql.SQL(", ").join([*self._columns, column]), column
        )

    def update(self) -> sql.Composable:
        """Of rows that are there, giving their keys. Only an insert finds out the types
        of literals by itself, so ``learn_types`` comes first, here and for what follows."""
        given = [
            sql.SQL("given.{}::{}").format(column, self._type(name))
            for name, column in zip(self._spec.columns, self._columns, strict=True)
        ]
        changes = [
            self._change(name, column, value)
            for name, column, value in zip(self._spec.columns, self._columns, given, strict=True)
        ]
        changes += [sql.SQL("{} = true").format(self._flag)] if self._flag else []
        return sql.SQL(
            "update {} as held set {} from (values %s) as given ({})"
            " where held.{} = given.{}::{} returning given.{}::text"
        ).format(
            self._table, sql.SQL(", ").join(changes), sql.SQL(", ").join(self._columns),
            self._key, self._key, self._type(self._spec.key), self._key,
        )  # fmt: skip

    def delete(self) -> sql.Composable:
        """Takes a list of keys, as the next two do at their end."""
        return sql.SQL("delete from {} where {}").format(self._table, self._is_of_keys)

    def put_away(self) -> sql.Composable:
        """Takes the values of ``on_leave`` first."""
        changes = [sql.SQL("{} = %s").format(sql.Identifier(n)) for n in self._spec.on_leave]
        changes += [sql.SQL("{} = false").format(self._flag)] if self._flag else []
        return sql.SQL("update {} set {} where {}").format(
            self._table, sql.SQL(", ").join(changes), self._is_of_keys
        )

    def read(self) -> sql.Composable:
        columns = [sql.SQL("{}::text").format(column) for column in (self._key, *self._columns)]
        return sql.SQL("select {} from {} where {}").format(
            sql.SQL(", ").join(columns), self._table, self._is_of_keys
        )

    def learn_types(self, cursor: Any) -> None:
        """Types of the columns, as PostgreSQL itself spells them. Without their lengths: a cast
        to varchar(3) cuts a text to another one's key, an assignment refuses it."""
        if self._types:
            return
        cursor.execute(
            "select attname, format_type(atttypid, -1) from pg_attribute"
            " where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped",
            (self._table.as_string(cursor),),
        )
        self._types = dict(cursor.fetchall())

    # -- parts

    def _type(self, name: str) -> sql.SQL:
        # A column that is missing is named by the error of the statement.
        return sql.SQL(self._types.get(name, "text"))

    @property
    def _is_of_keys(self) -> sql.Composable:
        """By the type of the key, so that its index is used."""
        return sql.SQL("{} = any(%s::{}[])").format(self._key, self._type(self._spec.key))

    def _changes(self) -> sql.Composable:
        changes = [
            self._change(name, column, sql.SQL("excluded.{}").format(column))
            for name, column in zip(self._spec.columns, self._columns, strict=True)
            if name != self._spec.key
        ]
        changes += [sql.SQL("{} = true").format(self._flag)] if self._flag else []
        # A table of nothing but the key: a change that changes nothing.
        changes = changes or [sql.SQL("{} = excluded.{}").format(self._key, self._key)]
        return sql.SQL(", ").join(changes)

    def _change(self, name: str, column: sql.Identifier, value: sql.Composable) -> sql.Composable:
        if name in self._spec.clear_nulls:
            return sql.SQL("{} = {}").format(column, value)
        return sql.SQL("{} = coalesce({}, held.{})").format(column, value, column)
