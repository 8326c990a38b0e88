"""The kit of the fake endpoints: a strict, stateful HTTP server on a loopback port.

A fake subclasses ``FakeServer`` and answers requests. The kit counts them, watches the rate,
and plays the faults a test asks for. Faults say when the work is done: before things go wrong
(``applies``) or not at all.
"""

import json
import ssl
import struct
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import SO_LINGER, SOL_SOCKET
from typing import Any, ClassVar, Self
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Request:
    """What came in. ``json`` is None where the body is none."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes = field(repr=False)

    @property
    def json(self) -> Any:
        try:
            return json.loads(self.body)
        except ValueError:
            return None


@dataclass(frozen=True)
class Answer:
    """What goes out. ``body`` is sent as JSON unless it is bytes."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


class ApiError(Exception):
    """A refusal in the vendor's words: ``body`` as the vendor would send it."""

    def __init__(self, status: int, body: Any, **headers: str) -> None:
        super().__init__(status)
        self.answer = Answer(status, body, {k.replace("_", "-"): v for k, v in headers.items()})


@dataclass(frozen=True)
class Call:
    """One request that was counted. ``keys`` name the records it was about."""

    method: str
    path: str
    keys: tuple[str, ...]
    status: int


@dataclass(frozen=True)
class Fault:
    """What the next request meets. ``applies``: the work is done before things go wrong."""

    status: int = 0
    """Answer with this status; 0: the ordinary answer, spoiled as below."""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    """Instead of the ordinary body."""
    applies: bool = False
    hangs_up: bool = False
    """Close the connection without an answer."""
    resets: bool = False
    """Send half of the answer, then reset the connection."""
    truncates: bool = False
    """Send half of the JSON, with a matching length."""
    seconds_per_byte: float = 0.0
    delay: float = 0.0
    """Seconds before the answer."""
    path: str | None = None
    """Only a request whose path contains this meets the fault."""


class FakeServer(ABC):
    """An endpoint. Use it as a context manager; ``url`` is where it listens."""

    max_body_bytes: ClassVar[int] = 100_000_000
    tls: ssl.SSLContext | None = None
    """Set before the server is entered: it then speaks https."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.faults: deque[Fault] = deque()
        self.on_applied: Callable[[Call], None] | None = None
        """Called after the work and before the answer."""
        self.contract_violations: list[str] = []
        """What a request did that the vendor's contract does not allow; a test asserts it
        is empty. Never values."""
        self.lock = threading.RLock()
        self.latency = 0.0
        self._server: ThreadingHTTPServer | None = None

    def __enter__(self) -> Self:
        handler = type("Handler", (_Handler,), {"fake": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        if self.tls:
            self._server.socket = self.tls.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self._server.server_address[1]}"

    @property
    def connections(self) -> int:
        """How often somebody has connected, requests or not."""
        return self._server.connections

    @abstractmethod
    def answer(self, request: Request) -> Answer:
        """Do what a request asks for, under ``lock``. Raises ``ApiError``."""

    def keys(self, request: Request) -> tuple[str, ...]:
        """The records a request is about, for ``calls``."""
        return ()

    def _fault_for(self, path: str) -> Fault:
        for fault in self.faults:
            if fault.path is None or fault.path in path:
                self.faults.remove(fault)
                return fault
        return Fault()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    connections = 0

    def get_request(self) -> Any:
        accepted = super().get_request()
        self.connections += 1
        return accepted

    def handle_error(self, *_: object) -> None:
        """Clients that die are no news."""


class _Handler(BaseHTTPRequestHandler):
    fake: FakeServer
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # headers and body in one segment
    disable_nagle_algorithm = True

    def _serve(self) -> None:
        fake = self.fake
        length = int(self.headers.get("Content-Length", 0))
        raw = self.rfile.read(length)
        if len(raw) < length:  # who sent it died meanwhile
            self.close_connection = True
            return
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        request = Request(self.command, parts.path, query, headers, raw)
        with fake.lock:
            fault = fake._fault_for(parts.path)
        time.sleep(fake.latency + fault.delay)
        if fault.status and not fault.applies:
            self._log(request, fault.status)
            self._send(Answer(fault.status, fault.body or b"{}"), fault)
            return
        if (fault.hangs_up or fault.resets) and not fault.applies:
            self._log(request, 0)
            self.close_connection = True
            return
        try:
            if len(raw) > fake.max_body_bytes:
                raise ApiError(413, {"message": "too large"})
            with fake.lock:
                answer = fake.answer(request)
        except ApiError as error:
            answer = error.answer
        call = self._log(request, fault.status or answer.status)
        if fake.on_applied:
            fake.on_applied(call)
        if fault.hangs_up:
            self.close_connection = True
            return
        if fault.status or fault.body is not None:
            body = answer.body if fault.body is None else fault.body
            answer = Answer(fault.status or answer.status, body, answer.headers)
        self._send(answer, fault)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve

    def _log(self, request: Request, status: int) -> Call:
        call = Call(request.method, request.path, self.fake.keys(request), status)
        with self.fake.lock:
            self.fake.calls.append(call)
        return call

    def _send(self, answer: Answer, fault: Fault) -> None:
        text = answer.body
        if text is None:
            text = b""
        elif not isinstance(text, bytes):
            text = json.dumps(text).encode()
        if fault.truncates:
            text = text[: len(text) // 2]
        self.send_response(answer.status)
        headers = {"Content-Type": "application/json"} | dict(answer.headers) | dict(fault.headers)
        for name, value in headers.items():
            self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if fault.resets:
            self.wfile.write(text[: len(text) // 2])
            self.wfile.flush()
            self.connection.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            return
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
