"""Braze's endpoints as calls. Those with a rate of their own have an HTTP client of their own."""

import re
from typing import Any

from orchestration.destinations.base import Limits, Refused, Stopped
from orchestration.sync.http import BearerToken, HttpClient, Policy, Reply

TRACK, DELETE = "/users/track", "/users/delete"
EXPORT, SUBSCRIBE = "/users/export/ids", "/subscription/status/set"
TAKEN = {200, 201, 202}

# Requests per seconds: of the vendor's we leave some to others. Workspaces of before August 2024
# have ten times as many exports.
RATES: dict[str, tuple[tuple[int, float], ...]] = {
    TRACK: ((2000, 3),),
    DELETE: ((16_000, 60),),
    EXPORT: ((200, 60),),
    SUBSCRIBE: ((4000, 60),),
}

_GROUP = re.compile(r"subscription[ _]groups?", re.IGNORECASE)
_PERSON = re.compile(r"external|alias|user|email|phone", re.IGNORECASE)


class BrazeApi:
    """One workspace."""

    def __init__(self, base_url: str, key: str, policy: Policy | None = None) -> None:
        self._clients = {
            path: HttpClient(
                base_url.rstrip("/") + path, BearerToken(key), Limits(1, rates), policy
            )
            for path, rates in RATES.items()
        }

    @property
    def calls(self) -> int:
        return sum(client.calls for client in self._clients.values())

    def send(self, path: str, payload: dict[str, Any], repeatable: bool = True) -> Reply:
        """The reply, whatever its status."""
        client = self._clients[path]
        return client.request("POST", "", payload, statuses=TAKEN, repeatable=repeatable)

    def post(self, path: str, payload: dict[str, Any]) -> Reply:
        """Of a call that succeeds or fails as a whole."""
        reply = self.send(path, payload)
        if reply.status not in TAKEN:
            raise refusal(reply)
        return reply


def refusal(reply: Reply) -> Refused | Stopped:
    if reply.status == 404:  # the key is of another cluster
        return Stopped("HTTP_404", "auth", may_have_acted=False)
    return Refused(f"HTTP_{reply.status}")


def is_about_group(body: Any) -> bool:
    """Whether a message names the subscription group and nothing of a person."""
    message = str(body.get("message")) if isinstance(body, dict) else ""
    return bool(_GROUP.search(message)) and not _PERSON.search(message)
