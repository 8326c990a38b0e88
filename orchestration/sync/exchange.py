"""One HTTP exchange over a kept connection, by libcurl.

libcurl ends a whole exchange at its deadline, from the name to the last byte; clients in Python
limit each read, and a server that drips a byte a second holds them for ever. It is also quick:
a call costs 0.1 ms of CPU where urllib3 takes 0.5 ms.
"""

import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import certifi
import pycurl

from orchestration.destinations.base import Stopped
from orchestration.sync.switchboard import performed

_CODES = {
    pycurl.E_COULDNT_RESOLVE_PROXY: "NAME_NOT_RESOLVED",
    pycurl.E_COULDNT_RESOLVE_HOST: "NAME_NOT_RESOLVED",
    pycurl.E_COULDNT_CONNECT: "NO_CONNECTION",
    pycurl.E_SSL_CONNECT_ERROR: "NO_CONNECTION",
    pycurl.E_OPERATION_TIMEDOUT: "EXCHANGE_DEADLINE",
    pycurl.E_GOT_NOTHING: "CONNECTION_LOST",
    pycurl.E_SEND_ERROR: "CONNECTION_LOST",
    pycurl.E_RECV_ERROR: "CONNECTION_LOST",
    pycurl.E_PARTIAL_FILE: "CONNECTION_LOST",
    pycurl.E_ABORTED_BY_CALLBACK: "CONNECTION_LOST",
    pycurl.E_WRITE_ERROR: "ANSWER_TOO_LONG",
}
_BAD_CERTIFICATE = {
    pycurl.E_PEER_FAILED_VERIFICATION,
    pycurl.E_SSL_CACERT_BADFILE,
    pycurl.E_SSL_ISSUER_ERROR,
}
_WITH_BODY = {"POST", "PUT", "PATCH"}
# More than an endpoint has to say of a request, the bytes unpacked: there are up to 32 connections,
# and what 250 KB of gzip come to must not fill the memory.
LONGEST_ANSWER = 16 * 2**20


class NoAnswer(Exception):
    """An exchange without an end. ``may_have_acted``: the request was on its way."""

    def __init__(self, code: str, may_have_acted: bool) -> None:
        self.code, self.may_have_acted = code, may_have_acted
        super().__init__(code)


@dataclass(frozen=True)
class Answer:
    """What came back, whatever its status. ``retry_after`` is the header as it stands."""

    status: int
    content: bytes = field(repr=False)
    retry_after: str | None = None


class Line:
    """What one exchange at a time needs. Seconds.

    ``permits`` is asked for every address that a name resolves to, right before a socket goes
    there; such a line uses no proxy, which would resolve the name for itself."""

    def __init__(
        self,
        connect_timeout: float,
        deadline: float,
        permits: Callable[[str], bool] | None = None,
        longest_answer: int = LONGEST_ANSWER,
    ) -> None:
        self._curl = pycurl.Curl()
        self._connect_timeout, self._deadline = connect_timeout, deadline
        self._permits = permits
        self._longest_answer = longest_answer
        self._is_unsafe = False
        self._begun = 0
        self._head: list[bytes] = []
        self._content = _Content(longest_answer)
        # Of the request whose options libcurl has; a row's differs in its body alone.
        self._shape: tuple[Any, ...] | None = None

    async def exchange(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        *,
        fresh: bool = False,
    ) -> Answer:
        """One request and its answer; a redirect is one. ``fresh``: over a new connection.

        Raises ``NoAnswer``, and ``Stopped`` for a bad certificate, an address that is not
        permitted, and a request that cannot be written. libcurl's own messages quote addresses
        and are not passed on."""
        self._is_unsafe, self._begun = False, 0
        self._head.clear()
        self._content = _Content(self._longest_answer)
        has_body = body is not None or method in _WITH_BODY
        shape = (method, url, tuple(headers.items()), has_body, fresh)
        failure: Exception | None = None
        try:
            if shape != self._shape:
                self._shape = None
                self._prepare(method, url, _lines(headers), fresh)
                self._shape = shape
            if has_body:
                self._curl.setopt(pycurl.POSTFIELDS, body or b"")
        except UnicodeError:
            failure = Stopped("BAD_REQUEST_TEXT")
        except pycurl.error as error:  # an address of megabytes
            failure = self._failure(error.args[0])
        if failure:  # not in there: what was caught quotes the text
            raise failure
        if number := await performed(self._curl):
            raise self._failure(number)
        status = self._curl.getinfo(pycurl.RESPONSE_CODE)
        return Answer(status, b"".join(self._content.parts), _retry_after(self._head))

    # -- inside

    def _prepare(self, method: str, url: str, headers: list[bytes], fresh: bool) -> None:
        curl = self._curl
        curl.reset()  # of options; the connection stays
        options: dict[int, Any] = {
            pycurl.URL: url,
            pycurl.CUSTOMREQUEST: method,
            pycurl.HTTPHEADER: headers,
            pycurl.HTTP_VERSION: pycurl.CURL_HTTP_VERSION_1_1,
            pycurl.PROTOCOLS: pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS,
            pycurl.ACCEPT_ENCODING: "gzip",
            pycurl.CAINFO: os.environ.get("REQUESTS_CA_BUNDLE") or certifi.where(),
            pycurl.NOSIGNAL: 1,
            pycurl.CONNECTTIMEOUT_MS: round(self._connect_timeout * 1000),
            pycurl.TIMEOUT_MS: round(self._deadline * 1000),
            pycurl.FRESH_CONNECT: int(fresh),
            pycurl.PREREQFUNCTION: self._begin,
            pycurl.HEADERFUNCTION: self._head.append,
            pycurl.WRITEFUNCTION: self._receive,
        }
        if self._permits:
            options[pycurl.PROXY] = ""
            options[pycurl.OPENSOCKETFUNCTION] = self._open_socket
        for option, value in options.items():
            curl.setopt(option, value)

    def _begin(self, *_: Any) -> int:
        """libcurl sends a request again, unasked, when a kept connection turns out to be dead.
        Whether that is harmless is for the caller to say, and he counts calls."""
        self._begun += 1
        return pycurl.PREREQFUNC_OK if self._begun == 1 else pycurl.PREREQFUNC_ABORT

    def _receive(self, part: bytes) -> int | None:
        return self._content.add(part)

    def _open_socket(self, _: int, address: Any) -> Any:
        if self._permits(address.addr[0]):
            return socket.socket(address.family, address.socktype, address.protocol)
        self._is_unsafe = True
        return pycurl.SOCKET_BAD

    def _failure(self, number: int) -> Exception:
        if number == pycurl.E_COULDNT_CONNECT and self._is_unsafe:
            return Stopped("UNSAFE_ADDRESS")
        if number in _BAD_CERTIFICATE:
            return Stopped("BAD_CERTIFICATE")
        if number == pycurl.E_URL_MALFORMAT:
            return Stopped("BAD_ADDRESS")
        return NoAnswer(_CODES.get(number, f"CURL_{number}"), may_have_acted=self._begun > 0)


class _Content:
    """The bytes of an answer, up to a size."""

    def __init__(self, longest: int) -> None:
        self.parts: list[bytes] = []
        self._size = 0
        self._longest = longest

    def add(self, part: bytes) -> int | None:
        self._size += len(part)
        if self._size > self._longest:
            return 0
        self.parts.append(part)
        return None


def _lines(headers: Mapping[str, str]) -> list[bytes]:
    """Headers as they are written, and libcurl's own left out. Raises ``UnicodeError`` for a
    value that would begin another header."""
    # HTTP has no other alphabet (RFC 9110).
    lines = [f"{name}: {value}".encode("latin-1") for name, value in headers.items()]
    if any(odd in line for line in lines for odd in (b"\r", b"\n", b"\0")):
        raise UnicodeError
    return [b"Expect:", *lines]


def _retry_after(head: list[bytes]) -> str | None:
    for line in reversed(head):
        if line[:12].lower() == b"retry-after:":
            return line[12:].strip().decode("latin-1")
    return None
