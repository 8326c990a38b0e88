"""One HTTP policy for all endpoints: what is tried again, when, and what ends a run.

Redirects are refused: the body must not go to wherever an answer points.
"""

import base64
import hashlib
import json
import logging
import math
import random
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from pyrate_limiter import InMemoryBucket, Limiter, Rate

from orchestration.destinations.base import Limits, Stopped, Unanswered, safe_code
from orchestration.sync.exchange import LONGEST_ANSWER, Answer, Line, NoAnswer
from orchestration.sync.safe_url import UrlGuard
from orchestration.sync.switchboard import finish, paused

logger = logging.getLogger(__name__)

# And whatever a server says of itself, 500 and above. 477: HubSpot, while an account moves.
TRANSIENT = {408, 423, 425, 429, 477}
# Seconds to wait where an answer asks for none: HubSpot's locks (423) last two.
_LEAST_WAITS = {423: 2.0}
# Answers of an endpoint that has not acted: who are you, you must not, not now.
_NOT_DONE = {401, 403, 429}
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
# What may stand in an address as it is (RFC 3986); anything else is escaped.
_PLAIN = "!#$%&'()*+,/:;=?@[]~"

# Seconds between two looks whether it is a call's turn.
_TURN = 0.02
# Milliseconds by which a window is longer here: what goes at its very end may arrive before it.
_MARGIN = 50


@dataclass(frozen=True)
class Policy:
    """Seconds throughout."""

    tries: int = 6
    first_wait: float = 0.5
    max_wait: float = 30.0
    max_retry_after: float = 120.0
    """An endpoint that asks for more ends the run instead of hanging it."""
    connect_timeout: float = 5.0
    exchange_deadline: float = 60.0
    """From the name's resolution to the last byte."""
    call_deadline: float = 300.0
    """With all retries and waits."""


@dataclass(frozen=True)
class Reply:
    """An answer that is neither transient nor a reason to stop. ``body`` is parsed JSON,
    None where there is none; ``content`` the bytes as they came."""

    status: int
    body: Any = None
    content: bytes = field(default=b"", repr=False)


class _Retry(Exception):
    """No usable answer. ``again``: another try does no harm; ``wait``: what was asked for."""

    def __init__(self, code: str, again: bool, wait: float | None = None) -> None:
        self.code, self.again, self.wait = code, again, wait
        super().__init__(code)


class Credentials:
    """Who calls: these show nothing, where no one has to or the body says it. Never shown."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    @property
    def account(self) -> str:
        """Tells accounts apart without naming the secret."""
        return hashlib.sha256(self._secret.encode()).hexdigest()[:12]

    def headers(self) -> dict[str, str]:
        """What is shown with a request."""
        return {}

    def renew(self, refused: str = "") -> bool:
        """After a 401 to this ``Authorization``: get another token, once per run. False: there
        is none to get."""
        return False


class BearerToken(Credentials):
    """``Authorization: <scheme> <token>``."""

    def __init__(self, token: str, scheme: str = "Bearer") -> None:
        super().__init__(token)
        self._scheme = scheme

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"{self._scheme} {self._secret}"}


class BasicLogin(Credentials):
    """User and password."""

    def __init__(self, user: str, password: str) -> None:
        super().__init__(f"{user}:{password}")

    def headers(self) -> dict[str, str]:
        encoded = base64.b64encode(self._secret.encode()).decode()
        return {"Authorization": f"Basic {encoded}"}


class RenewedToken(Credentials):
    """A token of short life: ``fetch`` gets one, at the first call and once more after a 401. All
    calls of the thread wait for it, so it is not for a destination with coroutines.

    ``account`` names the account, as tokens change."""

    def __init__(self, account: str, fetch: Callable[[], str]) -> None:
        super().__init__(account)
        self._fetch = fetch
        self._token: str | None = None
        self._stale: str | None = None
        self._lock = threading.Lock()

    def headers(self) -> dict[str, str]:
        with self._lock:
            if self._token is None:
                self._token = self._fetch()
            return {"Authorization": f"Bearer {self._token}"}

    def renew(self, refused: str = "") -> bool:
        with self._lock:
            if self._stale is None:
                self._stale, self._token = refused, None
            # Of calls under way several are refused with the stale one; a new one that is
            # refused, too, ends the run.
            return refused == self._stale


@dataclass
class _Request:
    """``may_have_acted``: the endpoint, in one of the tries so far."""

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(repr=False)
    repeatable: bool
    may_have_acted: bool = False


class HttpClient:
    """Talks to one account of one endpoint, from any number of threads."""

    def __init__(
        self,
        base_url: str,
        auth: Credentials,
        limits: Limits,
        policy: Policy | None = None,
        pause: Callable[[float], Awaitable[None]] = paused,
        headers: Mapping[str, str] | None = None,
        guard: UrlGuard | None = None,
        longest_answer: int = LONGEST_ANSWER,
        is_throttle: Callable[[Any], bool] = lambda body: False,
    ) -> None:
        """``pause`` lets the seconds between two tries go by. ``headers`` go with each request.
        ``guard``: for an address of a person's choice.
        ``longest_answer``: bytes, after which there is none. ``is_throttle``: whether the body
        of a 403 says "not now" and not "not you"."""
        parts = urlsplit(base_url)
        if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
            raise ValueError("the address of an endpoint must be https")
        if parts.username or parts.password:
            raise ValueError("the address of an endpoint must not hold credentials")
        self._base_url = base_url.rstrip("/")
        self._policy = policy or Policy()
        self._pause = pause
        self._auth = auth
        self._headers = {"User-Agent": "cdp"} | dict(headers or {})
        self._guard = guard
        self._longest_answer = longest_answer
        self._is_throttle = is_throttle
        self._allowance = _allowance_of((self._base_url, auth.account), limits)
        self._idle: list[Line] = []
        self._lock = threading.Lock()
        self.calls = 0

    def post(self, path: str, payload: Any, statuses: set[int] | None = None) -> Reply:
        """``request`` of a JSON body."""
        return self.request("POST", path, payload, statuses=statuses)

    def request(self, method: str, path: str, payload: Any = None, **how: Any) -> Reply:
        """``call``, and wait for its answer."""
        return finish(self.call(method, path, payload, **how))

    async def call(
        self,
        method: str,
        path: str,
        payload: Any = None,
        *,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        statuses: set[int] | None = None,
        repeatable: bool = True,
    ) -> Reply:
        """Send a request, with a JSON ``payload`` or raw ``data``. An answer with a status in
        ``statuses`` (default 200, 201, 207; an empty set: none) must hold JSON, else it counts
        as no answer.

        ``repeatable``: doing it twice is harmless. Else it is tried again only where the
        endpoint cannot have acted on it (429, no connection).

        Raises ``Unanswered`` when retries or the deadline are used up, ``Stopped`` on 401
        (after one renewal of the token), 403, a redirect, a bad certificate, or a Retry-After
        beyond reason; both say whether the endpoint may have acted."""
        sent = self._headers | dict(headers or {})
        if payload is not None:
            data = json.dumps(payload, allow_nan=False).encode()
            sent = {"Content-Type": "application/json"} | sent
        url = self._base_url + quote(path, safe=_PLAIN)
        if params:
            url += "?" + urlencode(params)
        request = _Request(method, url, sent, data, repeatable)
        failure = None
        try:
            needed = {200, 201, 207} if statuses is None else statuses
            return await self._tried(request, needed)
        except _Retry as retry:
            failure = Unanswered(retry.code, may_have_acted=request.may_have_acted)
        except Stopped as stopped:
            stopped.may_have_acted = request.may_have_acted
            failure = stopped
        raise failure

    # -- inside

    async def _tried(self, request: _Request, statuses: set[int]) -> Reply:
        policy = self._policy
        until = time.monotonic() + policy.call_deadline
        tries = 1
        while True:
            try:
                return await self._once(request, statuses)
            except _Retry as retry:
                # Anywhere up to the limit, so that calls that failed together don't come together.
                limit = min(policy.max_wait, policy.first_wait * 2 ** (tries - 1))
                wait = random.uniform(0, limit)
                if retry.wait is not None:
                    wait = retry.wait + min(wait, 1.0)
                is_last = tries == policy.tries or time.monotonic() + wait >= until
                if is_last or not retry.again:
                    raise
            await self._pause(wait)
            tries += 1

    async def _once(self, request: _Request, statuses: set[int], renew: bool = True) -> Reply:
        # Before the deadline of the exchange begins: a turn that is waited for is no call yet.
        while not self._allowance.take():
            await paused(_TURN)
        shown = self._auth.headers()
        with self._lock:
            self.calls += 1
        answer = await self._exchange(request, shown)
        status = answer.status
        request.may_have_acted |= status not in _NOT_DONE
        if status == 401 and renew and self._auth.renew(shown.get("Authorization", "")):
            return await self._once(request, statuses, renew=False)
        if status == 403 and self._is_throttle(_json(answer.content)):
            raise Stopped("THROTTLED", "transient")
        if status in (401, 403):
            raise Stopped(f"HTTP_{status}", "auth")
        if 300 <= status < 400:
            raise Stopped("REDIRECT_REFUSED")
        if status in TRANSIENT or status >= 500:
            wait = retry_after_seconds(answer.retry_after)
            wait = _LEAST_WAITS.get(status) if wait is None else wait
            if wait is not None and wait > self._policy.max_retry_after:
                raise Stopped("RETRY_AFTER_TOO_LONG", "transient")
            logger.info("%s answered %s, trying again", request.method, status)
            raise _Retry(f"HTTP_{status}", request.repeatable or status == 429, wait)
        body = _json(answer.content)
        if status in statuses and body is None:
            raise _Retry("UNREADABLE_ANSWER", request.repeatable)
        return Reply(status, body, answer.content)

    async def _exchange(self, request: _Request, shown: Mapping[str, str]) -> Answer:
        line = self._line()
        failure = None
        try:
            return await line.exchange(
                request.method,
                request.url,
                {**request.headers, **shown},
                request.body,
                # A kept connection may be dead by now: then nobody knows whether it acted.
                fresh=not request.repeatable,
            )
        except NoAnswer as silence:
            request.may_have_acted |= silence.may_have_acted
            again = request.repeatable or not silence.may_have_acted
            failure = _Retry(silence.code, again)
        finally:
            self._idle.append(line)
        raise failure

    def _line(self) -> Line:
        try:
            return self._idle.pop()
        except IndexError:
            policy = self._policy
            permits = self._guard.permits if self._guard else None
            return Line(
                policy.connect_timeout, policy.exchange_deadline, permits, self._longest_answer
            )


def retry_after_seconds(header: str | None, now: datetime | None = None) -> float | None:
    """Retry-After as whole seconds, fractional seconds or an HTTP date. None where it is
    absent or unreadable, 0 where it is past."""
    if not header:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            moment = parsedate_to_datetime(header)
        except (ValueError, OverflowError):
            return None
        # Dates of HTTP are in UTC; asctime's form and "-0000" do not say so.
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        seconds = (moment - (now or datetime.now(UTC))).total_seconds()
    return None if math.isnan(seconds) else max(seconds, 0.0)


class _Allowance:
    """How many calls an account may make in some time."""

    def __init__(self, limits: Limits) -> None:
        rates = [Rate(count, round(seconds * 1000) + _MARGIN) for count, seconds in limits.rates]
        self._limiter = Limiter(InMemoryBucket(rates))
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Whether one may be made now."""
        # The limiter says no, too, where another thread is asking it.
        with self._lock:
            return self._limiter.try_acquire("call", blocking=False)


_allowances: dict[tuple[str, str], _Allowance] = {}
_allowances_lock = threading.Lock()


def _allowance_of(account: tuple[str, str], limits: Limits) -> _Allowance:
    """One per account and process: four syncs of a portal share it."""
    with _allowances_lock:
        if account not in _allowances:
            _allowances[account] = _Allowance(limits)
        return _allowances[account]


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):  # 200,000 brackets
        return None


def error_category(body: Any) -> str:
    """The ``category`` of an error body as a code. Its message may quote an e-mail."""
    category = body.get("category") if isinstance(body, dict) else None
    return safe_code(category)
