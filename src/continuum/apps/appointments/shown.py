"""Appointments as pages show them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from continuum.access import Session
from continuum.chart.entry import N_, Mark
from continuum.clinical.scheduling.booking import may_change
from continuum.clinical.scheduling.finding import Kind, clinician_name, kind_of
from continuum.clinical.scheduling.limits import CHECK_IN_OPENS_HOURS
from continuum.clinical.scheduling.model import (
    AHEAD,
    CHECKED_IN,
    MOVED_FROM,
    Resource,
    actor_of,
    extension_of,
    instant,
    values_of,
)
from continuum.clinical.scheduling.offers import open_until, replaced_by
from continuum.clinical.scheduling.reading import find, zone_of
from continuum.kernel.errors import NotFound

STATUS: Mapping[str, Mark] = {
    "proposed": Mark(N_("offered to you"), "warning"), "pending": Mark(N_("being arranged"), "info"),
    "booked": Mark(N_("booked"), "success"), "arrived": Mark(N_("you have arrived"), "info"),
    "checked-in": Mark(N_("in the clinic"), "info"), "fulfilled": Mark(N_("over")),
    "cancelled": Mark(N_("called off"), "error"), "noshow": Mark(N_("missed"), "error"),
    "waitlist": Mark(N_("waiting for a time"), "info"), "entered-in-error": Mark(N_("entered in error"), "error"),
}  # fmt: skip
_INCLUDES = "_include=Appointment:actor"


@dataclass(frozen=True, slots=True)
class Shown:
    """One appointment.

    starts: in the zone of its place; None for a place on a waiting list. why_not: why the person may not change it by
    themselves.
    """

    resource: Resource
    id: str
    status: Mark
    starts: datetime | None
    ends: datetime | None
    zone: str
    clinician: str
    place: str
    address: str
    phone: str
    kind: Kind | None
    why_not: str
    moved_from: datetime | None
    why_moved: str
    offered_until: datetime | None
    checked_in: datetime | None
    may_check_in: bool
    reason: str
    comment: str
    instead_of: str

    @property
    def state(self) -> str:
        """R4 AppointmentStatus."""
        return str(self.resource["status"])

    @property
    def ahead(self) -> bool:
        """Whether it is still to come."""
        return self.state in AHEAD


def shown(appointment: Resource, included: Mapping[str, Resource], now: datetime, zone: ZoneInfo) -> Shown:
    """An appointment with the names of its people and places."""
    location = included.get(f"Location/{actor_of(appointment, 'Location')}", {})
    service = included.get(f"HealthcareService/{actor_of(appointment, 'HealthcareService')}")
    at = zone_of(location) if location else zone
    starts = instant(appointment["start"]).astimezone(at) if appointment.get("start") else None
    ends = instant(appointment["end"]).astimezone(at) if appointment.get("end") else None
    change = values_of(extension_of(appointment, MOVED_FROM) or {})
    moved = change.get("start")
    checked = extension_of(appointment, CHECKED_IN)
    near = starts is not None and now <= starts <= now + timedelta(hours=CHECK_IN_OPENS_HOURS)
    return Shown(
        appointment, str(appointment["id"]), STATUS.get(str(appointment.get("status")), Mark("")), starts, ends,
        str(at), clinician_name(included.get(f"Practitioner/{actor_of(appointment, 'Practitioner')}", {})),
        str(location.get("name", "")), _address(location), _phone(location), kind_of(service) if service else None,
        may_change(appointment, now) if starts else "", instant(moved).astimezone(at) if moved else None,
        str(change.get("why") or ""),
        open_until(appointment), instant(checked["valueInstant"]) if checked else None,
        near and appointment.get("status") == "booked" and checked is None,
        str(appointment.get("cancelationReason", {}).get("text", "")), str(appointment.get("comment", "")),
        replaced_by(appointment),
    )  # fmt: skip


def _address(location: Mapping[str, Any]) -> str:
    said = location.get("address", {})
    parts = [
        *said.get("line", ()),
        said.get("city", ""),
        f"{said.get('state', '')} {said.get('postalCode', '')}".strip(),
    ]
    return ", ".join(part for part in parts if part)


def _phone(location: Mapping[str, Any]) -> str:
    return next((str(one["value"]) for one in location.get("telecom", ()) if one.get("system") == "phone"), "")


async def listed(session: Session, criteria: str, now: datetime, zone: ZoneInfo) -> list[Shown]:
    """Appointments that match, with their names, in the order of the search."""
    found, included = await find(session, "Appointment", f"{criteria}&{_INCLUDES}")
    return [shown(one, included, now, zone) for one in found]


async def one(session: Session, appointment_id: str, patient_id: str, now: datetime, zone: ZoneInfo) -> Shown:
    """One appointment of a patient. Raises NotFound."""
    safe = all(sign.isalnum() or sign in "-." for sign in appointment_id)
    criteria = f"_id={appointment_id}&patient={patient_id}&_count=1"
    found = await listed(session, criteria, now, zone) if safe and appointment_id else []
    if not found:
        raise NotFound("There is no such appointment.")
    return found[0]
