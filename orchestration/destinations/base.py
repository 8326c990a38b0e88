"""What the engine and an endpoint say to each other.

An endpoint takes rows and returns one outcome per row. Three things are exceptions, because
they are about a call and not about a row: the batch was refused as a whole (``Refused``), no
usable answer came (``Unanswered``), nothing further can work (``Stopped``). None of them
carries a body, a message or a value: only a code.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal

if TYPE_CHECKING:
    from orchestration.sync.spec import SyncSpec

# Upper case as codes are written, and no digits enough for a phone number.
_CODE = re.compile(r"(?!.*[0-9]{5})[A-Z][A-Z0-9_]{0,59}")


def safe_code(text: object) -> str:
    """An endpoint's error category where it has the form of a code (``VALIDATION_ERROR``),
    else ``UNSPECIFIED``: anything else could carry personal data into the ledger."""
    return text if isinstance(text, str) and _CODE.fullmatch(text) else "UNSPECIFIED"


@dataclass(frozen=True)
class Row:
    """One row to write or take away. ``values`` (none for a removal) stay out of ``repr``."""

    key: str
    action: Literal["upsert", "remove"]
    reason: str
    values: Mapping[str, str | None] = field(default_factory=dict, repr=False)
    remote_id: str | None = None
    is_uncertain: bool = False
    """An earlier call for this row has no known end: it may be there already."""
    row_hash: str | None = None
    attempt: int = 1


@dataclass(frozen=True)
class Outcome:
    """What became of a row."""

    key: str
    status: Literal["delivered", "rejected", "unknown"]
    remote_id: str | None = None
    error_class: Literal["permanent", "transient", "auth", "systemic"] | None = None
    error_code: str | None = None

    @classmethod
    def delivered(cls, key: str, remote_id: str | None = None) -> "Outcome":
        return cls(key, "delivered", remote_id)

    @classmethod
    def rejected(cls, key: str, code: object) -> "Outcome":
        return cls(key, "rejected", None, "permanent", safe_code(code))

    @classmethod
    def unknown(cls, key: str, code: object, error_class: str = "transient") -> "Outcome":
        return cls(key, "unknown", None, error_class, safe_code(code))


class CallError(Exception):
    """A call failed. ``code`` is all there is to know."""

    def __init__(self, code: object) -> None:
        self.code = safe_code(code)
        super().__init__(self.code)


class Refused(CallError):
    """The batch was refused as a whole and applied nowhere; smaller ones may pass."""


class Unanswered(CallError):
    """No usable answer, after all retries: the rows may or may not have been applied."""


class Stopped(CallError):
    """Nothing further can work: credentials, permission, a redirect, a wait beyond reason."""

    def __init__(self, code: object, error_class: str = "systemic") -> None:
        super().__init__(code)
        self.error_class = error_class


@dataclass(frozen=True)
class Limits:
    """What the endpoint takes: rows per request, and requests per window of seconds."""

    batch_rows: int
    requests: int
    per_seconds: int


class Destination(ABC):
    """An endpoint that holds records. Two methods say how things are done there."""

    name: ClassVar[str]
    limits: ClassVar[Limits]
    supported: ClassVar[frozenset[tuple[str, str]]]
    """Pairs of object and mode."""

    @classmethod
    @abstractmethod
    def from_environment(cls, spec: "SyncSpec") -> "Destination":
        """Made for one sync, with credentials from the environment. Raises ``LookupError``
        with the name of a variable that is not set."""

    @classmethod
    def check(cls, spec: "SyncSpec") -> None:
        """Raise ``ValueError`` where the sync asks for what the endpoint cannot do."""
        if (spec.object, spec.mode) not in cls.supported:
            raise ValueError(f"{cls.name} cannot do mode {spec.mode!r} for {spec.object!r}")

    @property
    @abstractmethod
    def calls(self) -> int:
        """HTTP requests made so far, retries included."""

    @abstractmethod
    def upsert(self, rows: Sequence[Row]) -> list[Outcome]:
        """Write rows so that a repetition changes nothing. At most ``limits.batch_rows``."""

    @abstractmethod
    def remove(self, rows: Sequence[Row]) -> list[Outcome]:
        """Take rows away as the sync's mode says; one that is not there is delivered."""
