"""For whom somebody books: for themselves, or for a child in their care."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from continuum.access import Session
from continuum.access.actor import USUAL_PURPOSE, Actor
from continuum.access.claims import Claims
from continuum.apps.frame.visit import Visit
from continuum.apps.portal.area import BASE
from continuum.apps.portal.whose import READ_ONLY, Other, now_of, whose
from continuum.kernel.errors import Forbidden

_SCOPES = (
    "system/Appointment.cruds system/QuestionnaireResponse.cruds system/Patient.rs system/Schedule.rs system/Slot.rs"
    " system/Practitioner.rs system/Location.rs system/Organization.rs system/HealthcareService.rs"
    " system/Questionnaire.rs"
)
"""What acting for a child in matters of appointments opens, and nothing else of the record."""


@dataclass(slots=True)
class Booker:
    """The person whose appointments a page is about. other: None for the own ones."""

    patient_id: str
    session: Session
    claims: Claims
    now: datetime
    zone: ZoneInfo
    other: Other | None
    facility_id: str

    @property
    def base(self) -> str:
        """Where the pages begin."""
        return f"{BASE}/appointments/{'me' if self.other is None else self.patient_id}"


async def booker(x: Visit) -> Booker:
    """For whom the address says. Raises as `whose`, and Forbidden for somebody whose record one may only look at."""
    here = await whose(x)
    if here.other is not None and here.other.why == "grant":
        raise Forbidden(READ_ONLY)
    assert x.account is not None, "somebody stands here"
    actor = Actor(
        x.account.account_id, "patient", x.account.display_name, patient_id=here.patient_id,
        scopes="" if here.own else _SCOPES,
    )  # fmt: skip
    session = x.access.open(
        actor, USUAL_PURPOSE["patient"], source=x.origin.source, request_id=x.origin.request_id, workflow=True
    )
    patient = (await session.view("whose appointments", here.patient_id, {})).patient
    facility = str(patient.get("managingOrganization", {}).get("reference", "")).rpartition("/")[2]
    if facility:
        x.zone = await x.zones.of(session, facility)
    return Booker(here.patient_id, session, Claims(x.access), now_of(x), x.zone, here.other, facility)
