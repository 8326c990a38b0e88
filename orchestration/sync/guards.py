"""Held before the first call: a plan that looks like a mistake upstream.

Erasures, objections, restrictions and recorded withdrawals of consent are never held.
"""

from dataclasses import asdict, dataclass
from typing import Any

from orchestration.sync.plan import PlanCounts
from orchestration.sync.spec import Guards


@dataclass(frozen=True)
class Overrides:
    """What a person confirms for one run. Numbers, so that a plan that has grown since it
    was looked at is held again."""

    max_removed_rows: int | None = None
    max_changed_rows: int | None = None
    allow_empty: bool = False


@dataclass(frozen=True)
class Verdict:
    """One guard's word: ``observed`` may be at most ``limit``."""

    guard: str
    observed: int
    limit: int

    @property
    def passed(self) -> bool:
        return self.observed <= self.limit

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "passed": self.passed}


def judge(counts: PlanCounts, guards: Guards, overrides: Overrides) -> list[Verdict]:
    """All verdicts; a plan is held when one of them did not pass."""
    removed_limit = max(guards.max_removed_rows, int(guards.max_removed_share * counts.held))
    if overrides.max_removed_rows is not None:
        removed_limit = overrides.max_removed_rows
    changed_limit = int(guards.max_changed_share * counts.held)
    if overrides.max_changed_rows is not None:
        changed_limit = overrides.max_changed_rows
    is_emptied = counts.in_model == 0 and counts.held > 0 and not overrides.allow_empty
    return [
        Verdict("null_keys", counts.null_keys, 0),
        Verdict("duplicate_keys", counts.duplicate_keys, 0),
        Verdict("model_emptied", counts.held if is_emptied else 0, 0),
        Verdict("removed_rows", counts.leavers, removed_limit),
        Verdict("changed_rows", counts.changes, changed_limit),
    ]
