"""How HubSpot is spoken to: batches of contacts, and memberships of lists (v3; dated versions
have the same calls at other paths).

Results come in any order and errors name their input by whatever HubSpot likes, so both are
matched by every name a row has.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from orchestration.destinations.base import Outcome, Refused, Row, Stopped, Unanswered
from orchestration.sync.http import HttpClient, Reply, error_category

BATCH_ROWS = 100
"""Inputs a batch call takes."""
GONE = {"OBJECT_NOT_FOUND", "CONTACT_NOT_FOUND"}
CONFLICT = "CONFLICT"
"""A unique value is in use by another contact."""

RECORD_ID = "hs_object_id"

# Statuses by what they mean. Transient ones and 401, 403, 3xx never get here (http.py).
_PER_ROW = {200, 201, 207}
_NO_CONTENT = 204


class Portal:
    """The contacts and lists of one portal. ``key`` is the property with our customer's id."""

    def __init__(self, http: HttpClient, key: str, version: str = "v3") -> None:
        self._http = http
        self._key = key
        is_v3 = version == "v3"
        self._contacts = "/crm/v3/objects/contacts" if is_v3 else f"/crm/objects/{version}/contacts"
        self._lists = "/crm/v3/lists" if is_v3 else f"/crm/lists/{version}"

    def find(
        self, id_property: str, values: Collection[str], properties: Sequence[str] = ()
    ) -> dict[str, dict[str, Any]]:
        """Contacts by the value that was asked for: ``id`` and ``properties`` of each. One
        that is not there is missing."""
        wanted = list({_folded(id_property, value): value for value in values}.values())
        found: dict[str, dict[str, Any]] = {}
        for start in range(0, len(wanted), BATCH_ROWS):
            payload = {
                "properties": list(dict.fromkeys([*properties, id_property])),
                "inputs": [{"id": value} for value in wanted[start : start + BATCH_ROWS]],
            }
            if id_property != RECORD_ID:
                payload["idProperty"] = id_property
            try:
                reply = self._post("batch/read", payload, _PER_ROW)
            except Refused as refused:
                if refused.code in GONE:
                    continue
                raise
            for record in _list(reply.body, "results"):
                held = record.get("properties") or {}
                value = record.get("id") if id_property == RECORD_ID else held.get(id_property)
                if value and record.get("id"):
                    contact = {"id": str(record["id"]), "properties": held}
                    found[_folded(id_property, str(value))] = contact
        named = {value: found.get(_folded(id_property, value)) for value in values}
        return {value: contact for value, contact in named.items() if contact}

    def write(self, verb: str, rows: Sequence[Row], inputs: Sequence[dict]) -> list[Outcome]:
        """``batch/<verb>``. Two inputs for one contact: the second row is refused."""
        outcomes, kept = [], {}
        for row, item in zip(rows, inputs, strict=True):
            named = "email" if item.get("idProperty") == "email" else RECORD_ID
            name = _folded(named, item["id"]) if "id" in item else row.key
            if name in kept:
                outcomes.append(Outcome.rejected(row.key, "DUPLICATE_IN_BATCH"))
            else:
                kept[name] = (row, item)
        if not kept:
            return outcomes
        traced = [dict(item, objectWriteTraceId=row.key) for row, item in kept.values()]
        reply = self._post(f"batch/{verb}", {"inputs": traced}, _PER_ROW)
        return outcomes + list(self._outcomes([row for row, _ in kept.values()], traced, reply))

    def archive(self, ids: Mapping[str, str]) -> list[Outcome]:
        """Put contacts away, given by row key; HubSpot can restore them for 90 days."""
        if ids:
            inputs = [{"id": record_id} for record_id in dict.fromkeys(ids.values())]
            self._post("batch/archive", {"inputs": inputs}, {_NO_CONTENT})
        return [Outcome.delivered(key) for key in ids]

    def erase(self, ids: Mapping[str, str]) -> list[Outcome]:
        """Delete contacts for good, with their history. HubSpot has no batch of it; when a
        call has no known end, the rows after it are not tried."""
        outcomes: list[Outcome] = []
        for position, (key, record_id) in enumerate(ids.items()):
            try:
                self._post("gdpr-delete", {"objectId": record_id}, {_NO_CONTENT})
            except Refused as refused:
                if refused.code not in GONE:
                    outcomes.append(Outcome.rejected(key, refused.code))
                    continue
            except Unanswered as unanswered:
                left = list(ids)[position:]
                return outcomes + [Outcome.unknown(key, unanswered.code) for key in left]
            outcomes.append(Outcome.delivered(key))
        return outcomes

    def change_members(self, list_id: str, verb: str, record_ids: Collection[str]) -> set[str]:
        """Add or remove members of a static list; the ids of contacts that do not exist.
        Members that are there (or not) already are ignored by HubSpot."""
        path = f"{self._lists}/{list_id}/memberships/{verb}"
        body = list(dict.fromkeys(record_ids))
        reply = self._http.request("PUT", path, body, statuses={200})
        if reply.status == 404:
            raise Stopped("LIST_NOT_FOUND")
        if reply.status != 200:
            raise Refused(_code(reply))
        missing = reply.body.get("recordIdsMissing") if isinstance(reply.body, dict) else None
        return {str(record_id) for record_id in missing or []}

    # -- inside

    def _post(self, path: str, payload: Any, good: set[int]) -> Reply:
        reply = self._http.post(f"{self._contacts}/{path}", payload, good - {_NO_CONTENT})
        if reply.status in good:
            return reply
        raise Refused(_code(reply))

    def _outcomes(self, rows: list[Row], inputs: list[dict], reply: Reply) -> Iterator[Outcome]:
        results: dict[str, str] = {}
        for record in _list(reply.body, "results"):
            if not record.get("id"):
                continue
            for name in _names_of_result(record, self._key):
                results.setdefault(name, str(record["id"]))
        errors = _list(reply.body, "errors")
        codes = {name: error_category(e) for e in errors for name in _names_of_error(e)}
        for row, item in zip(rows, inputs, strict=True):
            email = (item.get("properties") or {}).get("email", "")
            names = [row.key, str(item.get("id", "")).casefold(), email.casefold()]
            remote_id = next((results[name] for name in names if name in results), None)
            code = next((codes[name] for name in names if name in codes), None)
            if code:
                yield Outcome.rejected(row.key, code)
            elif remote_id:
                yield Outcome.delivered(row.key, remote_id)
            elif errors:
                # An error that names no input: of the rows without a result, so of this one.
                yield Outcome.rejected(row.key, error_category(errors[0]))
            else:
                yield Outcome.unknown(row.key, "NO_RESULT")


def _folded(id_property: str, value: str) -> str:
    """E-mails are the same in any case."""
    return value.casefold() if id_property == "email" else value


def _code(reply: Reply) -> str:
    category = error_category(reply.body)
    return category if category != "UNSPECIFIED" else f"HTTP_{reply.status}"


def _list(body: Any, name: str) -> list[dict]:
    found = body.get(name) if isinstance(body, dict) else None
    return [item for item in found or [] if isinstance(item, dict)]


def _names_of_result(record: dict, key: str) -> Iterator[str]:
    properties = record.get("properties") or {}
    for name in (record.get("objectWriteTraceId"), properties.get(key), record.get("id")):
        if name:
            yield str(name)
    if properties.get("email"):
        yield properties["email"].casefold()


def _names_of_error(error: dict) -> Iterator[str]:
    for values in (error.get("context") or {}).values():
        for value in values if isinstance(values, list) else [values]:
            yield str(value)
            yield str(value).casefold()
