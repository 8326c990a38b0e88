"""An in-house API of records, and a webhook: what the generic HTTP destination talks to.

Its contract is the table below, and it is strict about it: method, path, content type, members,
text values, 50 rows and 64 KB a batch, one record per ``external_id``. It honours
``Idempotency-Key`` where it is told to.

| request | does |
|---|---|
| ``POST /hook`` | takes any JSON, answers ``ok`` as text |
| ``POST /records`` | makes a record; 409 where the external id is taken |
| ``PUT /records/by-key/<external id>`` | makes or replaces it |
| ``PATCH /records/<id>``, ``DELETE /records/<id>`` | 404 where there is none |
| ``DELETE /records/by-key/<external id>`` | the same |
| ``GET /records?external_id=`` | ``{"items": [...]}`` |
| ``POST /batch``, ``POST /batch/remove`` | 207, one result per row, in reverse order |
| ``POST /rpc`` | ``{"method": ..., "record": ...}``; errors come as 200 with ``error`` |
"""

import json
import re
import ssl
from collections.abc import Callable
from typing import Any, ClassVar
from urllib.parse import unquote

from tests.fakes.server import Answer, ApiError, FakeServer, Request

MEMBERS = {"external_id", "email", "name", "points", "vip", "note"}
BATCH_ROWS = 50
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")


class FakeWebhook(FakeServer):
    """``records`` by id, ``events`` as they were posted to the hook."""

    max_body_bytes: ClassVar[int] = 65_536

    def __init__(
        self, headers: dict[str, str] | None = None, tls: ssl.SSLContext | None = None
    ) -> None:
        super().__init__()
        self.tls = tls
        self.needed_headers = headers or {}
        self.deduplicates = False
        self.redirects_to: tuple[int, str] | None = None
        self.records: dict[str, dict[str, Any]] = {}
        self.events: list[Any] = []
        self.requests: list[Request] = []
        self.poison: set[str] = set()
        """External ids that make a batch fail as a whole."""
        self._answers: dict[str, Answer] = {}
        self._next_id = 1

    def keys(self, request: Request) -> tuple[str, ...]:
        found = re.findall(r'"external_id": ?"([^"]*)"', request.body.decode())
        return tuple(found) or tuple(request.query.values())

    def answer(self, request: Request) -> Answer:
        self.requests.append(request)
        if self.redirects_to:
            status, place = self.redirects_to
            return Answer(status, b"", {"Location": place})
        self._check(request)
        for name, value in self.needed_headers.items():
            if request.headers.get(name.lower()) != value:
                raise ApiError(401, {"error": {"code": "unauthorized"}})
        key = request.headers.get("idempotency-key")
        if self.deduplicates and key and request.method == "POST":
            if key not in self._answers:
                self._answers[key] = self._act(request)
            return self._answers[key]
        return self._act(request)

    def by_key(self, external_id: str) -> dict[str, Any]:
        [record] = [r for r in self.records.values() if r.get("external_id") == external_id]
        return record

    # -- the contract

    def _check(self, request: Request) -> None:
        key = request.headers.get("idempotency-key", "x")
        if not re.fullmatch(r"[!-~]{1,255}", key):
            self.contract_violations.append("the idempotency key is no token")
        if request.method in ("GET",) and request.body:
            self.contract_violations.append("a GET with a body")
        if request.body:
            if request.headers.get("content-type") != "application/json":
                self.contract_violations.append("the content type is not JSON")
            if request.json is None and request.body != b"null":
                self.contract_violations.append("the body is not JSON")

    def _record(self, given: Any) -> dict[str, Any]:
        if not isinstance(given, dict):
            self.contract_violations.append("a record is an object")
            raise ApiError(400, {"error": {"code": "malformed"}})
        kinds = {"points": (int, float), "vip": bool, "note": (str, type(None))}
        for name, value in given.items():
            if name not in MEMBERS:
                self.contract_violations.append("a member that is not declared")
            elif not isinstance(value, kinds.get(name, str)):
                self.contract_violations.append(f"{name} is of the wrong type")
        if "email" in given and not _EMAIL.fullmatch(given["email"]):
            raise ApiError(422, {"error": {"code": "invalid-email", "message": given["email"]}})
        return given

    # -- what it does

    def _act(self, request: Request) -> Answer:
        method, path = request.method, request.path
        routes: list[tuple[str, str, Callable[..., Answer]]] = [
            ("POST", r"/hook", self._hook),
            ("POST", r"/records", self._create),
            ("GET", r"/records", self._find),
            ("PUT", r"/records/by-key/([^/]+)", self._put),
            ("DELETE", r"/records/by-key/([^/]+)", self._delete_by_key),
            ("PATCH", r"/records/([^/]+)", self._patch),
            ("DELETE", r"/records/([^/]+)", self._delete),
            ("POST", r"/batch", self._batch),
            ("POST", r"/batch/remove", self._batch_remove),
            ("POST", r"/rpc", self._rpc),
        ]
        for verb, pattern, act in routes:
            found = re.fullmatch(pattern, path)
            if found and verb == method:
                return act(request, *(unquote(part) for part in found.groups()))
        if path != "/":
            self.contract_violations.append("no such request")
        return Answer(404 if path != "/" else 200, {})

    def _hook(self, request: Request) -> Answer:
        self.events.append(request.json)
        return Answer(200, b"ok", {"Content-Type": "text/plain"})

    def _store(self, record: dict[str, Any]) -> str:
        record_id = f"r{self._next_id}"
        self._next_id += 1
        self.records[record_id] = dict(record)
        return record_id

    def _ids(self, external_id: str) -> list[str]:
        return [i for i, r in self.records.items() if r.get("external_id") == external_id]

    def _create(self, request: Request) -> Answer:
        record = self._record(request.json)
        if self._ids(record.get("external_id", "")):
            raise ApiError(409, {"error": {"code": "already-exists"}})
        return Answer(201, {"data": {"id": self._store(record)}})

    def _put(self, request: Request, external_id: str) -> Answer:
        record = self._record(request.json) | {"external_id": external_id}
        [record_id] = self._ids(external_id) or [self._store(record)]
        self.records[record_id] = record
        return Answer(200, {"data": {"id": record_id}})

    def _find(self, request: Request) -> Answer:
        ids = self._ids(request.query.get("external_id", ""))
        return Answer(200, {"items": [{"id": record_id} for record_id in ids]})

    def _there(self, record_id: str) -> dict[str, Any]:
        if record_id not in self.records:
            raise ApiError(404, {"error": {"code": "not-found"}})
        return self.records[record_id]

    def _patch(self, request: Request, record_id: str) -> Answer:
        self._there(record_id).update(self._record(request.json))
        return Answer(200, {"data": {"id": record_id}})

    def _delete(self, request: Request, record_id: str) -> Answer:
        self._there(record_id)
        del self.records[record_id]
        return Answer(204)

    def _delete_by_key(self, request: Request, external_id: str) -> Answer:
        return self._delete(request, next(iter(self._ids(external_id)), ""))

    def _items(self, request: Request, name: str) -> list[Any]:
        body = request.json
        items = body.get(name) if isinstance(body, dict) and set(body) == {name} else None
        if not isinstance(items, list) or not items:
            self.contract_violations.append("a batch is an object with one list")
            raise ApiError(400, {"error": {"code": "malformed"}})
        if len(items) > BATCH_ROWS:
            self.contract_violations.append("too many rows")
            raise ApiError(413, {"error": {"code": "too-many"}})
        return items

    def _batch(self, request: Request) -> Answer:
        items = self._items(request, "records")
        if self.poison & {item["external_id"] for item in items}:
            raise ApiError(400, {"error": {"code": "poison", "message": json.dumps(items)}})
        results = []
        for item in items:
            try:
                record = self._record(item)
                [record_id] = self._ids(record["external_id"]) or [self._store(record)]
                self.records[record_id].update(record)
                results.append({"key": record["external_id"], "id": record_id})
            except ApiError as error:
                results.append({"key": item["external_id"], **error.answer.body})
        return Answer(207, {"results": results[::-1]})

    def _batch_remove(self, request: Request) -> Answer:
        keys = self._items(request, "keys")
        for key in keys:
            for record_id in self._ids(key):
                del self.records[record_id]
        return Answer(207, {"results": [{"key": key} for key in reversed(keys)]})

    def _rpc(self, request: Request) -> Answer:
        body = request.json
        try:
            if body["method"] == "find":
                ids = self._ids(body["key"])
                return Answer(200, {"result": ids, "error": None})
            if body["method"] == "create":
                record = self._record(body["record"])
                if self._ids(record["external_id"]):
                    return Answer(200, {"error": {"code": "must-be-unique"}})
                return Answer(200, {"result": [self._store(record)]})
            if body["method"] == "update":
                self._there(body["id"]).update(self._record(body["record"]))
                return Answer(200, {"result": None})
            self._there(body["id"])
            del self.records[body["id"]]
            return Answer(200, {"result": None})
        except ApiError as error:
            return Answer(200, error.answer.body)
