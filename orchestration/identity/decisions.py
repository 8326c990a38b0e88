"""Decisions of people about who is who, in the append-only table ``state.identity_decisions``.

A decision is written here and nothing else: the models of the next build apply it, no evidence
stands against it, and they list it in ``identity_review_queue`` when it breaks a rule.
"""

import hashlib
from datetime import UTC, datetime
from typing import Literal

import pyarrow as pa

from orchestration.normalization import clean_text
from orchestration.warehouse import Warehouse, compose

TABLE = "state.identity_decisions"

_SCHEMA = pa.schema(
    [
        ("decision_number", pa.int64()),
        ("decision", pa.string()),
        ("record_key", pa.string()),
        ("other_record_key", pa.string()),
        ("identifier_type", pa.string()),
        ("value_hash", pa.string()),
        ("author", pa.string()),
        ("reason", pa.string()),
        ("decided_at", pa.timestamp("us")),
    ]
)


class NoSuchSubject(LookupError):
    """The decision is about a record or a value that is not there."""


def decide(
    warehouse: Warehouse,
    decision: Literal["same", "different", "detach", "withdrawn"],
    record_key: str,
    *,
    other_record_key: str | None = None,
    identifier_type: str | None = None,
    value_hash: str | None = None,
    author: str,
    reason: str,
) -> int:
    """Append a decision about two known records, or about a record and a value, and return its
    number. Raises ``NoSuchSubject`` where a record is unknown or does not hold the value, and
    ``ValueError`` where author or reason is empty to the eye, the records are one or one is
    anonymous."""
    if record_key == other_record_key:
        raise ValueError("a decision is about two different records")
    for key in (record_key, other_record_key):
        # An empty key is no record; only None says that the decision is about a value.
        if key is not None and _is_anonymous(warehouse, key) and other_record_key is not None:
            raise ValueError(
                f"record {key} is anonymous: a browser or device is the customer's whose log-ins"
                " it has, and nothing is decided about it; a value of it can be detached"
            )
    if identifier_type is not None:
        _check_value(warehouse, record_key, identifier_type, value_hash)
    about = {
        "decision": decision,
        "record_key": record_key,
        "other_record_key": other_record_key,
        "identifier_type": identifier_type,
        "value_hash": value_hash,
    }
    return _append(warehouse, about, author, reason)


def withdraw(warehouse: Warehouse, decision_number: int, *, author: str, reason: str) -> int:
    """Append a withdrawal of a decision, whose records may be gone, and return its number.
    Raises ``NoSuchSubject`` where nothing was decided under the number, or it is not what is in
    force: a withdrawal is of the newest that was decided about the same."""
    with warehouse.transaction():
        warehouse.lock(warehouse.relation(TABLE))
        about = _what_is_in_force(warehouse, decision_number)
        return _append(warehouse, {"decision": "withdrawn", **about}, author, reason)


def _what_is_in_force(warehouse: Warehouse, decision_number: int) -> dict[str, str | None]:
    subject = ("record_key", "other_record_key", "identifier_type", "value_hash")
    sql = compose(
        f"select decision_number, decision, {', '.join(subject)} from {{t}}"
        " where decision_number >= ? order by decision_number",
        t=warehouse.relation(TABLE),
    )
    rows = warehouse.fetch(sql, [decision_number])
    if not rows or rows[0]["decision_number"] != decision_number:
        raise NoSuchSubject(f"no decision {decision_number}")

    def about(row: dict[str, str | None]) -> tuple:
        # Who is named first says nothing.
        ends = frozenset((row["record_key"], row["other_record_key"]))
        return ends, row["identifier_type"], row["value_hash"]

    newest = [row for row in rows if about(row) == about(rows[0])][-1]
    if newest["decision"] == "withdrawn":
        raise NoSuchSubject(
            f"nothing is in force to withdraw: {newest['decision_number']} is a withdrawal"
        )
    if newest is not rows[0]:
        raise NoSuchSubject(
            f"decision {decision_number} is not in force: {newest['decision_number']} about the"
            " same is"
        )
    return {name: rows[0][name] for name in subject}


def _append(warehouse: Warehouse, about: dict[str, str | None], author: str, reason: str) -> int:
    # Who audits must read something: a zero-width space is no name.
    author, reason = clean_text(author), clean_text(reason)
    if author is None or reason is None:
        raise ValueError("a decision needs an author and a reason")
    table = warehouse.relation(TABLE)
    with warehouse.transaction():
        warehouse.lock(table)
        sql = compose("select coalesce(max(decision_number), 0) + 1 as number from {t}", t=table)
        number = warehouse.fetch(sql)[0]["number"]
        row = {
            "decision_number": number,
            **about,
            "author": author,
            "reason": reason,
            "decided_at": datetime.now(UTC).replace(tzinfo=None),
        }
        warehouse.load(table, pa.Table.from_pylist([row], schema=_SCHEMA))
    return number


def _is_anonymous(warehouse: Warehouse, record_key: str) -> bool:
    records = warehouse.relation("customer_records")
    sql = compose("select is_anonymous from {r} where record_key = ?", r=records)
    rows = warehouse.fetch(sql, [record_key])
    if not rows:
        raise NoSuchSubject(f"no record {record_key or repr(record_key)}")
    return rows[0]["is_anonymous"]


def _check_value(
    warehouse: Warehouse, record_key: str, identifier_type: str, value_hash: str | None
) -> None:
    held = held_values(warehouse, record_key, identifier_type)
    if value_hash not in held:
        raise NoSuchSubject(
            f"record {record_key} holds no such {identifier_type}; "
            f"hashes of those it holds: {', '.join(sorted(held)) or 'none'}"
        )


def held_values(warehouse: Warehouse, record_key: str, identifier_type: str) -> set[str]:
    """Hashes of the values of a type that a record holds, detached ones included."""
    identifiers = warehouse.relation("record_identifiers")
    sql = compose(
        "select identifier_value as value from {i}"
        " where record_key = ? and identifier_type = ? and identifier_value is not null",
        i=identifiers,
    )
    rows = warehouse.fetch(sql, [record_key, identifier_type])
    return {hash_of_value(row["value"]) for row in rows}


def hash_of_value(value: str) -> str:
    """As the models hash a normalised value: SHA-256 in hexadecimal."""
    return hashlib.sha256(value.encode()).hexdigest()
