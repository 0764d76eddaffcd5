"""The accounting of disclosures (45 CFR 164.528): who was shown a record, but for treatment, payment and operations.

It reaches back six years.

Left out, as the rule leaves it out, is what the persons themselves or those who act for them did or had sent, and what
is done for treatment (an emergency too), payment and operations. Commanders and those who keep readiness are in it
although their purpose is an operation: to them it is disclosed under 164.512(k)(1), which is to be accounted for.
Like disclosures to one party stand together with the first, the last and their number, as (b)(3) allows.
"""

from dataclasses import dataclass
from typing import Any

from continuum.access.actor import MEMBERSHIPS, PURPOSES
from continuum.access.limits import DISCLOSURES_MAX, DISCLOSURES_YEARS
from continuum.access.telling import DEEDS, NO_THING, OTHER_DEED, OTHER_THING, THINGS
from continuum.fhir.types import TYPE_NAMES
from continuum.record.read import Connection

ACCOUNTED = ("PUBHLTH", "HRESCH")
"""Purposes of use outside treatment, payment and operations."""
COMMANDING = tuple(sorted(role for role, groups in MEMBERSHIPS.items() if "readiness" in groups))
"""Roles to which it is disclosed as to military command authorities."""
SHOWING = (
    "read", "vread", "search", "history", "everything", "encounter-everything", "lastn", "exported", "share", "notify",
    "events", "transaction", "match", "bulkfile",
)  # fmt: skip
"""Acts by which somebody is shown something."""
COMMAND = "fitness for duty (military command, 45 CFR 164.512(k)(1))"
"""What the purpose of commanders is called."""
_YEAR_US = 366 * 86_400_000_000


@dataclass(frozen=True, slots=True)
class Disclosure:
    """Like disclosures to one party. first_us, last_us: when; number: how many. deed, thing, purpose: plain words.

    who: an account's id, or the name that a program goes by. source: the network address of the last one.
    """

    first_us: int
    last_us: int
    number: int
    who: str
    role: str
    source: str
    deed: str
    thing: str
    kind: str
    purpose: str


_SELECT = """
SELECT a.actor, a.role, a.purpose, a.interaction, a.type, min(a.at) AS first, max(a.at) AS last, count(*) AS number,
       (array_agg(a.source ORDER BY a.seq DESC))[1] AS source
  FROM record.audit a
 WHERE a.seq IN (SELECT seq FROM record.audit WHERE patient_id = $1
                 UNION ALL SELECT seq FROM record.audit_patient WHERE patient_id = $1)
   AND a.at >= $2 AND a.outcome = 0 AND a.interaction = ANY ($3::text[])
   AND (a.purpose = ANY ($4::text[]) OR a.role = ANY ($5::text[]))
 GROUP BY a.actor, a.role, a.purpose, a.interaction, a.type
 ORDER BY max(a.at) DESC, a.actor, a.interaction, a.type LIMIT $6
"""


async def accounting(conn: Connection, patient_id: str, now_us: int) -> tuple[list[Disclosure], bool]:
    """The disclosures of a patient's record, the latest first; and whether there are more than are told."""
    rows = await conn.fetch(
        _SELECT, patient_id, now_us - DISCLOSURES_YEARS * _YEAR_US, list(SHOWING), list(ACCOUNTED), list(COMMANDING),
        DISCLOSURES_MAX + 1,
    )  # fmt: skip
    return [_disclosure(row) for row in rows[:DISCLOSURES_MAX]], len(rows) > DISCLOSURES_MAX


def _disclosure(row: Any) -> Disclosure:
    kind = TYPE_NAMES.get(row["type"], "")
    return Disclosure(
        first_us=row["first"],
        last_us=row["last"],
        number=row["number"],
        who=row["actor"],
        role=row["role"].replace("-", " "),
        source=row["source"],
        deed=DEEDS.get(row["interaction"], OTHER_DEED),
        thing=THINGS.get(kind, OTHER_THING if kind else NO_THING),
        kind=kind,
        purpose=COMMAND if row["role"] in COMMANDING else PURPOSES[row["purpose"]],
    )
