"""A table of a real PostgreSQL: what goes wrong, declarations and settings."""

import logging
import socket
import threading
from contextlib import suppress
from typing import Any

import psycopg2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration.destinations.base import Refused, Stopped, Unanswered
from orchestration.destinations.postgres import Postgres, secure_dsn
from tests.destinations.postgres.case import DELIVERED, Table, pg, row, spec, told

# -- what goes wrong


pytestmark = pytest.mark.postgres

TLS = "sslmode=verify-full"


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
        ("host=127.0.0.1 hostaddr=93.184.215.14", "host=127.0.0.1 hostaddr=93.184.215.14 " + TLS),
        ("host=db.example.com hostaddr='' sslmode=disable", None),
        ("host=localhost,db.example.com hostaddr=127.0.0.1, sslmode=disable", None),
        ("host=db.example.com hostaddr=127.0.0.1", "host=db.example.com hostaddr=127.0.0.1"),
        ("host=/run/postgresql dbname=x", "host=/run/postgresql dbname=x"),
        ("dbname=x sslmode=disable service=prod", None),
        ("host=localhost sslmode=disable service=prod", None),
        ("dbname=x service=prod", f"dbname=x service=prod {TLS}"),
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
    ("variable", "value", "dsn", "is_here"),
    [
        ("PGHOST", "db.example.com", "dbname=x", False),
        ("PGHOST", "db.example.com", "host=localhost", True),
        ("PGHOST", "/run/postgresql", "dbname=x", True),
        ("PGHOSTADDR", "93.184.215.14", "dbname=x", False),
        ("PGHOSTADDR", "93.184.215.14", "host=localhost", False),
        ("PGHOSTADDR", "93.184.215.14", "host=localhost hostaddr=127.0.0.1", True),
        ("PGHOSTADDR", "127.0.0.1", "dbname=x", True),
        ("PGSERVICE", "prod", "dbname=x", False),
        ("PGSERVICE", "prod", "host=localhost", False),
    ],
)
def test_the_environment_may_lead_to_another_machine(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, dsn: str, is_here: bool
) -> None:
    monkeypatch.setenv(variable, value)
    parse = psycopg2.extensions.parse_dsn
    assert parse(secure_dsn(dsn)) == parse(dsn if is_here else f"{dsn} {TLS}")
    if not is_here:
        with pytest.raises(ValueError, match="sslmode"):
            secure_dsn(f"{dsn} sslmode=prefer")


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
