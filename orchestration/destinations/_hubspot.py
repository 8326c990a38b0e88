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
NOT_THERE = "NOT_IN_HUBSPOT"
# What HubSpot says of a contact that is not there, and what it may say: a category is optional,
# and the id of before a merge can be answered under another one.
_GONE = {"OBJECT_NOT_FOUND", "CONTACT_NOT_FOUND"}
PERHAPS_GONE = {*_GONE, "HTTP_404", "UNSPECIFIED", "NO_RESULT"}
CONFLICT = "CONFLICT"
"""A unique value is in use by another contact."""

RECORD_ID = "hs_object_id"
# By what else HubSpot finds a contact; names with semicolons between them.
_OTHER_NAMES = {RECORD_ID: "hs_merged_object_ids", "email": "hs_additional_emails"}

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
        """Contacts by the value that was asked for: ``id`` (which is another one since a merge)
        and ``properties`` of each. One that is not there is missing."""
        wanted = list({_folded(id_property, value): value for value in values}.values())
        asked = [*properties, id_property, _OTHER_NAMES.get(id_property, id_property)]
        found: dict[str, dict[str, Any]] = {}
        for start in range(0, len(wanted), BATCH_ROWS):
            found |= self._read(id_property, wanted[start : start + BATCH_ROWS], asked)
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
        call has no known end, the rows after it are not tried. One that is not there is refused,
        as is one for which there is no such call."""
        outcomes: list[Outcome] = []
        for position, (key, record_id) in enumerate(ids.items()):
            try:
                self._post("gdpr-delete", {"objectId": record_id}, {_NO_CONTENT})
            except Refused as refused:
                outcomes.append(Outcome.rejected(key, refused.code))
            except Unanswered as unanswered:
                left = list(ids)[position:]
                return outcomes + [Outcome.unknown(key, unanswered.code) for key in left]
            else:
                outcomes.append(Outcome.delivered(key))
        return outcomes

    def change_members(
        self, list_id: str, verb: str, record_ids: Collection[str]
    ) -> tuple[set[str], set[str]]:
        """Add or remove members of a static list: the ids of those that were, and of contacts
        that do not exist. Members that are there (or not) already are in neither."""
        path = f"{self._lists}/{list_id}/memberships/{verb}"
        body = list(dict.fromkeys(record_ids))
        reply = self._http.request("PUT", path, body, statuses={200})
        if reply.status == 404:
            raise Stopped("LIST_NOT_FOUND")
        if reply.status != 200:
            raise Refused(_code(reply))
        changed = "recordsIdsAdded" if verb == "add" else "recordIdsRemoved"
        return _ids(reply.body, changed), _ids(reply.body, "recordIdsMissing")

    # -- inside

    def _read(
        self, id_property: str, values: list[str], properties: Sequence[str]
    ) -> dict[str, dict[str, Any]]:
        """One call's contacts by each of their names, folded. A contact that has none of the
        names that were asked for (merged twice, say) is whose it is when one is asked for alone.
        """
        payload = {
            "properties": list(dict.fromkeys(properties)),
            "inputs": [{"id": value} for value in values],
        }
        if id_property != RECORD_ID:
            payload["idProperty"] = id_property
        try:
            body = self._post("batch/read", payload, _PER_ROW).body
        except Refused as refused:
            # Without a category a 404 may be of the path, and then says nothing of anybody.
            if refused.code not in _GONE:
                raise
            return self._read_halves(id_property, values, properties) if len(values) > 1 else {}
        _check_read(body)
        found: dict[str, dict[str, Any]] = {}
        strays = []
        wanted = {_folded(id_property, value) for value in values}
        for record in _list(body, "results"):
            if not record.get("id"):
                continue
            contact = {"id": str(record["id"]), "properties": record.get("properties") or {}}
            names = _names_of_contact(id_property, contact)
            found |= dict.fromkeys(names, contact)
            strays += [] if names & wanted else [contact]
        if not strays or wanted <= found.keys():
            return found
        if len(values) == 1:
            return {wanted.pop(): strays[0]}
        absent = {name for error in _list(body, "errors") for name in _names_of_error(error)}
        left = [v for v in values if _folded(id_property, v) not in found and v not in absent]
        return found | self._read_halves(id_property, left, properties)

    def _read_halves(
        self, id_property: str, values: list[str], properties: Sequence[str]
    ) -> dict[str, dict[str, Any]]:
        middle = (len(values) + 1) // 2
        halves = [half for half in (values[:middle], values[middle:]) if half]
        found: dict[str, dict[str, Any]] = {}
        for half in halves:
            found |= self._read(id_property, half, properties)
        return found

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


def _check_read(body: Any) -> None:
    """Who is not among the results is taken for absent, so there must be results, and no error
    but that."""
    if not isinstance(body, dict) or not isinstance(body.get("results"), list):
        raise Unanswered("NO_RESULT")
    for error in _list(body, "errors"):
        if (code := error_category(error)) not in PERHAPS_GONE:
            raise Refused(code)


def _ids(body: Any, name: str) -> set[str]:
    found = body.get(name) if isinstance(body, dict) else None
    return {str(record_id) for record_id in found or []}


def _names_of_contact(id_property: str, contact: dict[str, Any]) -> set[str]:
    properties = contact["properties"]
    own = contact["id"] if id_property == RECORD_ID else properties.get(id_property)
    others = properties.get(_OTHER_NAMES.get(id_property)) or ""
    names = [str(own or ""), *(name.strip() for name in str(others).split(";"))]
    return {_folded(id_property, name) for name in names if name}


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
