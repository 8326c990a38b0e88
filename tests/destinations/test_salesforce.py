"""Salesforce's dialect: jobs, their three kinds of results, and what each mode leaves behind."""

import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration.destinations._salesforce import SalesforceApi, csv_line, read_csv, token
from orchestration.destinations.base import (
    Job,
    Limits,
    Outcome,
    Refused,
    Row,
    Stopped,
    Unanswered,
)
from orchestration.destinations.salesforce import Salesforce
from orchestration.sync.http import HttpClient, Policy
from orchestration.sync.spec import SyncSpec
from tests.fakes.salesforce import KEY, FakeSalesforce
from tests.fakes.server import Fault

COLUMNS = [KEY, "LastName", "FirstName", "Email", "CDP_Segment__c"]
LIMITS = Limits(10_000, ((1000, 1),))


@pytest.fixture
def org() -> Iterator[FakeSalesforce]:
    with FakeSalesforce() as fake:
        yield fake
        assert fake.contract_violations == []


def salesforce(fake: FakeSalesforce, secret: str = "secret", **settings: Any) -> Salesforce:
    declared = {
        "sync_name": "sync_salesforce__contacts",
        "destination": "salesforce",
        "object": "Contact",
        "mode": "upsert",
        "key": KEY,
        "purpose": "marketing",
        "channel": "email",
        "identity_tier": "exact",
        "columns": COLUMNS,
    }
    spec = SyncSpec(**(declared | settings))
    Salesforce.check(spec)
    policy = Policy(tries=2, first_wait=0, max_wait=0)
    auth = token(fake.url, "client", secret, LIMITS)
    return Salesforce(spec, SalesforceApi(HttpClient(fake.url, auth, LIMITS, policy)))


def row(key: str, **values: str | None) -> Row:
    mapped = {KEY: key, "LastName": f"Name of {key}", "Email": f"{key}@example.com"}
    return Row(key, "upsert", "new", mapped | values)


def leaver(key: str, reason: str = "left") -> Row:
    return Row(key, "remove", reason)


def settle(
    destination: Salesforce, answer: list[Outcome] | Job, rows: list[Row]
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


def deliver(destination: Salesforce, rows: list[Row]) -> dict[str, Outcome]:
    act = destination.remove if rows[0].action == "remove" else destination.upsert
    return settle(destination, act(rows), rows)


def statuses(outcomes: dict[str, Outcome]) -> dict[str, tuple[str, str | None]]:
    return {key: (outcome.status, outcome.error_code) for key, outcome in outcomes.items()}


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


# -- modes


def test_update_only_touches_who_is_there(org: FakeSalesforce) -> None:
    org.add(**{KEY: "a", "LastName": "Old"})
    by_email = org.add(LastName="Old", Email="B@example.com")
    org.add(LastName="Twin", Email="c@example.com")
    org.add(LastName="Twin", Email="c@example.com")
    org.add(**{KEY: "other", "LastName": "Old", "Email": "d@example.com"})
    rows = [row(key) for key in "abcde"]
    outcomes = deliver(salesforce(org, mode="update_only", match_on="Email"), rows)
    assert statuses(outcomes) == {
        "a": ("delivered", None),
        "b": ("delivered", None),
        "c": ("rejected", "SEVERAL_RECORDS"),
        "d": ("rejected", "RECORD_OF_ANOTHER_KEY"),
        "e": ("rejected", "NOT_THERE"),
    }
    assert outcomes["b"].remote_id == by_email
    assert org.of("b")["LastName"] == "Name of b"
    assert len(org.records) == 5


def test_update_only_by_the_key_alone(org: FakeSalesforce) -> None:
    org.add(**{KEY: "a", "LastName": "Old"})
    outcomes = deliver(salesforce(org, mode="update_only"), [row("a"), row("b")])
    assert statuses(outcomes) == {"a": ("delivered", None), "b": ("rejected", "NOT_THERE")}


def test_create_only_takes_a_record_that_is_there_for_delivered(org: FakeSalesforce) -> None:
    org.add(**{KEY: "a", "LastName": "Old"})
    org.refusing = {"c": "DUPLICATE_VALUE:duplicate value found: Email duplicates value on r:--"}
    outcomes = deliver(salesforce(org, mode="create_only"), [row(key) for key in "abc"])
    assert statuses(outcomes) == {
        "a": ("delivered", None),
        "b": ("delivered", None),
        "c": ("rejected", "DUPLICATE_VALUE"),
    }
    assert org.of("a")["LastName"] == "Old"


def test_a_key_that_is_taken_is_no_success_of_an_upsert(org: FakeSalesforce) -> None:
    """Another job made the record in between: our values are not there."""
    org.refusing = {"a": f"DUPLICATE_VALUE:duplicate value found: {KEY} duplicates value on r:--"}
    outcomes = deliver(salesforce(org), [row("a")])
    assert statuses(outcomes) == {"a": ("rejected", "DUPLICATE_VALUE")}


def test_leaving_by_mode(org: FakeSalesforce) -> None:
    for mode in ("audience", "mirror", "upsert", "delete"):
        org.add(**{KEY: mode, "LastName": "x", "CDP_Segment__c": "champions"})
        on_leave = {"CDP_Segment__c": ""} if mode in ("audience", "upsert") else {}
        destination = salesforce(org, mode=mode, on_leave=on_leave)
        assert statuses(deliver(destination, [leaver(mode)])) == {mode: ("delivered", None)}
    assert org.of("audience") == {KEY: "audience", "LastName": "x"}
    assert org.of("upsert") == {KEY: "upsert", "LastName": "x"}
    assert org.of("mirror") is None
    assert org.of("delete") is None
    assert len(org.bin) == 2


def test_leaving_means_nothing_where_nothing_is_said(org: FakeSalesforce) -> None:
    org.add(**{KEY: "a", "LastName": "x"})
    outcomes = salesforce(org).remove([leaver("a"), leaver("b", "erasure")])
    assert {outcome.status for outcome in outcomes} == {"delivered"}
    assert org.jobs == {}


@pytest.mark.parametrize("mode", ["audience", "mirror"])
@pytest.mark.parametrize("hard", ["true", "false"])
def test_erasures_among_others(org: FakeSalesforce, mode: str, hard: str) -> None:
    for key in "abc":
        org.add(**{KEY: key, "LastName": "x", "CDP_Segment__c": "champions"})
    on_leave = {"CDP_Segment__c": ""} if mode == "audience" else {}
    options = {"hard_delete": hard}
    destination = salesforce(org, mode=mode, on_leave=on_leave, options=options)
    org.locked = {"c"}
    rows = [leaver("a", "erasure"), leaver("b"), leaver("c"), leaver("d", "erasure")]
    job = destination.remove(rows)
    bare = [Row(key, "remove", "resumed") for key in "abc"]
    outcomes = settle(salesforce(org, mode=mode, on_leave=on_leave), Job(job.job_id), bare)
    assert statuses(outcomes) == {
        "a": ("delivered", None),
        "b": ("delivered", None),
        "c": ("unknown", "UNABLE_TO_LOCK_ROW"),
    }
    assert org.of("a") is None
    assert org.of("c")["CDP_Segment__c"] == "champions"
    in_bin = {("mirror", "true"): 1, ("mirror", "false"): 2, ("audience", "false"): 1}
    assert len(org.bin) == in_bin.get((mode, hard), 0)


def test_erasure_may_be_left_to_others(org: FakeSalesforce) -> None:
    org.add(**{KEY: "a", "LastName": "x", "CDP_Segment__c": "champions"})
    destination = salesforce(
        org, mode="audience", on_leave={"CDP_Segment__c": ""}, on_erasure="leave"
    )
    deliver(destination, [leaver("a", "erasure")])
    assert org.of("a") == {KEY: "a", "LastName": "x"}


def test_a_deletion_that_was_refused_is_said(org: FakeSalesforce) -> None:
    org.add(**{KEY: "a", "LastName": "x"})
    org.refusing = {"a": "DELETE_FAILED:Your attempt to delete failed: case 1:--"}
    outcomes = deliver(salesforce(org, mode="mirror"), [leaver("a")])
    assert statuses(outcomes) == {"a": ("rejected", "DELETE_FAILED")}


def test_a_deletion_job_that_failed_is_repeated_for_who_is_still_there(
    org: FakeSalesforce,
) -> None:
    for key in "ab":
        org.add(**{KEY: key, "LastName": "x"})
    org.fails_after = 1
    rows = [leaver("a"), leaver("b")]
    outcomes = deliver(salesforce(org, mode="mirror"), rows)
    assert sorted(o.status for o in outcomes.values()) == ["delivered", "unknown"]


@pytest.mark.parametrize("reason", ["left", "consent", "erasure", "listed"])
@pytest.mark.parametrize("mode", ["audience", "mirror", "delete"])
def test_taking_away_who_is_not_there_is_no_error(
    org: FakeSalesforce, mode: str, reason: str
) -> None:
    on_leave = {"CDP_Segment__c": ""} if mode == "audience" else {}
    outcomes = salesforce(org, mode=mode, on_leave=on_leave).remove([leaver("a", reason)])
    assert [outcome.status for outcome in outcomes] == ["delivered"]
    assert org.jobs == {}


def test_keys_are_looked_up_two_hundred_at_a_time(org: FakeSalesforce) -> None:
    salesforce(org, mode="mirror").remove([leaver(f"c{number}") for number in range(401)])
    assert sum(call.path.endswith("/query") for call in org.calls) == 3


def test_long_keys_are_looked_up_in_fewer(org: FakeSalesforce) -> None:
    salesforce(org, mode="mirror").remove([leaver(f"{number:0>255}") for number in range(30)])
    assert sum(call.path.endswith("/query") for call in org.calls) == 2


@pytest.mark.parametrize("key", ["o'brien", "\\", "') OR Id != ('", "a\nb", "Ünï"])
def test_a_key_of_any_text_is_looked_up(org: FakeSalesforce, key: str) -> None:
    org.add(**{KEY: key, "LastName": "x"})
    org.add(**{KEY: "other", "LastName": "x"})
    deliver(salesforce(org, mode="mirror"), [leaver(key)])
    assert [record[KEY] for record in org.records.values()] == ["other"]


def test_what_is_held_can_be_read_back(org: FakeSalesforce) -> None:
    destination, rows = salesforce(org), [row("a", FirstName="Ana")]
    deliver(destination, rows)
    held = destination.read([*rows, row("b")])
    assert held == {"a": rows[0].values | {"CDP_Segment__c": None}}
    org.of("a")["CDP_Segment__c"] = True
    assert destination.read(rows)["a"]["CDP_Segment__c"] == "true"


# -- declarations and texts


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"mode": "append"}, "append"),
        ({"mode": "archive", "object": "Visit__c"}, "archive"),
        ({"object": "contacts"}, "contacts"),
        ({"object": "Visit__c; DROP"}, "Visit__c"),
        ({"columns": [*COLUMNS, "first name"]}, "first name"),
        ({"columns": [*COLUMNS, "Id"]}, "Id"),
        ({"columns": [*COLUMNS, "Account.Key__c"]}, "Account.Key__c"),
        ({"match_on": "Email"}, "match_on"),
        ({"mode": "audience"}, "on_leave"),
        ({"clear_nulls": [KEY]}, KEY),
        ({"options": {"hard": "true"}}, "hard"),
    ],
)
def test_what_salesforce_cannot_do_is_refused_before_any_call(
    org: FakeSalesforce, wrong: dict[str, Any], word: str
) -> None:
    with pytest.raises(ValueError, match=word):
        salesforce(org, **wrong)


def test_objects_of_ones_own_are_as_good(org: FakeSalesforce) -> None:
    org.sobject = "Visit__c"
    outcomes = deliver(salesforce(org, object="Visit__c"), [row("a")])
    assert statuses(outcomes) == {"a": ("delivered", None)}


def test_the_organisation_comes_from_the_environment(
    org: FakeSalesforce, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = salesforce(org)._spec
    names = {"INSTANCE_URL": org.url, "CLIENT_ID": "client", "CLIENT_SECRET": "secret"}
    for name, value in names.items():
        monkeypatch.delenv(f"SALESFORCE_{name}", raising=False)
        with pytest.raises(LookupError, match=f"SALESFORCE_{name}"):
            Salesforce.from_environment(spec)
        monkeypatch.setenv(f"SALESFORCE_{name}", value)
    destination = Salesforce.from_environment(spec)
    assert statuses(deliver(destination, [row("a")])) == {"a": ("delivered", None)}
    assert destination.calls == len(org.calls) - 1  # the token's is nobody's


@given(cells=st.lists(st.text(), min_size=2, max_size=4))
def test_what_is_written_is_read(cells: list[str]) -> None:
    names = [f"n{number}" for number in range(len(cells))]
    [read] = read_csv(csv_line(names) + csv_line(cells))
    assert list(read.values()) == cells


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    rows=st.dictionaries(
        st.text(min_size=1, max_size=40).filter(lambda key: key != "#N/A"),
        st.fixed_dictionaries(
            {name: st.none() | st.text(max_size=50) for name in COLUMNS[1:]}
            | {"FirstName": st.just("'\"\x00😀" * 2500) | st.none()}
        ),
        min_size=1,
        max_size=5,
    ),
    clears=st.sets(st.sampled_from(COLUMNS[1:])),
)
def test_no_text_breaks_the_contract(
    org: FakeSalesforce, rows: dict[str, dict], clears: set[str]
) -> None:
    destination = salesforce(org, clear_nulls=sorted(clears))
    sent = [Row(key, "upsert", "new", {KEY: key} | values) for key, values in rows.items()]
    outcomes = deliver(destination, sent)
    named = {key for key, values in rows.items() if values["LastName"] not in (None, "", "#N/A")}
    delivered = {key for key, outcome in outcomes.items() if outcome.status == "delivered"}
    assert named <= delivered
    deliver(salesforce(org, mode="mirror"), [leaver(key) for key in rows])
    assert org.contract_violations == []
