"""Any HTTP endpoint: rows, events, batches."""

import json
from dataclasses import replace
from typing import Any

import pytest

from orchestration.destinations.base import Refused, Unanswered
from tests.destinations.http.case import BATCH, BY_ID, BY_KEY, ROW, gone, http, row, told
from tests.fakes.server import Fault
from tests.fakes.webhook import BATCH_ROWS, FakeWebhook

# What a row answers with stands elsewhere than what a batch does.
RPC = {
    "path": "/rpc",
    "body": '{"method": "create", "record": ' + ROW + "}",
    "update_method": "POST",
    "update_path": "/rpc",
    "update_body": '{"method": "update", "id": "${cdp_remote_id}", "record": ' + ROW + "}",
    "remove_method": "POST",
    "remove_path": "/rpc",
    "remove_body": '{"method": "delete", "id": "${cdp_remote_id}"}',
    "lookup_method": "POST",
    "lookup_path": "/rpc",
    "lookup_body": '{"method": "find", "key": "${cdp_key}"}',
    "lookup_id_path": "result.0",
    "remote_id_path": "result.0",
    "error_field": "error",
    "error_code_path": "error.code",
}


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
    # An endpoint may repeat the answer it gave to a key.
    body = ROW[:-1] + ', "note": "${cdp_idempotency_key}"}'
    for _ in range(2):
        [made] = http(BY_ID | {"body": body}).upsert([row("z", "r99")])
        del hook.records[made.remote_id]
    sent = [r for r in hook.requests if b'"z"' in r.body]
    keys = [request.headers["idempotency-key"] for request in sent]
    assert [request.method for request in sent] == ["PATCH", "POST"] * 2
    assert (keys[0] != keys[1], keys[:2]) == (True, keys[2:])
    assert [request.json["note"] for request in sent] == keys
    only = http(BY_ID, "update_only")
    assert told(only.upsert([row("b", "r99"), row("c")])) == {
        "b": ("rejected", "HTTP_404"),
        "c": ("rejected", "NOT_THERE"),
    }
    assert told(only.upsert([row("a", name="Eva")])) == {"a": ("delivered", None)}
    assert hook.by_key("a")["name"] == "Eva"


def test_update_only_makes_nothing_and_asks_for_each_row_it_has_no_id_of(
    hook: FakeWebhook,
) -> None:
    destination = http(BY_ID | {"lookup_when": "uncertain"}, "update_only")
    http(BY_ID).upsert([row("a")])
    hook.requests.clear()
    outcomes = destination.upsert([row("a", name="Eva"), row("b")])
    assert told(outcomes) == {"a": ("delivered", None), "b": ("rejected", "NOT_THERE")}
    assert [request.method for request in hook.requests] == ["GET", "PATCH", "GET"]
    patch = {"method": "PATCH", "path": "/records/${cdp_key}", "remove_path": "/r/${cdp_key}"}
    outcomes = http(patch, "update_only").upsert([row("r1", name="Zoe"), row("r9")])
    assert told(outcomes) == {"r1": ("delivered", None), "r9": ("rejected", "HTTP_404")}
    assert [record["name"] for record in hook.records.values()] == ["Zoe"]


def test_a_removal_keeps_the_id_for_an_erasure_to_come(hook: FakeWebhook) -> None:
    [first] = http(BY_ID).upsert([row("a")])
    for _ in range(2):  # the second time it is gone
        [outcome] = http(BY_ID).remove([gone("a", first.remote_id)])
        assert (outcome.status, outcome.remote_id) == ("delivered", first.remote_id)


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
        "remove_body": '{"name": "${name}", "note": "${cdp_reason}"}',
    }
    destination = http(options, "audience", on_leave={"name": "nobody"})
    [outcome] = destination.upsert([row("a")])
    destination.remove([gone("a", outcome.remote_id, "consent")])
    assert hook.by_key("a")["name"] == "nobody"
    assert hook.by_key("a")["note"] == "consent"


# -- events


EVENT = {"path": "/hook", "body": '{"id": "${cdp_idempotency_key}", "name": "${name}"}'}


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
    # The next run sends what the model says of it by then.
    changed = replace(row("a", name="Eva", is_uncertain=True, version=9), row_hash="other")
    assert told(destination.upsert([changed])) == {"a": ("delivered", None)}
    assert [event["name"] for event in hook.events] == ["Ana"]
    destination.upsert([row("b")])
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


def test_who_goes_weighs_what_is_sent_of_them(hook: FakeWebhook) -> None:
    destination = http(BATCH | {"batch_bytes": "60000"}, "mirror")
    rows = [gone("é" * number) for number in range(1, 20)]
    destination.remove(rows)
    sent = len(hook.requests[-1].body)
    assert sent - len('{"keys": []}') <= sum(map(destination.weight, rows)) <= sent + 100
    undeclared = {name: value for name, value in BATCH.items() if not name.startswith("remove_")}
    destination = http(undeclared | {"batch_bytes": "60000"}, on_erasure="leave")
    assert destination.weight(gone("a")) < 10


def test_a_batch_takes_away_nobody_it_cannot_name(hook: FakeWebhook) -> None:
    options = BATCH | {"remove_row": '{"id": "${cdp_remote_id}"}'}
    removed = http(options, "mirror").remove([gone("a", is_uncertain=True)])
    assert told(removed) == {"a": ("unknown", "NO_REMOTE_ID")}
    assert hook.calls == []
    # With the key in it the row is named all the same.
    options = BATCH | {"remove_row": '["${cdp_key}", "${cdp_remote_id}"]'}
    hook.faults.append(Fault(207, body=b'{"results": [{"key": "a"}]}'))
    removed = http(options, "mirror").remove([gone("a", is_uncertain=True)])
    assert told(removed) == {"a": ("delivered", None)}


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


def test_a_row_in_a_batch_with_other_neighbours_is_known_by_its_own_key(
    hook: FakeWebhook,
) -> None:
    own = {"row": '{"id": "${cdp_idempotency_key}"}', "body": '{"events": "${cdp_rows}"}'}
    destination = http(EVENT | own | {"batch_rows": "5", "dedupes": "true"}, "append")
    destination.upsert([row("a"), row("b")])
    destination.upsert([row("b"), row("c")])
    headers = [request.headers["idempotency-key"] for request in hook.requests]
    first, second = ([event["id"] for event in batch["events"]] for batch in hook.events)
    assert headers[0] != headers[1]
    assert first[1] == second[0]
    assert len({*first, *second}) == 3


def test_what_is_not_read_in_an_answer_may_be_anything(hook: FakeWebhook) -> None:
    unread = {"method": "PUT", "path": BY_KEY["path"], "remove_path": BY_KEY["remove_path"]}
    for body in (b"<html>", b'{"data": {"i'):
        hook.faults.append(Fault(200, body=body))
        assert told(http(unread).upsert([row("a")])) == {"a": ("delivered", None)}
        hook.faults.extend([Fault(200, body=body)] * 3)
        with pytest.raises(Unanswered):
            http(BY_KEY).upsert([row("a")])


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
