"""Which different strings there are that begin with some letters: names, of which thousands of people share a few.

For the record's own use: it tells what is filed of all resources, whoever may see them.
"""

from continuum.fhir.text import normalise
from continuum.record.keys import param_id
from continuum.record.read import Connection
from continuum.record.search.conditions import LAST_CHAR

# Each step goes down the index to the next value, so that the cost follows the values and not their bearers.
_NEXT = "SELECT x.value FROM record.string x WHERE x.param = $1::integer AND x.value {} AND x.value < $3::text"
_SPELLED = f"""
WITH RECURSIVE n(value) AS (
  ({_NEXT.format(">= $2::text")} ORDER BY x.value LIMIT 1)
  UNION ALL
  SELECT ({_NEXT.format("> n.value")} ORDER BY x.value LIMIT 1) FROM n WHERE n.value IS NOT NULL
)
SELECT value FROM n WHERE value IS NOT NULL LIMIT $4::bigint
"""


async def spelled(conn: Connection, resource_type: str, code: str, beginning: str, most: int) -> list[str]:
    """The normalised strings of a parameter that begin so, in their order, at most so many."""
    plain = normalise(beginning)
    rows = await conn.fetch(_SPELLED, param_id(resource_type, code), plain, plain + LAST_CHAR, most)
    return [row["value"] for row in rows]
