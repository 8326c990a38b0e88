"""The endpoint of a sync: what the environment configures, after a look at what is declared."""

from orchestration.destinations import destination_class
from orchestration.destinations.base import Destination
from orchestration.sync.spec import InvalidSync, SyncSpec


def endpoint_of(
    spec: SyncSpec, given: Destination | None = None, dry_run: bool = False
) -> Destination | None:
    """The one that is ``given``, else a new one; of a dry run none, and all the same checked.

    Raises ``InvalidSync`` where the destination is unknown, cannot do what the sync asks for, or
    has an address that may not be called, ``LookupError`` for a variable that is not set."""
    try:
        kind = type(given) if given else destination_class(spec.destination)
    except LookupError as error:
        raise InvalidSync(f"{spec.sync_name}: {error}") from None
    try:
        kind.check(spec)
        return given or (None if dry_run else kind.from_environment(spec))
    except ValueError as error:  # an address that may not be called, too
        raise InvalidSync(f"{spec.sync_name}: {error}") from None
