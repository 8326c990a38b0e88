"""Endpoints, one module each, found by the name a sync's declaration gives."""

from importlib import import_module

from orchestration.destinations.base import Destination

_CLASSES = {"hubspot": "orchestration.destinations.hubspot:HubSpot"}


def destination_class(name: str) -> type[Destination]:
    """The class of a destination. Raises ``LookupError`` naming those that exist."""
    if name not in _CLASSES:
        raise LookupError(f"no destination {name!r}; there are: {', '.join(sorted(_CLASSES))}")
    module, _, attribute = _CLASSES[name].partition(":")
    return getattr(import_module(module), attribute)
