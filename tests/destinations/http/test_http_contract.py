"""Any HTTP endpoint: what stops, declarations, nulls, values and privacy."""

import json
import logging

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration.destinations.base import CallError, Refused, Stopped, Unanswered
from orchestration.destinations.http import Http
from tests.destinations.http.case import BATCH, BY_ID, BY_KEY, QUICK, gone, http, row, spec, told
from tests.fakes.server import Fault
from tests.fakes.webhook import FakeWebhook

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
        ({"body": '{"x": "${phone}"}'}, "upsert", "phone"),
        ({"body": '{"x": "${name | eval}"}'}, "upsert", "eval"),
        ({"body": '{"x": ${name}}'}, "upsert", "JSON"),
        ({"body": '{"${name}": 1}'}, "upsert", "names of members"),
        ({"body": '{"x": "${name.__class__ + 1}"}'}, "upsert", "a placeholder is written"),
        ({"body": '{"x": "${name} ${"}'}, "upsert", "a placeholder is written"),
        ({"path": "records"}, "upsert", "begins with"),
        ({"path": "//evil.example\\x"}, "upsert", "ASCII"),
        ({"remove_body": '"${email}"'}, "upsert", "email"),
        ({"remove_path": "/x/${email}"}, "upsert", "email"),
        ({"verb": "POST"}, "upsert", "verb"),
        ({"batch_rows": "0"}, "upsert", "batch_rows"),
        ({"row": "{}"}, "upsert", "batch_rows"),
        ({"batch_rows": "5", "path": "", "body": "{}"}, "upsert", "cdp_rows"),
        ({"method": "POST"}, "upsert", "dedupes"),
        ({"auth": "basic"}, "upsert", "auth_user_env"),
        ({"lookup_path": "/x/${cdp_key}"}, "upsert", "lookup_id_path"),
        ({"remote_id_path": "", "remove_path": "/${cdp_remote_id}"}, "mirror", "remote_id_path"),
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
    options = BY_KEY | {"body": '{"note": "${name}", "name": "Dear ${name}!"}'}
    http(options).upsert([row("a", name=None)])
    assert json.loads(hook.requests[-1].body) == {"name": "Dear !"}
    http(options, clear_nulls=["name"]).upsert([row("a", name=None)])
    assert json.loads(hook.requests[-1].body) == {"note": None, "name": "Dear !"}


TEXT = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        ['${email}"}', "{{ email }}", '","x":"', "\x00", "🎉" * 2000, "x" * 10_000, "\\u0000\n"]
    ),
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
