"""Mailchimp: members written, and moved to another address."""

import json
from typing import Any

import pytest

from orchestration.destinations.mailchimp import member_id
from tests.destinations.mailchimp.case import hashed, mailchimp, row
from tests.destinations.rows import by_key
from tests.fakes.mailchimp import FakeMailchimp
from tests.fakes.server import Fault

# -- writing


def test_who_is_new_is_subscribed_and_named_by_the_hash(account: FakeMailchimp) -> None:
    outcomes = mailchimp(account).upsert([row("a", email="A@Example.com", fname="Ana"), row("b")])
    assert {o.key: (o.status, o.remote_id) for o in outcomes} == {
        "a": ("delivered", hashed("a")),
        "b": ("delivered", hashed("b")),
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
    assert (outcome.status, outcome.remote_id) == ("delivered", hashed("a"))
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
    assert (outcome.status, outcome.remote_id) == ("delivered", new)
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
