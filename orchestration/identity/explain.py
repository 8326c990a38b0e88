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

_MOST_CUSTOMERS_BETWEEN = 200
"""So many customers are looked at for evidence that leads from one to the other."""


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
    likeness: dict[str, Any] | None = None
    """Of records that are alike: see ``_likeness``."""


@dataclass(frozen=True)
class LinkAnswer:
    """Whether two records are one customer, and by which shortest path of evidence."""

    left_record_key: str
    right_record_key: str
    customer_id: str | None
    path: list[Link] = field(default_factory=list)


@dataclass(frozen=True)
class ApartAnswer:
    """Why two records are two customers: decisions, the nearest evidence, which was left out, and
    by which guard, values that both customers hold and that prove nothing, with the reason."""

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
    """What the two records, or others of their customers, share, and why it does not make them
    one customer."""
    customers = [customer_of(warehouse, record) for record in (left, right)]
    reasons: list[dict[str, Any]] = []
    if customers[0] != customers[1]:
        rejected = _rejected_between(warehouse, *customers)
        refused = {link["link_rule"] for link in rejected}
        reasons = [
            *_decisions_between(warehouse, *customers),
            *rejected,
            *(
                value
                for value in _shared_values(warehouse, *customers)
                # Good evidence that a guard left out is told as that.
                if not (
                    value["reason"] == "nameless_has_one_vote"
                    and value["identifier_type"] in refused
                )
            ),
            *_alike_between(warehouse, *customers),
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

    alike = _similar_pairs(warehouse, customer_id, customer_id)

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
            alike.get((row["left_record_key"], row["right_record_key"]))
            if row["tier"] == "similar"
            else None,
        )
        for row in rows
    ]


def _similar_pairs(
    warehouse: Warehouse, one: str, other: str
) -> dict[tuple[str, str], dict[str, Any]]:
    """Likeness by pair of records, of records that two customers (or one) hold."""
    sql = compose(
        "select * from {s} where (left_customer_id = ? and right_customer_id = ?)"
        " or (left_customer_id = ? and right_customer_id = ?) order by probability desc",
        s=warehouse.relation("identity_similar_pairs"),
    )
    rows = warehouse.fetch(sql, [one, other, other, one])
    return {(row["left_record_key"], row["right_record_key"]): _likeness(row) for row in rows}


def _likeness(row: dict[str, Any]) -> dict[str, Any]:
    """How likely two records are one person, in which outcome that came, and of each comparison
    the level and its weight in bits; what a side does not state is left out."""
    names = [name.removesuffix("_level") for name in row if name.endswith("_level")]
    return {
        "probability": float(row["probability"]),
        "outcome": row["outcome"],
        "comparisons": {
            name: {"level": row[f"{name}_level"], "bits": float(row[f"{name}_weight"])}
            for name in names
            if row[f"{name}_level"]
        },
    }


def _alike_between(warehouse: Warehouse, one: str, other: str) -> list[dict[str, Any]]:
    return [
        {"kind": "similarity", "left_record_key": left, "right_record_key": right, **likeness}
        for (left, right), likeness in _similar_pairs(warehouse, one, other).items()
    ]


def _decisions_between(warehouse: Warehouse, one: str, other: str) -> list[dict[str, Any]]:
    sql = compose(
        "select d.decision, d.left_record_key, d.right_record_key, d.author, d.reason, d.decided_at"
        " from {d} as d"
        " inner join {i} as l on d.left_record_key = l.record_key"
        " inner join {i} as r on d.right_record_key = r.record_key"
        " where d.is_in_force and ((l.customer_id = ? and r.customer_id = ?)"
        " or (l.customer_id = ? and r.customer_id = ?)) order by d.decision_number",
        d=warehouse.relation("int_identity__decisions_listed"),
        i=warehouse.relation("customer_identities"),
    )
    rows = warehouse.fetch(sql, [one, other, other, one])
    return [{"kind": "decision", **row} for row in rows]


def _rejected_between(warehouse: Warehouse, one: str, other: str) -> list[dict[str, Any]]:
    """The nearest evidence that the guards left out: between the two customers, or from one to
    the other by way of customers in between."""
    sql = compose(
        "select left_record_key, right_record_key, link_rule, refusal_rule, left_customer_id,"
        " right_customer_id from {r} where left_customer_id = ? or right_customer_id = ?"
        " order by link_rule, left_record_key, right_record_key",
        r=warehouse.relation("identity_rejected_links"),
    )
    came_by: dict[str, tuple[str, list[dict[str, Any]]] | None] = {one: None}
    waiting = deque([one])
    while waiting and other not in came_by and len(came_by) <= _MOST_CUSTOMERS_BETWEEN:
        here = waiting.popleft()
        links = defaultdict(list)
        for row in warehouse.fetch(sql, [here, here]):
            ends = [row.pop("left_customer_id"), row.pop("right_customer_id")]
            links[ends[ends[0] == here]].append({"kind": "rejected_link", **row})
        for there in links.keys() - came_by.keys():
            came_by[there] = (here, links[there])
            waiting.append(there)
    found: list[dict[str, Any]] = []
    step = came_by.get(other)
    while step:
        found = step[1] + found
        step = came_by[step[0]]
    return found


def _shared_values(warehouse: Warehouse, one: str, other: str) -> list[dict[str, Any]]:
    """Values that records of both customers hold, with why each proves nothing."""
    side = "select v.* from {v} as v inner join {i} as i on v.record_key = i.record_key"
    sql = compose(
        f"with one as ({side} where i.customer_id = ?), other as ({side} where i.customer_id = ?)"
        " select one.identifier_type, one.identifier_value,"
        " min(one.record_key) as left_record_key, min(other.record_key) as right_record_key,"
        " min(coalesce(one.rejection_reason, other.rejection_reason, case"
        " when one.match_group = other.match_group then 'nameless_has_one_vote'"
        " when one.match_group is null or other.match_group is null then 'joins_no_people'"
        " else 'names_or_birth_dates_differ' end)) as reason"
        " from one inner join other on one.identifier_type = other.identifier_type"
        " and one.identifier_value = other.identifier_value"
        " group by one.identifier_type, one.identifier_value"
        " order by one.identifier_type, one.identifier_value",
        v=warehouse.relation("int_identity__identifiers_validated"),
        i=warehouse.relation("customer_identities"),
    )
    rows = warehouse.fetch(sql, [one, other])
    return [
        {"kind": "shared_value", **row, "identifier_value": masked(row["identifier_value"])}
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
