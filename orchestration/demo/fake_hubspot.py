"""A HubSpot portal on the loopback, for the demo and the tests.

Stateful and strict, as far as the vendor documents it: token, 100 inputs a batch, text values
only, declared properties only, ids. Errors of single rows come as 207; results come in no
particular order. Faults are scripted: the next requests meet them one by one.

    with FakeHubSpot() as hub:
        ...  # HUBSPOT_BASE_URL=hub.url, HUBSPOT_TOKEN=hub.token
        print(len(hub.calls), hub.contacts)
"""

import json
import re
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

STANDARD_PROPERTIES = {"email", "firstname", "lastname", "phone", "city", "country"}
CDP_PROPERTIES = {"cdp_customer_id", "cdp_segment", "cdp_rfm_segment", "cdp_clv_12m"}
UNIQUE_PROPERTIES = {"email", "cdp_customer_id"}
BATCH_ROWS = 100

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_PATH = re.compile(r"/crm/(?:v3/objects|objects/[0-9-]+)/contacts/(batch/\w+|gdpr-delete)")


@dataclass(frozen=True)
class Call:
    """A request as it arrived. ``ids`` are those of its inputs."""

    path: str
    ids: tuple[str, ...]
    status: int


@dataclass(frozen=True)
class Fault:
    """What the next request meets. ``applies``: the work is done before things go wrong."""

    status: int = 0
    """Answer with this status; 0: the ordinary answer, spoiled as below."""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    """Instead of the ordinary body."""
    applies: bool = False
    hangs_up: bool = False
    """Close the connection without an answer."""
    truncates: bool = False
    """Send half of the JSON, with a matching length."""
    seconds_per_byte: float = 0.0


class ApiError(Exception):
    """A refusal as HubSpot words it."""

    def __init__(self, status: int, category: str, message: str, **context: list[str]) -> None:
        super().__init__(message)
        self.status = status
        self.body = {
            "status": "error",
            "message": message,
            "category": category,
            "correlationId": secrets.token_hex(8),
            "context": context,
        }


class FakeHubSpot:
    """The portal. ``contacts`` maps record ids to properties."""

    def __init__(self, token: str = "fake-token", properties: set[str] | None = None) -> None:
        self.token = token
        self.properties = STANDARD_PROPERTIES | CDP_PROPERTIES | (properties or set())
        self.contacts: dict[str, dict[str, str]] = {}
        self.erased: set[str] = set()
        self.calls: list[Call] = []
        self.faults: deque[Fault] = deque()
        self.poison: set[str] = set()
        """E-mails for which a whole batch is refused with 409."""
        self.on_applied: Callable[[Call], None] | None = None
        """Called after the work and before the answer."""
        self._index: dict[str, dict[str, str]] = {name: {} for name in UNIQUE_PROPERTIES}
        self._next_id = 1001
        self._lock = threading.RLock()
        self._server: ThreadingHTTPServer | None = None

    def __enter__(self) -> Self:
        handler = type("Handler", (_Handler,), {"portal": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def add(self, **properties: str) -> str:
        """Put a contact there, as a colleague or a form would; its record id."""
        return self._store(None, properties)

    def by_email(self, email: str) -> dict[str, str] | None:
        """A contact's properties."""
        return self.contacts.get(self._index["email"].get(email.casefold(), ""))

    # -- the API

    def answer(self, path: str, headers: Any, payload: Any) -> tuple[int, dict | None]:
        """Do what a request asks for."""
        with self._lock:
            if headers.get("Authorization") != f"Bearer {self.token}":
                raise ApiError(401, "INVALID_AUTHENTICATION", "The token is not valid.")
            found = _PATH.fullmatch(path)
            if not found:
                raise ApiError(404, "NOT_FOUND", "There is no such resource.")
            if found[1] == "gdpr-delete":
                return self._gdpr_delete(payload)
            inputs = self._inputs(payload)
            verb = found[1].removeprefix("batch/")
            if verb not in ("upsert", "update", "read", "archive"):
                raise ApiError(404, "NOT_FOUND", "There is no such resource.")
            return getattr(self, f"_{verb}")(inputs, payload)

    def _inputs(self, payload: Any) -> list[dict]:
        inputs = payload.get("inputs") if isinstance(payload, dict) else None
        if not isinstance(inputs, list) or not inputs:
            raise ApiError(400, "VALIDATION_ERROR", "inputs must be a list of at least one.")
        if len(inputs) > BATCH_ROWS:
            raise ApiError(400, "VALIDATION_ERROR", "At most 100 inputs are allowed.")
        ids = []
        for item in inputs:
            if not isinstance(item, dict) or not isinstance(item.get("id"), str) or not item["id"]:
                raise ApiError(400, "VALIDATION_ERROR", "id is required.")
            ids.append(item["id"].casefold())
            self._check_properties(item.get("properties", {}))
        if len(set(ids)) < len(ids):
            raise ApiError(400, "VALIDATION_ERROR", "Duplicate ids in the batch.")
        return inputs

    def _check_properties(self, properties: dict[str, Any]) -> None:
        for name, value in properties.items():
            if name not in self.properties:
                raise ApiError(400, "VALIDATION_ERROR", f'Property "{name}" does not exist')
            if not isinstance(value, str):
                raise ApiError(400, "VALIDATION_ERROR", f'Property "{name}" must be a string')
            if name == "email" and value in self.poison:
                raise ApiError(409, "CONFLICT", f"Contact {value} conflicts with another.")

    def _upsert(self, inputs: list[dict], _: dict) -> tuple[int, dict]:
        if any(item.get("idProperty") not in UNIQUE_PROPERTIES for item in inputs):
            raise ApiError(400, "VALIDATION_ERROR", "idProperty must be a unique property.")

        def write(item: dict) -> dict:
            name, value = item["idProperty"], item["id"]
            contact_id = self._find(name, value)
            properties = {name: value} | item.get("properties", {})
            return self._write(item, contact_id, properties)

        return self._each(inputs, write)

    def _update(self, inputs: list[dict], _: dict) -> tuple[int, dict]:
        def write(item: dict) -> dict:
            if item["id"] not in self.contacts:
                raise ApiError(404, "OBJECT_NOT_FOUND", "Object not found.", ids=[item["id"]])
            return self._write(item, item["id"], item.get("properties", {}))

        return self._each(inputs, write)

    def _read(self, inputs: list[dict], payload: dict) -> tuple[int, dict]:
        name = payload.get("idProperty", "hs_object_id")

        def read(item: dict) -> dict:
            contact_id = self._find(name, item["id"])
            if contact_id is None:
                raise ApiError(404, "OBJECT_NOT_FOUND", "Object not found.", ids=[item["id"]])
            return {"id": contact_id, "properties": dict(self.contacts[contact_id])}

        return self._each(inputs, read)

    def _archive(self, inputs: list[dict], _: dict) -> tuple[int, None]:
        for item in inputs:
            self._forget(item["id"])
        return 204, None

    def _gdpr_delete(self, payload: dict) -> tuple[int, None]:
        contact_id = payload.get("objectId") if isinstance(payload, dict) else None
        if contact_id not in self.contacts:
            raise ApiError(404, "OBJECT_NOT_FOUND", "Object not found.", ids=[str(contact_id)])
        self._forget(contact_id)
        self.erased.add(contact_id)
        return 204, None

    def _each(self, inputs: list[dict], act: Callable[[dict], dict]) -> tuple[int, dict]:
        results, errors = [], []
        for item in inputs:
            try:
                results.append(act(item))
            except ApiError as error:
                errors.append(error.body)
        results.reverse()  # nobody promised an order
        body: dict[str, Any] = {"status": "COMPLETE", "results": results}
        if errors:
            body |= {"numErrors": len(errors), "errors": errors}
        return (207 if errors else 200), body

    def _write(self, item: dict, contact_id: str | None, properties: dict[str, str]) -> dict:
        trace = item.get("objectWriteTraceId", "")
        email = properties.get("email")
        if email is not None and not _EMAIL.fullmatch(email):
            text = f"Email address {email} is invalid"
            raise ApiError(400, "INVALID_EMAIL", text, objectWriteTraceId=[trace])
        for name in UNIQUE_PROPERTIES & set(properties):
            if self._find(name, properties[name]) not in (None, contact_id):
                text = f"{properties[name]} is in use"
                raise ApiError(409, "CONFLICT", text, objectWriteTraceId=[trace])
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


class _Handler(BaseHTTPRequestHandler):
    portal: FakeHubSpot
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        portal = self.portal
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with portal._lock:
            fault = portal.faults.popleft() if portal.faults else Fault()
        payload = _parsed(raw)
        if fault.status and not fault.applies:
            self._log(payload, fault.status)
            self._send(fault.status, fault.body or b"{}", fault)
            return
        try:
            status, body = portal.answer(self.path, self.headers, payload)
        except ApiError as error:
            status, body = error.status, error.body
        call = self._log(payload, fault.status or status)
        if portal.on_applied:
            portal.on_applied(call)
        if fault.hangs_up:
            self.close_connection = True
            return
        text = b"" if body is None else json.dumps(body).encode()
        if fault.truncates:
            text = text[: len(text) // 2]
        self._send(fault.status or status, fault.body or text, fault)

    def _log(self, payload: Any, status: int) -> Call:
        inputs = payload.get("inputs", []) if isinstance(payload, dict) else []
        ids = tuple(str(item.get("id")) for item in inputs if isinstance(item, dict))
        if isinstance(payload, dict) and "objectId" in payload:
            ids = (str(payload["objectId"]),)
        call = Call(self.path, ids, status)
        with self.portal._lock:
            self.portal.calls.append(call)
        return call

    def _send(self, status: int, text: bytes, fault: Fault) -> None:
        self.send_response(status)
        for name, value in fault.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if not fault.seconds_per_byte:
            self.wfile.write(text)
            return
        for byte in text:
            try:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
            except OSError:
                return
            time.sleep(fault.seconds_per_byte)

    def log_message(self, *_: object) -> None:
        """Addresses and e-mails do not belong on the terminal."""


def _parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return None
