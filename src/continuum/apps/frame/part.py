"""Parts of the apps: what a domain shows in the portal and in the workspace, discovered, not listed.

A domain's pages lie in a package of `apps` of their own. Its module `portal_part` says what patients see of it, its
module `workspace_part` what staff see, each in one `PART`. Its templates lie in the package's folder `templates`.
"""

import importlib
import importlib.util
import pkgutil
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

import continuum.apps

if TYPE_CHECKING:
    from continuum.apps.frame.visit import Handler, Navigation, Visit

    Page = tuple[str, Handler, tuple[str, ...]]


def _nothing(_: "Visit") -> "Navigation":
    return ()


def _no_cards(_: "Visit") -> "Sequence[tuple[str, str, str]]":
    return ()


@dataclass(frozen=True, slots=True)
class News:
    """Something that the first page says before all else. kind: of an alert. link: its text, to `href`."""

    kind: str
    title: str
    text: str
    href: str
    link: str


async def _no_news(_: "Visit") -> "Sequence[News]":
    return ()


@dataclass(frozen=True, slots=True)
class Part:
    """What one domain shows in one app.

    key: unique in the app. order: of its items in the navigation. pages: address below the app's base, handler,
    methods; none may begin with an address that the app's own pages begin with. navigation: its items for one
    reader. cards: what the app's first page says of it: title, address, a sentence. news: what that page says first.
    """

    key: str
    order: int
    pages: "Sequence[Page]"
    navigation: "Callable[[Visit], Navigation]" = _nothing
    cards: "Callable[[Visit], Sequence[tuple[str, str, str]]]" = _no_cards
    news: "Callable[[Visit], Awaitable[Sequence[News]]]" = _no_news


@lru_cache(maxsize=4)
def parts(app: str) -> tuple[Part, ...]:
    """The parts of an app, `portal` or `workspace`, in their order."""
    found = [
        importlib.import_module(f"continuum.apps.{package}.{app}_part").PART for package in _packages(app)
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda part: part.order))


@lru_cache(maxsize=4)
def templates(app: str) -> tuple[str, ...]:
    """The packages that have templates of an app's parts."""
    found = [f"continuum.apps.{package}" for package in _packages(app)]
    return tuple(package for package in found if (files(package) / "templates").is_dir())


def _packages(app: str) -> list[str]:
    found = [module.name for module in pkgutil.iter_modules(continuum.apps.__path__) if module.ispkg]
    return [
        package
        for package in found
        if importlib.util.find_spec(f"continuum.apps.{package}.{app}_part") is not None
    ]  # fmt: skip
