"""Who plans waves and moves, and when it is."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

from continuum.access import Session
from continuum.access.actor import USUAL_PURPOSE, Actor
from continuum.apps.frame.visit import Visit
from continuum.apps.workspace.area import BASE, staff
from continuum.chart.entry import N_
from continuum.identity.staff import ADMINISTRATOR, REGISTRAR
from continuum.interop.cutover.waves import Plan, plan
from continuum.kernel.errors import Forbidden, Invalid

PLANNERS, MOVERS = frozenset({ADMINISTRATOR}), frozenset({REGISTRAR})
NOT_YOURS = N_("Waves are planned by administrators. You may look at the plan.")
NOT_A_REGISTRAR = N_("Moves are recorded by registrars.")
WAVES, MOVES = f"{BASE}/waves", f"{BASE}/moves"


@dataclass(slots=True)
class Planner:
    """Somebody at the plan. may: whether they may change it."""

    session: Session
    now: datetime
    plan: Plan
    may: bool

    def allowed(self) -> None:
        """Raises Forbidden for those who may look only."""
        if not self.may:
            raise Forbidden(NOT_YOURS)

    @property
    def today(self) -> date:
        """The day that is everywhere: no facility is still in the one before."""
        return min((one.today for one in self.plan.facilities), default=self.now.date())


def now_of(x: Visit) -> datetime:
    """The present, for rules."""
    return datetime.fromtimestamp(x.access.clock() / 1_000_000, UTC)


async def planner(x: Visit) -> Planner:
    """Lets in those who plan, and registrars to look. Raises SignInFirst, Forbidden."""
    await staff(x)
    if x.standing.role not in PLANNERS | MOVERS:
        raise Forbidden(NOT_YOURS)
    session, now = x.record(), now_of(x)
    return Planner(session, now, await plan(session, now), x.standing.role in PLANNERS)


def server_session(x: Visit) -> Session:
    """The record as the server acts in it: what follows from a plan that somebody was allowed to make."""
    actor = Actor("continuum", "system", "Continuum")
    return x.access.open(
        actor, USUAL_PURPOSE["system"], source=x.origin.source, request_id=x.origin.request_id
    )  # fmt: skip


def day_of(text: str) -> date:
    """A day that somebody typed. Raises Invalid."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise Invalid(N_("Write the day as 2027-03-31.")) from error
