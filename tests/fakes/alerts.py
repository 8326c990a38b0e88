"""Fake places that alerts go to: a webhook, Slack's incoming webhook, a mail server."""

import base64
import re
import socketserver
import ssl
import threading
from contextlib import suppress
from email import message_from_bytes
from email.message import Message
from email.policy import default
from pathlib import Path
from typing import Any, Self

from tests.fakes.server import Answer, ApiError, FakeServer, Request


class FakeHook(FakeServer):
    """A webhook that wants a token. ``received``: bodies."""

    def __init__(self, token: str = "hook-token") -> None:
        super().__init__()
        self.token = token
        self.received: list[Any] = []

    def answer(self, request: Request) -> Answer:
        if request.headers.get("authorization") != f"Bearer {self.token}":
            raise ApiError(401, {})
        if request.headers.get("content-type") != "application/json":
            self.contract_violations.append("content type")
        self.received.append(request.json)
        return Answer(204)


class FakeSlack(FakeServer):
    """An incoming webhook as Slack describes it: a JSON object with ``text``, in which ``&``,
    ``<`` and ``>`` are escaped; the answer is a word of plain text."""

    path = "/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX"

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def answer(self, request: Request) -> Answer:
        if request.path != self.path:
            raise ApiError(404, b"no_service", Content_Type="text/html")
        payload = request.json
        is_json = request.headers.get("content-type") == "application/json"
        if request.method != "POST" or not is_json or not isinstance(payload, dict):
            raise ApiError(400, b"invalid_payload", Content_Type="text/html")
        if not payload.get("text") or len(payload["text"]) > 40_000:
            raise ApiError(400, b"no_text", Content_Type="text/html")
        if unknown := set(payload) - {"text", "blocks", "thread_ts", "response_type"}:
            self.contract_violations.append(f"unknown fields: {len(unknown)}")
        if re.search(r"[<>]|&(?!(amp|lt|gt);)", payload["text"]):
            self.contract_violations.append("text that is not escaped")
        self.texts.append(payload["text"])
        return Answer(200, b"ok", {"Content-Type": "text/html"})


class FakeMail:
    """A mail server that takes mail over TLS alone, from who can log in.

    ``tls``: starttls (offered and asked for), implicit (from the first byte) or none."""

    def __init__(
        self, certificate: Path, tls: str = "starttls", login: tuple[str, str] | None = None
    ) -> None:
        self.tls, self.login = tls, login
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.context.load_cert_chain(certificate)
        self.messages: list[Message] = []
        self.recipients: list[str] = []
        self.refusals: dict[str, str] = {}
        """Answers by command, instead of the ordinary ones."""
        self.commands: list[str] = []

    def __enter__(self) -> Self:
        handler = type("Handler", (_Conversation,), {"mail": self})
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def port(self) -> int:
        return self._server.server_address[1]


class _Conversation(socketserver.BaseRequestHandler):
    mail: FakeMail

    def handle(self) -> None:
        with suppress(OSError):
            self._converse()

    def _converse(self) -> None:
        mail = self.mail
        self.is_safe = mail.tls == "implicit"
        socket = self.request
        self._listen(mail.context.wrap_socket(socket, server_side=True) if self.is_safe else socket)
        self.is_known = mail.login is None
        self._say("220 fake.example ESMTP")
        while line := self.file.readline():
            text = line.decode().rstrip("\r\n")
            command = text.split(" ")[0].upper()
            mail.commands.append(command)
            if command in mail.refusals:
                self._say(mail.refusals[command])
            elif not self._act(command, text):
                return

    def _act(self, command: str, text: str) -> bool:
        mail = self.mail
        if command == "EHLO":
            self._say(*(f"250-{name}" for name in self._extensions()), "250 HELP")
        elif command == "STARTTLS" and mail.tls == "starttls":
            self._say("220 go ahead")
            self._listen(mail.context.wrap_socket(self.socket, server_side=True))
            self.is_safe = True
        elif command == "AUTH":
            _, user, password = base64.b64decode(text.split(" ")[2]).decode().split("\0")
            self.is_known = self.is_safe and (user, password) == mail.login
            self._say("235 welcome" if self.is_known else "535 5.7.8 jane@example.com is wrong")
        elif command == "MAIL":
            may = self.is_known and (self.is_safe or mail.tls == "none")
            self._say("250 ok" if may else "530 5.7.0 Must issue a STARTTLS command first")
        elif command == "RCPT":
            mail.recipients.append(text.partition("<")[2].partition(">")[0])
            self._say("250 ok")
        elif command == "DATA":
            self._say("354 go ahead")
            mail.messages.append(message_from_bytes(self._body(), policy=default))
            self._say("250 queued")
        elif command == "QUIT":
            self._say("221 bye")
            return False
        else:
            self._say("502 5.5.1 not implemented")
        return True

    def _extensions(self) -> list[str]:
        offered = ["fake.example"]
        if self.mail.tls == "starttls" and not self.is_safe:
            offered.append("STARTTLS")
        if self.mail.login and (self.is_safe or self.mail.tls == "none"):
            offered.append("AUTH PLAIN")
        return offered

    def _listen(self, socket: Any) -> None:
        self.socket, self.file = socket, socket.makefile("rb")

    def _say(self, *lines: str) -> None:
        self.socket.sendall("".join(f"{line}\r\n" for line in lines).encode())

    def _body(self) -> bytes:
        lines = []
        while (line := self.file.readline()) not in (b".\r\n", b""):
            lines.append(line)
        return b"".join(lines)
