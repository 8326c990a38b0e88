"""Meta's dialect: lines of an audience, what a removal takes away, how errors are read."""

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration.destinations import destination_class
from orchestration.destinations.base import Limits, Outcome, Refused, Row, Stopped, Unanswered
from orchestration.destinations.meta import Meta
from orchestration.sync.http import BearerToken, HttpClient, Policy
from orchestration.sync.spec import SyncSpec
from tests.conftest import environment
from tests.fakes.meta import FakeMeta
from tests.fakes.server import Fault

COLUMNS = ["extern_id", "email", "phone", "fn", "ln", "zip", "ct", "country"]


@pytest.fixture
def ads() -> Iterator[FakeMeta]:
    with FakeMeta() as account:
        yield account
        assert account.contract_violations == []


def spec(**changes: Any) -> SyncSpec:
    return SyncSpec(
        **{
            "sync_name": "sync_meta__audience",
            "destination": "meta",
            "object": "audience",
            "mode": "audience",
            "key": "extern_id",
            "purpose": "ads_personalisation",
            "channel": "ads",
            "identity_tier": "exact",
            "options": {"audience_id": "23850000000000001"},
            "columns": COLUMNS,
        }
        | changes
    )


def audience(ads: FakeMeta, token: str | None = None, **changes: Any) -> Meta:
    policy = Policy(tries=2, first_wait=0, max_wait=0)
    limits = Limits(1, ((10_000, 1),))
    http = HttpClient(ads.url, BearerToken(token or ads.token), limits, policy)
    return Meta(spec(**changes), http)


def row(key: str, **values: str | None) -> Row:
    mapped = {"extern_id": key, "email": f"{key}@example.com"}
    return Row(key, "upsert", "new", mapped | values)


def changed(given: Row, *sent: str, **values: str | None) -> Row:
    return Row(
        given.key, "upsert", "changed", dict(given.values) | values, sent_identifiers=tuple(sent)
    )


def leaver(key: str, *sent: str, reason: str = "left") -> Row:
    return Row(key, "remove", reason, sent_identifiers=tuple(sent))


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def member(key: str) -> set[str]:
    """As the fake holds a person of an e-mail and an id."""
    return {f"EXTERN_ID={key}", f"EMAIL={sha(f'{key}@example.com')}"}


def by_key(outcomes: list[Outcome]) -> dict[str, tuple[str, str | None]]:
    assert len({outcome.key for outcome in outcomes}) == len(outcomes)
    return {outcome.key: (outcome.status, outcome.error_code) for outcome in outcomes}


DELIVERED = ("delivered", None)


def test_the_module_is_found_by_its_name() -> None:
    assert destination_class("meta") is Meta


def test_a_line_holds_all_keys_in_one_order(ads: FakeMeta) -> None:
    person = row("7", phone="06 12 34 56 78", country="FR", fn="José", ln="O'Neil", ct="Le Mans")
    assert by_key(audience(ads).upsert([person, row("8")])) == {"7": DELIVERED, "8": DELIVERED}
    assert ads.schema == ["EXTERN_ID", "EMAIL", "PHONE", "LN", "FN", "CT", "ZIP", "COUNTRY"]
    [(_, cells), (_, other)] = ads.lines
    assert cells == {
        "EXTERN_ID": "7",
        "EMAIL": sha("7@example.com"),
        "PHONE": sha("33612345678"),
        "LN": sha("oneil"),
        "FN": sha("josé"),
        "CT": sha("lemans"),
        "COUNTRY": sha("fr"),
    }
    assert set(other) == {"EXTERN_ID", "EMAIL"}


def test_columns_in_another_order_make_the_same_line(ads: FakeMeta) -> None:
    audience(ads).upsert([row("a")])
    audience(ads, columns=COLUMNS[::-1]).upsert([row("b")])
    assert ads.audience == member("a") | member("b")


def test_a_changed_email_takes_the_old_one_out_first(ads: FakeMeta) -> None:
    destination = audience(ads)
    before = row("a", phone="+33612345678")
    destination.upsert([before])
    now = changed(before, *destination.identifiers(before), email="new@example.com")
    assert by_key(destination.upsert([now])) == {"a": DELIVERED}
    assert ads.audience == {
        "EXTERN_ID=a",
        f"EMAIL={sha('new@example.com')}",
        f"PHONE={sha('33612345678')}",
    }
    assert [call.method for call in ads.calls] == ["POST", "DELETE", "POST"]
    assert ("DELETE", {"EMAIL": sha("a@example.com")}) in ads.lines


def test_a_moved_person_leaves_no_old_address(ads: FakeMeta) -> None:
    destination = audience(ads)
    before = row("a", fn="Dana", ln="Smith", zip="75001")
    destination.upsert([before])
    now = changed(before, *destination.identifiers(before), zip="69001")
    destination.upsert([now])
    assert len(ads.audience) == 3
    assert not any(sha("75001") in name for name in ads.audience)
    assert destination.remove([leaver("a", *destination.identifiers(now))])
    assert ads.audience == set()


def test_a_changed_row_is_in_doubt_where_taking_the_old_one_out_is(ads: FakeMeta) -> None:
    ads.faults.append(Fault(200, body=b"{}"))
    rows = [changed(row("a"), f"EMAIL={sha('old')}"), row("b")]
    assert by_key(audience(ads).upsert(rows)) == {"a": ("unknown", "NO_COUNTS"), "b": DELIVERED}


def test_a_row_whose_identifiers_stay_is_one_call(ads: FakeMeta) -> None:
    destination = audience(ads)
    person = row("a")
    destination.upsert([changed(person, *destination.identifiers(person))])
    assert (ads.calls_of("POST"), ads.calls_of("DELETE")) == (1, 0)


@pytest.mark.parametrize("reason", ["left", "consent", "erasure"])
@pytest.mark.parametrize("mode", ["audience", "mirror"])
def test_removal_needs_nothing_but_the_ledger(ads: FakeMeta, mode: str, reason: str) -> None:
    destination = audience(ads, mode=mode)
    person = row("a", phone="+33612345678", fn="Dana", ln="Smith", zip="75001")
    destination.upsert([person, row("b")])
    gone = leaver("a", *destination.identifiers(person), reason=reason)
    assert by_key(destination.remove([gone])) == {"a": DELIVERED}
    assert ads.audience == member("b")


def test_who_is_not_there_is_removed_without_an_error(ads: FakeMeta) -> None:
    outcomes = audience(ads).remove([leaver("a", f"EMAIL={sha('x')}"), leaver("b")])
    assert by_key(outcomes) == {"a": DELIVERED, "b": DELIVERED}
    assert by_key(audience(ads).remove([leaver("b")])) == {"b": DELIVERED}
    assert ads.calls_of("DELETE") == 1


def test_an_identifier_of_a_dropped_column_can_still_be_taken_away(ads: FakeMeta) -> None:
    destination = audience(ads)
    person = row("a", phone="+33612345678")
    destination.upsert([person])
    ads.schema = ["EXTERN_ID", "EMAIL"]  # as of a new audience
    fewer = audience(ads, columns=["extern_id", "email"])
    assert by_key(fewer.remove([leaver("a", *destination.identifiers(person))])) == {"a": DELIVERED}
    assert ads.audience == set()


def test_a_lost_email_takes_the_person_out(ads: FakeMeta) -> None:
    destination = audience(ads)
    before = row("a")
    destination.upsert([before])
    now = changed(before, *destination.identifiers(before), email=None)
    assert by_key(destination.upsert([now])) == {"a": ("rejected", "NO_IDENTIFIER")}
    assert ads.audience == set()


def test_a_hashed_column_is_refused_and_takes_nobody_out(ads: FakeMeta) -> None:
    destination = audience(ads)
    before = row("a")
    destination.upsert([before])
    now = changed(before, *destination.identifiers(before), email=sha("a@example.com"))
    assert by_key(destination.upsert([now, row("b")])) == {
        "a": ("rejected", "PREHASHED_VALUE"),
        "b": DELIVERED,
    }
    assert destination.identifiers(now) == ()
    assert ads.audience == member("a") | member("b")


def test_a_removal_of_many_identifiers_stays_within_a_call(ads: FakeMeta) -> None:
    destination = audience(ads, options={"audience_id": ads.audience_id, "chunk_size": "2"})
    assert destination.limits.batch_rows == 2
    sent = [f"EMAIL={sha(str(number))}" for number in range(5)]
    ads.audience = set(sent)
    assert by_key(destination.remove([leaver("a", *sent[:3]), leaver("b", *sent[3:])])) == {
        "a": DELIVERED,
        "b": DELIVERED,
    }
    assert (ads.audience, ads.calls_of("DELETE")) == (set(), 3)


def test_ten_thousand_lines_are_one_call(ads: FakeMeta) -> None:
    destination = audience(ads)
    assert destination.limits.batch_rows == 10_000
    rows = [row(str(number)) for number in range(10_000)]
    assert {outcome.status for outcome in destination.upsert(rows)} == {"delivered"}
    assert (len(ads.audience), ads.calls_of("POST")) == (20_000, 1)


def test_a_repeated_upload_changes_nothing(ads: FakeMeta) -> None:
    ads.faults.append(Fault(hangs_up=True, applies=True))
    for _ in range(2):
        assert by_key(audience(ads).upsert([row("a")])) == {"a": DELIVERED}
    assert ads.audience == member("a")
    assert ads.calls_of("POST") == 3


def test_invalid_entries_are_found_by_smaller_batches(ads: FakeMeta) -> None:
    ads.invalid.add(sha("b@example.com"))
    destination = audience(ads)
    with pytest.raises(Refused) as caught:
        destination.upsert([row("a"), row("b")])
    assert caught.value.code == "INVALID_ENTRIES"
    assert by_key(destination.upsert([row("a")])) == {"a": DELIVERED}
    with pytest.raises(Refused):
        destination.upsert([row("b")])
    assert ads.audience == member("a")
    assert [(r.lines, r.invalid) for r in destination.received] == [(2, 1), (1, 0), (1, 1)]


def test_a_call_that_received_nothing_is_in_doubt(ads: FakeMeta) -> None:
    ads.takes_nothing = True
    assert by_key(audience(ads).upsert([row("a")])) == {"a": ("unknown", "NOTHING_RECEIVED")}
    gone = leaver("a", f"EMAIL={sha('x')}")
    assert by_key(audience(ads).remove([gone])) == {"a": ("unknown", "NOTHING_RECEIVED")}


@pytest.mark.parametrize("body", [b"[]", b"{}", b'"x"', b'{"num_received": "many"}'])
def test_an_answer_of_strange_shape_is_no_success(ads: FakeMeta, body: bytes) -> None:
    ads.faults.append(Fault(200, body=body))
    assert by_key(audience(ads).upsert([row("a")])) == {"a": ("unknown", "NO_COUNTS")}


@pytest.mark.parametrize(
    ("error", "kind", "code", "error_class"),
    [
        ({"code": 190}, Stopped, "TOKEN_INVALID", "auth"),
        ({"code": 190, "error_subcode": 463}, Stopped, "TOKEN_INVALID", "auth"),
        ({"code": 200}, Stopped, "PERMISSION_MISSING", "auth"),
        ({"code": 294}, Stopped, "PERMISSION_MISSING", "auth"),
        ({"code": 17}, Stopped, "THROTTLED", "transient"),
        ({"code": 613}, Stopped, "THROTTLED", "transient"),
        ({"code": 80003, "is_transient": True}, Stopped, "THROTTLED", "transient"),
        ({"code": 368}, Stopped, "ACTION_BLOCKED", "systemic"),
        ({"code": 2650}, Stopped, "AUDIENCE_UPDATE_FAILED", "systemic"),
        ({"code": 100, "error_subcode": 1713230}, Stopped, "AUDIENCE_BLOCKED", "systemic"),
        ({"code": 2, "is_transient": True}, Unanswered, "SERVICE_UNAVAILABLE", None),
        ({"code": 1}, Unanswered, "UNKNOWN_ERROR", None),
        ({"code": 9999, "is_transient": True}, Unanswered, "SERVICE_UNAVAILABLE", None),
        ({"code": 100}, Refused, "META_100", None),
        ({"code": "dana@example.com"}, Refused, "HTTP_400", None),
        ({"code": [190]}, Refused, "HTTP_400", None),
        ({"code": 123456}, Refused, "UNSPECIFIED", None),
    ],
)
def test_errors_are_told_apart_by_their_number(
    ads: FakeMeta, error: dict[str, Any], kind: type, code: str, error_class: str | None
) -> None:
    for act in (
        lambda destination: destination.upsert([row("a")]),
        lambda destination: destination.remove([leaver("a", f"EMAIL={sha('x')}")]),
    ):
        ads.refusals.append(error)
        with pytest.raises(kind) as caught:
            act(audience(ads))
        assert caught.value.code == code
        assert getattr(caught.value, "error_class", None) == error_class
    assert ads.audience == set()


def test_statuses_of_http_count_as_everywhere(ads: FakeMeta) -> None:
    for status, error_class in ((401, "auth"), (403, "auth")):
        ads.faults.append(Fault(status))
        with pytest.raises(Stopped) as caught:
            audience(ads).upsert([row("a")])
        assert caught.value.error_class == error_class
    ads.faults += [Fault(500), Fault(500)]
    with pytest.raises(Unanswered):
        audience(ads).upsert([row("a")])
    ads.faults.append(Fault(400, body=b"<html>"))
    with pytest.raises(Refused):
        audience(ads).upsert([row("a")])
    ads.faults.append(Fault(404, body=b"{}"))
    with pytest.raises(Stopped, match="NOT_FOUND"):
        audience(ads).upsert([row("a")])


def test_a_wrong_token_stops_the_run(ads: FakeMeta) -> None:
    with pytest.raises(Stopped) as caught:
        audience(ads, token="wrong").upsert([row("a")])
    assert (caught.value.code, caught.value.error_class) == ("TOKEN_INVALID", "auth")


def test_token_and_version_come_from_the_environment(ads: FakeMeta) -> None:
    values = {"META_ACCESS_TOKEN": ads.token, "META_GRAPH_URL": ads.url}
    with environment(values | {"META_API_VERSION": "v26.0"}):
        assert by_key(Meta.from_environment(spec()).upsert([row("a")])) == {"a": DELIVERED}
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
