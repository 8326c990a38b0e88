"""Landing: files of the raw folder into raw tables, guarded, quarantined, once."""

from orchestration.landing.declared import DeclarationError, declared_tables
from orchestration.landing.land import QUARANTINE_FLOOR, QUARANTINE_LIMIT, land
from orchestration.landing.report import (
    FileOutcome,
    FilesRefused,
    LandingReport,
    Refused,
    Rejection,
    Unknown,
    Verdict,
)

__all__ = [
    "QUARANTINE_FLOOR",
    "QUARANTINE_LIMIT",
    "DeclarationError",
    "FileOutcome",
    "FilesRefused",
    "LandingReport",
    "Refused",
    "Rejection",
    "Unknown",
    "Verdict",
    "declared_tables",
    "land",
]
