"""What the state around a plan says, for the guards: earlier runs, landings, tests."""

from collections.abc import Mapping
from typing import Any

from orchestration.sync.endpoint import declared_hashes
from orchestration.sync.guards import Facts
from orchestration.sync.lease import LEDGER, RUNS
from orchestration.sync.spec import SyncSpec, ancestors
from orchestration.warehouse import Warehouse, compose

LANDINGS, VERDICTS = "state.landings", "state.test_verdicts"

_DELIVERED = """
    select sum(coalesce(rows_delivered, 0)) as delivered from {runs} where sync_name = ?
"""
# A failed run without a code sent rows of which nothing was heard.
_LAST_DECLARED = """
    select mapping_hash, place_hash from {runs}
    where sync_name = ? and mapping_hash is not null
        and (
            status in ('succeeded', 'pending', 'partial')
            or (status = 'failed' and error_code is null)
        )
    order by lease_number desc
    limit 1
"""
_AGES = """
    select source_name, table_name,
        cast(current_timestamp as timestamp) as read_at, max(landed_at) as landed_at
    from {landings}
    where verdict != 'refused'
    group by source_name, table_name
"""

# The twin of the macro failing_tests.
_FAILING = """
    select test_id from {verdicts}
    group by test_id
    having max(change_number)
        = max(case when verdict = 'failed' then change_number else 0 end)
"""


def read_facts(warehouse: Warehouse, spec: SyncSpec, manifest: Mapping[str, Any]) -> Facts:
    """A few small queries."""
    above = ancestors(manifest, f"model.cdp.{spec.sync_name}")
    last = _last_declared(warehouse, spec)
    now = declared_hashes(spec)
    mapping, mapped = now["mapping_hash"], last.get("mapping_hash") or now["mapping_hash"]
    return Facts(
        mapping_changed=mapped != mapping,
        template_changed=mapped.partition(".")[2] != mapping.partition(".")[2],
        place_changed=last.get("place_hash") not in (None, now["place_hash"]),
        ledger_lost=_ledger_lost(warehouse, spec),
        source_age_hours=_source_age(warehouse, manifest, above)
        if spec.guards.max_source_age_hours is not None
        else 0,
        failed_tests=_failed_tests(warehouse, manifest, above),
    )


def _last_declared(warehouse: Warehouse, spec: SyncSpec) -> dict[str, str | None]:
    """What the last run that sent something was told; hashes of an older version are missing."""
    found = _fetch(warehouse, _LAST_DECLARED, [spec.sync_name], runs=RUNS)
    return found[0] if found else {}


def _ledger_lost(warehouse: Warehouse, spec: SyncSpec) -> bool:
    sql = "select 1 as entry from {ledger} where sync_name = ? limit 1"
    if _fetch(warehouse, sql, [spec.sync_name], ledger=LEDGER):
        return False
    runs = _fetch(warehouse, _DELIVERED, [spec.sync_name], runs=RUNS)
    return bool(runs and runs[0]["delivered"])


def _source_age(warehouse: Warehouse, manifest: Mapping[str, Any], above: set[str]) -> int:
    """Hours since the least recently landed source above the sync; a source that was never
    landed is as old as can be said."""
    landed = {
        (row["source_name"], row["table_name"]): (row["read_at"] - row["landed_at"])
        for row in _fetch(warehouse, _AGES, None, landings=LANDINGS)
    }
    sources = [manifest["sources"][name] for name in above if name in manifest["sources"]]
    ages = [
        landed.get((source["source_name"], source["name"]))
        for source in sources
        if source["source_name"] != "state"
    ]
    never = 24 * 365 * 10
    return max(
        (never if age is None else int(age.total_seconds() // 3600) for age in ages), default=0
    )


def _failed_tests(warehouse: Warehouse, manifest: Mapping[str, Any], above: set[str]) -> int:
    failing = _fetch(warehouse, _FAILING, None, verdicts=VERDICTS)
    nodes = (manifest["nodes"].get(row["test_id"]) for row in failing)
    # A test that is no longer in the project says nothing about it.
    return sum(bool(above & set(node["depends_on"]["nodes"])) for node in nodes if node)


def _fetch(
    warehouse: Warehouse, sql: str, params: list[Any] | None, **names: str
) -> list[dict[str, Any]]:
    """No rows where a table is not there yet."""
    relations = {part: warehouse.relation(name) for part, name in names.items()}
    if not all(warehouse.exists(relation) for relation in relations.values()):
        return []
    return warehouse.fetch(compose(sql, **relations), params)
