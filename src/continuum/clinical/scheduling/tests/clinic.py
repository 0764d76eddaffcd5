"""A small clinic behind a real door: a clinician with a template, a room, a kind of visit, two families."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from typing import Any

from continuum.access import Access, Session
from continuum.access.actor import USUAL_PURPOSE, Actor
from continuum.access.claims import Claims
from continuum.clinical.scheduling.model import Calendar, Closed, Rule, calendar_of, with_calendar
from continuum.clinical.scheduling.opening import keep_open
from continuum.clinical.scheduling.reading import read

NOW = datetime(2026, 11, 23, 13, tzinfo=UTC)
ZONE = "America/New_York"
RULE = Rule("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", time(9), time(12), 30, date(2026, 11, 1), seats=1, overbooked_max=1)


def schedule(
    name: str, *rules: Rule, closed: tuple[Closed, ...] = (), hours: Iterable[datetime] = (), horizon_days: int = 7
) -> dict[str, Any]:
    made = {
        "resourceType": "Schedule", "id": name, "active": True,
        "actor": [{"reference": "Practitioner/dr"}, {"reference": "Location/clinic"},
                  {"reference": "HealthcareService/family"}],
    }  # fmt: skip
    calendar = Calendar(name, True, "dr", "clinic", "family", rules, closed, horizon_days,
                        closed_hours=frozenset(hours))  # fmt: skip
    return with_calendar(made, calendar)


class Clinic:
    """The door, its people's sessions, and the calendar of one clinician."""

    def __init__(self, pool: Any) -> None:
        self.pool = pool
        self.door = Access(pool.connection, key_secret=bytes(32), audit_secret=bytes(32))
        self.claims = Claims(self.door)

    def session(self, role: str, *, patient_id: str = "", workflow: bool = True) -> Session:
        actor = Actor(
            f"{role}-{patient_id}", role, facility_id="f" if role not in {"patient", "system"} else None,
            patient_id=patient_id or None,
        )  # fmt: skip
        return self.door.open(
            actor, USUAL_PURPOSE[role], source="192.0.2.1", request_id="r", workflow=workflow and role != "system"
        )

    @property
    def system(self) -> Session:
        return self.session("system")

    async def furnish(self, *rules: Rule, horizon_days: int = 7) -> "Clinic":
        zone = {"url": "http://hl7.org/fhir/StructureDefinition/timezone", "valueCode": ZONE}
        for resource in (
            {"resourceType": "Organization", "id": "f", "name": "Fort Maple Clinic"},
            {"resourceType": "Location", "id": "clinic", "name": "Fort Maple Clinic", "extension": [zone],
             "managingOrganization": {"reference": "Organization/f"}},
            {"resourceType": "Practitioner", "id": "dr", "name": [{"family": "Okafor", "given": ["Ada"]}],
             "communication": [{"coding": [{"system": "urn:ietf:bcp:47", "code": "es"}]}]},
            {"resourceType": "HealthcareService", "id": "family", "active": True, "name": "Family medicine",
             "providedBy": {"reference": "Organization/f"}},
            *(
                {"resourceType": "Patient", "id": name, "name": [{"family": f"Family-{name}"}],
                 "managingOrganization": {"reference": "Organization/f"}}
                for name in ("ana", "ben", "cleo")
            ),
            schedule("week", *(rules or (RULE,)), horizon_days=horizon_days),
        ):  # fmt: skip
            await self.system.update(resource)
        await self.open()
        return self

    async def open(self, now: datetime = NOW) -> tuple[int, int]:
        found = await read(self.system, "Schedule", "week")
        return await keep_open(self.system, self.claims, calendar_of(found, horizon_days=7), now)
