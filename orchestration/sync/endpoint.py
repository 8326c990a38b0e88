"""The endpoint of a sync: what the environment configures, after a look at what is declared."""

from orchestration.destinations import destination_class
from orchestration.destinations.base import Destination
from orchestration.sync.spec import InvalidSync, SyncSpec


def declared_hashes(spec: SyncSpec) -> dict[str, str]:
    """``mapping_hash`` and ``place_hash`` of a declaration, for the next run to compare: what is
    written and where it goes, with those options of the destination that say so."""
    try:
        kind = destination_class(spec.destination)
    except LookupError:  # a destination that is given and has no module
        kind = Destination
    return {
        "mapping_hash": spec.mapping_hash(kind.content_options),
        "place_hash": spec.place_hash(kind.manner_options | kind.content_options),
    }


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
