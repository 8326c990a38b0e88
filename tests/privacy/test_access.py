"""Somebody asks what is there about them: all of it, nothing of others, and no file for anybody
who is not known to be the one."""

import json
import stat
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from orchestration import access
from orchestration.access import NotAnswered, export, requests
from orchestration.erasure import erase
from orchestration.warehouse import Warehouse, WarehouseError

from .conftest import TABLES, RawProject
from .test_erasures import CALLS, IDENTIFIERS, ORDERS, RAW, send

LOADED = "2026-01-01 00:00:00"
BOBS = "stays: was there before, has her number now"
"""A record of somebody else with her telephone."""
NEW = "4 from the future of its loading"
"""A record with her address that no build has seen: whose it is, is not known yet."""
OF_OTHERS = {
    "raw_crm.contacts": {"stays: of another country", "stays: another", BOBS, NEW},
    "raw_web.page_views": {"stays: another logged in", "stays: another browser"},
    "raw_consent.consent_events": {"stays: a member"},
    "raw_enrichment.persons": {"stays"},
    "raw_post.letters": {"stays@"},
    "raw_privacy.privacy_requests": {"stays"},
    "raw_shop.orders": {"o3", "o5"},
    "raw_support.calls": {"c2"},
}
"""Of what is in the raw tables, by key."""


compiled_once = cache(access._access_rows)


@pytest.fixture
def project(emptied: RawProject, monkeypatch: pytest.MonkeyPatch) -> RawProject:
    monkeypatch.setattr(access, "_access_rows", compiled_once)
    with emptied.opened():
        fill(emptied)
    return emptied


def fill(emptied: RawProject) -> None:
    """Ann asks; so did Bob, who was answered."""
    for table in (*TABLES, "state.access_answers", "state.landing_rejections"):
        emptied.execute(f"delete from {table}")
    emptied.insert(
        "rights.access_requests",
        "request_id, customer_id, requested_at, due_on, status, answered_at",
        ("privacy:7", "ann", "2026-01-01 10:00:00", "2026-01-31", "open", None),
        ("privacy:6", "bob", None, None, "answered", "2026-01-02 10:00:00"),
    )
    emptied.insert(
        "rights.access_identifiers",
        "request_id, customer_id, identifier_type, identifier_value",
        *(("privacy:7", "ann", kind, value) for kind, value in IDENTIFIERS),
        ("privacy:6", "bob", "email", "bob@x.test"),
    )
    emptied.insert(
        "rights.access_recipients",
        "request_id, sync_name, row_count, held_row_count, last_sent_at",
        ("privacy:7", "sync_of_old", 2, 1, "2026-01-01 10:00:00"),
        ("privacy:6", "sync_of_old", 1, 1, "2026-01-01 10:00:00"),
    )
    contacts = [row[0] for row in RAW["raw_crm.contacts"][1:]]
    hers = [key for key in contacts if key not in OF_OTHERS["raw_crm.contacts"]]
    emptied.insert(
        "identity.customer_identities",
        "record_key, customer_id",
        *(*((f"crm:{key}", "ann") for key in hers), ("shop:9", "ann"), (f"crm:{BOBS}", "bob")),
    )
    emptied.insert(
        "identity.customer_id_redirects",
        "customer_id, current_customer_id, status",
        *(("before", "ann", "merged"), ("cut off", "ann", "split"), ("b", "bob", "merged")),
    )
    emptied.insert(
        "profiles.customers",
        "customer_id, first_name, birth_date, net_revenue",
        ("ann", 'Änn "A"', "1990-05-01", "12.50"),
        ("before", None, None, None),
        *((other, "Bob", None, None) for other in ("bob", "b", "cut off")),
    )
    emptied.insert(
        "state.landing_rejections",
        "run_id, source_name, table_name, file_name, line_number, raw_text",
        ("l", "crm", "contacts", "f", 1, '8,"ANN@X.TEST",broken'),
        ("l", "crm", "contacts", "f", 2, "8,joann@x.test,ann@x.test.fr,broken"),
        # A quote that was never closed: rows of others with hers.
        ("l", "crm", "contacts", "f", 3, '9,"Bo\n10,stranger@x.test\n11,ann@x.test\r\n'),
    )
    send(emptied)
    for table, columns, rows in PARTS:
        emptied.execute(f"delete from {table}")
        emptied.insert(table, columns, *rows)


PARTS = [
    (
        "raw_shop.order_lines",
        "order_line_id, order_id, loaded_at",
        [("l1", "o1", LOADED), ("l2", "o1", LOADED), ("l3", "o3", LOADED), ("l4", "o4", LOADED)],
    ),
    (
        "raw_shop.returns",
        "return_id, order_id, reason, loaded_at",
        [("r1", "o1", "too small", LOADED), ("r2", "o3", "a stranger's", LOADED)],
    ),
    ("raw_post.gifts", "known_by, raw_row", [("Ann@x.test", "ring"), ("stranger@x.test", "book")]),
    (
        "raw_web.identifies",
        "event_id, anonymous_id, user_id, email, loaded_at",
        [
            ("hers", "k", None, "ANN@x.test", LOADED),
            ("nothing", "k", None, None, LOADED),
            ("by log-in", "z", "9", "ann@x.test", LOADED),
            ("a friend's", "k", None, "stranger@x.test", LOADED),
            ("hers on another's browser", "z", None, "ann@x.test", LOADED),
        ],
    ),
]
"""Rows that belong to rows, columns called as ours, and what was typed on browsers."""
PARTS_AND_REJECTIONS = {
    "shop.order_lines", "shop.returns", "post.gifts", "web.identifies", "state.landing_rejections"
}  # fmt: skip
TABLES_SENT = {**RAW, "raw_shop.orders": ORDERS, "raw_support.calls": CALLS}


def test_all_of_it_and_nothing_of_others(project: RawProject, tmp_path: Path) -> None:
    answer = export("privacy:7", tmp_path, project.target, project_dir=project.path)
    content = json.loads(answer.path.read_text(encoding="utf-8"))
    received = content["received"]
    rejected = received.pop("state.landing_rejections")
    assert [(row["file_name"], row["line_number"]) for row in rejected] == [("f", 1), ("f", 3)]
    assert "stranger" not in str(content)
    lines = [row["order_line_id"] for row in received.pop("shop.order_lines")]
    assert sorted(lines) == ["l1", "l2", "l4"]
    [returned] = received.pop("shop.returns")
    assert returned["reason"] == "too small"
    [given] = received.pop("post.gifts")
    assert given == {"known_by": "Ann@x.test", "raw_row": "ring", "loaded_at": None}
    typed = {row["event_id"] for row in received.pop("web.identifies")}
    assert typed == {"hers", "nothing", "by log-in"}
    assert answer.received.keys() - received.keys() == PARTS_AND_REJECTIONS
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
            },
            dict.fromkeys(("first_name", "birth_date", "net_revenue")) | {"customer_id": "before"},
        ]
    }
    [recipient] = content["recipients"]
    assert (recipient["sync_name"], recipient["row_count"]) == ("sync_of_old", 2)
    assert content["request"]["request_id"] == "privacy:7"
    assert stat.S_IMODE(answer.path.stat().st_mode) == 0o600
    [noted] = project.fetch("select * from state.access_answers")
    assert noted["request_id"] == "privacy:7"
    assert noted["row_count"] == sum(answer.received.values())
    assert str(noted["answered_at"]) == content["request"]["answered_at"]


def test_an_erasure_would_take_all_that_is_told(project: RawProject, tmp_path: Path) -> None:
    """But rows that began afterwards, which are of another relationship by then."""
    answer = export("privacy:7", tmp_path, project.target, project_dir=project.path)
    content = json.loads(answer.path.read_text(encoding="utf-8"))
    for table in ("erasures", "erased_rows", "erased_identifiers", "erasure_salts"):
        project.execute(f"delete from state.{table}")
    project.execute(
        "insert into rights.erasure_requests (request_id, customer_id, status)"
        " select request_id, customer_id, 'ready' from rights.access_requests"
        " where request_id = 'privacy:7'",
        "insert into rights.erasure_identifiers"
        " select * from rights.access_identifiers where request_id = 'privacy:7'",
    )
    erase(project.target, project_dir=project.path)
    assert project.column("line_number", "state.landing_rejections") == [2]
    # An order stays, without the person, and so do its lines.
    assert project.column("raw_row", "raw_post.gifts") == ["book", None]
    stays = {"shop.orders", *PARTS_AND_REJECTIONS} - {"web.identifies"}
    for table, rows in content["received"].items():
        if table in stays:
            continue
        key = next(iter(rows[0]))
        left = set(project.column(f'"{key}"', f"raw_{table}"))
        told = {row[key] for row in rows}
        assert told & left == {name for name in told if name.startswith("stays")}, table


@pytest.mark.parametrize("request_id", ["privacy:8", "", "%", "x' or '1'='1"])
def test_who_is_not_verified_or_not_known_gets_no_file(
    project: RawProject, tmp_path: Path, request_id: str
) -> None:
    with pytest.raises(NotAnswered, match="no request for access"):
        export(request_id, tmp_path, project.target, project_dir=project.path)
    assert list(tmp_path.iterdir()) == []
    assert project.fetch("select * from state.access_answers") == []


def test_ids_that_look_alike_have_files_of_their_own(project: RawProject, tmp_path: Path) -> None:
    project.execute(
        "update rights.access_requests set request_id = 'privacy_7' where request_id = 'privacy:6'"
    )
    alike = ("privacy:7", "privacy_7")
    answers = [export(r, tmp_path, project.target, project_dir=project.path) for r in alike]
    assert len({answer.path for answer in answers}) == 2


def test_what_cannot_be_noted_is_not_written(project: RawProject, tmp_path: Path) -> None:
    project.execute("alter table state.access_answers rename to lost")
    try:
        with pytest.raises(WarehouseError):
            export("privacy:7", tmp_path, project.target, project_dir=project.path)
    finally:
        project.execute("alter table state.lost rename to access_answers")
    assert list(tmp_path.iterdir()) == []


def test_what_is_noted_in_vain_is_not_written(
    project: RawProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute = Warehouse.execute

    def broken(warehouse: Warehouse, sql: str, *values: Any) -> None:
        if sql == "commit":
            raise WarehouseError("the connection is gone")
        execute(warehouse, sql, *values)

    with monkeypatch.context() as patch:
        patch.setattr(Warehouse, "execute", broken)
        with pytest.raises(WarehouseError, match="is gone"):
            export("privacy:7", tmp_path, project.target, project_dir=project.path)
    assert list(tmp_path.iterdir()) == []
    assert project.fetch("select * from state.access_answers") == []


def test_what_cannot_be_written_is_not_noted(
    project: RawProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("orchestration.access._write", full)
    with pytest.raises(OSError, match="no space"):
        export("privacy:7", tmp_path, project.target, project_dir=project.path)
    assert project.fetch("select * from state.access_answers") == []


def test_it_is_of_one_moment(
    project: RawProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What somebody else writes meanwhile is of the next."""
    derived = access._derived

    def later(*arguments: Any) -> Any:
        project.execute("delete from profiles.customers")
        return derived(*arguments)

    monkeypatch.setattr(access, "_derived", later)
    answer = export("privacy:7", tmp_path, project.target, project_dir=project.path)
    assert answer.derived == {"customers": 2}


def test_what_json_has_no_word_for(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    odd = [float("nan"), float("-inf"), Decimal("12345678901234567890.10"), b"\xaa\x00", 0.5, None]
    access._write(path, {"rows": [{"odd": odd}]})
    text = path.read_text(encoding="utf-8")
    [row] = json.loads(text, parse_constant=pytest.fail)["rows"]
    assert row["odd"] == ["nan", "-inf", "12345678901234567890.10", "aa00", 0.5, None]


def test_events_are_guesses_and_not_told(manifest: dict[str, Any]) -> None:
    told = access.told_models(manifest)
    assert {"customers", "orders", "segment_members", "customer_consents"} <= set(told)
    assert {"events", "champions", "customer_id_changes"} & set(told) == set()


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
