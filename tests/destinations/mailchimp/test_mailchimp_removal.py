"""Mailchimp: members taken away, read, refused and declared."""

import traceback

import pytest
from hypothesis import given

from orchestration.destinations.base import Outcome, Refused, Row, Stopped
from orchestration.destinations.mailchimp import Mailchimp
from tests.destinations.mailchimp.case import (
    COLUMNS,
    hashed,
    known_member,
    mailchimp,
    row,
    spec_of,
)
from tests.destinations.rows import FORTY_EXAMPLES, by_key, halved, wild_rows
from tests.fakes.mailchimp import FakeMailchimp
from tests.fakes.server import Fault


def leaver(key: str, *sent: str, reason: str = "left", remote_id: str | None = None) -> Row:
    return Row(key, "remove", reason, {}, remote_id, sent_identifiers=sent)


# -- taking away


@pytest.mark.parametrize("mode", ["upsert", "mirror", "audience"])
@pytest.mark.parametrize("reason", ["left", "consent", "objection", "restriction"])
def test_who_goes_is_unsubscribed_by_hash_alone(
    account: FakeMailchimp, mode: str, reason: str
) -> None:
    member, older = account.add("a@example.com"), account.add("older@example.com")
    gone = leaver("a", member, older, reason=reason)
    assert by_key(mailchimp(account, mode=mode).remove([gone])) == {"a": ("delivered", None)}
    assert {m["status"] for m in account.members.values()} == {"unsubscribed"}
    assert account.forgotten == set()


def test_who_left_an_audience_may_stay_subscribed_without_the_segment(
    account: FakeMailchimp,
) -> None:
    a, b = (account.add(f"{n}@example.com", SEGMENT="champions", FNAME="N") for n in "ab")
    destination = mailchimp(account, on_leave={"segment": ""})
    rows = [leaver("a", a), leaver("b", b, reason="consent"), leaver("c", hashed("c"))]
    outcomes = destination.remove(rows)
    assert set(by_key(outcomes).values()) == {("delivered", None)}
    assert account.members[a]["merge_fields"] == {"SEGMENT": "", "FNAME": "N"}
    assert [account.members[m]["status"] for m in (a, b)] == ["subscribed", "unsubscribed"]


def test_an_address_that_another_row_has_too_is_left_alone(account: FakeMailchimp) -> None:
    shared = account.add("shared@example.com")
    # The ledger leaves a shared address out of the sent identifiers, but knows the remote id.
    destination = mailchimp(account)
    gone = Row("a", "remove", "erasure", {}, remote_id=shared)
    moved = Row("b", "upsert", "changed", row("b").values, remote_id=shared)
    assert by_key(destination.remove([gone])) == {"a": ("delivered", None)}
    assert by_key(destination.upsert([moved])) == {"b": ("delivered", None)}
    assert account.members[shared]["email_address"] == "shared@example.com"
    assert account.members[shared]["status"] == "subscribed"


def test_only_an_erasure_deletes_for_good_and_only_where_declared(account: FakeMailchimp) -> None:
    first, second = account.add("a@example.com"), account.add("b@example.com")
    older = account.add("older@example.com")
    erased = leaver("a", first, older, reason="erasure")
    assert by_key(mailchimp(account).remove([erased])) == {"a": ("delivered", None)}
    mailchimp(account, on_erasure="leave").remove([leaver("b", second, reason="erasure")])
    assert account.forgotten == {first, older}
    assert account.members[second]["status"] == "unsubscribed"
    assert by_key(mailchimp(account).upsert([row("a")])) == {"a": ("rejected", "ERROR_GENERIC")}


@pytest.mark.parametrize("reason", ["left", "erasure", "listed"])
@pytest.mark.parametrize("mode", ["audience", "archive", "delete"])
def test_taking_away_who_is_not_there_is_no_error(
    account: FakeMailchimp, mode: str, reason: str
) -> None:
    rows = [leaver("a", hashed("a"), reason=reason), leaver("b", reason=reason)]
    assert set(by_key(mailchimp(account, mode=mode).remove(rows)).values()) == {("delivered", None)}


@pytest.mark.parametrize("mode", ["archive", "delete"])
def test_who_is_listed_goes_by_hash_or_by_address(account: FakeMailchimp, mode: str) -> None:
    a, b = account.add("a@example.com"), account.add("b@example.com")
    stays = account.add("c@example.com")
    rows = [
        leaver("a", a, reason="listed"),
        Row("b", "remove", "listed", {"email": "B@example.com"}),
    ]
    destination = mailchimp(account, mode=mode, match_on=None)
    for _ in range(2):  # again, as after a lost answer
        assert set(by_key(destination.remove(rows)).values()) == {("delivered", None)}
    assert account.members[stays]["status"] == "subscribed"
    if mode == "archive":
        assert {account.members[m]["status"] for m in (a, b)} == {"archived"}
    else:
        assert account.forgotten == {a, b}
    with pytest.raises(ValueError, match="writes nothing"):
        destination.upsert([row("a")])


def test_a_member_that_cannot_be_archived_is_said_so(account: FakeMailchimp) -> None:
    member = account.add("a@example.com")
    account.faults.append(Fault(405, body=b'{"title": "Method Not Allowed"}'))
    destination = mailchimp(account, mode="archive")
    outcomes = destination.remove([leaver("a", member, reason="listed")])
    assert by_key(outcomes) == {"a": ("rejected", "METHOD_NOT_ALLOWED")}


def test_who_bounced_needs_no_unsubscription(account: FakeMailchimp) -> None:
    member = account.add("a@example.com", "cleaned")
    outcomes = mailchimp(account).remove([leaver("a", member, reason="consent")])
    assert by_key(outcomes) == {"a": ("delivered", None)}


# -- an address that the person changed


@pytest.mark.parametrize("reason", ["left", "consent", "objection", "restriction", "erasure"])
def test_who_changed_the_address_there_is_taken_away(account: FakeMailchimp, reason: str) -> None:
    a, contact = known_member(account)
    new = account.change_address("a@example.com", "new@example.com")
    gone = leaver("a", a, reason=reason, remote_id=contact)
    [outcome] = mailchimp(account).remove([gone])
    assert outcome == Outcome.delivered("a", contact)
    if reason == "erasure":
        assert account.forgotten == {new}
    else:
        assert account.members[new]["status"] == "unsubscribed"


def test_an_address_that_was_given_up_is_taken_away_with_the_new_one(
    account: FakeMailchimp,
) -> None:
    _, contact = known_member(account)
    new = account.change_address("a@example.com", "new@example.com")
    a = account.add("a@example.com")
    gone = leaver("a", a, reason="consent", remote_id=contact)
    mailchimp(account).remove([gone])
    assert [account.members[m]["status"] for m in (a, new)] == ["unsubscribed"] * 2


def test_what_is_emptied_for_leavers_is_emptied_under_the_new_address(
    account: FakeMailchimp,
) -> None:
    a, contact = known_member(account)
    new = account.change_address("a@example.com", "new@example.com")
    mailchimp(account, on_leave={"segment": ""}).remove([leaver("a", a, remote_id=contact)])
    assert account.members[new]["merge_fields"] == {"SEGMENT": ""}
    assert account.members[new]["status"] == "subscribed"


@pytest.mark.parametrize("mode", ["archive", "delete"])
def test_who_is_listed_goes_under_the_new_address(account: FakeMailchimp, mode: str) -> None:
    a, contact = known_member(account)
    new = account.change_address("a@example.com", "new@example.com")
    gone = leaver("a", a, reason="listed", remote_id=contact)
    mailchimp(account, mode=mode).remove([gone])
    assert account.members.get(new, {"status": "archived"})["status"] == "archived"


@pytest.mark.parametrize(("mode", "calls"), [("mirror", 1), ("archive", 2)])
def test_who_kept_the_address_is_taken_away_once(
    account: FakeMailchimp, mode: str, calls: int
) -> None:
    """An archival is answered without the contact, which is looked at then."""
    a, contact = known_member(account)
    mailchimp(account, mode=mode).remove([leaver("a", a, remote_id=contact)])
    assert len(account.calls) == calls


def test_who_was_unsubscribed_before_is_erased_by_the_contact(account: FakeMailchimp) -> None:
    """No hash of theirs is held any more."""
    a, contact = known_member(account)
    gone = leaver("a", reason="erasure", remote_id=contact)
    assert by_key(mailchimp(account).remove([gone])) == {"a": ("delivered", None)}
    assert account.forgotten == {a}


@pytest.mark.parametrize("reason", ["left", "consent"])
def test_a_contact_whose_address_others_have_too_is_left_alone(
    account: FakeMailchimp, reason: str
) -> None:
    a, contact = known_member(account)
    gone = leaver("a", reason=reason, remote_id=contact)
    assert by_key(mailchimp(account).remove([gone])) == {"a": ("delivered", None)}
    assert account.members[a]["status"] == "subscribed"


def test_who_moves_while_being_taken_away_is_not_told_as_gone(account: FakeMailchimp) -> None:
    a, contact = known_member(account)
    new = account.change_address("a@example.com", "new@example.com")
    account.faults.append(Fault(404, body=b"{}", path=f"members/{new}"))
    gone = leaver("a", a, reason="consent", remote_id=contact)
    assert by_key(mailchimp(account).remove([gone])) == {"a": ("unknown", "MOVED_MEANWHILE")}


def test_a_contact_that_cannot_be_looked_up_is_not_told_as_gone(account: FakeMailchimp) -> None:
    a, contact = known_member(account)
    account.change_address("a@example.com", "new@example.com")
    account.faults.append(Fault(400, body=b"{}", path=f"members/{contact}"))
    gone = leaver("a", a, reason="consent", remote_id=contact)
    assert by_key(mailchimp(account).remove([gone])) == {"a": ("rejected", "HTTP_400")}


def test_removals_after_a_silent_one_are_not_tried(account: FakeMailchimp) -> None:
    rows = [leaver(key, account.add(f"{key}@example.com")) for key in "abc"]
    account.faults.extend([Fault(), Fault(500), Fault(500)])
    assert by_key(mailchimp(account).remove(rows)) == {
        "a": ("delivered", None),
        "b": ("unknown", "HTTP_500"),
        "c": ("unknown", "HTTP_500"),
    }
    assert len(account.calls) == 3


def test_a_removal_that_is_refused_is_refused_alone(account: FakeMailchimp) -> None:
    rows = [leaver(key, account.add(f"{key}@example.com")) for key in "ab"]
    account.faults.append(Fault(400, body=b'{"title": "a@example.com said no"}'))
    assert by_key(mailchimp(account).remove(rows)) == {
        "a": ("rejected", "HTTP_400"),
        "b": ("delivered", None),
    }


# -- reading, limits, credentials, declarations


def test_members_can_be_read(account: FakeMailchimp) -> None:
    a = account.add("a@example.com", SEGMENT="champions")
    account.add("b@example.com", "archived")
    held = mailchimp(account).read([Row("x", "remove", "", {}, a), row("b"), row("c"), leaver("d")])
    assert held == {
        "x": {
            "customer_id": "x",
            "email": "a@example.com",
            "fname": None,
            "segment": "champions",
        }
    }


def test_an_address_read_back_is_as_the_row_writes_it(account: FakeMailchimp) -> None:
    account.add("A@Example.com")
    assert mailchimp(account).read([row("a")])["a"]["email"] == "a@example.com"


@pytest.mark.parametrize(("size", "status"), [(500, 200), (501, 400)])
def test_five_hundred_members_pass_and_one_more_does_not(
    account: FakeMailchimp, size: int, status: int
) -> None:
    assert Mailchimp.limits.batch_rows == 500
    rows = [row(f"k{n}") for n in range(size)]
    if status == 200:
        assert len(mailchimp(account).upsert(rows)) == len(account.members) == 500
    else:
        with pytest.raises(Refused, match="INVALID_RESOURCE"):
            mailchimp(account).upsert(rows)
        assert account.contract_violations.pop()
    assert [call.status for call in account.calls] == [status]


@pytest.mark.parametrize("status", [401, 403])
def test_bad_credentials_stop(account: FakeMailchimp, status: int) -> None:
    account.faults.extend([Fault(status)] * 2)
    for act in (mailchimp(account).upsert, mailchimp(account).remove):
        with pytest.raises(Stopped) as caught:
            act([row("a", hashed("a"))])
        assert caught.value.error_class == "auth"


def test_an_audience_that_is_not_there_ends_the_run(account: FakeMailchimp) -> None:
    with pytest.raises(Stopped, match="LIST_NOT_FOUND"):
        mailchimp(account, options={"list_id": "nothing"}).upsert([row("a")])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"options": {}}, "list_id"),
        ({"options": {"list_id": "a/b"}}, "list_id"),
        ({"match_on": None}, "match_on"),
        ({"mode": "append"}, "cannot do mode"),
        ({"object": "campaigns"}, "cannot do mode"),
        ({"options": {"list_id": "a1", "status_if_new": "cleaned"}}, "status_if_new"),
        ({"on_leave": {"email": ""}}, "on_leave"),
    ],
)
def test_what_cannot_be_done_is_said_before_a_run(settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Mailchimp.check(spec_of(**settings))


def test_the_environment_configures_it(
    account: FakeMailchimp, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(LookupError, match="MAILCHIMP_API_KEY"):
        Mailchimp.from_environment(spec_of())
    monkeypatch.setenv("MAILCHIMP_API_KEY", "no-centre-")
    with pytest.raises(LookupError, match="data centre"):
        Mailchimp.from_environment(spec_of())
    monkeypatch.setenv("MAILCHIMP_API_KEY", account.key)
    monkeypatch.setenv("MAILCHIMP_BASE_URL", f"{account.url}/3.0")
    destination = Mailchimp.from_environment(spec_of())
    outcomes = destination.upsert([row("a")])
    assert outcomes == [Outcome.delivered("a", account.contacts[hashed("a")])]
    assert destination.calls == 1


def test_an_identifier_is_the_hash_and_never_the_address(account: FakeMailchimp) -> None:
    destination = mailchimp(account)
    assert destination.identifiers(row("a", email="A@Example.com")) == (hashed("a"),)
    assert destination.identifiers(row("a", email=None)) == ()


@FORTY_EXAMPLES
@given(rows=wild_rows(COLUMNS[1:]))
def test_no_text_breaks_the_contract(account: FakeMailchimp, rows: list[Row]) -> None:
    outcomes = halved(mailchimp(account, clear_nulls=["segment"]), rows)
    assert set(by_key(outcomes)) == {row.key for row in rows}
    assert {status for status, _ in by_key(outcomes).values()} <= {"delivered", "rejected"}


def test_no_value_is_in_an_outcome_or_an_exception(account: FakeMailchimp) -> None:
    outcomes = mailchimp(account).upsert([row("a", email="canary"), row("b", fname="c" * 256)])
    assert "canary" not in repr(outcomes)
    account.faults.append(Fault(400, body=b'{"title": "canary", "detail": "canary"}'))
    rows = [row("a", email="canary@example.com")]
    with pytest.raises(Refused) as caught:
        mailchimp(account).upsert(rows)
    assert "canary@" not in "".join(traceback.format_exception(caught.value))
