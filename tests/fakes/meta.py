"""Meta's Custom Audience users on the loopback.

Strict by the rules of its documentation: versioned path, token in the header, keys of a schema,
hashes, 10,000 lines, whole sessions, one schema for the life of an audience. Errors come as
HTTP 400 with a numbered code, as Meta answers most of them.
"""

import json
import re
from collections import deque
from typing import Any

from tests.fakes.server import Answer, ApiError, FakeServer, Request

LINES_PER_CALL = 10_000
ALONE = {"EXTERN_ID", "EMAIL", "PHONE"}
KEYS = ALONE | {"GEN", "DOBY", "DOBM", "DOBD", "LN", "FN", "CT", "ST", "ZIP", "COUNTRY"}

_PATH = re.compile(r"/v[0-9]+\.[0-9]/([0-9]+)/users")
_HASH = re.compile(r"[0-9a-f]{64}")
_HASH_OF_NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


class FakeMeta(FakeServer):
    """One audience. ``audience`` holds what a line can be found by: ``EMAIL=<hash>``, and the
    cells that find somebody only together as one text."""

    def __init__(self, token: str = "meta-token", audience_id: str = "23850000000000001") -> None:
        super().__init__()
        self.token = token
        self.audience_id = audience_id
        self.audience: set[str] = set()
        self.lines: list[tuple[str, dict[str, str]]] = []
        """Every line with its method, as it came."""
        self.invalid: set[str] = set()
        """Cells that make a line an invalid entry."""
        self.refusals: deque[dict[str, Any]] = deque()
        """Errors of the next calls: ``code`` and whatever else Meta says with it; ``status``,
        where it is not 400."""
        self.takes_nothing = False
        self.has_accepted_terms = True
        self.gone_versions: set[str] = set()
        """Versions that are switched off."""
        self.schema: list[str] | None = None
        self._sessions: dict[int, str] = {}

    def answer(self, request: Request) -> Answer:
        matched = _PATH.fullmatch(request.path)
        if not matched or request.method not in ("POST", "DELETE"):
            raise _error(2500, "Unknown path")
        if request.query:
            raise self._violation("a token or data in the address")
        if request.headers.get("authorization") != f"Bearer {self.token}":
            raise _error(190, "Invalid OAuth access token.")
        if request.path.split("/")[1] in self.gone_versions:
            raise _error(2635, "You are calling a deprecated version of the Ads API.")
        if not self.has_accepted_terms:
            raise _error(2655, "Terms of service has not been accepted")
        if matched.group(1) != self.audience_id:
            raise _error(100, "Unsupported request", error_subcode=33)
        if self.refusals:
            raise _error(**({"message": "dana@example.com"} | self.refusals.popleft()))
        lines = self._checked(request)
        valid = [cells for cells in lines if not self.invalid & set(cells.values())]
        if self.takes_nothing:
            valid = lines = []
        for cells in valid:
            found = {f"{key}={cells[key]}" for key in cells if key in ALONE}
            found |= {";".join(sorted(f"{k}={v}" for k, v in cells.items() if k not in ALONE))}
            found.discard("")
            is_upload = request.method == "POST"
            (self.audience.update if is_upload else self.audience.difference_update)(found)
        self.lines += [(request.method, cells) for cells in valid]
        return Answer(
            200,
            {
                "audience_id": self.audience_id,
                "session_id": str(request.json["session"]["session_id"]),
                "num_received": len(lines),
                "num_invalid_entries": len(lines) - len(valid),
                "invalid_entry_samples": {},
            },
        )

    def calls_of(self, method: str) -> int:
        """How many calls of a method came."""
        return sum(call.method == method for call in self.calls)

    # -- rules

    def _checked(self, request: Request) -> list[dict[str, str]]:
        """The filled cells of each line."""
        body = request.json
        if request.headers.get("content-type") != "application/json" or not isinstance(body, dict):
            raise self._violation("content type")
        if set(body) != {"payload", "session"} or set(body["payload"]) != {"schema", "data"}:
            raise self._violation("fields of the body")
        schema, data = body["payload"]["schema"], body["payload"]["data"]
        if not schema or len(set(schema)) != len(schema) or not set(schema) <= KEYS:
            raise self._violation("schema")
        self._check_schema(request.method, schema)
        if not data or len(data) > LINES_PER_CALL:
            raise self._violation("lines per call", 105)
        self._check_session(body, len(data))
        return [self._cells(schema, line) for line in data]

    def _check_schema(self, method: str, schema: list[str]) -> None:
        """The first upload fixes it; a removal may name keys of earlier days as well."""
        if method == "POST":
            self.schema = self.schema or schema
            if schema != self.schema:
                raise self._violation("another schema", 2650)
        elif self.schema and not set(self.schema) <= set(schema):
            raise self._violation("another schema of a removal", 2650)

    def _check_session(self, body: dict, lines: int) -> None:
        session = body["session"]
        names = {"session_id", "batch_seq", "last_batch_flag", "estimated_num_total"}
        if not isinstance(session, dict) or set(session) != names:
            raise self._violation("fields of the session")
        number = session["session_id"]
        if not isinstance(number, int) or not 0 < number < 2**63:
            raise self._violation("session id")
        # Every call is a whole session here; one that never ends would keep the audience busy.
        if session["batch_seq"] != 1 or session["last_batch_flag"] is not True:
            raise self._violation("a session that is left open")
        if session["estimated_num_total"] != lines:
            raise self._violation("estimated total")
        content = json.dumps(body["payload"], sort_keys=True)
        if self._sessions.setdefault(number, content) != content:
            raise self._violation("a session id used again")

    def _cells(self, schema: list[str], line: Any) -> dict[str, str]:
        if not isinstance(line, list) or len(line) != len(schema):
            raise self._violation("cells of a line")
        if not all(isinstance(cell, str) for cell in line):
            raise self._violation("a cell that is no text")
        cells = {key: cell for key, cell in zip(schema, line, strict=True) if cell}
        hashed = [cell for key, cell in cells.items() if key != "EXTERN_ID"]
        if any(not _HASH.fullmatch(cell) or cell == _HASH_OF_NOTHING for cell in hashed):
            raise self._violation("hash")
        if not set(cells) & ALONE and not {"FN", "LN"} < set(cells):
            raise self._violation("a line that finds nobody, or everybody")
        return cells

    def _violation(self, what: str, code: int = 100) -> ApiError:
        self.contract_violations.append(what)
        return _error(code, "Invalid parameter")


def _error(code: int, message: str, status: int = 400, **more: Any) -> ApiError:
    error = {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "A"}
    return ApiError(status, {"error": error | more})
