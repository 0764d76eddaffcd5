"""Which profiles, security labels and tags present resources have ($meta of a type or of everything).

record.mark says what there ever was; each is looked for in the search index as a search for it would, so the cost grows
with the marks and not with the resources that have them.
"""

from collections.abc import Sequence

from continuum.fhir.query import Criterion, Query, Value
from continuum.fhir.search_params import param
from continuum.fhir.types import TYPE_IDS, TYPE_NAMES
from continuum.kernel.errors import TooCostly
from continuum.record.index_rules import refuse_unready_marks
from continuum.record.keys import Keys
from continuum.record.limits import MARKS_MAX
from continuum.record.model import Mark
from continuum.record.read import Connection
from continuum.record.search.efforts import rows_of, statistics_of
from continuum.record.search.plan import Planner
from continuum.record.visibility import Visibility


async def marks_in_use(
    conn: Connection, resource_types: Sequence[str], *, visibility: Visibility, keys: Keys
) -> list[Mark]:
    """The marks that some visible resource of these types has, each once, under the first of its types.

    A profile that was named without a version is in use as long as any version of it is.

    Raises:
        NotYetIndexed: what was there before is still being looked through for them.
        TooCostly: there were ever more than MARKS_MAX of them.
    """
    await refuse_unready_marks(conn, resource_types, keys)
    rows = await conn.fetch(
        "SELECT type, element, system, code FROM record.mark WHERE type = ANY($1::smallint[]) LIMIT $2",
        [TYPE_IDS[name] for name in resource_types],
        MARKS_MAX + 1,
    )
    if len(rows) > MARKS_MAX:
        raise TooCostly(
            f"More than {MARKS_MAX} different profiles, security labels and tags were ever given here;"
            " ask one type at a time, or search for the one that you mean."
        )
    found: list[Mark] = []
    for row in sorted(rows, key=lambda row: (row["element"], row["system"], row["code"], row["type"])):
        mark = Mark(TYPE_NAMES[row["type"]], row["element"], row["system"], row["code"])
        known = bool(found) and found[-1][1:] == mark[1:]
        if not known and await _has_one(conn, mark, visibility, keys):
            found.append(mark)
    return found


async def _has_one(conn: Connection, mark: Mark, visibility: Visibility, keys: Keys) -> bool:
    """Whether any visible resource has the mark."""
    asked = param(mark.resource_type, f"_{mark.element}")
    assert asked is not None, "every type has these parameters"
    value = Value(mark.code) if mark.element == "profile" else Value(mark.code, system=mark.system, code=mark.code)
    query = Query(mark.resource_type, where=(Criterion(asked, "", (value,)),), count=1)
    planner = Planner(query, visibility, keys, await statistics_of(conn, keys))
    rows, _ = await rows_of(conn, planner, None, 1, with_total=False)
    return any(row["row_id"] is not None for row in rows)
