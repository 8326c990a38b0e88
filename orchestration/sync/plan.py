"""Reads the plan, and what is to be sent, from the warehouse.

The plan is a table and may be old: it was approved, the sync ran, someone runs it again. So
every row is held against the ledger as it is now. A row whose ledger has moved on since it
was planned is settled, unless the end of that call is not known or it was about something
else. And a row is sent only if its values are still those that were planned and its customer
still permits it.
"""

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from orchestration.destinations.base import Row
from orchestration.sync.plan_counts import PlanCounts, tally
from orchestration.sync.row_hash import row_hash_sql
from orchestration.sync.spec import InvalidSync, SyncSpec
from orchestration.warehouse import Placeholders, Warehouse, compose

# What is taken away comes first, and what a person asked for before everything else. Rows of
# a phase are alike to an endpoint, so a batch is one call.
PHASES = ("1_erasures", "2_withdrawals", "3_leavers", "4_known", "5_new")
LAST_PROTECTED_PHASE = PHASES[1]
NO_PHASE = ""  # before all of them

_TEXT = {"varchar", "text", "character varying", "string"}

_OPEN_ROWS = """
    select
        plan.row_key, plan.customer_id, plan.action, plan.reason, plan.blocked_reason,
        plan.row_hash, plan.field_hashes, plan.previous_hash, plan.version, plan.attempt,
        ledger.remote_id,
        coalesce(ledger.is_uncertain, false) as is_uncertain,
        case
            when plan.action = 'remove' and plan.reason = 'erasure' then '1_erasures'
            when plan.action = 'remove' and plan.reason not in ('left', 'listed')
                then '2_withdrawals'
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
            plan.row_hash is null
            or exists (select 1 from {model} as model where model.{key} = plan.row_key)
        )
"""

_COUNTS = f"""
    select
        action, reason, blocked_reason, phase,
        count(*) as n, count(previous_hash) as known
    from ({_OPEN_ROWS}) as open_rows
    group by action, reason, blocked_reason, phase
"""

# What is to be sent, in its order: keys and hashes, not values.
_ERRAND = f"""
    create temporary table sync_errand as
    select
        row_number() over (order by phase, row_key) as position,
        phase, row_key, action, reason, remote_id, is_uncertain, row_hash, attempt, version,
        field_hashes, customer_id
    from ({_OPEN_ROWS}) as open_rows
    where
        blocked_reason is null
        and phase <= ?
        and (
            action = 'remove'
            or exists (
                select 1 from {{permitted}} as permitted
                where permitted.sync_name = ? and permitted.customer_id = open_rows.customer_id
            )
        )
"""

_PAGE = """
    select errand.phase, errand.row_key, errand.action, errand.reason,
        errand.remote_id, errand.is_uncertain, errand.row_hash, errand.attempt,
        errand.version, errand.field_hashes, errand.customer_id,
        %(values)s
    from sync_errand as errand
    left join {model} as model
        on errand.row_key = model.{key} and errand.row_hash is not null
    where
        errand.position > ? and errand.position <= ?
        and (errand.row_hash is null or errand.row_hash = %(hash)s)
    order by errand.position
"""
# Rows in memory at a time. A run of 400,000 rows took 886 MB with one sorted result of all of
# them, 666 MB page by page.
_PAGE_ROWS = 20_000

# What others hold too stays, unless they leave with this plan.
_IDENTIFIERS = """
    select held.row_key, held.identifier
    from {held} as held
    where
        held.sync_name = ?
        and held.row_key between ? and ?
        and not exists (
            select 1
            from {held} as other
            left join {plan} as leaving
                on other.sync_name = leaving.sync_name and other.row_key = leaving.row_key
                    and leaving.action = 'remove'
                    and (leaving.reason not in ('left', 'listed') or ? = 'all')
            where
                other.sync_name = held.sync_name
                and other.identifier = held.identifier
                and other.row_key != held.row_key
                and leaving.row_key is null
        )
    order by held.row_key, held.identifier
"""

# In the order of a hash: the same rows on every engine, and not the first customers alone.
_SAMPLE = """
    select action, reason, blocked_reason, row_key, field_hashes, previous_field_hashes
    from (
        select *, row_number() over (partition by action, reason order by md5(row_key)) as position
        from {plan}
        where sync_name = ?
    ) as numbered
    where position <= ?
    order by action, reason, position
"""

_KEYS_PER_QUESTION = 1000

_HELD = """
    select ledger.row_key, ledger.remote_id, ledger.delivered_hash, %(values)s
    from {ledger} as ledger
    inner join {model} as model on ledger.row_key = model.{key}
    where
        ledger.sync_name = ? and ledger.is_held and not ledger.is_uncertain
        and ledger.delivered_hash = %(hash)s
    order by ledger.row_key
"""


@dataclass(frozen=True)
class SampleRow:
    """A row of a plan to look at. ``changes``: column, hash of what is there, hash to come."""

    action: str
    reason: str
    blocked_reason: str | None
    key: str
    """Masked."""
    changes: tuple[tuple[str, str | None, str], ...]


def masked(key: str) -> str:
    """Enough of a key to find it again for who has it."""
    return key[: min(4, len(key) // 2)] + "…"


class Plan:
    """The plan of one sync, as it stands now."""

    def __init__(self, warehouse: Warehouse, spec: SyncSpec) -> None:
        self._warehouse = warehouse
        self._spec = spec
        self._model = warehouse.relation(spec.sync_name)
        self._parts = {
            "plan": warehouse.relation("sync_plan"),
            "ledger": warehouse.relation("sync_ledger_current"),
            "permitted": warehouse.relation("sync_permitted"),
            "held": warehouse.relation("sync_identifiers_held"),
            "model": self._model,
            "key": spec.key,
        }

    def check_columns(self) -> None:
        """Raise ``InvalidSync`` where the table is not what its contract says."""
        present = self._warehouse.column_types(self._model)
        if not present:
            first = "land and build first (`cdp land`, `dbt build`)"
            raise InvalidSync(f"{self._spec.sync_name}: not built yet; {first}")
        if missing := sorted(set(self._spec.columns) - set(present)):
            raise InvalidSync(f"{self._spec.sync_name}: no column {', '.join(missing)} there")
        if odd := sorted(name for name in self._spec.columns if present[name] not in _TEXT):
            raise InvalidSync(f"{self._spec.sync_name}: not text any more: {', '.join(odd)}")

    def counts(self) -> PlanCounts:
        """Three queries with small answers."""
        sql = """
            select count(*) as in_model, count(*) - count({key}) as null_keys,
                count({key}) - count(distinct {key}) as duplicate_keys
            from {model}
        """
        [model] = self._fetch(sql)
        sql = "select count(*) as held from {ledger} where sync_name = ? and is_held"
        [held] = self._fetch(sql, self._spec.sync_name)
        return PlanCounts(**model, **held, **tally(self._fetch(_COUNTS, self._spec.sync_name)))

    def digest(self) -> str:
        """What was planned, as 32 characters: another one when any row, or the declaration of
        the sync, is another. The same for the same plan on every engine, also after a part of
        it was sent."""
        sql = "select planned_rows, first_sum, second_sum from {digest} where sync_name = ?"
        sql = compose(sql, digest=self._warehouse.relation("sync_plan_digest"))
        rows = self._warehouse.fetch(sql, [self._spec.sync_name])
        sums = [int(value) for row in rows for value in row.values()]
        # Neither the order of columns nor that of settings is a change of the declaration.
        declared = self._spec.model_dump(mode="json") | {"columns": sorted(self._spec.columns)}
        text = ";".join([json.dumps(declared, sort_keys=True), *map(str, sums)])
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def sample(self, rows: int) -> list[SampleRow]:
        """So many rows of each action and reason. No values: hashes of what changes."""
        return [
            SampleRow(
                row["action"],
                row["reason"],
                row["blocked_reason"],
                masked(row["row_key"]),
                self._changes(row["previous_field_hashes"], row["field_hashes"]),
            )
            for row in self._fetch(_SAMPLE, self._spec.sync_name, rows)
        ]

    def permitted(self, keys: Collection[str]) -> set[str]:
        """Those of the keys of planned upserts whose customers permit it now."""
        sql = """
            select plan.row_key
            from {plan} as plan
            inner join {permitted} as permitted
                on plan.sync_name = permitted.sync_name
                    and plan.customer_id = permitted.customer_id
            where plan.sync_name = ? and plan.row_key in ({keys})
        """
        asked, found = list(keys), set()
        for start in range(0, len(asked), _KEYS_PER_QUESTION):
            some = asked[start : start + _KEYS_PER_QUESTION]
            question = compose(sql, **self._parts, keys=Placeholders(len(some)))
            rows = self._warehouse.fetch(question, [self._spec.sync_name, *some])
            found |= {row["row_key"] for row in rows}
        return found

    def batches(
        self,
        size: int,
        last_phase: str = PHASES[-1],
        batch_bytes: int | None = None,
        weight: Callable[[Row], int] | None = None,
    ) -> Iterator[list[Row]]:
        """Rows to send in their order, streamed, at most ``size`` of one phase at a time and,
        by ``weight``, at most ``batch_bytes``; a row that weighs more comes alone.

        A row whose values are no longer those that were planned, or whose customer no longer
        permits it, is left out: it is for the next plan."""
        for _, group in groupby(self._rows(last_phase), key=lambda phased: phased[0]):
            rows = (row for _, row in group)
            yield from _cut(rows, size, batch_bytes if weight else None, weight or _weightless)

    def held_unchanged(self, size: int) -> Iterator[list[Row]]:
        """Rows that the destination should hold just as the model has them, streamed."""
        names = self._spec.columns
        sql = self._with_values(_HELD)
        for records in self._warehouse.stream(sql, [self._spec.sync_name], batch=size):
            yield [
                Row(
                    key,
                    "upsert",
                    "held",
                    dict(zip(names, values, strict=True)),
                    remote_id,
                    row_hash=delivered_hash,
                )
                for key, remote_id, delivered_hash, *values in records
            ]

    # -- inside

    def _fetch(self, sql: str, *params: str | int) -> list[dict]:
        return self._warehouse.fetch(compose(sql, **self._parts), list(params))

    def _rows(self, last_phase: str) -> Iterator[tuple[str, Row]]:
        page = self._with_values(_PAGE)
        size = self._prepare_errand(last_phase)
        identified = self._has_identifiers()
        for start in range(0, size, _PAGE_ROWS):
            chunk = self._warehouse.tuples(page, [start, start + _PAGE_ROWS])
            for phase, records in groupby(chunk, key=lambda record: record[0]):
                some = list(records)
                sent = self._identifiers(some, last_phase) if identified else {}
                for record in some:
                    yield phase, self._row(record, sent.get(record[1], ()))

    def _with_values(self, sql: str) -> str:
        """A query with the values of the model's rows and what they come to."""
        names = self._spec.columns
        parts = {f"column_{number}": name for number, name in enumerate(names)}
        values = ", ".join(f"model.{{{part}}}" for part in parts)
        row_hash = row_hash_sql(names, self._spec.key, self._spec.sync_name)
        found = sql % {"values": values, "hash": row_hash}
        return compose(found, **self._parts, **parts)

    def _prepare_errand(self, last_phase: str) -> int:
        """How many rows there are to send; they are what they were then, whatever is built or
        sent meanwhile."""
        self._warehouse.execute("drop table if exists sync_errand")
        # The order of the question marks: the rows of the sync, their phase, permissions.
        params = [self._spec.sync_name, last_phase, self._spec.sync_name]
        self._warehouse.execute(compose(_ERRAND, **self._parts), params)
        [found] = self._warehouse.fetch("select count(*) as n from sync_errand")
        return found["n"]

    def _row(self, record: tuple, sent: tuple[str, ...]) -> Row:
        _, key, action, reason, remote_id, is_uncertain, planned_hash, attempt = record[:8]
        version, field_hashes, customer_id, *values = record[8:]
        named = zip(self._spec.columns, values, strict=True)
        return Row(
            key,
            "remove" if action == "remove" else "upsert",
            reason,
            {} if planned_hash is None else dict(named),
            remote_id,
            is_uncertain,
            planned_hash,
            attempt,
            version,
            field_hashes,
            sent,
            customer_id,
        )

    def _has_identifiers(self) -> bool:
        sql = "select 1 as one from {r} where sync_name = ? limit 1"
        sql = compose(sql, r=self._warehouse.relation("state.sync_identifiers"))
        return bool(self._warehouse.fetch(sql, [self._spec.sync_name]))

    def _identifiers(self, records: list[tuple], last_phase: str) -> dict[str, tuple[str, ...]]:
        # By the range from the first to the last key, in the order of the database.
        leaving = "all" if last_phase > LAST_PROTECTED_PHASE else "protected"
        params = (self._spec.sync_name, records[0][1], records[-1][1], leaving)
        found: dict[str, tuple[str, ...]] = {}
        for row in self._fetch(_IDENTIFIERS, *params):
            found[row["row_key"]] = (*found.get(row["row_key"], ()), row["identifier"])
        return found

    def _changes(
        self, before: str | None, after: str | None
    ) -> tuple[tuple[str, str | None, str], ...]:
        names = sorted(self._spec.columns)
        if not before or not after:
            return ()
        # Other columns were mapped then, so nothing can be compared.
        old = _sixes(before) if len(before) == len(after) else [None] * len(names)
        changes = zip(names, old, _sixes(after), strict=True)
        return tuple((name, was, will) for name, was, will in changes if was != will)


def _cut(
    rows: Iterable[Row], size: int, most: int | None, weight: Callable[[Row], int]
) -> Iterator[list[Row]]:
    batch: list[Row] = []
    total = 0
    for row in rows:
        weighs = weight(row)
        if batch and (len(batch) == size or (most is not None and total + weighs > most)):
            yield batch
            batch, total = [], 0
        batch.append(row)
        total += weighs
    if batch:
        yield batch


def _weightless(row: Row) -> int:
    return 0


def _sixes(hashes: str) -> list[str]:
    return [hashes[start : start + 6] for start in range(0, len(hashes), 6)]
