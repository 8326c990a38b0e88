"""Klaviyo's dialect: jobs, lists, subscriptions, and what each mode leaves behind."""

import json
import logging
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.destinations._klaviyo import KlaviyoApi, import_job
from orchestration.destinations.base import (
    Job,
    Outcome,
    Refused,
    Row,
    Stopped,
    Unanswered,
)
from orchestration.destinations.klaviyo import Klaviyo
from orchestration.sync.http import Policy
from orchestration.sync.spec import SyncSpec
from tests.fakes import openapi
from tests.fakes.klaviyo import FakeKlaviyo
from tests.fakes.server import Fault

PROFILES = ["cdp_customer_id", "email", "phone_number", "first_name", "city", "segment"]
MEMBERS = ["cdp_customer_id", "email"]


@pytest.fixture
def account() -> Iterator[FakeKlaviyo]:
    """With the vendor's description where it is at hand; by its own rules alone elsewhere."""
    with FakeKlaviyo(openapi.load("klaviyo/stable.json")) as fake:
        yield fake
        assert fake.contract_violations == []


def klaviyo(fake: FakeKlaviyo, key: str = "pk_fake", tries: int = 2, **settings: Any) -> Klaviyo:
    declared = {
        "sync_name": "sync_klaviyo__profiles",
        "destination": "klaviyo",
        "object": "profiles",
        "mode": "upsert",
        "key": "cdp_customer_id",
        "match_on": "email",
        "purpose": "marketing",
        "channel": "email",
        "identity_tier": "exact",
        "columns": PROFILES,
    }
    spec = SyncSpec(**(declared | settings))
    Klaviyo.check(spec)
    policy = Policy(tries=tries, first_wait=0, max_wait=0)
    return Klaviyo(spec, KlaviyoApi(fake.url, key, policy=policy))


def audience(fake: FakeKlaviyo, **settings: Any) -> Klaviyo:
    return klaviyo(fake, mode="audience", on_leave={"segment": ""}, **settings)


def members(fake: FakeKlaviyo, object_name: str = "lists", **settings: Any) -> Klaviyo:
    given = {"columns": MEMBERS, "options": {"list_id": "L1"}} | settings
    return klaviyo(fake, object=object_name, mode="audience", **given)


def row(key: str, remote_id: str | None = None, **values: str | None) -> Row:
    mapped = {"cdp_customer_id": key, "email": f"{key}@example.com"}
    return Row(key, "upsert", "new", mapped | values, remote_id)


def leaver(key: str, reason: str = "left", remote_id: str | None = None) -> Row:
    return Row(key, "remove", reason, {}, remote_id)


def settle(
    destination: Klaviyo, answer: list[Outcome] | Job, rows: list[Row]
) -> dict[str, Outcome]:
    """Outcomes by key, a job's after as many questions as it takes."""
    if isinstance(answer, list):
        return {outcome.key: outcome for outcome in answer}
    known = {outcome.key: outcome for outcome in answer.settled}
    asked = [row for row in rows if row.key not in known]
    for _ in range(10):
        if (outcomes := destination.poll(answer.job_id, asked)) is not None:
            return known | {outcome.key: outcome for outcome in outcomes}
    raise AssertionError("the job never ends")


def deliver(destination: Klaviyo, rows: list[Row]) -> dict[str, Outcome]:
    act = destination.remove if rows[0].action == "remove" else destination.upsert
    return settle(destination, act(rows), rows)


def statuses(outcomes: dict[str, Outcome]) -> dict[str, tuple[str, str | None]]:
    return {key: (outcome.status, outcome.error_code) for key, outcome in outcomes.items()}


def calls_to(fake: FakeKlaviyo, path: str) -> int:
    return sum(path in call.path for call in fake.calls)


# -- profiles


def test_columns_find_their_places_in_a_profile(account: FakeKlaviyo) -> None:
    rows = [row("a", first_name="Ana", city="Paris", segment="champions")]
    assert statuses(deliver(klaviyo(account), rows)) == {"a": ("delivered", None)}
    profile = account.of("a")
    assert profile.attributes["email"] == "a@example.com"
    assert profile.attributes["first_name"] == "Ana"
    assert profile.location == {"city": "Paris"}
    assert profile.properties == {"segment": "champions"}


def test_ten_thousand_profiles_are_one_job(account: FakeKlaviyo) -> None:
    account.contract = None  # the vendor's schema takes seconds for so many
    destination = klaviyo(account)
    rows = [row(f"c{number}", segment="champions") for number in range(10_000)]
    assert destination.limits.batch_rows == 10_000
    assert sum(map(destination.weight, rows)) < destination.limits.batch_bytes
    outcomes = deliver(destination, rows)
    assert {outcome.status for outcome in outcomes.values()} == {"delivered"}
    assert len(account.profiles) == 10_000
    assert [call.method for call in account.calls] == ["POST", "GET", "GET"]


def test_one_row_more_than_the_limit_would_be_refused(account: FakeKlaviyo) -> None:
    account.contract = None
    with pytest.raises(Refused):
        klaviyo(account).upsert([row(f"c{number}") for number in range(10_001)])
    assert account.contract_violations == ["10001 rows in a call of 10000"]
    account.contract_violations.clear()


def test_weights_are_the_bytes_of_the_request(account: FakeKlaviyo) -> None:
    account.contract = None
    destination = klaviyo(account)
    filler = "é😀" * 2000
    rows, weight = [], 0
    while True:
        another = row(f"c{len(rows)}", segment=filler)
        if weight + destination.weight(another) > destination.limits.batch_bytes:
            break
        rows.append(another)
        weight += destination.weight(another)
    bodies = []
    start = account._start_import
    account._start_import = lambda request: bodies.append(len(request.body)) or start(request)
    assert isinstance(destination.upsert(rows), Job)
    envelope = len(json.dumps(import_job([])))
    assert bodies == [weight - 2 + envelope]
    assert destination.limits.batch_bytes + envelope <= 5_000_000
    with pytest.raises(Refused) as caught:
        destination.upsert([*rows, another])
    assert caught.value.code == "HTTP_413"


def test_a_profile_of_more_than_a_hundred_kilobytes_stays_out(account: FakeKlaviyo) -> None:
    rows = [row("a"), row("b", segment="x" * 100_000), row("c", segment="x" * 99_000)]
    assert statuses(deliver(klaviyo(account), rows)) == {
        "a": ("delivered", None),
        "b": ("rejected", "PROFILE_TOO_LARGE"),
        "c": ("delivered", None),
    }


def test_rows_that_klaviyo_points_at_are_left_out(account: FakeKlaviyo) -> None:
    rows = [row("a"), row("b", email="bad"), row("c"), row("d", phone_number="123")]
    assert statuses(deliver(klaviyo(account), rows)) == {
        "a": ("delivered", None),
        "b": ("rejected", "INVALID_EMAIL"),
        "c": ("delivered", None),
        "d": ("rejected", "INVALID_PHONE_NUMBER"),
    }
    assert [call.status for call in account.calls][:2] == [400, 202]


def test_a_job_of_bad_rows_alone_is_none(account: FakeKlaviyo) -> None:
    outcomes = deliver(klaviyo(account), [row("a", email="bad")])
    assert statuses(outcomes) == {"a": ("rejected", "INVALID_EMAIL")}
    assert account.jobs == {}


def test_a_refusal_without_a_row_is_one_of_the_batch(account: FakeKlaviyo) -> None:
    body = {
        "errors": [{"code": "invalid", "detail": "a@example.com", "source": {"pointer": "/data"}}]
    }
    account.faults.append(Fault(400, body=json.dumps(body).encode()))
    with pytest.raises(Refused) as caught:
        klaviyo(account).upsert([row("a"), row("b")])
    assert caught.value.code == "INVALID"
    assert "example.com" not in repr(caught.value)


def test_a_job_that_fails_in_part_names_its_rows(account: FakeKlaviyo) -> None:
    account.failing = {"b": {"code": "duplicate_profile"}, "d": {"pointer": "/attributes"}}
    rows = [row(key) for key in "abcd"]
    assert statuses(deliver(klaviyo(account), rows)) == {
        "a": ("delivered", None),
        "b": ("rejected", "DUPLICATE_PROFILE_EMAIL"),
        "c": ("delivered", None),
        "d": ("rejected", "INVALID"),
    }


def test_two_profiles_of_others_are_not_made_one_by_a_job(account: FakeKlaviyo) -> None:
    account.add(email="old@example.com", external_id="a")
    account.add(email="a@example.com", external_id="other")
    outcomes = deliver(klaviyo(account), [row("a"), row("b")])
    assert statuses(outcomes) == {
        "a": ("rejected", "DUPLICATE_PROFILE"),
        "b": ("delivered", None),
    }


def test_errors_come_in_pages(account: FakeKlaviyo) -> None:
    keys = [f"c{number}" for number in range(250)]
    account.failing = {key: {} for key in keys if key != "c7"}
    outcomes = deliver(klaviyo(account), [row(key) for key in keys])
    assert {key for key, o in outcomes.items() if o.status == "delivered"} == {"c7"}
    assert calls_to(account, "import-errors") == 3


def test_an_error_without_a_position_is_told_by_its_key(account: FakeKlaviyo) -> None:
    account.failing = {"a": {}, "b": {"pointer": None}}
    outcomes = deliver(klaviyo(account), [row(key) for key in "abc"])
    assert statuses(outcomes) == {
        "a": ("rejected", "INVALID_EMAIL"),
        "b": ("rejected", "INVALID"),
        "c": ("delivered", None),
    }


def test_an_error_without_a_row_leaves_the_others_unknown(account: FakeKlaviyo) -> None:
    account.failing = {"a": {"pointer": None}, "b": {}}
    account.keeps_payloads = False
    outcomes = deliver(klaviyo(account), [row(key) for key in "abc"])
    assert {outcome.error_code for outcome in outcomes.values()} == {"ERROR_WITHOUT_ROW"}


def test_errors_that_are_missing_leave_rows_unknown(account: FakeKlaviyo) -> None:
    account.failing = {"a": {}, "b": {}}
    destination = klaviyo(account)
    rows = [row(key) for key in "abc"]
    job = destination.upsert(rows)
    assert destination.poll(job.job_id, rows) is None
    account.faults.append(Fault(200, body=b'{"data": []}', path="import-errors"))
    outcomes = destination.poll(job.job_id, rows)
    assert {outcome.status for outcome in outcomes} == {"unknown"}


def test_errors_that_are_gone_leave_rows_unknown(account: FakeKlaviyo) -> None:
    """Asking again would never end."""
    account.failing = {"a": {}}
    destination, rows = klaviyo(account), [row("a")]
    job = destination.upsert(rows)
    account.faults.append(Fault(404, path="import-errors"))
    outcomes = settle(destination, job, rows)
    assert statuses(outcomes) == {"a": ("unknown", "HTTP_404")}


def test_original_payloads_are_not_even_asked_for(account: FakeKlaviyo) -> None:
    account.failing = {"a": {}}
    fields = []
    errors = account._import_errors

    def listen(request: Any, job_id: str) -> Any:
        fields.append(request.query["fields[import-error]"])
        return errors(request, job_id)

    account._import_errors = listen
    deliver(klaviyo(account), [row("a")])
    assert fields == ["code,source.pointer"]


def test_nothing_of_a_person_is_logged_or_kept(
    account: FakeKlaviyo, caplog: pytest.LogCaptureFixture
) -> None:
    """Klaviyo's errors quote people."""
    account.failing = {"b": {"pointer": None}}
    account.faults.append(Fault(503))
    with caplog.at_level(logging.DEBUG, logger="orchestration"):
        outcomes = deliver(klaviyo(account), [row("a", email="bad"), row("b"), row("c")])
        deliver(klaviyo(account), [leaver("c", "erasure")])
    assert "trying again" in caplog.text
    kept = caplog.text + repr(outcomes) + repr(row("a"))
    assert not re.search("example.com|pk_fake|bad", kept)


def test_a_job_is_resumed_by_another_run_without_values(account: FakeKlaviyo) -> None:
    account.failing = {"c": {}}
    job = klaviyo(account).upsert([row("a"), row("b", email="bad"), row("c"), row("d")])
    assert [outcome.key for outcome in job.settled] == ["b"]
    bare = [Row(key, "upsert", "resumed", row_hash="h") for key in "acd"]
    outcomes = settle(second := klaviyo(account), Job(job.job_id), bare)
    assert statuses(outcomes) == {
        "a": ("delivered", None),
        "c": ("rejected", "INVALID_EMAIL"),
        "d": ("delivered", None),
    }
    assert second.calls == 3


def test_positions_are_not_trusted_where_the_rows_are_others(account: FakeKlaviyo) -> None:
    job = klaviyo(account).upsert([row("a"), row("b")])
    outcomes = settle(klaviyo(account), Job(job.job_id), [row(key) for key in "abc"])
    assert {o.error_code for o in outcomes.values()} == {"JOB_OF_OTHER_ROWS"}


def test_a_job_that_is_stuck_goes_on(account: FakeKlaviyo) -> None:
    account.is_stuck = True
    destination, rows = klaviyo(account), [row("a")]
    job = destination.upsert(rows)
    assert [destination.poll(job.job_id, rows) for _ in range(5)] == [None] * 5


@pytest.mark.parametrize(
    ("end", "code"), [("cancel", "JOB_NOT_COMPLETE"), ("expire", "JOB_EXPIRED")]
)
def test_a_job_without_a_good_end_leaves_its_rows_unknown(
    account: FakeKlaviyo, end: str, code: str
) -> None:
    destination, rows = klaviyo(account), [row("a"), row("b")]
    job = destination.upsert(rows)
    getattr(account, end)(job.job_id)
    outcomes = settle(destination, job, rows)
    assert statuses(outcomes) == dict.fromkeys("ab", ("unknown", code))


def test_a_lost_answer_makes_one_profile(account: FakeKlaviyo) -> None:
    account.faults.append(Fault(hangs_up=True, applies=True))
    deliver(klaviyo(account), [row("a")])
    assert len(account.jobs) == 2
    assert len(account.profiles) == 1


def test_answers_that_stay_away_leave_the_batch_in_doubt(account: FakeKlaviyo) -> None:
    account.faults += [Fault(hangs_up=True, applies=True)] * 2
    with pytest.raises(Unanswered):
        klaviyo(account).upsert([row("a")])


@pytest.mark.parametrize("body", [b"[]", b'{"data": []}', b'{"data": {"id": null}}'])
def test_a_job_without_an_id_is_no_job(account: FakeKlaviyo, body: bytes) -> None:
    account.faults.append(Fault(202, body=body))
    with pytest.raises(Unanswered):
        klaviyo(account).upsert([row("a")])


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_is_refused_stops(account: FakeKlaviyo, status: int) -> None:
    account.faults.append(Fault(status))
    with pytest.raises(Stopped) as caught:
        klaviyo(account).upsert([row("a")])
    assert caught.value.error_class == "auth"
    with pytest.raises(Stopped):
        klaviyo(account, key="pk_wrong").upsert([row("a")])


def test_nulls_are_skipped_or_empty_the_field(account: FakeKlaviyo) -> None:
    rows = [row("a", first_name="Ana", city="Paris", segment="champions")]
    deliver(klaviyo(account), rows)
    gone = dict.fromkeys(["first_name", "city", "segment"])
    deliver(klaviyo(account), [row("a", **gone)])
    profile = account.of("a")
    assert profile.attributes["first_name"] == "Ana"
    deliver(klaviyo(account, clear_nulls=["segment"]), [row("a", **gone)])
    assert profile.properties == {}
    assert profile.location == {"city": "Paris"}
    assert calls_to(account, "/api/profile-import") == 0
    outcomes = deliver(klaviyo(account, clear_nulls=["first_name", "city"]), [row("a", **gone)])
    assert outcomes["a"].status == "delivered"
    assert "first_name" not in profile.attributes
    assert profile.location == {}


def test_rows_that_empty_an_attribute_go_one_by_one(account: FakeKlaviyo) -> None:
    """Import jobs take a null for absent."""
    destination = klaviyo(account, clear_nulls=["city"])
    rows = [row("a", city=None), row("b", city="Rome"), row("c", city=None, email="bad")]
    outcomes = deliver(destination, rows)
    assert statuses(outcomes) == {
        "a": ("delivered", None),
        "b": ("delivered", None),
        "c": ("rejected", "INVALID_EMAIL"),
    }
    assert outcomes["a"].remote_id == account.of("a").id


def test_leaving_by_mode(account: FakeKlaviyo) -> None:
    for mode in ("audience", "mirror", "upsert"):
        rows = [row(mode, first_name="Ana", segment="champions")]
        deliver(klaviyo(account), rows)
        on_leave = {} if mode == "mirror" else {"segment": "gone"}
        destination = klaviyo(account, mode=mode, on_leave=on_leave)
        assert deliver(destination, [leaver(mode)])[mode].status == "delivered"
    assert account.of("audience").properties == {"segment": "gone"}
    assert account.of("mirror").properties == {}
    assert account.of("upsert").properties == {"segment": "gone"}
    assert account.of("mirror").attributes["first_name"] == "Ana"


def test_on_leave_may_empty_properties_and_attributes(account: FakeKlaviyo) -> None:
    deliver(klaviyo(account), [row("a", first_name="Ana", segment="champions")])
    on_leave = {"segment": "", "first_name": ""}
    deliver(klaviyo(account, mode="audience", on_leave=on_leave), [leaver("a")])
    assert account.of("a").properties == {}
    assert "first_name" not in account.of("a").attributes


def test_erasure_is_for_good_unless_declared_otherwise(account: FakeKlaviyo) -> None:
    deliver(klaviyo(account), [row("a", segment="x"), row("b", segment="x")])
    first = account.of("a").id
    deliver(audience(account), [leaver("a", "erasure")])
    deliver(audience(account, on_erasure="leave"), [leaver("b", "erasure")])
    assert account.erased == [first]
    assert account.of("b").properties == {}


def test_mode_delete_erases_whom_the_model_lists(account: FakeKlaviyo) -> None:
    deliver(klaviyo(account), [row("a"), row("b")])
    destination = klaviyo(account, mode="delete")
    assert destination.limits.batch_rows == 100
    outcomes = deliver(destination, [leaver("a", "listed"), leaver("z", "listed")])
    assert statuses(outcomes) == {"a": ("delivered", None), "z": ("delivered", None)}
    assert account.of("a") is None
    assert account.of("b") is not None


@pytest.mark.parametrize("reason", ["left", "consent", "erasure"])
@pytest.mark.parametrize("object_name", ["profiles", "lists", "subscriptions"])
def test_taking_away_who_is_not_there_makes_nobody(
    account: FakeKlaviyo, object_name: str, reason: str
) -> None:
    make = audience if object_name == "profiles" else members
    more = {} if object_name == "profiles" else {"object_name": object_name}
    outcomes = deliver(make(account, **more), [leaver("a", reason), leaver("b", reason, "01GONE")])
    assert {outcome.status for outcome in outcomes.values()} == {"delivered"}
    assert account.profiles == {}
    assert account.jobs == {}


def test_a_profile_is_found_by_its_id_when_the_shop_took_the_key(account: FakeKlaviyo) -> None:
    profile = account.add(email="a@example.com", external_id="shop-1")
    deliver(audience(account), [leaver("a", "erasure", profile.id)])
    assert account.erased == [profile.id]


def test_lookups_take_a_hundred_at_a_time_and_fewer_long_ones(account: FakeKlaviyo) -> None:
    deliver(audience(account), [leaver(f"c{number}") for number in range(101)])
    assert calls_to(account, "/api/profiles") == 2
    deliver(audience(account), [leaver(f"{number:0>255}") for number in range(30)])
    assert calls_to(account, "/api/profiles") == 4


def test_what_is_held_can_be_read_back(account: FakeKlaviyo) -> None:
    rows = [row("a", first_name="Ana", city="Paris", segment="champions")]
    destination = klaviyo(account)
    deliver(destination, rows)
    assert destination.read([*rows, row("z")]) == {
        "a": rows[0].values | {"phone_number": None},
    }


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


def test_a_list_that_is_not_there_refuses(account: FakeKlaviyo) -> None:
    with pytest.raises(Refused) as caught:
        members(account, options={"list_id": "L9"}).upsert([row("a")])
    assert caught.value.code == "NOT_FOUND"


# -- subscriptions


def test_subscribing_and_leaving_the_list(account: FakeKlaviyo) -> None:
    destination = members(account, "subscriptions")
    outcomes = deliver(destination, [row("a"), row("b")])
    profile = account.of("a")
    assert outcomes["a"].remote_id == profile.id
    assert profile.consent == {"email": "SUBSCRIBED"}
    assert profile.id in account.lists["L1"]
    deliver(destination, [leaver("a")])
    assert profile.id not in account.lists["L1"]
    assert profile.consent == {"email": "SUBSCRIBED"}


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


# -- declarations and texts


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"mode": "append"}, "append"),
        ({"mode": "update_only"}, "update_only"),
        ({"mode": "audience"}, "on_leave"),
        ({"mode": "mirror", "columns": ["cdp_customer_id", "email"]}, "mirror"),
        ({"match_on": "city"}, "match_on"),
        ({"columns": [*PROFILES, "external_id"]}, "external_id"),
        ({"options": {"lst_id": "L1"}}, "lst_id"),
        ({"object": "lists", "mode": "audience", "columns": MEMBERS}, "list_id"),
        ({"object": "lists", "mode": "audience", "options": {"list_id": "L1"}}, "first_name"),
        ({"object": "subscriptions", "mode": "upsert"}, "upsert"),
        (
            {
                "object": "subscriptions",
                "mode": "audience",
                "columns": MEMBERS,
                "options": {"list_id": "L1"},
                "channel": "post",
            },
            "channel",
        ),
        (
            {
                "object": "subscriptions",
                "mode": "audience",
                "columns": [*MEMBERS, "consented_at"],
                "options": {"list_id": "L1"},
            },
            "historical_import",
        ),
    ],
)
def test_what_klaviyo_cannot_do_is_refused_before_any_call(
    account: FakeKlaviyo, wrong: dict[str, Any], word: str
) -> None:
    with pytest.raises(ValueError, match=word):
        klaviyo(account, **wrong)


def test_the_key_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = klaviyo_spec()
    monkeypatch.delenv("KLAVIYO_API_KEY", raising=False)
    with pytest.raises(LookupError, match="KLAVIYO_API_KEY"):
        Klaviyo.from_environment(spec)
    monkeypatch.setenv("KLAVIYO_API_KEY", "pk_fake")
    assert Klaviyo.from_environment(spec).calls == 0


def klaviyo_spec() -> SyncSpec:
    with FakeKlaviyo() as fake:
        return klaviyo(fake)._spec


@settings(max_examples=40, deadline=None)
@given(
    rows=st.lists(
        st.fixed_dictionaries(
            {name: st.none() | st.text(max_size=50) for name in PROFILES[1:]}
            | {"segment": st.none() | st.text(max_size=50) | st.just("'\"\x00😀" * 2500)}
        ),
        min_size=1,
        max_size=5,
    ),
    clears=st.sets(st.sampled_from(PROFILES[1:])),
    keys=st.lists(st.text(min_size=1, max_size=40), min_size=5, max_size=5, unique=True),
)
def test_no_text_breaks_the_contract(rows: list[dict], clears: set[str], keys: list[str]) -> None:
    """An account of its own each time: the limiter of one would make this a minute."""
    with FakeKlaviyo(openapi.load("klaviyo/stable.json")) as account:
        destination = klaviyo(account, clear_nulls=sorted(clears))
        sent = [Row(key, "upsert", "new", values) for key, values in zip(keys, rows, strict=False)]
        outcomes = deliver(destination, sent)
        assert outcomes.keys() == {row.key for row in sent}
        deliver(audience(account), [leaver(row.key) for row in sent])
        assert account.contract_violations == []
