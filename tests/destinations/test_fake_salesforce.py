"""The fake is strict: states of a job, columns by operation, quoting."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.fakes.salesforce import KEY, FakeSalesforce

JOBS = "/services/data/v67.0/jobs/ingest"
JOB = {"operation": "insert", "object": "Contact", "contentType": "CSV", "lineEnding": "LF"}


@pytest.fixture
def org() -> Iterator[FakeSalesforce]:
    with FakeSalesforce() as fake:
        fake.tokens.append("token")
        yield fake


def call(
    org: FakeSalesforce, method: str, path: str, kind: str = "text/csv", **body: Any
) -> requests.Response:
    headers = {"Authorization": f"Bearer {org.tokens[-1]}"}
    if "data" in body:
        headers["Content-Type"] = kind
    return requests.request(method, org.url + path, headers=headers, timeout=10, **body)


def job_with(org: FakeSalesforce, text: str | None, **changes: str) -> str:
    job_id = call(org, "POST", JOBS, json=JOB | changes).json()["id"]
    if text is not None:
        call(org, "PUT", f"{JOBS}/{job_id}/batches", data=text.encode())
    return job_id


def close(org: FakeSalesforce, job_id: str) -> int:
    return call(org, "PATCH", f"{JOBS}/{job_id}", json={"state": "UploadComplete"}).status_code


def test_a_job_goes_through_its_states(org: FakeSalesforce) -> None:
    job_id = job_with(org, f"{KEY},LastName\na,x\n")
    path = f"{JOBS}/{job_id}"
    assert call(org, "GET", f"{path}/successfulResults/").status_code == 404
    states = [call(org, "GET", path).json()["state"]]
    assert close(org, job_id) == 200
    assert close(org, job_id) == 400
    states += [call(org, "GET", path).json()["state"] for _ in range(2)]
    assert states == ["Open", "InProgress", "JobComplete"]
    assert call(org, "GET", f"{path}/successfulResults/").text.startswith('"sf__Id","sf__Created"')
    assert org.contract_violations == []


def test_a_job_takes_one_upload(org: FakeSalesforce) -> None:
    job_id = job_with(org, f"{KEY},LastName\na,x\n")
    again = call(org, "PUT", f"{JOBS}/{job_id}/batches", data=b"a,b\n")
    assert again.status_code == 400


@pytest.mark.parametrize(
    ("operation", "text"),
    [
        ("insert", f'{KEY},LastName\na,"x" \n'),
        ("insert", f"{KEY},LastName\na,x"),
        ("insert", f"{KEY},LastName\r\na,x\r\n"),
        ("insert", f"{KEY},LastName\na\n"),
        ("insert", f"{KEY},LastName\n"),
        ("insert", f"{KEY},LastName\na,{'x' * 32_001}\n"),
        ("update", f"{KEY},LastName\na,x\n"),
        ("delete", "Id,LastName\na,x\n"),
    ],
    ids=["quotes", "end", "line feeds", "cells", "none", "characters", "no id", "more than ids"],
)
def test_an_upload_that_the_guide_forbids_is_a_violation(
    org: FakeSalesforce, operation: str, text: str
) -> None:
    job_with(org, text, operation=operation)
    assert org.contract_violations


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"operation": "merge"}, 400),
        ({"object": "Nope"}, 400),
        ({"operation": "upsert"}, 400),
        ({"externalIdFieldName": KEY}, 400),
        ({"operation": "upsert", "externalIdFieldName": "Email"}, 400),
        ({"operation": "upsert", "externalIdFieldName": KEY}, 200),
    ],
)
def test_jobs_are_looked_at(org: FakeSalesforce, changes: dict[str, str], status: int) -> None:
    assert call(org, "POST", JOBS, json=JOB | changes).status_code == status


def test_an_upload_of_no_rows_is_not_closed_unnoticed(org: FakeSalesforce) -> None:
    close(org, job_with(org, None))
    assert org.contract_violations == ["closed without an upload"]


def test_a_token_of_another_session_is_none(org: FakeSalesforce) -> None:
    headers = {"Authorization": "Bearer other"}
    assert requests.post(org.url + JOBS, json=JOB, headers=headers, timeout=10).status_code == 401
