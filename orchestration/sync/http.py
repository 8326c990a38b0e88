"""One HTTP policy for all endpoints.

Redirects are refused: `requests` would post the body to wherever an answer points. A read
timeout limits each read only, so the whole exchange runs under a deadline in a thread of its
own that is given up when it passes. tenacity owns the retries: urllib3's cannot read a
fractional Retry-After and by default does not repeat a POST.
"""

import hashlib
import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import requests
import tenacity
from pyrate_limiter import InMemoryBucket, Limiter, Rate
from requests.auth import AuthBase
from requests_ratelimiter import LimiterAdapter

from orchestration.destinations.base import Limits, Stopped, Unanswered, safe_code

logger = logging.getLogger(__name__)

_TRANSIENT = {408, 425, 429, 500, 502, 503, 504, 521, 522, 523, 524}
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}

_limiters: dict[tuple[str, str], Limiter] = {}
_limiters_lock = threading.Lock()


@dataclass(frozen=True)
class Policy:
    """Seconds throughout."""

    tries: int = 6
    first_wait: float = 0.5
    max_wait: float = 30.0
    max_retry_after: float = 120.0
    """An endpoint that asks for more ends the run instead of hanging it."""
    connect_timeout: float = 5.0
    read_timeout: float = 30.0
    exchange_deadline: float = 60.0
    call_deadline: float = 300.0
    """With all retries and waits."""


@dataclass(frozen=True)
class Reply:
    """An answer that is neither transient nor a reason to stop. ``body`` is parsed JSON,
    None where there is none."""

    status: int
    body: Any = None


class _Retry(Exception):
    def __init__(self, code: str, wait: float | None = None) -> None:
        self.code, self.wait = code, wait
        super().__init__(code)


class BearerToken(AuthBase):
    """As an auth object, so that a .netrc file cannot replace it. Never shown."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request

    @property
    def account(self) -> str:
        """Tells accounts apart without naming the token."""
        return hashlib.sha256(self._token.encode()).hexdigest()[:12]


class HttpClient:
    """Talks to one account of one endpoint; JSON both ways."""

    def __init__(
        self,
        base_url: str,
        auth: BearerToken,
        limits: Limits,
        policy: Policy | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        parts = urlsplit(base_url)
        if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
            raise ValueError("the address of an endpoint must be https")
        if parts.username or parts.password:
            raise ValueError("the address of an endpoint must not hold credentials")
        self._base_url = base_url.rstrip("/")
        self._policy = policy or Policy()
        self._sleep = sleep
        self._auth = auth
        self._limiter = _limiter_of((self._base_url, auth.account), limits)
        self._session = self._new_session()
        self.calls = 0

    def post(self, path: str, payload: Any, statuses: set[int] | None = None) -> Reply:
        """Post JSON to a path; repeating it must be harmless. An answer with a status in
        ``statuses`` (default 200, 201, 207) must hold JSON, else it counts as no answer.

        Raises ``Unanswered`` when retries or the deadline are used up, ``Stopped`` on 401,
        403, a redirect, a bad certificate, or a Retry-After beyond reason."""
        policy = self._policy
        retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(policy.tries)
            | tenacity.stop_before_delay(policy.call_deadline),
            wait=self._wait,
            retry=tenacity.retry_if_exception_type(_Retry),
            sleep=self._sleep,
            reraise=True,
        )
        failure = None
        try:
            return retrying(self._once, path, payload, statuses or {200, 201, 207})
        except _Retry as retry:
            failure = Unanswered(retry.code)
        raise failure

    # -- inside

    def _once(self, path: str, payload: Any, statuses: set[int]) -> Reply:
        self.calls += 1
        response = self._exchange(path, payload)
        status = response.status_code
        if status in (401, 403):
            raise Stopped(f"HTTP_{status}", "auth")
        if 300 <= status < 400:
            raise Stopped("REDIRECT_REFUSED")
        if status in _TRANSIENT:
            wait = retry_after_seconds(response.headers.get("Retry-After"))
            if wait is not None and wait > self._policy.max_retry_after:
                raise Stopped("RETRY_AFTER_TOO_LONG", "transient")
            logger.info("POST %s answered %s, trying again", path, status)
            raise _Retry(f"HTTP_{status}", wait)
        body = _json(response)
        if status in statuses and body is None:
            raise _Retry("UNREADABLE_ANSWER")
        return Reply(status, body)

    def _exchange(self, path: str, payload: Any) -> requests.Response:
        """One request under the exchange deadline. Exceptions of `requests` can hold the
        address and are never chained."""
        result: list[Any] = []
        session = self._session

        def work() -> None:
            try:
                result.append(
                    session.post(
                        self._base_url + path,
                        json=payload,
                        auth=self._auth,
                        timeout=(self._policy.connect_timeout, self._policy.read_timeout),
                        allow_redirects=False,
                    )
                )
            except Exception as error:
                result.append(error)

        worker = threading.Thread(target=work, name="http-exchange", daemon=True)
        worker.start()
        worker.join(self._policy.exchange_deadline)
        if not result:
            self._session = self._new_session()  # the old one is still in use by the thread
            raise _Retry("EXCHANGE_DEADLINE")
        [answer] = result
        if isinstance(answer, requests.exceptions.SSLError):
            raise Stopped("BAD_CERTIFICATE")
        if isinstance(answer, requests.exceptions.RequestException):
            raise _Retry(type(answer).__name__.upper())
        if isinstance(answer, Exception):
            raise Stopped(type(answer).__name__.upper())
        return answer

    def _wait(self, state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = getattr(error, "wait", None)
        jittered = tenacity.wait_random_exponential(
            multiplier=self._policy.first_wait, max=self._policy.max_wait
        )(state)
        return jittered if asked is None else asked + min(jittered, 1.0)

    def _new_session(self) -> requests.Session:
        session = requests.Session()
        adapter = LimiterAdapter(
            limiter=self._limiter, per_host=False, limit_statuses=(), max_retries=0
        )
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        return session


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
        except ValueError:
            return None
        seconds = (moment - (now or datetime.now(UTC))).total_seconds()
    return None if math.isnan(seconds) else max(seconds, 0.0)


def _limiter_of(account: tuple[str, str], limits: Limits) -> Limiter:
    """One limiter per account and process: four syncs of a portal share its allowance."""
    with _limiters_lock:
        if account not in _limiters:
            rate = Rate(limits.requests, limits.per_seconds * 1000)
            _limiters[account] = Limiter(InMemoryBucket([rate]))
        return _limiters[account]


def _json(response: requests.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None


def error_category(body: Any) -> str:
    """The ``category`` of an error body as a code. Its message may quote an e-mail."""
    category = body.get("category") if isinstance(body, dict) else None
    return safe_code(category)
