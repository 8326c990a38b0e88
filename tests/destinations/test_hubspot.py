"""HubSpot's dialect: what is asked, and how answers are read."""

import json
from typing import Any

import pytest

from orchestration.destinations.base import Limits, Refused, Row
from orchestration.destinations.hubspot import HubSpot
from orchestration.sync.http import BearerToken, HttpClient, Policy
from orchestration.sync.spec import SyncSpec
from tests.fakes.hubspot import FakeHubSpot
from tests.fakes.server import Fault

COLUMNS = ["cdp_customer_id", "email", "firstname", "city", "cdp_segment"]


def hubspot(hub: FakeHubSpot, **settings: Any) -> HubSpot:
    spec = SyncSpec(
        **{
            "sync_name": "sync_hubspot__contacts",
            "destination": "hubspot",
            "object": "contacts",
            "mode": "audience",
            "key": "cdp_customer_id",
            "match_on": "email",
            "purpose": "marketing",
            "channel": "email",
            "identity_tier": "exact",
            "on_leave": {"cdp_segment": ""},
            "columns": COLUMNS,
        }
        | settings
    )
    policy = Policy(tries=2, first_wait=0, max_wait=0)
    return HubSpot(
        spec, HttpClient(hub.url, BearerToken(hub.token), Limits(100, ((1000, 1),)), policy)
    )


def row(key: str, remote_id: str | None = None, **values: str | None) -> Row:
    mapped = {"cdp_customer_id": key, "email": f"{key}@example.com", "cdp_segment": "champions"}
    return Row(key, "upsert", "new", mapped | values, remote_id)


def leaver(key: str, remote_id: str | None, reason: str = "left", **more: Any) -> Row:
    return Row(key, "remove", reason, {}, remote_id, **more)


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
        [outcome] = hubspot(hub, mode=mode).remove([leaver(mode, ids[mode])])
        assert outcome.status == "delivered"
    assert "cdp_segment" not in hub.contacts[ids["audience"]]
    assert ids["mirror"] not in hub.contacts
    assert "cdp_segment" not in hub.contacts[ids["upsert"]]


def test_erasure_is_for_good_unless_declared_otherwise(hub: FakeHubSpot) -> None:
    first, second = (hub.add(email=f"{n}@example.com", cdp_segment="champions") for n in "ab")
    hubspot(hub).remove([leaver("a", first, "erasure")])
    hubspot(hub, on_erasure="leave").remove([leaver("b", second, "erasure")])
    assert hub.erased == {first}
    assert "cdp_segment" not in hub.contacts[second]


@pytest.mark.parametrize("reason", ["left", "erasure"])
@pytest.mark.parametrize("mode", ["audience", "mirror"])
def test_taking_away_who_is_not_there_is_no_error(hub: FakeHubSpot, mode: str, reason: str) -> None:
    destination = hubspot(hub, mode=mode)
    rows = [leaver("a", "404", reason), leaver("b", None, reason, is_uncertain=True)]
    assert {o.status for o in destination.remove(rows)} == {"delivered"}


def test_a_lost_id_is_looked_up_by_the_customer_key(hub: FakeHubSpot) -> None:
    contact_id = hub.add(email="old@example.com", cdp_customer_id="a", cdp_segment="champions")
    rows = [leaver("a", None, "consent", is_uncertain=True)]
    assert [o.status for o in hubspot(hub).remove(rows)] == ["delivered"]
    assert "cdp_segment" not in hub.contacts[contact_id]
