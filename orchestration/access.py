"""Answers requests for access: all that is there about one person, in one JSON file.

Who is meant, by what their rows are known and which rows these are is decided in SQL
(models/rights, the macro ``access_rows``). Here they are written down:

    {"request": {...},
     "received": {"crm.contacts": [rows as sources sent them], ...},
     "derived": {"customers": [rows of what is made of them], ...},
     "recipients": [{"sync_name": ..., "destination": ..., "purpose": ..., ...}]}

``derived`` are the public models of profiles, marts and segments with a ``customer_id``, unless
they say ``meta.told: false``. Numbers that JSON has no exact word for are text.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

from orchestration.publication import PUBLISHED_FOLDERS, published_models
from orchestration.sync.spec import load_manifest
from orchestration.warehouse import ROOT, Warehouse, WarehouseError, compose, dbt

ANSWERS = "state.access_answers"

_DECLARED = ("destination", "object", "purpose", "channel")
_REQUESTS = """
    select request_id, due_on, answered_at from {r}
    order by case when status = 'open' then 0 else 1 end, due_on, request_id
"""
_REQUEST = "select request_id, customer_id, requested_at from {r} where request_id = ?"
# Also under an id of before a merge, where ids are kept.
_DERIVED = """
    select * from {r}
    where customer_id = ? or customer_id in (
        select customer_id from {redirects} where current_customer_id = ? and status = 'merged'
    )
"""
_RECIPIENTS = """
    select sync_name, row_count, held_row_count, last_sent_at from {r}
    where request_id = ?
    order by sync_name
"""
_NOTE = "insert into {r} (request_id, answered_at, row_count) values (?, ?, ?)"


@dataclass(frozen=True)
class Request:
    """A verified request of a known customer."""

    request_id: str
    due_on: date | None
    answered_at: datetime | None


@dataclass(frozen=True)
class Answer:
    """What was written: rows by table."""

    path: Path
    received: dict[str, int]
    derived: dict[str, int]
    recipients: int


class NotAnswered(LookupError):
    """No file was written."""


def requests(target: str | None = None, project_dir: Path = ROOT) -> list[Request]:
    """Requests for access, the open ones first, then by urgency."""
    with Warehouse.open(target, project_dir) as warehouse:
        found = warehouse.fetch(compose(_REQUESTS, r=warehouse.relation("access_requests")))
    return [Request(**row) for row in found]


def told_models(manifest: dict[str, Any]) -> list[str]:
    """Names of the models of which a person is told their rows."""

    def is_told(node: dict[str, Any]) -> bool:
        # A segment's own model has no more than the id: who is in which, segment_members says.
        is_about_people = "customer_id" in node["columns"] and len(node["columns"]) > 1
        is_of_people = node["fqn"][1] in PUBLISHED_FOLDERS
        return is_about_people and node["config"]["meta"].get("told", is_of_people)

    return [node["name"] for node in published_models(manifest) if is_told(node)]


def export(
    request_id: str, folder: Path, target: str | None = None, *, project_dir: Path = ROOT
) -> Answer:
    """Write a file named after the request, for its owner alone to read, and note that it was: both
    or nothing, of one moment of the warehouse.

    Raises ``NotAnswered`` where the request is not one of ``access_requests`` (nobody has verified
    it, or it names nobody for sure), or the file is there."""
    with Warehouse.open(target, project_dir) as warehouse:
        _request(warehouse, request_id)
    path = folder / _file_name(request_id)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists():
        raise NotAnswered(f"{path} is there already")
    rows_sql, manifest = _access_rows(target, project_dir), load_manifest(project_dir)
    is_written = False
    try:
        with Warehouse.open(target, project_dir) as warehouse, warehouse.transaction():
            if warehouse.target_type == "postgres":
                warehouse.execute("set transaction isolation level repeatable read")
            content = _content(warehouse, manifest, request_id, rows_sql)
            received, derived = (
                {name: len(rows) for name, rows in content[part].items()}
                for part in ("received", "derived")
            )
            note = [request_id, content["request"]["answered_at"], sum(received.values())]
            warehouse.execute(compose(_NOTE, r=warehouse.relation(ANSWERS)), note)
            _write(path, content)
            is_written = True
    except BaseException:
        if is_written:
            path.unlink()
        raise
    return Answer(path, received, derived, len(content["recipients"]))


def _access_rows(target: str | None, project_dir: Path) -> str:
    with redirect_stdout(StringIO()):  # dbt prints what it compiles
        compiling = ["compile", "--no-introspect", "--inline", "{{ access_rows() }}"]
        outcome = dbt(compiling, target, project_dir)
    if not outcome.success:
        raise WarehouseError("dbt cannot compile access_rows; `dbt parse` says why")
    return outcome.result.results[0].node.compiled_code


def _request(warehouse: Warehouse, request_id: str) -> dict[str, Any]:
    found = warehouse.fetch(
        compose(_REQUEST, r=warehouse.relation("access_requests")), [request_id]
    )
    if not found:
        raise NotAnswered(
            f"no request for access {request_id!r} that is verified and names one customer;"
            " privacy_requests_for_review has the verified ones that do not"
        )
    return found[0]


def _content(
    warehouse: Warehouse, manifest: dict[str, Any], request_id: str, rows_sql: str
) -> dict[str, Any]:
    request = _request(warehouse, request_id)
    customer_id = request.pop("customer_id")
    received: dict[str, list[Any]] = {}
    for row in warehouse.fetch(rows_sql, [request_id]):
        told = json.loads(row["row_json"], parse_float=Decimal, parse_constant=str)
        received.setdefault(row["table_name"], []).append(told)
    return {
        "request": request | {"answered_at": datetime.now(UTC).replace(tzinfo=None)},
        "received": received,
        "derived": dict(_derived(warehouse, manifest, customer_id)),
        "recipients": list(_recipients(warehouse, manifest, request_id)),
    }


def _derived(
    warehouse: Warehouse, manifest: dict[str, Any], customer_id: str
) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    redirects = warehouse.relation("customer_id_redirects")
    for name in told_models(manifest):
        sql = compose(_DERIVED, r=warehouse.relation(name), redirects=redirects)
        if rows := warehouse.fetch(sql, [customer_id, customer_id]):
            yield name, rows


def _recipients(
    warehouse: Warehouse, manifest: dict[str, Any], request_id: str
) -> Iterator[dict[str, Any]]:
    # A sync that is wrong or no longer declared has sent what it has sent.
    declared = {
        exposure["name"]: exposure.get("config", {}).get("meta", {}).get("sync") or {}
        for exposure in manifest["exposures"].values()
    }
    sql = compose(_RECIPIENTS, r=warehouse.relation("access_recipients"))
    for row in warehouse.fetch(sql, [request_id]):
        words = declared.get(row["sync_name"], {})
        yield row | {word: words.get(word) for word in _DECLARED}


def _file_name(request_id: str) -> str:
    """Readable, and of this request alone: ids come from outside and hold anything."""
    clean = "".join(sign if sign.isalnum() or sign in "-_." else "_" for sign in request_id)
    return f"{clean[:60]}-{hashlib.sha256(request_id.encode()).hexdigest()[:12]}.json"


def _plain(value: Any) -> Any:
    """What JSON has no word for."""
    return bytes(value).hex() if isinstance(value, bytes | memoryview) else str(value)


def _finite(rows: Any) -> Any:
    """Without floats that are no number, which are no JSON."""
    if isinstance(rows, dict):
        return {name: _finite(value) for name, value in rows.items()}
    if isinstance(rows, list):
        return [_finite(value) for value in rows]
    return str(rows) if isinstance(rows, float) and rows - rows != 0 else rows


def _write(path: Path, content: dict[str, Any]) -> None:
    text = json.dumps(
        _finite(content), default=_plain, ensure_ascii=False, allow_nan=False, indent=2
    )
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text + "\n")
    except BaseException:
        path.unlink()
        raise
