"""How things are, what each channel was told last, and the difference."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from orchestration.warehouse import Warehouse, compose

ALERTS = "state.alerts"

_CRITICAL = {"failing", "blocked"}

# A view knows no clock, so what has become too old is said here.
_STATES = """
    select
        subject,
        case
            when state in ('ok', 'degraded')
                and fresh_until < cast(current_timestamp as timestamp) then 'stale'
            else state
        end as state,
        detail
    from {states}
    order by subject
"""
_TOLD = """
    select alerts.channel, alerts.subject, alerts.state
    from {alerts} as alerts
    inner join (
        select channel, subject, max(alert_number) as alert_number
        from {alerts}
        group by channel, subject
    ) as newest
        on alerts.channel = newest.channel
        and alerts.subject = newest.subject
        and alerts.alert_number = newest.alert_number
"""


@dataclass(frozen=True)
class State:
    """How a subject is: ok, degraded, stale, blocked or failing."""

    subject: str
    state: str
    detail: str


@dataclass(frozen=True)
class Change:
    """A subject whose state is not what a channel was told last (None: nothing yet)."""

    subject: str
    state: str
    previous_state: str | None
    detail: str

    @property
    def severity(self) -> str:
        """critical, warning or, of a recovery, info."""
        if self.state == "ok":
            return "info"
        return "critical" if self.state in _CRITICAL else "warning"


def read_states(warehouse: Warehouse) -> list[State]:
    """All subjects; none before the first build."""
    states = warehouse.relation("alert_states")
    if not warehouse.exists(states):
        return []
    return [State(**row) for row in warehouse.fetch(compose(_STATES, states=states))]


def changes(states: Iterable[State], told: Mapping[str, str]) -> list[Change]:
    """What there is to tell, given the states by subject that were told last."""
    found = []
    for now in states:
        before = told.get(now.subject)
        if now.state != (before or "ok"):
            found.append(Change(now.subject, now.state, before, now.detail))
    return found


class Memory:
    """``state.alerts``: what was told, append-only."""

    def __init__(self, warehouse: Warehouse, manifest: Mapping[str, Any]) -> None:
        self._warehouse = warehouse
        self._relation = warehouse.relation(ALERTS)
        self._columns = [
            (column["name"], column["data_type"])
            for column in manifest["sources"][f"source.cdp.{ALERTS}"]["columns"].values()
        ]

    def told(self, channel: str) -> dict[str, str]:
        """The states by subject that a channel was told last."""
        if not self._warehouse.exists(self._relation):
            return {}
        rows = self._warehouse.fetch(compose(_TOLD, alerts=self._relation))
        return {row["subject"]: row["state"] for row in rows if row["channel"] == channel}

    def remember(self, channel: str, told: Iterable[Change]) -> None:
        """Committed on return."""
        warehouse = self._warehouse
        warehouse.create(self._relation, self._columns)
        with warehouse.transaction():
            warehouse.lock(self._relation)
            sql = """
                select coalesce(max(alert_number), 0) as newest,
                    cast(current_timestamp as timestamp) as told_at
                from {alerts}
            """
            [now] = warehouse.fetch(compose(sql, alerts=self._relation))
            rows = [
                {
                    "alert_number": now["newest"] + number,
                    "channel": channel,
                    "subject": change.subject,
                    "state": change.state,
                    "previous_state": change.previous_state,
                    "detail": change.detail,
                    "told_at": now["told_at"],
                }
                for number, change in enumerate(told, start=1)
            ]
            warehouse.load(self._relation, pa.Table.from_pylist(rows, schema=_SCHEMA))


_SCHEMA = pa.schema(
    [
        ("alert_number", pa.int64()),
        ("channel", pa.string()),
        ("subject", pa.string()),
        ("state", pa.string()),
        ("previous_state", pa.string()),
        ("detail", pa.string()),
        ("told_at", pa.timestamp("us")),
    ]
)
