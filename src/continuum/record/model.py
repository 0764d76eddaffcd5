"""The record's own nouns: what goes in, what comes out."""

from dataclasses import dataclass
from typing import Any, NamedTuple


class Stored(NamedTuple):
    """One version of one resource as it lies in the store. `body` is JSON text (UTF-8), None when deleted."""

    resource_type: str
    id: str
    version: int
    updated_us: int
    deleted: bool
    patient_id: str | None
    body: bytes | None


class Mark(NamedTuple):
    """A profile, security label or tag of resources of a type: element of Meta, system or "", code or URL."""

    resource_type: str
    element: str
    system: str
    code: str


@dataclass(frozen=True, slots=True)
class Written:
    """What a write did. status: 200 updated or matched, 201 created, 204 deleted.

    changed is False when nothing was written (a conditional create that found its match, an update with
    equal content keeps its version).
    """

    status: int
    stored: Stored
    changed: bool = True


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a search: matches in order, then the included ones, and the way on.

    next_cursor is "" on the last page; total is None when it was not asked for, and may be estimated.
    """

    matches: tuple[Stored, ...]
    included: tuple[Stored, ...] = ()
    next_cursor: str = ""
    total: int | None = None
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """One entry of a batch or transaction, already read from its Bundle.

    method: GET POST PUT PATCH DELETE. query: the criteria of a conditional interaction, as written after
    the `?`. full_url: what other entries may refer to it by.
    """

    method: str
    resource_type: str
    id: str | None = None
    query: str | None = None
    resource: dict[str, Any] | None = None
    patch: list[dict[str, Any]] | None = None
    if_match: int | None = None
    if_none_match: str | None = None
    if_none_exist: str | None = None
    full_url: str | None = None
