"""Whose messages a page is about: one's own, or those of a child in one's care."""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from continuum.access import Session
from continuum.access.actor import USUAL_PURPOSE, Actor
from continuum.access.views import View
from continuum.apps.frame.visit import Visit
from continuum.apps.portal.area import BASE
from continuum.apps.portal.whose import Other, now_of, whose
from continuum.chart.entry import N_
from continuum.clinical.messaging.box import Box
from continuum.clinical.messaging.model import Who
from continuum.clinical.messaging.reading import body, box_of, find, safe, teams_of
from continuum.clinical.messaging.rules import Team, team
from continuum.clinical.messaging.threads import Thread
from continuum.interop.cutover.status import Facility
from continuum.interop.cutover.status import facility as facility_at
from continuum.kernel.errors import Forbidden

SCOPES = (
    "system/Communication.cruds system/Task.cruds system/Patient.rs system/CareTeam.rs system/Organization.rs"
    " system/Practitioner.rs system/Location.rs"
)
"""What writing for a child opens, and nothing else of the record."""
CHILDREN_ONLY = N_("You can write for a child in your care. Messages of a teenager or of another adult are their own.")


@dataclass(slots=True)
class Correspondent:
    """The person whose messages a page is about. other: None for the own ones."""

    patient_id: str
    session: Session
    box: Box
    who: Who
    now: datetime
    zone: ZoneInfo
    other: Other | None
    facility_id: str
    age_years: int
    name: str

    @property
    def base(self) -> str:
        """Where the pages begin."""
        return f"{BASE}/messages/{'me' if self.other is None else self.patient_id}"

    async def teams(self) -> list[Team]:
        """The teams to which this person may write now."""
        found = await self.all_teams()
        return [one for one in found if one.serves(self.age_years)]

    async def all_teams(self) -> list[Team]:
        """All teams of the facility and of the person."""
        return await teams_of(self.session, self.facility_id, self.patient_id) if self.facility_id else []

    async def team(self, team_id: str) -> Team | None:
        """A team that is open to them, wherever it is: who has moved still writes to whom they wrote before."""
        found, _ = await find(self.session, "CareTeam", f"_id={safe(team_id)}") if team_id else ([], {})
        return next((team(one) for one in found), None)

    async def older(self) -> Facility | None:
        """Their facility while it is still on the older portal: its teams are written to there."""
        if not self.facility_id:
            return None
        found = facility_at(body(await self.session.read("Organization", self.facility_id)), self.now)
        return None if found.live else found

    async def threads(self) -> list[Thread]:
        """Their latest threads."""
        return (await box_of(self.session, self.patient_id))[1]


async def correspondent(x: Visit) -> Correspondent:
    """Whom the address names. Raises as `whose`, and Forbidden for whom one may not write."""
    here = await whose(x)
    if here.other is not None and here.other.why != "child":
        raise Forbidden(CHILDREN_ONLY)
    assert x.account is not None, "somebody stands here"
    actor = Actor(
        x.account.account_id, "patient", x.account.display_name, patient_id=here.patient_id,
        scopes="" if here.own else SCOPES,
    )  # fmt: skip
    session = x.access.open(
        actor, USUAL_PURPOSE["patient"], source=x.origin.source, request_id=x.origin.request_id, workflow=True
    )
    view = await session.view("whose messages", here.patient_id, {})
    facility = str(view.patient.get("managingOrganization", {}).get("reference", "")).rpartition("/")[2]
    if facility:
        x.zone = await x.zones.of(session, facility)
    box = Box(x.access, x.services.sign_on.vault, x.account.account_id)
    who = Who(x.account.account_id, x.account.display_name)
    name = here.other.name if here.other is not None else x.account.display_name
    return Correspondent(
        here.patient_id, session, box, who, now_of(x), x.zone, here.other, facility, _age(view, x.reader.today), name
    )


def _age(view: View, today: date) -> int:
    try:
        born = date.fromisoformat(str(view.patient.get("birthDate", "")))
    except ValueError:
        return 0
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))
