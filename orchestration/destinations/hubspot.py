"""HubSpot contacts, by the CRM objects API (v3; dated versions by environment).

A contact is found by e-mail once; from then on by its record id, so that a changed e-mail
changes the contact instead of making a second one. Where the id was lost with an answer, the
contact is looked up by the customer key, which is a property with unique values.
"""

import os
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from orchestration.destinations.base import (
    Destination,
    Limits,
    Outcome,
    Refused,
    Row,
)
from orchestration.sync.http import BearerToken, HttpClient, Reply, error_category
from orchestration.sync.spec import SyncSpec

_BASE_URL = "https://api.hubapi.com"
_GONE = {"OBJECT_NOT_FOUND", "CONTACT_NOT_FOUND"}

# Statuses by what they mean. Transient ones and 401, 403, 3xx never get here (http.py).
_PER_ROW = {200, 201, 207}
_NO_CONTENT = 204


class HubSpot(Destination):
    """Contacts of one portal. Environment: ``HUBSPOT_TOKEN`` (a private app's), optionally
    ``HUBSPOT_BASE_URL`` and ``HUBSPOT_API_VERSION`` (default ``v3``)."""

    name = "hubspot"
    # Private apps: 100 inputs per batch; 190 requests per 10 seconds, of which we leave some
    # to others on the portal.
    limits: ClassVar[Limits] = Limits(batch_rows=100, rates=((150, 10),))
    supported = frozenset({("contacts", mode) for mode in ("upsert", "mirror", "audience")})

    def __init__(self, spec: SyncSpec, http: HttpClient, version: str = "v3") -> None:
        self._spec = spec
        self._http = http
        prefix = "/crm/v3/objects" if version == "v3" else f"/crm/objects/{version}"
        self._path = f"{prefix}/{spec.object}"

    @classmethod
    def from_environment(cls, spec: SyncSpec) -> "HubSpot":
        token = os.environ.get("HUBSPOT_TOKEN")
        if not token:
            raise LookupError("HUBSPOT_TOKEN is not set")
        base_url = os.environ.get("HUBSPOT_BASE_URL", _BASE_URL)
        version = os.environ.get("HUBSPOT_API_VERSION", "v3")
        return cls(spec, HttpClient(base_url, BearerToken(token), cls.limits), version)

    @classmethod
    def check(cls, spec: SyncSpec) -> None:
        super().check(spec)
        if spec.match_on != "email":
            raise ValueError("match_on: HubSpot contacts are found by email")
        if spec.mode == "audience" and not spec.on_leave:
            raise ValueError("on_leave: what HubSpot is to hold of who left must be said")

    @property
    def calls(self) -> int:
        return self._http.calls

    def upsert(self, rows: Sequence[Row]) -> list[Outcome]:
        ids = self._ids(rows)
        known = [row for row in rows if row.key in ids]
        outcomes = self._update(known, ids, [self._properties(row) for row in known])
        # Deleted over there: written anew.
        gone = {outcome.key for outcome in outcomes if outcome.error_code in _GONE}
        new = [row for row in rows if row.key not in ids or row.key in gone]
        kept = [outcome for outcome in outcomes if outcome.key not in gone]
        return kept + self._create(new)

    def remove(self, rows: Sequence[Row]) -> list[Outcome]:
        ids = self._ids(rows)
        outcomes = [Outcome.delivered(row.key) for row in rows if row.key not in ids]
        there = [row for row in rows if row.key in ids]
        erased = [row for row in there if self._is_erasure(row)]
        others = [row for row in there if not self._is_erasure(row)]
        outcomes += [self._erase(row, ids[row.key]) for row in erased]
        if self._spec.mode == "mirror":
            return outcomes + self._archive(others, ids)
        emptied = self._update(others, ids, [self._spec.on_leave] * len(others))
        return outcomes + [
            Outcome.delivered(outcome.key) if outcome.error_code in _GONE else outcome
            for outcome in emptied
        ]

    # -- calls

    def _create(self, rows: list[Row]) -> list[Outcome]:
        inputs = [
            {
                "id": row.values["email"],
                "idProperty": "email",
                "objectWriteTraceId": row.key,
                "properties": self._properties(row),
            }
            for row in rows
        ]
        return self._batch("upsert", rows, inputs)

    def _update(
        self, rows: list[Row], ids: dict[str, str], properties: list[dict[str, str]]
    ) -> list[Outcome]:
        inputs = [
            {"id": ids[row.key], "objectWriteTraceId": row.key, "properties": values}
            for row, values in zip(rows, properties, strict=True)
        ]
        try:
            return self._batch("update", rows, inputs)
        except Refused as refused:
            if len(rows) == 1 and refused.code in _GONE:
                return [Outcome.rejected(rows[0].key, refused.code)]
            raise

    def _archive(self, rows: list[Row], ids: dict[str, str]) -> list[Outcome]:
        if rows:
            inputs = [{"id": ids[row.key]} for row in rows]
            self._post("batch/archive", {"inputs": inputs}, {_NO_CONTENT})
        return [Outcome.delivered(row.key) for row in rows]

    def _erase(self, row: Row, remote_id: str) -> Outcome:
        """For good, with its history; HubSpot has no batch of it."""
        try:
            self._post("gdpr-delete", {"objectId": remote_id}, {_NO_CONTENT})
        except Refused as refused:
            if refused.code not in _GONE:
                return Outcome.rejected(row.key, refused.code)
        return Outcome.delivered(row.key)

    def _ids(self, rows: Sequence[Row]) -> dict[str, str]:
        """Record ids by row key: from the ledger, or looked up where an answer was lost."""
        ids = {row.key: row.remote_id for row in rows if row.remote_id}
        lost = [row.key for row in rows if not row.remote_id and row.is_uncertain]
        if lost:
            payload = {
                "idProperty": self._spec.key,
                "properties": [self._spec.key],
                "inputs": [{"id": key} for key in lost],
            }
            reply = self._post("batch/read", payload, _PER_ROW)
            for record in _list(reply.body, "results"):
                key = (record.get("properties") or {}).get(self._spec.key)
                if key and record.get("id"):
                    ids[key] = str(record["id"])
        return ids

    def _batch(self, verb: str, rows: list[Row], inputs: list[dict]) -> list[Outcome]:
        if not rows:
            return []
        reply = self._post(f"batch/{verb}", {"inputs": inputs}, _PER_ROW)
        return list(self._outcomes(rows, inputs, reply))

    def _post(self, path: str, payload: Any, good: set[int]) -> Reply:
        reply = self._http.post(f"{self._path}/{path}", payload, good - {_NO_CONTENT})
        if reply.status in good:
            return reply
        category = error_category(reply.body)
        raise Refused(category if category != "UNSPECIFIED" else f"HTTP_{reply.status}")

    # -- rows

    def _properties(self, row: Row) -> dict[str, str]:
        """All values are text. Null leaves a field alone unless the sync says it empties
        it; the empty string is how HubSpot empties one."""
        cleared = dict.fromkeys(self._spec.clear_nulls, "")
        given = {name: value for name, value in row.values.items() if value is not None}
        return cleared | given

    def _is_erasure(self, row: Row) -> bool:
        return row.reason == "erasure" and self._spec.on_erasure == "delete"

    def _outcomes(self, rows: list[Row], inputs: list[dict], reply: Reply) -> Iterator[Outcome]:
        """Results come in any order, errors by whatever HubSpot names the input with."""
        results: dict[str, str] = {}
        for record in _list(reply.body, "results"):
            if not record.get("id"):
                continue
            for name in _names_of_result(record, self._spec.key):
                results.setdefault(name, str(record["id"]))
        errors = _list(reply.body, "errors")
        codes = {name: error_category(e) for e in errors for name in _names_of_error(e)}
        for row, item in zip(rows, inputs, strict=True):
            names = [row.key, str(item["id"]).casefold()]
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
