"""Google: requests that go on, end badly or are refused; credentials."""

from decimal import Decimal

import pytest

from orchestration.destinations._google_end import match_rate
from orchestration.destinations.base import (
    Job,
    Matched,
    Outcome,
    Refused,
    Row,
    Stopped,
    Unanswered,
)
from orchestration.destinations.google import Google
from tests.destinations.google.case import (
    DELIVERED,
    OPTIONS,
    audience,
    changed,
    email,
    leaver,
    remove,
    row,
    sha,
    spec,
    upsert,
)
from tests.fakes.google import FakeGoogle, Verdict, contract
from tests.fakes.server import Fault
from tests.fixtures.environment import environment

# With the prefix that Google puts before it, too long for a code.
LONG = "DESTINATION_ACCOUNT_ENHANCED_CONVERSIONS_TERMS_NOT_SIGNED"


def test_work_goes_on_until_a_poll_sees_its_end(ads: FakeGoogle) -> None:
    ads.polls = 2
    destination = audience(ads)
    rows = [row("a"), row("b", email_address="none")]
    job = destination.upsert(rows)
    assert isinstance(job, Job)
    assert job.settled == (Outcome.rejected("b", "NO_IDENTIFIER"),)
    # By another process, which knows keys only.
    later = [Row("a", "upsert", "new")]
    assert [audience(ads).poll(job.job_id, later) for _ in range(2)] == [None, None]
    polled = audience(ads).poll(job.job_id, later)
    assert polled == [Outcome.delivered("a")]
    assert polled.matched == (Matched("upsert", 1, 0, 1, Decimal("0.51"), Decimal("0.61")),)


@pytest.mark.parametrize(
    ("verdict", "outcome", "invalid"),
    [
        (Verdict("FAILED", {"DENIED_CONSENT": 2}), ("rejected", "DENIED_CONSENT"), 2),
        (Verdict("FAILED", {"INTERNAL_ERROR": 2}), ("unknown", "INTERNAL_ERROR"), 2),
        (Verdict("FAILED", {LONG: 2}), ("rejected", LONG), 2),
        (Verdict("FAILED"), ("rejected", "FAILED"), 2),
        (
            Verdict("PARTIAL_SUCCESS", {"NO_CONSENT": 1, "INTERNAL_ERROR": 2}),
            ("unknown", "INTERNAL_ERROR"),
            2,
        ),
        (Verdict("PARTIAL_SUCCESS", {"NO_CONSENT": 1}), ("unknown", "NO_CONSENT"), 1),
        (Verdict("PARTIAL_SUCCESS"), ("unknown", "PARTIAL_SUCCESS"), None),
    ],
    ids=[
        "refused",
        "broken",
        "for a long reason",
        "without a reason",
        "in part, one for two reasons",
        "in part by consent",
        "in part without a reason",
    ],
)
def test_an_end_without_rows_says_no_more_than_it_knows(
    ads: FakeGoogle, verdict: Verdict, outcome: tuple[str, str], invalid: int | None
) -> None:
    ads.verdicts.append(verdict)
    destination = audience(ads)
    rows = [row("a"), row("b")]
    job = destination.upsert(rows)
    polled = destination.poll(job.job_id, rows)
    assert {(given.status, given.error_code) for given in polled} == {outcome}
    [said] = polled.matched
    assert (said.records_received, said.records_invalid) == (2, invalid)


def test_uploads_and_removals_are_counted_apart(ads: FakeGoogle) -> None:
    destination = audience(ads)
    now = changed(row("a"), f"email:{sha('old')}", f"phone:{sha('older')}")
    job = destination.upsert([now, row("b")])
    assert destination.poll(job.job_id, [now, row("b")]).matched == (
        Matched("remove", 1, 0, 2),
        Matched("upsert", 2, 0, 2, Decimal("0.51"), Decimal("0.61")),
    )


def test_the_ranges_of_the_contract_cover_every_share_once() -> None:
    messages = contract()
    if messages is None:
        pytest.skip("google-ads-datamanager is not installed")
    ranges = {given.name: match_rate(given.name) for given in messages.MatchRateRange}
    unknown = {f"MATCH_RATE_RANGE_{name}" for name in ("UNKNOWN", "NOT_ELIGIBLE")}
    assert {name for name, ends in ranges.items() if ends == (None, None)} == unknown
    told = sorted(ends for name, ends in ranges.items() if name not in unknown)
    assert (told[0][0], told[-1][1]) == (0, 1)
    assert [low for low, _ in told[1:]] == [high for _, high in told[:-1]]
    assert match_rate("MATCH_RATE_RANGE_20_TO_30") == (Decimal("0.20"), Decimal("0.31"))


def test_a_failed_removal_beside_a_good_upload_is_in_doubt(ads: FakeGoogle) -> None:
    ads.verdicts += [Verdict("FAILED", {"INVALID_FORMAT": 1}), Verdict()]
    now = changed(row("a"), f"email:{sha('old')}")
    assert upsert(audience(ads), [now]) == {"a": ("unknown", "INVALID_FORMAT")}


def test_a_good_removal_beside_a_failed_upload_is_a_refusal(ads: FakeGoogle) -> None:
    ads.verdicts += [Verdict(), Verdict("FAILED", {"DENIED_CONSENT": 1})]
    now = changed(row("a"), f"email:{sha('old')}")
    assert upsert(audience(ads), [now]) == {"a": ("rejected", "DENIED_CONSENT")}


def test_a_forgotten_request_leaves_its_rows_unknown(ads: FakeGoogle) -> None:
    destination = audience(ads)
    job = destination.upsert([row("a")])
    ads.forgotten.add(job.job_id.partition(":")[2])
    forgotten = destination.poll(job.job_id, [row("a")])
    assert (forgotten, forgotten.matched) == ([Outcome.unknown("a", "FORGOTTEN")], ())
    assert destination.poll("ingest:never", [row("a")]) == [Outcome.unknown("a", "FORGOTTEN")]


def test_members_refused_by_name_are_left_out_and_the_others_sent(ads: FakeGoogle) -> None:
    ads.poison |= {sha("b@example.com"), sha("d@example.com")}
    rows = [row(key) for key in "abcd"]
    assert upsert(audience(ads), rows) == {
        "a": DELIVERED,
        "b": ("rejected", "INVALID_SHA256_FORMAT"),
        "c": DELIVERED,
        "d": ("rejected", "INVALID_SHA256_FORMAT"),
    }
    assert ads.audience == {email("a"), email("c")}
    assert ads.requests("ingest") == 2


def test_a_request_refused_as_a_whole_is_said_so(ads: FakeGoogle) -> None:
    ads.refusals.append("INVALID_AUDIENCE_MEMBER")
    with pytest.raises(Refused) as caught:
        audience(ads).upsert([row("a"), row("b")])
    assert caught.value.code == "INVALID_AUDIENCE_MEMBER"
    assert ads.audience == set()


@pytest.mark.parametrize("reason", ["TERMS_AND_CONDITIONS_NOT_SIGNED", "INVALID_USER_LIST_ID"])
def test_what_is_wrong_with_the_account_stops_the_run(ads: FakeGoogle, reason: str) -> None:
    ads.refusals.append(reason)
    with pytest.raises(Stopped) as caught:
        audience(ads).upsert([row("a"), row("b")])
    assert (caught.value.code, caught.value.error_class) == (reason, "systemic")


def test_a_failure_of_the_moment_leaves_rows_in_doubt(ads: FakeGoogle) -> None:
    ads.refusals.append("INTERNAL_ERROR")
    with pytest.raises(Unanswered):
        audience(ads).upsert([row("a")])
    ads.faults += [Fault(429), Fault(503)]
    with pytest.raises(Unanswered):
        audience(ads).upsert([row("a")])


@pytest.mark.parametrize(
    ("options", "code"), [({"account_id": "1"}, "HTTP_403"), ({"audience_id": "1"}, None)]
)
def test_no_permission_stops_the_run(
    ads: FakeGoogle, options: dict[str, str], code: str | None
) -> None:
    with pytest.raises(Stopped) as caught:
        audience(ads, **options).upsert([row("a")])
    assert caught.value.code == (code or "INVALID_USER_LIST_ID")


@pytest.mark.parametrize(
    "body", [b"[]", b'"x"', b"{}", b'{"requestId": "a b"}', b'{"requestId": 7}', b"<html>"]
)
def test_an_answer_of_strange_shape_is_no_success(ads: FakeGoogle, body: bytes) -> None:
    ads.faults += [Fault(200, body=body, applies=True), Fault(200, body=body, applies=True)]
    with pytest.raises(Unanswered):
        audience(ads).upsert([row("a")])


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"{}",
        b'{"requestStatusPerDestination": [1]}',
        b'{"requestStatusPerDestination": 1}',
        b'{"requestStatusPerDestination": [{"requestStatus": null}]}',
        b'{"requestStatusPerDestination": [{"requestStatus": "FAILED", "errorInfo": 1, '
        b'"audienceMembersIngestionStatus": "x"}]}',
    ],
)
def test_a_status_of_strange_shape_is_no_end(ads: FakeGoogle, body: bytes) -> None:
    destination = audience(ads)
    job = destination.upsert([row("a")])
    ads.faults.append(Fault(200, body=body, path="requestStatus"))
    polled = destination.poll(job.job_id, [row("a")])
    assert polled is None or {outcome.status for outcome in polled} <= {"unknown", "rejected"}


def test_validating_only_delivers_nothing(ads: FakeGoogle) -> None:
    destination = audience(ads, validate_only="true")
    rows = [row("a"), row("b", ad_user_data="denied")]
    assert upsert(destination, rows) == {
        "a": ("unknown", "VALIDATED_ONLY"),
        "b": ("rejected", "CONSENT_MISSING"),
    }
    gone = leaver("a", f"email:{sha('a@example.com')}")
    assert remove(destination, [gone]) == {"a": ("unknown", "VALIDATED_ONLY")}
    assert (ads.audience, ads.validated) == (set(), 2)


def test_tokens_are_fetched_once_and_renewed_after_a_401(ads: FakeGoogle) -> None:
    values = {f"GOOGLE_{name.upper()}": value for name, value in ads.client.items()}
    urls = {"GOOGLE_TOKEN_URL": f"{ads.url}/token", "GOOGLE_DATAMANAGER_URL": ads.url}
    with environment(values | urls):
        destination = Google.from_environment(spec(options=OPTIONS))
        for key in "ab":
            assert upsert(destination, [row(key)]) == {key: DELIVERED}
        assert len(ads.tokens) == 2  # the fixture's and ours
        ads.tokens.append("ours has expired")
        assert upsert(destination, [row("c")]) == {"c": DELIVERED}
        assert len(ads.tokens) == 4
    assert len(ads.audience) == 3


def test_a_refused_refresh_token_stops_the_run(ads: FakeGoogle) -> None:
    values = {f"GOOGLE_{name.upper()}": value for name, value in ads.client.items()}
    values |= {"GOOGLE_TOKEN_URL": f"{ads.url}/token", "GOOGLE_DATAMANAGER_URL": ads.url}
    with environment(values | {"GOOGLE_REFRESH_TOKEN": "revoked"}):
        destination = Google.from_environment(spec(options=OPTIONS))
    with pytest.raises(Stopped) as caught:
        destination.upsert([row("a")])
    assert (caught.value.code, caught.value.error_class) == ("TOKEN_REFUSED", "auth")


def test_a_missing_variable_is_named() -> None:
    with environment({"GOOGLE_CLIENT_ID": "id"}), pytest.raises(LookupError, match="SECRET"):
        Google.from_environment(spec())
