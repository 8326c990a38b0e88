"""Where alerts go: a webhook, Slack, e-mail. Each by variables of the environment.

- webhook: ``CDP_ALERT_WEBHOOK_URL``, optionally ``CDP_ALERT_WEBHOOK_TOKEN`` (bearer);
- slack: ``CDP_ALERT_SLACK_URL``, an incoming webhook;
- email: ``CDP_ALERT_EMAIL_TO`` (commas between), ``CDP_ALERT_EMAIL_FROM``,
  ``CDP_ALERT_SMTP_HOST``, optionally ``CDP_ALERT_SMTP_PORT`` (587 by default; 465 is TLS from the
  first byte), ``CDP_ALERT_SMTP_USER`` and ``CDP_ALERT_SMTP_PASSWORD``.

Addresses pass the guard of ``safe_url``: the webhook's host must be in
``CDP_WEBHOOK_ALLOWED_HOSTS``, Slack's own is known.
"""

import os
import smtplib
import ssl
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from email.message import EmailMessage
from typing import Any, ClassVar

from orchestration.alerts.states import Change
from orchestration.destinations.base import CallError, Limits, setting
from orchestration.sync.http import BearerToken, Credentials, HttpClient, Policy
from orchestration.sync.safe_url import ALLOWED_HOSTS, UrlGuard

# Somebody's mail server that hangs must not hold the job up for the minutes a sync may take.
_BRIEF = Policy(tries=3, exchange_deadline=20.0, call_deadline=60.0, max_retry_after=30.0)
_SMTP_TIMEOUT = 20.0
# Slack takes one message a second and channel.
_ONE_A_SECOND = Limits(batch_rows=1, rates=((1, 1),), connections=1)
_SLACK_HOST = "hooks.slack.com"
_IMPLICIT_TLS = 465
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class DeliveryFailed(Exception):
    """A message did not arrive. ``code`` is all there is to know."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


class Channel(ABC):
    """A place that is told."""

    name: ClassVar[str]

    @abstractmethod
    def send(self, news: Sequence[Change]) -> None:
        """One message about all of it. Raises ``DeliveryFailed``."""


class Webhook(Channel):
    """JSON by POST: ``{"source": "cdp", "changes": [{"subject", "state", "previous_state",
    "severity", "detail"}]}``."""

    name = "webhook"

    def __init__(self, url: str, guard: UrlGuard, token: str = "", policy: Policy = _BRIEF) -> None:
        credentials = BearerToken(token) if token else Credentials("")
        self._post = _poster(url, guard, credentials, policy)

    def send(self, news: Sequence[Change]) -> None:
        changes = [{**vars(change), "severity": change.severity} for change in news]
        self._post({"source": "cdp", "changes": changes})


class Slack(Channel):
    """An incoming webhook. What Slack answers is a word of text, no JSON."""

    name = "slack"

    def __init__(self, url: str, guard: UrlGuard, policy: Policy = _BRIEF) -> None:
        self._post = _poster(url, guard, Credentials(""), policy)

    def send(self, news: Sequence[Change]) -> None:
        lines = [_line(change, bold="*") for change in news]
        # Slack reads these three as the begin of links and entities.
        text = "\n".join(lines).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        self._post({"text": text})


class Email(Channel):
    """One mail to all, over TLS. Only to a server on this machine that offers none it goes
    without, and then without a login."""

    name = "email"

    def __init__(
        self,
        host: str,
        port: int,
        sender: str,
        recipients: Sequence[str],
        login: tuple[str, str] | None = None,
    ) -> None:
        self._host, self._port = host, port
        self._sender, self._recipients = sender, list(recipients)
        self._login = login

    def send(self, news: Sequence[Change]) -> None:
        try:
            message = self._message(news)
            with self._connected() as server:
                if self._login:
                    server.login(*self._login)
                # Raises when all are refused; some refused are no reason to tell all again.
                server.send_message(message, self._sender, self._recipients)
        except smtplib.SMTPResponseException as error:
            raise DeliveryFailed(f"SMTP_{error.smtp_code}") from None
        except (smtplib.SMTPException, OSError, ValueError) as error:
            raise DeliveryFailed(type(error).__name__.upper()) from None

    def _message(self, news: Sequence[Change]) -> EmailMessage:
        message = EmailMessage()
        message["From"], message["To"] = self._sender, ", ".join(self._recipients)
        message["Subject"] = "cdp: " + ", ".join(f"{c.subject} {c.state}" for c in news)[:120]
        message.set_content("\n".join(_line(change) for change in news) + "\n")
        return message

    def _connected(self) -> smtplib.SMTP:
        context = ssl.create_default_context()
        if self._port == _IMPLICIT_TLS:
            return smtplib.SMTP_SSL(self._host, self._port, timeout=_SMTP_TIMEOUT, context=context)
        server = smtplib.SMTP(self._host, self._port, timeout=_SMTP_TIMEOUT)
        try:
            server.ehlo()
            is_local = self._host in _LOOPBACK and not self._login
            if server.has_extn("starttls") or not is_local:
                server.starttls(context=context)
                server.ehlo()
        except BaseException:
            server.close()
            raise
        return server


def channels_from_environment() -> tuple[list[Channel], dict[str, str]]:
    """The channels that are configured, and of those that are wrongly, why."""
    makers: dict[str, tuple[str, Callable[[str], Channel]]] = {
        "webhook": ("CDP_ALERT_WEBHOOK_URL", _webhook),
        "slack": ("CDP_ALERT_SLACK_URL", _slack),
        "email": ("CDP_ALERT_EMAIL_TO", _email),
    }
    channels, wrong = [], {}
    for name, (variable, make) in makers.items():
        value = os.environ.get(variable)
        if not value:
            continue
        try:
            channels.append(make(value))
        except Exception as error:
            # Ours, and UnsafeUrl, which is a ValueError that shows no address, say what to do.
            is_ours = isinstance(error, ValueError) or type(error) is LookupError
            wrong[name] = str(error) if is_ours else type(error).__name__.upper()
    return channels, wrong


def _webhook(url: str) -> Channel:
    return Webhook(url, UrlGuard.from_environment(), os.environ.get("CDP_ALERT_WEBHOOK_TOKEN", ""))


def _slack(url: str) -> Channel:
    return Slack(url, UrlGuard(f"{os.environ.get(ALLOWED_HOSTS, '')},{_SLACK_HOST}"))


def _email(recipients: str) -> Channel:
    port = os.environ.get("CDP_ALERT_SMTP_PORT", "587")
    if not port.isdigit():
        raise ValueError("CDP_ALERT_SMTP_PORT is not a number")
    user = os.environ.get("CDP_ALERT_SMTP_USER")
    to = [address.strip() for address in recipients.split(",") if address.strip()]
    return Email(
        setting("CDP_ALERT_SMTP_HOST"),
        int(port),
        _checked("CDP_ALERT_EMAIL_FROM", [setting("CDP_ALERT_EMAIL_FROM")])[0],
        _checked("CDP_ALERT_EMAIL_TO", to),
        (user, setting("CDP_ALERT_SMTP_PASSWORD")) if user else None,
    )


def _checked(variable: str, texts: list[str]) -> list[str]:
    """Addresses, as the header of a mail takes them. Raises ``ValueError``, which shows none."""
    if not texts or not all(map(_is_address, texts)):
        raise ValueError(f"{variable}: each address must be like name@example.com")
    return texts


def _is_address(text: str) -> bool:
    message = EmailMessage()
    try:
        message["To"] = text
        [found] = message["To"].addresses
    except Exception:  # the parser of email ends in an IndexError at "<", and in others elsewhere
        return False
    return bool(found.username and found.domain)


def _poster(
    url: str, guard: UrlGuard, credentials: Credentials, policy: Policy
) -> Callable[[Any], None]:
    """Posts JSON to an address; any 2xx is an arrival."""
    safe = guard.check(url, is_secret=True, resolves=False)
    http = HttpClient(safe.origin, credentials, _ONE_A_SECOND, policy, guard=guard)

    def post(payload: Any) -> None:
        try:
            reply = http.post(safe.target, payload, statuses=set())
        except CallError as error:
            raise DeliveryFailed(error.code) from None
        if not 200 <= reply.status < 300:
            raise DeliveryFailed(f"HTTP_{reply.status}")

    return post


def _line(change: Change, bold: str = "") -> str:
    was = f" (was {change.previous_state})" if change.previous_state else ""
    detail = f": {change.detail}" if change.detail else ""
    return f"{bold}{change.subject}{bold} is {change.state}{was}{detail}"
