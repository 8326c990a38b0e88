"""A Mailchimp account on the loopback.

Strict as far as the vendor documents it: key, JSON, 500 members a call, known statuses, text
merge fields. Members that are refused come under status 200 with their address and a text that
repeats it. A member that unsubscribed cannot be subscribed, an address that was deleted cannot
come back, who is archived stays so without an explicit status. A member's id is that of the
address it has now; its contact id stays. Deletion takes the former alone.
"""

import base64
import hashlib
import re
from itertools import count
from typing import Any

from tests.fakes.server import Answer, ApiError, FakeServer, Request

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_STATUSES = {"subscribed", "unsubscribed", "cleaned", "pending", "transactional"}
_BATCH_ROWS = 500
_TEXT_CHARACTERS = 255
_LIST = re.compile(r"/3\.0/lists/(\w+)")
_MEMBER = re.compile(r"/3\.0/lists/(\w+)/members/([0-9a-f]{32})(/actions/delete-permanent)?")
_ITEM = {"email_address", "email_type", "status", "status_if_new", "merge_fields"}


def subscriber_hash(email: str) -> str:
    return hashlib.md5(email.lower().encode(), usedforsecurity=False).hexdigest()


def problem(status: int, title: str, detail: str = "") -> ApiError:
    return ApiError(status, {"title": title, "status": status, "detail": detail, "instance": "x"})


class FakeMailchimp(FakeServer):
    """One audience, ``list_id``. ``members`` maps subscriber hashes to address, status and merge
    fields; ``forgotten`` are hashes of addresses deleted for good, ``contacts`` contact ids by
    the hash of the address of now."""

    list_id = "a1b2c3d4e5"

    def __init__(self, key: str = "fake-us1", required: set[str] | None = None) -> None:
        super().__init__()
        self.key = key
        self._numbers = count(1)
        self.required = required or set()
        """Merge fields a member must have."""
        self.members: dict[str, dict[str, Any]] = {}
        self.contacts: dict[str, str] = {}
        self.forgotten: set[str] = set()

    def add(self, email: str, status: str = "subscribed", **merge_fields: str) -> str:
        """Put a member there, as a form would; its hash."""
        member = subscriber_hash(email)
        fields = {"email_address": email, "status": status, "merge_fields": merge_fields}
        self._put(member, fields)
        return member

    def change_address(self, old: str, new: str) -> str:
        """What a person does at Mailchimp; the new hash."""
        member, changed = subscriber_hash(old), subscriber_hash(new)
        self._move(member, changed, self.members[member] | {"email_address": new})
        return changed

    def answer(self, request: Request) -> Answer:
        scheme, _, login = request.headers.get("authorization", "").partition(" ")
        if scheme != "Basic" or base64.b64decode(login).decode().partition(":")[2] != self.key:
            raise problem(401, "API Key Invalid")
        if request.body and request.headers.get("content-type") != "application/json":
            raise self._violation(415, "Unsupported Media Type", "JSON only")
        if (found := _LIST.fullmatch(request.path)) and request.method == "POST":
            self._check_list(found[1])
            return self._batch(request.json)
        found = _MEMBER.fullmatch(request.path)
        if not found or (found[3] and request.method != "POST"):
            raise self._violation(404, "Resource Not Found", "no such resource")
        self._check_list(found[1])
        verbs = {"GET": self._get, "PATCH": self._patch, "DELETE": self._archive}
        hashes = {contact: member for member, contact in self.contacts.items()}
        member = found[2] if found[3] else hashes.get(found[2], found[2])
        if member not in self.members:
            raise problem(404, "Resource Not Found")
        if found[3]:
            return self._delete(member)
        if request.method not in verbs:
            raise self._violation(405, "Method Not Allowed", "no such method")
        return verbs[request.method](member, request.json)

    def keys(self, request: Request) -> tuple[str, ...]:
        if found := _MEMBER.fullmatch(request.path):
            return (found[2],)
        payload = request.json if isinstance(request.json, dict) else {}
        return tuple(str(item.get("email_address")) for item in payload.get("members", []))

    def _violation(self, status: int, title: str, detail: str) -> ApiError:
        self.contract_violations.append(detail)
        return problem(status, title, detail)

    def _check_list(self, list_id: str) -> None:
        if list_id != self.list_id:
            raise problem(404, "Resource Not Found")

    # -- many

    def _batch(self, payload: Any) -> Answer:
        items = payload.get("members") if isinstance(payload, dict) else None
        if not isinstance(items, list) or not 0 < len(items) <= _BATCH_ROWS:
            raise self._violation(400, "Invalid Resource", "1 to 500 members")
        update = payload.get("update_existing", False)
        unknown = set(payload) - {"members", "update_existing", "sync_tags"}
        if unknown or not isinstance(update, bool):
            raise self._violation(400, "Invalid Resource", "unknown field of a batch")
        body: dict[str, Any] = {"new_members": [], "updated_members": [], "errors": []}
        seen: set[str] = set()
        for item in items:
            self._check_item(item)
            error = self._error_of(item, update, seen)
            seen.add(subscriber_hash(item["email_address"]))
            if error:
                body["errors"].append({"email_address": item["email_address"]} | error)
                continue
            kind, member = self._store(item)
            body[kind].append(member)
        body["new_members"].reverse()  # nobody promised an order
        counts = {"total_created": len(body["new_members"]), "error_count": len(body["errors"])}
        return Answer(200, body | counts | {"total_updated": len(body["updated_members"])})

    def _check_item(self, item: Any) -> None:
        if not isinstance(item, dict) or set(item) - _ITEM:
            raise self._violation(400, "Invalid Resource", "unknown field of a member")
        if not isinstance(item.get("email_address"), str) or not item["email_address"]:
            raise self._violation(400, "Invalid Resource", "email_address is required")
        given = {item.get("status"), item.get("status_if_new")} - {None}
        if not given or given - _STATUSES:
            raise self._violation(400, "Invalid Resource", "a known status is required")
        fields = item.get("merge_fields", {})
        if not isinstance(fields, dict) or not all(isinstance(v, str) for v in fields.values()):
            raise self._violation(400, "Invalid Resource", "merge fields are text here")

    def _error_of(self, item: dict, update: bool, seen: set[str]) -> dict[str, str] | None:
        email = item["email_address"]
        member = subscriber_hash(email)
        there = self.members.get(member)
        if not _EMAIL.fullmatch(email):
            return _error(f"{email} looks fake or invalid")
        if member in seen:
            return _error(f"Duplicate email address: {email}")
        if member in self.forgotten:
            return _error(f"{email} was permanently deleted and cannot be re-imported")
        if there and there["status"] != "archived" and not update:
            return _error(f"{email} is already a list member", "ERROR_CONTACT_EXISTS")
        if item.get("status") == "subscribed" and there and there["status"] == "unsubscribed":
            return _error(f"{email} is in a compliance state")
        held = (there or {}).get("merge_fields", {}) | item.get("merge_fields", {})
        for tag in self.required:
            if not held.get(tag):
                return _error(f"{email} lacks a field", field=tag)
        for tag, value in item.get("merge_fields", {}).items():
            if len(value) > _TEXT_CHARACTERS:
                return _error(f"{email} has too long a field", field=tag)
        return None

    def _store(self, item: dict) -> tuple[str, dict]:
        member = subscriber_hash(item["email_address"])
        there = self.members.get(member)
        is_new = there is None
        status = item.get("status_if_new") if is_new else None
        there = there or {"email_address": item["email_address"], "merge_fields": {}}
        there["status"] = item.get("status") or status or there["status"]
        there["merge_fields"] = there["merge_fields"] | item.get("merge_fields", {})
        self._put(member, there)
        return "new_members" if is_new else "updated_members", self._shown(member)

    def _put(self, member: str, fields: dict[str, Any]) -> None:
        self.members[member] = fields
        if member not in self.contacts:
            # They look like hashes of addresses.
            self.contacts[member] = subscriber_hash(f"contact {next(self._numbers)}")

    def _move(self, old: str, new: str, fields: dict[str, Any]) -> None:
        del self.members[old]
        self.members[new] = fields
        self.contacts[new] = self.contacts.pop(old)

    def _shown(self, member: str) -> dict[str, Any]:
        return {"id": member, "contact_id": self.contacts[member]} | self.members[member]

    # -- one

    def _get(self, member: str, _: Any) -> Answer:
        return Answer(200, self._shown(member))

    def _patch(self, member: str, payload: Any) -> Answer:
        allowed = {"email_address", "status", "merge_fields"}
        if not isinstance(payload, dict) or not payload or set(payload) - allowed:
            raise self._violation(400, "Invalid Resource", "unknown field of a member")
        there = self.members[member]
        if payload.get("status", "unsubscribed") not in _STATUSES:
            raise self._violation(400, "Invalid Resource", "a known status")
        if payload.get("status") and there["status"] == "cleaned":
            raise problem(400, "Member In Compliance State", there["email_address"])
        if payload.get("status") == "subscribed" and there["status"] == "unsubscribed":
            raise problem(400, "Member In Compliance State", there["email_address"])
        email = payload.get("email_address", there["email_address"])
        if not _EMAIL.fullmatch(email):
            raise problem(400, "Invalid Resource", f"{email} looks fake or invalid")
        if (new := subscriber_hash(email)) != member and new in self.members:
            raise problem(400, "Member Exists", f"{email} is already a list member")
        fields = there["merge_fields"] | payload.get("merge_fields", {})
        status = payload.get("status", there["status"])
        self._move(member, new, {"email_address": email, "status": status, "merge_fields": fields})
        return self._get(new, None)

    def _archive(self, member: str, _: Any) -> Answer:
        if self.members[member]["status"] == "archived":
            raise problem(405, "Method Not Allowed", "This list member cannot be removed.")
        self.members[member]["status"] = "archived"
        return Answer(204)

    def _delete(self, member: str) -> Answer:
        del self.members[member], self.contacts[member]
        self.forgotten.add(member)
        return Answer(204)


def _error(text: str, code: str = "ERROR_GENERIC", field: str = "") -> dict[str, str]:
    return {"error": text, "error_code": code, "field": field, "field_message": ""}
