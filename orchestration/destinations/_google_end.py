"""How Google says that a request has ended: in counts, never of whom."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from orchestration.destinations.base import Matched, safe_code

_REASON = "PROCESSING_ERROR_REASON_"
_MATCH_RATE = re.compile(r"MATCH_RATE_RANGE_(?:LESS_THAN|([0-9]{2})_TO)_([0-9]{2,3})")


@dataclass(frozen=True)
class RequestEnd:
    """How Google ended a request. Counts are of people and of identifiers."""

    verb: str
    status: str
    records: int = 0
    identifiers: int = 0
    match_rate: str | None = None
    """A range such as ``MATCH_RATE_RANGE_51_TO_60``; only of uploads."""
    errors: Mapping[str, int] = field(default_factory=dict)
    """People by reason."""

    @classmethod
    def told(cls, verb: str, name: str, status: dict[str, Any]) -> "RequestEnd":
        """Of an ended request's ``RequestStatusPerDestination``."""
        counts = _counts(status)
        return cls(
            verb,
            name,
            _whole(counts.get("recordCount")),
            _whole(counts.get("userIdentifierCount")),
            safe_code(counts.get("uploadMatchRateRange")) if verb == "ingest" else None,
            {
                # Without the prefix, with which the longest are too long for a code.
                safe_code(str(error.get("reason")).removeprefix(_REASON)): _whole(
                    error.get("recordCount")
                )
                for error in dicts(status.get("errorInfo"), "errorCounts")
            },
        )

    @property
    def main_error(self) -> str:
        """The commonest reason as a code."""
        reasons = Counter(self.errors).most_common(1)
        return reasons[0][0] if reasons else self.status

    @property
    def matched(self) -> Matched | None:
        """The counts for the ledger; None where Google does not say how many people it got."""
        if not self.records:
            return None
        low, high = match_rate(self.match_rate or "")
        return Matched(
            "upsert" if self.verb == "ingest" else "remove",
            self.records,
            self._invalid,
            self.identifiers or None,
            low,
            high,
        )

    @property
    def _invalid(self) -> int | None:
        if self.status in ("SUCCESS", "FAILED"):  # all, or none
            return self.records if self.status == "FAILED" else 0
        # Nobody says that a person counts under one reason only.
        return min(sum(self.errors.values()), self.records) if self.errors else None


def match_rate(text: str) -> tuple[Decimal | None, Decimal | None]:
    """The shares between which a rate lies. Ranges are of whole percents: ``LESS_THAN_20`` is
    [0, 20), ``20_TO_30`` is [20, 31), ``91_TO_100`` is [91, 100]."""
    found = _MATCH_RATE.fullmatch(text)
    if not found:
        return None, None
    low, high = found.groups()
    below = int(high) + 1 if low else int(high)
    return Decimal(low or 0) / 100, Decimal(min(below, 100)) / 100


def dicts(body: Any, name: str) -> list[dict]:
    """Messages of a repeated field; those of a strange shape are left out."""
    found = body.get(name) if isinstance(body, dict) else None
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _counts(status: dict) -> dict[str, Any]:
    """``recordCount`` and the like, wherever the kind of request puts them."""
    for outer, inner in (
        ("audienceMembersIngestionStatus", "userDataIngestionStatus"),
        ("audienceMembersRemovalStatus", "userDataRemovalStatus"),
    ):
        found = status.get(outer)
        counts = found.get(inner) if isinstance(found, dict) else None
        if isinstance(counts, dict):
            return counts
    return {}


def _whole(text: Any) -> int:
    """A number as JSON has it of 64 bits: as text."""
    return int(text) if str(text).isdecimal() else 0
