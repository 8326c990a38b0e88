"""Braze: events, subscription groups, limits and declarations."""

import traceback
from typing import Any

import pytest
from hypothesis import given

from orchestration.destinations._braze import EXPORT, RATES, SUBSCRIBE
from orchestration.destinations.base import Outcome, Refused, Row, Stopped, Unanswered
from orchestration.destinations.braze import Braze
from orchestration.sync import http
from tests.destinations.braze.case import COLUMNS, braze, row, spec_of
from tests.destinations.rows import FORTY_EXAMPLES, by_key, halved, leaver, wild_rows
from tests.fakes.braze import FakeBraze
from tests.fakes.server import Fault

EVENT_COLUMNS = ["event_id", "external_id", "name", "time", "sku", "amount"]


def events(workspace: FakeBraze, **settings: Any) -> Braze:
    declared = {"object": "events", "mode": "append", "key": "event_id", "person": "external_id"}
    more = {"on_leave": {}, "options": {"numbers": "amount"}, "columns": EVENT_COLUMNS}
    return braze(workspace, **declared, **(more | settings))


def subscriptions(workspace: FakeBraze, **settings: Any) -> Braze:
    workspace.groups.setdefault("g1", set())
    options = {"subscription_group_id": "g1"}
    columns = ["external_id"]
    more = {"on_leave": {}, "options": options, "columns": columns}
    return braze(workspace, object="subscriptions", **(more | settings))


def event(key: str, **values: str | None) -> Row:
    mapped = {"event_id": key, "external_id": "u1", "name": "order", "time": "2026-01-01T10:00:00Z"}
    return Row(key, "upsert", "new", mapped | values)


# -- events


def test_an_event_is_kept_with_its_properties(workspace: FakeBraze) -> None:
    outcomes = events(workspace).upsert([event("e1", sku="A-1", amount="9.90"), event("e2")])
    assert set(by_key(outcomes).values()) == {("delivered", None)}
    assert workspace.events == [
        {
            "external_id": "u1",
            "name": "order",
            "time": "2026-01-01T10:00:00Z",
            "properties": {"sku": "A-1", "amount": 9.9},
        },
        {"external_id": "u1", "name": "order", "time": "2026-01-01T10:00:00Z"},
    ]


@pytest.mark.parametrize(
    "fault",
    [
        Fault(applies=True, hangs_up=True),
        Fault(500, applies=True),
        Fault(applies=True, truncates=True),
        Fault(applies=True, resets=True),
    ],
    ids=["hangs up", "500", "half an answer", "reset"],
)
def test_an_event_whose_answer_was_lost_is_not_sent_again(
    workspace: FakeBraze, fault: Fault
) -> None:
    workspace.faults.append(fault)
    with pytest.raises(Unanswered):
        events(workspace).upsert([event("e1")])
    assert (len(workspace.calls), len(workspace.events)) == (1, 1)
    assert not Braze.appends_are_repeatable


def test_an_event_turned_away_by_the_rate_limit_is_sent_again(workspace: FakeBraze) -> None:
    workspace.faults.append(Fault(429))
    assert by_key(events(workspace).upsert([event("e1")])) == {"e1": ("delivered", None)}
    assert (len(workspace.calls), len(workspace.events)) == (2, 1)


def test_a_wrong_event_is_refused_alone(workspace: FakeBraze) -> None:
    rows = [event("a", name=None), event("b", time="soon"), event("c", sku="x" * 256), event("d")]
    rows.append(event("e", external_id=""))
    assert by_key(events(workspace).upsert(rows)) == {
        "a": ("rejected", "INVALID_NAME"),
        "b": ("rejected", "INVALID_TIME"),
        "c": ("rejected", "INVALID_SKU"),
        "d": ("delivered", None),
        "e": ("rejected", "INVALID_EXTERNAL_ID"),
    }
    assert len(workspace.events) == 1


def test_an_erased_persons_events_go_with_the_user(workspace: FakeBraze) -> None:
    workspace.users = {"u1": {}, "u2": {}}
    rows = [leaver(f"e{n}", reason="erasure", customer_id="u1") for n in range(60)]
    outcomes = events(workspace).remove(rows)
    assert set(by_key(outcomes).values()) == {("delivered", None)}
    assert set(by_key(outcomes)) == {row.key for row in rows}
    assert set(workspace.users) == {"u2"}
    assert [call.keys for call in workspace.calls] == [("u1",)]


def test_events_are_not_taken_away_for_other_reasons(workspace: FakeBraze) -> None:
    stays = {"e1": ("rejected", "EVENTS_STAY")}
    withdrawn = leaver("e1", reason="consent", customer_id="u1")
    assert by_key(events(workspace).remove([withdrawn])) == stays
    nobodys = leaver("e1", reason="erasure")
    assert by_key(events(workspace).remove([nobodys])) == stays
    erased = leaver("e1", reason="erasure", customer_id="u1")
    kept = events(workspace, on_erasure="leave")
    assert by_key(kept.remove([erased])) == stays
    assert workspace.calls == []


# -- subscription groups


def test_members_of_a_group_come_and_go(workspace: FakeBraze) -> None:
    destination = subscriptions(workspace)
    assert destination.limits.batch_rows == 50
    rows = [Row(f"u{n}", "upsert", "new", {"external_id": f"u{n}"}) for n in range(50)]
    outcomes = destination.upsert(rows)
    assert set(by_key(outcomes).values()) == {("delivered", None)}
    assert workspace.groups["g1"] == {row.key for row in rows}
    workspace.users["u1"] = {}
    leavers = [leaver("u0", reason="consent"), leaver("u1", reason="erasure")]
    assert set(by_key(destination.remove(leavers)).values()) == {("delivered", None)}
    assert "u0" not in workspace.groups["g1"]
    assert workspace.deleted == {"u1"}


def test_a_group_that_is_not_there_ends_the_run(workspace: FakeBraze) -> None:
    destination = subscriptions(workspace, options={"subscription_group_id": "g2"})
    for act in (
        lambda: destination.upsert([row("a"), row("b")]),
        lambda: destination.remove([leaver("a", reason="consent")]),
    ):
        with pytest.raises(Stopped) as caught:
            act()
        code, error_class = caught.value.code, caught.value.error_class
        assert (code, error_class) == ("SUBSCRIPTION_GROUP_REFUSED", "systemic")
    assert len(workspace.calls) == 2


@pytest.mark.parametrize(
    "said", ["Bad syntax", "The user has no such subscription group", "", None]
)
def test_a_group_that_is_not_named_is_known_by_ids_refused_alone(
    workspace: FakeBraze, said: str | None
) -> None:
    workspace.says_of_group = said
    destination = subscriptions(workspace, options={"subscription_group_id": "g2"})
    with pytest.raises(Stopped, match="SUBSCRIPTION_GROUP_REFUSED"):
        halved(destination, [row(f"u{n}") for n in range(50)])
    assert [len(call.keys) for call in workspace.calls].count(1) == 3


def test_one_id_that_is_refused_again_is_still_one(workspace: FakeBraze) -> None:
    workspace.says_of_group = "Bad syntax"
    destination = subscriptions(workspace, options={"subscription_group_id": "g2"})
    for _ in range(4):
        with pytest.raises(Refused, match="HTTP_400"):
            destination.upsert([row("a")])


def test_ids_that_a_group_refuses_are_refused_alone(workspace: FakeBraze) -> None:
    rows = [row(f"u{n}") for n in range(50)]
    workspace.refused_ids = {"u10", "u20", "u21", "u22", "u49"}
    outcomes = by_key(halved(subscriptions(workspace), rows))
    refused = {key for key, outcome in outcomes.items() if outcome == ("rejected", "HTTP_400")}
    assert refused == workspace.refused_ids
    assert workspace.groups["g1"] == {row.key for row in rows} - refused


def test_who_is_erased_is_so_without_the_group(workspace: FakeBraze) -> None:
    workspace.users["a"] = {}
    destination = subscriptions(workspace, options={"subscription_group_id": "g2"})
    rows = [leaver("a", reason="erasure"), leaver("b", reason="consent")]
    assert by_key(destination.remove(rows)) == {
        "a": ("delivered", None),
        "b": ("unknown", "SUBSCRIPTION_GROUP_REFUSED"),
    }
    assert workspace.deleted == {"a"}


# -- limits, credentials, declarations


@pytest.mark.parametrize(("size", "status"), [(75, 201), (76, 400)])
def test_seventy_five_objects_pass_and_one_more_does_not(
    workspace: FakeBraze, size: int, status: int
) -> None:
    destination = braze(workspace)
    assert destination.limits.batch_rows == 75
    rows = [row(f"u{n}") for n in range(size)]
    if status == 201:
        assert len(destination.upsert(rows)) == 75
    else:
        with pytest.raises(Refused):
            destination.upsert(rows)
        assert workspace.contract_violations.pop()
    assert [call.status for call in workspace.calls] == [status]


def test_a_contract_of_fifty_objects_can_be_declared() -> None:
    with FakeBraze(combined_limit=50) as workspace:
        destination = braze(workspace, options={"batch_rows": "50"})
        assert destination.limits.batch_rows == 50
        assert len(destination.upsert([row(f"u{n}") for n in range(50)])) == 50
        assert workspace.contract_violations == []


def test_the_bytes_of_a_batch_are_counted_as_they_are_sent(workspace: FakeBraze) -> None:
    destination = braze(workspace)
    size = 75
    most = destination.limits.batch_bytes // size
    padding = most - destination.weight(row("u00", first_name=""))
    rows = [row(f"u{n:02}", first_name="é" * (padding // 6)) for n in range(size)]
    assert sum(map(destination.weight, rows)) <= destination.limits.batch_bytes
    workspace.max_body_bytes = destination.limits.batch_bytes
    assert set(by_key(destination.upsert(rows)).values()) == {("delivered", None)}
    workspace.max_body_bytes = 3_800_000
    with pytest.raises(Refused, match="HTTP_413"):
        destination.upsert(rows)


@pytest.mark.parametrize("status", [401, 403, 404])
def test_bad_credentials_stop(workspace: FakeBraze, status: int) -> None:
    workspace.faults.append(Fault(status))
    with pytest.raises(Stopped) as caught:
        braze(workspace).upsert([row("a")])
    assert (caught.value.code, caught.value.error_class) == (f"HTTP_{status}", "auth")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"key": "email"}, "external_id"),
        ({"on_leave": {}}, "on_leave"),
        ({"mode": "mirror"}, "cannot do mode"),
        ({"object": "purchases", "mode": "append"}, "cannot do mode"),
        ({"options": {"batch_rows": "76"}}, "batch_rows"),
        ({"options": {"batch_rows": "many"}}, "batch_rows"),
        ({"options": {"numbers": "clv, nothing"}}, "numbers: no column nothing"),
        ({"object": "subscriptions"}, "subscription_group_id"),
        ({"object": "events", "mode": "append"}, "events need"),
    ],
)
def test_what_cannot_be_done_is_said_before_a_run(settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Braze.check(spec_of(**settings))


def test_the_environment_configures_it(
    workspace: FakeBraze, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(LookupError, match="BRAZE_API_KEY"):
        Braze.from_environment(spec_of())
    monkeypatch.setenv("BRAZE_API_KEY", workspace.key)
    with pytest.raises(LookupError, match="BRAZE_REST_URL"):
        Braze.from_environment(spec_of())
    monkeypatch.setenv("BRAZE_REST_URL", workspace.url)
    destination = Braze.from_environment(spec_of())
    assert destination.upsert([row("a")]) == [Outcome.delivered("a")]
    assert set(destination.read([row("a")])) == {"a"}
    assert destination.calls == 2


def test_exports_have_a_rate_of_their_own(
    workspace: FakeBraze, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of their own, because users are written much quicker."""
    (count, seconds) = RATES[EXPORT][0]
    most, minute = workspace.export_rate
    assert (seconds, count < most) == (minute, True)
    assert RATES[SUBSCRIBE][0] < (5000, 60)
    monkeypatch.setattr(http, "_allowances", {})
    monkeypatch.setitem(RATES, EXPORT, ((2, 0.5),))
    workspace.export_rate = (3, 0.5)
    destination = braze(workspace)
    assert destination.read([row(f"u{n}") for n in range(50 * 8)]) == {}
    for _ in range(8):
        destination.upsert([row("a")])
    paths = [(call.path, call.status) for call in workspace.calls]
    assert paths == [("/users/export/ids", 201)] * 8 + [("/users/track", 201)] * 8


@FORTY_EXAMPLES
@given(rows=wild_rows(COLUMNS[1:]))
def test_no_text_breaks_the_contract(workspace: FakeBraze, rows: list[Row]) -> None:
    outcomes = halved(braze(workspace, clear_nulls=["segment"]), rows)
    assert set(by_key(outcomes)) == {row.key for row in rows}
    assert {status for status, _ in by_key(outcomes).values()} <= {"delivered", "rejected"}


@FORTY_EXAMPLES
@given(rows=wild_rows(EVENT_COLUMNS[1:]))
def test_no_text_breaks_the_contract_of_events(workspace: FakeBraze, rows: list[Row]) -> None:
    assert set(by_key(halved(events(workspace), rows))) == {row.key for row in rows}


def test_no_value_is_in_an_outcome_or_an_exception(workspace: FakeBraze) -> None:
    outcomes = braze(workspace).upsert([row("a", email="canary"), row("b", clv="canary")])
    assert "canary" not in repr(outcomes)
    workspace.faults.append(Fault(400, body=b'{"message": "canary"}'))
    rows = [row("a", email="canary@example.com")]
    with pytest.raises(Refused) as caught:
        braze(workspace).upsert(rows)
    assert "canary@" not in "".join(traceback.format_exception(caught.value))
