"""Holds requests and answers against a vendor's own API description.

The file is normalised in memory only: a refresh stays a plain file replacement. What openapi-core
does not see is made visible first (header defaults would count as given), and what it chokes on
is dropped (null examples). Limits on count and size stand in prose only: each fake knows them.
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from openapi_core import Config, OpenAPI
from openapi_core.datatypes import RequestParameters
from openapi_core.exceptions import OpenAPIError
from openapi_core.validation.schemas.exceptions import InvalidSchemaValue
from werkzeug.datastructures import Headers, ImmutableMultiDict

from tests.fakes.server import Answer, Request

ROOT = Path(__file__).resolve().parents[2]
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch")


class Contract:
    """A vendor's description. Methods return violations as texts without values."""

    def __init__(self, spec: dict[str, Any]) -> None:
        if spec.get("swagger") == "2.0":
            spec = _as_openapi_3(spec)
        spec = _normalised(spec)
        self._host = spec["servers"][0]["url"].rpartition("//")[2].partition("/")[0]
        # Vendors' files fail the validator of specifications, on parts nobody here uses.
        self._openapi = OpenAPI.from_dict(spec, config=Config(spec_validator_cls=None))

    def request_violations(self, request: Request) -> list[str]:
        """What of a request the vendor's contract does not allow."""
        asked = _Asked.of(request, f"https://{self._host}")
        return list(_texts(self._openapi.iter_request_errors(asked)))

    def answer_violations(self, request: Request, answer: Answer) -> list[str]:
        """What of an answer the vendor would not have said."""
        asked = _Asked.of(request, f"https://{self._host}")
        return list(_texts(self._openapi.iter_response_errors(asked, _Said.of(answer))))


def load(name: str) -> Contract | None:
    """The contract in a file of the shared material, such as ``klaviyo/stable.json``; None where
    the material is absent."""
    shared = Path(os.environ.get("CDP_SHARED_DIR", ROOT.parent / "shared"))
    path = shared / "data" / "vendor_specs" / name
    return _load(path) if path.is_file() else None


@cache
def _load(path: Path) -> Contract:
    text = path.read_text(encoding="utf-8")
    return Contract(json.loads(text) if path.suffix == ".json" else yaml.safe_load(text))


@dataclass
class _Asked:
    """A request as openapi-core wants it."""

    host_url: str
    path: str
    method: str
    body: bytes | None
    content_type: str
    parameters: RequestParameters = field(default_factory=RequestParameters)

    @classmethod
    def of(cls, request: Request, host_url: str) -> "_Asked":
        parameters = RequestParameters(
            query=ImmutableMultiDict(request.query), header=Headers(dict(request.headers))
        )
        content_type = request.headers.get("content-type", "")
        method, body = request.method.lower(), request.body or None
        return cls(host_url, request.path, method, body, content_type, parameters)


@dataclass
class _Said:
    """An answer as openapi-core wants it."""

    data: bytes | None
    status_code: int
    content_type: str
    headers: Mapping[str, str]

    @classmethod
    def of(cls, answer: Answer) -> "_Said":
        body = answer.body
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        content_type = answer.headers.get("Content-Type", "application/json")
        return cls(body, answer.status, content_type, dict(answer.headers))


def _texts(errors: Iterator[Exception]) -> Iterator[str]:
    """Kinds and places of errors; their messages quote values."""
    try:
        for error in errors:
            cause = error.__cause__ or error
            if isinstance(cause, InvalidSchemaValue):
                for detail in cause.schema_errors:
                    place = "/".join(str(part) for part in detail.absolute_path)
                    yield f"{detail.validator} at {place or 'body'}"
            else:
                yield type(cause).__name__
    except OpenAPIError as error:  # no such path or method
        yield type(error).__name__


# -- in memory


def _normalised(node: Any) -> Any:
    if isinstance(node, list):
        return [_normalised(item) for item in node]
    if not isinstance(node, dict):
        return node
    clean = {
        "application/json" if name == "*/*" else name: _normalised(value)
        for name, value in node.items()
        if not (name == "example" and value is None)
    }
    if clean.get("in") == "header" and "default" in (clean.get("schema") or {}):
        schema = {k: v for k, v in clean["schema"].items() if k != "default"}
        clean |= {"required": True, "schema": schema}
    return clean


def _as_openapi_3(spec: dict[str, Any]) -> dict[str, Any]:
    """A Swagger 2.0 description: other places for the same things."""
    moved = json.loads(
        json.dumps(spec)
        .replace('"#/definitions/', '"#/components/schemas/')
        .replace('"#/parameters/', '"#/components/parameters/')
        .replace('"#/responses/', '"#/components/responses/')
    )
    media = {side: moved.get(side) or ["application/json"] for side in ("consumes", "produces")}
    shared = moved.get("parameters", {})
    bodies = {f"#/components/parameters/{k}": v for k, v in shared.items() if v["in"] == "body"}
    paths = {}
    for path, item in moved["paths"].items():
        common = item.get("parameters", [])
        paths[path] = {
            method: _operation(item[method], common, bodies, media)
            for method in _METHODS
            if method in item
        }
    responses = moved.get("responses", {}).items()
    return {
        "openapi": "3.0.3",
        "info": moved["info"],
        "servers": [{"url": f"https://{moved['host']}{moved.get('basePath', '')}".rstrip("/")}],
        "security": moved.get("security", []),
        "paths": paths,
        "components": {
            "schemas": moved.get("definitions", {}),
            "parameters": {k: _parameter(v) for k, v in shared.items() if v["in"] != "body"},
            "responses": {k: _response(v, media["produces"]) for k, v in responses},
            "securitySchemes": moved.get("securityDefinitions", {}),
        },
    }


def _operation(
    operation: dict, common: list[dict], bodies: dict[str, dict], media: dict[str, list[str]]
) -> dict:
    given = [bodies.get(p.get("$ref", ""), p) for p in common + operation.get("parameters", [])]
    produces = operation.get("produces") or media["produces"]
    result = {
        "parameters": [_parameter(p) for p in given if p.get("in") not in ("body", "formData")],
        "responses": {k: _response(v, produces) for k, v in operation["responses"].items()},
    }
    if "security" in operation:
        result["security"] = operation["security"]
    consumes = operation.get("consumes") or media["consumes"]
    for body in (p for p in given if p.get("in") == "body"):
        content = {kind: {"schema": body["schema"]} for kind in consumes}
        result["requestBody"] = {"required": body.get("required", False), "content": content}
    return result


def _parameter(parameter: dict) -> dict:
    if "$ref" in parameter:
        return parameter
    outside = ("name", "in", "required", "description")
    schema = {k: v for k, v in parameter.items() if k not in (*outside, "collectionFormat")}
    kept = {k: v for k, v in parameter.items() if k in outside}
    return kept | {"schema": schema}


def _response(response: dict, produces: list[str]) -> dict:
    if "$ref" in response or "schema" not in response:
        return {k: v for k, v in response.items() if k in ("$ref", "description")}
    content = {kind: {"schema": response["schema"]} for kind in produces}
    return {"description": response.get("description", ""), "content": content}
