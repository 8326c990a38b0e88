"""Mailchimp: members written, and moved to another address."""

import json
from dataclasses import replace
from typing import Any

import pytest

from orchestration.destinations.mailchimp import member_id
from tests.destinations.mailchimp.case import hashed, known_member, mailchimp, row
from tests.destinations.rows import by_key
from tests.fakes.mailchimp import FakeMailchimp
from tests.fakes.server import Fault

# -- writing


def test_who_is_new_is_subscribed_and_named_by_the_contact(account: FakeMailchimp) -> None:
    outcomes = mailchimp(account).upsert([row("a", email="A@Example.com", fname="Ana"), row("b")])
    assert {o.key: (o.status, o.remote_id) for o in outcomes} == {
        "a": ("delivered", account.contacts[hashed("a")]),
        "b": ("delivered", account.contacts[hashed("b")]),
    }
    assert account.members[hashed("a")] == {
        "email_address": "A@Example.com",
        "status": "subscribed",
        "merge_fields": {"FNAME": "Ana", "SEGMENT": "champions"},
    }


def test_the_hash_is_the_vendors() -> None:
    # The example of Mailchimp's documentation.
    assert member_id("Urist.McVankab@freddiesjokes.com") == "62eeb292278cc15f5817cb78f7790b08"


@pytest.mark.parametrize("status", ["unsubscribed", "cleaned", "pending", "subscribed"])
def test_the_status_of_who_is_there_is_never_changed(account: FakeMailchimp, status: str) -> None:
    member = account.add("a@example.com", status, FNAME="Ana")
    assert by_key(mailchimp(account).upsert([row("a")])) == {"a": ("delivered", None)}
    assert account.members[member]["status"] == status
    assert account.members[member]["merge_fields"] == {"FNAME": "Ana", "SEGMENT": "champions"}


@pytest.mark.parametrize("sent", [(), (hashed("a"),)])
def test_nobody_is_unarchived(account: FakeMailchimp, sent: tuple[str, ...]) -> None:
    """Mailchimp takes a status for who is new as one for others than the archived."""
    member = account.add("a@example.com", "archived")
    known = row("a", *sent, remote_id=account.contacts[member] if sent else None)
    outcomes = mailchimp(account).upsert([known, row("b")])
    assert by_key(outcomes) == {"a": ("rejected", "ARCHIVED_THERE"), "b": ("delivered", None)}
    assert account.members[member]["status"] == "archived"


def test_an_archived_member_that_is_moved_is_told_as_archived(account: FakeMailchimp) -> None:
    old = account.add("old@example.com", "archived")
    assert by_key(mailchimp(account).upsert([row("a", old)])) == {
        "a": ("rejected", "ARCHIVED_THERE")
    }


@pytest.mark.parametrize("contact", ["canary@example.com", "", None, 7])
def test_a_contact_id_that_is_none_is_not_kept(account: FakeMailchimp, contact: Any) -> None:
    body = {"new_members": [{"email_address": "a@example.com", "contact_id": contact}]}
    account.faults.append(Fault(200, body=json.dumps(body).encode()))
    [outcome] = mailchimp(account).upsert([row("a")])
    assert (outcome.status, outcome.remote_id) == ("delivered", hashed("a"))


def test_double_opt_in_can_be_declared(account: FakeMailchimp) -> None:
    mailchimp(account, options={"status_if_new": "pending"}).upsert([row("a")])
    assert account.members[hashed("a")]["status"] == "pending"


def test_errors_under_200_find_their_rows() -> None:
    with FakeMailchimp(required={"FNAME"}) as account:
        account.forgotten.add(hashed("c"))
        rows = [row("a", fname="Ana"), row("b", email="bad"), row("c", fname="Cy"), row("d")]
        assert by_key(mailchimp(account).upsert(rows)) == {
            "a": ("delivered", None),
            "b": ("rejected", "ERROR_GENERIC"),
            "c": ("rejected", "ERROR_GENERIC"),
            "d": ("rejected", "INVALID_FNAME"),
        }
        assert set(account.members) == {hashed("a")}
        assert account.contract_violations == []


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        ({}, ("unknown", "NO_RESULT")),
        ([], ("unknown", "NO_RESULT")),
        ({"errors": [{"email_address": "x@example.com"}]}, ("unknown", "ERROR_OF_SOME_ROW")),
        ({"errors": [{"error_code": "ERROR_GENERIC"}]}, ("unknown", "ERROR_OF_SOME_ROW")),
        (
            {"errors": [{"email_address": '"A@example.com"', "error_code": "a@example.com"}]},
            ("rejected", "UNSPECIFIED"),
        ),
        ({"updated_members": [{"email_address": "A@example.com"}]}, ("delivered", None)),
        ({"new_members": [{"email_address": '"A@example.com"'}]}, ("delivered", None)),
    ],
)
def test_only_what_is_confirmed_is_delivered(
    account: FakeMailchimp, body: Any, outcome: tuple
) -> None:
    account.faults.append(Fault(200, body=json.dumps(body).encode()))
    assert by_key(mailchimp(account).upsert([row("a")])) == {"a": outcome}


def test_rows_that_cannot_be_sent_do_not_spoil_the_batch(account: FakeMailchimp) -> None:
    rows = [row("a"), row("b", email=None), row("c", email=""), row("d", email="A@EXAMPLE.com")]
    assert by_key(mailchimp(account).upsert(rows)) == {
        "a": ("delivered", None),
        "b": ("rejected", "MISSING_IDENTIFIER"),
        "c": ("rejected", "MISSING_IDENTIFIER"),
        "d": ("rejected", "DUPLICATE_IN_BATCH"),
    }


def test_nulls_are_left_alone_or_empty_the_field(account: FakeMailchimp) -> None:
    member = account.add("a@example.com", FNAME="Ana", SEGMENT="loyal")
    mailchimp(account, clear_nulls=["segment"]).upsert([row("a", fname=None, segment=None)])
    assert account.members[member]["merge_fields"] == {"FNAME": "Ana", "SEGMENT": ""}


def test_a_lost_answer_repeated_gives_one_member(account: FakeMailchimp) -> None:
    account.faults.append(Fault(applies=True, hangs_up=True))
    assert by_key(mailchimp(account).upsert([row("a")])) == {"a": ("delivered", None)}
    assert (len(account.calls), len(account.members)) == (2, 1)


def test_an_address_in_quotes_is_its_own(account: FakeMailchimp) -> None:
    rows = [row("a", email='"a@example.com"'), row("b", email="b@example.com")]
    assert set(by_key(mailchimp(account).upsert(rows)).values()) == {("delivered", None)}


def test_known_members_are_written_in_one_call(account: FakeMailchimp) -> None:
    rows = [row(key, account.add(f"{key}@example.com")) for key in "abc"]
    assert set(by_key(mailchimp(account).upsert(rows)).values()) == {("delivered", None)}
    assert len(account.calls) == 1


# -- a changed e-mail


@pytest.mark.parametrize("status", ["subscribed", "unsubscribed"])
def test_a_changed_email_changes_the_member(account: FakeMailchimp, status: str) -> None:
    old = account.add("old@example.com", status, FNAME="Ana")
    [outcome] = mailchimp(account).upsert([row("a", old)])
    assert (outcome.status, outcome.remote_id) == ("delivered", account.contacts[hashed("a")])
    assert account.members == {
        hashed("a"): {
            "email_address": "a@example.com",
            "status": status,
            "merge_fields": {"FNAME": "Ana", "SEGMENT": "champions"},
        }
    }


def test_a_change_whose_answer_was_lost_is_found_done(account: FakeMailchimp) -> None:
    old = account.add("old@example.com")
    account.faults.append(Fault(applies=True, hangs_up=True))
    assert by_key(mailchimp(account).upsert([row("a", old)])) == {"a": ("delivered", None)}
    assert set(account.members) == {hashed("a")}


def test_the_old_member_is_unsubscribed_where_the_new_address_has_one(
    account: FakeMailchimp,
) -> None:
    old, new = account.add("old@example.com"), account.add("a@example.com", "unsubscribed")
    [outcome] = mailchimp(account).upsert([row("a", old)])
    assert (outcome.status, outcome.remote_id) == ("delivered", account.contacts[new])
    assert {account.members[m]["status"] for m in (old, new)} == {"unsubscribed"}


def test_earlier_addresses_are_moved_or_unsubscribed(account: FakeMailchimp) -> None:
    first, second = account.add("one@example.com"), account.add("two@example.com")
    mailchimp(account).upsert([row("a", first, second, hashed("a"))])
    assert set(account.members) == {hashed("a"), second}
    assert account.members[second]["status"] == "unsubscribed"


def test_a_changed_email_that_is_refused_leaves_the_member(account: FakeMailchimp) -> None:
    old = account.add("old@example.com")
    outcomes = mailchimp(account).upsert([row("a", old, email="bad"), row("b")])
    assert by_key(outcomes) == {
        "a": ("rejected", "INVALID_RESOURCE"),
        "b": ("delivered", None),
    }
    assert account.members[old]["status"] == "subscribed"


# -- an address that the person changed


def test_who_changed_the_address_there_keeps_it(account: FakeMailchimp) -> None:
    a, contact = known_member(account)
    new = account.change_address("a@example.com", "new@example.com")
    for segment in ("loyal", "lost"):
        [outcome] = mailchimp(account).upsert([row("a", a, remote_id=contact, segment=segment)])
        assert (outcome.status, outcome.remote_id) == ("delivered", contact)
        assert account.members[new]["merge_fields"] == {"SEGMENT": segment}
    assert {m["email_address"]: m["status"] for m in account.members.values()} == {
        "new@example.com": "subscribed",
        "a@example.com": "archived",
    }


def test_an_address_that_was_given_up_is_not_subscribed_for_a_moment(
    account: FakeMailchimp,
) -> None:
    a, contact = known_member(account)
    account.change_address("a@example.com", "new@example.com")
    statuses: list[str] = []
    account.on_applied = lambda _: statuses.extend(
        m["status"] for name, m in account.members.items() if name == a
    )
    mailchimp(account).upsert([row("a", a, remote_id=contact)])
    assert set(statuses) == {"unsubscribed", "archived"}


def test_a_new_address_of_ours_goes_to_who_changed_it_there(account: FakeMailchimp) -> None:
    old, contact = known_member(account, "old@example.com")
    account.change_address("old@example.com", "new@example.com")
    [outcome] = mailchimp(account).upsert([row("a", old, remote_id=contact)])
    assert (outcome.status, outcome.remote_id) == ("delivered", contact)
    assert set(account.members) == {hashed("a")}


def test_the_same_new_address_on_both_sides_is_one_member(account: FakeMailchimp) -> None:
    old, contact = known_member(account, "old@example.com")
    account.change_address("old@example.com", "a@example.com")
    [outcome] = mailchimp(account).upsert([row("a", old, remote_id=contact)])
    assert (outcome.status, outcome.remote_id) == ("delivered", contact)
    assert set(account.members) == {hashed("a")}


def test_who_comes_back_with_another_address_than_there_is_not_subscribed(
    account: FakeMailchimp,
) -> None:
    """The ledger forgot the address of who left."""
    a, contact = known_member(account)
    back = [row("a", remote_id=contact)]
    assert by_key(mailchimp(account).upsert(back)) == {"a": ("delivered", None)}
    account.change_address("a@example.com", "new@example.com")
    refused = {"a": ("rejected", "OTHER_ADDRESS_THERE")}
    assert by_key(mailchimp(account).upsert(back)) == refused
    assert a not in account.members


@pytest.mark.parametrize("keeps_contact", [True, False])
def test_who_was_a_member_and_is_gone_is_not_subscribed(
    account: FakeMailchimp, keeps_contact: bool
) -> None:
    """Earlier versions kept the hash."""
    a, contact = known_member(account)
    del account.members[a], account.contacts[a]
    known = row("a", a, remote_id=contact if keeps_contact else a)
    outcomes = mailchimp(account).upsert([known, row("b")])
    assert by_key(outcomes) == {"a": ("rejected", "GONE_THERE"), "b": ("delivered", None)}
    assert account.members[a]["status"] == "archived"
    assert by_key(mailchimp(account).upsert([known])) == {"a": ("rejected", "ARCHIVED_THERE")}


def test_who_was_sent_once_in_vain_is_new(account: FakeMailchimp) -> None:
    assert by_key(mailchimp(account).upsert([row("a", hashed("a"))])) == {"a": ("delivered", None)}
    assert account.members[hashed("a")]["status"] == "subscribed"


def test_a_contact_that_became_another_is_the_one_from_then_on(account: FakeMailchimp) -> None:
    a, contact = known_member(account)
    account.contacts[a] = "c0ffee"
    [outcome] = mailchimp(account).upsert([row("a", a, remote_id=contact)])
    assert (outcome.status, outcome.remote_id) == ("delivered", "c0ffee")


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (Fault(404, body=b"{}"), ("unknown", "MOVED_MEANWHILE")),
        (Fault(400, body=b'{"title": "Invalid Resource"}'), ("rejected", "INVALID_RESOURCE")),
    ],
)
def test_who_cannot_be_followed_is_told(
    account: FakeMailchimp, fault: Fault, outcome: tuple
) -> None:
    a, contact = known_member(account)
    new = account.change_address("a@example.com", "new@example.com")
    account.faults.append(replace(fault, path=f"members/{new}"))
    assert by_key(mailchimp(account).upsert([row("a", a, remote_id=contact)])) == {"a": outcome}


def test_known_contacts_are_written_in_one_call(account: FakeMailchimp) -> None:
    known = [known_member(account, f"{key}@example.com") for key in "abc"]
    rows = [row(key, a, remote_id=c) for key, (a, c) in zip("abc", known, strict=True)]
    assert set(by_key(mailchimp(account).upsert(rows)).values()) == {("delivered", None)}
    assert len(account.calls) == 1
