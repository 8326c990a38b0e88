"""Declarations, client and rows of these tests."""

from typing import Any

from orchestration.destinations.base import Outcome, Row
from orchestration.destinations.http import Http
from orchestration.sync.http import Policy
from orchestration.sync.spec import SyncSpec
from tests.fakes.webhook import BATCH_ROWS

QUICK = Policy(tries=3, first_wait=0, max_wait=0, exchange_deadline=5)


COLUMNS = ["external_id", "email", "name", "points"]


ROW = (
    '{"external_id": "${external_id}", "email": "${email}", "name": "${name}",'
    ' "points": "${points | number}"}'
)


BY_KEY = {
    "method": "PUT",
    "path": "/records/by-key/${cdp_key}",
    "remove_path": "/records/by-key/${cdp_key}",
    "remote_id_path": "data.id",
    "error_code_path": "error.code",
}


BY_ID = {
    "path": "/records",
    "update_path": "/records/${cdp_remote_id}",
    "remove_path": "/records/${cdp_remote_id}",
    "lookup_path": "/records?external_id=${cdp_key}",
    "lookup_id_path": "items.0.id",
    "remote_id_path": "data.id",
    "error_code_path": "error.code",
}


BATCH = {
    "path": "/batch",
    "batch_rows": str(BATCH_ROWS),
    "body": '{"records": "${cdp_rows}"}',
    "row": ROW,
    "remove_method": "POST",
    "remove_path": "/batch/remove",
    "remove_body": '{"keys": "${cdp_rows}"}',
    "remove_row": '"${cdp_key}"',
    "results_path": "results",
    "result_key": "key",
    "remote_id_path": "id",
    "error_field": "error",
    "error_code_path": "error.code",
    "dedupes": "true",
}


def spec(options: dict[str, str], mode: str = "upsert", **changes: Any) -> SyncSpec:
    login = {"url_env": "CDP_HTTP_URL", "auth": "bearer", "auth_env": "CDP_HTTP_TOKEN"}
    rates = {"requests_per_second": "1000"}
    settings = {
        "sync_name": "sync_http__records",
        "destination": "http",
        "object": "events" if mode == "append" else "records",
        "mode": mode,
        "key": "external_id",
        "purpose": "marketing",
        "channel": "email",
        "identity_tier": "exact",
        "columns": COLUMNS,
        "options": login | rates | {"body": ROW} | options,
    }
    return SyncSpec(**(settings | changes))


def http(options: dict[str, str], mode: str = "upsert", **changes: Any) -> Http:
    declared = spec(options, mode, **changes)
    Http.check(declared)
    return Http.from_environment(declared, QUICK)


def row(key: str, remote_id: str | None = None, **values: str | None) -> Row:
    mapped = {"external_id": key, "email": f"{key}@example.com", "name": "Ana", "points": "7"}
    more = {name: values.pop(name) for name in ("is_uncertain", "version") if name in values}
    return Row(key, "upsert", "new", mapped | values, remote_id, row_hash="h", **more)


def gone(key: str, remote_id: str | None = None, reason: str = "left", **more: Any) -> Row:
    return Row(key, "remove", reason, {}, remote_id, **more)


def told(outcomes: list[Outcome]) -> dict[str, tuple[str, str | None]]:
    return {outcome.key: (outcome.status, outcome.error_code) for outcome in outcomes}
