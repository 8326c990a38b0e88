"""What the engine and an endpoint say to each other.

An endpoint takes rows and returns one outcome per row, or a ``Job`` when the work goes on over
there. Three things are exceptions, because they are about a call and not about a row: the batch
was refused as a whole (``Refused``), no usable answer came (``Unanswered``), nothing further can
work (``Stopped``). None of them carries a body, a message or a value: only a code.
"""

import hashlib
import os
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar, Literal, Self

if TYPE_CHECKING:
    from orchestration.sync.spec import SyncSpec

# Upper case as codes are written, and no digits enough for a phone number.
_CODE = re.compile(r"(?!.*[0-9]{5})[A-Z][A-Z0-9_]{0,59}")


def safe_code(text: object) -> str:
    """An endpoint's error category where it has the form of a code (``VALIDATION_ERROR``),
    else ``UNSPECIFIED``: anything else could carry personal data into the ledger."""
    return text if isinstance(text, str) and _CODE.fullmatch(text) else "UNSPECIFIED"


def setting(name: str, default: str | None = None) -> str:
    """An environment variable: where credentials come from. Raises ``LookupError`` naming it."""
    value = os.environ.get(name) or default
    if value is None:
        raise LookupError(f"{name} is not set")
    return value


@dataclass(frozen=True)
class Row:
    """One row to write or take away. ``values`` stay out of ``repr``; a removal has some only
    where the model lists who is to go (reason ``listed``)."""

    key: str
    action: Literal["upsert", "remove"]
    reason: str
    values: Mapping[str, str | None] = field(default_factory=dict, repr=False)
    remote_id: str | None = None
    is_uncertain: bool = False
    """An earlier call for this row has no known end: it may be there already."""
    row_hash: str | None = None
    attempt: int = 1
    version: int = 0
    """Position in the ledger of what the destination holds of the row; 0: nothing yet."""
    field_hashes: str | None = None
    sent_identifiers: tuple[str, ...] = ()
    """Hashed identifiers that earlier calls may have left there and nobody else needs."""
    customer_id: str | None = None
    """Whose row it is; the ledger keeps it, so that a person's rows can be taken away."""

    def idempotency_key(self, spec: "SyncSpec") -> str:
        """The same for every attempt at this content on top of what is held, and another one
        once something was delivered in between. Erasing is more than taking out. An event has
        one key for good: it happened once, even if a column of it is told otherwise since."""
        content = self.reason if self.action == "remove" else self.row_hash or ""
        parts = [spec.sync_name, self.key, self.action, content, str(self.version)]
        if spec.mode == "append" and self.action == "upsert":
            parts = parts[:3]
        return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Outcome:
    """What became of a row."""

    key: str
    status: Literal["delivered", "rejected", "unknown", "unsent", "drifted", "reset"]
    """An endpoint gives one of the first three, or ``unsent`` for rows it has not come to;
    ``drifted``: read back, it is not what was delivered; ``reset``: somebody wants it tried
    again."""
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


@dataclass(frozen=True)
class Matched:
    """What an endpoint said of the records of one request as a whole. None: it does not tell."""

    action: Literal["upsert", "remove"]
    records_received: int
    """Records as the endpoint counts them; a removal may be several of a row."""
    records_invalid: int | None = None
    """Of them, those it could not use."""
    identifiers_received: int | None = None
    match_rate_low: Decimal | None = None
    """Share of the records in which it knew somebody: from this one ..."""
    match_rate_high: Decimal | None = None
    """... to below this one, 1 included."""


class Outcomes(list[Outcome]):
    """Outcomes from an endpoint that also counts."""

    def __init__(self, outcomes: Iterable[Outcome], matched: Iterable[Matched]) -> None:
        super().__init__(outcomes)
        self.matched = tuple(matched)


@dataclass(frozen=True)
class Job:
    """Rows the endpoint has taken and works on. ``settled`` are outcomes already known (rows
    that were not worth handing over); the others are asked for with ``poll``."""

    job_id: str
    settled: tuple[Outcome, ...] = ()


class CallError(Exception):
    """A call failed. ``code`` is all there is to know, and whether the endpoint
    ``may_have_acted`` on the rows all the same: not where it refused the login or was never
    reached."""

    def __init__(self, code: object, *, may_have_acted: bool = True) -> None:
        self.code = safe_code(code)
        self.may_have_acted = may_have_acted
        super().__init__(self.code)


class Refused(CallError):
    """The batch was refused as a whole and applied nowhere; smaller ones may pass. ``matched``
    is what was counted all the same."""

    def __init__(self, code: object, matched: Iterable[Matched] = ()) -> None:
        super().__init__(code)
        self.matched = tuple(matched)


class Unanswered(CallError):
    """No usable answer, after all retries: the rows may or may not have been applied."""


class Stopped(CallError):
    """Nothing further can work: credentials, permission, a redirect, a wait beyond reason."""

    def __init__(
        self, code: object, error_class: str = "systemic", *, may_have_acted: bool = True
    ) -> None:
        super().__init__(code, may_have_acted=may_have_acted)
        self.error_class = error_class


@dataclass(frozen=True)
class Limits:
    """What the endpoint takes."""

    batch_rows: int
    """Rows per request."""
    rates: tuple[tuple[int, float], ...]
    """Requests per window of seconds; all windows hold at once, for the whole account."""
    connections: int = 4
    """Requests under way at the same time."""
    batch_bytes: int | None = None
    """Sum of ``Destination.weight`` of the rows of a request."""


class Destination(ABC):
    """An endpoint that holds records. A few methods say how things are done there.

    Called from several threads at once, with different rows."""

    name: ClassVar[str]
    limits: Limits
    supported: ClassVar[frozenset[tuple[str, str]]]
    """Pairs of object and mode."""
    poll_seconds: ClassVar[float] = 5.0
    """Between two questions about a job."""
    job_hours: ClassVar[float] = 48.0
    """After which a job that is still not done counts as lost, and its rows are sent anew."""
    appends_are_repeatable: ClassVar[bool] = False
    """Mode append: an event sent twice is kept once (by ``Row.idempotency_key``)."""
    has_coroutines: ClassVar[bool] = False
    """``send`` waits for nothing but ``HttpClient.call``, so one thread has many under way: for
    an endpoint where a row is a request."""
    manner_options: ClassVar[frozenset[str]] = frozenset()
    """Options that say how rows go there. A change of one moves nothing and changes nothing that
    is there; any other option is a place, another of which holds nothing of ours."""
    content_options: ClassVar[frozenset[str]] = frozenset()
    """Options that say what is written of a row: with another one, what is there is out of date."""

    @classmethod
    @abstractmethod
    def from_environment(cls, spec: "SyncSpec") -> Self:
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
        """Requests made so far, retries included."""

    async def send(self, rows: Sequence[Row]) -> list[Outcome] | Job:
        """What the engine calls, with rows of one action."""
        return self.remove(rows) if rows[0].action == "remove" else self.upsert(rows)

    @abstractmethod
    def upsert(self, rows: Sequence[Row]) -> list[Outcome] | Job:
        """Write rows so that a repetition changes nothing. At most ``limits.batch_rows``. An
        endpoint that counts gives ``Outcomes``, here and below."""

    @abstractmethod
    def remove(self, rows: Sequence[Row]) -> list[Outcome] | Job:
        """Take rows away as the sync's mode says; one that is not there is delivered."""

    def poll(self, job_id: str, rows: Sequence[Row]) -> list[Outcome] | None:
        """What became of a job's rows; None while it goes on. Rows of a job that was resumed
        by a later run have no values. A cancelled or forgotten job leaves rows unknown."""
        raise NotImplementedError(f"{self.name} has no jobs")

    def weight(self, row: Row) -> int:
        """Bytes of the row in a request, for ``limits.batch_bytes``."""
        return 0

    def identifiers(self, row: Row) -> tuple[str, ...]:
        """Hashed identifiers that an upsert of the row puts there. They are kept in the
        ledger, so that a changed e-mail can be taken away; plain ones never are."""
        return ()

    def read(self, rows: Sequence[Row]) -> Mapping[str, Mapping[str, str | None]] | None:
        """What the endpoint holds now, by row key, with the sync's columns; a key that is
        missing is not there. None: this endpoint cannot be read back, for no rows either."""
        return None
