"""HubSpot: contacts."""

import json
from typing import Any

import pytest

from orchestration.destinations.base import Refused, Row, Stopped
from orchestration.destinations.hubspot import HubSpot
from tests.destinations.hubspot.case import hubspot, row
from tests.destinations.rows import by_key, leaver
from tests.fakes.hubspot import FakeHubSpot
from tests.fakes.server import Fault


def test_a_contact_that_was_there_is_written_into(hub: FakeHubSpot) -> None:
    contact_id = hub.add(email="A@example.com", city="Paris")
    [outcome] = hubspot(hub).upsert([row("a", firstname="Ana")])
    assert (outcome.status, outcome.remote_id) == ("delivered", contact_id)
    assert hub.contacts[contact_id]["city"] == "Paris"
    assert hub.contacts[contact_id]["firstname"] == "Ana"


def test_results_in_another_order_find_their_rows(hub: FakeHubSpot) -> None:
    outcomes = hubspot(hub).upsert([row(key) for key in "abc"])
    assert {o.key: hub.contacts[o.remote_id]["cdp_customer_id"] for o in outcomes} == {
        key: key for key in "abc"
    }


def test_a_row_is_refused_by_itself(hub: FakeHubSpot) -> None:
    outcomes = hubspot(hub).upsert([row("a"), row("b", email="bad"), row("c")])
    assert {o.key: (o.status, o.error_code) for o in outcomes} == {
        "a": ("delivered", None),
        "b": ("rejected", "INVALID_EMAIL"),
        "c": ("delivered", None),
    }


@pytest.mark.parametrize(
    ("error", "statuses"),
    [
        ({"context": {"objectWriteTraceId": ["b"]}}, {"a": "delivered", "b": "rejected"}),
        ({"context": {"email": ["B@example.com"]}}, {"a": "delivered", "b": "rejected"}),
        ({}, {"a": "delivered", "b": "rejected"}),
        (None, {"a": "delivered", "b": "unknown"}),
    ],
    ids=["by trace", "by e-mail", "unnamed", "not mentioned at all"],
)
def test_a_mixed_answer_is_read_row_by_row(
    hub: FakeHubSpot, error: dict | None, statuses: dict[str, str]
) -> None:
    body: dict[str, Any] = {"results": [{"id": "7", "properties": {"email": "a@example.com"}}]}
    if error is not None:
        body["errors"] = [{"category": "VALIDATION_ERROR", "message": "b@example.com"} | error]
    hub.faults.append(Fault(207, body=json.dumps(body).encode()))
    outcomes = hubspot(hub).upsert([row("a"), row("b")])
    assert {o.key: o.status for o in outcomes} == statuses


def test_a_batch_refused_as_a_whole_is_said_so(hub: FakeHubSpot) -> None:
    hub.poison.add("b@example.com")
    with pytest.raises(Refused) as caught:
        hubspot(hub).upsert([row("a"), row("b")])
    assert caught.value.code == "CONFLICT"


def test_an_answer_of_strange_shape_is_no_success(hub: FakeHubSpot) -> None:
    for body in (b"[]", b'{"results": [1, {"id": null}]}', b'"ok"', b'{"results": {"a": 1}}'):
        hub.faults.append(Fault(200, body=body))
        [outcome] = hubspot(hub).upsert([row("a")])
        assert outcome.status == "unknown"


def test_nulls_are_skipped_or_empty_the_field(hub: FakeHubSpot) -> None:
    hub.add(email="a@example.com", city="Paris", firstname="Ana")
    hubspot(hub, clear_nulls=["city"]).upsert([row("a", city=None, firstname=None)])
    contact = hub.by_email("a@example.com")
    assert "city" not in contact
    assert contact["firstname"] == "Ana"


def test_a_known_and_a_new_contact_in_one_batch(hub: FakeHubSpot) -> None:
    contact_id = hub.add(email="old@example.com", cdp_customer_id="a")
    outcomes = hubspot(hub).upsert([row("a", contact_id), row("b")])
    assert {o.status for o in outcomes} == {"delivered"}
    assert hub.contacts[contact_id]["email"] == "a@example.com"
    assert len(hub.contacts) == 2


def test_leaving_by_mode(hub: FakeHubSpot) -> None:
    ids = {}
    for mode in ("audience", "mirror", "upsert"):
        properties = {"email": f"{mode}@example.com", "cdp_segment": "champions"}
        ids[mode] = hub.add(**properties, cdp_customer_id=mode)
        [outcome] = hubspot(hub, mode=mode).remove([leaver(mode, remote_id=ids[mode])])
        assert outcome.status == "delivered"
    assert "cdp_segment" not in hub.contacts[ids["audience"]]
    assert ids["mirror"] not in hub.contacts
    assert "cdp_segment" not in hub.contacts[ids["upsert"]]


def test_erasure_is_for_good_unless_declared_otherwise(hub: FakeHubSpot) -> None:
    first, second = (hub.add(email=f"{n}@example.com", cdp_segment="champions") for n in "ab")
    hubspot(hub).remove([leaver("a", "erasure", first)])
    hubspot(hub, on_erasure="leave").remove([leaver("b", "erasure", second)])
    assert hub.erased == {first}
    assert "cdp_segment" not in hub.contacts[second]


@pytest.mark.parametrize("reason", ["left", "erasure"])
@pytest.mark.parametrize("mode", ["audience", "mirror"])
def test_taking_away_who_is_not_there_is_no_error(hub: FakeHubSpot, mode: str, reason: str) -> None:
    destination = hubspot(hub, mode=mode)
    rows = [leaver("a", reason, "404"), leaver("b", reason, is_uncertain=True)]
    assert {o.status for o in destination.remove(rows)} == {"delivered"}


def test_a_lost_id_is_looked_up_by_the_customer_key(hub: FakeHubSpot) -> None:
    contact_id = hub.add(email="old@example.com", cdp_customer_id="a", cdp_segment="champions")
    rows = [leaver("a", "consent", is_uncertain=True)]
    assert [o.status for o in hubspot(hub).remove(rows)] == ["delivered"]
    assert "cdp_segment" not in hub.contacts[contact_id]


# -- modes of contacts


def test_update_only_makes_no_contact(hub: FakeHubSpot) -> None:
    there = hub.add(email="A@example.com")
    gone = row("c", remote_id="404", email="c@example.com")
    moved = row("d", remote_id="405", email="d@example.com")
    merged_into = hub.add(email="d@example.com")
    destination = hubspot(hub, mode="update_only")
    assert by_key(destination.upsert([row("a"), row("b"), gone, moved])) == {
        "a": ("delivered", None),
        "b": ("rejected", "NOT_IN_HUBSPOT"),
        "c": ("rejected", "NOT_IN_HUBSPOT"),
        "d": ("delivered", None),
    }
    assert set(hub.contacts) == {there, merged_into}
    assert hub.contacts[there]["cdp_segment"] == "champions"


def test_create_only_leaves_a_contact_alone_that_is_somebody_elses(hub: FakeHubSpot) -> None:
    theirs = hub.add(email="b@example.com", cdp_segment="theirs")
    destination = hubspot(hub, mode="create_only")
    with pytest.raises(Refused, match="CONFLICT"):
        destination.upsert([row("a"), row("b")])
    assert by_key(destination.upsert([row("b")])) == {"b": ("rejected", "CONFLICT")}
    assert hub.contacts[theirs]["cdp_segment"] == "theirs"
    [outcome] = destination.upsert([row("a")])
    assert hub.contacts[outcome.remote_id]["email"] == "a@example.com"


@pytest.mark.parametrize("mode", ["create_only", "upsert", "update_only", "mirror", "audience"])
def test_a_lost_answer_repeated_gives_one_contact(hub: FakeHubSpot, mode: str) -> None:
    if mode == "update_only":
        hub.add(email="a@example.com"), hub.add(email="b@example.com")
    hub.faults.append(Fault(applies=True, hangs_up=True))
    outcomes = hubspot(hub, mode=mode).upsert([row("a"), row("b")])
    assert by_key(outcomes) == {"a": ("delivered", None), "b": ("delivered", None)}
    assert {o.key: hub.contacts[o.remote_id]["cdp_customer_id"] for o in outcomes} == {
        "a": "a",
        "b": "b",
    }
    assert len(hub.contacts) == 2


def test_create_only_settles_what_an_earlier_run_left_in_doubt(hub: FakeHubSpot) -> None:
    made = hub.add(email="a@example.com", cdp_customer_id="a", city="Rome")
    doubtful = Row("a", "upsert", "new", row("a", city="Paris").values, is_uncertain=True)
    [outcome] = hubspot(hub, mode="create_only").upsert([doubtful])
    assert (outcome.status, outcome.remote_id) == ("delivered", made)
    assert hub.contacts[made]["city"] == "Rome"


@pytest.mark.parametrize(("mode", "erased"), [("archive", False), ("delete", True)])
def test_who_is_listed_goes_by_id_by_key_or_by_email(
    hub: FakeHubSpot, mode: str, erased: bool
) -> None:
    ids = [hub.add(email=f"{key}@example.com", cdp_customer_id=key) for key in "ab"]
    ids.append(hub.add(email="c@example.com"))
    stays = hub.add(email="z@example.com")
    destination = hubspot(hub, mode=mode, match_on=None, on_leave={})
    rows = [leaver("a", "listed", ids[0]), leaver("b", "listed"), leaver("x", "listed")]
    rows.append(Row("c", "remove", "listed", {"email": "C@example.com"}))
    assert set(by_key(destination.remove(rows)).values()) == {("delivered", None)}
    assert set(hub.contacts) == {stays}
    assert hub.erased == (set(ids) if erased else set())


def test_a_mode_that_takes_away_writes_nothing(hub: FakeHubSpot) -> None:
    with pytest.raises(ValueError, match="writes nothing"):
        hubspot(hub, mode="delete").upsert([row("a")])
    assert hub.calls == []


def test_a_hundred_rows_are_one_call(hub: FakeHubSpot) -> None:
    rows = [row(f"k{number}") for number in range(10_000)]
    destination = hubspot(hub)
    size = HubSpot.limits.batch_rows
    for start in range(0, len(rows), size):
        destination.upsert(rows[start : start + size])
    assert (len(hub.calls), destination.calls, len(hub.contacts)) == (100, 100, 10_000)


def test_one_row_more_than_a_hundred_is_refused_there(hub: FakeHubSpot) -> None:
    with pytest.raises(Refused, match="VALIDATION_ERROR"):
        hubspot(hub).upsert([row(f"k{number}") for number in range(101)])
    assert hub.contract_violations.pop()


def test_rows_that_cannot_be_sent_do_not_spoil_the_batch(hub: FakeHubSpot) -> None:
    rows = [row("a"), row("b", email=None), row("c", email=""), row("d", email="A@EXAMPLE.com")]
    for mode in ("upsert", "update_only"):
        assert by_key(hubspot(hub, mode=mode).upsert(rows)) == {
            "a": ("delivered", None),
            "b": ("rejected", "MISSING_IDENTIFIER"),
            "c": ("rejected", "MISSING_IDENTIFIER"),
            "d": ("rejected", "DUPLICATE_IN_BATCH"),
        }


def test_erasures_after_a_silent_one_are_not_tried(hub: FakeHubSpot) -> None:
    ids = [hub.add(email=f"{key}@example.com") for key in "abc"]
    hub.faults.extend(Fault(status, path="gdpr-delete") for status in (0, 500, 500))
    rows = [leaver(key, "erasure", ids[n]) for n, key in enumerate("abc")]
    assert by_key(hubspot(hub).remove(rows)) == {
        "a": ("delivered", None),
        "b": ("unknown", "HTTP_500"),
        "c": ("unknown", "HTTP_500"),
    }
    assert hub.erased == {ids[0]}


@pytest.mark.parametrize("status", [401, 403])
def test_bad_credentials_stop(hub: FakeHubSpot, status: int) -> None:
    hub.faults.append(Fault(status))
    with pytest.raises(Stopped) as caught:
        hubspot(hub).upsert([row("a")])
    assert caught.value.error_class == "auth"


def test_what_is_there_can_be_read(hub: FakeHubSpot) -> None:
    first = hub.add(email="a@example.com", city="Rome")
    hub.add(email="b@example.com", cdp_customer_id="b")
    held = hubspot(hub).read([row("a", first), row("b"), row("c"), row("d", "404")])
    assert set(held) == {"a", "b"}
    assert held["a"] == {
        "cdp_customer_id": None,
        "email": "a@example.com",
        "firstname": None,
        "city": "Rome",
        "cdp_segment": None,
    }


def test_a_conflict_of_a_row_is_looked_into_as_well(hub: FakeHubSpot) -> None:
    made = hub.add(email="a@example.com", cdp_customer_id="a")
    context = {"context": {"objectWriteTraceId": ["a", "b"]}}
    body = {"results": [], "errors": [{"category": "CONFLICT"} | context]}
    hub.faults.append(Fault(207, body=json.dumps(body).encode()))
    outcomes = hubspot(hub, mode="create_only").upsert([row("a"), row("b")])
    assert {o.key: (o.status, o.remote_id) for o in outcomes} == {
        "a": ("delivered", made),
        "b": ("rejected", None),
    }


@pytest.mark.parametrize("mode", ["upsert", "update_only", "create_only"])
def test_without_on_leave_a_withdrawal_is_not_told_as_done(hub: FakeHubSpot, mode: str) -> None:
    destination = hubspot(hub, mode=mode, on_leave={})
    rows = [leaver("a", "consent", remote_id="1001"), leaver("b", "consent")]
    assert by_key(destination.remove(rows)) == {
        "a": ("rejected", "NO_REMOVAL_DECLARED"),
        "b": ("delivered", None),  # nothing of it is there
    }
    assert hub.calls == []
