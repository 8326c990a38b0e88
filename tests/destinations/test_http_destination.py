"""The generic HTTP destination against an in-house API."""

import json
import logging
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration.destinations.base import CallError, Outcome, Refused, Row, Stopped, Unanswered
from orchestration.destinations.http import Http
from orchestration.sync.http import Policy
from orchestration.sync.spec import SyncSpec
from tests.fakes.server import Fault
from tests.fakes.webhook import BATCH_ROWS, FakeWebhook

QUICK = Policy(tries=3, first_wait=0, max_wait=0, exchange_deadline=5)
COLUMNS = ["external_id", "email", "name", "points"]
ROW = (
    '{"external_id": "{{ external_id }}", "email": "{{ email }}", "name": "{{ name }}",'
    ' "points": "{{ points | number }}"}'
)
BY_KEY = {
    "method": "PUT",
    "path": "/records/by-key/{{ cdp_key }}",
    "remove_path": "/records/by-key/{{ cdp_key }}",
    "remote_id_path": "data.id",
    "error_code_path": "error.code",
}
BY_ID = {
    "path": "/records",
    "update_path": "/records/{{ cdp_remote_id }}",
    "remove_path": "/records/{{ cdp_remote_id }}",
    "lookup_path": "/records?external_id={{ cdp_key }}",
    "lookup_id_path": "items.0.id",
    "remote_id_path": "data.id",
    "error_code_path": "error.code",
}
BATCH = {
    "path": "/batch",
    "batch_rows": str(BATCH_ROWS),
    "body": '{"records": "{{ cdp_rows }}"}',
    "row": ROW,
    "remove_method": "POST",
    "remove_path": "/batch/remove",
    "remove_body": '{"keys": "{{ cdp_rows }}"}',
    "remove_row": '"{{ cdp_key }}"',
    "results_path": "results",
    "result_key": "key",
    "remote_id_path": "id",
    "error_field": "error",
    "error_code_path": "error.code",
    "dedupes": "true",
}
# What a row answers with stands elsewhere than what a batch does.
RPC = {
    "path": "/rpc",
    "body": '{"method": "create", "record": ' + ROW + "}",
    "update_method": "POST",
    "update_path": "/rpc",
    "update_body": '{"method": "update", "id": "{{ cdp_remote_id }}", "record": ' + ROW + "}",
    "remove_method": "POST",
    "remove_path": "/rpc",
    "remove_body": '{"method": "delete", "id": "{{ cdp_remote_id }}"}',
    "lookup_method": "POST",
    "lookup_path": "/rpc",
    "lookup_body": '{"method": "find", "key": "{{ cdp_key }}"}',
    "lookup_id_path": "result.0",
    "remote_id_path": "result.0",
    "error_field": "error",
    "error_code_path": "error.code",
}


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch):
    with FakeWebhook({"Authorization": "Bearer s3cret"}) as fake:
        monkeypatch.setenv("CDP_HTTP_URL", fake.url)
        monkeypatch.setenv("CDP_HTTP_TOKEN", "s3cret")
        monkeypatch.setenv("CDP_WEBHOOK_ALLOWED_HOSTS", "127.0.0.1")
        yield fake
        assert fake.contract_violations == []


def spec(options: dict[str, str], mode: str = "upsert", **changes: Any) -> SyncSpec:
    login = {"url_env": "CDP_HTTP_URL", "auth": "bearer", "auth_env": "CDP_HTTP_TOKEN"}
    rates = {"requests_per_second": "1000"}
    settings = {
        "sync_name": "sync_http__records",
        "destination": "http",
        "object": "events" if mode == "append" else "records",
        "mode": mode,
        "key": "external_id",
        "purpose": "marketing",
        "channel": "email",
        "identity_tier": "exact",
        "columns": COLUMNS,
        "options": login | rates | {"body": ROW} | options,
    }
    return SyncSpec(**(settings | changes))


def http(options: dict[str, str], mode: str = "upsert", **changes: Any) -> Http:
    declared = spec(options, mode, **changes)
    Http.check(declared)
    return Http.from_environment(declared, QUICK)


def row(key: str, remote_id: str | None = None, **values: str | None) -> Row:
    mapped = {"external_id": key, "email": f"{key}@example.com", "name": "Ana", "points": "7"}
    more = {name: values.pop(name) for name in ("is_uncertain", "version") if name in values}
    return Row(key, "upsert", "new", mapped | values, remote_id, row_hash="h", **more)


def gone(key: str, remote_id: str | None = None, reason: str = "left", **more: Any) -> Row:
    return Row(key, "remove", reason, {}, remote_id, **more)


def told(outcomes: list[Outcome]) -> dict[str, tuple[str, str | None]]:
    return {outcome.key: (outcome.status, outcome.error_code) for outcome in outcomes}


ALL = {"by key": BY_KEY, "by id": BY_ID, "batch": BATCH, "rpc": RPC}


@pytest.mark.parametrize("options", ALL.values(), ids=ALL)
def test_rows_come_change_and_go(hook: FakeWebhook, options: dict[str, str]) -> None:
    destination = http(options, "mirror")
    outcomes = destination.upsert([row("a"), row("b", name=None)])
    assert {o.status for o in outcomes} == {"delivered"}
    assert hook.by_key("a") == {
        "external_id": "a",
        "email": "a@example.com",
        "name": "Ana",
        "points": 7,
    }
    assert "name" not in hook.by_key("b")
    ids = {o.key: o.remote_id for o in outcomes}
    assert set(ids.values()) == set(hook.records)
    destination.upsert([row("a", ids["a"], name="Eva")])
    assert hook.by_key("a")["name"] == "Eva"
    assert len(hook.records) == 2
    removed = destination.remove([gone("a", ids["a"]), gone("b", ids["b"])])
    assert told(removed) == {"a": ("delivered", None), "b": ("delivered", None)}
    assert hook.records == {}
    assert {o.status for o in destination.remove([gone("c"), gone("d")])} == {"delivered"}


@pytest.mark.parametrize("options", ALL.values(), ids=ALL)
def test_a_refused_row_is_refused_by_itself(hook: FakeWebhook, options: dict[str, str]) -> None:
    outcomes = http(options).upsert([row("a"), row("b", email="bad"), row("c", points="many")])
    assert told(outcomes) == {
        "a": ("delivered", None),
        "b": ("rejected", "INVALID_EMAIL"),
        "c": ("rejected", "NOT_A_NUMBER"),
    }
    assert len(hook.records) == 1


@pytest.mark.parametrize("options", [BY_KEY, BATCH], ids=["by key", "batch"])
def test_a_lost_answer_is_asked_for_again_and_makes_one_record(
    hook: FakeWebhook, options: dict[str, str]
) -> None:
    hook.deduplicates = True
    hook.faults.append(Fault(applies=True, hangs_up=True))
    assert told(http(options).upsert([row("a")])) == {"a": ("delivered", None)}
    assert len(hook.records) == 1
    assert len(hook.calls) == 2
    keys = {request.headers["idempotency-key"] for request in hook.requests}
    assert len(keys) == 1


@pytest.mark.parametrize("options", [BY_ID, RPC], ids=["by id", "rpc"])
def test_a_create_without_promise_is_looked_up_and_not_repeated(
    hook: FakeWebhook, options: dict[str, str]
) -> None:
    only_when_uncertain = options | {"lookup_when": "uncertain"}
    destination = http(only_when_uncertain)
    hook.faults.append(Fault(applies=True, hangs_up=True))
    with pytest.raises(Unanswered):
        destination.upsert([row("a")])
    assert len(hook.calls) == 1
    [outcome] = destination.upsert([row("a", is_uncertain=True, name="Eva")])
    assert outcome.status == "delivered"
    assert list(hook.records) == ["r1"]
    assert hook.by_key("a")["name"] == "Eva"
    assert told(destination.remove([gone("a", is_uncertain=True)])) == {"a": ("delivered", None)}
    assert hook.records == {}


def test_a_record_that_is_gone_is_written_anew_but_not_by_update_only(hook: FakeWebhook) -> None:
    [outcome] = http(BY_ID).upsert([row("a", "r99")])
    assert (outcome.status, outcome.remote_id) == ("delivered", "r1")
    only = http(BY_ID, "update_only")
    assert told(only.upsert([row("b", "r99"), row("c")])) == {
        "b": ("rejected", "HTTP_404"),
        "c": ("rejected", "NOT_THERE"),
    }
    assert told(only.upsert([row("a", name="Eva")])) == {"a": ("delivered", None)}
    assert hook.by_key("a")["name"] == "Eva"


def test_create_only_never_changes_what_is_there(hook: FakeWebhook) -> None:
    destination = http(BY_ID, "create_only")
    [first] = destination.upsert([row("a")])
    [again] = destination.upsert([row("a", is_uncertain=True, name="Eva")])
    assert again.remote_id == first.remote_id
    assert hook.by_key("a")["name"] == "Ana"
    blind = BY_ID | {"lookup_when": "uncertain", "exists_status": "409"}
    [outcome] = http(blind, "create_only").upsert([row("a", name="Eva")])
    assert outcome.status == "delivered"
    assert hook.by_key("a")["name"] == "Ana"
    # Elsewhere somebody else's record in our place is no success.
    assert told(http(blind).upsert([row("a")])) == {"a": ("rejected", "ALREADY_EXISTS")}


def test_mode_delete_takes_away_who_is_listed(hook: FakeWebhook) -> None:
    http(BY_KEY).upsert([row("a"), row("b")])
    outcomes = http(BY_KEY, "delete").remove([gone("a", reason="listed")])
    assert told(outcomes) == {"a": ("delivered", None)}
    assert [record["external_id"] for record in hook.records.values()] == ["b"]


def test_who_leaves_an_audience_is_written_what_was_declared(hook: FakeWebhook) -> None:
    options = BY_ID | {
        "remove_method": "PATCH",
        "remove_body": '{"name": "{{ name }}", "note": "{{ cdp_reason }}"}',
    }
    destination = http(options, "audience", on_leave={"name": "nobody"})
    [outcome] = destination.upsert([row("a")])
    destination.remove([gone("a", outcome.remote_id, "consent")])
    assert hook.by_key("a")["name"] == "nobody"
    assert hook.by_key("a")["note"] == "consent"


# -- events


EVENT = {"path": "/hook", "body": '{"id": "{{ cdp_idempotency_key }}", "name": "{{ name }}"}'}


def test_events_go_one_by_one_and_are_never_repeated_without_a_promise(hook: FakeWebhook) -> None:
    destination = http(EVENT, "append")
    assert not destination.appends_are_repeatable
    assert destination.limits.batch_rows == 1
    hook.faults.append(Fault(applies=True, hangs_up=True))
    with pytest.raises(Unanswered):
        destination.upsert([row("a")])
    assert len(hook.events) == 1
    hook.faults.append(Fault(status=429))
    assert told(destination.upsert([row("b")])) == {"b": ("delivered", None)}
    assert len(hook.events) == 2


def test_events_may_be_repeated_where_the_endpoint_says_so(hook: FakeWebhook) -> None:
    hook.deduplicates = True
    destination = http(EVENT | {"dedupes": "true"}, "append")
    assert destination.appends_are_repeatable
    hook.faults.append(Fault(applies=True, hangs_up=True))
    destination.upsert([row("a")])
    destination.upsert([row("a")])
    assert len(hook.events) == 1
    destination.upsert([row("a", version=9)])
    assert len(hook.events) == 2


# -- limits and batches


def test_a_full_batch_passes_and_one_more_row_is_two_requests_of_the_engine(
    hook: FakeWebhook,
) -> None:
    destination = http(BATCH)
    assert destination.limits.batch_rows == BATCH_ROWS
    outcomes = destination.upsert([row(f"k{number}") for number in range(BATCH_ROWS)])
    assert {o.status for o in outcomes} == {"delivered"}
    assert {o.key: hook.records[o.remote_id]["external_id"] for o in outcomes} == {
        o.key: o.key for o in outcomes
    }
    with pytest.raises(Refused) as caught:
        destination.upsert([row(f"k{number}") for number in range(BATCH_ROWS + 1)])
    assert caught.value.code == "TOO_MANY"
    hook.contract_violations.clear()


def test_the_weight_of_rows_is_never_less_than_their_bytes(hook: FakeWebhook) -> None:
    destination = http(BATCH | {"batch_bytes": "60000"})
    rows = [row(f"k{number}", name="Zoë 🎉" * 50) for number in range(20)]
    destination.upsert(rows)
    sent = len(hook.requests[-1].body)
    assert sent - len('{"records": []}') <= sum(map(destination.weight, rows)) <= sent + 100
    assert destination.limits.batch_bytes == 60000


def test_a_batch_refused_as_a_whole_is_said_so(hook: FakeWebhook) -> None:
    hook.poison.add("b")
    with pytest.raises(Refused) as caught:
        http(BATCH).upsert([row("a"), row("b")])
    assert caught.value.code == "POISON"
    assert hook.records == {}


@pytest.mark.parametrize(
    ("body", "statuses"),
    [
        ({"results": [{"key": "b", "id": "2"}]}, {"a": "unknown", "b": "delivered"}),
        ({"results": [{"key": "b"}, {"key": "a"}]}, {"a": "unknown", "b": "unknown"}),
        ({"results": {"a": 1}}, {"a": "unknown", "b": "unknown"}),
        ([], {"a": "unknown", "b": "unknown"}),
        (
            {"results": [{"key": "a", "error": "a@example.com"}, {"key": "b", "id": 0}]},
            {"a": "rejected", "b": "delivered"},
        ),
    ],
)
def test_only_what_the_endpoint_confirms_is_delivered(
    hook: FakeWebhook, body: Any, statuses: dict[str, str]
) -> None:
    hook.faults.append(Fault(207, body=json.dumps(body).encode()))
    outcomes = http(BATCH).upsert([row("a"), row("b")])
    assert {o.key: o.status for o in outcomes} == statuses
    assert all(o.error_code in (None, "NO_RESULT", "ROW_ERROR") for o in outcomes)


def test_results_by_position_must_be_as_many_as_rows(hook: FakeWebhook) -> None:
    options = {name: value for name, value in BATCH.items() if name != "result_key"}
    for results, statuses in (
        ([{"id": "1"}, {"error": 1}], {"a": "delivered", "b": "rejected"}),
        ([{"id": "1"}], {"a": "unknown", "b": "unknown"}),
    ):
        hook.faults.append(Fault(200, body=json.dumps({"results": results}).encode()))
        outcomes = http(options).upsert([row("a"), row("b")])
        assert {o.key: o.status for o in outcomes} == statuses


def test_one_row_a_request_goes_over_eight_connections(hook: FakeWebhook) -> None:
    limits = http(BY_KEY).limits
    assert (limits.batch_rows, limits.connections) == (1, 8)
    assert http(BY_KEY | {"connections": "3"}).limits.connections == 3


# -- what stops


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_stop_and_reject_nobody(hook: FakeWebhook, status: int) -> None:
    hook.faults.extend([Fault(status)] * 100)
    with pytest.raises(Stopped) as caught:
        http(BY_KEY).upsert([row(f"k{number}") for number in range(50)])
    assert (caught.value.code, caught.value.error_class) == (f"HTTP_{status}", "auth")
    assert len(hook.calls) <= 8 + 1, "no more than were under way"


def test_what_was_delivered_before_a_stop_is_kept(hook: FakeWebhook) -> None:
    hook.faults.append(Fault(403, path="by-key/b"))
    outcomes = http(BY_KEY | {"connections": "1"}).upsert([row(key) for key in "abc"])
    assert told(outcomes) == {
        "a": ("delivered", None),
        "b": ("unknown", "HTTP_403"),
        "c": ("unsent", None),
    }


def test_a_dead_endpoint_is_given_up_early(hook: FakeWebhook) -> None:
    hook.faults.extend([Fault(503)] * 1000)
    with pytest.raises(Unanswered):
        http(BY_KEY).upsert([row(f"k{number}") for number in range(100)])
    assert len(hook.calls) <= (8 + 3) * QUICK.tries


def test_an_address_that_may_not_be_called_is_not(
    hook: FakeWebhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CDP_WEBHOOK_ALLOWED_HOSTS", "api.example.com")
    with pytest.raises(ValueError, match="CDP_WEBHOOK_ALLOWED_HOSTS"):
        http(BY_KEY)
    monkeypatch.delenv("CDP_HTTP_URL")
    with pytest.raises(LookupError, match="CDP_HTTP_URL"):
        http(BY_KEY)


@pytest.mark.parametrize(
    ("options", "headers"),
    [
        ({"auth": "none"}, {}),
        ({"auth": "header", "auth_env": "CDP_HTTP_TOKEN"}, {"X-Api-Key": "s3cret"}),
        (
            {"auth": "basic", "auth_user_env": "CDP_HTTP_USER", "auth_env": "CDP_HTTP_TOKEN"},
            {"Authorization": "Basic bWU6czNjcmV0"},
        ),
        ({"auth_scheme": "Token"}, {"Authorization": "Token s3cret"}),
    ],
)
def test_ways_to_log_in(
    hook: FakeWebhook,
    monkeypatch: pytest.MonkeyPatch,
    options: dict[str, str],
    headers: dict[str, str],
) -> None:
    monkeypatch.setenv("CDP_HTTP_USER", "me")
    hook.needed_headers = headers
    assert told(http(BY_KEY | options).upsert([row("a")])) == {"a": ("delivered", None)}


def test_the_query_of_the_secret_address_is_sent_along(
    hook: FakeWebhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CDP_HTTP_URL", f"{hook.url}/?token=abc")
    http(BY_ID).upsert([row("a/?&b")])
    assert hook.requests[0].query == {"external_id": "a/?&b", "token": "abc"}
    assert hook.requests[1].query == {"token": "abc"}


# -- declarations


@pytest.mark.parametrize(
    ("options", "mode", "word"),
    [
        ({"url_env": "AWS_SECRET_ACCESS_KEY"}, "upsert", "url_env"),
        ({"auth_env": "HUBSPOT_TOKEN"}, "upsert", "auth_env"),
        ({"body": '{"x": "{{ phone }}"}'}, "upsert", "phone"),
        ({"body": '{"x": "{{ name | eval }}"}'}, "upsert", "eval"),
        ({"body": '{"x": {{ name }}}'}, "upsert", "JSON"),
        ({"body": '{"{{ name }}": 1}'}, "upsert", "names of members"),
        ({"body": '{"x": "{{ name.__class__ + 1 }}"}'}, "upsert", "placeholder"),
        ({"path": "records"}, "upsert", "begins with"),
        ({"path": "//evil.example\\x"}, "upsert", "ASCII"),
        ({"remove_body": '"{{ email }}"'}, "upsert", "email"),
        ({"remove_path": "/x/{{ email }}"}, "upsert", "email"),
        ({"verb": "POST"}, "upsert", "verb"),
        ({"batch_rows": "0"}, "upsert", "batch_rows"),
        ({"row": "{}"}, "upsert", "batch_rows"),
        ({"batch_rows": "5", "path": "", "body": "{}"}, "upsert", "cdp_rows"),
        ({"method": "POST"}, "upsert", "dedupes"),
        ({"auth": "basic"}, "upsert", "auth_user_env"),
        ({"lookup_path": "/x"}, "upsert", "lookup_id_path"),
        ({"remote_id_path": "", "remove_path": "/{{ cdp_remote_id }}"}, "mirror", "remote_id_path"),
    ],
)
def test_a_declaration_with_a_mistake_is_refused_before_a_call(
    options: dict[str, str], mode: str, word: str
) -> None:
    with pytest.raises(ValueError, match=word):
        Http.check(spec(BY_KEY | options, mode))


def test_what_a_mode_needs_must_be_declared() -> None:
    silent = {"method": "PUT"}
    for mode in ("mirror", "audience", "delete", "upsert"):
        with pytest.raises(ValueError, match="remove_path"):
            Http.check(spec(silent, mode))
    Http.check(spec(silent, "upsert", on_erasure="leave"))
    for mode, kind in (("archive", "records"), ("append", "records"), ("upsert", "events")):
        with pytest.raises(ValueError, match="cannot do mode"):
            Http.check(spec(BY_KEY, mode, object=kind))


def test_a_removal_nobody_declared_is_not_told_as_done(hook: FakeWebhook) -> None:
    destination = http({"method": "PUT"}, on_erasure="leave")
    assert told(destination.remove([gone("a")])) == {"a": ("rejected", "NO_REMOVAL_DECLARED")}
    unlearned = {name: BY_ID[name] for name in ("path", "remove_path", "remote_id_path")}
    destination = http(unlearned | {"dedupes": "true"})
    assert told(destination.remove([gone("a", is_uncertain=True)])) == {
        "a": ("unknown", "NO_REMOTE_ID")
    }
    assert hook.calls == []


@pytest.mark.parametrize("value", ["..", ".", ""])
def test_a_key_does_not_climb_out_of_its_path(hook: FakeWebhook, value: str) -> None:
    assert told(http(BY_KEY).upsert([row(value)])) == {value: ("rejected", "EMPTY_PATH_VALUE")}
    assert hook.calls == []


# -- nulls, values, privacy


def test_nulls_are_left_out_unless_they_empty_the_field(hook: FakeWebhook) -> None:
    options = BY_KEY | {"body": '{"note": "{{ name }}", "name": "Dear {{ name }}!"}'}
    http(options).upsert([row("a", name=None)])
    assert json.loads(hook.requests[-1].body) == {"name": "Dear !"}
    http(options, clear_nulls=["name"]).upsert([row("a", name=None)])
    assert json.loads(hook.requests[-1].body) == {"note": None, "name": "Dear !"}


TEXT = st.one_of(
    st.text(max_size=30),
    st.sampled_from(['{{ email }}"}', '","x":"', "\x00", "🎉" * 2000, "x" * 10_000, "\\u0000\n"]),
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(name=TEXT, key=st.text(min_size=1, max_size=20).filter(lambda text: text.strip(".")))
@pytest.mark.parametrize("options", [BY_KEY, BATCH], ids=["by key", "batch"])
def test_any_text_arrives_as_it_is(
    hook: FakeWebhook, options: dict[str, str], name: str, key: str
) -> None:
    hook.records.clear()
    destination = http(options)
    outcomes = destination.upsert([row(key, name=name, email="a@example.com")])
    assert told(outcomes) == {key: ("delivered", None)}
    assert hook.by_key(key)["name"] == name
    assert hook.contract_violations == []


def test_no_value_and_no_secret_is_in_errors_and_logs(
    hook: FakeWebhook, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("CDP_HTTP_URL", f"{hook.url}/?token=canary-token")
    said: list[str] = []
    for fault in (Fault(400), Fault(403), Fault(503), Fault(302), Fault(200, body=b"<html>")):
        hook.faults.extend([fault] * 3)
        for options in (BY_KEY, BATCH):
            try:
                said.append(repr(http(options).upsert([row("k", email="canary@example.com")])))
            except CallError as error:
                said.append(repr(error) + str(error.__context__) + str(error.__cause__))
        hook.faults.clear()
    hook.poison.add("k")
    with pytest.raises(Refused) as caught:
        http(BATCH).upsert([row("k", email="canary@example.com")])
    text = caplog.text + "".join(said) + repr(caught.value)
    for word in ("canary@example.com", "canary-token", "s3cret"):
        assert word not in text
    assert caplog.records
