"""Endpoints, one module each: the name a sync's declaration gives is the module's name.

Modules that begin with an underscore are shared by several."""

from importlib import import_module
from pkgutil import iter_modules

from orchestration.destinations.base import Destination


def destination_names() -> list[str]:
    """The endpoints there are."""
    names = [module.name for module in iter_modules(__path__)]
    return sorted(name for name in names if name != "base" and not name.startswith("_"))


def destination_class(name: str) -> type[Destination]:
    """The class of a destination. Raises ``LookupError`` naming those that exist."""
    if name not in destination_names():
        raise LookupError(f"no destination {name!r}; there are: {', '.join(destination_names())}")
    module = import_module(f"{__name__}.{name}")
    classes = [kind for kind in vars(module).values() if isinstance(kind, type)]
    return next(k for k in classes if issubclass(k, Destination) and getattr(k, "name", "") == name)
