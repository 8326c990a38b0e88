"""Meta: credentials, declarations, any text, and how strict the fake is."""

from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration.destinations.base import Refused, Stopped
from orchestration.destinations.meta import Meta
from tests.destinations.meta.case import (
    COLUMNS,
    DELIVERED,
    audience,
    by_key,
    leaver,
    row,
    sha,
    spec,
)
from tests.fakes.meta import FakeMeta
from tests.fixtures.environment import environment


def test_a_wrong_token_stops_the_run(ads: FakeMeta) -> None:
    with pytest.raises(Stopped) as caught:
        audience(ads, token="wrong").upsert([row("a")])
    assert (caught.value.code, caught.value.error_class) == ("TOKEN_INVALID", "auth")


def test_token_and_version_come_from_the_environment(ads: FakeMeta) -> None:
    values = {"META_ACCESS_TOKEN": ads.token, "META_GRAPH_URL": ads.url}
    with environment(values | {"META_API_VERSION": "v26.0"}):
        assert by_key(Meta.from_environment(spec()).upsert([row("a")])) == {"a": DELIVERED}
        ads.refusals.append({"code": 4, "status": 403})
        with pytest.raises(Stopped, match="THROTTLED"):
            Meta.from_environment(spec()).upsert([row("b")])
    assert ads.calls[0].path.startswith("/v26.0/")
    with environment(values | {"META_API_VERSION": "../x"}), pytest.raises(ValueError, match="v25"):
        Meta.from_environment(spec())
    with pytest.raises(LookupError, match="META_ACCESS_TOKEN"):
        Meta.from_environment(spec())


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"mode": "upsert"}, "cannot do mode"),
        ({"object": "contacts"}, "cannot do mode"),
        ({"purpose": "marketing"}, "purpose"),
        ({"channel": "email"}, "purpose"),
        ({"columns": [*COLUMNS, "madid"]}, "madid"),
        ({"columns": ["extern_id", "fn", "zip"]}, "identifies"),
        ({"options": {}}, "audience_id"),
        ({"options": {"audience_id": "../1"}}, "audience_id"),
        ({"options": {"audience_id": "1", "chunk_size": "10001"}}, "chunk_size"),
        ({"options": {"audience_id": "1", "chunk_size": "0"}}, "chunk_size"),
        ({"options": {"audience_id": "1", "replace": "yes"}}, "replace"),
    ],
)
def test_a_sync_that_asks_too_much_is_refused(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Meta.check(spec(**changes))


def test_a_sync_that_says_enough_is_taken() -> None:
    for changes in ({}, {"mode": "mirror"}, {"purpose": "ads_user_data"}):
        Meta.check(spec(**changes))
    Meta.check(spec(key="customer_id", columns=["customer_id", "email"]))
    Meta.check(spec(options={"audience_id": "1", "chunk_size": "10000"}))


TEXTS = st.one_of(
    st.none(),
    st.text(max_size=20),
    st.sampled_from(["a@example.com", "\x00@\x00.\x00", "+33612345678", "FR", "Dana", sha("a")]),
    st.text("é\U0001f600'\"", min_size=1, max_size=3).map(lambda text: (text * 10_000)[:10_000]),
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=st.lists(st.fixed_dictionaries(dict.fromkeys(COLUMNS, TEXTS)), max_size=5))
def test_no_row_makes_a_call_that_meta_does_not_take(
    ads: FakeMeta, rows: list[dict[str, str | None]]
) -> None:
    given_rows = [row(str(n), **values) for n, values in enumerate(rows)]
    destination = audience(ads)
    outcomes = by_key(destination.upsert(given_rows))
    assert set(outcomes) == {r.key for r in given_rows}
    sent = [leaver(r.key, *destination.identifiers(r)) for r in given_rows]
    assert {outcome.status for outcome in destination.remove(sent)} <= {"delivered"}
    assert ads.contract_violations == []
    alone = {name for name in ads.audience if name.startswith(("EMAIL=", "PHONE=", "EXTERN_ID="))}
    assert alone == set()
    ads.audience.clear()


def test_nothing_personal_is_in_exceptions_or_logs(
    ads: FakeMeta, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    ads.refusals.append({"code": 100, "message": "canary@example.com is no hash"})
    with pytest.raises(Refused) as caught:
        audience(ads).upsert([row("canary")])
    audience(ads).upsert([row("canary")])
    seen = caplog.text + repr(caught.value) + repr(caught.value.__context__)
    assert "canary@" not in seen
    assert sha("canary@example.com") not in seen
    assert ads.token not in seen


# -- the fake is strict


def _post(ads: FakeMeta, **changes: Any) -> int:
    line = ["7", sha("a@example.com")]
    body = {
        "payload": {"schema": ["EXTERN_ID", "EMAIL"], "data": changes.pop("data", [line])},
        "session": {
            "session_id": changes.pop("session_id", 1),
            "batch_seq": 1,
            "last_batch_flag": changes.pop("last", True),
            "estimated_num_total": changes.pop("total", len(changes.get("lines", [line]))),
        },
    }
    if "schema" in changes:
        body["payload"]["schema"] = changes.pop("schema")
    token = changes.pop("token", ads.token)
    if lines := changes.pop("lines", None):
        body["payload"]["data"] = lines
    return requests.post(
        f"{ads.url}/v25.0/{ads.audience_id}/users{changes.pop('query', '')}",
        json=body | changes,
        headers={"Authorization": f"Bearer {token}"},
        timeout=30,
    ).status_code


def test_the_fake_takes_ten_thousand_and_no_more() -> None:
    line = ["7", sha("a@example.com")]
    with FakeMeta() as ads:
        assert _post(ads, lines=[line] * 10_000) == 200
        assert _post(ads, lines=[line] * 10_001, session_id=2) == 400
        assert ads.contract_violations == ["lines per call"]
        assert _post(ads, token="wrong", session_id=3) == 400


@pytest.mark.parametrize(
    "changes",
    [
        {"schema": ["EXTERN_ID", "MADE_UP"]},
        {"schema": ["EMAIL", "EMAIL"]},
        {"schema": ["EXTERN_ID", "EMAIL", "PHONE"]},
        {"lines": [["7"]]},
        {"lines": [["7", "a@example.com"]]},
        {"lines": [["7", sha("a").upper()]]},
        {"lines": [["7", sha("")]]},
        {"lines": [["7", None]]},
        {"lines": [["", ""]]},
        {"data": []},
        {"last": False},
        {"total": 7},
        {"session_id": 0},
        {"session_id": 2**63},
        {"query": "?access_token=meta-token"},
        {"namespace": "x"},
    ],
)
def test_the_fake_refuses_what_the_documentation_forbids(changes: dict[str, Any]) -> None:
    with FakeMeta() as ads:
        assert _post(ads, **changes) == 400
        assert len(ads.contract_violations) == 1
        assert ads.audience == set()


def test_the_fake_keeps_one_schema_and_each_session_apart() -> None:
    with FakeMeta() as ads:
        assert _post(ads) == 200
        assert _post(ads) == 200  # the same call again
        assert _post(ads, lines=[["8", sha("b")]]) == 400
        assert _post(ads, schema=["EMAIL", "EXTERN_ID"], lines=[[sha("b"), "8"]]) == 400
        assert ads.contract_violations == ["a session id used again", "another schema"]
