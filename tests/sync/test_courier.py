"""What the courier writes down before it sends: how much, and what may still be written."""

import time
from collections.abc import Sequence
from typing import Any, ClassVar

import pytest

from orchestration.destinations.base import Destination, Limits, Outcome, Row
from orchestration.sync import courier
from orchestration.sync.courier import Courier
from orchestration.sync.delivery import Delivery, Patience


class Slate:
    """What a ledger would hold: rows without an outcome, now and after each commit of intents."""

    def __init__(self) -> None:
        self.open: set[str] = set()
        self.intended: list[str] = []
        self.open_after: list[int] = []

    def record_intents(self, rows: Sequence[Row], _: Any) -> None:
        self.intended += [row.key for row in rows]
        self.open |= {row.key for row in rows}
        self.open_after.append(len(self.open))

    def record_outcomes(self, rows: Sequence[Row], *_: Any) -> None:
        self.open -= {row.key for row in rows}


class Endpoint(Destination):
    """Takes some seconds for a row, one call at a time."""

    name = "endpoint"
    supported: ClassVar = frozenset({("contacts", "upsert")})
    calls = 0

    def __init__(self, seconds: float = 0.0, batch_rows: int = 1) -> None:
        self.limits = Limits(batch_rows, ((1000, 1),), connections=1)
        self.got: list[str] = []
        self._seconds = seconds

    @classmethod
    def from_environment(cls, spec: Any) -> "Endpoint":
        raise NotImplementedError

    def upsert(self, rows: Sequence[Row]) -> list[Outcome]:
        if self._seconds:
            time.sleep(self._seconds * len(rows))
        self.got += [row.key for row in rows]
        return [Outcome.delivered(row.key) for row in rows]

    remove = upsert


def batches(count: int, size: int = 1, action: str = "upsert") -> list[list[Row]]:
    rows = [Row(f"k{number:05}", action, "new") for number in range(count)]
    return [rows[start : start + size] for start in range(0, count, size)]


def carry(endpoint: Endpoint, rows: list[list[Row]], **options: Any) -> Slate:
    slate, delivery = Slate(), Delivery()
    Courier(endpoint, slate, Patience(), delivery, **options).deliver(rows)
    assert slate.open == set()
    assert delivery.sent == len(endpoint.got)
    return slate


def test_of_a_fast_endpoint_thousands_are_written_down_ahead(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(courier, "_AHEAD", 0.5)
    slate = carry(Endpoint(), batches(150_000))
    assert 1001 < max(slate.open_after) <= 5001


def test_of_a_slow_endpoint_what_it_takes_in_a_second() -> None:
    """330 rows, and as much again for a machine that is busy."""
    slate = carry(Endpoint(seconds=0.003), batches(1300))
    assert max(slate.open_after) <= 1001, "nobody knows it at first"
    assert slate.open_after[-1] <= 660


def test_who_may_not_be_written_any_more_holds_nobody_up() -> None:
    asked: list[int] = []

    def permitted(keys: list[str]) -> set[str]:
        asked.append(len(keys))
        return {key for key in keys if key >= "k00010"}

    endpoint = Endpoint()
    slate = carry(endpoint, batches(600), permitted=permitted)
    assert endpoint.got == slate.intended == [f"k{number:05}" for number in range(10, 600)]
    assert len(asked) < 50, "asked for each row"


def test_removals_are_not_asked_about() -> None:
    def permitted(keys: list[str]) -> set[str]:
        return set()

    endpoint = Endpoint()
    carry(endpoint, batches(5, action="remove"), permitted=permitted)
    assert len(endpoint.got) == 5


def test_a_defect_in_a_call_ends_the_run() -> None:
    class Exits(Endpoint):
        def upsert(self, rows: Sequence[Row]) -> list[Outcome]:
            raise SystemExit

    with pytest.raises(SystemExit):
        carry(Exits(), batches(5))
