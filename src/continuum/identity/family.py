"""Who is in whose care by the registry: children and wards of a sponsor, also for the sponsor's spouse."""

from datetime import date

from continuum.identity import registry
from continuum.identity.limits import DEPENDENTS_MAX
from continuum.identity.registry import Person
from continuum.record.read import Connection

_IN_CARE = """
WITH sponsor AS (
  SELECT $1::text AS person_id
  UNION
  SELECT s.sponsor_id FROM identity.sponsorship s
   WHERE s.dependent_id = $1 AND s.relation = 'spouse' AND s.starts <= $2 AND (s.ends IS NULL OR s.ends >= $2)
)
SELECT DISTINCT c.dependent_id FROM identity.sponsorship c JOIN sponsor ON sponsor.person_id = c.sponsor_id
 WHERE c.relation IN ('child', 'ward') AND c.starts <= $2 AND (c.ends IS NULL OR c.ends >= $2)
   AND c.dependent_id <> $1
 LIMIT $3
"""


async def in_care(conn: Connection, person_id: str, today: date) -> list[Person]:
    """Children and wards, of any age, whom the person or their spouse sponsors today; the oldest first.

    Of a child whose parents are divorced, the registry names the sponsor; the other parent has a grant or nothing.
    """
    rows = await conn.fetch(_IN_CARE, person_id, today, DEPENDENTS_MAX)
    found = [await registry.get(conn, row["dependent_id"]) for row in rows]
    living = [one.person for one in found if one is not None and one.person.died is None]
    return sorted(living, key=lambda one: (one.born, one.person_id))


async def grown_family(conn: Connection, person_id: str, today: date) -> list[Person]:
    """Adults of the same family: sponsor, spouse and grown children. To them a grant is usually given."""
    rows = await conn.fetch(_FAMILY, person_id, today, DEPENDENTS_MAX)
    found = [await registry.get(conn, row["person_id"]) for row in rows]
    people = [one.person for one in found if one is not None and one.person.died is None]
    return [one for one in people if one.age_years(today) >= ADULT_AGE_YEARS]


ADULT_AGE_YEARS = 18
"""From this age on nobody else decides about somebody's record."""
_FAMILY = """
WITH sponsor AS (
  SELECT $1::text AS person_id
  UNION
  SELECT s.sponsor_id FROM identity.sponsorship s
   WHERE s.dependent_id = $1 AND s.starts <= $2 AND (s.ends IS NULL OR s.ends >= $2)
), kin AS (
  SELECT person_id FROM sponsor
  UNION
  SELECT c.dependent_id FROM identity.sponsorship c JOIN sponsor ON sponsor.person_id = c.sponsor_id
   WHERE c.starts <= $2 AND (c.ends IS NULL OR c.ends >= $2)
)
SELECT person_id FROM kin WHERE person_id <> $1 ORDER BY person_id LIMIT $3
"""


async def household(conn: Connection, patient_id: str, today: date) -> list[Person]:
    """The family of a patient by the registry, without the patient: who usually moves together; the oldest first."""
    own = await conn.fetchrow("SELECT person_id FROM identity.person WHERE patient_id = $1", patient_id)
    if own is None:
        return []
    rows = await conn.fetch(_FAMILY, own["person_id"], today, DEPENDENTS_MAX)
    found = [await registry.get(conn, row["person_id"]) for row in rows]
    people = [one.person for one in found if one is not None and one.person.died is None]
    return sorted((one for one in people if one.patient_id is not None), key=lambda one: (one.born, one.person_id))
