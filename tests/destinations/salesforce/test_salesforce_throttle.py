"""Salesforce: a 403 that is about the number of requests."""

import json

import pytest

from orchestration.destinations.base import Stopped
from orchestration.destinations.salesforce import Salesforce
from tests.destinations.salesforce.case import row, salesforce
from tests.fakes.salesforce import FakeSalesforce
from tests.fakes.server import Fault
from tests.fixtures.environment import environment


@pytest.mark.parametrize(
    ("error", "code", "error_class"),
    [
        ("REQUEST_LIMIT_EXCEEDED", "THROTTLED", "transient"),
        ("INSUFFICIENT_ACCESS", "HTTP_403", "auth"),
    ],
)
def test_requests_that_are_used_up_are_no_missing_permission(
    org: FakeSalesforce, error: str, code: str, error_class: str
) -> None:
    values = {"INSTANCE_URL": org.url, "CLIENT_ID": "client", "CLIENT_SECRET": "secret"}
    with environment({f"SALESFORCE_{name}": value for name, value in values.items()}):
        destination = Salesforce.from_environment(salesforce(org)._spec)
    body = json.dumps([{"errorCode": error, "message": "dana@example.com"}]).encode()
    org.faults.append(Fault(403, body=body, path="/jobs/ingest"))
    with pytest.raises(Stopped) as caught:
        destination.upsert([row("a")])
    assert (caught.value.code, caught.value.error_class) == (code, error_class)
