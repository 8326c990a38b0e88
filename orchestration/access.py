"""Answers requests for access: all that is there about one person, in one JSON file.

Who is meant, by what their rows are known and which rows these are is decided in SQL
(models/privacy, the macro ``access_rows``). Here they are written down:

    {"request": {...},
     "received": {"crm.contacts": [rows as sources sent them], ...},
     "derived": {"customers": [rows of what is made of them], ...},
     "recipients": [{"sync_name": ..., "destination": ..., "purpose": ..., ...}]}

``derived`` are the public models of profiles, marts and segments that have a ``customer_id``.
"""

import json
import os
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from datetime import UTC, date, datetime
from io import StringIO
from pathlib import Path
from typing import Any

from orchestration.publication import PUBLISHED_FOLDERS, published_models
from orchestration.sync.spec import load_manifest, load_sync, sync_names
from orchestration.warehouse import ROOT, Warehouse, WarehouseError, compose, dbt

ANSWERS = "state.access_answers"

_DECLARED = ("destination", "object", "purpose", "channel")


@dataclass(frozen=True)
class Request:
    """A verified request of somebody who is known."""

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
    sql = """
        select request_id, due_on, answered_at from {r}
        order by case when status = 'open' then 0 else 1 end, due_on, request_id
    """
    with Warehouse.open(target, project_dir) as warehouse:
        found = warehouse.fetch(compose(sql, r=warehouse.relation("access_requests")))
    return [Request(**row) for row in found]


def export(
    request_id: str, folder: Path, target: str | None = None, *, project_dir: Path = ROOT
) -> Answer:
    """Write ``<folder>/<request_id>.json``, for its owner alone to read, and note that it was.

    Raises ``NotAnswered`` where the request is not one of ``access_requests`` (nobody has verified
    it, or it names nobody for sure), or the file is there."""
    with Warehouse.open(target, project_dir) as warehouse:
        request = _request(warehouse, request_id)
    path = folder / f"{_file_name(request_id)}.json"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists():
        raise NotAnswered(f"{path} is there already")
    rows_sql, manifest = _access_rows(target, project_dir), load_manifest(project_dir)
    customer_id = request.pop("customer_id")
    with Warehouse.open(target, project_dir) as warehouse:
        received: dict[str, list[Any]] = {}
        for row in warehouse.fetch(rows_sql, [request_id]):
            received.setdefault(row["table_name"], []).append(json.loads(row["row_json"]))
        derived = dict(_derived(warehouse, manifest, customer_id))
        recipients = _recipients(warehouse, manifest, request_id)
        request["answered_at"] = datetime.now(UTC).replace(tzinfo=None)
        content = {
            "request": request,
            "received": received,
            "derived": derived,
            "recipients": recipients,
        }
        _write(path, content)
        row_count = sum(map(len, received.values()))
        note = "insert into {r} (request_id, answered_at, row_count) values (?, ?, ?)"
        warehouse.execute(
            compose(note, r=warehouse.relation(ANSWERS)),
            [request_id, request["answered_at"], row_count],
        )
    counts = [{name: len(rows) for name, rows in found.items()} for found in (received, derived)]
    return Answer(path, *counts, len(recipients))


def _access_rows(target: str | None, project_dir: Path) -> str:
    with redirect_stdout(StringIO()):  # dbt prints what it compiles
        compiling = ["compile", "--no-introspect", "--inline", "{{ access_rows() }}"]
        outcome = dbt(compiling, target, project_dir)
    if not outcome.success:
        raise WarehouseError("dbt cannot compile access_rows; `dbt parse` says why")
    return outcome.result.results[0].node.compiled_code


def _request(warehouse: Warehouse, request_id: str) -> dict[str, Any]:
    sql = "select request_id, customer_id, requested_at from {r} where request_id = ?"
    found = warehouse.fetch(compose(sql, r=warehouse.relation("access_requests")), [request_id])
    if not found:
        raise NotAnswered(
            f"no request for access {request_id!r} that is verified and names one person;"
            " privacy_requests_for_review says who has to be asked"
        )
    return found[0]


def _derived(
    warehouse: Warehouse, manifest: dict[str, Any], customer_id: str
) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    for node in published_models(manifest):
        # A segment alone holds no more than that: who is in which is in segment_members.
        is_about_people = "customer_id" in node["columns"] and len(node["columns"]) > 1
        if is_about_people and node["fqn"][1] in PUBLISHED_FOLDERS:
            relation = warehouse.relation(node["name"])
            sql = compose("select * from {r} where customer_id = ?", r=relation)
            if rows := warehouse.fetch(sql, [customer_id]):
                yield node["name"], rows


def _recipients(
    warehouse: Warehouse, manifest: dict[str, Any], request_id: str
) -> list[dict[str, Any]]:
    sql = """
        select sync_name, row_count, held_row_count, last_sent_at from {r}
        where request_id = ?
        order by sync_name
    """
    found = warehouse.fetch(compose(sql, r=warehouse.relation("access_recipients")), [request_id])
    # A sync that is no longer declared has sent what it has sent.
    declared = set(sync_names(manifest))
    specs = {name: load_sync(manifest, name) for name in declared}
    return [
        row | {word: getattr(specs.get(row["sync_name"]), word, None) for word in _DECLARED}
        for row in found
    ]


def _file_name(request_id: str) -> str:
    """Ids hold colons, and come from outside."""
    return "".join(sign if sign.isalnum() or sign in "-_." else "_" for sign in request_id)


def _write(path: Path, content: dict[str, Any]) -> None:
    text = json.dumps(content, default=str, ensure_ascii=False, indent=2)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text + "\n")
    except BaseException:
        path.unlink()
        raise
