"""`Observation/$lastn`: the latest observations of each kind of one patient (R4 Observation-operation-lastn)."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from continuum.fhir.json import parse
from continuum.fhir.query import Query
from continuum.kernel.errors import TooCostly
from continuum.kernel.limits import (
    LASTN_READ_MAX,
    PAGE_MAX,
)
from continuum.record.keys import Keys
from continuum.record.model import Page, Stored
from continuum.record.read import Connection
from continuum.record.search.run import search
from continuum.record.visibility import Visibility

_DATES = ("effectiveDateTime", "effectiveInstant", "issued")


async def last_n(conn: Connection, query: Query, most: int, *, visibility: Visibility, keys: Keys) -> Page:
    """The latest `most` observations of each kind among the matches, each kind together, the latest first.

    query: its criteria name one patient, and it is sorted by date, the latest first. Two observations are of one
    kind when they share a coding of their code, or, having none, its text. Ties at the last place are all shown.

    Raises:
        TooCostly: the patient has more than LASTN_READ_MAX observations that match.
    """
    kinds: dict[str, list[Stored]] = {}
    last: dict[int, str] = {}
    groups: dict[str, str] = {}
    read, cursor = 0, ""
    while True:
        page = await search(
            conn, replace(query, count=PAGE_MAX, cursor=cursor, includes=(), total=""), visibility=visibility, keys=keys
        )
        read += len(page.matches)
        for stored in page.matches:
            assert stored.body is not None, "what a search finds is not deleted"
            observation = parse(stored.body)
            group = _group(list(_codes(observation)) or [stored.id], groups, kinds)
            when = _when(observation)
            shown = kinds.setdefault(group, [])
            if len(shown) < most or (when and last.get(id(shown)) == when):
                shown.append(stored)
                last[id(shown)] = when
        cursor = page.next_cursor
        if not cursor:
            break
        if read >= LASTN_READ_MAX:
            raise TooCostly(
                f"The patient has more than {LASTN_READ_MAX} observations like these; name a code, or fewer categories."
            )
    return Page(tuple(stored for shown in kinds.values() for stored in shown))


def _group(codes: list[str], groups: dict[str, str], kinds: dict[str, list[Stored]]) -> str:
    """The kind to which codes belong; kinds that turn out to be one keep what the first of them has."""
    known = list(dict.fromkeys(groups[code] for code in codes if code in groups))
    group = known[0] if known else codes[0]
    for code in codes:
        groups[code] = group
    for other in known[1:]:
        kinds.pop(other, None)
        for code, of in groups.items():
            if of == other:
                groups[code] = group
    return group


def _codes(observation: dict[str, Any]) -> Iterator[str]:
    code = observation.get("code", {})
    codings = [one for one in code.get("coding", ()) if one.get("code")]
    for one in codings:
        yield f"{one.get('system', '')}|{one['code']}"
    if not codings and code.get("text"):
        yield f"text {code['text'].strip().lower()}"


def _when(observation: dict[str, Any]) -> str:
    return next((observation[name] for name in _DATES if name in observation), "")
