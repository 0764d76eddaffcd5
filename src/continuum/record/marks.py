"""Which profiles, security labels and tags there may be (record.mark), by type: what no key can be turned back into.

A row is written once for each mark, not for each resource; a process remembers what is there for certain. Nothing is
taken away with a resource: whether a mark is still in use is asked of the search index (record/search/in_use.py).
"""

from collections.abc import Iterable

from continuum.fhir.types import TYPE_IDS
from continuum.record.entry import Prepared
from continuum.record.limits import MARKS_SETTLED_MAX
from continuum.record.model import Mark
from continuum.record.read import Connection

_FILE = """
INSERT INTO record.mark (key, type, element, system, code)
SELECT * FROM unnest($1::bigint[], $2::smallint[], $3::text[], $4::text[], $5::text[]) ON CONFLICT DO NOTHING
"""
_COMMITTED = "SELECT key FROM record.mark WHERE key = ANY($1::bigint[]) AND xmin <> pg_current_xact_id()::xid"
"""What this very transaction has written may still be undone, so it is not remembered."""


async def file_marks(conn: Connection, written: Iterable[Prepared], settled: set[int]) -> None:
    """Files the marks of what is written that are not `settled` yet, and settles those that were committed before."""
    new: dict[int, Mark] = {}
    for prepared in written:
        if prepared.marks and not prepared.marks.keys() <= settled:
            new.update(prepared.marks)
    if not new:
        return
    keys = sorted(new)  # two writers of the same marks wait for each other in one order
    rows = [(key, TYPE_IDS[new[key].resource_type], *new[key][1:]) for key in keys]
    await conn.execute(_FILE, *(list(column) for column in zip(*rows, strict=True)))
    if len(settled) + len(new) > MARKS_SETTLED_MAX:
        settled.clear()
    settled.update(row["key"] for row in await conn.fetch(_COMMITTED, keys))
