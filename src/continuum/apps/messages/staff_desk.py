"""Who of the staff is here, for whom they stand in, and who else there is."""

from dataclasses import dataclass
from datetime import datetime

from continuum.access import Session
from continuum.apps.frame.visit import Visit
from continuum.apps.portal.whose import now_of
from continuum.apps.workspace.area import BASE, staff
from continuum.chart.desk import Desk
from continuum.chart.entry import N_
from continuum.clinical.messaging.coverage import ROLES, Coverage
from continuum.clinical.messaging.limits import STAFF_MAX
from continuum.clinical.messaging.model import Who
from continuum.clinical.messaging.reading import teams_of
from continuum.clinical.messaging.rules import Team
from continuum.identity import staff as privileges
from continuum.identity.staff import Colleague
from continuum.kernel.errors import Forbidden

HOME = f"{BASE}/messages"
NOT_YOURS = N_("Messages are answered by those who treat: physicians, nurses, dentists, medics.")


@dataclass(slots=True)
class StaffDesk:
    """A member of staff at the messages of their facility. covers: accounts for which they stand in now."""

    desk: Desk
    session: Session
    who: Who
    facility_id: str
    now: datetime
    coverage: Coverage
    covers: frozenset[str]
    x: Visit

    async def teams(self) -> list[Team]:
        """The teams of the facility that take messages."""
        found = await teams_of(self.session, self.facility_id)
        return [one for one in found if one.takes_messages]

    async def colleagues(self) -> list[Colleague]:
        """Who else answers messages at the facility today."""
        on = self.x.services.sign_on
        async with on.connect() as conn:
            found = await privileges.at(conn, self.facility_id, on.today(), roles=ROLES, limit=STAFF_MAX)
        return [one for one in found if one.account_id != self.who.account_id]


async def staff_desk(x: Visit) -> StaffDesk:
    """Lets in those who answer messages. Raises SignInFirst, Forbidden."""
    desk = await staff(x)
    if x.standing.role not in ROLES or not x.standing.facility_id:
        raise Forbidden(NOT_YOURS)
    assert x.account is not None, "somebody stands here"
    coverage = Coverage(x.access)
    account_id = x.account.account_id
    covers = frozenset(
        one.account_id for one in await coverage.covered_by(account_id) if one.facility_id == x.standing.facility_id
    )
    who = Who(account_id, x.account.display_name)
    return StaffDesk(desk, x.record(), who, x.standing.facility_id, now_of(x), coverage, covers, x)
