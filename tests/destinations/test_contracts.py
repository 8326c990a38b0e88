"""The validator refuses what the vendors' own descriptions refuse."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import openapi
from tests.fakes.openapi import Contract
from tests.fakes.server import Answer, Request

HEADERS = {
    "klaviyo": {
        "authorization": "Klaviyo-API-Key pk",
        "revision": "2026-07-15",
        "content-type": "application/vnd.api+json",
    },
    "sendgrid": {"authorization": "Bearer key", "content-type": "application/json"},
    "intercom": {
        "authorization": "Bearer key",
        "content-type": "application/json",
        "intercom-version": "2.15",
    },
}
FILES = {
    "klaviyo": "klaviyo/stable.json",
    "sendgrid": "sendgrid/oai.json",
    "intercom": "intercom/api.intercom.io.2.15.yaml",
}
IMPORTS = "/api/profile-bulk-import-jobs"


def contract(vendor: str) -> Contract:
    return openapi.load(FILES[vendor])


def request(vendor: str, method: str, path: str, body: Any = None, **query: str) -> Request:
    raw = b"" if body is None else json.dumps(body).encode()
    return Request(method, path, query, HEADERS[vendor], raw)


def import_job(**changes: Any) -> dict[str, Any]:
    profile = {"type": "profile", "attributes": {"email": "a@example.com"}} | changes
    attributes = {"profiles": {"data": [profile]}}
    return {"data": {"type": "profile-bulk-import-job", "attributes": attributes}}


GOOD = [
    request("klaviyo", "POST", IMPORTS, import_job()),
    request("klaviyo", "POST", IMPORTS, import_job(attributes={"first_name": None})),
    request("klaviyo", "GET", "/api/profiles", filter='any(email,["a"])'),
    request("sendgrid", "PUT", "/v3/marketing/contacts", {"contacts": [{"email": "a@b.c"}]}),
    request("intercom", "POST", "/contacts", {"email": "a@example.com"}),
]
BAD = [
    (request("klaviyo", "POST", IMPORTS, import_job(type="person")), "enum at data"),
    (request("klaviyo", "POST", IMPORTS, import_job(attributes={"email": 5})), "type at data"),
    (request("klaviyo", "POST", IMPORTS), "MissingRequiredRequestBody"),
    (request("klaviyo", "GET", "/api/profiles", **{"page[size]": "101"}), "maximum"),
    (request("klaviyo", "GET", "/api/persons"), "PathNotFound"),
    (request("klaviyo", "PUT", IMPORTS, import_job()), "OperationNotFound"),
    (request("sendgrid", "PUT", "/v3/marketing/contacts", {"contacts": []}), "minItems"),
    (request("sendgrid", "PUT", "/v3/marketing/contacts", {}), "required"),
    (request("intercom", "POST", "/contacts", {"email": 5}), "at body"),
]


@pytest.mark.parametrize("good", GOOD, ids=lambda r: f"{r.method} {r.path}")
def test_what_the_vendors_describe_passes(shared_dir: Path, good: Request) -> None:
    vendor = next(name for name, headers in HEADERS.items() if headers is good.headers)
    assert contract(vendor).request_violations(good) == []


@pytest.mark.parametrize(("bad", "why"), BAD, ids=[why for _, why in BAD])
def test_what_they_do_not_describe_is_a_violation(shared_dir: Path, bad: Request, why: str) -> None:
    vendor = next(name for name, headers in HEADERS.items() if headers is bad.headers)
    violations = contract(vendor).request_violations(bad)
    assert any(why in violation for violation in violations)


@pytest.mark.parametrize(
    ("vendor", "header", "why"),
    [
        ("klaviyo", "authorization", "SecurityNotFound"),
        ("klaviyo", "revision", "MissingRequiredParameter"),
        ("klaviyo", "content-type", "MediaTypeNotFound"),
        ("sendgrid", "authorization", "SecurityNotFound"),
    ],
)
def test_headers_with_a_default_are_still_required(
    shared_dir: Path, vendor: str, header: str, why: str
) -> None:
    good = GOOD[0] if vendor == "klaviyo" else GOOD[3]
    headers = {name: value for name, value in good.headers.items() if name != header}
    bare = Request(good.method, good.path, good.query, headers, good.body)
    assert contract(vendor).request_violations(bare) == [why]


def test_an_answer_is_held_against_the_description_too(shared_dir: Path) -> None:
    kind = {"Content-Type": "application/vnd.api+json"}
    wrong = Answer(202, {"data": {"type": "profile-bulk-import-job"}}, kind)
    assert "required at data" in contract("klaviyo").answer_violations(GOOD[0], wrong)
    assert contract("sendgrid").answer_violations(GOOD[3], Answer(202, {"job_id": "j"})) == []
    assert contract("sendgrid").answer_violations(GOOD[3], Answer(202, {"job_id": 1}))


def test_violations_quote_no_values(shared_dir: Path) -> None:
    bad = request("klaviyo", "POST", IMPORTS, import_job(type="canary@example.com"))
    assert "canary" not in str(contract("klaviyo").request_violations(bad))


def test_without_the_material_there_is_no_contract(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CDP_SHARED_DIR", str(tmp_path))
    assert openapi.load(FILES["klaviyo"]) is None
