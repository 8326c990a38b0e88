"""The client and rows of these tests."""

from typing import Any

from orchestration.destinations.base import Limits, Row
from orchestration.destinations.hubspot import HubSpot
from orchestration.sync.http import BearerToken, HttpClient, Policy
from orchestration.sync.spec import SyncSpec
from tests.fakes.hubspot import FakeHubSpot

COLUMNS = ["cdp_customer_id", "email", "firstname", "city", "cdp_segment"]


def spec_of(**settings: Any) -> SyncSpec:
    return SyncSpec(
        **{
            "sync_name": "sync_hubspot__contacts",
            "destination": "hubspot",
            "object": "contacts",
            "mode": "audience",
            "key": "cdp_customer_id",
            "match_on": "email",
            "purpose": "marketing",
            "channel": "email",
            "identity_tier": "exact",
            "on_leave": {"cdp_segment": ""},
            "columns": COLUMNS,
        }
        | settings
    )


def hubspot(hub: FakeHubSpot, **settings: Any) -> HubSpot:
    policy = Policy(tries=2, first_wait=0, max_wait=0)
    limits = Limits(100, ((1000, 1),))
    http = HttpClient(hub.url, BearerToken(hub.token), limits, policy)
    return HubSpot(spec_of(**settings), http)


def row(key: str, remote_id: str | None = None, **values: str | None) -> Row:
    mapped = {"cdp_customer_id": key, "email": f"{key}@example.com", "cdp_segment": "champions"}
    return Row(key, "upsert", "new", mapped | values, remote_id)
