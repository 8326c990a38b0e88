"""The PostgreSQL destination against a real server."""

import logging
import socket
import threading
from contextlib import closing, suppress
from typing import Any

import psycopg2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration.destinations.base import Outcome, Refused, Row, Stopped, Unanswered
from orchestration.destinations.postgres import Postgres, secure_dsn
from orchestration.sync.spec import SyncSpec
from tests.fixtures.postgres import own_database

pytestmark = pytest.mark.postgres

COLUMNS = ["id", "email", "points"]
TABLE = """
    drop table if exists public.members, public.events;
    create table public.members (
        id varchar(12) primary key, email text not null check (email like '%@%'),
        points integer, is_member boolean, other text default 'theirs'
    );
    create table public.events (id text, email text, points integer, event_key text unique)
"""


@pytest.fixture(scope="module")
def dsn(postgres: dict[str, str]) -> str:
    found = own_database(postgres, "destination")
    return (
        f"host={found['CDP_POSTGRES_HOST']} port={found['CDP_POSTGRES_PORT']}"
        f" user={found['CDP_POSTGRES_USER']} dbname={found['CDP_POSTGRES_DATABASE']}"
    )


class Table:
    """The other side, seen by itself."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn

    def run(self, statement: str) -> list[tuple]:
        with closing(psycopg2.connect(self.dsn)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []

    def rows(self, columns: str = "id, points") -> list[tuple]:
        return self.run(f"select {columns} from public.members order by id")


@pytest.fixture
def table(dsn: str) -> Table:
    found = Table(dsn)
    found.run(TABLE)
    return found


def spec(mode: str = "mirror", options: dict[str, str] | None = None, **changes: Any) -> SyncSpec:
    name = "events" if mode == "append" else "members"
    given = {
        "sync_name": "sync_postgres__members",
        "destination": "postgres",
        "object": "events" if mode == "append" else "records",
        "mode": mode,
        "key": "id",
        "purpose": "marketing",
        "channel": "email",
        "identity_tier": "exact",
        "columns": COLUMNS,
        "options": {"table": f"public.{name}"} | (options or {}),
    }
    return SyncSpec(**(given | changes))


def pg(table: Table, mode: str = "mirror", options: Any = None, **changes: Any) -> Postgres:
    declared = spec(mode, options, **changes)
    Postgres.check(declared)
    return Postgres(declared, table.dsn, sleep=lambda seconds: None)


def row(
    key: str, points: str | None = "7", email: str | None = "a@example.com", **more: Any
) -> Row:
    values = {"id": key, "email": email, "points": points}
    return Row(key, "upsert", "new", values, row_hash="h", **more)


def gone(key: str, reason: str = "left") -> Row:
    return Row(key, "remove", reason)


def told(outcomes: list[Outcome]) -> dict[str, tuple[str, str | None]]:
    return {outcome.key: (outcome.status, outcome.error_code) for outcome in outcomes}


DELIVERED = ("delivered", None)


def test_rows_come_change_and_go_and_others_stay(table: Table) -> None:
    table.run("insert into members (id, email, points) values ('theirs', 't@example.com', 1)")
    destination = pg(table)
    assert told(destination.upsert([row("a"), row("b")])) == {"a": DELIVERED, "b": DELIVERED}
    destination.upsert([row("a", "8")])
    assert table.rows() == [("a", 8), ("b", 7), ("theirs", 1)]
    assert told(destination.remove([gone("a"), gone("nobody")])) == {
        "a": DELIVERED,
        "nobody": DELIVERED,
    }
    assert table.rows() == [("b", 7), ("theirs", 1)]
    assert destination.calls == 3


def test_a_null_leaves_what_is_there_unless_it_empties_the_column(table: Table) -> None:
    pg(table).upsert([row("a")])
    pg(table).upsert([row("a", None)])
    assert table.rows("id, points, other") == [("a", 7, "theirs")]
    pg(table, clear_nulls=["points"]).upsert([row("a", None)])
    assert table.rows() == [("a", None)]


def test_refused_rows_are_told_one_by_one_and_the_others_arrive(table: Table) -> None:
    rows = [row(f"k{number:03}") for number in range(100)]
    rows[3] = row("k003", "many")
    rows[50] = row("k050", email="bad")
    rows[51] = row("k051", email=None)
    rows[70] = row("k070_longer_than_12")
    rows[99] = row("k099", email="a@\x00")
    rows.append(row("k100", email="a@\ud83c"))
    destination = pg(table)
    refused = {key: code for key, (_, code) in told(destination.upsert(rows)).items() if code}
    assert refused == {
        "k003": "INVALID_TEXT_REPRESENTATION",
        "k050": "CHECK_VIOLATION",
        "k051": "NOT_NULL_VIOLATION",
        "k070_longer_than_12": "STRING_DATA_RIGHT_TRUNCATION",
        "k099": "NUL_IN_TEXT",
        "k100": "NOT_UNICODE",
    }
    assert len(table.rows()) == 95
    assert destination.calls == 1, "one transaction"


def test_a_flag_tells_members_and_erasure_takes_the_row(table: Table) -> None:
    destination = pg(table, "audience", {"flag_column": "is_member"}, on_leave={"points": "0"})
    destination.upsert([row("a"), row("b"), row("c")])
    assert table.rows("id, is_member") == [("a", True), ("b", True), ("c", True)]
    destination.remove([gone("a"), gone("b", "consent"), gone("c", "erasure")])
    assert table.rows("id, points, is_member") == [("a", 0, False), ("b", 0, False)]
    destination.upsert([row("a")])
    assert table.rows("id, points, is_member")[0] == ("a", 7, True)
    stays = pg(table, "audience", {"flag_column": "is_member"}, on_erasure="leave")
    stays.remove([gone("a", "erasure")])
    assert table.rows("id, is_member")[0] == ("a", False)


def test_modes_that_list_who_goes(table: Table) -> None:
    pg(table).upsert([row("a"), row("b"), row("c")])
    pg(table, "archive", {"flag_column": "is_member"}).remove([gone("a", "listed")])
    pg(table, "delete").remove([gone("b", "listed")])
    assert table.rows("id, is_member") == [("a", False), ("c", None)]


def test_create_only_and_update_only(table: Table) -> None:
    table.run("insert into members (id, email, points) values ('a', 't@example.com', 1)")
    assert told(pg(table, "create_only").upsert([row("a"), row("b")])) == {
        "a": DELIVERED,
        "b": DELIVERED,
    }
    assert table.rows() == [("a", 1), ("b", 7)]
    outcomes = pg(table, "update_only").upsert([row("a", "9"), row("c"), row("b", None)])
    assert told(outcomes) == {"a": DELIVERED, "c": ("rejected", "NOT_THERE"), "b": DELIVERED}
    assert table.rows() == [("a", 9), ("b", 7)]
    bad = pg(table, "update_only").upsert([row("a", "many"), row("b", "3")])
    assert told(bad) == {"a": ("rejected", "INVALID_TEXT_REPRESENTATION"), "b": DELIVERED}


def test_a_key_is_never_cut_to_anothers(table: Table) -> None:
    table.run("insert into members (id, email) values ('123456789012', 't@example.com')")
    long = "123456789012345"
    pg(table).remove([gone(long)])
    pg(table, "update_only").upsert([row(long)])
    assert table.rows() == [("123456789012", None)]


def test_an_objection_without_a_way_to_show_it_is_not_told_as_done(table: Table) -> None:
    pg(table).upsert([row("a")])
    outcomes = pg(table, "upsert").remove([gone("a", "objection"), gone("b", "erasure")])
    assert told(outcomes) == {"a": ("rejected", "NO_REMOVAL_DECLARED"), "b": DELIVERED}


def test_an_event_sent_twice_is_there_once(table: Table) -> None:
    destination = pg(table, "append", {"dedupe_column": "event_key"})
    assert destination.appends_are_repeatable
    destination.upsert([row("a"), row("b")])
    destination.upsert([row("a"), row("b"), row("a", version=5)])
    assert table.run("select id from events order by id") == [("a",), ("a",), ("b",)]


def test_what_is_there_can_be_read(table: Table) -> None:
    destination = pg(table)
    destination.upsert([row("a"), row("b", None)])
    assert destination.read([row("a"), row("b"), row("c")]) == {
        "a": {"id": "a", "email": "a@example.com", "points": "7"},
        "b": {"id": "b", "email": "a@example.com", "points": None},
    }


def test_removal_uses_the_index_of_the_key(table: Table) -> None:
    table.run("insert into members select i, 'a@b' from generate_series(1, 20000) as i")
    table.run("analyze members")
    destination = pg(table)
    with closing(psycopg2.connect(table.dsn)) as connection, connection.cursor() as cursor:
        destination._sql.learn_types(cursor)
        statement = destination._sql.delete().as_string(cursor)
        cursor.execute(f"explain {statement}", (["7", "8"],))
        assert "Index" in str(cursor.fetchall())


# -- what goes wrong


class Cut:
    """Passes bytes on to the server and cuts the line once a commit went by."""

    def __init__(self, dsn: str, cuts: int) -> None:
        parts = psycopg2.extensions.parse_dsn(dsn)
        self._upstream = (parts["host"], int(parts["port"]))
        self.cuts = cuts
        self._listener = socket.create_server(("127.0.0.1", 0))
        port = self._listener.getsockname()[1]
        self.dsn = psycopg2.extensions.make_dsn(
            dsn, port=port, sslmode="disable", gssencmode="disable"
        )
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(self._upstream)
            line = {"cut": False}
            for source, target, upwards in ((client, server, True), (server, client, False)):
                work = (source, target, upwards, line)
                threading.Thread(target=self._pass, args=work, daemon=True).start()

    def _pass(self, source: Any, target: Any, upwards: bool, line: dict[str, bool]) -> None:
        try:
            while data := source.recv(65536):
                if upwards and b"COMMIT" in data and self.cuts:
                    self.cuts -= 1
                    line["cut"] = True
                if line["cut"] and not upwards:
                    break  # the answer to the commit: it is done, and nobody hears of it
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


def test_a_commit_whose_answer_is_lost_is_done_again_without_harm(table: Table) -> None:
    cut = Cut(table.dsn, cuts=1)
    destination = pg(Table(cut.dsn))
    assert told(destination.upsert([row("a"), row("b")])) == {"a": DELIVERED, "b": DELIVERED}
    assert (destination.calls, cut.cuts) == (2, 0)
    assert table.rows() == [("a", 7), ("b", 7)]
    events = pg(Table(Cut(table.dsn, cuts=1).dsn), "append", {"dedupe_column": "event_key"})
    events.upsert([row("a")])
    assert table.run("select count(*) from events") == [(1,)]


def test_a_line_that_keeps_breaking_leaves_rows_unanswered(table: Table) -> None:
    destination = pg(Table(Cut(table.dsn, cuts=99).dsn))
    with pytest.raises(Unanswered) as caught:
        destination.upsert([row("a")])
    assert caught.value.__context__ is None
    assert destination.calls == 4
    assert pg(table).upsert([row("a", is_uncertain=True)])[0].status == "delivered"


def test_no_server_and_a_refused_login(table: Table) -> None:
    with pytest.raises(Unanswered):
        pg(Table(psycopg2.extensions.make_dsn(table.dsn, port=9))).upsert([row("a")])


@pytest.mark.parametrize(
    ("statement", "code", "error_class"),
    [
        ("drop table members", "UNDEFINED_TABLE", "systemic"),
        ("alter table members drop column points", "UNDEFINED_COLUMN", "systemic"),
        (
            "alter table members drop constraint members_pkey",
            "INVALID_COLUMN_REFERENCE",
            "systemic",
        ),
        ("revoke all on members from cdp", "INSUFFICIENT_PRIVILEGE", "auth"),
    ],
)
def test_a_table_that_does_not_fit_ends_it(
    table: Table, statement: str, code: str, error_class: str
) -> None:
    table.run(statement)
    dsn = table.dsn
    if "revoke" in statement:
        table.run("drop role if exists reader; create role reader login")
        dsn = psycopg2.extensions.make_dsn(dsn, user="reader")
    with pytest.raises(Stopped) as caught:
        pg(Table(dsn)).upsert([row("a")])
    assert (caught.value.code, caught.value.error_class) == (code, error_class)


def test_a_constraint_that_waits_for_the_end_refuses_the_batch(table: Table) -> None:
    table.run(
        "alter table members add unique (email) deferrable initially deferred",
    )
    with pytest.raises(Refused) as caught:
        pg(table).upsert([row("a"), row("b")])
    assert caught.value.code == "UNIQUE_VIOLATION"
    assert table.rows() == []


@pytest.mark.parametrize(
    ("dsn", "answer"),
    [
        ("host=127.0.0.1 dbname=x", "host=127.0.0.1 dbname=x"),
        ("dbname=x", "dbname=x"),
        ("host=db.example.com", "host=db.example.com sslmode=verify-full"),
        ("host=db.example.com sslmode=verify-ca", "host=db.example.com sslmode=verify-ca"),
        ("host=127.0.0.1,db.example.com", "host=127.0.0.1,db.example.com sslmode=verify-full"),
        ("postgresql://u:p@db.example.com/x?sslmode=require", None),
        ("host=db.example.com sslmode=disable", None),
        ("host=127.0.0.1 hostaddr=93.184.215.14 sslmode=prefer", None),
        ("postgresql://u:canary@[", None),
    ],
)
def test_another_machine_must_prove_itself(dsn: str, answer: str | None) -> None:
    if answer:
        parse = psycopg2.extensions.parse_dsn
        assert parse(secure_dsn(dsn)) == parse(answer)
        return
    with pytest.raises(ValueError, match="CDP_SYNC_POSTGRES_") as caught:
        secure_dsn(dsn)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"options": {"table": "members"}}, "table"),
        ({"options": {"table": 'a.b"; drop table x;--'}}, "table"),
        ({"options": {"flag_column": "x y"}}, "flag_column"),
        ({"options": {"flag_column": "email"}}, "email"),
        ({"options": {"dsn_env": "DATABASE_URL"}}, "dsn_env"),
        ({"options": {"password": "x"}}, "password"),
        ({"mode": "audience"}, "flag_column"),
        ({"mode": "archive"}, "flag_column"),
        ({"mode": "append"}, "dedupe_column"),
        ({"columns": ["id", 'x"y']}, "columns"),
        ({"object": "contacts"}, "cannot do"),
    ],
)
def test_a_declaration_with_a_mistake_is_refused(changes: dict[str, Any], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        Postgres.check(spec(**changes))


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    text=st.one_of(
        st.text(max_size=40),
        st.sampled_from(["');drop table members;--", "%s %(a)s", "x" * 10_000]),
    )
)
def test_any_text_arrives_as_it_is_or_is_refused(table: Table, text: str) -> None:
    email = f"@{text}"
    [outcome] = pg(table).upsert([row("a", email=email)])
    if "\x00" in text:
        assert outcome.error_code == "NUL_IN_TEXT"
    else:
        assert table.rows("email") == [(email,)]


def test_no_value_is_in_errors_and_logs(table: Table, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    said = repr(pg(table).upsert([row("a", email="canary"), row("b", "canary")]))
    table.run("alter table members add unique (email) deferrable initially deferred")
    with pytest.raises(Refused) as caught:
        pg(table).upsert([row("c", email="canary@x"), row("d", email="canary@x")])
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None
    assert "canary" not in said + caplog.text + repr(caught.value)


def test_settings_come_from_the_environment(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CDP_SYNC_POSTGRES_DSN", raising=False)
    with pytest.raises(LookupError, match="CDP_SYNC_POSTGRES_DSN"):
        Postgres.from_environment(spec())
    monkeypatch.setenv("CDP_SYNC_POSTGRES_OTHER", table.dsn)
    Postgres.from_environment(spec(options={"dsn_env": "CDP_SYNC_POSTGRES_OTHER"})).upsert(
        [row("a")]
    )
    assert table.rows() == [("a", 7)]
