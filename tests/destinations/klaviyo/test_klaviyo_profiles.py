"""Klaviyo: profiles by import jobs."""

import json
import logging
import re
from typing import Any

import pytest

from orchestration.destinations._klaviyo import import_job
from orchestration.destinations.base import (
    Job,
    Refused,
    Row,
    Stopped,
    Unanswered,
)
from tests.destinations.klaviyo.case import audience, calls_to, klaviyo, members, row
from tests.destinations.rows import deliver, leaver, settle, statuses
from tests.fakes.klaviyo import FakeKlaviyo
from tests.fakes.server import Fault

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


def test_without_on_leave_a_withdrawal_is_not_told_as_done(account: FakeKlaviyo) -> None:
    deliver(klaviyo(account), [row("a", segment="champions")])
    rows = [leaver("a", "consent"), leaver("b", "consent")]
    assert statuses(deliver(klaviyo(account), rows)) == {
        "a": ("rejected", "NO_REMOVAL_DECLARED"),
        "b": ("delivered", None),  # nothing of it is there
    }


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
    assert destination.limits.batch_rows == 25
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
