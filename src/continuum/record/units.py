"""Which units quantities were filed in (record.unit): what a search in one unit has to convert to.

A row is written once for each unit, not for each quantity; a process remembers what is there for certain.
"""

from collections.abc import Iterable

from continuum.fhir.ucum import Unit
from continuum.record.entry import Prepared
from continuum.record.limits import UNITS_SETTLED_MAX
from continuum.record.read import Connection

_FILE = """
INSERT INTO record.unit (dimension, form) SELECT * FROM unnest($1::text[], $2::text[]) ON CONFLICT DO NOTHING
"""
_COMMITTED = """
SELECT form FROM record.unit
WHERE dimension = ANY($1::text[]) AND form = ANY($2::text[]) AND xmin <> pg_current_xact_id()::xid
"""
"""What this very transaction has written may still be undone, so it is not remembered."""


async def file_units(conn: Connection, written: Iterable[Prepared], settled: set[int]) -> None:
    """Files the units of what is written that are not `settled` yet, and settles those that were committed before."""
    new: dict[int, Unit] = {}
    for prepared in written:
        if not prepared.measures.keys() <= settled:
            new.update(prepared.measures)
    if not new:
        return
    if len(settled) + len(new) > UNITS_SETTLED_MAX:
        settled.clear()
    keys = {unit.form: key for key, unit in sorted(new.items(), key=lambda one: one[1].form)}
    dimensions = [form.partition(" ")[0] for form in keys]
    await conn.execute(_FILE, dimensions, list(keys))
    settled.update(keys[row["form"]] for row in await conn.fetch(_COMMITTED, dimensions, list(keys)))
