"""What the engine remembers of rows: append-only tables of the schema ``state``, of which only
people who were erased are forgotten.

``sync_ledger`` has an ``intent`` before each call and an outcome after it, ``sync_identifiers``
the hashed identifiers that ads endpoints were given, ``sync_jobs`` work that goes on at the
endpoint, ``sync_matches`` what endpoints said of records as a whole. Entries are ordered by
number, never by clock; numbers need one writer per sync, which the lease gives.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any

import pyarrow as pa

from orchestration.destinations.base import Matched, Outcome, Row
from orchestration.sync.lease import JOBS, LEDGER, RUNS, Lease
from orchestration.warehouse import Placeholders, Relation, Warehouse, compose

IDENTIFIERS, MATCHES = "state.sync_identifiers", "state.sync_matches"

_LEDGER_SCHEMA = pa.schema(
    [
        ("sync_name", pa.string()),
        ("entry_number", pa.int64()),
        ("row_key", pa.string()),
        ("customer_id", pa.string()),
        ("action", pa.string()),
        ("reason", pa.string()),
        ("status", pa.string()),
        ("row_hash", pa.string()),
        ("field_hashes", pa.string()),
        ("attempt", pa.int32()),
        ("run_id", pa.string()),
        ("remote_id", pa.string()),
        ("error_class", pa.string()),
        ("error_code", pa.string()),
        ("recorded_at", pa.timestamp("us")),
    ]
)
_JOBS_SCHEMA = pa.schema(
    [
        ("sync_name", pa.string()),
        ("job_id", pa.string()),
        ("run_id", pa.string()),
        ("first_entry_number", pa.int64()),
        ("last_entry_number", pa.int64()),
        ("status", pa.string()),
        ("recorded_at", pa.timestamp("us")),
    ]
)
_MATCHES_SCHEMA = pa.schema(
    [
        ("sync_name", pa.string()),
        ("run_id", pa.string()),
        ("answer_number", pa.int64()),
        ("action", pa.string()),
        ("records_received", pa.int64()),
        ("records_invalid", pa.int64()),
        ("identifiers_received", pa.int64()),
        ("match_rate_low", pa.decimal128(18, 4)),
        ("match_rate_high", pa.decimal128(18, 4)),
        ("recorded_at", pa.timestamp("us")),
    ]
)
_OPEN_JOBS = """
    select jobs.job_id, min(jobs.first_entry_number) as first,
        max(jobs.last_entry_number) as last, min(jobs.recorded_at) as submitted_at
    from {jobs} as jobs
    where jobs.sync_name = ?
    group by jobs.job_id
    having max(case when jobs.status = 'settled' then 1 else 0 end) = 0
    order by 2
"""
_ROWS_OF_A_JOB = """
    select intents.row_key, intents.customer_id, intents.action, intents.reason,
        intents.row_hash, intents.attempt, intents.field_hashes, intents.entry_number
    from {ledger} as intents
    where intents.sync_name = ? and intents.entry_number between ? and ?
        and intents.status = 'intent'
        and not exists (
            select 1 from {ledger} as outcomes
            where outcomes.sync_name = intents.sync_name
                and outcomes.row_key = intents.row_key
                and outcomes.entry_number > intents.entry_number
        )
    order by intents.entry_number
"""

# Hashes of what was sent can confirm a guess, and an id leads to the record.
_FORGET = (
    """
    update {ledger} set row_hash = null, field_hashes = null, remote_id = null
    where sync_name = ? and row_key in ({keys})
    """,
    """
    update {folded} set last_hash = null, last_field_hashes = null, delivered_hash = null,
        delivered_field_hashes = null, remote_id = null, owned_remote_id = null
    where sync_name = ? and row_key in ({keys})
    """,
    "delete from {identifiers} where sync_name = ? and row_key in ({keys})",
)
_KEYS_PER_STATEMENT = 1000


class LedgerBroken(RuntimeError):
    """The state cannot be trusted; nothing was sent."""


@dataclass(frozen=True)
class OpenJob:
    """Work that an endpoint has taken on. ``rows`` in the order they were sent."""

    job_id: str
    rows: list[Row]
    age: timedelta = timedelta()
    """Since an earlier run handed it over."""


class Ledger:
    """The ledger of one sync during one run."""

    def __init__(self, warehouse: Warehouse, sync_name: str, run_id: str) -> None:
        self._warehouse = warehouse
        self._sync_name = sync_name
        self._run_id = run_id
        self._lease: Lease
        self._next_number = 1
        self._answer_numbers = count(1)
        self._numbers: dict[str, int] = {}
        self._identifiers: dict[str, tuple[str, ...]] = {}

    def create_tables(self, manifest: Mapping[str, Any]) -> None:
        """Make the state tables, or the columns they lack, from the YAML that documents them."""
        for name in (LEDGER, RUNS, JOBS, IDENTIFIERS, MATCHES):
            source = manifest["sources"][f"source.cdp.{name}"]
            columns = [(c["name"], c["data_type"]) for c in source["columns"].values()]
            relation = self._warehouse.relation(name)
            present = self._warehouse.columns(relation)
            if not present:
                self._warehouse.create(relation, columns)
            for column, data_type in columns if present else ():
                if column not in present:
                    self._warehouse.add_column(relation, column, data_type)

    def open(self, lease: Lease) -> None:
        """Begin to write, under a lease that is held."""
        self._lease = lease
        sql = "select max(entry_number) as newest, count(*) as entries from {r} where sync_name = ?"
        [found] = self._fetch(sql, [self._sync_name], r=LEDGER)
        newest = found["newest"] or 0
        if found["entries"] > newest:
            raise LedgerBroken(
                f"{self._sync_name}: entries of the ledger are there twice, so what the"
                " destination holds cannot be told; `cdp repair` sets the ledger aside"
            )
        self._next_number = newest + 1
        self._forget_lost(newest)

    def record_intents(
        self, rows: Sequence[Row], identifiers: Mapping[str, tuple[str, ...]]
    ) -> None:
        """Say what is about to be sent, and with which hashed identifiers by row key.
        Committed on return, and only then may it be sent. Raises ``SyncBusy``."""
        numbers = self._take(len(rows))
        self._numbers |= {row.key: number for row, number in zip(rows, numbers, strict=True)}
        self._identifiers |= identifiers
        self._write(rows, numbers, None, identifiers)

    def record_outcomes(
        self,
        rows: Sequence[Row],
        outcomes: Mapping[str, Outcome],
        matched: Sequence[Matched] = (),
        jobs: Sequence[OpenJob] = (),
    ) -> None:
        """Say what became of rows, earlier jobs' included, what was said of them as a whole, and
        which others an endpoint works on now: all of it or nothing. The rows of a job are a range
        of intents without an outcome, so a row beside it that was refused at once must not be
        without one. Committed on return, and before anyone asks how a job goes."""
        delivered = {
            row.key: self._identifiers[row.key]
            for row in rows
            if outcomes[row.key].status == "delivered"
            and row.action == "upsert"
            and row.key in self._identifiers
        }
        taken = [self._job_entry(job.job_id, "submitted", job.rows) for job in jobs]
        self._write(rows, self._take(len(rows)), outcomes, delivered, matched, taken)
        for row in rows:
            self._numbers.pop(row.key, None)
            self._identifiers.pop(row.key, None)

    def job_goes_on(self, job_id: str) -> None:
        """A sign of life while one waits."""
        self._write_job(self._job_entry(job_id, "polled"))

    def settle_job(self, job_id: str) -> None:
        """Its rows have their outcomes."""
        self._write_job(self._job_entry(job_id, "settled"))

    def open_jobs(self) -> list[OpenJob]:
        """Jobs of earlier runs that nobody has settled."""
        jobs = self._fetch(_OPEN_JOBS, [self._sync_name], jobs=JOBS)
        return [
            OpenJob(
                job["job_id"],
                self._rows_between(job["first"], job["last"]),
                self._lease.now() - job["submitted_at"],
            )
            for job in jobs
        ]

    def forget_erased(self) -> None:
        """Keep of the rows of ``sync_rows_to_forget`` that they were sent and taken away, and
        when: no hashes, identifiers or ids."""
        sql = "select row_key from {r} where sync_name = ? order by row_key"
        rows = self._fetch(sql, [self._sync_name], r="sync_rows_to_forget")
        keys = [row["row_key"] for row in rows]
        parts = {
            "ledger": self._relation(LEDGER),
            "folded": self._relation("sync_ledger_folded"),
            "identifiers": self._relation(IDENTIFIERS),
        }
        for start in range(0, len(keys), _KEYS_PER_STATEMENT):
            some = keys[start : start + _KEYS_PER_STATEMENT]
            statements = [compose(sql, **parts, keys=Placeholders(len(some))) for sql in _FORGET]
            with self._warehouse.transaction():
                self._lease.check()
                for statement in statements:
                    self._warehouse.execute(statement, [self._sync_name, *some])

    # -- inside

    def _forget_lost(self, newest: int) -> None:
        """A ledger that ends before its fold was lost, or is of an earlier day: what was folded
        is not true any more, and new entries would have numbers that count as folded. A build
        does the same (the macro ``forget_lost_ledgers``)."""
        sql = "select max(last_entry_number) as newest from {r} where sync_name = ?"
        [folded] = self._fetch(sql, [self._sync_name], r="sync_ledger_folded")
        if (folded["newest"] or 0) > newest:
            with self._warehouse.transaction():
                self._lease.check()
                relation = self._relation("sync_ledger_folded")
                sql = compose("delete from {r} where sync_name = ?", r=relation)
                self._warehouse.execute(sql, [self._sync_name])

    def _rows_between(self, first: int, last: int) -> list[Row]:
        found = self._fetch(_ROWS_OF_A_JOB, [self._sync_name, first, last], ledger=LEDGER)
        sql = """
            select row_key, identifier from {r}
            where sync_name = ? and entry_number between ? and ?
            order by row_key, identifier
        """
        for record in self._fetch(sql, [self._sync_name, first, last], r=IDENTIFIERS):
            known = self._identifiers.get(record["row_key"], ())
            self._identifiers[record["row_key"]] = (*known, record["identifier"])
        self._numbers |= {record["row_key"]: record["entry_number"] for record in found}
        return [
            Row(
                record["row_key"],
                record["action"],
                record["reason"],
                row_hash=record["row_hash"],
                attempt=record["attempt"],
                field_hashes=record["field_hashes"],
                customer_id=record["customer_id"],
            )
            for record in found
        ]

    def _take(self, count: int) -> range:
        first, self._next_number = self._next_number, self._next_number + count
        return range(first, self._next_number)

    def _write(
        self,
        rows: Sequence[Row],
        numbers: range,
        outcomes: Mapping[str, Outcome] | None,
        identifiers: Mapping[str, tuple[str, ...]],
        matched: Sequence[Matched] = (),
        jobs: Sequence[dict[str, Any]] = (),
    ) -> None:
        if not (rows or matched or jobs):
            return
        size = len(rows)
        answers = [outcomes[row.key] for row in rows] if outcomes else [None] * size
        columns = {
            "sync_name": [self._sync_name] * size,
            "entry_number": list(numbers),
            "row_key": [row.key for row in rows],
            "customer_id": [_owner(row) for row in rows],
            "action": [row.action for row in rows],
            "reason": [row.reason for row in rows],
            "status": [answer.status if answer else "intent" for answer in answers],
            "row_hash": [row.row_hash for row in rows],
            # Once is enough: the fold reads them from the intent.
            "field_hashes": [
                None if answer else row.field_hashes
                for row, answer in zip(rows, answers, strict=True)
            ],
            "attempt": [row.attempt for row in rows],
            "run_id": [self._run_id] * size,
            "remote_id": [answer and answer.remote_id for answer in answers],
            "error_class": [answer and answer.error_class for answer in answers],
            "error_code": [answer and answer.error_code for answer in answers],
            "recorded_at": [self._lease.now()] * size,
        }
        table = pa.table(columns, schema=_LEDGER_SCHEMA)
        given = [
            {
                "sync_name": self._sync_name,
                "entry_number": number,
                "row_key": row.key,
                "identifier": identifier,
            }
            for row, number in zip(rows, numbers, strict=True)
            for identifier in identifiers.get(row.key, ())
        ]
        stamp = {"sync_name": self._sync_name, "run_id": self._run_id}
        told = [
            stamp
            | vars(said)
            | {"answer_number": next(self._answer_numbers), "recorded_at": self._lease.now()}
            for said in matched
        ]
        with self._warehouse.transaction():
            self._lease.check()
            self._warehouse.append(self._relation(LEDGER), table)
            if given:
                self._warehouse.append(self._relation(IDENTIFIERS), pa.Table.from_pylist(given))
            if told:
                table = pa.Table.from_pylist(told, schema=_MATCHES_SCHEMA)
                self._warehouse.append(self._relation(MATCHES), table)
            if jobs:
                table = pa.Table.from_pylist(list(jobs), schema=_JOBS_SCHEMA)
                self._warehouse.append(self._relation(JOBS), table)

    def _job_entry(self, job_id: str, status: str, rows: Sequence[Row] = ()) -> dict[str, Any]:
        numbers = [self._numbers[row.key] for row in rows]
        return {
            "sync_name": self._sync_name,
            "job_id": job_id,
            "run_id": self._run_id,
            "first_entry_number": min(numbers, default=None),
            "last_entry_number": max(numbers, default=None),
            "status": status,
            "recorded_at": self._lease.now(),
        }

    def _write_job(self, entry: dict[str, Any]) -> None:
        table = pa.Table.from_pylist([entry], schema=_JOBS_SCHEMA)
        with self._warehouse.transaction():
            self._lease.check()
            self._warehouse.append(self._relation(JOBS), table)

    def _relation(self, name: str) -> Relation:
        return self._warehouse.relation(name)

    def _fetch(self, sql: str, params: list[Any], **names: str) -> list[dict[str, Any]]:
        relations = {part: self._relation(name) for part, name in names.items()}
        return self._warehouse.fetch(compose(sql, **relations), params)


def _owner(row: Row) -> str | None:
    """The customer whose row it is, where the key does not say so already."""
    return row.customer_id if row.customer_id != row.key else None
