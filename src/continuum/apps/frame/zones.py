"""The time zone of a facility, as its place in the record says it; looked up once for each worker and facility."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from continuum.access import Session
from continuum.fhir.json import parse
from continuum.kernel.errors import DomainError

TIMEZONE = "http://hl7.org/fhir/StructureDefinition/timezone"
_KEPT_MAX = 4_096
_UTC = ZoneInfo("UTC")


class Zones:
    """Zones by the id of the facility."""

    def __init__(self) -> None:
        self._known: dict[str, ZoneInfo] = {}

    async def of(self, session: Session, facility_id: str) -> ZoneInfo:
        """The zone of a facility; UTC where the record does not say one."""
        found = self._known.get(facility_id)
        if found is None:
            found = await _looked_up(session, facility_id)
            if len(self._known) >= _KEPT_MAX:
                self._known.clear()
            self._known[facility_id] = found
        return found


async def _looked_up(session: Session, facility_id: str) -> ZoneInfo:
    try:
        page = await session.search(session.parse("Location", f"organization={facility_id}&_count=5"))
    except DomainError:
        return _UTC
    for stored in page.matches:
        place = parse(stored.body or b"{}")
        for extension in place.get("extension", ()):
            if extension.get("url") == TIMEZONE:
                try:
                    return ZoneInfo(str(extension.get("valueCode", "")))
                except (ZoneInfoNotFoundError, ValueError):
                    continue
    return _UTC
