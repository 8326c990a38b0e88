"""Any HTTP endpoint: a webhook, an in-house API, a JSON-RPC server. What is sent and how answers
are read is said in the sync's options (docs/destinations/http.md).

Rows go one a request over several connections, or many in one. Without a promise that a request
sent twice makes one record, a write is not repeated within a run: the next run looks the row up.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from orchestration.destinations._http_options import (
    PLACES,
    ROWS,
    HttpOptions,
    Request,
    Requests,
    check_options,
    endpoint_url,
)
from orchestration.destinations._template import BadValue, value_at
from orchestration.destinations.base import (
    CallError,
    Destination,
    Limits,
    Outcome,
    Refused,
    Row,
    safe_code,
)
from orchestration.sync.http import HttpClient, Policy, Reply
from orchestration.sync.safe_url import UrlGuard
from orchestration.sync.spec import SyncSpec
from orchestration.sync.switchboard import finish

_GONE = {404, 410}
_ROW_MODES = ("upsert", "mirror", "audience", "create_only", "update_only", "delete")


class Http(Destination):
    """One endpoint of a person's choice. Environment: the variables that the options name
    (all ``CDP_HTTP_...``) and the allow-list ``CDP_WEBHOOK_ALLOWED_HOSTS``."""

    name = "http"
    has_coroutines = True
    supported = frozenset({("records", mode) for mode in _ROW_MODES} | {("events", "append")})
    content_options = frozenset({"body", "row", "update_body", "remove_body", "remove_row"})
    manner_options = frozenset(HttpOptions.model_fields) - content_options - PLACES

    def __init__(self, spec: SyncSpec, http: HttpClient, target: str = "") -> None:
        """``target``: path and query of the endpoint, before what the options add."""
        self._spec = spec
        self._http = http
        self._options = HttpOptions.of(spec)
        self._keys = {"cdp_key", spec.key}
        self._requests = Requests.of(spec, self._options)
        parts = urlsplit(target)
        self._path, self._query = parts.path, parts.query
        self.limits = _limits(self._options)
        self.appends_are_repeatable = self._options.creates_repeatably

    @classmethod
    def from_environment(cls, spec: SyncSpec, policy: Policy | None = None) -> "Http":
        """Raises ``ValueError`` for an address that may not be called, too."""
        options = HttpOptions.of(spec)
        guard = UrlGuard.from_environment()
        url = guard.check(endpoint_url(options), is_secret=True, resolves=False)
        http = HttpClient(
            url.origin,
            options.credentials(),
            _limits(options),
            policy,
            guard=guard,
        )
        return cls(spec, http, url.target)

    @classmethod
    def check(cls, spec: SyncSpec) -> None:
        super().check(spec)
        check_options(spec)

    @property
    def calls(self) -> int:
        return self._http.calls

    async def send(self, rows: Sequence[Row]) -> list[Outcome]:
        if rows[0].action == "remove":
            return await self._removed(rows)
        if self._requests.create.is_batch:
            return await self._many(self._requests.create, rows, self._options.creates_repeatably)
        return await self._each(rows, self._write)

    def upsert(self, rows: Sequence[Row]) -> list[Outcome]:
        return finish(self.send(rows))

    def remove(self, rows: Sequence[Row]) -> list[Outcome]:
        return finish(self.send(rows))

    async def _removed(self, rows: Sequence[Row]) -> list[Outcome]:
        request = self._requests.remove
        if request is None:
            return [Outcome.rejected(row.key, "NO_REMOVAL_DECLARED") for row in rows]
        if request.is_batch:
            return await self._many(request, rows, repeatable=True)
        return await self._each(rows, lambda row: self._take_away(request, row))

    def weight(self, row: Row) -> int:
        if not self.limits.batch_bytes:
            return 0
        requests = self._requests
        request = requests.create if row.action == "upsert" else requests.remove
        template = request.row if request else None
        try:
            body = template.render(self._values(row), self._spec.clear_nulls) if template else ""
        except BadValue:
            return 0
        return len(json.dumps(body).encode()) + 2

    # -- one row a request

    async def _write(self, row: Row) -> Outcome:
        mode, requests = self._spec.mode, self._requests
        # Nothing is made here, so a row without an id is asked for, in doubt or not.
        when = "always" if mode == "update_only" else ""
        remote_id, is_anew = row.remote_id or await self._looked_up(row, when), False
        if remote_id and mode == "create_only":
            return Outcome.delivered(row.key, remote_id)
        if remote_id and requests.update:
            outcome = await self._one(requests.update, row, remote_id, repeatable=True)
            if mode == "update_only" or outcome.error_code not in ("HTTP_404", "HTTP_410"):
                return outcome
            # Deleted over there: written anew, by another request than the update, whose answer
            # an endpoint may repeat for its key.
            row, remote_id, is_anew = replace(row, remote_id=None), None, True
        if mode == "update_only" and requests.lookup and not remote_id:
            return Outcome.rejected(row.key, "NOT_THERE")
        repeatable = self._options.creates_repeatably
        return await self._one(requests.create, row, remote_id, repeatable, is_anew)

    async def _take_away(self, request: Request, row: Row) -> Outcome:
        remote_id = row.remote_id
        if not remote_id and self._requests.lookup:
            remote_id = await self._looked_up(row, when="always")
            if not remote_id:
                return Outcome.delivered(row.key)
        if not remote_id and "cdp_remote_id" in request.names:
            return _never_learned(row)
        outcome = await self._one(request, row, remote_id, repeatable=True)
        if outcome.error_code in ("HTTP_404", "HTTP_410"):
            return Outcome.delivered(row.key, remote_id)
        return outcome

    async def _looked_up(self, row: Row, when: str = "") -> str | None:
        """The id over there of a row that the ledger has no id of."""
        lookup = self._requests.lookup
        if lookup is None:
            return None
        if (when or self._options.lookup_when) == "uncertain" and not row.is_uncertain:
            return None
        reply = await self._send(lookup, self._values(row), None, repeatable=True, reads=True)
        if reply.status in _GONE:
            return None
        if reply.status >= 400 or self._error(reply.body):
            raise Refused(self._code(reply))
        return _identifier(value_at(reply.body, self._options.lookup_id_path))

    async def _one(
        self,
        request: Request,
        row: Row,
        remote_id: str | None,
        repeatable: bool,
        is_anew: bool = False,
    ) -> Outcome:
        key = row.idempotency_key(self._spec)
        key = hashlib.sha256(f"{key} anew".encode()).hexdigest()[:32] if is_anew else key
        values = self._values(row) | {"cdp_remote_id": remote_id, "cdp_idempotency_key": key}
        reply = await self._send(request, values, key, repeatable)
        if reply.status >= 400:
            is_there = reply.status == self._options.exists_status and (
                row.is_uncertain or self._spec.mode == "create_only"
            )
            if is_there and request is self._requests.create:
                return Outcome.delivered(row.key, self._remote_id(reply.body))
            return Outcome.rejected(row.key, self._code(reply))
        if self._error(reply.body):
            return Outcome.rejected(row.key, self._code(reply))
        found = self._remote_id(reply.body) or remote_id
        if self._options.remote_id_path and not found and row.action == "upsert":
            return Outcome.unknown(row.key, "NO_RESULT")
        return Outcome.delivered(row.key, found)

    async def _each(
        self, rows: Sequence[Row], act: Callable[[Row], Awaitable[Outcome]]
    ) -> list[Outcome]:
        """Rows one after the other; the engine has several calls under way. What is known of
        some is not lost when something stops the others."""
        outcomes: list[Outcome] = []
        for row in rows:
            try:
                outcomes.append(await act(row))
            except (Refused, BadValue) as refused:
                outcomes.append(Outcome.rejected(row.key, refused.code))
            except CallError as error:
                if not outcomes:
                    raise
                rest = rows[len(outcomes) + 1 :]
                outcomes.append(_unknown(row, error))
                return outcomes + [Outcome(untried.key, "unsent") for untried in rest]
        return outcomes

    # -- many rows a request

    async def _many(self, request: Request, rows: Sequence[Row], repeatable: bool) -> list[Outcome]:
        outcomes, sent, bodies = [], [], []
        # What is taken away by nothing but its id cannot be named without it.
        needs_id = request is self._requests.remove and not self._keys & request.names
        for row in rows:
            if needs_id and not row.remote_id:
                outcomes.append(_never_learned(row))
                continue
            try:
                bodies.append(request.row.render(self._values(row), self._spec.clear_nulls))
                sent.append(row)
            except BadValue as bad:
                outcomes.append(Outcome.rejected(row.key, bad.code))
        if not sent:
            return outcomes
        keys = "".join(row.idempotency_key(self._spec) for row in sent)
        key = hashlib.sha256(keys.encode()).hexdigest()[:32]
        values = {ROWS: bodies, "cdp_sync": self._spec.sync_name}
        reply = await self._send(request, values, key, repeatable)
        if reply.status >= 400 or self._error(reply.body):
            raise Refused(self._code(reply))
        return outcomes + self._results(sent, reply)

    def _results(self, rows: list[Row], reply: Reply) -> list[Outcome]:
        if self._options.results_path is None:
            return [Outcome.delivered(row.key, row.remote_id) for row in rows]
        found = value_at(reply.body, self._options.results_path)
        items = found if isinstance(found, list) else []
        if self._options.result_key:
            named = {str(value_at(item, self._options.result_key)): item for item in items}
            paired = [named.get(row.key) for row in rows]
        else:
            # By position, which means nothing unless there is one for each.
            paired = items if len(items) == len(rows) else [None] * len(rows)
        return [self._result(row, item) for row, item in zip(rows, paired, strict=True)]

    def _result(self, row: Row, item: Any) -> Outcome:
        if item is None:
            return Outcome.unknown(row.key, "NO_RESULT")
        if self._error(item):
            return Outcome.rejected(row.key, self._code_in(item) or "ROW_ERROR")
        remote_id = self._remote_id(item) or row.remote_id
        if self._options.remote_id_path and not remote_id and row.action == "upsert":
            return Outcome.unknown(row.key, "NO_RESULT")
        return Outcome.delivered(row.key, remote_id)

    # -- calls

    async def _send(
        self,
        request: Request,
        values: dict[str, Any],
        key: str | None,
        repeatable: bool,
        reads: bool = False,
    ) -> Reply:
        options = self._options
        added = request.path.render(values)
        path = (self._path.rstrip("/") if added.startswith("/") else self._path) + added
        if self._query:
            path += ("&" if "?" in path else "?") + self._query
        payload = request.body.render(values, self._spec.clear_nulls) if request.body else None
        # An answer is read only where something is looked for in it: many say just "ok".
        is_read = reads or options.remote_id_path or options.error_field or options.results_path
        return await self._http.call(
            request.method,
            path or "/",
            payload,
            headers={options.idempotency_header: key} if key else None,
            statuses={200, 201, 207} if is_read else set(),
            repeatable=repeatable,
        )

    def _values(self, row: Row) -> dict[str, Any]:
        written = row.values if row.action == "upsert" else self._spec.on_leave
        return {
            self._spec.key: row.key,
            **written,
            "cdp_key": row.key,
            "cdp_remote_id": row.remote_id,
            "cdp_idempotency_key": row.idempotency_key(self._spec),
            "cdp_action": row.action,
            "cdp_reason": row.reason,
            "cdp_sync": self._spec.sync_name,
        }

    def _remote_id(self, body: Any) -> str | None:
        path = self._options.remote_id_path
        return _identifier(value_at(body, path)) if path else None

    def _error(self, body: Any) -> bool:
        """Anything in the error field but nothing: null, false, empty."""
        field = self._options.error_field
        return bool(field and value_at(body, field))

    def _code(self, reply: Reply) -> str:
        status = f"HTTP_{reply.status}" if reply.status >= 400 else "ROW_ERROR"
        # Gone is told by status; a code of its own would hide it.
        return status if reply.status in _GONE else self._code_in(reply.body) or status

    def _code_in(self, body: Any) -> str | None:
        """A code where the sync says that one stands; in capitals, as codes are written."""
        path = self._options.error_code_path
        found = value_at(body, path) if path else None
        if isinstance(found, int) and not isinstance(found, bool):
            found = f"CODE_{found}"
        code = safe_code(str(found).upper().replace("-", "_").replace(".", "_"))
        return None if found is None or code == "UNSPECIFIED" else code


def _limits(options: HttpOptions) -> Limits:
    rates = ((options.requests_per_second, 1.0),)
    return Limits(options.batch_rows, rates, options.connections, options.batch_bytes)


def _identifier(found: Any) -> str | None:
    is_one = isinstance(found, (str, int)) and not isinstance(found, bool) and found != ""
    return str(found) if is_one else None


def _unknown(row: Row, error: CallError) -> Outcome:
    return Outcome.unknown(row.key, error.code, getattr(error, "error_class", "transient"))


def _never_learned(row: Row) -> Outcome:
    """It cannot be named: the answer that held its id was lost."""
    return Outcome.unknown(row.key, "NO_REMOTE_ID", "permanent")
