"""HubSpot: contacts that are not where they were: made anew, merged, of a second e-mail."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from orchestration.destinations.base import Refused, Row, Unanswered
from tests.destinations.hubspot.case import hubspot, row
from tests.destinations.rows import by_key, leaver
from tests.fakes.hubspot import FakeHubSpot
from tests.fakes.server import Fault

DELIVERED = {"a": ("delivered", None)}
# What takes away: settings, a reason, and whether the contact is to be there afterwards.
TAKING_AWAY = {
    "withdrawal": ({}, "consent", True),
    "erasure": ({}, "erasure", False),
    "mirror": ({"mode": "mirror"}, "left", False),
    "archive": ({"mode": "archive", "match_on": None, "on_leave": {}}, "listed", False),
    "delete": ({"mode": "delete", "match_on": None, "on_leave": {}}, "listed", False),
}
LIST = {"object": "lists", "on_leave": {}, "options": {"list_id": "7"}}

every_removal = pytest.mark.parametrize(
    ("settings", "reason", "stays"), TAKING_AWAY.values(), ids=TAKING_AWAY
)
both_manners = pytest.mark.parametrize("follows", [True, False], ids=["follows", "forgets"])


def made_anew(hub: FakeHubSpot, **properties: str) -> tuple[str, str]:
    """A contact that a colleague deletes and an import brings back: its ids."""
    held = {"email": "a@example.com", "cdp_customer_id": "a", "cdp_segment": "champions"}
    old = hub.add(**held)
    hub.delete(old)
    return old, hub.add(**held | properties)


def merged(hub: FakeHubSpot) -> tuple[str, str]:
    """A contact that a colleague merges into that of a form: its ids."""
    old = hub.add(email="a@example.com", cdp_customer_id="a", cdp_segment="champions")
    form = hub.add(email="form@example.com", cdp_customer_id="form")
    return old, hub.merge(form, old)


def calls(hub: FakeHubSpot) -> list[str]:
    return [call.path.rpartition("/")[2] for call in hub.calls]


# -- taking away


@every_removal
def test_who_was_made_anew_goes(
    hub: FakeHubSpot, settings: dict[str, Any], reason: str, stays: bool
) -> None:
    old, new = made_anew(hub)
    assert by_key(hubspot(hub, **settings).remove([leaver("a", reason, old)])) == DELIVERED
    assert (new in hub.contacts) == stays
    assert "cdp_segment" not in hub.contacts.get(new, {})


@both_manners
@every_removal
def test_who_was_merged_goes(
    hub: FakeHubSpot, settings: dict[str, Any], reason: str, stays: bool, follows: bool
) -> None:
    hub.follows_merges = follows
    old, now = merged(hub)
    assert by_key(hubspot(hub, **settings).remove([leaver("a", reason, old)])) == DELIVERED
    assert (now in hub.contacts) == stays
    assert "cdp_segment" not in hub.contacts.get(now, {})


@both_manners
@pytest.mark.parametrize("becomes", [made_anew, merged])
def test_a_member_that_is_elsewhere_leaves_the_list(
    hub: FakeHubSpot, becomes: Callable[[FakeHubSpot], tuple[str, str]], follows: bool
) -> None:
    hub.follows_merges = follows
    old, now = becomes(hub)
    hub.lists["7"] = {now}
    assert by_key(hubspot(hub, **LIST).remove([leaver("a", "consent", old)])) == DELIVERED
    assert (hub.lists["7"], set(hub.contacts)) == (set(), {now})


def test_an_old_id_that_a_list_ignores_is_looked_up(hub: FakeHubSpot) -> None:
    old, now = merged(hub)
    hub.lists["7"] = {now}
    ignored = {"recordsIdsAdded": [], "recordIdsRemoved": [], "recordIdsMissing": []}
    hub.faults.append(Fault(200, body=json.dumps(ignored).encode()))
    assert by_key(hubspot(hub, **LIST).remove([leaver("a", "consent", old)])) == DELIVERED
    assert hub.lists["7"] == set()


def test_a_list_that_does_not_know_a_contact_that_is_there_has_not_removed_it(
    hub: FakeHubSpot,
) -> None:
    contact_id = hub.add(email="a@example.com")
    hub.lists["7"] = {contact_id}
    missing = {"recordIdsMissing": [int(contact_id)]}
    hub.faults.append(Fault(200, body=json.dumps(missing).encode(), path="memberships"))
    outcomes = by_key(hubspot(hub, **LIST).remove([leaver("a", "consent", contact_id)]))
    assert outcomes == {"a": ("rejected", "NOT_IN_HUBSPOT")}


def test_who_is_no_member_any_more_is_delivered(hub: FakeHubSpot) -> None:
    contact_id = hub.add(email="a@example.com")
    hub.lists["7"] = set()
    assert by_key(hubspot(hub, **LIST).remove([leaver("a", "left", contact_id)])) == DELIVERED
    assert calls(hub) == ["remove", "read"]


@pytest.mark.parametrize("settings", [{}, {"mode": "mirror"}, LIST], ids=["contacts", "", "lists"])
def test_a_removal_that_reaches_a_contact_as_it_was_looks_nowhere_else(
    hub: FakeHubSpot, settings: dict[str, Any]
) -> None:
    ids = [hub.add(email=f"{n}@example.com", cdp_segment="champions") for n in range(100)]
    hub.lists["7"] = set(ids)
    rows = [leaver(f"k{n}", "left", record_id) for n, record_id in enumerate(ids)]
    hubspot(hub, **settings).remove(rows)
    # An archive is answered alike for whoever is there and whoever is not.
    assert len(hub.calls) == (2 if settings.get("mode") == "mirror" else 1)


@pytest.mark.parametrize("reason", ["consent", "erasure"])
def test_two_rows_of_one_merged_contact(hub: FakeHubSpot, reason: str) -> None:
    ids = {
        key: hub.add(email=f"{key}@example.com", cdp_customer_id=key, cdp_segment="champions")
        for key in "ab"
    }
    now = hub.merge(ids["a"], ids["b"])
    hub.follows_merges = False
    outcomes = by_key(hubspot(hub).remove([leaver(key, reason, ids[key]) for key in "ab"]))
    assert outcomes["a"] == ("delivered", None)
    assert outcomes["b"] in {("delivered", None), ("rejected", "DUPLICATE_IN_BATCH")}
    assert "cdp_segment" not in hub.contacts.get(now, {})


# -- errors that say little


@every_removal
def test_a_404_without_a_category_is_somebody_who_is_not_there(
    hub: FakeHubSpot, settings: dict[str, Any], reason: str, stays: bool
) -> None:
    hub.is_terse = True
    assert by_key(hubspot(hub, **settings).remove([leaver("a", reason, "404")])) == DELIVERED


@every_removal
def test_a_404_of_everything_is_no_removal(
    hub: FakeHubSpot, settings: dict[str, Any], reason: str, stays: bool
) -> None:
    """As where ``HUBSPOT_BASE_URL`` is some other server's."""
    contact_id = hub.add(email="a@example.com", cdp_customer_id="a", cdp_segment="champions")
    body = b'{"status": "error", "message": "resource not found"}'
    hub.faults.extend([Fault(404, body=body)] * 3)
    with pytest.raises(Refused, match="HTTP_404"):
        hubspot(hub, **settings).remove([leaver("a", reason, contact_id)])


@pytest.mark.parametrize(("reason", "path"), [("erasure", "gdpr-delete"), ("consent", "update")])
@pytest.mark.parametrize("category", ["OBJECT_NOT_FOUND", None])
def test_who_is_still_there_is_not_told_as_gone(
    hub: FakeHubSpot, reason: str, path: str, category: str | None
) -> None:
    contact_id = hub.add(email="a@example.com", cdp_segment="champions")
    body = {"status": "error", "message": "resource not found"}
    body |= {"category": category} if category else {}
    hub.faults.append(Fault(404, body=json.dumps(body).encode(), path=path))
    outcomes = by_key(hubspot(hub).remove([leaver("a", reason, contact_id)]))
    assert outcomes == {"a": ("rejected", category or "HTTP_404")}


@every_removal
@pytest.mark.parametrize(
    "answer",
    ["[]", "{}", '{"results": {"a": 1}}', '{"results": [], "errors": [{"category": "TOO_BUSY"}]}'],
)
def test_a_look_up_that_tells_nothing_is_no_absence(
    hub: FakeHubSpot, settings: dict[str, Any], reason: str, stays: bool, answer: str
) -> None:
    old, _ = made_anew(hub)
    hub.faults.append(Fault(207, body=answer.encode(), path="read"))
    with pytest.raises((Unanswered, Refused), match=r"NO_RESULT|TOO_BUSY"):
        hubspot(hub, **settings).remove([leaver("a", reason, old)])


def test_an_erasure_whose_answer_is_lost_is_delivered(hub: FakeHubSpot) -> None:
    contact_id = hub.add(email="a@example.com")
    hub.faults.append(Fault(applies=True, hangs_up=True, path="gdpr-delete"))
    assert by_key(hubspot(hub).remove([leaver("a", "erasure", contact_id)])) == DELIVERED
    assert hub.erased == {contact_id}


def test_an_erasure_is_tried_of_a_contact_that_cannot_be_read(hub: FakeHubSpot) -> None:
    assert by_key(hubspot(hub).remove([leaver("a", "erasure", "404")])) == DELIVERED
    assert "gdpr-delete" in calls(hub)


@pytest.mark.parametrize("is_terse", [True, False])
def test_a_deleted_contact_is_made_anew(hub: FakeHubSpot, is_terse: bool) -> None:
    hub.is_terse = is_terse
    [outcome] = hubspot(hub).upsert([row("a", "404")])
    assert hub.contacts[outcome.remote_id]["email"] == "a@example.com"


def test_a_whole_batch_refused_for_one_id_is_no_answer_about_the_others(hub: FakeHubSpot) -> None:
    ids = [hub.add(email=f"{key}@example.com") for key in "ab"]
    body = b'{"status": "error", "category": "OBJECT_NOT_FOUND"}'
    hub.faults.append(Fault(404, body=body, path="read"))
    rows = [leaver("a", "left", ids[0]), leaver("b", "left", ids[1])]
    assert by_key(hubspot(hub, mode="mirror").remove(rows)) == DELIVERED | {
        "b": ("delivered", None)
    }
    assert hub.contacts == {}


# -- writing


def test_a_contact_made_anew_is_written_under_its_key(hub: FakeHubSpot) -> None:
    old, new = made_anew(hub, email="other@example.com")
    [outcome] = hubspot(hub).upsert([row("a", old)])
    assert (outcome.status, outcome.remote_id) == ("delivered", new)
    assert hub.contacts[new]["email"] == "a@example.com"


@both_manners
@pytest.mark.parametrize("traces", [True, False])
@pytest.mark.parametrize("mode", ["upsert", "update_only"])
def test_a_merged_contact_is_written(
    hub: FakeHubSpot, mode: str, traces: bool, follows: bool
) -> None:
    hub.follows_merges, hub.traces = follows, traces
    old, now = merged(hub)
    [outcome] = hubspot(hub, mode=mode).upsert([row("a", old, city="Rome")])
    assert (outcome.status, outcome.remote_id) == ("delivered", now)
    assert hub.contacts[now]["city"] == "Rome"


def test_a_result_that_names_no_input_is_found_under_the_new_id(hub: FakeHubSpot) -> None:
    hub.traces = False
    old, now = merged(hub)
    assert by_key(hubspot(hub).remove([leaver("a", "consent", old)])) == DELIVERED
    assert "cdp_segment" not in hub.contacts[now]


def test_update_only_and_delete_find_a_contact_by_a_second_email(hub: FakeHubSpot) -> None:
    contact_id = hub.add(email="work@example.com")
    for email in ("old@example.com", "A@Example.com"):
        hub.add_email(contact_id, email)
    [outcome] = hubspot(hub, mode="update_only").upsert([row("a")])
    assert (outcome.status, outcome.remote_id) == ("delivered", contact_id)
    hub.add_email(contact_id, "c@example.com")
    listed = Row("c", "remove", "listed", {"email": "c@example.com"})
    destination = hubspot(hub, mode="delete", match_on=None, on_leave={})
    assert by_key(destination.remove([listed])) == {"c": ("delivered", None)}
    assert hub.contacts == {}


def test_a_member_is_found_by_a_second_email(hub: FakeHubSpot) -> None:
    hub.lists["7"] = set()
    ids = [hub.add(email=f"work-{key}@example.com") for key in "ab"]
    for contact_id, key in zip(ids, "ab", strict=True):
        hub.add_email(contact_id, f"{key}@example.com")
    outcomes = by_key(hubspot(hub, **LIST).upsert([row(key) for key in "abc"]))
    assert outcomes == DELIVERED | {
        "b": ("delivered", None),
        "c": ("rejected", "NOT_IN_HUBSPOT"),
    }
    assert hub.lists["7"] == set(ids)
    assert calls(hub) == ["read", "add"]


# -- reading


def test_a_merged_contact_is_read_by_the_ids_it_had(hub: FakeHubSpot) -> None:
    old = {key: hub.add(email=f"{key}@example.com", city=key) for key in "abcd"}
    both = hub.merge(old["a"], old["b"])
    rows = [row(key, record_id) for key, record_id in old.items()] + [row("x", "404")]
    held = hubspot(hub).read(rows)
    assert {key: contact["city"] for key, contact in held.items()} == {
        "a": "a",
        "b": "a",
        "c": "c",
        "d": "d",
    }
    assert both in hub.contacts
    assert len(hub.calls) == 1


def test_a_contact_merged_twice_names_its_last_ids_only(hub: FakeHubSpot) -> None:
    old = {f"k{n}": hub.add(email=f"{n}@example.com", city=str(n)) for n in range(100)}
    once = hub.merge(old["k7"], hub.add(email="form@example.com"))
    hub.merge(once, hub.add(email="shop@example.com"))
    hub.delete(old["k8"])
    held = hubspot(hub).read([row(key, record_id) for key, record_id in old.items()])
    assert {key: contact["city"] for key, contact in held.items()} == {
        f"k{n}": str(n) for n in range(100) if n != 8
    }
    assert len(hub.calls) == 2, "only the one that nothing is said of is asked for again"
