"""Klaviyo: members of lists, and subscriptions."""

from datetime import UTC, datetime, timedelta

import pytest

from orchestration.destinations.base import Refused, Row, Stopped
from tests.destinations.klaviyo.case import MEMBERS, calls_to, members, row
from tests.destinations.rows import deliver, leaver, statuses
from tests.fakes.klaviyo import FakeKlaviyo
from tests.fakes.server import Answer, Request

# -- lists


def test_members_in_and_out(account: FakeKlaviyo) -> None:
    """Known by the key, known by e-mail alone, and unknown."""
    known = account.add(email="A@example.com", external_id="a")
    by_email = account.add(email="b@example.com")
    outcomes = deliver(members(account), [row("a"), row("b"), row("c")])
    assert account.lists["L1"] == {known.id, by_email.id, account.of("c").id}
    assert outcomes["b"].remote_id == by_email.id
    assert by_email.attributes["external_id"] == "b"
    deliver(members(account), [leaver("a"), leaver("b", "consent")])
    assert account.lists["L1"] == {account.of("c").id}
    assert known.consent == {}
    deliver(members(account), [leaver("c", "erasure")])
    assert account.of("c") is None


def test_a_thousand_members_are_one_call(account: FakeKlaviyo) -> None:
    destination = members(account)
    for number in range(1001):
        account.add(email=f"c{number}@example.com", external_id=f"c{number}")
    rows = [row(f"c{number}") for number in range(1001)]
    assert destination.limits.batch_rows == 1000
    deliver(destination, rows[:1000])
    assert calls_to(account, "/relationships/profiles") == 1
    assert len(account.lists["L1"]) == 1000
    with pytest.raises(Refused):
        destination.upsert(rows)
    assert account.contract_violations == ["1001 rows in a call of 1000"]
    account.contract_violations.clear()


def test_a_member_without_a_good_address_is_refused_alone(account: FakeKlaviyo) -> None:
    outcomes = deliver(members(account), [row("a"), row("b", email="bad")])
    assert statuses(outcomes) == {"a": ("delivered", None), "b": ("rejected", "INVALID_EMAIL")}


def test_two_profiles_are_not_made_one(account: FakeKlaviyo) -> None:
    account.add(email="old@example.com", external_id="a")
    account.add(email="a@example.com", external_id="other")
    outcomes = deliver(members(account), [row("a")])
    assert statuses(outcomes) == {"a": ("rejected", "DUPLICATE_PROFILE")}
    assert account.lists["L1"] == set()


@pytest.mark.parametrize("object_name", ["lists", "subscriptions"])
@pytest.mark.parametrize("act", ["upsert", "remove"])
def test_a_list_that_is_not_there_ends_the_run(
    account: FakeKlaviyo, object_name: str, act: str
) -> None:
    account.add(email="a@example.com", external_id="a")
    destination = members(account, object_name, options={"list_id": "L9"})
    with pytest.raises(Stopped, match="LIST_NOT_FOUND"):
        deliver(destination, [row("a") if act == "upsert" else leaver("a")])


def test_a_profile_that_goes_meanwhile_is_refused_alone(account: FakeKlaviyo) -> None:
    """Klaviyo's 404 does not say what was not found."""
    gone = account.add(email="a@example.com", external_id="a")
    account.add(email="b@example.com", external_id="b")
    found = account._find

    def find_and_lose(request: Request) -> Answer:
        answer = found(request)
        account.profiles.pop(gone.id, None)
        return answer

    account._find = find_and_lose
    with pytest.raises(Refused, match="NOT_FOUND"):
        members(account).upsert([row("a"), row("b")])


# -- subscriptions


def test_subscribing_and_leaving_the_list(account: FakeKlaviyo) -> None:
    destination = members(account, "subscriptions")
    outcomes = deliver(destination, [row("a"), row("b")])
    profile = account.of("a")
    assert outcomes["a"].remote_id == profile.id
    assert profile.consent == {"email": "SUBSCRIBED"}
    assert profile.id in account.lists["L1"]
    assert statuses(deliver(destination, [leaver("a")])) == {"a": ("delivered", None)}
    assert profile.id not in account.lists["L1"]
    assert profile.consent == {"email": "SUBSCRIBED"}
    assert calls_to(account, "bulk-delete") == 0


def test_who_left_can_come_back(account: FakeKlaviyo) -> None:
    destination = members(account, "subscriptions")
    for sent in (row("a"), leaver("a"), row("a")):
        assert statuses(deliver(destination, [sent])) == {"a": ("delivered", None)}
    assert account.of("a").id in account.lists["L1"]


def test_a_customer_who_was_merged_takes_the_subscription_over(account: FakeKlaviyo) -> None:
    """Who goes is sent first."""
    destination, email = members(account, "subscriptions"), {"email": "m@example.com"}
    for sent in (row("c1", **email), leaver("c1"), row("c2", **email)):
        assert statuses(deliver(destination, [sent])) == {sent.key: ("delivered", None)}
    assert account.lists["L1"] == {account.of("c2").id}


def test_a_batch_may_have_who_left_and_who_withdrew(account: FakeKlaviyo) -> None:
    destination = members(account, "subscriptions")
    deliver(destination, [row("a"), row("b")])
    outcomes = deliver(destination, [leaver("a"), leaver("b", "consent")])
    assert statuses(outcomes) == dict.fromkeys("ab", ("delivered", None))
    consents = {key: account.of(key).consent["email"] for key in "ab"}
    assert consents == {"a": "SUBSCRIBED", "b": "UNSUBSCRIBED"}


def test_who_left_and_is_not_on_the_list_keeps_other_subscriptions(account: FakeKlaviyo) -> None:
    """Klaviyo would unsubscribe them from everything."""
    profile = account.add(email="a@example.com", external_id="a")
    profile.consent["email"] = "SUBSCRIBED"
    outcomes = deliver(members(account, "subscriptions"), [leaver("a")])
    assert outcomes["a"].status == "delivered"
    assert profile.consent == {"email": "SUBSCRIBED"}
    assert calls_to(account, "bulk-delete") == 0


@pytest.mark.parametrize("reason", ["consent", "objection", "restriction"])
def test_who_withdrew_is_unsubscribed_from_everything(account: FakeKlaviyo, reason: str) -> None:
    destination = members(account, "subscriptions")
    deliver(destination, [row("a")])
    deliver(destination, [leaver("a", reason)])
    assert account.of("a").consent == {"email": "UNSUBSCRIBED"}


def test_unsubscribing_takes_a_hundred_at_a_time(account: FakeKlaviyo) -> None:
    keys = [f"c{number}" for number in range(101)]
    for key in keys:
        account.add(email=f"{key}@example.com", external_id=key).consent["email"] = "SUBSCRIBED"
    deliver(members(account, "subscriptions"), [leaver(key, "consent") for key in keys])
    assert {p.consent["email"] for p in account.profiles.values()} == {"UNSUBSCRIBED"}
    assert calls_to(account, "bulk-delete") == 2


def test_nobody_is_subscribed_against_their_word(account: FakeKlaviyo) -> None:
    globally = account.add(email="a@example.com", external_id="a")
    globally.consent["email"] = "UNSUBSCRIBED"
    from_list = account.add(email="b@example.com", external_id="b")
    from_list.lists_left.add("L1")
    account.add(email="c@example.com", external_id="c").lists_left.add("L7")
    outcomes = deliver(members(account, "subscriptions"), [row(key) for key in "abc"])
    assert statuses(outcomes) == {
        "a": ("rejected", "UNSUBSCRIBED_THERE"),
        "b": ("rejected", "UNSUBSCRIBED_THERE"),
        "c": ("delivered", None),
    }
    assert globally.consent == {"email": "UNSUBSCRIBED"}
    options = {"list_id": "L1", "resubscribe": "true"}
    deliver(members(account, "subscriptions", options=options), [row("a")])
    assert globally.consent == {"email": "SUBSCRIBED"}


def test_an_old_consent_keeps_its_date(account: FakeKlaviyo) -> None:
    destination = members(
        account,
        "subscriptions",
        columns=[*MEMBERS, "consented_at"],
        options={"list_id": "L1", "historical_import": "true"},
    )
    future = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    moments = {"a": "2024-01-15 10:00:00", "b": future, "c": None, "d": "soon"}
    moments["e"] = "2024-01-15T10:00:00+02:00"
    rows = [row(key, consented_at=moment) for key, moment in moments.items()]
    refused = ("rejected", "CONSENTED_AT_NOT_PAST")
    assert statuses(deliver(destination, rows)) == {
        "a": ("delivered", None),
        "b": refused,
        "c": refused,
        "d": refused,
        "e": ("delivered", None),
    }
    assert account.of("a").consented_at == "2024-01-15T10:00:00+00:00"
    assert account.of("e").consented_at == "2024-01-15T10:00:00+02:00"


def test_text_messages_need_a_phone_number(account: FakeKlaviyo) -> None:
    destination = members(
        account,
        "subscriptions",
        channel="sms",
        match_on="phone_number",
        columns=["cdp_customer_id", "phone_number"],
    )
    rows = [
        Row("a", "upsert", "new", {"cdp_customer_id": "a", "phone_number": "+33612345678"}),
        Row("b", "upsert", "new", {"cdp_customer_id": "b", "phone_number": None}),
    ]
    assert statuses(deliver(destination, rows)) == {
        "a": ("delivered", None),
        "b": ("rejected", "MISSING_IDENTIFIER"),
    }
    assert account.of("b") is None
    assert account.of("a").consent == {"sms": "SUBSCRIBED"}
    deliver(destination, [leaver("a", "consent")])
    assert account.of("a").consent == {"sms": "UNSUBSCRIBED"}


def test_a_changed_address_is_the_one_subscribed(account: FakeKlaviyo) -> None:
    profile = account.add(email="old@example.com", external_id="a")
    deliver(members(account, "subscriptions"), [row("a", email="new@example.com")])
    assert profile.attributes["email"] == "new@example.com"
    assert profile.consent == {"email": "SUBSCRIBED"}
