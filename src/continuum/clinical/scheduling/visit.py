"""A person's way through the clinic: checked in, in a room, with the clinician, done; each step with its time."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from continuum.access import Operation, Session
from continuum.chart.entry import N_
from continuum.chart.reading import version_of
from continuum.clinical.scheduling.changing import rewrite_all
from continuum.clinical.scheduling.model import (
    FLOW,
    IN_CLINIC,
    Resource,
    actor_of,
    flow_of,
    flow_text,
    instant,
    nested,
    reference_of,
    with_extension,
)
from continuum.clinical.scheduling.reading import find
from continuum.fhir.json import dump, parse
from continuum.kernel.errors import Invalid

STEPS = {
    "arrived": ({"booked", "pending"}, "arrived"),
    "roomed": ({"arrived", "checked-in"}, "checked-in"),
    "started": ({"checked-in", "arrived"}, "checked-in"),
    "finished": ({"checked-in", "arrived"}, "fulfilled"),
    "noshow": ({"booked", "pending"}, "noshow"),
}
"""From which states of an Appointment (R4 AppointmentStatus) each step leads, and to which."""
NOT_NEXT = N_("Somebody has taken this step already, or it does not come next. Look at the board again.")
_CLASS = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB", "display": "ambulatory"}
_ENCOUNTER = {"roomed": "triaged", "started": "in-progress", "finished": "finished"}
"""The state of the Encounter after a step (R4 EncounterStatus)."""
IN_CHART = frozenset(_ENCOUNTER)
"""The steps that are written in the chart as well, which is not for those who only run the calendar."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Where somebody is, and since when. at: booked, arrived, roomed, started, finished or noshow."""

    at: str
    since: datetime | None
    waited: timedelta
    late: bool


def stage(appointment: Resource, now: datetime) -> Waiting:
    """Where a person is on the way through the clinic, and how long they have waited for the clinician."""
    flow = flow_of(appointment)
    status = str(appointment.get("status", ""))
    starts = instant(appointment["start"])
    at = next((step for step in reversed(IN_CLINIC) if step in flow), "booked")
    if status in {"noshow", "cancelled"}:
        at = status
    arrived = flow.get("arrived")
    until = flow.get("started") or flow.get("finished") or now
    # Who comes early waits from the time of the appointment on.
    waited = until - max(arrived, starts) if arrived is not None else timedelta()
    late = at == "booked" and now > starts + timedelta(minutes=5)
    return Waiting(at, flow.get(at), max(waited, timedelta()), late)


def may(appointment: Resource, step: str) -> bool:
    """Whether a step is possible from where an appointment is."""
    allowed = str(appointment.get("status", "")) in STEPS[step][0]
    flow = flow_of(appointment)
    if step == "roomed":
        return allowed and "roomed" not in flow and "started" not in flow
    if step == "started":
        return allowed and "started" not in flow
    return allowed and (step != "finished" or "started" in flow)


def stepped(appointment: Resource, step: str, now: datetime, *, room: str = "") -> Resource:
    """The appointment after a step.

    Raises:
        Invalid: that step does not follow from where it is.
    """
    if not may(appointment, step):
        raise Invalid(NOT_NEXT)
    changed = {**appointment, "status": STEPS[step][1]}
    if step in IN_CLINIC:
        times = {**flow_of(appointment), step: now}
        changed = with_extension(changed, nested(FLOW, **times, room=room or flow_text(appointment, "room") or None))
    return changed


async def take(
    session: Session, appointment: Resource, step: str, now: datetime, *, facility_id: str, room: str = ""
) -> Resource:
    """Takes a step. From the room on, the visit is an Encounter in the chart as well, written in the same act."""
    changed = stepped(appointment, step, now, room=room)
    encounter = [await _encounter(session, changed, step, now, facility_id)] if step in _ENCOUNTER else []
    await rewrite_all(session, [(appointment, changed)], encounter)
    return changed


async def encounter_of(session: Session, appointment: Resource) -> Resource | None:
    """The Encounter of an appointment, if the visit has come that far."""
    patient = actor_of(appointment, "Patient")
    found, _ = await find(
        session, "Encounter", f"patient={patient}&appointment=Appointment/{appointment['id']}&_count=1"
    )
    return found[0] if found else None


async def _encounter(session: Session, appointment: Resource, step: str, now: datetime, facility: str) -> Operation:
    there = await encounter_of(session, appointment)
    status = _ENCOUNTER[step]
    if there is None:
        resource = _new_encounter(appointment, status, now, facility)
        return Operation("POST", "Encounter", resource=parse(dump(resource)))
    past = {"status": there["status"], "period": {"start": _since(there), "end": now.isoformat()}}
    changed = {**there, "status": status, "statusHistory": [*there.get("statusHistory", ()), past]}
    if step == "finished":
        changed["period"] = {**there.get("period", {}), "end": now.isoformat()}
    return Operation("PUT", "Encounter", id=there["id"], resource=parse(dump(changed)), if_match=version_of(there))


def _since(encounter: Resource) -> str:
    history = encounter.get("statusHistory", ())
    return str(history[-1]["period"]["end"] if history else encounter["period"]["start"])


def _new_encounter(appointment: Resource, status: str, now: datetime, facility: str) -> Resource:
    clinician = actor_of(appointment, "Practitioner")
    place = actor_of(appointment, "Location")
    made: Resource = {
        "resourceType": "Encounter", "status": status, "class": _CLASS,
        "subject": {"reference": f"Patient/{actor_of(appointment, 'Patient')}"},
        "appointment": [{"reference": f"Appointment/{appointment['id']}"}], "period": {"start": now.isoformat()},
        "serviceProvider": {"reference": f"Organization/{facility}"},
    }  # fmt: skip
    if clinician:
        made["participant"] = [{"individual": {"reference": f"Practitioner/{clinician}"}}]
    if place:
        made["location"] = [{"location": {"reference": f"Location/{place}"}}]
    if status == "finished":
        made["period"]["end"] = now.isoformat()
    return made


def walk_in(patient_id: str, practitioner_id: str, location_id: str, service_id: str, now: datetime) -> Resource:
    """An appointment of somebody who has just come without one."""
    named = (
        ("Patient", patient_id), ("Practitioner", practitioner_id), ("Location", location_id),
        ("HealthcareService", service_id),
    )  # fmt: skip
    made: Resource = {
        "resourceType": "Appointment", "status": "arrived", "start": now.isoformat(),
        "end": (now + timedelta(minutes=30)).isoformat(), "created": now.isoformat(),
        "appointmentType": {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0276", "code": "WALKIN",
                        "display": "A previously unscheduled walk-in visit"}],
        },
        "participant": [
            {"actor": {"reference": f"{kind}/{name}"}, "status": "accepted"} for kind, name in named if name
        ],
    }  # fmt: skip
    return with_extension(made, nested(FLOW, arrived=now))


def about_patient(appointment: Resource, patient_id: str) -> bool:
    """Whether an appointment is a patient's."""
    return any(reference_of(one.get("actor")) == f"Patient/{patient_id}" for one in appointment.get("participant", ()))
