"""Files that go out: of a facility, and of one person."""

from collections.abc import AsyncIterator
from datetime import datetime

from continuum.access import Session
from continuum.interop.cutover.form import written
from continuum.interop.cutover.origin import OURS
from continuum.interop.cutover.outgoing import Travelling, people_of, travelling
from continuum.interop.cutover.status import Facility


def _about(facility: Facility) -> dict[str, str]:
    return {"id": facility.id, "name": facility.name}


async def facility_lines(session: Session, facility: Facility, now: datetime) -> AsyncIterator[bytes]:
    """The lines of a facility's file: everybody whose care is there."""
    count = 0
    begin, _ = written(_about(facility), OURS, now, [])
    yield begin
    async for patient in people_of(session, facility.id):
        found = await travelling(session, str(patient["id"]))
        _, *rows, _ = written(_about(facility), OURS, now, [(found.person, found.appointments, found.threads)])
        count += len(rows)
        for row in rows:
            yield row
    yield b'{"row":"end","rows":%d}\n' % count


def person_file(found: Travelling, facility: Facility, now: datetime) -> bytes:
    """The file of one person, for the facility that they go to."""
    people = [(found.person, found.appointments, found.threads)]
    return b"".join(written(_about(facility), OURS, now, people))
