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
    """What goes into an access token. practitioner_id: who a member of staff is in the record."""

    role: str = NOBODY
    facility_id: str | None = None
    patient_id: str | None = None
    practitioner_id: str | None = None
    privilege_id: str = ""


async def of(conn: Connection, account: Account, session: Session, scope: str, today: date) -> Standing:
    """The standing that a session has under a scope: `staff` goes before `patient`; below Premium there is none.

    Of several roles it is the one that the session has chosen, as long as it is held; else the first.
    """
    wanted = set(scope.split())
    if not session.assurance.reaches(PREMIUM):
        return Standing()
    if "staff" in wanted:
        privileges = await staff.of(conn, account.account_id, today)
        if privileges:
            chosen = [one for one in privileges if one.privilege_id == session.privilege_id] or privileges
            return Standing(
                chosen[0].role, facility_id=chosen[0].facility_id, practitioner_id=account.practitioner_id,
                privilege_id=chosen[0].privilege_id,
            )  # fmt: skip
    if "patient" in wanted and account.person_id is not None:
        entry = await registry.get(conn, account.person_id)
        if entry is not None and entry.person.patient_id is not None:
            return Standing("patient", patient_id=entry.person.patient_id)
    return Standing()
