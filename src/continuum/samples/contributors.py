"""Contributors: modules that turn a plan into resources, found by where they lie.

A contributor is a module with `events(life, draw)`, a generator of what becomes of one person, with
`shared(world, today)`, one of what belongs to the facilities, or with both. The system's own lie in
`continuum.samples.events`; a clinical domain puts its own in `continuum/clinical/<domain>/samples.py`. Neither is
listed anywhere. Each gets a stream of its own, named after its module, so a new one changes no other's output.
"""

import importlib
import importlib.util
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from types import ModuleType
from typing import Protocol

from continuum.samples.elements import Resource
from continuum.samples.life import Life
from continuum.samples.places import World
from continuum.samples.streams import Draw

CORE = "continuum.samples.events"
DOMAINS = "continuum.clinical"
DOMAIN_MODULE = "samples"


class Events(Protocol):
    """What a contributor's module has to have."""

    def __call__(self, life: Life, draw: Draw) -> Iterator[Resource]:
        """Yields the resources of one person. References are relative; ids come from `draw` or from the plan."""


class Shared(Protocol):
    """What a contributor to the shared world has to have."""

    def __call__(self, world: World, today: date) -> Iterator[Resource]:
        """Yields resources of the facilities; their ids come from `streams.identity`, for no seed changes them."""


@dataclass(frozen=True, slots=True)
class Contributor:
    """A contributor and the name of its stream."""

    name: str
    events: Events | None
    shared: Shared | None = None

    def resources(self, life: Life) -> Iterator[Resource]:
        """What it makes of a life."""
        return iter(()) if self.events is None else self.events(life, life.draw(self.name))

    def common(self, world: World, today: date) -> Iterator[Resource]:
        """What it adds to the shared world."""
        return iter(()) if self.shared is None else self.shared(world, today)


@cache
def discover(*, core: str = CORE, domains: str = DOMAINS) -> tuple[Contributor, ...]:
    """All contributors, by name: the modules of package `core` and `samples.py` of each package in `domains`."""
    modules = [importlib.import_module(name) for name in _modules(core)]
    for package in _modules(domains):
        name = f"{package}.{DOMAIN_MODULE}"
        if importlib.util.find_spec(package) is not None and _has(package, DOMAIN_MODULE):
            modules.append(importlib.import_module(name))
    return tuple(_contributor(module) for module in sorted(modules, key=lambda module: module.__name__))


def _has(package: str, module: str) -> bool:
    found = importlib.import_module(package)
    return hasattr(found, "__path__") and any(entry.name == module for entry in pkgutil.iter_modules(found.__path__))


def _modules(package: str) -> list[str]:
    try:
        found = importlib.import_module(package)
    except ModuleNotFoundError as error:
        if error.name is not None and package.startswith(error.name):
            return []
        raise
    return [f"{package}.{entry.name}" for entry in pkgutil.iter_modules(found.__path__) if entry.name[0] != "_"]


def _contributor(module: ModuleType) -> Contributor:
    events, shared = getattr(module, "events", None), getattr(module, "shared", None)
    if not callable(events) and not callable(shared):
        raise TypeError(
            f"{module.__name__} lies where contributors lie, but has no function events(life, draw) or"
            " shared(world, today)."
        )
    return Contributor(module.__name__, events, shared)
