"""The account, its client and rows of these tests."""

import hashlib
from typing import Any

from orchestration.destinations.base import Limits, Outcome, Row
from orchestration.destinations.meta import Meta, is_throttle
from orchestration.sync.http import BearerToken, HttpClient, Policy
from orchestration.sync.spec import SyncSpec
from tests.fakes.meta import FakeMeta

COLUMNS = ["extern_id", "email", "phone", "fn", "ln", "zip", "ct", "country"]


def spec(**changes: Any) -> SyncSpec:
    return SyncSpec(
        **{
            "sync_name": "sync_meta__audience",
            "destination": "meta",
            "object": "audience",
            "mode": "audience",
            "key": "extern_id",
            "purpose": "ads_personalisation",
            "channel": "ads",
            "identity_tier": "exact",
            "options": {"audience_id": "23850000000000001"},
            "columns": COLUMNS,
        }
        | changes
    )


def audience(ads: FakeMeta, token: str | None = None, **changes: Any) -> Meta:
    policy = Policy(tries=2, first_wait=0, max_wait=0)
    limits = Limits(1, ((10_000, 1),))
    bearer = BearerToken(token or ads.token)
    http = HttpClient(ads.url, bearer, limits, policy, is_throttle=is_throttle)
    return Meta(spec(**changes), http)


def row(key: str, **values: str | None) -> Row:
    mapped = {"extern_id": key, "email": f"{key}@example.com"}
    return Row(key, "upsert", "new", mapped | values)


def leaver(key: str, *sent: str, reason: str = "left") -> Row:
    return Row(key, "remove", reason, sent_identifiers=tuple(sent))


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def by_key(outcomes: list[Outcome]) -> dict[str, tuple[str, str | None]]:
    assert len({outcome.key for outcome in outcomes}) == len(outcomes)
    return {outcome.key: (outcome.status, outcome.error_code) for outcome in outcomes}


DELIVERED = ("delivered", None)
