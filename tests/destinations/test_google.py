"""Google's dialect: who is uploaded, who is taken out, how ends of requests are read."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration.destinations import destination_class, google
from orchestration.destinations.base import Job, Limits, Outcome, Refused, Row, Stopped, Unanswered
from orchestration.destinations.google import CONSENTS, Google
from orchestration.sync.http import BearerToken, HttpClient, Policy
from orchestration.sync.spec import SyncSpec
from tests.conftest import environment
from tests.fakes.google import FakeGoogle, Verdict, contract
from tests.fakes.server import Fault

COLUMNS = [
    "customer_id",
    "email_address",
    "phone_number",
    "given_name",
    "family_name",
    "region_code",
    "postal_code",
    *CONSENTS,
]
OPTIONS = {"account_id": FakeGoogle.account_id, "audience_id": FakeGoogle.audience_id}


@pytest.fixture
def ads() -> Iterator[FakeGoogle]:
    with FakeGoogle() as account:
        account.tokens.append("token")
        yield account
        assert account.contract_violations == []


def spec(**changes: Any) -> SyncSpec:
    return SyncSpec(
        **{
            "sync_name": "sync_google__audience",
            "destination": "google",
            "object": "audience",
            "mode": "audience",
            "key": "customer_id",
            "purpose": ["ads_user_data", "ads_personalisation"],
            "channel": "ads",
            "identity_tier": "exact",
            "options": OPTIONS,
            "columns": COLUMNS,
        }
        | changes
    )


def audience(ads: FakeGoogle, **options: str) -> Google:
    policy = Policy(tries=2, first_wait=0, max_wait=0)
    http = HttpClient(ads.url, BearerToken("token"), Limits(1, ((10_000, 1),)), policy)
    return Google(spec(options=OPTIONS | options), http)


def row(key: str, **values: str | None) -> Row:
    granted = dict.fromkeys(CONSENTS, "granted")
    mapped = {"customer_id": key, "email_address": f"{key}@example.com"} | granted
    return Row(key, "upsert", "new", mapped | values)


def changed(given: Row, *sent: str, **values: str | None) -> Row:
    return Row(
        given.key, "upsert", "changed", dict(given.values) | values, sent_identifiers=tuple(sent)
    )


def leaver(key: str, *sent: str, reason: str = "left") -> Row:
    return Row(key, "remove", reason, sent_identifiers=tuple(sent))


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def email(key: str) -> str:
    """As the fake holds it."""
    return f"emailAddress:{sha(f'{key}@example.com')}"


def settle(destination: Google, rows: list[Row], given: Any) -> dict[str, tuple[str, str | None]]:
    """Status and code by row once the work is done."""
    outcomes: list[Outcome] = list(given.settled) if isinstance(given, Job) else list(given)
    if isinstance(given, Job):
        done = {outcome.key for outcome in outcomes}
        rest = [Row(r.key, r.action, r.reason) for r in rows if r.key not in done]
        for _ in range(10):
            polled = destination.poll(given.job_id, rest)
            if polled is not None:
                break
        assert polled is not None
        outcomes += polled
    assert len({outcome.key for outcome in outcomes}) == len(outcomes)
    return {outcome.key: (outcome.status, outcome.error_code) for outcome in outcomes}


def upsert(destination: Google, rows: list[Row]) -> dict[str, tuple[str, str | None]]:
    return settle(destination, rows, destination.upsert(rows))


def remove(destination: Google, rows: list[Row]) -> dict[str, tuple[str, str | None]]:
    return settle(destination, rows, destination.remove(rows))


DELIVERED = ("delivered", None)


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
    assert set(settle(destination, [*leavers, many], given).values()) == {DELIVERED}
    assert ads.audience == {email("0")}


def test_a_repeated_upload_changes_nothing(ads: FakeGoogle) -> None:
    ads.faults.append(Fault(hangs_up=True, applies=True))
    assert upsert(audience(ads), [row("a")]) == {"a": DELIVERED}
    assert upsert(audience(ads), [row("a")]) == {"a": DELIVERED}
    assert ads.audience == {email("a")}
    assert ads.requests("ingest") == 3


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
    resumed = audience(ads)
    assert resumed.poll(job.job_id, later) == [Outcome.delivered("a")]
    [end] = resumed.ended
    assert (end.verb, end.records, end.identifiers) == ("ingest", 1, 1)
    assert end.match_rate == "MATCH_RATE_RANGE_51_TO_60"


@pytest.mark.parametrize(
    ("verdict", "outcome"),
    [
        (Verdict("FAILED", {"DENIED_CONSENT": 2}), ("rejected", "DENIED_CONSENT")),
        (Verdict("FAILED", {"INTERNAL_ERROR": 2}), ("unknown", "INTERNAL_ERROR")),
        (Verdict("FAILED"), ("rejected", "FAILED")),
        (
            Verdict("PARTIAL_SUCCESS", {"NO_CONSENT": 1, "INTERNAL_ERROR": 2}),
            ("unknown", "INTERNAL_ERROR"),
        ),
        (Verdict("PARTIAL_SUCCESS", {"NO_CONSENT": 1}), ("unknown", "NO_CONSENT")),
    ],
    ids=["refused", "broken", "without a reason", "in part", "in part by consent"],
)
def test_an_end_without_rows_says_no_more_than_it_knows(
    ads: FakeGoogle, verdict: Verdict, outcome: tuple[str, str]
) -> None:
    ads.verdicts.append(verdict)
    destination = audience(ads)
    rows = [row("a"), row("b")]
    assert upsert(destination, rows) == {"a": outcome, "b": outcome}
    assert destination.ended[0].errors == dict(verdict.errors)


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
    assert destination.poll(job.job_id, [row("a")]) == [Outcome.unknown("a", "FORGOTTEN")]
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


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"mode": "upsert"}, "cannot do mode"),
        ({"object": "contacts"}, "cannot do mode"),
        ({"purpose": "marketing"}, "purpose"),
        ({"purpose": "ads_user_data"}, "purpose"),
        ({"channel": "email"}, "purpose"),
        ({"columns": [c for c in COLUMNS if c != "ad_user_data"]}, "ad_user_data"),
        ({"columns": [c for c in COLUMNS if c != "ad_personalization"]}, "ad_personalization"),
        ({"columns": [*COLUMNS, "city"]}, "city"),
        ({"columns": ["customer_id", *CONSENTS]}, "identifies"),
        ({"columns": [c for c in COLUMNS if c != "postal_code"]}, "postal_code"),
        ({"columns": [*COLUMNS, *[f"email_address_{n}" for n in range(2, 10)]]}, "at most 10"),
        ({"options": {"account_id": "1"}}, "audience_id"),
        ({"options": OPTIONS | {"account_id": "123-456"}}, "account_id"),
        ({"options": OPTIONS | {"login_account_id": "x"}}, "login_account_id"),
        ({"options": OPTIONS | {"refresh_token": "x"}}, "refresh_token"),
        ({"options": OPTIONS | {"validate_only": "yes"}}, "validate_only"),
    ],
)
def test_a_sync_that_asks_too_much_is_refused(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Google.check(spec(**changes))


def test_a_sync_that_says_enough_is_taken() -> None:
    nine = [*COLUMNS, *[f"email_address_{n}" for n in range(2, 9)]]
    for changes in ({}, {"mode": "mirror"}, {"columns": nine}):
        Google.check(spec(**changes))
    Google.check(spec(options=OPTIONS | {"login_account_id": "1", "validate_only": "true"}))


TEXTS = st.one_of(
    st.none(),
    st.text(max_size=20),
    st.sampled_from(["a@example.com", "\x00@\x00.\x00", "+33612345678", "US", "granted", sha("a")]),
    st.text("é\U0001f600'\"", min_size=1, max_size=3).map(lambda text: (text * 10_000)[:10_000]),
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=st.lists(st.fixed_dictionaries(dict.fromkeys(COLUMNS[1:], TEXTS)), max_size=4))
def test_no_row_makes_a_request_that_google_does_not_take(
    ads: FakeGoogle, rows: list[dict[str, str | None]]
) -> None:
    granted = dict.fromkeys(CONSENTS, "granted")
    given_rows = [row(str(n), **values) for n, values in enumerate(rows)]
    given_rows += [row(f"yes{n}", **values | granted) for n, values in enumerate(rows)]
    destination = audience(ads)
    outcomes = upsert(destination, given_rows)
    assert set(outcomes) == {r.key for r in given_rows}
    assert ads.contract_violations == []
    sent = [leaver(r.key, *destination.identifiers(r)) for r in given_rows]
    assert set(remove(destination, sent).values()) <= {DELIVERED}
    assert (ads.contract_violations, ads.audience) == ([], set())


def test_nothing_personal_is_in_exceptions_or_logs(
    ads: FakeGoogle, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    ads.refusals.append("INVALID_AUDIENCE_MEMBER")
    destination = audience(ads)
    with pytest.raises(Refused) as caught:
        destination.upsert([row("canary")])
    upsert(destination, [row("canary")])
    seen = caplog.text + repr(caught.value) + repr(caught.value.__context__) + repr(row("canary"))
    assert "canary@" not in seen
    assert "dana@" not in seen
    assert sha("canary@example.com") not in seen


def test_google_itself_describes_what_the_fake_takes(ads: FakeGoogle) -> None:
    """The table of the fake against the vendor's messages, both ways."""
    messages = contract()
    if messages is None:
        pytest.skip("google-ads-datamanager is not installed")
    known = set(messages.ErrorReason.__members__)
    assert known >= google._SYSTEMIC | google._TRANSIENT
    assert "INVALID_SHA256_FORMAT" in known
    upload = audience(ads)._payload("ingest", [("a", (f"email:{sha('a')}",))])
    taken = messages.IngestAudienceMembersRequest.from_json(json.dumps(upload))
    assert taken.encoding == messages.Encoding.HEX
    assert taken.audience_members[0].consent.ad_user_data == messages.ConsentStatus.CONSENT_GRANTED
    removal = audience(ads)._payload("remove", [("a", (f"email:{sha('a')}",))])
    messages.RemoveAudienceMembersRequest.from_json(json.dumps(removal))
    with pytest.raises(Exception, match="no field"):
        messages.RemoveAudienceMembersRequest.from_json(json.dumps(upload))


# -- the fake is strict


def _post(ads: FakeGoogle, verb: str = "ingest", token: str = "token", **changes: Any) -> int:
    rows = changes.pop("rows", 1)
    body = audience(ads)._payload(verb, [("a", (f"email:{sha('a')}",))] * rows)
    member = changes.pop("member", None)
    if member is not None:
        body["audienceMembers"][0] |= member
    return requests.post(
        f"{ads.url}/v1/audienceMembers:{verb}",
        json={name: value for name, value in (body | changes).items() if value is not None},
        headers={"Authorization": f"Bearer {token}"},
        timeout=30,
    ).status_code


def test_the_fake_takes_ten_thousand_and_no_more() -> None:
    with FakeGoogle() as ads:
        ads.tokens.append("token")
        assert _post(ads, rows=10_000) == 200
        assert _post(ads, rows=10_001) == 400
        assert ads.contract_violations == ["members per request"]
        assert _post(ads, token="wrong") == 401


@pytest.mark.parametrize(
    "changes",
    [
        {"encoding": None},
        {"encoding": "BASE64"},
        {"destinations": []},
        {"audienceMembers": []},
        {"termsOfService": None},
        {"nonsense": True},
        {"validateOnly": "true"},
        {"verb": "remove", "termsOfService": {"customerMatchTermsOfServiceStatus": "ACCEPTED"}},
        {"member": {"consent": {"adUserData": "CONSENT_GRANTED"}}},
        {"member": {"consent": {"adUserData": "CONSENT_GRANTED", "adPersonalization": "YES"}}},
        {"member": {"userData": {"userIdentifiers": []}}},
        {"member": {"userData": {"userIdentifiers": [{"emailAddress": "a@example.com"}]}}},
        {"member": {"userData": {"userIdentifiers": [{"emailAddress": sha("a").upper()}]}}},
        {"member": {"userData": {"userIdentifiers": [{"emailAddress": sha("")}]}}},
        {"member": {"userData": {"userIdentifiers": [{"emailAddress": sha("a")}] * 11}}},
        {"member": {"userData": {"userIdentifiers": [{"address": {"givenName": sha("a")}}]}}},
    ],
)
def test_the_fake_refuses_what_the_contract_forbids(changes: dict[str, Any]) -> None:
    with FakeGoogle() as ads:
        ads.tokens.append("token")
        assert _post(ads, **changes) == 400
        assert len(ads.contract_violations) == 1
        assert ads.audience == set()
