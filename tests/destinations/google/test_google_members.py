"""Google: who is in an audience and who is not, by the identifiers that are sent."""

import pytest

from orchestration.destinations import destination_class
from orchestration.destinations.base import Outcome
from orchestration.destinations.google import CONSENTS, Google
from tests.destinations.google.case import (
    DELIVERED,
    audience,
    changed,
    email,
    leaver,
    remove,
    row,
    sha,
    upsert,
)
from tests.destinations.rows import settle, statuses
from tests.fakes.google import FakeGoogle
from tests.fakes.server import Fault


def test_the_module_is_found_by_its_name() -> None:
    assert destination_class("google") is Google


def test_members_come_with_all_their_identifiers(ads: FakeGoogle) -> None:
    person = row(
        "a",
        phone_number="020 7031 3000",
        given_name=" Dana ",
        family_name="O'Brien",
        region_code="gb",
        postal_code="SW1A 1AA",
    )
    destination = audience(ads)
    assert upsert(destination, [person]) == {"a": DELIVERED}
    address = f"address:{sha('dana')}:{sha(chr(111) + chr(39) + 'brien')}:GB:SW1A 1AA"
    assert ads.audience == {email("a"), f"phoneNumber:{sha('+442070313000')}", address}
    assert [name.partition(":")[0] for name in destination.identifiers(person)] == [
        "email",
        "phone",
        "address",
    ]


def test_a_manager_account_is_named_where_there_is_one(ads: FakeGoogle) -> None:
    for key, options in (("a", {}), ("b", {"login_account_id": "42"})):
        assert upsert(audience(ads, **options), [row(key)]) == {key: DELIVERED}
        [destination] = ads.destinations
        login = {"accountType": "GOOGLE_ADS", "accountId": "42"}
        assert destination.get("loginAccount") == (login if options else None)


def test_what_is_no_value_leaves_the_other_identifiers(ads: FakeGoogle) -> None:
    person = row("a", phone_number="n/a", given_name="Dana", family_name="", region_code="FRA")
    assert upsert(audience(ads), [person]) == {"a": DELIVERED}
    assert ads.audience == {email("a")}


@pytest.mark.parametrize("column", list(CONSENTS))
@pytest.mark.parametrize("value", [None, "", "denied", "GRANTED", "true"])
def test_nobody_is_uploaded_without_both_consents(
    ads: FakeGoogle, column: str, value: str | None
) -> None:
    destination = audience(ads)
    rows = [row("a", **{column: value}), row("b")]
    assert upsert(destination, rows) == {
        "a": ("rejected", "CONSENT_MISSING"),
        "b": DELIVERED,
    }
    assert ads.audience == {email("b")}
    assert destination.identifiers(rows[0]) == ()


def test_a_consent_withdrawn_takes_out_whom_we_put_there(ads: FakeGoogle) -> None:
    destination = audience(ads)
    before = row("a")
    upsert(destination, [before])
    now = changed(before, *destination.identifiers(before), ad_personalization="denied")
    assert upsert(destination, [now]) == {"a": ("rejected", "CONSENT_MISSING")}
    assert ads.audience == set()


def test_a_changed_email_takes_the_old_one_out(ads: FakeGoogle) -> None:
    destination = audience(ads)
    before = row("a", phone_number="+33612345678")
    upsert(destination, [before])
    now = changed(before, *destination.identifiers(before), email_address="new@example.com")
    assert upsert(destination, [now]) == {"a": DELIVERED}
    assert ads.audience == {
        f"emailAddress:{sha('new@example.com')}",
        f"phoneNumber:{sha('+33612345678')}",
    }


def test_a_row_that_did_not_change_its_identifiers_is_one_request(ads: FakeGoogle) -> None:
    destination = audience(ads)
    person = row("a")
    upsert(destination, [changed(person, *destination.identifiers(person))])
    assert (ads.requests("ingest"), ads.requests("remove")) == (1, 0)


def test_a_lost_email_takes_the_person_out(ads: FakeGoogle) -> None:
    destination = audience(ads)
    before = row("a")
    upsert(destination, [before])
    now = changed(before, *destination.identifiers(before), email_address=None)
    assert upsert(destination, [now]) == {"a": ("rejected", "NO_IDENTIFIER")}
    assert ads.audience == set()


def test_a_hashed_column_is_refused_and_takes_nobody_out(ads: FakeGoogle) -> None:
    destination = audience(ads)
    before = row("a")
    upsert(destination, [before])
    now = changed(before, *destination.identifiers(before), email_address=sha("a@example.com"))
    assert upsert(destination, [now, row("b")]) == {
        "a": ("rejected", "PREHASHED_VALUE"),
        "b": DELIVERED,
    }
    assert ads.audience == {email("a"), email("b")}


@pytest.mark.parametrize("reason", ["left", "consent", "erasure"])
def test_removal_needs_nothing_but_the_ledger(ads: FakeGoogle, reason: str) -> None:
    destination = audience(ads)
    person = row("a", given_name="D", family_name="B", region_code="PL", postal_code="00-950")
    upsert(destination, [person, row("b")])
    gone = leaver("a", *destination.identifiers(person), reason=reason)
    assert remove(destination, [gone]) == {"a": DELIVERED}
    assert ads.audience == {email("b")}


def test_who_is_not_there_is_removed_without_an_error(ads: FakeGoogle) -> None:
    rows = [leaver("a", f"email:{sha('x')}"), leaver("b")]
    assert remove(audience(ads), rows) == {"a": DELIVERED, "b": DELIVERED}
    assert audience(ads).remove([leaver("b")]) == [Outcome.delivered("b")]


def test_a_person_of_many_former_emails_is_removed_as_several_members(ads: FakeGoogle) -> None:
    sent = [f"email:{sha(str(number))}" for number in range(11)]
    ads.audience = {name.replace("email", "emailAddress") for name in sent}
    assert remove(audience(ads), [leaver("a", *sent)]) == {"a": DELIVERED}
    assert ads.audience == set()


def test_ten_thousand_members_are_one_request_and_one_more_are_two(ads: FakeGoogle) -> None:
    destination = audience(ads)
    assert destination.limits.batch_rows == 10_000
    rows = [row(str(number)) for number in range(10_000)]
    assert set(upsert(destination, rows).values()) == {DELIVERED}
    assert (len(ads.audience), ads.requests("ingest")) == (10_000, 1)
    sent = [destination.identifiers(person)[0] for person in rows]
    # One leaver of eleven identifiers is two members.
    many = leaver("many", *[f"email:{sha(str(number))}" for number in range(11)])
    leavers = [leaver(r.key, name) for r, name in zip(rows[1:], sent[1:], strict=True)]
    given = destination.remove([*leavers, many])
    assert ads.requests("remove") == 2
    assert set(statuses(settle(destination, given, [*leavers, many])).values()) == {DELIVERED}
    assert ads.audience == {email("0")}


def test_a_repeated_upload_changes_nothing(ads: FakeGoogle) -> None:
    ads.faults.append(Fault(hangs_up=True, applies=True))
    assert upsert(audience(ads), [row("a")]) == {"a": DELIVERED}
    assert upsert(audience(ads), [row("a")]) == {"a": DELIVERED}
    assert ads.audience == {email("a")}
    assert ads.requests("ingest") == 3
