"""Salesforce: jobs of the Bulk API, their ends, lost answers and refusals."""

import logging
import re
from typing import Any

import pytest

from orchestration.destinations._salesforce import csv_line
from orchestration.destinations.base import (
    Job,
    Refused,
    Row,
    Stopped,
    Unanswered,
)
from tests.destinations.rows import deliver, leaver, settle, statuses
from tests.destinations.salesforce.case import COLUMNS, row, salesforce
from tests.fakes.salesforce import KEY, FakeSalesforce
from tests.fakes.server import Fault

# -- writing


def test_a_record_is_made_once_and_then_changed(org: FakeSalesforce) -> None:
    first = deliver(salesforce(org), [row("a", FirstName="Ana")])
    second = deliver(salesforce(org), [row("a", FirstName="Anna")])
    assert len(org.records) == 1
    assert first["a"].remote_id == second["a"].remote_id
    assert org.of("a")["FirstName"] == "Anna"


def test_results_in_another_order_find_their_rows(org: FakeSalesforce) -> None:
    org.refusing = {"b": "INVALID_EMAIL_ADDRESS:Email: invalid email address: canary@x.org:Email--"}
    rows = [row(key) for key in "abc"] + [row("d", LastName=None)]
    outcomes = deliver(salesforce(org), rows)
    assert statuses(outcomes) == {
        "a": ("delivered", None),
        "b": ("rejected", "INVALID_EMAIL_ADDRESS"),
        "c": ("delivered", None),
        "d": ("rejected", "REQUIRED_FIELD_MISSING"),
    }
    assert org.records[outcomes["c"].remote_id][KEY] == "c"
    assert "canary" not in repr(outcomes)


def test_a_record_that_others_hold_is_tried_again_later(org: FakeSalesforce) -> None:
    org.locked = {"b"}
    outcomes = deliver(salesforce(org), [row("a"), row("b")])
    assert statuses(outcomes)["b"] == ("unknown", "UNABLE_TO_LOCK_ROW")
    assert outcomes["b"].error_class == "transient"


@pytest.mark.parametrize(
    "code",
    [
        "STORAGE_LIMIT_EXCEEDED",
        "EXCEEDED_QUOTA",
        "REQUEST_LIMIT_EXCEEDED",
        "REQUEST_RUNNING_TOO_LONG",
        "TOO_MANY_APEX_REQUESTS",
        "API_CURRENTLY_DISABLED",
        "SERVER_UNAVAILABLE",
        "QUERY_TIMEOUT",
        "RECORD_IN_USE_BY_WORKFLOW",
        "TERRITORY_REALIGN_IN_PROGRESS",
        "UNKNOWN_EXCEPTION",
    ],
)
def test_trouble_of_the_organisation_refuses_no_row_for_good(
    org: FakeSalesforce, code: str
) -> None:
    org.add(**{KEY: "a", "LastName": "x"})
    org.refusing = {"a": f"{code}:words of Salesforce:--"}
    for outcomes in (
        deliver(salesforce(org), [row("a"), row("b")]),
        deliver(salesforce(org, mode="mirror"), [leaver("a"), leaver("b")]),
    ):
        assert statuses(outcomes) == {"a": ("unknown", code), "b": ("delivered", None)}


def test_a_failed_job_leaves_the_rest_to_a_new_one(org: FakeSalesforce) -> None:
    org.fails_after = 2
    rows = [row(key) for key in "abcd"]
    outcomes = deliver(salesforce(org), rows)
    assert statuses(outcomes) == {
        "a": ("delivered", None),
        "b": ("delivered", None),
        "c": ("unknown", "UNPROCESSED"),
        "d": ("unknown", "UNPROCESSED"),
    }
    org.fails_after = None
    again = [row for row in rows if outcomes[row.key].status == "unknown"]
    assert statuses(deliver(salesforce(org), again)) == dict.fromkeys("cd", ("delivered", None))
    assert len(org.records) == 4


def test_a_field_that_is_not_there_is_said(org: FakeSalesforce) -> None:
    destination = salesforce(org, columns=[*COLUMNS, "Nope__c"])
    job = destination.upsert([row("a", Nope__c="x")])
    outcomes = settle(destination, job, [row("z")])
    assert statuses(outcomes) == {"z": ("unknown", "INVALIDBATCH")}


@pytest.mark.parametrize(("end", "code"), [("abort", "JOB_ABORTED"), ("expire", "JOB_EXPIRED")])
def test_a_job_without_a_good_end_leaves_its_rows_unknown(
    org: FakeSalesforce, end: str, code: str
) -> None:
    destination, rows = salesforce(org), [row("a"), row("b")]
    job = destination.upsert(rows)
    getattr(org, end)(job.job_id)
    outcomes = settle(destination, job, rows)
    assert statuses(outcomes) == dict.fromkeys("ab", ("unknown", code))


def test_nothing_of_a_person_is_logged_or_kept(
    org: FakeSalesforce, caplog: pytest.LogCaptureFixture
) -> None:
    """Salesforce's errors quote people."""
    org.refusing = {"a": "a@example.com is no good", "b": "FIELD_INTEGRITY_EXCEPTION:b@example.com"}
    org.faults.append(Fault(503))
    with caplog.at_level(logging.DEBUG, logger="orchestration"):
        outcomes = deliver(salesforce(org), [row(key) for key in "abc"])
        deliver(salesforce(org, mode="mirror"), [leaver("c", "erasure")])
    assert "trying again" in caplog.text
    assert outcomes["a"].error_code == "UNSPECIFIED"
    assert not re.search("example.com|secret|token", caplog.text + repr(outcomes))


def test_a_job_that_is_stuck_goes_on(org: FakeSalesforce) -> None:
    org.is_stuck = True
    destination, rows = salesforce(org), [row("a")]
    job = destination.upsert(rows)
    assert [destination.poll(job.job_id, rows) for _ in range(5)] == [None] * 5


def test_a_job_is_resumed_by_another_run_without_values(org: FakeSalesforce) -> None:
    org.refusing = {"b": "STRING_TOO_LONG:First Name: too large:FirstName--"}
    job = salesforce(org).upsert([row(key) for key in "abc"])
    bare = [Row(key, "upsert", "resumed", row_hash="h") for key in "abc"]
    assert statuses(settle(salesforce(org), Job(job.job_id), bare)) == {
        "a": ("delivered", None),
        "b": ("rejected", "STRING_TOO_LONG"),
        "c": ("delivered", None),
    }
    assert org.states() == {"JobComplete": 1}


def test_nulls_are_skipped_or_empty_the_field(org: FakeSalesforce) -> None:
    deliver(salesforce(org), [row("a", FirstName="Ana", CDP_Segment__c="champions")])
    gone = row("a", FirstName=None, CDP_Segment__c=None)
    deliver(salesforce(org, clear_nulls=["FirstName"]), [gone])
    assert "FirstName" not in org.of("a")
    assert org.of("a")["CDP_Segment__c"] == "champions"


def test_a_value_that_looks_like_the_sign_for_null_is_none(org: FakeSalesforce) -> None:
    deliver(salesforce(org), [row("a", FirstName="Ana")])
    deliver(salesforce(org), [row("a", FirstName="#N/A")])
    assert org.of("a")["FirstName"] == "Ana"


@pytest.mark.parametrize(
    "text", ['"', '""', ",", "a\nb", "a\r\nb", "\r", " padded ", "'", "\\", "\x00", "😀", "=1+1"]
)
def test_every_text_arrives_as_it_is(org: FakeSalesforce, text: str) -> None:
    deliver(salesforce(org), [row("a", FirstName=text)])
    assert org.of("a")["FirstName"] == text


def test_texts_beyond_salesforces_limits_stay_out(org: FakeSalesforce) -> None:
    columns = [*COLUMNS, *(f"F{number}__c" for number in range(13))]
    wide = {f"F{number}__c": "x" * 31_000 for number in range(13)}
    rows = [row("a", FirstName="x" * 32_000), row("b", FirstName="x" * 32_001), row("c", **wide)]
    outcomes = deliver(salesforce(org, columns=columns), rows)
    assert outcomes["b"].error_code == "FIELD_TOO_LONG"
    assert outcomes["c"].error_code == "RECORD_TOO_LONG"
    [job] = org.jobs.values()
    assert len(job.rows) == 1


def test_ten_thousand_rows_are_one_job(org: FakeSalesforce) -> None:
    destination = salesforce(org)
    rows = [row(f"c{number}") for number in range(10_000)]
    assert destination.limits.batch_rows == len(rows)
    job = destination.upsert(rows)
    assert len(org.jobs[job.job_id].rows) == 10_000
    destination.upsert([*rows, row("one more")])
    assert org.contract_violations == ["10001 rows in a job"]
    org.contract_violations.clear()


def test_weights_are_the_bytes_of_the_upload(org: FakeSalesforce) -> None:
    uploads = []
    keep = org._upload

    def listen(request: Any, job_id: str) -> Any:
        uploads.append(len(request.body))
        return keep(request, job_id)

    org._upload = listen
    destination = salesforce(org)
    rows = [row(f"c{n}", FirstName='é😀"' * n, CDP_Segment__c=None) for n in range(200)]
    weights = sum(map(destination.weight, rows))
    destination.upsert(rows)
    # An update would carry 19 more of each row.
    assert uploads[0] == weights - 19 * len(rows) + len(csv_line(COLUMNS))
    assert destination.limits.batch_bytes <= 100_000_000 - len(csv_line(COLUMNS))


def test_an_upload_of_more_than_a_hundred_megabytes_is_refused(org: FakeSalesforce) -> None:
    org.max_body_bytes = 5_000
    with pytest.raises(Refused) as caught:
        salesforce(org).upsert([row(f"c{number}") for number in range(200)])
    assert caught.value.code == "HTTP_413"
    assert org.states() == {"Aborted": 1}
    assert org.records == {}


# -- lost answers and refusals


@pytest.mark.parametrize(
    "path", ["/jobs/ingest", "/batches", "/oauth2/token"], ids=["create", "upload", "token"]
)
@pytest.mark.parametrize("mode", ["upsert", "create_only"])
def test_a_lost_answer_makes_one_record(org: FakeSalesforce, path: str, mode: str) -> None:
    org.faults.append(Fault(hangs_up=True, applies=True, path=path))
    outcomes = deliver(salesforce(org, mode=mode), [row("a")])
    assert statuses(outcomes) == {"a": ("delivered", None)}
    assert len(org.records) == 1


def test_an_upload_whose_answer_is_lost_is_aborted(org: FakeSalesforce) -> None:
    """Sent twice into one job it could double the rows."""
    org.faults.append(Fault(hangs_up=True, applies=True, path="/batches"))
    deliver(salesforce(org), [row("a")])
    assert org.states() == {"Aborted": 1, "JobComplete": 1}


def test_a_job_whose_closing_has_no_answer_tells_itself(org: FakeSalesforce) -> None:
    for applies, expected in ((True, ("delivered", None)), (False, ("unknown", "JOB_NOT_CLOSED"))):
        destination, rows = salesforce(org), [row("a")]
        start = destination._api._set_state

        def close(job_id: str, state: str, go: Any = start, applies: bool = applies) -> None:
            org.faults += [Fault(503, applies=applies, path=job_id)] * 2
            go(job_id, state)

        destination._api._set_state = close
        assert statuses(deliver(destination, rows)) == {"a": expected}


def test_uploads_that_stay_unanswered_leave_the_batch_in_doubt(org: FakeSalesforce) -> None:
    org.faults += [Fault(hangs_up=True, applies=True, path="/batches")] * 3
    with pytest.raises(Unanswered):
        salesforce(org).upsert([row("a")])
    assert org.states() == {"Aborted": 3}


@pytest.mark.parametrize(
    "body", [b"<html>", b'"sf__Id"\n"1","2"\n', b'"sf__Id,', b"\xff\xfe"], ids=str
)
def test_results_of_strange_shape_are_no_answer(org: FakeSalesforce, body: bytes) -> None:
    destination, rows = salesforce(org), [row("a")]
    job = destination.upsert(rows)
    assert destination.poll(job.job_id, rows) is None
    org.faults.append(Fault(200, body=body, path="successfulResults"))
    try:
        outcomes = destination.poll(job.job_id, rows)
    except Unanswered:
        return
    assert [outcome.status for outcome in outcomes] == ["unknown"]


def test_results_that_are_gone_leave_rows_unknown(org: FakeSalesforce) -> None:
    """Asking again would never end."""
    destination, rows = salesforce(org), [row("a")]
    job = destination.upsert(rows)
    org.faults.append(Fault(404, path="successfulResults"))
    assert statuses(settle(destination, job, rows)) == {"a": ("unknown", "HTTP_404")}


def test_a_token_that_ran_out_is_renewed_once(org: FakeSalesforce) -> None:
    destination = salesforce(org)
    deliver(destination, [row("a")])
    org.tokens.append("another session's")
    org.tokens.append("taken over")
    deliver(destination, [row("b")])
    assert len(org.records) == 2
    org.tokens.append("and again")
    with pytest.raises(Stopped) as caught:
        destination.upsert([row("c")])
    assert caught.value.code == "HTTP_401"


def test_a_secret_that_is_refused_stops(org: FakeSalesforce) -> None:
    destination = salesforce(org, secret="canary")
    with pytest.raises(Stopped) as caught:
        destination.upsert([row("a")])
    assert caught.value.code == "TOKEN_REFUSED"
    assert "canary" not in repr(vars(destination)) + repr(caught.value)


def test_permission_that_is_missing_stops(org: FakeSalesforce) -> None:
    org.faults.append(Fault(403, path="/jobs/ingest"))
    with pytest.raises(Stopped):
        salesforce(org).upsert([row("a")])


def test_a_job_that_may_not_be_stops_instead_of_being_halved(org: FakeSalesforce) -> None:
    with pytest.raises(Stopped) as caught:
        salesforce(org, object="Lead").upsert([row("a"), row("b")])
    assert caught.value.code == "INVALIDENTITY"
