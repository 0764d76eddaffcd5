"""What becomes of the calendars, appointments and care teams of somebody who leaves: another is there instead."""

from datetime import datetime

from continuum.access import Session
from continuum.chart.leaving import Colleague, hand_on, renamed
from continuum.clinical.scheduling.model import Resource
from continuum.clinical.scheduling.opening import utc


async def handed_on(session: Session, leaver: Colleague, heir: Colleague, now: datetime) -> tuple[int, int]:
    """Times to come keep their hour and go to the heir; how many, and how many could not: nobody to give them to."""

    def change(resource: Resource) -> Resource | None:
        return renamed(resource, leaver.practitioner_id, heir) if heir.practitioner_id else None

    if not leaver.practitioner_id:
        return 0, 0
    who = f"Practitioner/{leaver.practitioner_id}"
    done = left = 0
    for kind, criteria in (
        ("Schedule", f"actor={who}"),
        ("Appointment", f"actor={who}&date=ge{utc(now)}&status=proposed,pending,booked,arrived,checked-in"),
        ("CareTeam", f"participant={who}&status=active"),
    ):
        here, not_here = await hand_on(session, kind, criteria, change)
        done, left = done + here, left + not_here
    return done, left
