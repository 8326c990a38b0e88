"""Somebody is erased: what goes, what stays, and what is sent again."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest

from orchestration.compaction import NothingToCompact, compact
from orchestration.erasure import ErasedRows, ErasureFailed, erase, open_requests
from orchestration.warehouse import Warehouse

from .conftest import TABLES, RawProject

LATER = datetime.now(UTC).replace(tzinfo=None) + timedelta(days=300)
"""Of another relationship, which began after the erasure."""
LOADED = (datetime.fromisoformat("2026-01-01"), LATER + timedelta(hours=1))
AHEAD = (datetime.now(UTC) + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
OLD, NEW = "2024-05-01T10:00:00Z", LATER.strftime("%Y-%m-%dT%H:%M:%SZ")

IDENTIFIERS = [
    ("record", "crm:1"),
    ("record", "shop:9"),
    ("record", "shop:guest-o2"),
    ("record", "web:k"),
    ("email", "ann@x.test"),
    ("phone", "+33611111111"),
    ("shop_customer_id", "9"),
    ("email_sha256", sha256(b"ann@x.test").hexdigest()),
]
RAW = {
    "raw_crm.contacts": (
        "contact_id, email, phone, country, created_at, loaded_at",
        ("1", "old@x.test", None, "FR", OLD, LOADED[0]),
        ("2 other key", " ANN@x.test", None, "FR", OLD, LOADED[0]),
        ("3 without a date", "ann@x.test", None, "FR", None, LOADED[0]),
        ("4 from the future of its loading", "ann@x.test", None, "FR", "2999-01-01", LOADED[1]),
        ("5 by phone", None, "06 11 11 11 11", "FR", OLD, LOADED[0]),
        ("stays: began afterwards", "ann@x.test", None, "FR", NEW, LOADED[1]),
        ("stays: of another country", None, "06 11 11 11 11", "GB", OLD, LOADED[0]),
        ("stays: another", "bob@x.test", None, "FR", OLD, LOADED[0]),
        (
            "stays: was there before, has her number now",
            None,
            "0611111111",
            "FR",
            OLD,
            LOADED[1],
        ),
        ("6 by a clock two hours ahead", "ann@x.test", None, "FR", AHEAD, LOADED[1]),
    ),
    "raw_web.page_views": (
        "event_id, anonymous_id, user_id, event_at, loaded_at",
        ("1", "k", None, OLD, LOADED[0]),
        ("2", "k", "9", OLD, LOADED[0]),
        ("3 on another browser", "z", "9", OLD, LOADED[0]),
        ("4 no log-in", "k", "undefined", OLD, LOADED[0]),
        ("5 badly written", "z", "9\t", OLD, LOADED[0]),
        ("stays: another logged in", "k", "77", OLD, LOADED[0]),
        ("stays: another browser", "z", None, OLD, LOADED[0]),
        ("stays: afterwards", "k", None, NEW, LOADED[1]),
    ),
    "raw_consent.consent_events": (
        "consent_id, subject_type, subject_value, captured_at, received_at, loaded_at",
        ("1", "email", "Ann@X.test", OLD, NEW, LOADED[0]),
        ("2", "customer_id", "9", OLD, None, LOADED[0]),
        ("3", "phone", "0611111111", None, None, LOADED[0]),
        ("stays: a member", "member_id", "9", OLD, OLD, LOADED[0]),
        ("stays: received afterwards", "email", "ann@x.test", None, NEW, LOADED[1]),
    ),
    "raw_enrichment.persons": (
        "email_sha256, loaded_at",
        (sha256(b"ann@x.test").hexdigest().upper(), LOADED[0]),
        ("stays", LOADED[0]),
    ),
    "raw_post.letters": ('"Sent To", loaded_at', ("ANN@x.test", LOADED[0]), ("stays@", LOADED[0])),
    "raw_privacy.privacy_requests": (
        "request_id, subject_type, subject_value, requested_at, loaded_at",
        ("1", "email", "ann@x.test", OLD, LOADED[0]),
        ("stays", "email", "bob@x.test", OLD, LOADED[0]),
        ("stays: came afterwards, without a date", "email", "ann@x.test", None, LATER),
    ),
}
ORDERS = (
    "order_id, customer_id, email, total_amount, ordered_at, loaded_at",
    ("o1", "9", "ann@x.test", "10.50", OLD, LOADED[0]),
    ("o2", None, "family@x.test", "20.00", OLD, LOADED[0]),
    ("o3", "77", "family@x.test", "40.00", OLD, LOADED[0]),
    ("o4", None, "ann@x.test", "80.00", NEW, LOADED[1]),
    ("o5", "77", "ann@x.test", "160.00", OLD, LOADED[0]),
    ("o6", "9\t", None, "320.00", OLD, LOADED[0]),
)
KEPT_ORDERS = [
    ("o1", None, None, "10.50"),
    ("o2", None, None, "20.00"),
    ("o3", "77", "family@x.test", "40.00"),
    ("o4", None, "ann@x.test", "80.00"),
    ("o5", "77", None, "160.00"),
    ("o6", None, None, "320.00"),
]
CALLS = (
    "call_id, requester_id, caller_phone, started_at, loaded_at",
    ("c1", None, "0611111111", OLD, LOADED[0]),
    ("c2", "bob", "0611111111", OLD, LOADED[0]),
)
KEPT_CALLS = [("c2", "bob", None)]


def send(project: RawProject) -> None:
    """What the sources have, once more: they don't know that somebody was erased."""
    others = {"raw_shop.orders": ORDERS, "raw_support.calls": CALLS}
    with project.opened():
        for table, (columns, *rows) in {**RAW, **others}.items():
            project.execute(f"delete from {table}")
            project.insert(table, columns, *rows)


def left(project: RawProject) -> dict[str, list[str]]:
    keys = {table: columns.split(",")[0] for table, (columns, *_) in RAW.items()}
    return {table: project.column(key, table) for table, key in keys.items()}


def orders(project: RawProject) -> list[tuple]:
    sql = "select order_id, customer_id, email, total_amount from raw_shop.orders order by order_id"
    return [tuple(row.values()) for row in project.fetch(sql)]


def calls(project: RawProject) -> list[tuple]:
    sql = "select call_id, requester_id, caller_phone from raw_support.calls order by call_id"
    return [tuple(row.values()) for row in project.fetch(sql)]


STAYS = {
    table: sorted(row[0] for row in rows if row[0].startswith("stays"))
    for table, (_, *rows) in RAW.items()
}


@pytest.fixture
def project(emptied: RawProject) -> RawProject:
    with emptied.opened():
        fill(emptied)
    return emptied


def fill(emptied: RawProject) -> None:
    """Ann is ready, Bob waits; nobody was ever erased."""
    names = ("erasures", "erased_rows", "erased_identifiers", "erasure_salts")
    memory = ("landing_rejections", "identity_decisions")
    for table in (*TABLES, *(f"state.{name}" for name in (*names, *memory))):
        emptied.execute(f"delete from {table}")
    columns = "request_id, customer_id, status, waits_for, destination_row_count, due_on"
    emptied.insert(
        "rights.erasure_requests",
        columns,
        ("r1", "ann", "ready", None, 0, "2026-01-31"),
        ("r2", "bob", "waiting", "sync_crm", 2, "2026-01-30"),
    )
    emptied.insert(
        "rights.erasure_identifiers",
        "request_id, customer_id, identifier_type, identifier_value",
        *(("r1", "ann", kind, value) for kind, value in IDENTIFIERS),
    )
    members = [("crm:1", "ann"), ("shop:9", "ann"), ("crm:6", "bob")]
    emptied.insert("identity.customer_identities", "record_key, customer_id", *members)
    bobs = "crm:stays: was there before, has her number now"
    there = sha256(bobs.encode()).hexdigest()[:32]
    hashes = [("h1", "ann"), ("h9", "ann"), ("gone", "ann"), ("h6", "bob"), (there, "bob")]
    emptied.insert("identity.customer_id_registry", "record_hash, customer_id", *hashes)
    log = [("h1", "h1"), ("h1", "ann"), ("gone", "ann"), ("h6", "bob")]
    emptied.insert("identity.customer_id_assignments", "record_hash, customer_id", *log)
    emptied.insert(
        "state.identity_decisions",
        "decision_number, decision, record_key, other_record_key",
        *(
            (1, "same", "crm:1", "x:1"),
            (2, "different", "x:1", "shop:9"),
            (3, "same", "a:1", "b:1"),
        ),
    )
    emptied.insert(
        "state.landing_rejections",
        "run_id, source_name, table_name, file_name, line_number, raw_text",
        ("l", "crm", "contacts", "f", 1, '8,"ANN@X.TEST",broken'),
        ("l", "crm", "contacts", "f", 2, "8,joann@x.test,ann@x.test.fr,broken"),
    )
    send(emptied)


def test_rows_of_the_erased_go_and_those_of_others_stay(project: RawProject) -> None:
    requests = open_requests(project.target, project.path)
    assert [(r.request_id, r.is_ready, r.waits_for) for r in requests] == [
        ("r2", False, "sync_crm"),
        ("r1", True, None),
    ]
    erased = erase(project.target, project_dir=project.path)
    assert left(project) == STAYS
    assert orders(project) == KEPT_ORDERS
    assert calls(project) == KEPT_CALLS
    assert erased.requests == 1
    assert erased.rows == [
        ErasedRows("consent.consent_events", "delete", 3),
        ErasedRows("crm.contacts", "delete", 7),  # one of them was refused at landing
        ErasedRows("enrichment.persons", "delete", 1),
        ErasedRows("post.letters", "delete", 1),
        ErasedRows("privacy.privacy_requests", "delete", 1),
        ErasedRows("shop.orders", "anonymise", 4),
        ErasedRows("support.calls", "anonymise", 1),
        ErasedRows("support.calls", "delete", 1),
        ErasedRows("web.page_views", "delete", 5),
    ]
    # What is remembered of them
    assert set(project.column("customer_id", "identity.customer_id_registry")) == {"bob"}
    assert project.column("record_hash", "identity.customer_id_assignments") == ["h6"]
    assert project.column("decision_number", "state.identity_decisions") == [3]
    assert project.column("line_number", "state.landing_rejections") == [2]
    [done] = project.fetch("select * from state.erasures")
    assert done["request_id"] == "r1"
    assert abs(done["erased_at"] - datetime.now(UTC).replace(tzinfo=None)) < timedelta(minutes=5)
    assert set(project.column("request_id", "state.erased_rows")) == {"r1"}
    # What is kept tells nobody
    [salt] = project.column("salt", "state.erasure_salts")
    kept = project.column("identifier_hash", "state.erased_identifiers")
    assert kept == sorted(
        sha256(f"{salt}:{kind}:{value}".encode()).hexdigest() for kind, value in IDENTIFIERS
    )
    assert len(salt) == 64


def test_columns_may_be_called_as_ours(project: RawProject) -> None:
    project.execute("delete from raw_post.gifts")
    rows = [("Ann@x.test", "a ring"), ("bob@x.test", "a book")]
    project.insert("raw_post.gifts", "known_by, raw_row", *rows)
    erase(project.target, project_dir=project.path)
    kept = project.fetch("select known_by, raw_row from raw_post.gifts order by known_by")
    assert {tuple(row.values()) for row in kept} == {(None, None), ("bob@x.test", "a book")}
    project.execute("delete from raw_post.gifts")


def test_a_table_of_parts_loses_nobody_elses_rows(project: RawProject) -> None:
    """Each is the first row of its part, so by its place within the part alone it is both."""
    if project.target == "duckdb":
        return  # has no such tables
    parts = [f"create table raw_post.part_{n} partition of raw_post.letters" for n in (1, 2)]
    project.execute(
        "alter table raw_post.letters rename to whole",
        'create table raw_post.letters ("Sent To" text, loaded_at timestamp)'
        ' partition by list ("Sent To")',
        f"{parts[0]} for values in ('ann@x.test')",
        f"{parts[1]} for values in ('bob@x.test')",
        "insert into raw_post.letters values ('ann@x.test'), ('bob@x.test')",
    )
    erase(project.target, project_dir=project.path)
    assert project.column('"Sent To"', "raw_post.letters") == ["bob@x.test"]
    project.execute("drop table raw_post.letters", "alter table raw_post.whole rename to letters")


def test_what_is_sent_again_is_out_before_anything_is_built(project: RawProject) -> None:
    erase(project.target, project_dir=project.path)
    project.execute("update rights.erasure_requests set status = 'erased' where status = 'ready'")
    send(project)
    project.build()
    assert left(project) == STAYS
    assert orders(project) == KEPT_ORDERS
    assert calls(project) == KEPT_CALLS
    tables = project.column("table_name", "state.erased_rows")
    assert len(tables) == 10 + 1 + 10  # one of them was refused at landing
    project.build()
    assert project.column("table_name", "state.erased_rows") == tables


def test_who_becomes_ready_meanwhile_is_for_the_next_time(project: RawProject) -> None:
    """Else the request would be told as done while the person's rows are there."""
    if project.target == "duckdb":
        return  # one process at a time
    with Warehouse.open(project.target, project.path) as other, ThreadPoolExecutor() as pool:
        other.execute("begin")
        other.execute("lock table state.identity_decisions in exclusive mode")
        running = pool.submit(erase, project.target, project_dir=project.path)
        waits = "select 1 as found from pg_locks where not granted"
        while not project.fetch(waits):
            time.sleep(0.1)
        project.execute("update rights.erasure_requests set status = 'ready'")
        other.execute("commit")
        assert running.result().requests == 1
    assert project.column("request_id", "state.erasures") == ["r1"]
    assert "bob" in project.column("customer_id", "identity.customer_id_registry")


def test_without_the_salt_nothing_is_built(project: RawProject) -> None:
    """Or everybody would be back."""
    erase(project.target, project_dir=project.path)
    project.execute("delete from state.erasure_salts")
    with pytest.raises(AssertionError, match="erasure_salts has 0 rows"):
        project.build()
    with pytest.raises(ErasureFailed):
        erase(project.target, project_dir=project.path)
    assert project.column("salt", "state.erasure_salts") == []


def test_all_of_it_or_nothing(project: RawProject) -> None:
    project.execute("alter table raw_web.page_views rename column anonymous_id to cookie")
    try:
        with pytest.raises(ErasureFailed, match="nothing was erased"):
            erase(project.target, project_dir=project.path)
    finally:
        project.execute("alter table raw_web.page_views rename column cookie to anonymous_id")
    assert len(project.column("contact_id", "raw_crm.contacts")) == len(RAW["raw_crm.contacts"]) - 1
    assert len(project.column("record_hash", "identity.customer_id_registry")) == 5
    assert project.column("identifier_hash", "state.erased_identifiers") == []
    assert project.column("request_id", "state.erasures") == []
    erase(project.target, project_dir=project.path)
    assert left(project) == STAYS


def test_the_file_is_written_anew_without_what_was_deleted(project: RawProject) -> None:
    """With views that still find their tables."""
    if project.target != "duckdb":
        with pytest.raises(NothingToCompact, match="vacuum"):
            compact(project.target, project_dir=project.path)
        return
    project.execute("create or replace view kept as select * from cdp.raw_crm.contacts")
    erase(project.target, project_dir=project.path)
    project.execute(f"delete from {'rights.erasure_identifiers'}")
    file = project.path / "cdp.duckdb"
    file.chmod(0o600)
    assert b"ann@x.test" in file.read_bytes()
    before, after = compact(project.target, project_dir=project.path)
    assert before > after == file.stat().st_size
    assert file.stat().st_mode & 0o777 == 0o600
    stays = [row[1:2] for row in RAW["raw_crm.contacts"][1:] if row[0].startswith("stays")]
    held = {row["email"] for row in project.fetch("select email from kept")}
    assert held == {email for (email,) in stays}
