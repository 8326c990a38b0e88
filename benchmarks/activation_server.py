"""An HTTP endpoint that costs next to nothing, so that a benchmark measures its clients.

Runs in a process of its own. It keeps the bodies it has taken and reads them only when asked
what arrived.

    with Endpoint() as endpoint:
        endpoint.reset(latency=0.01, failing=0.05)
        ...  # POST lists of rows, or single rows, to endpoint.url
        endpoint.arrived()
"""

import asyncio
import json
import random
import subprocess
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

_HEAD = "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"


@dataclass(frozen=True)
class Arrived:
    """What the endpoint has seen since the last reset."""

    calls: int
    failed: int
    """Of those, answered 503 before anything was done."""
    rows: int
    keys: int
    """Different rows."""


class Endpoint:
    """The process, from outside."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__))], stdout=subprocess.PIPE, text=True
        )
        self.url = f"http://127.0.0.1:{int(self._process.stdout.readline())}"
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()  # it keeps nothing
        self._process.wait()
        self._process.stdout.close()

    def reset(self, latency: float = 0.0, failing: float = 0.0, key: str = "id") -> None:
        """Forget everything. ``latency`` in seconds; ``failing``: share of the requests that
        get 503; ``key``: the field that names a row."""
        self._ask("/reset", {"latency": latency, "failing": failing, "key": key})

    def arrived(self) -> Arrived:
        """Counts since the last reset."""
        return Arrived(**self._ask("/arrived", {}))

    def _ask(self, path: str, payload: dict[str, Any]) -> dict[str, Any]:
        request = urllib.request.Request(self.url + path, json.dumps(payload).encode())
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)


class _State:
    def __init__(self) -> None:
        self.reset({})

    def reset(self, settings: dict[str, Any]) -> None:
        self.latency = settings.get("latency", 0.0)
        self.failing = settings.get("failing", 0.0)
        self.key = settings.get("key", "id")
        self.dice = random.Random(1)
        self.calls = self.failed = 0
        self.bodies: list[bytes] = []

    def arrived(self) -> dict[str, int]:
        rows, keys = 0, set()
        for body in self.bodies:
            content = json.loads(body)
            content = content if isinstance(content, list) else [content]
            rows += len(content)
            keys.update(row[self.key] for row in content)
        return {"calls": self.calls, "failed": self.failed, "rows": rows, "keys": len(keys)}


class _Connection(asyncio.Protocol):
    """Reads just enough HTTP/1.1: a request line, Content-Length, a body."""

    def __init__(self, state: _State, loop: asyncio.AbstractEventLoop) -> None:
        self._state, self._loop = state, loop
        self._received = b""

    def connection_made(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = self._received[:end].lower()
            start = head.find(b"content-length:")
            length = int(head[start + 15 :].split(b"\r\n", 1)[0]) if start >= 0 else 0
            if len(self._received) < end + 4 + length:
                return
            body = self._received[end + 4 : end + 4 + length]
            self._received = self._received[end + 4 + length :]
            self._serve(head.split(b" ", 2)[1], body)

    def _serve(self, path: bytes, body: bytes) -> None:
        state = self._state
        if path == b"/reset":
            state.reset(json.loads(body))
            self._answer("200 OK", b"{}")
        elif path == b"/arrived":
            self._answer("200 OK", json.dumps(state.arrived()).encode())
        else:
            state.calls += 1
            status = "200 OK"
            if state.failing and state.dice.random() < state.failing:
                state.failed += 1
                status = "503 Service Unavailable"
            else:
                state.bodies.append(body)
            if state.latency:
                self._loop.call_later(state.latency, self._answer, status, b"{}")
            else:
                self._answer(status, b"{}")

    def _answer(self, status: str, body: bytes) -> None:
        self._transport.write((_HEAD % (status, len(body))).encode() + body)


async def _serve() -> None:
    loop, state = asyncio.get_running_loop(), _State()
    server = await loop.create_server(lambda: _Connection(state, loop), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve())
