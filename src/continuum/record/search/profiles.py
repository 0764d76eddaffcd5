"""`_profile:below`: the profiles whose canonical URLs begin with one.

No row says which profiles a resource has; nearly every resource has one, and such rows would cost every write. But
record.mark holds each profile that was ever named, and there are few: those that begin as asked are asked for by key.
"""

from dataclasses import replace

from continuum.fhir.query import Criterion, Query, Value
from continuum.fhir.search_params import UNLISTED_URIS
from continuum.fhir.types import TYPE_IDS
from continuum.kernel.errors import TooCostly
from continuum.record.index_rules import refuse_unready_marks
from continuum.record.keys import Keys
from continuum.record.limits import PROFILES_BELOW_MAX
from continuum.record.read import Connection
from continuum.record.search.clauses import criteria, rewritten


async def profiled(conn: Connection, query: Query, keys: Keys) -> Query:
    """The query with the profiles themselves in place of what they begin with.

    Raises:
        NotYetIndexed: what was there before this release is still being looked through for profiles.
        TooCostly: more than PROFILES_BELOW_MAX profiles of a type begin like that.
    """
    asked = {one for one in criteria(query.where) if one.modifier == "below" and one.param.code in UNLISTED_URIS}
    if not asked:
        return query
    await refuse_unready_marks(conn, sorted({one.param.resource_type for one in asked}), keys)
    known = {one: await _below(conn, one) for one in asked}
    return replace(query, where=tuple(rewritten(clause, lambda one: known.get(one, one)) for clause in query.where))


async def _below(conn: Connection, asked: Criterion) -> Criterion:
    rows = await conn.fetch(
        "SELECT m.code FROM record.mark m WHERE m.type = $1 AND m.element = 'profile'"
        " AND EXISTS (SELECT 1 FROM unnest($2::text[]) AS asked(text) WHERE starts_with(m.code, asked.text)) LIMIT $3",
        TYPE_IDS[asked.param.resource_type],
        [value.text for value in asked.values],
        PROFILES_BELOW_MAX + 1,
    )
    if len(rows) > PROFILES_BELOW_MAX:
        raise TooCostly(f"More than {PROFILES_BELOW_MAX} profiles begin with that; name more of what you look for.")
    return replace(asked, modifier="", values=tuple(Value(code) for code in sorted(row["code"] for row in rows)))
