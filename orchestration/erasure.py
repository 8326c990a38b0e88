"""Carries out requests to be erased, as the macro ``carry_out_erasures`` says.

Whose request is ready, by what their rows are known and what becomes of the rows is decided in
SQL (models/rights, the YAML of the sources). Here the salt is drawn, outside of any SQL that a
log could keep, and the operation is run.
"""

import json
import secrets
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa

from orchestration.warehouse import ROOT, Warehouse, compose, dbt

SALTS, ERASURES = "state.erasure_salts", "state.erasures"
ERASED_ROWS, IDENTIFIERS = "state.erased_rows", "state.erased_identifiers"

_SALT_SCHEMA = pa.schema([("salt", pa.string()), ("created_at", pa.timestamp("us"))])


@dataclass(frozen=True)
class Request:
    """One request that is not carried out yet."""

    request_id: str
    due_on: date | None
    is_ready: bool
    waits_for: str | None
    """Sync whose destination may still hold the person."""
    destination_row_count: int


@dataclass(frozen=True)
class ErasedRows:
    """What became of rows of one raw table; ``action``: delete or anonymise."""

    table_name: str
    action: str
    row_count: int


@dataclass(frozen=True)
class Erased:
    """What one run came to."""

    requests: int
    rows: list[ErasedRows]


class ErasureFailed(RuntimeError):
    """Nothing was erased."""


def open_requests(target: str | None = None, project_dir: Path = ROOT) -> list[Request]:
    """Requests that are not carried out, the most urgent first."""
    sql = """
        select request_id, due_on, status = 'ready' as is_ready, waits_for, destination_row_count
        from {r}
        where status != 'erased'
        order by due_on, request_id
    """
    with Warehouse.open(target, project_dir) as warehouse:
        found = warehouse.fetch(compose(sql, r=warehouse.relation("erasure_requests")))
    return [Request(**row) for row in found]


def erase(target: str | None = None, *, project_dir: Path = ROOT) -> Erased:
    """Erase everybody whose request is ready, which may be others than a moment ago, and say what
    was in the raw tables.

    One transaction: raises ``ErasureFailed``, without any value in its text, and has done nothing,
    or has done all. Tables that are built from raw hold the people until the next build."""
    at = datetime.now(UTC).replace(tzinfo=None)
    with Warehouse.open(target, project_dir) as warehouse:
        _draw_salt(warehouse, at)
        requests, before = _requests(warehouse), _counted(warehouse)
    words = json.dumps({"erased_at": at.isoformat(sep=" ")})
    done = dbt(["run-operation", "carry_out_erasures", "--args", words], target, project_dir)
    if not done.success:
        raise ErasureFailed("nothing was erased; dbt's log says why")
    with Warehouse.open(target, project_dir) as warehouse:
        requests, after = _requests(warehouse) - requests, _counted(warehouse)
    erased = ((key, count - before.get(key, 0)) for key, count in sorted(after.items()))
    return Erased(requests, [ErasedRows(*key, count) for key, count in erased if count])


def _draw_salt(warehouse: Warehouse, at: datetime) -> None:
    """Before the first erasure, and never again: another salt would know nobody."""
    relation, erased = warehouse.relation(SALTS), warehouse.relation(IDENTIFIERS)
    sql = "select 1 as found from {r} union all select 1 from {erased}"
    with warehouse.transaction():
        warehouse.lock(relation)
        if not warehouse.fetch(compose(sql, r=relation, erased=erased)):
            salt = {"salt": secrets.token_hex(32), "created_at": at}
            warehouse.load(relation, pa.Table.from_pylist([salt], schema=_SALT_SCHEMA))


def _requests(warehouse: Warehouse) -> int:
    """Requests that were ever carried out."""
    sql = compose("select count(*) as n from {r}", r=warehouse.relation(ERASURES))
    return warehouse.fetch(sql)[0]["n"]


def _counted(warehouse: Warehouse) -> dict[tuple[str, str], int]:
    """Rows by table and action, of all times."""
    sql = """
        select table_name, action, sum(row_count) as row_count from {r}
        group by table_name, action
    """
    found = warehouse.fetch(compose(sql, r=warehouse.relation(ERASED_ROWS)))
    return {(row["table_name"], row["action"]): int(row["row_count"]) for row in found}
