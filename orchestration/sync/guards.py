"""Held before the first call: a plan that looks like a mistake upstream.

Erasures, objections, restrictions and recorded withdrawals of consent are not held, unless rows
go elsewhere than before: they would be taken away where they are not, and stay where they are.
"""

from dataclasses import asdict, dataclass
from typing import Any

from orchestration.sync.plan_counts import PlanCounts
from orchestration.sync.spec import Guards


@dataclass(frozen=True)
class Overrides:
    """What a person confirms for one run. Numbers where there are any, so that a plan that has
    grown since it was looked at is held again."""

    max_removed_rows: int | None = None
    max_changed_rows: int | None = None
    allow_empty: bool = False
    resync: bool = False
    """The mapping has changed: send everything that differs."""
    moved: bool = False
    """Rows go elsewhere now, and what is held is there, or its former place was seen to."""
    rebaseline: bool = False
    """The ledger was lost: send everything, remove nothing."""
    allow_stale: bool = False
    allow_failed_tests: bool = False


@dataclass(frozen=True)
class Facts:
    """What the state around a plan says."""

    mapping_changed: bool = False
    """The columns, the key or what is written of a row are not those of the last run that sent
    something."""
    template_changed: bool = False
    """Of them what is written of a row: what is held is out of date, and no hash of a row tells."""
    place_changed: bool = False
    """The destination, the object or the options that say where are not those of that run."""
    ledger_lost: bool = False
    """Runs say that rows were delivered, the ledger knows of none."""
    source_age_hours: int = 0
    """Of the least recently landed source of the model; 0 where nobody asked."""
    failed_tests: int = 0
    """Tests of severity error above the model whose last result was a failure."""


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


OVERRIDES = {
    "model_emptied": "--allow-empty",
    "removed_rows": "--max-removed {observed}",
    "changed_rows": "--max-changed {observed}",
    "mapping_changed": "--resync",
    "place_changed": "--moved",
    "ledger_lost": "--rebaseline",
    "source_age_hours": "--allow-stale",
    "failed_tests": "--allow-failed-tests",
}
"""How ``cdp apply`` confirms each, once. Keys without a value or twice cannot be confirmed."""


def judge(counts: PlanCounts, facts: Facts, guards: Guards, overrides: Overrides) -> list[Verdict]:
    """All verdicts; a plan is held when one of them did not pass."""
    removed_limit = max(guards.max_removed_rows, int(guards.max_removed_share * counts.held))
    if overrides.max_removed_rows is not None:
        removed_limit = overrides.max_removed_rows
    changed_limit = int(guards.max_changed_share * counts.held)
    if overrides.max_changed_rows is not None:
        changed_limit = overrides.max_changed_rows
    is_emptied = counts.in_model == 0 and counts.held > 0 and not overrides.allow_empty
    is_remapped = facts.mapping_changed and not overrides.resync
    is_moved = facts.place_changed and not overrides.moved
    is_lost = facts.ledger_lost and not overrides.rebaseline
    # A changed mapping changes every row: it is one thing to confirm, not two.
    remapped = max(counts.changes, counts.held if facts.template_changed else 0)
    changes = 0 if facts.mapping_changed else counts.changes
    age_limit = guards.max_source_age_hours
    age = 0 if overrides.allow_stale or age_limit is None else facts.source_age_hours
    return [
        Verdict("null_keys", counts.null_keys, 0),
        Verdict("duplicate_keys", counts.duplicate_keys, 0),
        Verdict("model_emptied", counts.held if is_emptied else 0, 0),
        Verdict("removed_rows", counts.leavers, removed_limit),
        Verdict("changed_rows", changes, changed_limit),
        Verdict("mapping_changed", remapped if is_remapped else 0, 0),
        Verdict("place_changed", counts.held if is_moved else 0, 0),
        Verdict("ledger_lost", int(is_lost), 0),
        Verdict("source_age_hours", age, age_limit or 0),
        Verdict("failed_tests", 0 if overrides.allow_failed_tests else facts.failed_tests, 0),
    ]
