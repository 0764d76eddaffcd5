"""What the pages answered in a test, each held against the trace that it left; and which pages did well at all.

Whatever browser a test uses, of `tests/browser` or of `tests/browsing.py`, notes each answer of a page here. When the
test is over, the rows of the trace with the answer's `X-Request-Id` are judged by `wrong`. Over a whole run every page
must have done what it is for, with its row (`tests/claims.py` watches that).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import asyncpg

from continuum.runtime.postgres.address import Address
from tests.routes import ROUTES, route_of

NOTHING = frozenset({
    # Before anybody is known; and what belongs to the session alone.
    "GET /signon/notice", "GET /signon/sign-in", "GET /signon/signed-out", "GET /signon/go-on", "GET /signon/left",
    "POST /signon/stay", "GET /signon/register", "POST /signon/register", "GET /signon/enrol",
    "POST /signon/elsewhere/{key}", "POST /signon/account/app",
    # Forms of a desk before somebody is asked for, and the way to more.
    "GET /signon/premium", "GET /signon/clerk/proof", "GET /signon/clerk/letters", "GET /signon/disclosures",
    "GET /signon/help", "GET /workspace/emergency", "GET /workspace/palette",
    "GET /workspace/messages/away", "GET /workspace/messages/templates",
    # What everybody may read, and pages that only lead on.
    "GET /portal/topics", "GET /portal/help", "GET /portal/premium", "GET /portal/family/grant",
    "GET /portal/appointments", "GET /portal/messages", "GET /portal/record/{who}/take-along",
    # What somebody began to write, and the names of their own lists: no entry of a record.
    "GET /workspace/unfinished", "GET /workspace/lists",
})  # fmt: skip
"""Pages that show and change nothing of a record or of an account."""
WHEN_ASKED = frozenset({
    "GET /signon/account", "POST /signon/account/passkey", "GET /signon/emergencies/news", "POST /signon/disclosures",
    "GET /signon/end-session", "POST /signon/account/end-session",
    "GET /portal", "GET /portal/record/{who}/search", "GET /portal/record/{who}/links",
    "GET /portal/record/{who}/own/new/{kind}", "GET /workspace/representatives", "GET /workspace/find",
    "GET /workspace/here",
})  # fmt: skip
"""Pages that show something of somebody only when it was asked for, or when there is anybody."""
ASK_WHO = frozenset({"/signon/sign-in", "/signon/notice", "/signon/premium"})
MAY_REPEAT = frozenset({"read", "vread", "search", "history", "transaction"})
"""What one form may do again: it reads before and after what it changes, and each transaction is an act of its own."""


@dataclass(frozen=True)
class Exchange:
    """One answer of a page. leads: where it sent the browser on to. page: method and path, with names in braces."""

    port: int
    page: str
    path: str
    status: int
    leads: str
    request_id: str

    @property
    def asks_who(self) -> bool:
        """Whether somebody was led to sign in, or to a higher level, who is then led back."""
        return self.status == HTTPStatus.SEE_OTHER and urlsplit(self.leads).path in ASK_WHO


_owners: dict[int, str] = {}
_made: list[Exchange] = []


def watch(port: int, owner: str) -> None:
    """A server was started whose trace its database's owner can read."""
    _owners[port] = owner


def note(method: str, url: str, status: int, headers: Mapping[str, str]) -> None:
    """An answer came."""
    split, route = urlsplit(url), route_of(method, url)
    if split.port in _owners and route is not None:
        leads, request_id = headers.get("location", ""), headers.get("x-request-id", "")
        _made.append(Exchange(split.port, f"{method} {route}", split.path, status, leads, request_id))


def forget() -> None:
    """Leaves what was noted unjudged: for tests whose trace waits in a file until the database takes it."""
    _made.clear()


async def judge() -> tuple[list[str], set[str]]:
    """What was wrong with the trace of what was noted; and the pages that did well and left a row of it."""
    made = _made.copy()
    _made.clear()
    faults: list[str] = []
    done: set[str] = set()
    for port in {one.port for one in made}:
        own = [one for one in made if one.port == port]
        found = await _rows(_owners[port], [one.request_id for one in own])
        for one in own:
            rows = found.get(one.request_id, [])
            if fault := wrong(one, rows):
                faults.append(f"{one.page} ({one.path}): {one.status}, {fault}")
            elif one.status < HTTPStatus.BAD_REQUEST and any(row["outcome"] == 0 for row in rows):
                done.add(one.page)
    return faults, done


def wrong(one: Exchange, rows: Sequence[Mapping[str, Any]]) -> str:
    """What an answer's rows lack or have too many; "" for nothing."""
    if not one.request_id:
        return "without an id"
    if one.status == HTTPStatus.SERVICE_UNAVAILABLE or one.asks_who:
        return ""
    refused = [row for row in rows if row["outcome"]]
    if one.status >= HTTPStatus.BAD_REQUEST:
        return "" if len(refused) == 1 else f"{len(refused)} rows say that it was refused"
    if not rows and one.page not in NOTHING | WHEN_ASKED:
        return "no row says what was done"
    acts = Counter((row["interaction"], row["type"], row["target"], row["query"]) for row in rows)
    only_shows = one.page.startswith("GET")
    again = [act for act, times in acts.items() if times > 1 and (only_shows or act[0] not in MAY_REPEAT)]
    return f"one act in two rows: {again}" if again else ""


def unused(done: set[str]) -> list[str]:
    """The pages that nobody has used to their end."""
    return [page for _, method, path in ROUTES if (page := f"{method} {path}") not in NOTHING | done]


async def _rows(owner: str, requests: list[str]) -> dict[str, list[Mapping[str, Any]]]:
    conn = await asyncpg.connect(**Address.from_url(owner).connect)
    try:
        rows = await conn.fetch("SELECT * FROM record.audit WHERE request = ANY($1::text[]) ORDER BY seq", requests)
    finally:
        await conn.close()
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["request"], []).append(dict(row))
    return found
