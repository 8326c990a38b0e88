"""Google: declarations, any text, and how strict the fake is."""

import json
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration.destinations import google
from orchestration.destinations.base import Refused
from orchestration.destinations.google import CONSENTS, Google
from tests.destinations.google.case import (
    COLUMNS,
    DELIVERED,
    OPTIONS,
    audience,
    leaver,
    remove,
    row,
    sha,
    spec,
    upsert,
)
from tests.fakes.google import FakeGoogle, contract


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
