"""An endpoint where a row is a request: ``PUT /rows/<key>`` writes one, ``DELETE`` takes it out."""

import json
from typing import Any, ClassVar

from orchestration.destinations.base import Limits
from orchestration.destinations.http import Http
from orchestration.sync.http import BearerToken, HttpClient, Policy
from orchestration.sync.spec import SyncSpec
from tests.fakes.server import Answer, ApiError, FakeServer, Request

COLUMNS = (
    "cdp_customer_id",
    "cdp_segment",
    "email",
    "firstname",
    "lastname",
    "phone",
    "city",
    "country",
    "cdp_rfm_segment",
    "cdp_clv_12m",
)
OPTIONS = {
    "url_env": "CDP_HTTP_URL",
    "auth": "bearer",
    "auth_env": "CDP_HTTP_TOKEN",
    "method": "PUT",
    "path": "/rows/${cdp_key}",
    "body": json.dumps({name: f"${{{name}}}" for name in COLUMNS}),
    "remove_path": "/rows/${cdp_key}",
    "error_code_path": "code",
}
LIMITS = Limits(batch_rows=1, rates=((1000, 1),), connections=4)


class RowDesk(FakeServer):
    """``records`` maps keys to what is held of them. ``poison``: e-mails that are refused."""

    max_body_bytes: ClassVar[int] = 10_000

    def __init__(self) -> None:
        super().__init__()
        self.token = "fake-token"
        self.poison: set[str] = set()
        self.records: dict[str, dict[str, Any]] = {}

    def keys(self, request: Request) -> tuple[str, ...]:
        return (request.path.rpartition("/")[2],)

    def answer(self, request: Request) -> Answer:
        if request.headers.get("authorization") != f"Bearer {self.token}":
            raise ApiError(401, {"code": "UNAUTHORISED"})
        key = request.path.removeprefix("/rows/")
        if request.method not in ("PUT", "DELETE") or "/" in key or not key:
            self.contract_violations.append("no such request")
            raise ApiError(404, {"code": "NOT_FOUND"})
        if request.method == "DELETE":
            if self.records.pop(key, None) is None:
                raise ApiError(404, {"code": "NOT_FOUND"})
            return Answer(204)
        return self._put(key, request.json)

    def _put(self, key: str, row: Any) -> Answer:
        if not isinstance(row, dict) or not set(row) <= set(COLUMNS):
            self.contract_violations.append("a row is an object of the known columns")
            raise ApiError(400, {"code": "MALFORMED"})
        if row.get("cdp_customer_id") != key:
            self.contract_violations.append("the row is not that of the address")
        if "@" not in row.get("email", "") or row["email"] in self.poison:
            raise ApiError(422, {"code": "INVALID_EMAIL", "message": row.get("email")})
        self.records[key] = row
        return Answer(200, {"ok": True})


class RowClient(Http):
    """Sends a sync there that is declared for another destination."""

    def __init__(self, spec: SyncSpec, url: str, token: str, policy: Policy, **client: Any) -> None:
        http = HttpClient(url, BearerToken(token), LIMITS, policy, **client)
        super().__init__(spec.model_copy(update={"options": OPTIONS}), http)
        self.limits = LIMITS

    @classmethod
    def check(cls, spec: SyncSpec) -> None:
        """Whatever it asks for, it is another's."""
