"""Google audiences (Customer Match), by the Data Manager API.

A request is taken as a whole or not at all, and worked on for up to a day. What its end says
has no rows in it, only counts by reason; so whatever can be told of a row is told here,
before it is sent. Nobody is uploaded without both consents Google asks for.
"""

import logging
import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from orchestration.destinations._google_end import RequestEnd, dicts
from orchestration.destinations._google_identifiers import (
    ADDRESS,
    COLUMN,
    as_user_identifier,
    google_identifiers,
)
from orchestration.destinations._google_token import access_token
from orchestration.destinations._hashing import Prehashed, chunks, left_over
from orchestration.destinations.base import (
    Destination,
    Job,
    Limits,
    Outcome,
    Outcomes,
    Refused,
    Row,
    Stopped,
    Unanswered,
    safe_code,
    setting,
)
from orchestration.sync.http import HttpClient, RenewedToken
from orchestration.sync.spec import SyncSpec

logger = logging.getLogger(__name__)

CONSENTS = {"ad_user_data": "adUserData", "ad_personalization": "adPersonalization"}
"""Columns that every sync must have, and their names there."""
GRANTED = "granted"

_BASE_URL = "https://datamanager.googleapis.com"
_OPTIONS = {"account_id", "login_account_id", "account_type", "audience_id", "validate_only"}
_IDENTIFIERS_PER_MEMBER = 10
_ROUNDS = 5  # of sending without the rows that were refused by name

# What is wrong with the account or the audience, whatever the rows.
_SYSTEMIC = {
    "CUSTOMER_NOT_ALLOWLISTED_FOR_COMMERCE_AUDIENCE",
    "DESTINATION_ACCOUNT_TYPE_MISMATCH",
    "EU_POLITICAL_ADVERTISING_DECLARATION_REQUIRED",
    "INVALID_DESTINATION",
    "INVALID_USER_LIST_ID",
    "INVALID_USER_LIST_TYPE",
    "NOT_ALLOWLISTED",
    "NOT_FOUND",
    "OPERATING_ACCOUNT_LOGIN_ACCOUNT_MISMATCH",
    "REQUIRED_PREREQUISITE_LINK_MISSING",
    "TERMS_AND_CONDITIONS_NOT_SIGNED",
    "USER_LIST_TYPE_NOT_SUPPORTED_FOR_ACCOUNT",
}
_TRANSIENT = {"DEADLINE_EXCEEDED", "INTERNAL_ERROR", "RESOURCE_EXHAUSTED"}
_REQUEST_ID = re.compile(r"\S+")
_MEMBER = re.compile(r"audience_?members\[([0-9]+)\]", re.IGNORECASE)


class Google(Destination):
    """Members of one audience. Environment: ``GOOGLE_CLIENT_ID``, ``GOOGLE_CLIENT_SECRET``,
    ``GOOGLE_REFRESH_TOKEN``; optionally ``GOOGLE_TOKEN_URL``, ``GOOGLE_DATAMANAGER_URL``.

    Options: ``account_id``, ``audience_id``; ``login_account_id`` (a manager account),
    ``account_type`` (default ``GOOGLE_ADS``), ``validate_only``."""

    name = "google"
    # 300 requests a minute and 100,000 a day per Cloud project, of which some stay for others.
    limits: ClassVar[Limits] = Limits(batch_rows=10_000, rates=((200, 60),))
    supported = frozenset({("audience", "audience"), ("audience", "mirror")})
    # Google asks to wait half an hour before the first question. It may take a day.
    poll_seconds = 1800.0

    def __init__(self, spec: SyncSpec, http: HttpClient) -> None:
        self._options = spec.options
        self._http = http

    @classmethod
    def from_environment(cls, spec: SyncSpec) -> "Google":
        client_id = setting("GOOGLE_CLIENT_ID")
        token = RenewedToken(client_id, access_token(client_id))
        return cls(
            spec, HttpClient(setting("GOOGLE_DATAMANAGER_URL", _BASE_URL), token, cls.limits)
        )

    @classmethod
    def check(cls, spec: SyncSpec) -> None:
        super().check(spec)
        if spec.channel != "ads" or not spec.purposes >= {"ads_user_data", "ads_personalisation"}:
            raise ValueError("purpose: Google needs ads_user_data and ads_personalisation on ads")
        if missing := [column for column in CONSENTS if column not in spec.columns]:
            raise ValueError(f"columns: {', '.join(missing)} must say {GRANTED!r}, row by row")
        known = {spec.key, spec.person, *CONSENTS}
        if odd := [c for c in spec.columns if c not in known and not COLUMN.fullmatch(c)]:
            raise ValueError(f"columns: Google takes no {', '.join(odd)}")
        single = [c for c in spec.columns if COLUMN.fullmatch(c) and c not in ADDRESS]
        address = [column for column in ADDRESS[:2] if column in spec.columns]
        if not single and not address:
            raise ValueError("columns: nothing identifies a person")
        if address and not set(ADDRESS) <= set(spec.columns):
            raise ValueError(f"columns: an address is all of {', '.join(ADDRESS)}")
        if len(single) + bool(address) > _IDENTIFIERS_PER_MEMBER:
            raise ValueError(f"columns: at most {_IDENTIFIERS_PER_MEMBER} identifiers a person")
        if odd := sorted(set(spec.options) - _OPTIONS):
            raise ValueError(f"options: {', '.join(odd)} is none of Google's")
        for option in ("account_id", "audience_id", "login_account_id"):
            value = spec.options.get(option)
            if not (value or "").isdecimal() and (value or option != "login_account_id"):
                raise ValueError(f"options: {option} must be digits only")
        if spec.options.get("validate_only", "false") not in ("true", "false"):
            raise ValueError("options: validate_only is true or false")

    @property
    def calls(self) -> int:
        return self._http.calls

    def identifiers(self, row: Row) -> tuple[str, ...]:
        return self._judged(row)[0]

    def upsert(self, rows: Sequence[Row]) -> list[Outcome] | Job:
        judged = {row.key: self._judged(row) for row in rows}
        refused = {key: code for key, (_, code) in judged.items() if code}
        # Whoever withdrew a consent, or has no e-mail any more, is taken out. A column that
        # is suddenly hashed is a mistake of the mapping and takes nobody out.
        old = {
            row.key: left_over(row, judged[row.key][0])
            for row in rows
            if refused.get(row.key) != "PREHASHED_VALUE"
        }
        requests, named = self._send("remove", old)
        refused = named | refused
        new = {key: found for key, (found, _) in judged.items() if key not in refused}
        added, named = self._send("ingest", new)
        return self._job(rows, requests + added, refused | named)

    def remove(self, rows: Sequence[Row]) -> list[Outcome] | Job:
        requests, refused = self._send("remove", {r.key: r.sent_identifiers for r in rows})
        untouched = {row.key for row in rows if not row.sent_identifiers}
        settled = tuple(Outcome.delivered(key) for key in untouched)
        return self._job(rows, requests, refused, settled)

    def poll(self, job_id: str, rows: Sequence[Row]) -> Outcomes | None:
        ends = []
        for request in job_id.split(" "):
            verb, _, request_id = request.partition(":")
            end = self._end(verb, request_id)
            if end is None:
                return None
            ends.append(end)
        outcomes = [self._outcome(row.key, ends) for row in rows]
        return Outcomes(outcomes, [end.matched for end in ends if end.matched])

    # -- rows

    def _judged(self, row: Row) -> tuple[tuple[str, ...], str | None]:
        """What of a row may be uploaded, or why nothing may."""
        if any(row.values.get(column) != GRANTED for column in CONSENTS):
            return (), "CONSENT_MISSING"
        try:
            found = google_identifiers(row.values)
        except Prehashed:
            return (), "PREHASHED_VALUE"
        return found, None if found else "NO_IDENTIFIER"

    def _outcome(self, key: str, ends: list[RequestEnd]) -> Outcome:
        """The same for all rows: no end says which of them it is about."""
        if all(end.status == "SUCCESS" for end in ends):
            return Outcome.delivered(key)
        last = [end for end in ends if end.verb == ends[-1].verb]
        error = next(end.main_error for end in ends if end.status != "SUCCESS")
        # A refusal only where it holds for every row; a part that failed is sent again whole.
        if all(end.status == "FAILED" for end in last) and last[0].main_error not in _TRANSIENT:
            return Outcome.rejected(key, last[0].main_error)
        return Outcome.unknown(key, error)

    def _job(
        self,
        rows: Sequence[Row],
        requests: list[str],
        refused: Mapping[str, str],
        settled: tuple[Outcome, ...] = (),
    ) -> list[Outcome] | Job:
        settled += tuple(Outcome.rejected(key, code) for key, code in refused.items())
        open_keys = {row.key for row in rows} - {outcome.key for outcome in settled}
        if not open_keys:
            return list(settled)
        if self._validates_only:
            return [*settled, *(Outcome.unknown(key, "VALIDATED_ONLY") for key in open_keys)]
        return Job(" ".join(requests), settled)

    # -- calls

    @property
    def _validates_only(self) -> bool:
        return self._options.get("validate_only") == "true"

    def _send(
        self, verb: str, identifiers: Mapping[str, tuple[str, ...]]
    ) -> tuple[list[str], dict[str, str]]:
        """Requests that were taken (``verb:id``), and codes of the rows that were refused."""
        members = [
            (key, part)
            for key, names in identifiers.items()
            for part in chunks(names, _IDENTIFIERS_PER_MEMBER)
        ]
        requests, refused = [], {}
        for chunk in chunks(members, self.limits.batch_rows):
            request_id, named = self._request(verb, chunk)
            refused |= named
            if request_id:
                requests.append(f"{verb}:{request_id}")
        return requests, refused

    def _request(
        self, verb: str, members: list[tuple[str, tuple[str, ...]]]
    ) -> tuple[str | None, dict[str, str]]:
        """One request; where rows are refused by name, once more without them."""
        refused: dict[str, str] = {}
        for _ in range(_ROUNDS):
            if not members:
                return None, refused
            path = f"/v1/audienceMembers:{verb}"
            reply = self._http.post(path, self._payload(verb, members))
            if reply.status == 200:
                request_id = reply.body.get("requestId") if isinstance(reply.body, dict) else None
                if self._validates_only:
                    return None, refused
                if not isinstance(request_id, str) or not _REQUEST_ID.fullmatch(request_id):
                    raise Unanswered("NO_REQUEST_ID")
                return request_id, refused
            reason, violations = _errors(reply.body, reply.status)
            if reason in _SYSTEMIC:
                raise Stopped(reason)
            if reason in _TRANSIENT:
                raise Unanswered(reason)
            named = {members[n][0]: code for n, code in violations.items() if n < len(members)}
            if not named:
                raise Refused(reason)
            refused |= named
            members = [member for member in members if member[0] not in named]
        raise Refused(reason)

    def _payload(self, verb: str, members: list[tuple[str, tuple[str, ...]]]) -> dict[str, Any]:
        kind = self._options.get("account_type", "GOOGLE_ADS")
        destination = {
            "operatingAccount": {"accountType": kind, "accountId": self._options["account_id"]},
            "productDestinationId": self._options["audience_id"],
        }
        if login := self._options.get("login_account_id"):
            destination["loginAccount"] = {"accountType": kind, "accountId": login}
        # Only rows with both consents get here, so it is said of each of them.
        consent = {"consent": dict.fromkeys(CONSENTS.values(), "CONSENT_GRANTED")}
        terms = {"termsOfService": {"customerMatchTermsOfServiceStatus": "ACCEPTED"}}
        is_upload = verb == "ingest"
        return {
            "destinations": [destination],
            "audienceMembers": [
                {"userData": {"userIdentifiers": [as_user_identifier(name) for name in names]}}
                | (consent if is_upload else {})
                for _, names in members
            ],
            "encoding": "HEX",
            "validateOnly": self._validates_only,
        } | (terms if is_upload else {})

    def _end(self, verb: str, request_id: str) -> RequestEnd | None:
        """How a request ended; None while it goes on."""
        reply = self._http.request(
            "GET", "/v1/requestStatus:retrieve", params={"requestId": request_id}
        )
        if reply.status != 200:
            # Google forgets a request after some 50 days.
            return RequestEnd(verb, "FORGOTTEN")
        [status] = dicts(reply.body, "requestStatusPerDestination")[:1] or [{}]
        name = safe_code(status.get("requestStatus", "REQUEST_STATUS_UNKNOWN"))
        if name in ("PROCESSING", "REQUEST_STATUS_UNKNOWN"):
            return None
        end = RequestEnd.told(verb, name, status)
        logger.info("google %s: %s, %s records, %s", verb, end.status, end.records, end.match_rate)
        return end


def _errors(body: Any, status: int) -> tuple[str, dict[int, str]]:
    """The reason of a refusal as a code, and reasons by the number of the member they name."""
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return f"HTTP_{status}", {}
    details = dicts(error, "details")
    violations = [v for detail in details for v in dicts(detail, "fieldViolations")]
    named = {}
    for violation in violations:
        if matched := _MEMBER.search(str(violation.get("field"))):
            named[int(matched.group(1))] = safe_code(violation.get("reason"))
    reasons = [v.get("reason") for v in violations] + [d.get("reason") for d in details]
    codes = [safe_code(reason) for reason in [*reasons, error.get("status")] if reason]
    systemic = [code for code in codes if code in _SYSTEMIC | _TRANSIENT]
    return (systemic or codes or [f"HTTP_{status}"])[0], named
