"""The org, its client and rows of these tests."""

from typing import Any

from orchestration.destinations._salesforce import SalesforceApi, token
from orchestration.destinations.base import Limits, Row
from orchestration.destinations.salesforce import Salesforce
from orchestration.sync.http import HttpClient, Policy
from orchestration.sync.spec import SyncSpec
from tests.fakes.salesforce import KEY, FakeSalesforce

COLUMNS = [KEY, "LastName", "FirstName", "Email", "CDP_Segment__c"]


LIMITS = Limits(10_000, ((1000, 1),))


def salesforce(fake: FakeSalesforce, secret: str = "secret", **settings: Any) -> Salesforce:
    declared = {
        "sync_name": "sync_salesforce__contacts",
        "destination": "salesforce",
        "object": "Contact",
        "mode": "upsert",
        "key": KEY,
        "purpose": "marketing",
        "channel": "email",
        "identity_tier": "exact",
        "columns": COLUMNS,
    }
    spec = SyncSpec(**(declared | settings))
    Salesforce.check(spec)
    policy = Policy(tries=2, first_wait=0, max_wait=0)
    auth = token(fake.url, "client", secret, LIMITS)
    return Salesforce(spec, SalesforceApi(HttpClient(fake.url, auth, LIMITS, policy)))


def row(key: str, **values: str | None) -> Row:
    mapped = {KEY: key, "LastName": f"Name of {key}", "Email": f"{key}@example.com"}
    return Row(key, "upsert", "new", mapped | values)
