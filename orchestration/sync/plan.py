"""Reads the plan, and what is to be sent, from the warehouse.

The plan is a table and may be old: it was approved, the sync ran, someone runs it again. So
every row is held against the ledger as it is now. A row whose ledger has moved on since it
was planned is settled, unless the end of that call is not known or it was about something
else. And a row is sent only if its values are still those that were planned.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

from orchestration.destinations.base import Row
from orchestration.sync.spec import InvalidSync, SyncSpec
from orchestration.warehouse import Warehouse, compose

# What is taken away comes first, and what a person asked for before everything else. Rows of
# a phase are alike to an endpoint, so a batch is one call.
PHASES = ("1_erasures", "2_withdrawals", "3_leavers", "4_known", "5_new")
LAST_PROTECTED_PHASE = PHASES[1]

_TEXT = {"varchar", "text", "character varying", "string"}

_OPEN_ROWS = """
    select
        plan.row_key, plan.action, plan.reason, plan.blocked_reason, plan.row_hash,
        plan.previous_hash, plan.attempt, ledger.remote_id,
        coalesce(ledger.is_uncertain, false) as is_uncertain,
        case
            when plan.action = 'remove' and plan.reason = 'erasure' then '1_erasures'
            when plan.action = 'remove' and plan.reason != 'left' then '2_withdrawals'
            when plan.action = 'remove' then '3_leavers'
            when ledger.remote_id is not null then '4_known'
            else '5_new'
        end as phase
    from {plan} as plan
    left join {ledger} as ledger
        on plan.sync_name = ledger.sync_name and plan.row_key = ledger.row_key
    where
        plan.sync_name = ?
        and (
            coalesce(ledger.is_uncertain, false)
            or coalesce(ledger.last_entry_number, 0) = coalesce(plan.ledger_entry_number, 0)
            -- An older job has ended since, with what is not wanted any more.
            or (
                ledger.last_status = 'delivered'
                and (
                    ledger.delivered_hash != plan.row_hash
                    or (ledger.last_action = 'remove' and plan.action != 'remove')
                    or (ledger.last_action != 'remove' and plan.action = 'remove')
                )
            )
        )
        and (
            plan.action = 'remove'
            or exists (select 1 from {model} as model where model.{key} = plan.row_key)
        )
"""

_COUNTS = f"""
    select
        count(case when action = 'remove' then 1 end) as removals,
        count(case when action = 'remove' and reason = 'left' then 1 end) as leavers,
        count(case when action != 'remove' and blocked_reason is null then 1 end) as upserts,
        count(case when action != 'remove' and blocked_reason is null
            and previous_hash is not null then 1 end) as changes,
        count(case when action != 'remove' and blocked_reason is not null then 1 end) as blocked
    from ({_OPEN_ROWS}) as open_rows
"""

_STREAM = f"""
    select open_rows.phase, open_rows.row_key, open_rows.action, open_rows.reason,
        open_rows.remote_id, open_rows.is_uncertain, open_rows.row_hash, open_rows.attempt,
        %s
    from ({_OPEN_ROWS}) as open_rows
    left join {{model}} as model
        on open_rows.row_key = model.{{key}} and open_rows.action != 'remove'
    where open_rows.blocked_reason is null and open_rows.phase <= ?
    order by open_rows.phase, open_rows.row_key
"""


@dataclass(frozen=True)
class PlanCounts:
    """What there is to do. ``in_model`` = ``unchanged`` + ``blocked`` + ``upserts``."""

    in_model: int
    null_keys: int
    duplicate_keys: int
    held: int
    removals: int
    leavers: int
    upserts: int
    changes: int
    blocked: int

    @property
    def unchanged(self) -> int:
        return self.in_model - self.blocked - self.upserts


def row_hash(values: Mapping[str, str | None], salt: str) -> str:
    """The twin of the macro ``row_hash``: md5 of ``salt;name=length:value;...`` with the
    names sorted, the length in characters and ``-`` for null."""
    parts = [
        f"{name}=-;" if value is None else f"{name}={len(value)}:{value};"
        for name, value in sorted(values.items())
    ]
    return hashlib.md5(f"{salt};{''.join(parts)}".encode(), usedforsecurity=False).hexdigest()


class Plan:
    """The plan of one sync, as it stands now."""

    def __init__(self, warehouse: Warehouse, spec: SyncSpec) -> None:
        self._warehouse = warehouse
        self._spec = spec
        self._model = warehouse.relation(spec.sync_name)
        self._parts = {
            "plan": warehouse.relation("sync_plan"),
            "ledger": warehouse.relation("sync_ledger_current"),
            "model": self._model,
            "key": spec.key,
        }

    def check_columns(self) -> None:
        """Raise ``InvalidSync`` where the table is not what its contract says."""
        present = self._warehouse.column_types(self._model)
        if not present:
            raise InvalidSync(f"{self._spec.sync_name}: not built yet; run dbt first")
        if missing := sorted(set(self._spec.columns) - set(present)):
            raise InvalidSync(f"{self._spec.sync_name}: no column {', '.join(missing)} there")
        if odd := sorted(name for name in self._spec.columns if present[name] not in _TEXT):
            raise InvalidSync(f"{self._spec.sync_name}: not text any more: {', '.join(odd)}")

    def counts(self) -> PlanCounts:
        """Two small queries."""
        name = self._spec.sync_name
        sql = """
            select count(*) as in_model, count(*) - count({key}) as null_keys,
                count({key}) - count(distinct {key}) as duplicate_keys
            from {model}
        """
        [model] = self._warehouse.fetch(compose(sql, **self._parts))
        [plan] = self._warehouse.fetch(compose(_COUNTS, **self._parts), [name])
        sql = "select count(*) as held from {ledger} where sync_name = ? and is_held"
        [held] = self._warehouse.fetch(compose(sql, **self._parts), [name])
        return PlanCounts(**model, **plan, **held)

    def batches(
        self, size: int, last_phase: str = PHASES[-1], batch_bytes=None, weight=None
    ) -> Iterator[list[Row]]:
        """Rows to send in their order, streamed, at most ``size`` of one phase at a time.

        A row whose values are no longer those that were planned is left out: it is for the
        next plan."""
        names = self._spec.columns
        parts = {f"column_{number}": name for number, name in enumerate(names)}
        sql = _STREAM % ", ".join(f"model.{{{part}}}" for part in parts)
        sql = compose(sql, **self._parts, **parts)
        stream = self._warehouse.stream(sql, [self._spec.sync_name, last_phase])
        records = (record for batch in stream for record in batch)
        for _, group in groupby(records, key=lambda record: record[0]):
            batch: list[Row] = []
            for record in group:
                row = self._row(record, names)
                if row is None:
                    continue
                batch.append(row)
                if len(batch) == size:
                    yield batch
                    batch = []
            if batch:
                yield batch

    def _row(self, record: tuple, names: list[str]) -> Row | None:
        _, key, action, reason, remote_id, is_uncertain, planned_hash, attempt, *values = record
        if action == "remove":
            return Row(key, "remove", reason, {}, remote_id, is_uncertain, None, attempt)
        mapped = dict(zip(names, values, strict=True))
        if row_hash(mapped, self._spec.sync_name) != planned_hash:
            return None
        return Row(key, "upsert", reason, mapped, remote_id, is_uncertain, planned_hash, attempt)
