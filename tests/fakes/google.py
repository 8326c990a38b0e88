"""Google's Data Manager API and its token endpoint on the loopback.

Strict: tokens, unknown fields, formats, limits, both consents of every member. Where the package
``google-ads-datamanager`` is installed, its protobuf messages read every request too, and every
status we answer. A request is taken as a whole or refused as a whole; its end is told after a
few polls, by counts only.
"""

import importlib
import json
import re
import secrets
import sys
import types
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, distribution
from typing import Any, ClassVar
from urllib.parse import parse_qs

from tests.fakes.server import Answer, ApiError, FakeServer, Request

MEMBERS_PER_REQUEST = 10_000
IDENTIFIERS_PER_MEMBER = 10

_HASH = re.compile(r"[0-9a-f]{64}")
_HASH_OF_NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

# Messages by the fields they may have; a list is a repeated one. As in the protobuf package.
_ACCOUNT = {"accountId": str, "accountType": str}
_IDENTIFIER = {
    "emailAddress": str,
    "phoneNumber": str,
    "address": {"givenName": str, "familyName": str, "regionCode": str, "postalCode": str},
}
_SHAPE: dict[str, Any] = {
    "destinations": [
        {"operatingAccount": _ACCOUNT, "loginAccount": _ACCOUNT, "productDestinationId": str}
    ],
    "audienceMembers": [
        {
            "userData": {"userIdentifiers": [_IDENTIFIER]},
            "consent": {"adUserData": str, "adPersonalization": str},
        }
    ],
    "encoding": str,
    "validateOnly": bool,
    "termsOfService": {"customerMatchTermsOfServiceStatus": str},
}


def contract() -> types.ModuleType | None:
    """The vendor's messages, None where the package is absent. Its messages alone: the package
    itself loads clients, and those a library of cryptography."""
    name = "google.ads.datamanager_v1"
    try:
        folder = distribution("google-ads-datamanager").locate_file(name.replace(".", "/"))
    except PackageNotFoundError:
        return None
    if name not in sys.modules:
        package = types.ModuleType(name)
        package.__path__ = [str(folder)]
        sys.modules[name] = package
    return importlib.import_module(f"{name}.types")


@dataclass(frozen=True)
class Verdict:
    """How a request ends. ``errors`` counts people by reason."""

    status: str = "SUCCESS"
    errors: Mapping[str, int] = field(default_factory=dict)
    match_rate: str = "MATCH_RATE_RANGE_51_TO_60"


@dataclass
class _Work:
    verb: str
    members: list[dict]
    verdict: Verdict
    polls_left: int


class FakeGoogle(FakeServer):
    """One account with one audience. ``audience`` holds identifiers as they arrived, in the
    form ``emailAddress:<hash>``, addresses with their parts joined by colons."""

    account_id: ClassVar[str] = "1234567890"
    audience_id: ClassVar[str] = "98765"
    client: ClassVar[dict[str, str]] = {
        "client_id": "client",
        "client_secret": "client-secret",
        "refresh_token": "refresh-token",
    }

    def __init__(self, polls: int = 0) -> None:
        super().__init__()
        self.polls = polls
        """How often a request says PROCESSING before it ends."""
        self.audience: set[str] = set()
        self.verdicts: deque[Verdict] = deque()
        """Ends of the next requests; afterwards all succeed."""
        self.poison: set[str] = set()
        """Hashes for which a request is refused, naming the members."""
        self.refusals: deque[str] = deque()
        """Reasons with which the next requests are refused, naming nobody."""
        self.forgotten: set[str] = set()
        self.validated: int = 0
        self.tokens: list[str] = []
        self.destinations: list[dict] = []
        """Of the last request."""
        self._work: dict[str, _Work] = {}
        self._contract = contract()

    def answer(self, request: Request) -> Answer:
        if request.path == "/token":
            return self._token(request)
        if not self.tokens or request.headers.get("authorization") != f"Bearer {self.tokens[-1]}":
            raise ApiError(401, _error(401, "UNAUTHENTICATED", "UNAUTHENTICATED"))
        if (request.method, request.path) == ("GET", "/v1/requestStatus:retrieve"):
            return self._status(request)
        for verb in ("ingest", "remove"):
            if (request.method, request.path) == ("POST", f"/v1/audienceMembers:{verb}"):
                return self._members(verb, request)
        raise ApiError(404, _error(404, "NOT_FOUND", "NOT_FOUND"))

    def requests(self, verb: str) -> int:
        """How many requests of a kind were taken or refused."""
        return sum(call.path.endswith(f":{verb}") for call in self.calls)

    # -- the API

    def _token(self, request: Request) -> Answer:
        form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        if form != {"grant_type": "refresh_token"} | self.client:
            raise ApiError(400, {"error": "invalid_grant", "error_description": "Bad Request"})
        self.tokens.append(secrets.token_hex(8))
        body = {"access_token": self.tokens[-1], "expires_in": 3599, "token_type": "Bearer"}
        return Answer(200, body)

    def _members(self, verb: str, request: Request) -> Answer:
        if request.headers.get("content-type") != "application/json":
            raise self._violation("content type")
        body = request.json
        if problems := list(_unknown(body, _SHAPE)):
            raise self._violation(problems[0])
        self._ask_contract(verb, body)
        self._check(verb, body)
        if self.refusals:
            raise ApiError(400, _error(400, "INVALID_ARGUMENT", self.refusals.popleft()))
        self.destinations = body["destinations"]
        members = body["audienceMembers"]
        bad = [n for n, member in enumerate(members) if self.poison & set(_hashes(member))]
        if bad:
            raise ApiError(400, _error(400, "INVALID_ARGUMENT", "INVALID_SHA256_FORMAT", bad))
        if body.get("validateOnly"):
            self.validated += len(members)
            return Answer(200, {})
        verdict = self.verdicts.popleft() if self.verdicts else Verdict()
        request_id = secrets.token_hex(16)
        self._work[request_id] = _Work(verb, members, verdict, self.polls)
        done = {"FAILED": 0, "PARTIAL_SUCCESS": len(members) // 2}
        for member in members[: done.get(verdict.status, len(members))]:
            found = {_text(item) for item in member["userData"]["userIdentifiers"]}
            (self.audience.update if verb == "ingest" else self.audience.difference_update)(found)
        return Answer(200, {"requestId": request_id})

    def _status(self, request: Request) -> Answer:
        request_id = request.query.get("requestId", "")
        if request_id in self.forgotten:
            raise ApiError(400, _error(400, "INVALID_ARGUMENT", "REQUEST_TOO_OLD"))
        work = self._work.get(request_id)
        if work is None:
            raise ApiError(400, _error(400, "INVALID_ARGUMENT", "INVALID_REQUEST_ID"))
        found: dict[str, Any] = {"requestStatus": "PROCESSING"}
        if work.polls_left > 0:
            work.polls_left -= 1
        else:
            found = {"requestStatus": work.verdict.status, **_counts(work)}
        body = {"requestStatusPerDestination": [found]}
        if self._contract:
            self._contract.RetrieveRequestStatusResponse.from_json(json.dumps(body))
        return Answer(200, body)

    # -- rules

    def _ask_contract(self, verb: str, body: Any) -> None:
        if self._contract:
            name = {"ingest": "IngestAudienceMembersRequest"}.get(
                verb, "RemoveAudienceMembersRequest"
            )
            try:
                getattr(self._contract, name).from_json(json.dumps(body))
            except Exception as error:
                raise self._violation(f"protobuf {type(error).__name__}") from None

    def _check(self, verb: str, body: dict) -> None:
        is_upload = verb == "ingest"
        destinations, members = body.get("destinations"), body.get("audienceMembers")
        if not destinations or not members:
            raise self._violation("required field")
        for destination in destinations:
            account = destination.get("operatingAccount", {})
            if account.get("accountType") != "GOOGLE_ADS" or not account.get("accountId"):
                raise self._violation("operating account")
            if account["accountId"] != self.account_id:
                raise ApiError(403, _error(403, "PERMISSION_DENIED", "PERMISSION_DENIED"))
            if destination.get("productDestinationId") != self.audience_id:
                raise ApiError(400, _error(400, "INVALID_ARGUMENT", "INVALID_USER_LIST_ID"))
        if body.get("encoding") != "HEX":
            raise self._violation("encoding")
        terms = body.get("termsOfService", {}).get("customerMatchTermsOfServiceStatus")
        if is_upload and terms != "ACCEPTED":
            raise self._violation("terms of service")
        if "termsOfService" in body and not is_upload:
            raise self._violation("terms of service of a removal")
        if len(members) > MEMBERS_PER_REQUEST:
            raise self._violation("members per request", "TOO_MANY_AUDIENCE_MEMBERS")
        for number, member in enumerate(members):
            self._check_member(member, number, is_upload)

    def _check_member(self, member: dict, number: int, is_upload: bool) -> None:
        granted = {"adUserData": "CONSENT_GRANTED", "adPersonalization": "CONSENT_GRANTED"}
        if is_upload and member.get("consent") != granted:
            raise self._violation("a member without both consents")
        items = member.get("userData", {}).get("userIdentifiers", [])
        if not items:
            raise self._violation("a member without identifiers", "NO_IDENTIFIERS_PROVIDED")
        if len(items) > IDENTIFIERS_PER_MEMBER:
            raise self._violation("identifiers per member", "TOO_MANY_USER_IDENTIFIERS")
        if any(len(item) != 1 for item in items):
            raise self._violation("an identifier is one of three")
        for text in _hashes(member):
            if not _HASH.fullmatch(text) or text == _HASH_OF_NOTHING:
                raise self._violation("hash", "INVALID_SHA256_FORMAT", [number])
        for address in (item["address"] for item in items if "address" in item):
            if set(address) != set(_IDENTIFIER["address"]) or not address["postalCode"]:
                raise self._violation("address")
            if not re.fullmatch(r"[A-Z]{2}", address["regionCode"]):
                raise self._violation("region")

    def _violation(
        self, what: str, reason: str = "INVALID_ARGUMENT", members: list[int] | None = None
    ) -> ApiError:
        self.contract_violations.append(what)
        return ApiError(400, _error(400, "INVALID_ARGUMENT", reason, members))


def _unknown(value: Any, shape: Any, path: str = "request") -> Iterator[str]:
    """Where a message has a field it does not have, or of another type."""
    if isinstance(shape, list):
        if not isinstance(value, list):
            yield f"{path} is no list"
            return
        for item in value:
            yield from _unknown(item, shape[0], path)
    elif isinstance(shape, dict):
        if not isinstance(value, dict):
            yield f"{path} is no message"
            return
        for name, item in value.items():
            if name in shape:
                yield from _unknown(item, shape[name], f"{path}.{name}")
            else:
                yield f"{path} has an unknown field"
    elif not isinstance(value, shape):
        yield f"{path} is no {shape.__name__}"


def _hashes(member: dict) -> Iterator[str]:
    for item in member["userData"]["userIdentifiers"]:
        address = item.get("address", {})
        found = (item.get("emailAddress"), item.get("phoneNumber"))
        names = (address.get("givenName"), address.get("familyName"))
        yield from (text for text in (*found, *names) if text is not None)


def _text(item: dict) -> str:
    [(kind, value)] = item.items()
    return f"{kind}:{value if isinstance(value, str) else ':'.join(value.values())}"


def _counts(work: _Work) -> dict[str, Any]:
    people = str(len(work.members))
    identifiers = sum(len(member["userData"]["userIdentifiers"]) for member in work.members)
    counts = {"recordCount": people, "userIdentifierCount": str(identifiers)}
    if work.verb == "ingest":
        data = counts | {"uploadMatchRateRange": work.verdict.match_rate}
        found: dict[str, Any] = {
            "audienceMembersIngestionStatus": {"userDataIngestionStatus": data}
        }
    else:
        found = {"audienceMembersRemovalStatus": {"userDataRemovalStatus": counts}}
    if work.verdict.errors:
        found["errorInfo"] = {
            "errorCounts": [
                {"recordCount": str(count), "reason": f"PROCESSING_ERROR_REASON_{reason}"}
                for reason, count in work.verdict.errors.items()
            ]
        }
    return found


def _error(code: int, status: str, reason: str, members: list[int] | None = None) -> dict[str, Any]:
    """As Google words it; a message may quote what was sent."""
    info = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": status if members else reason,
        "domain": "datamanager.googleapis.com",
    }
    details: list[dict] = [info]
    if members:
        violations = [
            {
                "field": f"audience_members.audience_members[{number}]",
                "description": "dana@example.com is not hashed",
                "reason": reason,
            }
            for number in members
        ]
        kind = "type.googleapis.com/google.rpc.BadRequest"
        details.append({"@type": kind, "fieldViolations": violations})
    message = "There was a problem with dana@example.com."
    return {"error": {"code": code, "message": message, "status": status, "details": details}}
