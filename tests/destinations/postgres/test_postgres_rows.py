"""A table of a real PostgreSQL: modes."""

from contextlib import closing
from dataclasses import replace

import psycopg2
import pytest

from orchestration.destinations.base import Row
from tests.destinations.postgres.case import DELIVERED, Table, pg, row, told

pytestmark = pytest.mark.postgres


def gone(key: str, reason: str = "left") -> Row:
    return Row(key, "remove", reason)


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
    # Its answer was lost, and the model says something else of it by now.
    changed = replace(row("a", "9", version=5), row_hash="other")
    destination.upsert([changed, row("b"), row("c")])
    assert table.run("select id, points from events order by id") == [("a", 7), ("b", 7), ("c", 7)]


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
