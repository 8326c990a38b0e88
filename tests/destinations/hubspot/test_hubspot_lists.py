"""HubSpot: members of lists, and any text."""

import traceback
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.destinations.base import Refused, Row, Stopped
from orchestration.destinations.hubspot import HubSpot
from tests.destinations.hubspot.case import COLUMNS, hubspot, row, spec_of
from tests.destinations.rows import FORTY_EXAMPLES, by_key, halved, leaver, wild_rows
from tests.fakes.hubspot import FakeHubSpot
from tests.fakes.server import Fault


def members(hub: FakeHubSpot, **settings: Any) -> HubSpot:
    """A destination for the members of list 7."""
    hub.lists.setdefault("7", set())
    options = {"list_id": "7"} | settings.pop("options", {})
    return hubspot(hub, object="lists", on_leave={}, options=options, **settings)


# -- members of lists


def test_members_come_and_go(hub: FakeHubSpot) -> None:
    ids = {key: hub.add(email=f"{key}@example.com") for key in "ab"}
    other = hub.add(email="other@example.com")
    destination = members(hub)
    hub.lists["7"].add(other)
    outcomes = destination.upsert([row("a", email="A@Example.com"), row("b"), row("c")])
    assert by_key(outcomes) == {
        "a": ("delivered", None),
        "b": ("delivered", None),
        "c": ("rejected", "NOT_IN_HUBSPOT"),
    }
    assert {o.key: o.remote_id for o in outcomes if o.remote_id} == ids
    assert hub.lists["7"] == {*ids.values(), other}
    assert "cdp_segment" not in hub.contacts[ids["a"]]
    rows = [
        leaver("a", remote_id=ids["a"]),
        leaver("b", "consent", ids["b"]),
        leaver("x", remote_id="404"),
    ]
    assert set(by_key(destination.remove(rows)).values()) == {("delivered", None)}
    assert hub.lists["7"] == {other}
    assert set(hub.contacts) == {*ids.values(), other}


def test_a_member_that_is_one_already_is_delivered(hub: FakeHubSpot) -> None:
    contact_id = hub.add(email="a@example.com")
    destination = members(hub)
    for _ in range(2):
        [outcome] = destination.upsert([row("a")])
        assert (outcome.status, outcome.remote_id) == ("delivered", contact_id)
    calls = len(hub.calls)
    destination.upsert([row("a", contact_id)])
    assert len(hub.calls) == calls + 1, "a known id is not looked up"


def test_a_merged_contact_is_found_again(hub: FakeHubSpot) -> None:
    now = hub.add(email="a@example.com")
    [outcome] = members(hub).upsert([row("a", "404")])
    assert (outcome.status, outcome.remote_id) == ("delivered", now)


def test_missing_contacts_are_made_only_where_the_sync_says_so(hub: FakeHubSpot) -> None:
    destination = members(hub, options={"create_missing": "true"})
    outcomes = destination.upsert([row("a"), row("b", email="bad")])
    assert by_key(outcomes) == {"a": ("delivered", None), "b": ("rejected", "INVALID_EMAIL")}
    assert hub.lists["7"] == set(hub.contacts)
    assert hub.by_email("a@example.com")["cdp_segment"] == "champions"


def test_members_can_be_found_by_our_own_property(hub: FakeHubSpot) -> None:
    contact_id = hub.add(email="other@example.com", cdp_customer_id="a")
    members(hub, match_on="cdp_customer_id").upsert([row("a")])
    assert hub.lists["7"] == {contact_id}


def test_a_silent_list_leaves_the_ids_for_a_later_removal(hub: FakeHubSpot) -> None:
    contact_id = hub.add(email="a@example.com")
    hub.faults.extend([Fault(applies=True, hangs_up=True, path="memberships")] * 2)
    [outcome] = members(hub).upsert([row("a")])
    assert (outcome.status, outcome.remote_id) == ("unknown", contact_id)
    assert hub.lists["7"] == {contact_id}
    doubtful = leaver("a", remote_id=outcome.remote_id, is_uncertain=True)
    assert by_key(members(hub).remove([doubtful])) == {"a": ("delivered", None)}
    assert hub.lists["7"] == set()


def test_a_dated_version_has_other_paths(hub: FakeHubSpot) -> None:
    hub.add(email="a@example.com")
    destination = members(hub)
    spec, http = destination._spec, destination._http
    assert by_key(HubSpot(spec, http, "2026-03").upsert([row("a")])) == {"a": ("delivered", None)}
    assert [call.path for call in hub.calls] == [
        "/crm/objects/2026-03/contacts/batch/read",
        "/crm/lists/2026-03/7/memberships/add",
    ]


def test_a_list_that_is_not_there_ends_the_run(hub: FakeHubSpot) -> None:
    hub.add(email="a@example.com")
    destination = members(hub, options={"list_id": "8"})
    with pytest.raises(Stopped, match="LIST_NOT_FOUND"):
        destination.upsert([row("a")])


def test_an_erased_member_is_deleted_unless_declared_otherwise(hub: FakeHubSpot) -> None:
    first, second = (hub.add(email=f"{n}@example.com") for n in "ab")
    hub.lists["7"] = {first, second}
    members(hub).remove([leaver("a", "erasure", first)])
    members(hub, on_erasure="leave").remove([leaver("b", "erasure", second)])
    assert (hub.erased, set(hub.contacts), hub.lists["7"]) == ({first}, {second}, set())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"object": "lists", "options": {}}, "list_id"),
        ({"object": "lists", "options": {"list_id": "seven"}}, "list_id"),
        ({"object": "lists", "options": {"list_id": "7"}, "match_on": "city"}, "match_on"),
        (
            {"object": "lists", "options": {"list_id": "7", "create_missing": "yes"}},
            "create_missing",
        ),
        ({"object": "lists", "mode": "mirror"}, "cannot do mode"),
        ({"object": "deals"}, "cannot do mode"),
        ({"mode": "append"}, "cannot do mode"),
        ({"match_on": None}, "match_on"),
        ({"on_leave": {}}, "on_leave"),
    ],
)
def test_what_cannot_be_done_is_said_before_a_run(settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        HubSpot.check(spec_of(**settings))


# -- anything a warehouse may hold


@FORTY_EXAMPLES
@given(rows=wild_rows(COLUMNS), mode=st.sampled_from(["upsert", "update_only", "create_only"]))
def test_no_text_breaks_the_contract(hub: FakeHubSpot, rows: list[Row], mode: str) -> None:
    outcomes = halved(hubspot(hub, mode=mode, clear_nulls=["city"]), rows)
    assert set(by_key(outcomes)) == {row.key for row in rows}
    assert {status for status, _ in by_key(outcomes).values()} <= {"delivered", "rejected"}
    assert hub.contract_violations == []


@FORTY_EXAMPLES
@given(rows=wild_rows(COLUMNS), creates=st.booleans())
def test_no_text_breaks_the_contract_of_lists(
    hub: FakeHubSpot, rows: list[Row], creates: bool
) -> None:
    destination = members(hub, options={"create_missing": str(creates).lower()})
    outcomes = by_key(halved(destination, rows))
    assert set(outcomes) == {row.key for row in rows}
    assert {status for status, _ in outcomes.values()} <= {"delivered", "rejected"}
    assert hub.contract_violations == []


def test_no_value_is_in_an_exception(hub: FakeHubSpot) -> None:
    hub.poison.add("canary@example.com")
    rows = [row("a", email="canary@example.com", city="Canaryville")]
    with pytest.raises(Refused) as caught:
        hubspot(hub).upsert(rows)
    assert "canary" not in "".join(traceback.format_exception(caught.value)).lower()
