"""A proxy in front of a real server, which plays the faults of the kit: the work is done over
there and the answer gets lost here."""

import requests

from tests.fakes.server import Answer, FakeServer, Request

# Of the one connection, not of the message.
_HOP = {"connection", "content-length", "transfer-encoding", "keep-alive", "content-encoding"}


class LossyProxy(FakeServer):
    """Passes requests on to ``upstream`` (``http://host:port``) as they came."""

    def __init__(self, upstream: str) -> None:
        super().__init__()
        self._upstream = upstream
        self._session = requests.Session()

    def answer(self, request: Request) -> Answer:
        reply = self._session.request(
            request.method,
            self._upstream + request.path,
            params=request.query or None,
            data=request.body,
            headers={k: v for k, v in request.headers.items() if k not in _HOP | {"host"}}
            | {"host": request.headers["host"]},
            timeout=30,
            allow_redirects=False,
        )
        headers = {k: v for k, v in reply.headers.items() if k.lower() not in _HOP}
        return Answer(reply.status_code, reply.content, headers)
