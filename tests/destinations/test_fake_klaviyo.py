"""The fake is strict by its own rules, with no description of the vendor's at hand."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.fakes.klaviyo import FakeKlaviyo

IMPORTS = "/api/profile-bulk-import-jobs"


@pytest.fixture
def account() -> Iterator[FakeKlaviyo]:
    with FakeKlaviyo() as fake:
        yield fake


def call(
    account: FakeKlaviyo, path: str, payload: Any = None, method: str = "POST", **headers: str
) -> requests.Response:
    given = {
        "Authorization": f"Klaviyo-API-Key {account.key}",
        "revision": "2026-07-15",
        "Content-Type": "application/vnd.api+json",
    } | {name.replace("_", "-"): value for name, value in headers.items()}
    data = None if payload is None else json.dumps(payload)
    return requests.request(method, account.url + path, data=data, headers=given, timeout=10)


def import_job(*emails: str) -> dict[str, Any]:
    profiles = [{"type": "profile", "attributes": {"email": email}} for email in emails]
    attributes = {"profiles": {"data": profiles}}
    return {"data": {"type": "profile-bulk-import-job", "attributes": attributes}}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": "Klaviyo-API-Key wrong"}, 401),
        ({"Authorization": "Bearer pk_fake"}, 401),
        ({"revision": "2024-02-15"}, 400),
        ({"Content_Type": "application/json"}, 400),
    ],
)
def test_headers_are_looked_at(account: FakeKlaviyo, headers: dict[str, str], status: int) -> None:
    assert call(account, IMPORTS, import_job("a@example.com"), **headers).status_code == status
    assert account.jobs == {}


def test_a_job_works_after_it_was_asked_about(account: FakeKlaviyo) -> None:
    job = call(account, IMPORTS, import_job("a@example.com")).json()["data"]
    states = []
    for _ in range(2):
        answer = call(account, f"{IMPORTS}/{job['id']}", method="GET").json()
        states.append((answer["data"]["attributes"]["status"], len(account.profiles)))
    assert states == [("processing", 0), ("complete", 1)]


def test_a_bad_row_refuses_the_whole_and_is_pointed_at(account: FakeKlaviyo) -> None:
    answer = call(account, IMPORTS, import_job("a@example.com", "bad"))
    assert answer.status_code == 400
    [error] = answer.json()["errors"]
    assert error["source"]["pointer"] == "/data/attributes/profiles/data/1/attributes/email"
    assert account.jobs == {}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/profiles?filter=any(city,[])"),
        ("GET", "/api/profiles?filter=any(email,[])&page[size]=101"),
        ("GET", "/api/profiles"),
        ("GET", "/api/lists/L1/relationships/profiles?filter=any(external_id,[])"),
        ("GET", "/api/lists/L9/relationships/profiles?filter=any(email,[])"),
        ("GET", f"{IMPORTS}/none"),
        ("GET", "/api/persons"),
    ],
)
def test_what_is_not_there_is_refused(account: FakeKlaviyo, method: str, path: str) -> None:
    assert call(account, path, method=method).status_code in (400, 404)


def test_an_erasure_names_a_person_once(account: FakeKlaviyo) -> None:
    profile = account.add(email="a@example.com")
    both = {"type": "profile", "id": profile.id, "attributes": {"email": "a@example.com"}}
    for person, status in ((both, 400), (both | {"attributes": {}}, 202)):
        attributes = {"profile": {"data": person}}
        job = {"data": {"type": "data-privacy-deletion-job", "attributes": attributes}}
        answer = call(account, "/api/data-privacy-deletion-jobs", job)
        assert answer.status_code == status
    assert account.profiles == {}
