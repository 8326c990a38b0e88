"""Meta Custom Audiences of customer lists.

An audience cannot be read back: what the ledger keeps of it is all there is to know. The keys of
a line stay the same for the life of an audience, in the order of ``_meta_identifiers.KEYS``,
because Meta refuses another kind of line for an audience that has one already (error 2650).
"""

import logging
import re
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from orchestration.destinations._hashing import Prehashed, chunks, left_over
from orchestration.destinations._meta_identifiers import (
    KEYS,
    as_cells,
    meta_cells,
    meta_identifiers,
)
from orchestration.destinations.base import (
    Destination,
    Limits,
    Matched,
    Outcome,
    Outcomes,
    Refused,
    Row,
    Stopped,
    Unanswered,
    setting,
)
from orchestration.sync.http import BearerToken, HttpClient, Reply
from orchestration.sync.spec import SyncSpec

logger = logging.getLogger(__name__)

_BASE_URL = "https://graph.facebook.com"
_VERSION = re.compile(r"v[0-9]{1,3}\.[0-9]")
_OPTIONS = {"audience_id", "chunk_size"}
_MAX_ROWS = 10_000

# Error codes, which come with HTTP 400 as a rule. They are named, because a code of the ledger
# holds no long numbers.
_AUTH = {10: "PERMISSION_MISSING", 102: "TOKEN_INVALID", 190: "TOKEN_INVALID"} | dict.fromkeys(
    range(200, 300), "PERMISSION_MISSING"
)
_THROTTLED = {4, 17, 32, 341, 613, *range(80_000, 80_015)}
_TRANSIENT = {1: "UNKNOWN_ERROR", 2: "SERVICE_UNAVAILABLE"}
# About the account, the audience or the version: no smaller batch would pass.
_SYSTEMIC = {
    368: "ACTION_BLOCKED",
    2635: "VERSION_SWITCHED_OFF",
    2650: "AUDIENCE_UPDATE_FAILED",
    2655: "TERMS_NOT_ACCEPTED",
    2663: "TERMS_NOT_ACCEPTED",
}
_SYSTEMIC_SUBCODES = {
    (100, 33): "AUDIENCE_OUT_OF_REACH",
    (100, 1713230): "AUDIENCE_BLOCKED",
    (200, 1870034): "TERMS_NOT_ACCEPTED",
    (200, 1870047): "AUDIENCE_TOO_SMALL",
}


class Meta(Destination):
    """Members of one audience. Environment: ``META_ACCESS_TOKEN``, optionally
    ``META_GRAPH_URL`` and ``META_API_VERSION`` (default ``v25.0``).

    Options: ``audience_id``; ``chunk_size`` (lines per call, at most 10,000)."""

    name = "meta"
    manner_options = frozenset({"chunk_size"})
    # An app with standard access has 5,000 calls an hour and ad account.
    limits: Limits = Limits(batch_rows=_MAX_ROWS, rates=((50, 10), (4000, 3600)))
    supported = frozenset({("audience", "audience"), ("audience", "mirror")})

    def __init__(self, spec: SyncSpec, http: HttpClient, version: str = "v25.0") -> None:
        if not _VERSION.fullmatch(version):
            raise ValueError("the version of Meta's API must look like v25.0")
        self._http = http
        self._path = f"/{version}/{spec.options['audience_id']}/users"
        self._schema = [key for key in KEYS if key.lower() in spec.columns]
        chunk_size = int(spec.options.get("chunk_size", _MAX_ROWS))
        self.limits = Limits(chunk_size, type(self).limits.rates)

    @classmethod
    def from_environment(cls, spec: SyncSpec) -> "Meta":
        token = BearerToken(setting("META_ACCESS_TOKEN"))
        url = setting("META_GRAPH_URL", _BASE_URL)
        http = HttpClient(url, token, cls.limits, is_throttle=is_throttle)
        return cls(spec, http, setting("META_API_VERSION", "v25.0"))

    @classmethod
    def check(cls, spec: SyncSpec) -> None:
        super().check(spec)
        if spec.channel != "ads" or not spec.purposes & {"ads_user_data", "ads_personalisation"}:
            raise ValueError("purpose: an audience of Meta needs an ads purpose on channel ads")
        named = {key.lower() for key in KEYS}
        if odd := [c for c in spec.columns if c not in named | {spec.key, spec.person}]:
            raise ValueError(f"columns: Meta takes no {', '.join(odd)}")
        columns = set(spec.columns)
        if not columns & {"email", "phone"} and not {"fn", "ln"} <= columns:
            raise ValueError("columns: nothing identifies a person")
        if odd := sorted(set(spec.options) - _OPTIONS):
            raise ValueError(f"options: {', '.join(odd)} is none of Meta's")
        if not spec.options.get("audience_id", "").isdecimal():
            raise ValueError("options: audience_id must be digits only")
        chunk_size = spec.options.get("chunk_size", "1")
        if not chunk_size.isdecimal() or not 1 <= int(chunk_size) <= _MAX_ROWS:
            raise ValueError(f"options: chunk_size is 1 to {_MAX_ROWS}")

    @property
    def calls(self) -> int:
        return self._http.calls

    def identifiers(self, row: Row) -> tuple[str, ...]:
        return meta_identifiers(self._judged(row)[0])

    def upsert(self, rows: Sequence[Row]) -> Outcomes:
        judged = {row.key: self._judged(row) for row in rows}
        refused = {key: code for key, (_, code) in judged.items() if code}
        # What a row no longer is goes first: the same person may stand behind both. A column
        # that is suddenly hashed is a mistake of the mapping and takes nobody out.
        old = {
            row.key: left_over(row, meta_identifiers(judged[row.key][0]))
            for row in rows
            if refused.get(row.key) != "PREHASHED_VALUE"
        }
        matched: list[Matched] = []
        doubt = self._take_away([name for names in old.values() for name in names], matched)
        new = [row for row in rows if row.key not in refused]
        lines = [judged[row.key][0] for row in new]
        outcomes = [Outcome.rejected(key, code) for key, code in refused.items()]
        if lines:
            code = self._call("POST", self._schema, lines, matched)
            # Delivered is also that nothing old is left.
            outcomes += [
                _outcome(row.key, code or (doubt if old[row.key] else None)) for row in new
            ]
        return Outcomes(outcomes, matched)

    def remove(self, rows: Sequence[Row]) -> Outcomes:
        matched: list[Matched] = []
        code = self._take_away([name for row in rows for name in row.sent_identifiers], matched)
        outcomes = [_outcome(row.key, code if row.sent_identifiers else None) for row in rows]
        return Outcomes(outcomes, matched)

    # -- rows

    def _judged(self, row: Row) -> tuple[dict[str, str], str | None]:
        """The cells of a row's line, or why it has none."""
        try:
            cells = meta_cells({key.lower(): row.values.get(key.lower()) for key in self._schema})
        except Prehashed:
            return {}, "PREHASHED_VALUE"
        return (cells, None) if meta_identifiers(cells) else ({}, "NO_IDENTIFIER")

    # -- calls

    def _take_away(self, identifiers: list[str], matched: list[Matched]) -> str | None:
        """One line per identifier; what is doubtful about it, if anything."""
        lines = [as_cells(name) for name in dict.fromkeys(identifiers)]
        # A key that the sync has no column for any more was uploaded all the same.
        used = {key for cells in lines for key in cells}
        schema = self._schema + [k for k in KEYS if k in used and k not in self._schema]
        codes = [
            self._call("DELETE", schema, part, matched)
            for part in chunks(lines, self.limits.batch_rows)
        ]
        return next((code for code in codes if code), None)

    def _call(
        self,
        method: str,
        schema: list[str],
        lines: list[Mapping[str, str]],
        matched: list[Matched],
    ) -> str | None:
        """Send lines in a session of their own: one that spans calls would stay open, and the
        audience busy, whenever the last of them fails. Adds what Meta counts, and returns what
        is doubtful."""
        payload = {
            "payload": {
                "schema": schema,
                "data": [[cells.get(key, "") for key in schema] for cells in lines],
            },
            "session": {
                "session_id": secrets.randbelow(2**62) + 1,
                "batch_seq": 1,
                "last_batch_flag": True,
                "estimated_num_total": len(lines),
            },
        }
        reply = self._http.request(method, self._path, payload)
        if reply.status != 200:
            raise _failure(reply)
        counts = [_count(reply, name) for name in ("num_received", "num_invalid_entries")]
        if None in counts:
            return "NO_COUNTS"
        received, invalid = counts
        matched.append(Matched("upsert" if method == "POST" else "remove", received, invalid))
        logger.info("meta %s: %s lines, %s invalid", method, received, invalid)
        if invalid:
            # Which ones, only smaller batches tell; those that were valid are there already,
            # and a repetition changes nothing.
            raise Refused("INVALID_ENTRIES", matched)
        return None if received else "NOTHING_RECEIVED"


def _outcome(key: str, doubt: str | None) -> Outcome:
    return Outcome.unknown(key, doubt) if doubt else Outcome.delivered(key)


def _count(reply: Reply, name: str) -> int | None:
    value = reply.body.get(name) if isinstance(reply.body, dict) else None
    return int(value) if str(value).isdecimal() else None


def is_throttle(body: Any) -> bool:
    """Whether an error is about how much was asked: code 4 comes with HTTP 403, too."""
    return _number(_error(body).get("code")) in _THROTTLED


def _failure(reply: Reply) -> Exception:
    error = _error(reply.body)
    code, subcode = (_number(error.get(name)) for name in ("code", "error_subcode"))
    if reason := _SYSTEMIC_SUBCODES.get((code, subcode), _SYSTEMIC.get(code)):
        return Stopped(reason)
    if code in _AUTH:
        return Stopped(_AUTH[code], "auth")
    if code in _THROTTLED:
        # For the rest of an hour, as a rule: trying on makes it longer.
        return Stopped("THROTTLED", "transient")
    if code in _TRANSIENT or error.get("is_transient") is True:
        return Unanswered(_TRANSIENT.get(code, "SERVICE_UNAVAILABLE"))
    if reply.status == 404:
        return Stopped("NOT_FOUND")
    return Refused(f"HTTP_{reply.status}" if code is None else f"META_{code}")


def _error(body: Any) -> dict[str, Any]:
    error = body.get("error") if isinstance(body, dict) else None
    return error if isinstance(error, dict) else {}


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) else None
