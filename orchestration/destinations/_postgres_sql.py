"""The statements of the PostgreSQL destination. Names are quoted here and nowhere else; values
are bound."""

from functools import cached_property
from typing import Any, NamedTuple

from psycopg2 import sql

from orchestration.sync.spec import SyncSpec

NAME = r"^[A-Za-z_][A-Za-z0-9_]{0,62}$"


class Held(NamedTuple):
    """A column of the table."""

    type: str
    """Without its length: a cast to varchar(3) cuts a text to another one's key, an assignment
    refuses it."""
    exact_type: str
    """With its scale: an assignment to numeric(10,2) rounds, as a cast does."""
    is_text: bool


class Statements:
    """SQL for one table and one sync."""

    def __init__(self, spec: SyncSpec, table: str, flag_column: str | None) -> None:
        self._spec = spec
        self._table = sql.Identifier(*table.split("."))
        self._key = sql.Identifier(spec.key)
        self._flag = sql.Identifier(flag_column) if flag_column else None
        self._held: dict[str, Held] = {}

    @property
    def leaves_trace(self) -> bool:
        """Something is written of who left."""
        return bool(self._flag or self._spec.on_leave)

    @property
    def left(self) -> list[str | None]:
        """Values of ``on_leave``. Where no text goes, the empty one means that there is none."""
        return [
            None if value == "" and name in self._held and not self._held[name].is_text else value
            for name, value in self._spec.on_leave.items()
        ]

    @cached_property
    def _columns(self) -> list[sql.Identifier]:
        return [sql.Identifier(name) for name in self._spec.columns]

    def insert(self, more: str | None, mark: str) -> sql.Composable:
        """Records with a value for the column ``more`` at their end, giving ``mark`` of those that
        are new: what is there by it stays as it is. Literals take the types of the columns."""
        columns = [*self._columns, *([sql.Identifier(more)] if more else [])]
        return sql.SQL(
            "insert into {} ({}) values %s on conflict ({mark}) do nothing returning {mark}::text"
        ).format(self._table, sql.SQL(", ").join(columns), mark=sql.Identifier(mark))

    def update(self) -> sql.Composable:
        """Of rows that are there, giving their keys as they were given. A null leaves what is
        there, unless the sync says that it empties the column. Only an insert finds out the types
        of literals by itself, so ``learn_types`` comes first, here and for what follows."""
        changes = [self._change(name) for name in self._spec.columns if name != self._spec.key]
        changes += [sql.SQL("{} = true").format(self._flag)] if self._flag else []
        # A table of nothing but the key: a change that changes nothing.
        changes = changes or [sql.SQL("{} = held.{}").format(self._key, self._key)]
        return sql.SQL(
            "update {} as held set {} from (values %s) as given ({}) where {} returning given.{}"
        ).format(
            self._table, sql.SQL(", ").join(changes), sql.SQL(", ").join(self._columns),
            self._is_of(self._spec.key), self._key,
        )  # fmt: skip

    def there(self, mark: str) -> sql.Composable:
        """Takes a list of values of the column ``mark``, gives those that are there."""
        return sql.SQL("select given.{} from unnest(%s) as given ({}), {} as held where {}").format(
            sql.Identifier(mark), sql.Identifier(mark), self._table, self._is_of(mark)
        )

    def delete(self) -> sql.Composable:
        """Takes a list of keys. By the type of the key, so that its index is used."""
        return sql.SQL("delete from {} where {} = any(%s::{}[])").format(
            self._table, self._key, self._type(self._spec.key)
        )

    def put_away(self) -> sql.Composable:
        """Takes the values of ``on_leave`` and a list of keys, gives those of rows it changed."""
        changes = [sql.SQL("{} = %s").format(sql.Identifier(n)) for n in self._spec.on_leave]
        changes += [sql.SQL("{} = false").format(self._flag)] if self._flag else []
        return sql.SQL(
            "update {} as held set {} from unnest(%s) as given ({}) where {} returning given.{}"
        ).format(
            self._table, sql.SQL(", ").join(changes), self._key,
            self._is_of(self._spec.key), self._key,
        )  # fmt: skip

    def read(self) -> sql.Composable:
        """Key and columns of the records that are there: as given, where that is what the column
        makes of it (12.50 of 12.5), else as they are."""
        return sql.SQL(
            "select given.{}, {} from (values %s) as given ({}), {} as held where {}"
        ).format(
            self._key, sql.SQL(", ").join(map(self._as_given, self._spec.columns)),
            sql.SQL(", ").join(self._columns), self._table, self._is_of(self._spec.key),
        )  # fmt: skip

    def learn_types(self, cursor: Any) -> None:
        """Types of the columns, as PostgreSQL itself spells them."""
        if self._held:
            return
        cursor.execute(
            "select attname, format_type(atttypid, -1), format_type(atttypid, atttypmod),"
            " typcategory = 'S' from pg_attribute join pg_type on pg_type.oid = atttypid"
            " where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped",
            (self._table.as_string(cursor),),
        )
        self._held = {name: Held(*column) for name, *column in cursor.fetchall()}

    # -- parts

    def _type(self, name: str) -> sql.SQL:
        # A column that is missing is named by the error of the statement.
        return sql.SQL(self._held[name].type if name in self._held else "text")

    def _exact_type(self, name: str) -> sql.SQL:
        """What an assignment makes of a value, which of a text is nothing else."""
        column = self._held.get(name)
        return self._type(name) if not column or column.is_text else sql.SQL(column.exact_type)

    def _is_of(self, mark: str) -> sql.Composable:
        column = sql.Identifier(mark)
        return sql.SQL("held.{} = given.{}::{}").format(column, column, self._type(mark))

    def _change(self, name: str) -> sql.Composable:
        column = sql.Identifier(name)
        value = sql.SQL("given.{}::{}").format(column, self._type(name))
        if name in self._spec.clear_nulls:
            return sql.SQL("{} = {}").format(column, value)
        return sql.SQL("{} = coalesce({}, held.{})").format(column, value, column)

    def _as_given(self, name: str) -> sql.Composable:
        return sql.SQL(
            "case when given.{column}::{type}::text is not distinct from held.{column}::text"
            " then given.{column} else held.{column}::text end"
        ).format(column=sql.Identifier(name), type=self._exact_type(name))
