"""How much a plan has to do."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class PlanCounts:
    """What there is to do. ``in_model`` = ``unchanged`` + ``blocked`` + ``upserts``."""

    in_model: int
    null_keys: int
    duplicate_keys: int
    held: int
    removals: int
    leavers: int
    """Removals that no person asked for: who left, or is listed by a model of who is to go."""
    upserts: int
    changes: int
    blocked: int
    by_reason: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """Rows to send by action and reason."""
    by_blocked_reason: Mapping[str, int] = field(default_factory=dict)
    by_phase: Mapping[str, int] = field(default_factory=dict)
    """Rows to send; calls of a phase do not mix with those of another."""

    @property
    def unchanged(self) -> int:
        return self.in_model - self.blocked - self.upserts

    def estimated_calls(self, batch_rows: int) -> int:
        """Calls with at most so many rows each, if nothing is refused or tried again."""
        return sum(-(-rows // batch_rows) for rows in self.by_phase.values())


def tally(groups: Iterable[dict]) -> dict:
    """The counts of a plan from its rows by action, reason, blocked reason and phase."""
    blocked: Counter[str] = Counter()
    reasons: Counter[tuple[str, str]] = Counter()
    phases: Counter[str] = Counter()
    changes = 0
    for group in groups:
        is_removal = group["action"] == "remove"
        if group["blocked_reason"] is not None:
            blocked[group["blocked_reason"]] += group["n"]
            continue
        reasons[group["action"], group["reason"]] += group["n"]
        phases[group["phase"]] += group["n"]
        changes += 0 if is_removal else group["known"]
    removals = {reason: n for (action, reason), n in reasons.items() if action == "remove"}
    return {
        "removals": sum(removals.values()),
        "leavers": removals.get("left", 0) + removals.get("listed", 0),
        "upserts": sum(reasons.values()) - sum(removals.values()),
        "changes": changes,
        "blocked": sum(blocked.values()),
        "by_reason": dict(sorted(reasons.items())),
        "by_blocked_reason": dict(sorted(blocked.items())),
        "by_phase": dict(sorted(phases.items())),
    }
