"""Why two records are one customer, why they are not, and who a customer is.

Reads what the models of ``models/identity`` wrote and decides nothing. Values are masked: an
answer may be pasted into a ticket.
"""

from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from orchestration.identity.decisions import hash_of_value
from orchestration.warehouse import Warehouse, compose


@dataclass(frozen=True)
class Link:
    """One piece of evidence: both records hold the value (masked), or somebody decided."""

    left_record_key: str
    right_record_key: str
    rule: str
    tier: str
    value: str | None
    observed_at: tuple[datetime | None, datetime | None]
    """When each of the records was seen with it."""


@dataclass(frozen=True)
class LinkAnswer:
    """Whether two records are one customer, and by which shortest path of evidence."""

    left_record_key: str
    right_record_key: str
    customer_id: str | None
    path: list[Link] = field(default_factory=list)


@dataclass(frozen=True)
class ApartAnswer:
    """Why two records are two customers: decisions, evidence that was left out, values that
    both hold and that prove nothing, with the reason."""

    left_record_key: str
    right_record_key: str
    left_customer_id: str
    right_customer_id: str
    reasons: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class CustomerAnswer:
    """A customer's records, links, identifiers (masked) and what became of its id."""

    customer_id: str
    asked_for: str
    records: list[dict[str, Any]]
    links: list[Link]
    identifiers: list[dict[str, Any]]
    changes: list[dict[str, Any]]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class UnknownSubject(LookupError):
    """No such record or customer."""


def masked(value: str | None) -> str | None:
    """Enough to recognise a value one knows, and no more: ``a***@e***.fr``, ``+33***18``."""
    if value is None:
        return None
    if "@" in value:
        local, _, domain = value.partition("@")
        name, _, top = domain.rpartition(".")
        return f"{local[:1]}***@{name[:1]}***.{top}"
    if value.startswith("+"):
        return f"{value[:3]}***{value[-2:]}"
    return f"{value[:2]}***" if len(value) > 4 else "***"


def customer_of(warehouse: Warehouse, record_key: str) -> str:
    """Customer of a record. Raises ``UnknownSubject``."""
    sql = compose(
        "select customer_id from {i} where record_key = ?",
        i=warehouse.relation("customer_identities"),
    )
    rows = warehouse.fetch(sql, [record_key])
    if not rows:
        raise UnknownSubject(f"no record {record_key}")
    return rows[0]["customer_id"]


def explain_link(warehouse: Warehouse, left: str, right: str) -> LinkAnswer:
    """The shortest path of evidence from one record to the other, the most trusted first
    among equals; no path where they are two customers."""
    customer_id = customer_of(warehouse, left)
    if customer_id != customer_of(warehouse, right):
        return LinkAnswer(left, right, None)
    links = _links_of_customer(warehouse, customer_id)
    return LinkAnswer(left, right, customer_id, _shortest_path(links, left, right))


def explain_apart(warehouse: Warehouse, left: str, right: str) -> ApartAnswer:
    """What the two records share and why it does not make them one customer."""
    customers = [customer_of(warehouse, record) for record in (left, right)]
    reasons: list[dict[str, Any]] = []
    if customers[0] != customers[1]:
        reasons = [
            *_decisions_between(warehouse, left, right),
            *_rejected_between(warehouse, *customers),
            *_shared_values(warehouse, left, right),
        ]
    return ApartAnswer(left, right, *customers, reasons)


def explain_customer(warehouse: Warehouse, customer_id: str) -> CustomerAnswer:
    """All there is to know of who a customer is; a former id leads to the customer of today."""
    current = _current_id(warehouse, customer_id)
    records = warehouse.fetch(
        compose(
            "select i.record_key, r.source_name, i.first_loaded_at, r.is_anonymous from {i} as i"
            " inner join {r} as r on i.record_key = r.record_key where i.customer_id = ?"
            " order by i.first_loaded_at, i.record_key",
            i=warehouse.relation("customer_identities"),
            r=warehouse.relation("customer_records"),
        ),
        [current],
    )
    identifiers = warehouse.fetch(
        compose(
            "select identifier_type, identifier_value, first_observed_at, last_observed_at,"
            " record_count from {i} where customer_id = ?"
            " order by identifier_type, identifier_value",
            i=warehouse.relation("customer_identifiers"),
        ),
        [current],
    )
    for identifier in identifiers:
        identifier["identifier_value"] = masked(identifier["identifier_value"])
    changes = warehouse.fetch(
        compose(
            "select run_number, as_of, customer_id, change_type, other_customer_id, cause"
            " from {c} where customer_id in (?, ?) or other_customer_id = ?"
            " order by run_number, customer_id",
            c=warehouse.relation("customer_id_changes"),
        ),
        [current, customer_id, current],
    )
    links = _links_of_customer(warehouse, current)
    return CustomerAnswer(current, customer_id, records, links, identifiers, changes)


def _current_id(warehouse: Warehouse, customer_id: str) -> str:
    sql = compose(
        "select current_customer_id from {r} where customer_id = ?",
        r=warehouse.relation("customer_id_redirects"),
    )
    rows = warehouse.fetch(sql, [customer_id])
    if not rows:
        raise UnknownSubject(f"no customer {customer_id}")
    if rows[0]["current_customer_id"] is None:
        raise UnknownSubject(f"customer {customer_id} is retired: none of its records is left")
    return rows[0]["current_customer_id"]


def _links_of_customer(warehouse: Warehouse, customer_id: str) -> list[Link]:
    sql = compose(
        "select left_record_key, right_record_key, link_rule, value_hash, tier from {l}"
        " where customer_id = ? order by link_rule, left_record_key, right_record_key",
        l=warehouse.relation("identity_links"),
    )
    rows = warehouse.fetch(sql, [customer_id])
    sql = compose(
        "select v.record_key, v.identifier_type, v.identifier_value, v.observed_at from {v} as v"
        " inner join {i} as i on v.record_key = i.record_key where i.customer_id = ?",
        v=warehouse.relation("int_identity__identifiers_validated"),
        i=warehouse.relation("customer_identities"),
    )
    held = {
        (row["record_key"], hash_of_value(row["identifier_value"])): row
        for row in warehouse.fetch(sql, [customer_id])
        if row["identifier_value"] is not None
    }

    def side(row: dict, end: str) -> dict:
        return held.get((row[end], row["value_hash"]), {})

    return [
        Link(
            row["left_record_key"],
            row["right_record_key"],
            row["link_rule"],
            row["tier"],
            masked(side(row, "left_record_key").get("identifier_value")),
            tuple(
                side(row, end).get("observed_at") for end in ("left_record_key", "right_record_key")
            ),
        )
        for row in rows
    ]


def _decisions_between(warehouse: Warehouse, left: str, right: str) -> list[dict[str, Any]]:
    sql = compose(
        "select decision, author, reason, decided_at from {d} where is_in_force"
        " and left_record_key = ? and right_record_key = ? order by decision_number",
        d=warehouse.relation("int_identity__decisions_listed"),
    )
    rows = warehouse.fetch(sql, sorted((left, right)))
    return [{"kind": "decision", **row} for row in rows]


def _rejected_between(warehouse: Warehouse, one: str, other: str) -> list[dict[str, Any]]:
    """Evidence between the two customers that the guards left out."""
    sql = compose(
        "select left_record_key, right_record_key, link_rule, refusal_rule from {r}"
        " where (left_customer_id = ? and right_customer_id = ?)"
        " or (left_customer_id = ? and right_customer_id = ?)"
        " order by link_rule, left_record_key, right_record_key",
        r=warehouse.relation("identity_rejected_links"),
    )
    rows = warehouse.fetch(sql, [one, other, other, one])
    return [{"kind": "rejected_link", **row} for row in rows]


def _shared_values(warehouse: Warehouse, left: str, right: str) -> list[dict[str, Any]]:
    """Values that both records hold, with why each proves nothing."""
    sql = compose(
        "select one.identifier_type, one.identifier_value,"
        " coalesce(one.rejection_reason, other.rejection_reason, 'names_or_birth_dates_differ')"
        " as reason"
        " from {v} as one inner join {v} as other"
        " on one.identifier_type = other.identifier_type"
        " and one.identifier_value = other.identifier_value"
        " where one.record_key = ? and other.record_key = ?"
        " order by one.identifier_type, one.identifier_value",
        v=warehouse.relation("int_identity__identifiers_validated"),
    )
    rows = warehouse.fetch(sql, [left, right])
    return [
        {**row, "kind": "shared_value", "identifier_value": masked(row["identifier_value"])}
        for row in rows
    ]


def _shortest_path(links: Iterable[Link], start: str, end: str) -> list[Link]:
    neighbours: dict[str, list[tuple[str, Link]]] = defaultdict(list)
    for link in links:
        neighbours[link.left_record_key].append((link.right_record_key, link))
        neighbours[link.right_record_key].append((link.left_record_key, link))
    came_by: dict[str, tuple[str, Link] | None] = {start: None}
    waiting = deque([start])
    while waiting and end not in came_by:
        here = waiting.popleft()
        for there, link in neighbours[here]:
            if there not in came_by:
                came_by[there] = (here, link)
                waiting.append(there)
    path = []
    step = came_by.get(end)
    while step:
        path.append(step[1])
        step = came_by[step[0]]
    return path[::-1]
