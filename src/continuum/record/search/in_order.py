"""Orders that no index has: by tokens, references and what else only the resources themselves say.

The matches are read, bounded, and ordered here; a page is cut from them by the same rule as in SQL.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from continuum.fhir.index import Index, extract
from continuum.fhir.json import parse
from continuum.fhir.search_params import UNIONS
from continuum.record.read import stored
from continuum.record.search.order import Cursor, Key, place

READ_TOGETHER = 64
"""Resources read before others get their turn."""


async def ordered(rows: Sequence[Any], keys: tuple[Key, ...], cursor: Cursor | None) -> list[dict[str, Any]]:
    """The rows with all their keys, in order, from the cursor on."""
    found = []
    for number, row in enumerate(rows):
        if number % READ_TOGETHER == READ_TOGETHER - 1:
            await asyncio.sleep(0)
        whole = dict(row)
        body = stored(row).body
        index = extract(parse(body)) if body is not None else Index()
        for at, key in enumerate(keys):
            if key.told_by is not None:
                whole[f"k{at}"] = told(key, index)
        if cursor is None or _comes_after(whole, keys, cursor):
            found.append(whole)
    return arranged(found, keys)


def arranged(found: list[dict[str, Any]], keys: tuple[Key, ...]) -> list[dict[str, Any]]:
    """Rows that have all their keys, in order."""
    # From the last key to the first: Python's sort keeps what the later keys have said.
    found = sorted(found, key=lambda row: int(row["row_id"]), reverse=bool(keys) and keys[-1].descending)
    for at in range(len(keys) - 1, -1, -1):
        name, down = f"k{at}", keys[at].descending
        present = [row for row in found if row[name] is not None]
        absent = [row for row in found if row[name] is None]
        present.sort(key=lambda row, name=name: row[name], reverse=down)  # type: ignore[misc]
        found = present + absent
    return found


def told(key: Key, index: Index) -> str | None:
    """The least value when the order rises, the greatest when it falls: a token's code, a reference's target, a uri."""
    assert key.told_by is not None, "only asked of keys that the resource tells"
    codes = UNIONS.get(key.told_by.resource_type, {}).get(key.told_by.code, (key.told_by.code,))
    texts = [code or system for param, system, code in index.tokens if param in codes]
    texts += [target for param, target in index.references if param in codes]
    texts += [uri for param, uri in index.uris if param in codes]
    if not texts:
        return None
    return max(texts) if key.descending else min(texts)


def _comes_after(row: dict[str, Any], keys: tuple[Key, ...], cursor: Cursor) -> bool:
    for at, (key, last) in enumerate(zip(keys, cursor.keys, strict=True)):
        mine = row[f"k{at}"]
        if last is None:
            if mine is not None:
                return False
            continue
        if mine is None:
            return True
        there = place(last, key)
        if mine != there:
            return bool(mine < there if key.descending else mine > there)
    mine_row = int(row["row_id"])
    return mine_row < cursor.row_id if keys and keys[-1].descending else mine_row > cursor.row_id
