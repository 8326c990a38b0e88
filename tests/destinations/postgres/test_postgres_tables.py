"""Tables of a real PostgreSQL as others make them: types, defaults, triggers, views, policies."""

import threading
import time
from contextlib import closing
from typing import Any

import psycopg2
import pytest

from orchestration.destinations.base import Row
from orchestration.destinations.postgres import Postgres
from tests.destinations.postgres.case import DELIVERED, Table, pg, row, told

pytestmark = pytest.mark.postgres

FLAG = {"flag_column": "is_member"}
KEPT = ("unknown", "NOT_REMOVED")
NOT_WRITTEN = ("unknown", "NOT_WRITTEN")
UUID = "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"


def made(table: Table, columns: str) -> None:
    table.run(f"drop table members cascade; create table members ({columns})")


def of(key: str, **values: str | None) -> Row:
    return Row(key, "upsert", "new", {"id": key, **values}, row_hash="h")


def gone(key: str, reason: str) -> Row:
    return Row(key, "remove", reason)


def trigger(table: Table, when: str, body: str) -> None:
    """A trigger of the table of members, with the body of its function."""
    table.run(
        f"create or replace function act() returns trigger language plpgsql as '{body}';"
        f" create trigger act before {when} on members for each row execute function act()"
    )


# -- nulls and defaults


def test_a_null_leaves_a_column_that_must_not_be_null(table: Table) -> None:
    pg(table).upsert([row("a", email="old@x")])
    assert told(pg(table).upsert([row("a", "8", email=None)])) == {"a": DELIVERED}
    assert table.rows("id, email, points") == [("a", "old@x", 8)]
    nobody = pg(table).upsert([row("b", email=None)])
    assert told(nobody) == {"b": ("rejected", "NOT_NULL_VIOLATION")}


@pytest.mark.parametrize("mode", ["upsert", "create_only", "append"])
def test_a_null_of_a_new_row_is_for_the_default(table: Table, mode: str) -> None:
    made(
        table,
        "id text primary key, city text not null default 'x', tier int default 3,"
        " note text default 'n', event_key text unique",
    )
    rows = [of("a", city="Rome"), of("b", tier="1"), of("c")]
    options = {"table": "public.members"}
    options |= {"dedupe_column": "event_key"} if mode == "append" else {}
    columns = ["id", "city", "tier", "note"]
    destination = pg(table, mode, options, columns=columns, clear_nulls=["note"])
    assert told(destination.upsert(rows)) == dict.fromkeys("abc", DELIVERED)
    assert table.rows("id, city, tier, note") == [
        ("a", "Rome", 3, None),
        ("b", "x", 1, None),
        ("c", "x", 3, None),
    ]


def test_create_only_asks_nothing_of_who_is_there(table: Table) -> None:
    pg(table).upsert([row("a")])
    assert told(pg(table, "create_only").upsert([row("a", email=None)])) == {"a": DELIVERED}


def test_a_row_that_is_there_keeps_its_key(table: Table) -> None:
    """PostgreSQL refuses to change a key that it always makes by itself."""
    made(table, "id int generated always as identity primary key, email text")
    table.run("insert into members (email) values ('old')")
    for mode in ("upsert", "update_only"):
        destination = pg(table, mode, columns=["id", "email"])
        assert told(destination.upsert([of("1", email=mode)])) == {"1": DELIVERED}
        assert table.rows("id, email") == [(1, mode)]


def test_a_table_of_nothing_but_keys(table: Table) -> None:
    made(table, "id text primary key")
    for mode in ("upsert", "mirror", "create_only", "update_only"):
        assert told(pg(table, mode, columns=["id"]).upsert([of("a")])) == {"a": DELIVERED}
    assert table.rows("id") == [("a",)]


# -- others at the same time


@pytest.mark.parametrize("mode", ["upsert", "create_only"])
def test_who_was_written_by_another_meanwhile_is_there_once(table: Table, mode: str) -> None:
    """The other has not committed when ours looks who is there, so ours waits for it."""
    made(table, "id text primary key, email text, points int default 3")
    with closing(psycopg2.connect(table.dsn)) as other, other.cursor() as cursor:
        cursor.execute("insert into members values ('a', 'theirs@x', 1)")
        outcomes: dict[str, Any] = {}
        destination = pg(table, mode)
        rows = [of("a", email="ours@x"), of("b", email="ours@x")]
        ours = threading.Thread(target=lambda: outcomes.update(told(destination.upsert(rows))))
        ours.start()
        wait_for_a_lock(table)
        other.commit()
        ours.join(timeout=30)
    assert outcomes == {"a": DELIVERED, "b": DELIVERED}
    email = "ours@x" if mode == "upsert" else "theirs@x"
    assert table.rows("id, email, points") == [("a", email, 1), ("b", "ours@x", 3)]


def wait_for_a_lock(table: Table) -> None:
    until = time.monotonic() + 20
    while not table.run("select 1 from pg_locks where not granted"):
        assert time.monotonic() < until, "nobody waits"
        time.sleep(0.01)


# -- what a table drops, keeps or refuses


@pytest.mark.parametrize("mode", ["upsert", "create_only", "append"])
def test_a_row_that_a_trigger_drops_is_not_told_as_written(table: Table, mode: str) -> None:
    table.run("alter table members add event_key text unique")
    trigger(table, "insert", "begin return case when new.id = ''a'' then null else new end; end")
    options = {"table": "public.members"}
    options |= {"dedupe_column": "event_key"} if mode == "append" else {}
    destination = pg(table, mode, options)
    assert told(destination.upsert([row("a"), row("b")])) == {"a": NOT_WRITTEN, "b": DELIVERED}


def test_a_key_that_a_trigger_writes_in_another_way_is_not_told_as_written(table: Table) -> None:
    """By that key nobody would find it to take it away."""
    trigger(table, "insert", "begin new.id = lower(new.id); return new; end")
    assert told(pg(table).upsert([row("A"), row("b")])) == {"A": NOT_WRITTEN, "b": DELIVERED}


def test_a_trigger_that_puts_rows_elsewhere_in_the_table_writes_them(table: Table) -> None:
    table.run("create table elsewhere (primary key (id)) inherits (members)")
    trigger(table, "insert", "begin insert into elsewhere select new.*; return null; end")
    assert told(pg(table).upsert([row("a")])) == {"a": DELIVERED}
    assert told(pg(table).upsert([row("a", "8")])) == {"a": DELIVERED}
    assert table.rows() == [("a", 8)]


def test_a_change_that_a_trigger_drops_is_not_told_as_written(table: Table) -> None:
    pg(table).upsert([row("a"), row("b")])
    trigger(table, "update", "begin return case when new.id = ''a'' then null else new end; end")
    rows = [row("a", "8"), row("b", "8")]
    for mode in ("upsert", "update_only"):
        assert told(pg(table, mode).upsert(rows)) == {"a": NOT_WRITTEN, "b": DELIVERED}
    left = [gone("a", "consent"), gone("b", "consent"), gone("c", "consent")]
    outcomes = pg(table, "audience", FLAG).remove(left)
    assert told(outcomes) == {"a": NOT_WRITTEN, "b": DELIVERED, "c": DELIVERED}


def test_a_row_that_a_trigger_keeps_is_not_told_as_gone(table: Table) -> None:
    pg(table).upsert([row("a"), row("b")])
    trigger(table, "delete", "begin return case when old.id = ''a'' then null else old end; end")
    rows = [gone(key, "erasure") for key in "abc"]
    assert told(pg(table).remove(rows)) == {"a": KEPT, "b": DELIVERED, "c": DELIVERED}


def test_a_text_too_long_for_an_index_is_refused_by_itself(table: Table) -> None:
    table.run("create index on members (other)")
    long = "".join(chr(0x4E00 + number * 7919 % 20_000) for number in range(9000))
    rows = [row(key) for key in "abc"]
    rows[1] = Row("b", "upsert", "new", {**rows[1].values, "other": long}, row_hash="h")
    outcomes = pg(table, columns=["id", "email", "points", "other"]).upsert(rows)
    refused = ("rejected", "PROGRAM_LIMIT_EXCEEDED")
    assert told(outcomes) == {"a": DELIVERED, "b": refused, "c": DELIVERED}


def test_a_view_refuses_rows_it_would_not_show_one_by_one(table: Table) -> None:
    table.run(
        "create or replace view shown as select id, email, points from members where points < 9"
        " with check option"
    )
    destination = pg(table, options={"table": "public.shown"})
    refused = ("rejected", "WITH_CHECK_OPTION_VIOLATION")
    assert told(destination.upsert([row("a"), row("b", "9")])) == {"a": DELIVERED, "b": refused}


def test_a_policy_refuses_rows_one_by_one(table: Table) -> None:
    table.run("drop role if exists guest; create role guest login")
    table.run(
        "grant select, insert, update on members to guest;"
        " alter table members enable row level security;"
        " create policy low on members using (true) with check (points < 9)"
    )
    destination = pg(Table(psycopg2.extensions.make_dsn(table.dsn, user="guest")))
    refused = ("rejected", "INSUFFICIENT_PRIVILEGE")
    assert told(destination.upsert([row("a"), row("b", "9")])) == {"a": DELIVERED, "b": refused}


# -- types


def test_an_empty_text_on_leaving_is_null_where_no_text_goes(table: Table) -> None:
    made(
        table,
        "id text primary key, email text, city varchar(9), points int, since date,"
        " is_vip boolean, is_member boolean",
    )
    columns = ["id", "email", "city", "points", "since", "is_vip"]
    destination = pg(
        table, "audience", FLAG, columns=columns, on_leave=dict.fromkeys(columns[1:], "")
    )
    values = {"email": "a@x", "city": "Rome", "points": "5", "since": "2024-01-01", "is_vip": "t"}
    destination.upsert([of("a", **values)])
    assert told(destination.remove([gone("a", "consent")])) == {"a": DELIVERED}
    assert table.rows("email, city, points, since, is_vip, is_member") == [
        ("", "", None, None, None, False)
    ]


TYPED = {
    "numeric(10,2)": ("12.5", "12.345", "0"),
    "double precision": ("0.10", "1e2"),
    "timestamptz": ("2024-01-01T10:00:00Z", "2024-01-01 12:00+02"),
    "date": ("2024-1-2",),
    "boolean": ("t", "no"),
    "uuid": (UUID,),
    "jsonb": ('{"b": 1,  "a": 2}',),
    "json": ('{"b": 1,  "a": 2}',),
    "varchar(5)": ("a b ", ""),
    "char(5)": ("a b",),
    "integer": ("007", "-0"),
    "text[]": ("{a,  b}",),
}


def typed(table: Table, column_type: str) -> Postgres:
    made(table, f"id text primary key, given {column_type}")
    return pg(table, columns=["id", "given"])


@pytest.mark.parametrize(
    ("column_type", "value"), [(name, text) for name, texts in TYPED.items() for text in texts]
)
def test_what_a_type_spells_in_another_way_is_read_as_it_was_given(
    table: Table, column_type: str, value: str
) -> None:
    destination, rows = typed(table, column_type), [of("a", given=value), of("b", given=None)]
    assert told(destination.upsert(rows)) == {"a": DELIVERED, "b": DELIVERED}
    assert destination.read(rows) == {"a": rows[0].values, "b": rows[1].values}
    table.run("update members set given = null")
    assert destination.read(rows)["a"]["given"] is None


@pytest.mark.parametrize(
    ("column_type", "held", "value"),
    [
        ("numeric(10,2)", "12.50", "12.51"),
        ("integer", "7", "seven"),
        ("integer", "7", ""),
        ("varchar(3)", "abc", "abcdef"),
        ("text", "a", "A"),
        ("date", "2024-01-02", "2024-02-30"),
        ("boolean", "true", "f"),
    ],
)
def test_another_value_is_read_as_it_is(
    table: Table, column_type: str, held: str, value: str
) -> None:
    destination = typed(table, column_type)
    destination.upsert([of("a", given=held), of("b", given=held)])
    read = destination.read([of("a", given=value), of("b", given=held), of("c", given=held)])
    assert read == {"a": {"id": "a", "given": held}, "b": {"id": "b", "given": held}}


@pytest.mark.parametrize(
    ("key_type", "key", "held"), [("uuid", UUID, UUID.lower()), ("integer", "007", "7")]
)
def test_a_key_that_its_type_spells_in_another_way_is_found(
    table: Table, key_type: str, key: str, held: str
) -> None:
    made(table, f"id {key_type} primary key, email text, is_member boolean")
    for mode in ("upsert", "create_only", "update_only", "audience"):
        destination = pg(table, mode, FLAG, columns=["id", "email"])
        assert told(destination.upsert([of(key, email="e")])) == {key: DELIVERED}
        assert destination.read([of(key, email="e")]) == {key: {"id": key, "email": "e"}}
    assert table.rows("id::text, is_member") == [(held, True)]
    assert told(destination.remove([gone(key, "consent")])) == {key: DELIVERED}
    assert table.rows("is_member") == [(False,)]
    assert destination.read([of("no key of that type", email="e")]) == {}
    assert told(destination.remove([gone(key, "erasure")])) == {key: DELIVERED}
    assert table.rows("id") == []
