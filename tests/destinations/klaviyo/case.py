"""The account, its client and rows of these tests."""

from typing import Any

from orchestration.destinations._klaviyo import KlaviyoApi
from orchestration.destinations.base import Row
from orchestration.destinations.klaviyo import Klaviyo
from orchestration.sync.http import Policy
from orchestration.sync.spec import SyncSpec
from tests.fakes.klaviyo import FakeKlaviyo

PROFILES = ["cdp_customer_id", "email", "phone_number", "first_name", "city", "segment"]


MEMBERS = ["cdp_customer_id", "email"]


def klaviyo(fake: FakeKlaviyo, key: str = "pk_fake", tries: int = 2, **settings: Any) -> Klaviyo:
    declared = {
        "sync_name": "sync_klaviyo__profiles",
        "destination": "klaviyo",
        "object": "profiles",
        "mode": "upsert",
        "key": "cdp_customer_id",
        "match_on": "email",
        "purpose": "marketing",
        "channel": "email",
        "identity_tier": "exact",
        "columns": PROFILES,
    }
    spec = SyncSpec(**(declared | settings))
    Klaviyo.check(spec)
    policy = Policy(tries=tries, first_wait=0, max_wait=0)
    return Klaviyo(spec, KlaviyoApi(fake.url, key, policy=policy))


def audience(fake: FakeKlaviyo, **settings: Any) -> Klaviyo:
    return klaviyo(fake, mode="audience", on_leave={"segment": ""}, **settings)


def members(fake: FakeKlaviyo, object_name: str = "lists", **settings: Any) -> Klaviyo:
    given = {"columns": MEMBERS, "options": {"list_id": "L1"}} | settings
    return klaviyo(fake, object=object_name, mode="audience", **given)


def row(key: str, remote_id: str | None = None, **values: str | None) -> Row:
    mapped = {"cdp_customer_id": key, "email": f"{key}@example.com"}
    return Row(key, "upsert", "new", mapped | values, remote_id)


def calls_to(fake: FakeKlaviyo, path: str) -> int:
    return sum(path in call.path for call in fake.calls)
