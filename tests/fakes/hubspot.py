"""A HubSpot portal on the loopback, for the demo and the tests.

Stateful and strict, as far as the vendor documents it: token, 100 inputs a batch, text values
only, declared properties only, ids. Errors of single rows come as 207; results come in no
particular order. Contacts that were merged are one with a new id, which is read by the old ones.

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
        self.is_terse = False
        """Errors without the fields that HubSpot calls optional."""
        self.follows_merges = True
        """Whether writing to the id of before a merge reaches the contact of now; HubSpot says so
        of reading only."""
        self.traces = True
        """Whether a result says which input it is of."""
        self._index: dict[str, dict[str, str]] = {name: {} for name in UNIQUE_PROPERTIES}
        self._secondary: dict[str, str] = {}
        self._merged_into: dict[str, str] = {}
        self._next_id = 1001

    def add(self, **properties: str) -> str:
        """Put a contact there, as a colleague or a form would; its record id."""
        return self._store(None, properties)

    def delete(self, contact_id: str) -> None:
        """Put a contact away, as a colleague would."""
        self._forget(contact_id)

    def add_email(self, contact_id: str, email: str) -> None:
        """Give a contact a secondary e-mail."""
        self._secondary[email.casefold()] = contact_id

    def merge(self, primary: str, other: str) -> str:
        """Two contacts become one with a new id, as a colleague would do it."""
        held = [self.contacts[primary], self.contacts[other]]
        moved = [email for email, whose in self._secondary.items() if whose in (primary, other)]
        for contact_id in (primary, other):
            self._forget(contact_id)
        merged = self._store(None, held[1] | held[0])
        self._merged_into |= {primary: merged, other: merged}
        for email in [*moved, *filter(None, [held[1].get("email")])]:
            self.add_email(merged, email)
        for members in self.lists.values():
            if members & {primary, other}:
                members -= {primary, other}
                members.add(merged)
        return merged

    def by_email(self, email: str) -> dict[str, str] | None:
        """A contact's properties."""
        return self.contacts.get(self._index["email"].get(email.casefold(), ""))

    @property
    def records(self) -> dict[str, dict[str, str]]:
        """Another name of ``contacts``, which every fake with records has."""
        return self.contacts

    # -- the API

    def answer(self, request: Request) -> Answer:
        try:
            return self._answer(request)
        except ApiError as error:
            raise ApiError(error.answer.status, self._worded(error)) from None

    def _worded(self, error: ApiError) -> dict:
        optional = ("category", "context", "correlationId") if self.is_terse else ()
        return {name: text for name, text in error.answer.body.items() if name not in optional}

    def _answer(self, request: Request) -> Answer:
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
            contact_id = self._target(item["id"])
            if contact_id is None:
                raise refusal(404, "OBJECT_NOT_FOUND", "Object not found.", ids=[item["id"]])
            return self._write(item, contact_id, item.get("properties", {}))

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
            held = self.contacts[contact_id] | self._names(contact_id)
            return {
                "id": contact_id,
                "properties": {asked: held.get(asked) for asked in properties},
            }

        answer = self._each(inputs, read)
        # Two names of one contact are one result.
        once = {record["id"]: record for record in answer.body["results"]}
        return Answer(answer.status, answer.body | {"results": list(once.values())})

    def _archive(self, inputs: list[dict], _: dict) -> Answer:
        """Nothing is said of a contact that is not there."""
        for item in inputs:
            self._forget(self._target(item["id"]) or "")
        return Answer(204)

    def _change_members(self, list_id: str, verb: str, body: Any) -> Answer:
        if not isinstance(body, list) or not body or not all(str(i).isdigit() for i in body):
            raise self._violation(400, "VALIDATION_ERROR", "A list of record ids.")
        if list_id not in self.lists:
            raise refusal(404, "OBJECT_NOT_FOUND", "List not found.")
        targets = {str(i): self._target(str(i)) for i in body}
        members, there = self.lists[list_id], set(filter(None, targets.values()))
        changed = there - members if verb == "add" else there & members
        self.lists[list_id] = members | changed if verb == "add" else members - changed
        return Answer(
            200,
            {
                "recordsIdsAdded": sorted(changed) if verb == "add" else [],
                "recordIdsRemoved": sorted(changed) if verb == "remove" else [],
                "recordIdsMissing": [i for i, target in targets.items() if not target],
            },
        )

    def _gdpr_delete(self, payload: dict) -> Answer:
        asked = str(payload.get("objectId")) if isinstance(payload, dict) else ""
        contact_id = self._target(asked)
        if contact_id is None:
            raise refusal(404, "OBJECT_NOT_FOUND", "Object not found.", ids=[asked])
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
                errors.append(self._worded(error))
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
        written = {name: self.contacts[contact_id].get(name) for name in properties}
        result = {"id": contact_id, "new": is_new, "properties": written}
        return result | ({"objectWriteTraceId": trace} if self.traces and trace else {})

    # -- the store

    def _store(self, contact_id: str | None, properties: dict[str, str]) -> str:
        if contact_id is None:
            contact_id, self._next_id = str(self._next_id), self._next_id + 1
        merged = self.contacts.get(contact_id, {}) | properties
        self._unindex(contact_id)
        self._secondary.pop(merged.get("email", "").casefold(), None)
        # The empty string empties a property.
        self.contacts[contact_id] = {name: value for name, value in merged.items() if value}
        for name in UNIQUE_PROPERTIES & set(self.contacts[contact_id]):
            self._index[name][merged[name].casefold()] = contact_id
        return contact_id

    def _forget(self, contact_id: str) -> None:
        self._unindex(contact_id)
        self._secondary = {e: whose for e, whose in self._secondary.items() if whose != contact_id}

    def _unindex(self, contact_id: str) -> None:
        held = self.contacts.pop(contact_id, {})
        for name in UNIQUE_PROPERTIES & set(held):
            del self._index[name][held[name].casefold()]

    def _find(self, name: str, value: str) -> str | None:
        if name == "hs_object_id":
            return self._followed(value)
        found = self._index[name].get(value.casefold())
        return self._secondary.get(value.casefold()) if name == "email" and not found else found

    def _followed(self, contact_id: str) -> str | None:
        while contact_id in self._merged_into:
            contact_id = self._merged_into[contact_id]
        return contact_id if contact_id in self.contacts else None

    def _target(self, contact_id: str) -> str | None:
        """The contact that a write to this id reaches."""
        return (
            self._followed(contact_id)
            if self.follows_merges or contact_id in self.contacts
            else None
        )

    def _names(self, contact_id: str) -> dict[str, str]:
        """Other names of a contact: ids that were merged into it, secondary e-mails."""
        merged = [old for old, now in self._merged_into.items() if now == contact_id]
        emails = [email for email, whose in self._secondary.items() if whose == contact_id]
        return {
            "hs_merged_object_ids": ";".join(merged),
            "hs_additional_emails": ";".join(emails),
        }
