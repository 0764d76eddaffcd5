"""Finding resources of calendars and appointments through a session."""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from continuum.access import Session, Stored
from continuum.clinical.scheduling.model import Calendar, Resource
from continuum.fhir.json import parse

_TIMEZONE = "http://hl7.org/fhir/StructureDefinition/timezone"


def body(stored: Stored) -> Resource:
    """A stored version as a resource."""
    assert stored.body is not None, "what is found is not deleted"
    found: Resource = parse(stored.body)
    return found


async def read(session: Session, kind: str, resource_id: str) -> Resource:
    """One resource. Raises NotFound, Gone."""
    return body(await session.read(kind, resource_id))


async def find(session: Session, kind: str, criteria: str) -> tuple[list[Resource], dict[str, Resource]]:
    """One page of a search: the matches in their order, and what was included, by reference."""
    page = await session.search(session.parse(kind, criteria))
    included = {f"{one.resource_type}/{one.id}": body(one) for one in page.included}
    return [body(one) for one in page.matches], included


def zone_of(location: Mapping[str, Any]) -> ZoneInfo:
    """The zone of a facility or a place; UTC for one that says none."""
    for one in location.get("extension", ()):
        if one.get("url") == _TIMEZONE:
            try:
                return ZoneInfo(str(one.get("valueCode", "UTC")))
            except (ZoneInfoNotFoundError, ValueError):
                return ZoneInfo("UTC")
    return ZoneInfo("UTC")


async def zone_at(session: Session, calendar: Calendar) -> ZoneInfo:
    """The zone in which a calendar's rules speak."""
    if not calendar.location_id:
        return ZoneInfo("UTC")
    return zone_of(await read(session, "Location", calendar.location_id))
