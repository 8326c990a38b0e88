"""The workspace, its client and rows of these tests."""

from typing import Any

from orchestration.destinations._braze import BrazeApi
from orchestration.destinations.base import Row
from orchestration.destinations.braze import Braze
from orchestration.sync.http import Policy
from orchestration.sync.spec import SyncSpec
from tests.fakes.braze import FakeBraze

COLUMNS = ["external_id", "email", "first_name", "email_subscribe", "segment", "clv", "is_vip"]


def spec_of(**settings: Any) -> SyncSpec:
    return SyncSpec(
        **{
            "sync_name": "sync_braze__users",
            "destination": "braze",
            "object": "users",
            "mode": "audience",
            "key": "external_id",
            "purpose": "marketing",
            "channel": "email",
            "identity_tier": "exact",
            "on_leave": {"segment": ""},
            "options": {"numbers": "clv", "booleans": "is_vip"},
            "columns": COLUMNS,
        }
        | settings
    )


def braze(workspace: FakeBraze, **settings: Any) -> Braze:
    spec = spec_of(**settings)
    Braze.check(spec)
    policy = Policy(tries=2, first_wait=0, max_wait=0)
    return Braze(spec, BrazeApi(workspace.url, workspace.key, policy))


def row(key: str, **values: str | None) -> Row:
    mapped = {"external_id": key, "email": f"{key}@example.com", "segment": "champions"}
    return Row(key, "upsert", "new", mapped | values)
