"""A Braze workspace on the loopback.

Strict as far as the vendor documents it: key, JSON, 75 objects an array (or 50 in all), 50 ids,
4 MB, types, 250 exports a minute. It keeps every event, also a repeated one. Objects that are
wrong are named by their place in an array under status 201; when all are wrong the status is 400.
What it says of a group that is not there, or of an id, is made up: the vendor does not tell.
"""

import json
import math
import re
import time
from datetime import datetime
from typing import Any

from tests.fakes.server import Answer, ApiError, FakeServer, Request

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_SUBSCRIPTION = {"opted_in", "subscribed", "unsubscribed"}
_ARRAYS = ("attributes", "events", "purchases")
_ARRAY_ROWS = 75
_IDS = 50
_OBJECT_BYTES = 100_000


class FakeBraze(FakeServer):
    """``users`` maps external ids to attributes; ``events`` in order; ``groups`` maps ids of
    subscription groups to external ids."""

    max_body_bytes = 4_000_000

    def __init__(self, key: str = "fake-key", combined_limit: int | None = None) -> None:
        super().__init__()
        self.key = key
        self.combined_limit = combined_limit
        """Objects of all arrays together, as contracts by monthly users have it."""
        self.users: dict[str, dict[str, Any]] = {}
        self.events: list[dict[str, Any]] = []
        self.groups: dict[str, set[str]] = {}
        self.deleted: set[str] = set()
        self.refused_ids: set[str] = set()
        """Ids that a call about a subscription group is refused for."""
        self.says_of_group = "Invalid subscription group id"
        """Where a group is not there."""
        self.export_rate = (250, 60.0)
        self._exports: list[float] = []

    def answer(self, request: Request) -> Answer:
        if request.headers.get("authorization") != f"Bearer {self.key}":
            raise ApiError(401, {"message": "Invalid API key"})
        if request.headers.get("content-type") != "application/json":
            raise self._violation("Content-Type must be application/json")
        routes = {
            "/users/track": self._track,
            "/users/delete": self._delete,
            "/users/export/ids": self._export,
            "/subscription/status/set": self._set_status,
        }
        if request.method != "POST" or request.path not in routes:
            raise self._violation("no such resource", 404)
        if not isinstance(request.json, dict) or b"NaN" in request.body:
            raise self._violation("Bad syntax")
        return routes[request.path](request.json)

    def keys(self, request: Request) -> tuple[str, ...]:
        payload = request.json if isinstance(request.json, dict) else {}
        ids = payload.get("external_ids") or payload.get("external_id") or []
        objects = [item for name in _ARRAYS for item in payload.get(name) or []]
        return tuple(map(str, ids)) + tuple(str(item.get("external_id")) for item in objects)

    def _violation(self, message: str, status: int = 400) -> ApiError:
        self.contract_violations.append(message)
        return ApiError(status, {"message": message})

    # -- /users/track

    def _track(self, payload: dict) -> Answer:
        arrays = {name: payload.get(name, []) for name in _ARRAYS}
        if set(payload) - set(_ARRAYS) or not all(isinstance(a, list) for a in arrays.values()):
            raise self._violation("only arrays of attributes, events and purchases")
        total = sum(map(len, arrays.values()))
        if max(map(len, arrays.values())) > _ARRAY_ROWS or total > (self.combined_limit or total):
            raise self._violation("Max Input Length Exceeded")
        checks = {"attributes": _attributes_error, "events": _event_error}
        errors = []
        body: dict[str, Any] = {"message": "success"}
        for name, objects in arrays.items():
            if not objects:
                continue
            found = {i: e for i, item in enumerate(objects) if (e := checks[name](item))}
            errors += [{"type": e, "input_array": name, "index": i} for i, e in found.items()]
            for index, item in enumerate(objects):
                if index not in found:
                    self._apply(name, item)
            body[f"{name}_processed"] = len(objects) - len(found)
        if not total or len(errors) == total:
            text = (
                "Valid data must be provided in the 'attributes', 'events', or 'purchases' fields."
            )
            raise ApiError(400, body | {"message": text, "errors": errors})
        return Answer(201, body | ({"errors": errors} if errors else {}))

    def _apply(self, name: str, item: dict) -> None:
        only_existing = item.get("_update_existing_only", False)
        if item["external_id"] not in self.users and only_existing:
            return
        user = self.users.setdefault(item["external_id"], {})
        if name == "events":
            self.events.append(item)
            return
        fields = {
            k: v for k, v in item.items() if k not in ("external_id", "_update_existing_only")
        }
        merged = user | fields
        self.users[item["external_id"]] = {k: v for k, v in merged.items() if v is not None}

    # -- the others

    def _ids(self, ids: Any) -> list[str]:
        if not isinstance(ids, list) or not ids or not all(isinstance(i, str) and i for i in ids):
            raise self._violation("a list of external ids")
        if len(ids) > _IDS:
            raise self._violation("The max number of ids per request was exceeded")
        return ids

    def _delete(self, payload: dict) -> Answer:
        if set(payload) != {"external_ids"}:
            raise self._violation("only one kind of identifier")
        ids = self._ids(payload["external_ids"])
        there = [user for user in ids if self.users.pop(user, None) is not None]
        self.deleted.update(there)
        return Answer(201, {"deleted": len(ids), "message": "success"})

    def _export(self, payload: dict) -> Answer:
        most, seconds = self.export_rate
        now = time.monotonic()
        self._exports = [at for at in self._exports if now - at < seconds]
        if len(self._exports) >= most:
            raise ApiError(429, {"message": "Rate limit exceeded"})
        self._exports.append(now)
        ids = self._ids(payload.get("external_ids"))
        fields = set(payload.get("fields_to_export", []))
        users = []
        for name in ids:
            if name in self.users:
                profile = {k: v for k, v in self.users[name].items() if k in fields}
                custom = {k: v for k, v in self.users[name].items() if k not in _PROFILE}
                users.append({"external_id": name, "custom_attributes": custom} | profile)
        missing = [name for name in ids if name not in self.users]
        return Answer(201, {"message": "success", "users": users, "invalid_user_ids": missing})

    def _set_status(self, payload: dict) -> Answer:
        wanted = {"subscription_group_id", "subscription_state", "external_id"}
        state = payload.get("subscription_state")
        if set(payload) != wanted or state not in ("subscribed", "unsubscribed"):
            raise self._violation("group, state and external ids")
        if payload["subscription_group_id"] not in self.groups:
            raise ApiError(400, {"message": self.says_of_group})
        members = self.groups[payload["subscription_group_id"]]
        ids = self._ids(payload["external_id"])
        if self.refused_ids & set(ids):
            raise ApiError(400, {"message": "external_id of a subscription group is not valid"})
        for user in ids:
            members.add(user) if state == "subscribed" else members.discard(user)
        return Answer(201, {"message": "success"})


_PROFILE = {"country", "dob", "email", "email_subscribe", "first_name", "gender", "home_city"}
_PROFILE |= {"language", "last_name", "phone", "push_subscribe", "time_zone"}


def _common_error(item: Any) -> str | None:
    if not isinstance(item, dict) or not isinstance(item.get("external_id"), str):
        return "'external_id', 'braze_id', 'user_alias', 'email' or 'phone' is required"
    if not item["external_id"]:
        return "'external_id' must not be blank"
    if len(json.dumps(item)) > _OBJECT_BYTES:
        return "the object is too large"
    if not isinstance(item.get("_update_existing_only", False), bool):
        return "'_update_existing_only' must be a boolean"
    return None


def _attributes_error(item: Any) -> str | None:
    if error := _common_error(item):
        return error
    for name, value in item.items():
        if isinstance(value, float) and not math.isfinite(value):
            return f"'{name}' must be a number"
        if name in _PROFILE and not (value is None or isinstance(value, str)):
            return f"'{name}' must be a string"
    if item.get("email") is not None and not _EMAIL.fullmatch(item["email"]):
        return f"'email' is not valid: {item['email']}"
    if item.get("email_subscribe") not in (None, *_SUBSCRIPTION):
        return "'email_subscribe' must be opted_in, subscribed or unsubscribed"
    return None


def _event_error(item: Any) -> str | None:
    if error := _common_error(item):
        return error
    if unknown := set(item) - {"external_id", "app_id", "name", "time", "properties"}:
        return f"'{sorted(unknown)[0]}' is not a field of an event"
    if not isinstance(item.get("name"), str) or not item["name"]:
        return "'name' is required"
    try:
        datetime.fromisoformat(str(item.get("time")))
    except ValueError:
        return f"'time' is not valid: {item.get('time')}"
    for name, value in item.get("properties", {}).items():
        if not name or len(name) > 255 or name.startswith("$"):
            return "a property's name is not valid"
        if isinstance(value, str) and len(value) > 255:
            return f"'{name}' must have 255 characters or fewer"
    return None
