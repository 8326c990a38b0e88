"""Braze: attributes of users, custom events, and members of subscription groups.

A user's external id is our customer id. Braze answers 201 although it refused some objects, and
it keeps every event it is sent, so an event whose answer was lost is never sent again.
"""

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from orchestration.destinations._braze import (
    DELETE,
    EXPORT,
    RATES,
    SUBSCRIBE,
    TAKEN,
    TRACK,
    BrazeApi,
    is_about_group,
    refusal,
)
from orchestration.destinations.base import (
    Destination,
    Limits,
    Outcome,
    Row,
    Stopped,
    Unanswered,
    setting,
)
from orchestration.sync.http import Reply
from orchestration.sync.spec import SyncSpec

_ID = "external_id"
_EVENT_FIELDS = (_ID, "name", "time", "app_id")
_DONE = ("success", "queued")  # queued, 202: while Braze is under maintenance
_OBJECTS_PER_CALL = 75  # attributes, or events; contracts by monthly users: 50
_IDS_PER_CALL = 50  # delete, export, subscription status
# Ids that are refused each alone, while the group has taken none: then it is the group.
_LONE_REFUSALS = 3
# Fields of a profile that are exported under their own name; others are custom attributes.
_PROFILE_FIELDS = {"country", "dob", "email", "email_subscribe", "first_name", "gender"}
_PROFILE_FIELDS |= {"home_city", "language", "last_name", "phone", "push_subscribe", "time_zone"}
_QUOTED = re.compile(r"'(\w+)'")


class Braze(Destination):
    """One workspace. Environment: ``BRAZE_API_KEY``, ``BRAZE_REST_URL`` (it depends on the
    cluster, say ``https://rest.fra-01.braze.eu``)."""

    name = "braze"
    manner_options = frozenset({"batch_rows"})
    content_options = frozenset({"numbers", "booleans"})
    supported = frozenset(
        {("users", mode) for mode in ("upsert", "update_only", "audience", "delete")}
        | {("events", "append"), ("subscriptions", "audience")}
    )

    def __init__(self, spec: SyncSpec, api: BrazeApi) -> None:
        self._spec = spec
        self._api = api
        self.limits = _limits(spec)
        self._numbers = _names(spec, "numbers")
        self._booleans = _names(spec, "booleans")
        self._group_is_there = False
        self._refused_alone: set[str] = set()

    @classmethod
    def from_environment(cls, spec: SyncSpec) -> "Braze":
        key = setting("BRAZE_API_KEY")
        return cls(spec, BrazeApi(setting("BRAZE_REST_URL"), key))

    @classmethod
    def check(cls, spec: SyncSpec) -> None:
        super().check(spec)
        if spec.object == "events":
            missing = [name for name in (_ID, "name", "time") if name not in spec.columns]
            if missing or spec.person != _ID:
                raise ValueError("events need the columns external_id (person), name and time")
        elif spec.key != _ID:
            raise ValueError("key: Braze users are found by external_id")
        elif spec.object == "subscriptions" and not spec.options.get("subscription_group_id"):
            raise ValueError("options.subscription_group_id: which group")
        elif (spec.object, spec.mode) == ("users", "audience") and not spec.on_leave:
            raise ValueError("on_leave: what Braze is to hold of who left must be said")
        rows = spec.options.get("batch_rows", "1")
        if not (rows.isdigit() and 1 <= int(rows) <= _OBJECTS_PER_CALL):
            raise ValueError("options.batch_rows: 1 to 75")
        for option in ("numbers", "booleans"):
            if unknown := _names(spec, option) - set(spec.columns):
                raise ValueError(f"options.{option}: no column {', '.join(sorted(unknown))}")

    @property
    def calls(self) -> int:
        return self._api.calls

    def weight(self, row: Row) -> int:
        return len(json.dumps({_ID: row.key, "properties": dict(row.values)})) + 50

    def upsert(self, rows: Sequence[Row]) -> list[Outcome]:
        if self._spec.mode == "delete":
            raise ValueError("mode delete writes nothing")
        if self._spec.object == "subscriptions":
            return self._set_subscription(rows, "subscribed")
        if self._spec.object == "events":
            return self._track("events", rows, self._event)
        return self._track("attributes", rows, self._attributes)

    def remove(self, rows: Sequence[Row]) -> list[Outcome]:
        if self._spec.object == "events":
            return self._remove_events(rows)
        erased = [row for row in rows if self._is_erased(row)]
        others = [row for row in rows if not self._is_erased(row)]
        outcomes = self._delete({row.key: row.key for row in erased})
        if self._spec.object == "subscriptions":
            return outcomes + self._unsubscribe(others, is_beside_others=bool(outcomes))
        if not self._spec.on_leave:
            return outcomes + [Outcome.rejected(row.key, "NO_REMOVAL_DECLARED") for row in others]
        return outcomes + self._track("attributes", others, self._emptied)

    def read(self, rows: Sequence[Row]) -> Mapping[str, Mapping[str, str | None]] | None:
        """Profiles by export, 50 a call. Slow over there: for samples."""
        if self._spec.object != "users":
            return None
        fields = [name for name in self._spec.columns if name in _PROFILE_FIELDS]
        held: dict[str, dict[str, Any]] = {}
        for start in range(0, len(rows), _IDS_PER_CALL):
            payload = {
                "external_ids": [row.key for row in rows[start : start + _IDS_PER_CALL]],
                "fields_to_export": [_ID, "custom_attributes", *fields],
            }
            body = self._api.post(EXPORT, payload).body
            for user in _list(body, "users"):
                custom = user.get("custom_attributes") or {}
                held[str(user.get(_ID))] = custom | user
        return {row.key: self._as_text(row, held[row.key]) for row in rows if row.key in held}

    # -- calls

    def _track(
        self, array: str, rows: Sequence[Row], build: Callable[[Row], dict[str, Any]]
    ) -> list[Outcome]:
        """``/users/track`` with one of its arrays."""
        outcomes, sent, objects = [], [], []
        for row in rows:
            try:
                objects.append(build(row))
                sent.append(row)
            except _Unfit as unfit:
                outcomes.append(Outcome.rejected(row.key, f"INVALID_{unfit.column.upper()}"))
        if not sent:
            return outcomes
        reply = self._api.send(TRACK, {array: objects}, repeatable=array == "attributes")
        codes, is_loose = self._errors(array, len(sent), reply.body)
        if reply.status not in TAKEN and len(codes) < len(sent):
            raise refusal(reply)
        message = reply.body.get("message") if isinstance(reply.body, dict) else None
        for index, row in enumerate(sent):
            if index in codes:
                outcomes.append(Outcome.rejected(row.key, codes[index]))
            elif is_loose:
                outcomes.append(Outcome.unknown(row.key, "ERROR_OF_SOME_ROW"))
            elif message in _DONE:
                outcomes.append(Outcome.delivered(row.key))
            else:
                outcomes.append(Outcome.unknown(row.key, "NO_RESULT"))
        return outcomes

    def _set_subscription(self, rows: Sequence[Row], state: str) -> list[Outcome]:
        payload = {
            "subscription_group_id": self._spec.options["subscription_group_id"],
            "subscription_state": state,
            _ID: [row.key for row in rows],
        }
        reply = self._api.send(SUBSCRIBE, payload)
        if reply.status in TAKEN:
            self._group_is_there = True
            return _settled(rows, reply)
        if reply.status == 400 and self._is_group_refused(rows, reply):
            raise Stopped("SUBSCRIPTION_GROUP_REFUSED")
        raise refusal(reply)

    def _is_group_refused(self, rows: Sequence[Row], reply: Reply) -> bool:
        """Braze does not document what it says of a group that is not there."""
        if len(rows) == 1:
            self._refused_alone.add(rows[0].key)
        is_likely = not self._group_is_there and len(self._refused_alone) >= _LONE_REFUSALS
        return is_likely or is_about_group(reply.body)

    def _unsubscribe(self, rows: Sequence[Row], is_beside_others: bool) -> list[Outcome]:
        """A group that is gone must not cost those who were deleted beside their outcome."""
        try:
            return self._in_parts(rows, lambda part: self._set_subscription(part, "unsubscribed"))
        except Stopped as stopped:
            if not is_beside_others:
                raise
            return [Outcome.unknown(row.key, stopped.code, stopped.error_class) for row in rows]

    def _remove_events(self, rows: Sequence[Row]) -> list[Outcome]:
        """Braze takes no event back. An erasure deletes the user that had them."""
        users = {row.key: row.customer_id for row in rows if row.customer_id}
        if not all(self._is_erased(row) for row in rows) or len(users) < len(rows):
            return [Outcome.rejected(row.key, "EVENTS_STAY") for row in rows]
        return self._delete(users)

    def _delete(self, users: Mapping[str, str]) -> list[Outcome]:
        """Users by row key, for good. Ids that Braze does not know are no error."""
        ids = [Row(user, "remove", "") for user in dict.fromkeys(users.values())]
        told = {outcome.key: outcome for outcome in self._in_parts(ids, self._delete_part)}
        return [replace(told[user], key=key) for key, user in users.items()]

    def _delete_part(self, rows: Sequence[Row]) -> list[Outcome]:
        reply = self._api.post(DELETE, {"external_ids": [row.key for row in rows]})
        return _settled(rows, reply, "deleted")

    def _in_parts(
        self, rows: Sequence[Row], act: Callable[[Sequence[Row]], list[Outcome]]
    ) -> list[Outcome]:
        """Calls of 50 ids. When one has no known end, those after it are not tried."""
        outcomes: list[Outcome] = []
        for start in range(0, len(rows), _IDS_PER_CALL):
            try:
                outcomes += act(rows[start : start + _IDS_PER_CALL])
            except Unanswered as unanswered:
                return outcomes + [Outcome.unknown(r.key, unanswered.code) for r in rows[start:]]
        return outcomes

    def _errors(self, array: str, count: int, body: Any) -> tuple[dict[int, str], bool]:
        """Codes by position in the array, and whether there is an error of no position. Of
        the text of an error only a column's name is used."""
        codes, is_loose = {}, False
        errors = body.get("errors") if isinstance(body, dict) else None
        for error in errors if isinstance(errors, list) else []:
            known = error if isinstance(error, dict) else {}
            index = known.get("index")
            if known.get("input_array") == array and isinstance(index, int) and 0 <= index < count:
                named = _QUOTED.findall(str(known.get("type")))
                column = next((name for name in named if name in self._spec.columns), "object")
                codes[index] = f"INVALID_{column.upper()}"
            else:
                is_loose = True
        return codes, is_loose

    # -- rows

    def _attributes(self, row: Row) -> dict[str, Any]:
        """Null leaves an attribute alone unless the sync says it removes it."""
        fields = self._typed(row, leaving_out=(self._spec.key,))
        cleared = dict.fromkeys(self._spec.clear_nulls)
        only = {"_update_existing_only": True} if self._spec.mode == "update_only" else {}
        return {_ID: row.key} | only | cleared | fields

    def _emptied(self, row: Row) -> dict[str, Any]:
        """``on_leave``; the empty text removes an attribute. Makes no user anew."""
        fields = {name: value or None for name, value in self._spec.on_leave.items()}
        return {_ID: row.key, "_update_existing_only": True} | fields

    def _event(self, row: Row) -> dict[str, Any]:
        for name in (_ID, "name", "time"):
            if not row.values.get(name):
                raise _Unfit(name)
        event = {name: row.values[name] for name in _EVENT_FIELDS if row.values.get(name)}
        properties = self._typed(row, leaving_out=(self._spec.key, *_EVENT_FIELDS))
        return event | ({"properties": properties} if properties else {})

    def _typed(self, row: Row, leaving_out: Sequence[str]) -> dict[str, Any]:
        return {
            name: self._value(name, text)
            for name, text in row.values.items()
            if text is not None and name not in leaving_out
        }

    def _value(self, column: str, text: str) -> Any:
        if column in self._booleans:
            if text.lower() not in ("true", "false"):
                raise _Unfit(column)
            return text.lower() == "true"
        if column not in self._numbers:
            return text
        try:
            number = int(text) if re.fullmatch(r"-?\d+", text, re.ASCII) else float(text)
        except ValueError:
            raise _Unfit(column) from None
        if not math.isfinite(number):
            raise _Unfit(column)
        return number

    def _as_text(self, row: Row, held: Mapping[str, Any]) -> dict[str, str | None]:
        """What Braze holds, as the row writes it where it is the same (12.50 and 12.5)."""
        texts: dict[str, str | None] = {}
        for name in self._spec.columns:
            value, text = held.get(name), row.values.get(name)
            texts[name] = _text(value)
            with suppress(_Unfit):
                if text is not None and self._value(name, text) == value:
                    texts[name] = text
        return texts

    def _is_erased(self, row: Row) -> bool:
        if row.reason == "erasure":
            return self._spec.on_erasure == "delete"
        return self._spec.mode == "delete"


class _Unfit(Exception):
    """A value that Braze could not take."""

    def __init__(self, column: str) -> None:
        self.column = column
        super().__init__(column)


def _limits(spec: SyncSpec) -> Limits:
    """Bodies have 4 MB."""
    most = _IDS_PER_CALL if spec.object == "subscriptions" else _OBJECTS_PER_CALL
    rows = min(int(spec.options.get("batch_rows", most)), most)
    return Limits(batch_rows=rows, rates=RATES[TRACK], batch_bytes=3_900_000)


def _names(spec: SyncSpec, option: str) -> frozenset[str]:
    return frozenset(spec.options.get(option, "").replace(",", " ").split())


def _settled(rows: Sequence[Row], reply: Reply, count: str = "") -> list[Outcome]:
    """Of a call that succeeds or fails as a whole: a success says so, or has ``count``."""
    body = reply.body if isinstance(reply.body, dict) else {}
    if count in body or body.get("message") in _DONE:
        return [Outcome.delivered(row.key) for row in rows]
    return [Outcome.unknown(row.key, "NO_RESULT") for row in rows]


def _list(body: Any, name: str) -> list[dict]:
    found = body.get(name) if isinstance(body, dict) else None
    return [item for item in found or [] if isinstance(item, dict)]


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    return None if value is None else str(value)
