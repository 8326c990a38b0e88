"""A HubSpot portal on the loopback, for the demo and the tests.

Stateful and strict, as far as the vendor documents it: token, 100 inputs a batch, text values
only, declared properties only, ids. Errors of single rows come as 207; results come in no
particular order.

    with FakeHubSpot() as hub:
        ...  # HUBSPOT_BASE_URL=hub.url, HUBSPOT_TOKEN=hub.token
        print(len(hub.calls), hub.contacts)
"""

import re
import secrets
from collections.abc import Callable
from typing import Any

from tests.fakes.server import Answer, ApiError, FakeServer, Request

STANDARD_PROPERTIES = {"email", "firstname", "lastname", "phone", "city", "country"}
CDP_PROPERTIES = {"cdp_customer_id", "cdp_segment", "cdp_rfm_segment", "cdp_clv_12m"}
UNIQUE_PROPERTIES = {"email", "cdp_customer_id"}
BATCH_ROWS = 100

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_CONTACTS = re.compile(r"/crm/(?:v3/objects|objects/[0-9-]+)/contacts/(batch/\w+|gdpr-delete)")
_MEMBERS = re.compile(r"/crm/(?:v3/lists|lists/[0-9-]+)/(\d+)/memberships/(add|remove)")
_VERBS = ("create", "upsert", "update", "read", "archive")


def refusal(status: int, category: str, message: str, **context: list[str]) -> ApiError:
    """As HubSpot words it: the message may quote what it was sent."""
    body = {
        "status": "error",
        "message": message,
        "category": category,
        "correlationId": secrets.token_hex(8),
        "context": context,
    }
    return ApiError(status, body)


class FakeHubSpot(FakeServer):
    """The portal. ``contacts`` maps record ids to properties."""

    def __init__(self, token: str = "fake-token", properties: set[str] | None = None) -> None:
        super().__init__()
        self.token = token
        self.properties = STANDARD_PROPERTIES | CDP_PROPERTIES | (properties or set())
        self.contacts: dict[str, dict[str, str]] = {}
        self.erased: set[str] = set()
        self.lists: dict[str, set[str]] = {}
        """Static lists: record ids by list id."""
        self.poison: set[str] = set()
        """E-mails for which a whole batch is refused with 409."""
        self._index: dict[str, dict[str, str]] = {name: {} for name in UNIQUE_PROPERTIES}
        self._next_id = 1001

    def add(self, **properties: str) -> str:
        """Put a contact there, as a colleague or a form would; its record id."""
        return self._store(None, properties)

    def by_email(self, email: str) -> dict[str, str] | None:
        """A contact's properties."""
        return self.contacts.get(self._index["email"].get(email.casefold(), ""))

    @property
    def records(self) -> dict[str, dict[str, str]]:
        """Another name of ``contacts``, which every fake with records has."""
        return self.contacts

    # -- the API

    def answer(self, request: Request) -> Answer:
        if request.headers.get("authorization") != f"Bearer {self.token}":
            raise refusal(401, "INVALID_AUTHENTICATION", "The token is not valid.")
        if request.headers.get("content-type") != "application/json":
            raise self._violation(415, "VALIDATION_ERROR", "The body must be JSON.")
        if (found := _MEMBERS.fullmatch(request.path)) and request.method == "PUT":
            return self._change_members(found[1], found[2], request.json)
        found = _CONTACTS.fullmatch(request.path)
        verb = found[1].removeprefix("batch/") if found else None
        if verb not in (*_VERBS, "gdpr-delete") or request.method != "POST":
            raise self._violation(404, "NOT_FOUND", "There is no such resource.")
        if verb == "gdpr-delete":
            return self._gdpr_delete(request.json)
        inputs = self._inputs(request.json, needs_id=verb != "create")
        return getattr(self, f"_{verb}")(inputs, request.json)

    def keys(self, request: Request) -> tuple[str, ...]:
        if isinstance(request.json, list):
            return tuple(str(item) for item in request.json)
        payload = request.json if isinstance(request.json, dict) else {}
        if "objectId" in payload:
            return (str(payload["objectId"]),)
        inputs = payload.get("inputs") or []
        return tuple(str(item.get("id")) for item in inputs if isinstance(item, dict))

    def _violation(self, status: int, category: str, message: str) -> ApiError:
        """A refusal that no value of a row excuses."""
        self.contract_violations.append(message)
        return refusal(status, category, message)

    def _inputs(self, payload: Any, needs_id: bool) -> list[dict]:
        inputs = payload.get("inputs") if isinstance(payload, dict) else None
        if not isinstance(inputs, list) or not inputs:
            raise self._violation(400, "VALIDATION_ERROR", "inputs must be a list of at least one.")
        if len(inputs) > BATCH_ROWS:
            raise self._violation(400, "VALIDATION_ERROR", "At most 100 inputs are allowed.")
        ids = []
        for item in inputs:
            if not isinstance(item, dict):
                raise self._violation(400, "VALIDATION_ERROR", "An input must be an object.")
            if needs_id and not (isinstance(item.get("id"), str) and item["id"]):
                raise self._violation(400, "VALIDATION_ERROR", "id is required.")
            if not needs_id and ("id" in item or not item.get("properties")):
                raise self._violation(400, "VALIDATION_ERROR", "properties, and no id.")
            ids.append(item.get("id", str(len(ids))).casefold())
            self._check_properties(item.get("properties", {}))
        if len(set(ids)) < len(ids):
            raise self._violation(400, "VALIDATION_ERROR", "Duplicate ids in the batch.")
        return inputs

    def _check_properties(self, properties: dict[str, Any]) -> None:
        for name, value in properties.items():
            if name not in self.properties:
                raise self._violation(400, "VALIDATION_ERROR", f"no property {name}")
            if not isinstance(value, str):
                raise self._violation(400, "VALIDATION_ERROR", f"{name} must be text")
            if name == "email" and value in self.poison:
                raise refusal(409, "CONFLICT", f"Contact {value} conflicts with another.")

    def _upsert(self, inputs: list[dict], _: dict) -> Answer:
        if any(item.get("idProperty") not in UNIQUE_PROPERTIES for item in inputs):
            raise self._violation(400, "VALIDATION_ERROR", "idProperty must be a unique property.")

        def write(item: dict) -> dict:
            name, value = item["idProperty"], item["id"]
            contact_id = self._find(name, value)
            properties = {name: value} | item.get("properties", {})
            return self._write(item, contact_id, properties)

        return self._each(inputs, write)

    def _create(self, inputs: list[dict], _: dict) -> Answer:
        """One contact that is there already refuses the whole batch."""
        for item in inputs:
            for name in UNIQUE_PROPERTIES & set(item["properties"]):
                if found := self._find(name, item["properties"][name]):
                    text = f"Contact already exists. Existing ID: {found}"
                    raise refusal(409, "CONFLICT", text)
        return self._each(inputs, lambda item: self._write(item, None, item["properties"]))

    def _update(self, inputs: list[dict], _: dict) -> Answer:
        def write(item: dict) -> dict:
            if item["id"] not in self.contacts:
                raise refusal(404, "OBJECT_NOT_FOUND", "Object not found.", ids=[item["id"]])
            return self._write(item, item["id"], item.get("properties", {}))

        return self._each(inputs, write)

    def _read(self, inputs: list[dict], payload: dict) -> Answer:
        name = payload.get("idProperty", "hs_object_id")
        properties = payload.get("properties")
        if not isinstance(properties, list) or name not in UNIQUE_PROPERTIES | {"hs_object_id"}:
            raise self._violation(400, "VALIDATION_ERROR", "properties, and a unique idProperty.")

        def read(item: dict) -> dict:
            contact_id = self._find(name, item["id"])
            if contact_id is None:
                raise refusal(404, "OBJECT_NOT_FOUND", "Object not found.", ids=[item["id"]])
            held = {asked: self.contacts[contact_id].get(asked) for asked in properties}
            return {"id": contact_id, "properties": held}

        return self._each(inputs, read)

    def _archive(self, inputs: list[dict], _: dict) -> Answer:
        for item in inputs:
            self._forget(item["id"])
        return Answer(204)

    def _change_members(self, list_id: str, verb: str, body: Any) -> Answer:
        if not isinstance(body, list) or not body or not all(str(i).isdigit() for i in body):
            raise self._violation(400, "VALIDATION_ERROR", "A list of record ids.")
        if list_id not in self.lists:
            raise refusal(404, "OBJECT_NOT_FOUND", "List not found.")
        members, there = self.lists[list_id], {str(i) for i in body} & set(self.contacts)
        changed = there - members if verb == "add" else there & members
        self.lists[list_id] = members | changed if verb == "add" else members - changed
        return Answer(
            200,
            {
                "recordsIdsAdded": sorted(changed) if verb == "add" else [],
                "recordIdsRemoved": sorted(changed) if verb == "remove" else [],
                "recordIdsMissing": [i for i in map(str, body) if i not in self.contacts],
            },
        )

    def _gdpr_delete(self, payload: dict) -> Answer:
        contact_id = payload.get("objectId") if isinstance(payload, dict) else None
        if contact_id not in self.contacts:
            raise refusal(404, "OBJECT_NOT_FOUND", "Object not found.", ids=[str(contact_id)])
        self._forget(contact_id)
        for members in self.lists.values():
            members.discard(contact_id)
        self.erased.add(contact_id)
        return Answer(204)

    def _each(self, inputs: list[dict], act: Callable[[dict], dict]) -> Answer:
        results, errors = [], []
        for item in inputs:
            try:
                results.append(act(item))
            except ApiError as error:
                errors.append(error.answer.body)
        results.reverse()  # nobody promised an order
        body: dict[str, Any] = {"status": "COMPLETE", "results": results}
        if errors:
            body |= {"numErrors": len(errors), "errors": errors}
        return Answer(207 if errors else 200, body)

    def _write(self, item: dict, contact_id: str | None, properties: dict[str, str]) -> dict:
        trace = item.get("objectWriteTraceId", "")
        email = properties.get("email")
        if email is not None and not _EMAIL.fullmatch(email):
            text = f"Email address {email} is invalid"
            raise refusal(400, "INVALID_EMAIL", text, objectWriteTraceId=[trace])
        for name in UNIQUE_PROPERTIES & set(properties):
            if self._find(name, properties[name]) not in (None, contact_id):
                text = f"{properties[name]} is in use"
                raise refusal(409, "CONFLICT", text, objectWriteTraceId=[trace])
        is_new = contact_id is None
        contact_id = self._store(contact_id, properties)
        return {"id": contact_id, "new": is_new, "properties": dict(self.contacts[contact_id])}

    # -- the store

    def _store(self, contact_id: str | None, properties: dict[str, str]) -> str:
        if contact_id is None:
            contact_id, self._next_id = str(self._next_id), self._next_id + 1
        merged = self.contacts.get(contact_id, {}) | properties
        self._forget(contact_id)
        # The empty string empties a property.
        self.contacts[contact_id] = {name: value for name, value in merged.items() if value}
        for name in UNIQUE_PROPERTIES & set(self.contacts[contact_id]):
            self._index[name][merged[name].casefold()] = contact_id
        return contact_id

    def _forget(self, contact_id: str) -> None:
        held = self.contacts.pop(contact_id, {})
        for name in UNIQUE_PROPERTIES & set(held):
            del self._index[name][held[name].casefold()]

    def _find(self, name: str, value: str) -> str | None:
        if name == "hs_object_id":
            return value if value in self.contacts else None
        return self._index[name].get(value.casefold())
