"""The account, its client and rows of these tests."""

import hashlib
from typing import Any

from orchestration.destinations.base import Limits, Row
from orchestration.destinations.google import CONSENTS, Google
from orchestration.sync.http import BearerToken, HttpClient, Policy
from orchestration.sync.spec import SyncSpec
from tests.destinations.rows import settle, statuses
from tests.fakes.google import FakeGoogle

COLUMNS = [
    "customer_id",
    "email_address",
    "phone_number",
    "given_name",
    "family_name",
    "region_code",
    "postal_code",
    *CONSENTS,
]


OPTIONS = {"account_id": FakeGoogle.account_id, "audience_id": FakeGoogle.audience_id}


def spec(**changes: Any) -> SyncSpec:
    return SyncSpec(
        **{
            "sync_name": "sync_google__audience",
            "destination": "google",
            "object": "audience",
            "mode": "audience",
            "key": "customer_id",
            "purpose": ["ads_user_data", "ads_personalisation"],
            "channel": "ads",
            "identity_tier": "exact",
            "options": OPTIONS,
            "columns": COLUMNS,
        }
        | changes
    )


def audience(ads: FakeGoogle, **options: str) -> Google:
    policy = Policy(tries=2, first_wait=0, max_wait=0)
    http = HttpClient(ads.url, BearerToken("token"), Limits(1, ((10_000, 1),)), policy)
    return Google(spec(options=OPTIONS | options), http)


def row(key: str, **values: str | None) -> Row:
    granted = dict.fromkeys(CONSENTS, "granted")
    mapped = {"customer_id": key, "email_address": f"{key}@example.com"} | granted
    return Row(key, "upsert", "new", mapped | values)


def changed(given: Row, *sent: str, **values: str | None) -> Row:
    return Row(
        given.key, "upsert", "changed", dict(given.values) | values, sent_identifiers=tuple(sent)
    )


def leaver(key: str, *sent: str, reason: str = "left") -> Row:
    return Row(key, "remove", reason, sent_identifiers=tuple(sent))


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def email(key: str) -> str:
    """As the fake holds it."""
    return f"emailAddress:{sha(f'{key}@example.com')}"


def upsert(destination: Google, rows: list[Row]) -> dict[str, tuple[str, str | None]]:
    return statuses(settle(destination, destination.upsert(rows), rows))


def remove(destination: Google, rows: list[Row]) -> dict[str, tuple[str, str | None]]:
    return statuses(settle(destination, destination.remove(rows), rows))


DELIVERED = ("delivered", None)
