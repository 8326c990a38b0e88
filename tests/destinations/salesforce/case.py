"""The org, its client and rows of these tests."""

from typing import Any

from orchestration.destinations._salesforce import SalesforceApi, token
from orchestration.destinations.base import (
    Job,
    Limits,
    Outcome,
    Row,
)
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


def leaver(key: str, reason: str = "left") -> Row:
    return Row(key, "remove", reason)


def settle(
    destination: Salesforce, answer: list[Outcome] | Job, rows: list[Row]
) -> dict[str, Outcome]:
    """Outcomes by key, a job's after as many questions as it takes."""
    if isinstance(answer, list):
        return {outcome.key: outcome for outcome in answer}
    known = {outcome.key: outcome for outcome in answer.settled}
    asked = [row for row in rows if row.key not in known]
    for _ in range(10):
        if (outcomes := destination.poll(answer.job_id, asked)) is not None:
            return known | {outcome.key: outcome for outcome in outcomes}
    raise AssertionError("the job never ends")


def deliver(destination: Salesforce, rows: list[Row]) -> dict[str, Outcome]:
    act = destination.remove if rows[0].action == "remove" else destination.upsert
    return settle(destination, act(rows), rows)


def statuses(outcomes: dict[str, Outcome]) -> dict[str, tuple[str, str | None]]:
    return {key: (outcome.status, outcome.error_code) for key, outcome in outcomes.items()}
