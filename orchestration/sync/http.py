"""One HTTP policy for all endpoints.

Redirects are refused: `requests` would post the body to wherever an answer points. A read
timeout limits each read only, so the whole exchange runs under a deadline in a thread of its
own that is given up when it passes. tenacity owns the retries: urllib3's cannot read a
fractional Retry-After and by default does not repeat a POST.
"""

import base64
import hashlib
import logging
import math
import os
import queue
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import requests
import tenacity
from pyrate_limiter import InMemoryBucket, Limiter, Rate
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.exceptions import NewConnectionError

from orchestration.destinations.base import CallError, Limits, Stopped, Unanswered, safe_code

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
    None where there is none; ``content`` the bytes as they came."""

    status: int
    body: Any = None
    content: bytes = field(default=b"", repr=False)


class _Retry(Exception):
    def __init__(self, code: str, wait: float | None = None, may_have_acted: bool = True) -> None:
        self.code, self.wait, self.may_have_acted = code, wait, may_have_acted
        super().__init__(code)


class Credentials(AuthBase):
    """As an auth object, so that a .netrc file cannot replace it. Never shown."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    @property
    def account(self) -> str:
        """Tells accounts apart without naming the secret."""
        return hashlib.sha256(self._secret.encode()).hexdigest()[:12]

    def renew(self, refused: str = "") -> bool:
        """After a 401 to this ``Authorization``: get another token, once per run. False: there
        is none to get."""
        return False


class BearerToken(Credentials):
    """``Authorization: <scheme> <token>``."""

    def __init__(self, token: str, scheme: str = "Bearer") -> None:
        super().__init__(token)
        self._scheme = scheme

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"{self._scheme} {self._secret}"
        return request


class BasicLogin(Credentials):
    """User and password."""

    def __init__(self, user: str, password: str) -> None:
        super().__init__(f"{user}:{password}")

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        encoded = base64.b64encode(self._secret.encode()).decode()
        request.headers["Authorization"] = f"Basic {encoded}"
        return request


class RenewedToken(Credentials):
    """A token of short life: ``fetch`` gets one, at the first call and once more after a 401.

    ``account`` names the account, as tokens change."""

    def __init__(self, account: str, fetch: Callable[[], str]) -> None:
        super().__init__(account)
        self._fetch = fetch
        self._token: str | None = None
        self._renewals = 0
        self._lock = threading.Lock()

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        with self._lock:
            if self._token is None:
                self._token = self._fetch()
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request

    def renew(self, refused: str = "") -> bool:
        with self._lock:
            if self._renewals and self._token and refused != f"Bearer {self._token}":
                return True  # sent before another thread renewed it
            self._token = None
            self._renewals += 1
            return self._renewals == 1


class HttpClient:
    """Talks to one account of one endpoint, from any number of threads."""

    def __init__(
        self,
        base_url: str,
        auth: Credentials,
        limits: Limits,
        policy: Policy | None = None,
        sleep: Callable[[float], None] = time.sleep,
        headers: Mapping[str, str] | None = None,
        adapter: Callable[..., HTTPAdapter] = HTTPAdapter,
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
        self._headers = dict(headers or {})
        self._adapter = adapter
        self._limiter = _limiter_of((self._base_url, auth.account), limits)
        self._idle: queue.LifoQueue[requests.Session] = queue.LifoQueue()
        self._lock = threading.Lock()
        self.calls = 0

    def post(self, path: str, payload: Any, statuses: set[int] | None = None) -> Reply:
        """``request`` of a JSON body."""
        return self.request("POST", path, payload, statuses=statuses)

    def request(
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
        beyond reason."""
        policy = self._policy
        retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(policy.tries)
            | tenacity.stop_before_delay(policy.call_deadline),
            wait=self._wait,
            retry=tenacity.retry_if_exception(
                lambda error: isinstance(error, _Retry) and (repeatable or not error.may_have_acted)
            ),
            sleep=self._sleep,
            reraise=True,
        )
        arguments = {
            "method": method,
            "url": self._base_url + path,
            "json": payload,
            "data": data,
            "headers": self._headers | dict(headers or {}),
            "params": params,
        }
        failure = None
        try:
            needed = {200, 201, 207} if statuses is None else statuses
            return retrying(self._once, arguments, needed)
        except _Retry as retry:
            failure = Unanswered(retry.code)
        raise failure

    # -- inside

    def _once(self, arguments: dict[str, Any], statuses: set[int], renew: bool = True) -> Reply:
        # Before the deadline of the exchange begins: a turn that is waited for is no call yet.
        self._limiter.try_acquire("call")
        with self._lock:
            self.calls += 1
        response = self._exchange(arguments)
        status = response.status_code
        refused = response.request.headers.get("Authorization", "")
        if status == 401 and renew and self._auth.renew(refused):
            return self._once(arguments, statuses, renew=False)
        if status in (401, 403):
            raise Stopped(f"HTTP_{status}", "auth")
        if 300 <= status < 400:
            raise Stopped("REDIRECT_REFUSED")
        if status in _TRANSIENT:
            wait = retry_after_seconds(response.headers.get("Retry-After"))
            if wait is not None and wait > self._policy.max_retry_after:
                raise Stopped("RETRY_AFTER_TOO_LONG", "transient")
            logger.info("%s answered %s, trying again", arguments["method"], status)
            raise _Retry(f"HTTP_{status}", wait, may_have_acted=status != 429)
        body = _json(response)
        if status in statuses and body is None:
            raise _Retry("UNREADABLE_ANSWER")
        return Reply(status, body, response.content)

    def _exchange(self, arguments: dict[str, Any]) -> requests.Response:
        """One request under the exchange deadline. Exceptions of `requests` can hold the
        address and are never chained."""
        result: list[Any] = []
        session = self._session()

        def work() -> None:
            try:
                result.append(
                    session.request(
                        **arguments,
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
            raise _Retry("EXCHANGE_DEADLINE")  # the session is the thread's, for good
        self._idle.put(session)
        [answer] = result
        if isinstance(answer, requests.exceptions.SSLError):
            raise Stopped("BAD_CERTIFICATE")
        if isinstance(answer, requests.exceptions.RequestException):
            code = type(answer).__name__.upper()
            raise _Retry(code, may_have_acted=not _never_connected(answer))
        if isinstance(answer, Stopped):
            raise Stopped(answer.code, answer.error_class)
        if isinstance(answer, CallError):
            raise type(answer)(answer.code)
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

    def _session(self) -> requests.Session:
        try:
            return self._idle.get_nowait()
        except queue.Empty:
            pass
        session = requests.Session()
        # Read once: requests asks the environment again for each call, which takes 150 us of it.
        session.trust_env = False
        session.proxies = requests.utils.get_environ_proxies(self._base_url)
        session.verify = os.environ.get("REQUESTS_CA_BUNDLE") or True
        adapter = self._adapter(max_retries=0)
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        return session


def _never_connected(error: requests.exceptions.RequestException) -> bool:
    cause = error.args[0] if error.args else None
    return isinstance(getattr(cause, "reason", None), NewConnectionError)


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
            rates = [Rate(count, round(seconds * 1000)) for count, seconds in limits.rates]
            _limiters[account] = Limiter(InMemoryBucket(rates))
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
