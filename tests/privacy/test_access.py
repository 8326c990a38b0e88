"""Somebody asks what is there about them: all of it, nothing of others, and no file for anybody
who is not known to be the one."""

import json
import stat
from pathlib import Path

import pytest

from orchestration.access import NotAnswered, export, requests
from orchestration.erasure import erase

from .conftest import TABLES, RawProject
from .test_erasures import CALLS, IDENTIFIERS, ORDERS, RAW, send

BOBS = "stays: was there before, has her number now"
"""A record of somebody else with her telephone."""
OF_OTHERS = {
    "raw_crm.contacts": {"stays: of another country", "stays: another", BOBS},
    "raw_web.page_views": {"stays: another logged in", "stays: another browser"},
    "raw_consent.consent_events": {"stays: a member"},
    "raw_enrichment.persons": {"stays"},
    "raw_post.letters": {"stays@"},
    "raw_privacy.privacy_requests": {"stays"},
    "raw_shop.orders": {"o3", "o5"},
    "raw_support.calls": {"c2"},
}
"""Of what is in the raw tables, by key."""


@pytest.fixture
def project(emptied: RawProject) -> RawProject:
    """Ann asks; so did Bob, who was answered."""
    for table in (*TABLES, "state.access_answers", "state.landing_rejections"):
        emptied.execute(f"delete from {table}")
    emptied.insert(
        "privacy.access_requests",
        "request_id, customer_id, requested_at, due_on, status, answered_at",
        ("privacy:7", "ann", "2026-01-01 10:00:00", "2026-01-31", "open", None),
        ("privacy:6", "bob", None, None, "answered", "2026-01-02 10:00:00"),
    )
    emptied.insert(
        "privacy.access_identifiers",
        "request_id, customer_id, identifier_type, identifier_value",
        *(("privacy:7", "ann", kind, value) for kind, value in IDENTIFIERS),
        ("privacy:6", "bob", "email", "bob@x.test"),
    )
    emptied.insert(
        "privacy.access_recipients",
        "request_id, sync_name, row_count, held_row_count, last_sent_at",
        ("privacy:7", "sync_of_old", 2, 1, "2026-01-01 10:00:00"),
        ("privacy:6", "sync_of_old", 1, 1, "2026-01-01 10:00:00"),
    )
    emptied.insert(
        "identity.customer_identities",
        "record_key, customer_id",
        *(("crm:1", "ann"), ("shop:9", "ann"), (f"crm:{BOBS}", "bob")),
    )
    emptied.insert(
        "profiles.customers",
        "customer_id, first_name, birth_date, net_revenue",
        ("ann", 'Änn "A"', "1990-05-01", "12.50"),
        ("bob", "Bob", None, None),
    )
    emptied.insert(
        "state.landing_rejections",
        "run_id, source_name, table_name, file_name, line_number, raw_text",
        ("l", "crm", "contacts", "f", 1, '8,"ANN@X.TEST",broken'),
        ("l", "crm", "contacts", "f", 2, "8,joann@x.test,ann@x.test.fr,broken"),
    )
    send(emptied)
    return emptied


TABLES_SENT = {**RAW, "raw_shop.orders": ORDERS, "raw_support.calls": CALLS}


def test_all_of_it_and_nothing_of_others(project: RawProject, tmp_path: Path) -> None:
    answer = export("privacy:7", tmp_path, project.target, project_dir=project.path)
    content = json.loads(answer.path.read_text(encoding="utf-8"))
    received = content["received"]
    rejected = received.pop("state.landing_rejections")
    assert [row["raw_text"] for row in rejected] == ['8,"ANN@X.TEST",broken']
    found = {}
    for table, (columns, *_) in TABLES_SENT.items():
        key = columns.split(",")[0].strip('"')
        found[table] = {row[key] for row in received[table.removeprefix("raw_")]}
    sent = {table: {row[0] for row in rows} for table, (_, *rows) in TABLES_SENT.items()}
    assert found == {table: keys - OF_OTHERS[table] for table, keys in sent.items()}
    counts = {table: len(rows) for table, rows in received.items()}
    assert counts == {t.removeprefix("raw_"): len(keys) for t, keys in found.items()}
    assert content["derived"] == {
        "customers": [
            {
                "customer_id": "ann",
                "first_name": 'Änn "A"',
                "birth_date": "1990-05-01",
                "net_revenue": "12.50",
            }
        ]
    }
    [recipient] = content["recipients"]
    assert (recipient["sync_name"], recipient["row_count"]) == ("sync_of_old", 2)
    assert content["request"]["request_id"] == "privacy:7"
    assert stat.S_IMODE(answer.path.stat().st_mode) == 0o600
    [noted] = project.fetch("select * from state.access_answers")
    assert (noted["request_id"], noted["row_count"]) == ("privacy:7", sum(counts.values()) + 1)
    assert str(noted["answered_at"]) == content["request"]["answered_at"]


def test_it_is_what_an_erasure_would_take(project: RawProject, tmp_path: Path) -> None:
    """But rows that began afterwards, which are of another relationship by then."""
    answer = export("privacy:7", tmp_path, project.target, project_dir=project.path)
    later = {"crm.contacts": 1, "web.page_views": 1, "consent.consent_events": 1}
    later |= {"shop.orders": 1, "privacy.privacy_requests": 1}
    for table in ("erasures", "erased_rows", "erased_identifiers", "erasure_salts"):
        project.execute(f"delete from state.{table}")
    project.execute(
        "insert into privacy.erasure_requests (request_id, customer_id, status)"
        " select request_id, customer_id, 'ready' from privacy.access_requests"
        " where request_id = 'privacy:7'",
        "insert into privacy.erasure_identifiers"
        " select * from privacy.access_identifiers where request_id = 'privacy:7'",
    )
    erased = erase(project.target, project_dir=project.path)
    # Somebody else's row stays and loses her address.
    of_others = {("support.calls", "anonymise"): 1, ("shop.orders", "anonymise"): 1}
    taken: dict[str, int] = {}
    for row in erased.rows:
        count = row.row_count - of_others.get((row.table_name, row.action), 0)
        if count:
            taken[row.table_name] = taken.get(row.table_name, 0) + count
    # The refused one is counted with the table it was for.
    received = answer.received
    received["crm.contacts"] += received.pop("state.landing_rejections")
    expected = {table: count - later.get(table, 0) for table, count in received.items()}
    # The registry is empty here: nobody else was there before.
    assert taken["crm.contacts"] == expected["crm.contacts"] + 1
    assert {**taken, "crm.contacts": 0} == {**expected, "crm.contacts": 0}


@pytest.mark.parametrize("request_id", ["privacy:8", "", "%", "x' or '1'='1"])
def test_who_is_not_verified_or_not_known_gets_no_file(
    project: RawProject, tmp_path: Path, request_id: str
) -> None:
    with pytest.raises(NotAnswered, match="no request for access"):
        export(request_id, tmp_path, project.target, project_dir=project.path)
    assert list(tmp_path.iterdir()) == []
    assert project.fetch("select * from state.access_answers") == []


def test_a_file_is_never_written_over(project: RawProject, tmp_path: Path) -> None:
    first = export("privacy:7", tmp_path, project.target, project_dir=project.path)
    before = first.path.read_bytes()
    with pytest.raises(NotAnswered, match="is there already"):
        export("privacy:7", tmp_path, project.target, project_dir=project.path)
    assert first.path.read_bytes() == before
    assert len(project.fetch("select * from state.access_answers")) == 1


def test_who_waits_comes_first(project: RawProject) -> None:
    found = requests(project.target, project.path)
    assert [(r.request_id, r.answered_at is None) for r in found] == [
        ("privacy:7", True),
        ("privacy:6", False),
    ]
