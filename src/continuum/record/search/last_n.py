"""`Observation/$lastn`: the latest observations of each kind of one patient (R4 Observation-operation-lastn)."""

from collections.abc import Iterator, Sequence
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
    found: list[tuple[str, str, Stored]] = []
    groups = _Groups()
    cursor = ""
    while True:
        page = await search(
            conn, replace(query, count=PAGE_MAX, cursor=cursor, includes=(), total=""), visibility=visibility, keys=keys
        )
        for stored in page.matches:
            assert stored.body is not None, "what a search finds is not deleted"
            observation = parse(stored.body)
            codes = list(_codes(observation)) or [stored.id]
            groups.join(codes)
            found.append((codes[0], _when(observation), stored))
        cursor = page.next_cursor
        if not cursor:
            break
        if len(found) >= LASTN_READ_MAX:
            raise TooCostly(
                f"The patient has more than {LASTN_READ_MAX} observations like these; name a code, or fewer categories."
            )
    # Only now is it known which codes are of one kind: an old observation may be what joins two of them.
    kinds: dict[str, list[tuple[str, Stored]]] = {}
    for code, when, stored in found:
        shown = kinds.setdefault(groups.of(code), [])
        if len(shown) < most or (when and shown[-1][0] == when):
            shown.append((when, stored))
    return Page(tuple(stored for shown in kinds.values() for _, stored in shown))


class _Groups:
    """Codes that belong together, because observations have both."""

    def __init__(self) -> None:
        self._leads: dict[str, str] = {}

    def join(self, codes: Sequence[str]) -> None:
        """Says that codes are of one kind."""
        first = self.of(codes[0])
        for code in codes[1:]:
            self._leads[self.of(code)] = first

    def of(self, code: str) -> str:
        """The code that stands for the kind of a code."""
        while (on := self._leads.setdefault(code, code)) != code:
            self._leads[code] = self._leads.get(on, on)
            code = on
        return code


def _codes(observation: dict[str, Any]) -> Iterator[str]:
    code = observation.get("code", {})
    codings = [one for one in code.get("coding", ()) if one.get("code")]
    for one in codings:
        yield f"{one.get('system', '')}|{one['code']}"
    if not codings and code.get("text"):
        yield f"text {code['text'].strip().lower()}"


def _when(observation: dict[str, Any]) -> str:
    return next((observation[name] for name in _DATES if name in observation), "")
