"""As whom somebody may act at the API: a role, with the facility or the patient that goes with it."""

from dataclasses import dataclass
from datetime import date

from continuum.identity import registry, staff
from continuum.identity.accounts import Account
from continuum.identity.sessions import PREMIUM, Session
from continuum.record.read import Connection

NOBODY = "account"
"""The role of somebody whom the record does not know: signed in, and nothing else."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What goes into an access token."""

    role: str = NOBODY
    facility_id: str | None = None
    patient_id: str | None = None


async def of(conn: Connection, account: Account, session: Session, scope: str, today: date) -> Standing:
    """The standing that a session has under a scope: `staff` goes before `patient`; below Premium there is none."""
    wanted = set(scope.split())
    if not session.assurance.reaches(PREMIUM):
        return Standing()
    if "staff" in wanted:
        privileges = await staff.of(conn, account.account_id, today)
        if privileges:
            first = privileges[0]
            return Standing(first.role, facility_id=first.facility_id)
    if "patient" in wanted and account.person_id is not None:
        entry = await registry.get(conn, account.person_id)
        if entry is not None and entry.person.patient_id is not None:
            return Standing("patient", patient_id=entry.person.patient_id)
    return Standing()
