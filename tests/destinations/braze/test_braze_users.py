"""Braze: users."""

import json
from typing import Any

import pytest

from tests.destinations.braze.case import COLUMNS, braze, row
from tests.destinations.rows import by_key, leaver
from tests.fakes.braze import FakeBraze
from tests.fakes.server import Fault


def error_at(index: int, array: str = "attributes") -> dict:
    return {"type": "wrong", "index": index, "input_array": array}


# -- users


def test_attributes_are_written_with_their_types(workspace: FakeBraze) -> None:
    outcomes = braze(workspace).upsert(
        [row("a", clv="12.5", is_vip="TRUE"), row("b", clv="-3", is_vip="false", segment=None)]
    )
    assert by_key(outcomes) == {"a": ("delivered", None), "b": ("delivered", None)}
    assert workspace.users == {
        "a": {"email": "a@example.com", "segment": "champions", "clv": 12.5, "is_vip": True},
        "b": {"email": "b@example.com", "clv": -3, "is_vip": False},
    }


@pytest.mark.parametrize("number", ["x", "nan", "inf", "1e999", "", "9" * 5000])
def test_a_value_of_the_wrong_type_refuses_its_row_alone(workspace: FakeBraze, number: str) -> None:
    outcomes = braze(workspace).upsert([row("a", clv=number), row("b", is_vip="yes"), row("c")])
    assert by_key(outcomes) == {
        "a": ("rejected", "INVALID_CLV"),
        "b": ("rejected", "INVALID_IS_VIP"),
        "c": ("delivered", None),
    }
    assert set(workspace.users) == {"c"}


def test_errors_under_201_find_their_rows(workspace: FakeBraze) -> None:
    rows = [row("a"), row("b", email="bad"), row("c"), row("d", email_subscribe="maybe")]
    assert by_key(braze(workspace).upsert(rows)) == {
        "a": ("delivered", None),
        "b": ("rejected", "INVALID_EMAIL"),
        "c": ("delivered", None),
        "d": ("rejected", "INVALID_EMAIL_SUBSCRIBE"),
    }
    assert set(workspace.users) == {"a", "c"}


def test_a_call_of_which_all_is_wrong_needs_no_halving(workspace: FakeBraze) -> None:
    outcomes = braze(workspace).upsert([row("a", email="bad"), row("b", email="worse")])
    assert {status for status, _ in by_key(outcomes).values()} == {"rejected"}
    assert [call.status for call in workspace.calls] == [400]


@pytest.mark.parametrize(
    ("body", "statuses"),
    [
        ({"message": "success", "errors": ["something"]}, ["unknown", "unknown"]),
        ({"message": "success", "errors": [error_at(9)]}, ["unknown"]),
        ({"message": "success", "errors": [error_at(-1)]}, ["unknown"]),
        ({"message": "success", "errors": [error_at(0, "events")]}, ["unknown"]),
        ({"message": "odd"}, ["unknown"]),
        ([], ["unknown"]),
        ({"message": "queued"}, ["delivered"]),
        ({"message": "success", "errors": [error_at(1), "x"]}, ["unknown", "rejected"]),
    ],
)
def test_only_what_is_confirmed_is_delivered(
    workspace: FakeBraze, body: Any, statuses: list[str]
) -> None:
    workspace.faults.append(Fault(201, body=json.dumps(body).encode()))
    outcomes = braze(workspace).upsert([row("a"), row("b")])
    found = [status for status, _ in by_key(outcomes).values()]
    assert found == (statuses if len(statuses) == 2 else statuses * 2)


def test_nulls_are_left_alone_or_remove_the_attribute(workspace: FakeBraze) -> None:
    workspace.users["a"] = {"first_name": "Ana", "segment": "loyal"}
    braze(workspace, clear_nulls=["segment"]).upsert([row("a", first_name=None, segment=None)])
    assert workspace.users["a"] == {"first_name": "Ana", "email": "a@example.com"}


def test_update_only_makes_no_user(workspace: FakeBraze) -> None:
    workspace.users["a"] = {}
    braze(workspace, mode="update_only").upsert([row("a"), row("b")])
    assert set(workspace.users) == {"a"}
    assert workspace.users["a"]["segment"] == "champions"


def test_who_leaves_keeps_the_profile_and_loses_what_was_declared(workspace: FakeBraze) -> None:
    workspace.users["a"] = {"segment": "champions", "email_subscribe": "opted_in", "city": "Rome"}
    on_leave = {"segment": "", "email_subscribe": "unsubscribed"}
    rows = [leaver("a", reason="consent"), leaver("nobody")]
    outcomes = braze(workspace, on_leave=on_leave).remove(rows)
    assert set(by_key(outcomes).values()) == {("delivered", None)}
    assert workspace.users == {"a": {"email_subscribe": "unsubscribed", "city": "Rome"}}


@pytest.mark.parametrize("mode", ["upsert", "update_only"])
def test_without_on_leave_a_withdrawal_is_not_told_as_done(workspace: FakeBraze, mode: str) -> None:
    destination = braze(workspace, mode=mode, on_leave={}, on_erasure="leave")
    rows = [leaver("a", reason="consent"), leaver("b", reason="erasure")]
    refused = ("rejected", "NO_REMOVAL_DECLARED")
    assert by_key(destination.remove(rows)) == {"a": refused, "b": refused}
    assert workspace.calls == []


def test_erasure_deletes_fifty_a_call_unless_declared_otherwise(workspace: FakeBraze) -> None:
    workspace.users = {f"u{n}": {"segment": "x"} for n in range(53)}
    rows = [leaver(f"u{n}", reason="erasure") for n in range(51)] + [leaver("u51")]
    outcomes = braze(workspace).remove(rows)
    assert set(by_key(outcomes).values()) == {("delivered", None)}
    assert workspace.users == {"u51": {}, "u52": {"segment": "x"}}
    assert [(call.path, len(call.keys)) for call in workspace.calls] == [
        ("/users/delete", 50),
        ("/users/delete", 1),
        ("/users/track", 1),
    ]
    braze(workspace, on_erasure="leave").remove([leaver("u52", reason="erasure")])
    assert workspace.users["u52"] == {}


def test_who_is_listed_is_deleted(workspace: FakeBraze) -> None:
    workspace.users = {"a": {}, "b": {}}
    destination = braze(workspace, mode="delete", on_leave={})
    outcomes = destination.remove([leaver("a", reason="listed"), leaver("x", reason="listed")])
    assert set(by_key(outcomes).values()) == {("delivered", None)}
    assert set(workspace.users) == {"b"}
    with pytest.raises(ValueError, match="writes nothing"):
        destination.upsert([row("a")])


def test_deletions_after_a_silent_one_are_not_tried(workspace: FakeBraze) -> None:
    workspace.faults.extend([Fault(), Fault(500), Fault(500)])
    rows = [leaver(f"u{n}", reason="erasure") for n in range(75)]
    outcomes = by_key(braze(workspace).remove(rows))
    assert list(outcomes.values()).count(("delivered", None)) == 50
    assert list(outcomes.values()).count(("unknown", "HTTP_500")) == 25


def test_a_lost_answer_about_attributes_is_asked_again(workspace: FakeBraze) -> None:
    workspace.faults.append(Fault(applies=True, hangs_up=True))
    assert by_key(braze(workspace).upsert([row("a")])) == {"a": ("delivered", None)}
    assert len(workspace.calls) == 2


def test_profiles_can_be_read(workspace: FakeBraze) -> None:
    workspace.users = {f"u{n}": {"email": "e@example.com", "clv": n} for n in range(60)}
    workspace.users["u0"]["is_vip"] = True
    held = braze(workspace).read([row(f"u{n}") for n in range(61)])
    assert len(held) == 60
    assert held["u0"] | {"external_id": None} == dict.fromkeys(COLUMNS) | {
        "email": "e@example.com",
        "clv": "0",
        "is_vip": "true",
    }
    assert len(workspace.calls) == 2


def test_a_number_read_back_is_as_the_row_writes_it(workspace: FakeBraze) -> None:
    written = row("a", clv="12.50", is_vip="TRUE", first_name="Ana")
    braze(workspace).upsert([written])
    assert braze(workspace).read([written])["a"] == dict.fromkeys(COLUMNS) | written.values
    workspace.users["a"]["clv"] = 13
    assert braze(workspace).read([written])["a"]["clv"] == "13"
