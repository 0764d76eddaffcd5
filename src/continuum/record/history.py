"""Versions over time: of one resource, of a type, of everything; newest first, paged by keyset."""

import base64
import binascii
import struct
from typing import Any

from continuum.fhir.types import TYPE_IDS, TYPES
from continuum.kernel.clock import MAX_US
from continuum.kernel.errors import Malformed, NotAllowed
from continuum.kernel.limits import HISTORY_PAGE_MAX
from continuum.record.model import Page
from continuum.record.read import COLUMNS, Connection, missing, stored
from continuum.record.visibility import Visibility

_CURSOR = struct.Struct(">qqi")
_ALL = 2**31 - 1
"""More versions than one resource can have: their numbers are 32 bits wide."""


def _cursor_text(row: Any) -> str:
    raw = _CURSOR.pack(row["updated"], row["row_id"], row["version"])
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _cursor(text: str) -> tuple[int, int, int]:
    if not text:
        return MAX_US, MAX_US, 2**31 - 1
    try:
        updated, row_id, version = _CURSOR.unpack(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, struct.error, ValueError) as error:
        raise Malformed("The page link was changed; start the history again from its first page.") from error
    return updated, row_id, version


async def history(
    conn: Connection,
    *,
    visibility: Visibility,
    resource_type: str | None = None,
    resource_id: str | None = None,
    since_us: int | None = None,
    at: tuple[int, int] | None = None,
    count: int,
    cursor: str = "",
) -> Page:
    """One page of versions, newest first.

    since_us: only versions made at or after that instant. at: only versions that were the present one at
    some moment of the closed interval. count: 0 asks how many there are, and for none of them. Deleted versions are
    in the page, with `deleted` set.

    Raises:
        NotFound: the one resource that was asked for never was, or may not be seen.
        Malformed: the cursor is not one of ours.
    """
    count = min(count, HISTORY_PAGE_MAX)
    before = _cursor(cursor)
    if resource_type is not None and resource_id is not None:
        return await _of_instance(conn, visibility, resource_type, resource_id, since_us, at, count, before)
    masks = _open_types(visibility, [resource_type] if resource_type else list(TYPES))
    if count == 0:
        return await _counted(conn, masks, since_us, at)
    arguments: list[Any] = [list(masks), list(masks.values()), since_us or 0, *before, count + 1]
    past = "h.updated >= $3 AND (h.updated, h.row_id, h.version) < ($4::bigint, $5::bigint, $6::integer)"
    rows = await conn.fetch(
        f"""
        SELECT {COLUMNS} FROM unnest($1::smallint[], $2::integer[]) AS t(type, mask),
        LATERAL (
          (SELECT h.* FROM ({_PRESENT}) h
           WHERE {past} AND h.labels & t.mask = 0 AND {_at_clause(at, arguments)}
           ORDER BY h.updated DESC, h.row_id DESC LIMIT $7)
          UNION ALL
          (SELECT h.* FROM ({_PAST}) h
           WHERE {past} AND h.labels & t.mask = 0 AND {_at_clause(at, arguments)}
           ORDER BY h.updated DESC, h.row_id DESC, h.version DESC LIMIT $7)
        ) r
        ORDER BY r.updated DESC, r.row_id DESC, r.version DESC LIMIT $7
        """,
        *arguments,
    )
    return _page(rows, count)


def _open_types(visibility: Visibility, types: list[str]) -> dict[int, int]:
    """The types of which all may be seen, each with the labels that may not. Raises NotAllowed."""
    scopes = {name: visibility.of(name) for name in types}
    if any(scope.limited and scope.kind != "nothing" for scope in scopes.values()):
        raise NotAllowed("The history of many patients at once is not open to this role; ask for one resource.")
    return {TYPE_IDS[name]: scope.label_mask for name, scope in scopes.items() if scope.kind == "all"}


async def _counted(conn: Connection, masks: dict[int, int], since_us: int | None, at: tuple[int, int] | None) -> Page:
    arguments: list[Any] = [list(masks), list(masks.values()), since_us or 0]
    shown = "h.updated >= $3 AND h.labels & t.mask = 0 AND " + _at_clause(at, arguments)
    row = await conn.fetchrow(
        f"""
        SELECT coalesce(sum(c.present + c.past), 0)::bigint AS total
        FROM unnest($1::smallint[], $2::integer[]) AS t(type, mask),
        LATERAL (
          SELECT (SELECT count(*) FROM ({_PRESENT}) h WHERE {shown}) AS present,
                 (SELECT count(*) FROM ({_PAST}) h WHERE {shown}) AS past
        ) c
        """,
        *arguments,
    )
    return Page(matches=(), total=row["total"])


_UNTIL = """
  coalesce(
    (SELECT n.updated FROM record.history n WHERE n.row_id = v.row_id AND n.version = v.version + 1),
    (SELECT n.updated FROM record.resource n WHERE n.row_id = v.row_id))
"""


def _at_clause(at: tuple[int, int] | None, arguments: list[Any]) -> str:
    if at is None:
        return "true"
    arguments.extend(at)
    return f"h.updated <= ${len(arguments)} AND h.until > ${len(arguments) - 1}"


_PRESENT = f"""
  SELECT row_id, type, id, version, updated, deleted, labels, patient_id, body, {MAX_US} AS until
  FROM record.resource WHERE type = t.type
"""
_PAST = f"""
  SELECT v.row_id, v.type, v.id, v.version, v.updated, v.deleted, v.labels, v.patient_id, v.body, {_UNTIL} AS until
  FROM record.history v WHERE v.type = t.type
"""
"""The versions of a type `t.type`: those that are present, and those before."""


async def _of_instance(
    conn: Connection,
    visibility: Visibility,
    resource_type: str,
    resource_id: str,
    since_us: int | None,
    at: tuple[int, int] | None,
    count: int,
    before: tuple[int, int, int],
) -> Page:
    arguments: list[Any] = [
        TYPE_IDS[resource_type],
        resource_id,
        since_us or 0,
        before[2],
        count + 1 if count else _ALL,
    ]
    predicate = visibility.of(resource_type).sql("r", arguments)
    past = visibility.of(resource_type).sql("v", arguments)  # each version by its own labels and patient too
    versions = f"""
        WITH present AS (SELECT * FROM record.resource r WHERE r.type = $1 AND r.id = $2 AND {predicate})
        SELECT {COLUMNS} FROM (
          SELECT h.* FROM (
            SELECT row_id, type, id, version, updated, deleted, patient_id, body, {MAX_US} AS until
            FROM present
            UNION ALL
            SELECT v.row_id, v.type, v.id, v.version, v.updated, v.deleted, v.patient_id, v.body,
                   {_UNTIL} AS until
            FROM record.history v WHERE v.row_id = (SELECT row_id FROM present) AND {past}
          ) h
          WHERE h.updated >= $3 AND h.version < $4 AND {_at_clause(at, arguments)}
        ) r
        ORDER BY r.version DESC LIMIT $5
    """
    if count == 0:
        versions = f"SELECT count(*) AS total FROM ({versions}) c"
    rows = await conn.fetch(versions, *arguments)
    total = rows[0]["total"] if count == 0 else None
    if not rows or total == 0:
        bound: list[Any] = arguments[:2]
        known = await conn.fetchrow(
            "SELECT 1 FROM record.resource r WHERE r.type = $1 AND r.id = $2"
            f" AND {visibility.of(resource_type).sql('r', bound)}",
            *bound,
        )
        if known is None:
            raise missing(resource_type, resource_id)
    return _page(rows, count) if total is None else Page(matches=(), total=total)


def _page(rows: list[Any], count: int) -> Page:
    shown = rows[:count]
    more = len(rows) > count and bool(shown)
    return Page(
        matches=tuple(stored(row) for row in shown),
        next_cursor=_cursor_text(shown[-1]) if more else "",
    )
