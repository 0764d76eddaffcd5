"""What goes out: a person's appointments and conversations as rows of a file."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from continuum.access import Session
from continuum.chart.reading import DOD_ID
from continuum.clinical.messaging.model import ANSWER, FILE, KIND, MESSAGE, WORK
from continuum.clinical.messaging.reading import body, safe, token
from continuum.clinical.messaging.threads import Thread, threads
from continuum.clinical.scheduling.finding import clinician_name, kind_of
from continuum.clinical.scheduling.model import Resource, actor_of
from continuum.interop.cutover.form import Row
from continuum.interop.cutover.limits import FILE_TEXT_MAX_CHARS, ITEMS_PER_PERSON_MAX, MESSAGES_MAX, PEOPLE_PAGE
from continuum.interop.cutover.origin import came, message_origin_of, origin_of

_TRAVELS = {"pending": "booked", "booked": "booked", "arrived": "booked", "checked-in": "booked",
            "fulfilled": "fulfilled", "cancelled": "cancelled", "noshow": "noshow"}  # fmt: skip
"""What a state here is in a file; offers and places on a waiting list do not travel."""


@dataclass(frozen=True, slots=True)
class Travelling:
    """All of one person that travels. left: what had no place in the form, by what it is."""

    patient: Resource
    person: Row
    appointments: Sequence[Row]
    threads: Sequence[Row]
    left: int
    visits: Mapping[tuple[str, str], tuple[Row, Resource]] = field(default_factory=dict)
    talks: Mapping[tuple[str, str], tuple[Row, Thread]] = field(default_factory=dict)

    def appointment(self, origin: Mapping[str, str]) -> tuple[Row, Resource] | None:
        """The appointment of an origin: as it would travel, and as it is."""
        return self.visits.get((origin["system"], origin["key"]))

    def thread(self, origin: Mapping[str, str]) -> tuple[Row, Thread] | None:
        """The conversation of an origin: as it would travel, and as it is."""
        return self.talks.get((origin["system"], origin["key"]))


def dod_id_of(patient: Mapping[str, Any]) -> str:
    """The DoD ID of a patient, or ""."""
    return next((str(one["value"]) for one in patient.get("identifier", ()) if _is_dod(one) and one.get("value")), "")


def _is_dod(identifier: Mapping[str, Any]) -> bool:
    return str(identifier.get("system", "")) == DOD_ID


def person_row(patient: Mapping[str, Any]) -> Row:
    """Who it is. key: the DoD ID where there is one, so that it is the same in every file."""
    first: Mapping[str, Any] = next(iter(patient.get("name", ())), {})
    number = dod_id_of(patient)
    return {
        "row": "person", "key": number or str(patient["id"]), "dod_id": number,
        "family": str(first.get("family", "")), "given": " ".join(first.get("given", ())),
        "born": str(patient.get("birthDate", "")),
    }  # fmt: skip


def appointment_row(appointment: Mapping[str, Any], names: Mapping[str, Resource], person: str) -> Row | None:
    """One appointment; None for what does not travel."""
    status = _TRAVELS.get(str(appointment.get("status")))
    if status is None or not appointment.get("start") or not appointment.get("end"):
        return None
    said = came(appointment)
    if said.get("start") != appointment["start"]:
        said = _told(appointment, names)  # made here, or moved here since: our calendar says who and where
    return {
        "row": "appointment", "person": person, "origin": origin_of(appointment), "status": status,
        "start": appointment["start"], "end": appointment["end"],
        **{name: said.get(name, "") for name in ("kind", "clinician", "place")},
        "reason": str(appointment.get("comment") or ""),
    }  # fmt: skip


def _told(appointment: Mapping[str, Any], names: Mapping[str, Resource]) -> dict[str, str]:
    service = names.get(f"HealthcareService/{actor_of(appointment, 'HealthcareService')}")
    return {
        "kind": kind_of(service).need if service else "",
        "clinician": clinician_name(names.get(f"Practitioner/{actor_of(appointment, 'Practitioner')}", {})),
        "place": str(names.get(f"Location/{actor_of(appointment, 'Location')}", {}).get("name", "")),
    }


def thread_row(thread: Thread, parts: Mapping[str, Resource], files: Mapping[str, Resource], person: str) -> Row:
    """One conversation. parts: its Communications by id. files: those of its files by id."""
    first = parts[thread.id]
    state = "open" if thread.open else "closed" if thread.state == "closed" else "answered"
    return {
        "row": "thread", "person": person, "origin": origin_of(first), "subject": thread.subject or "-",
        "category": thread.category, "team": came(first).get("team") or thread.team_name, "state": state,
        "messages": [
            {
                "origin": message_origin_of(parts[one.id]), "sent": str(parts[one.id].get("sent", "")),
                "from": "team" if one.by_staff else "person", "name": one.sender or "-", "text": one.text or "-",
                "files": [_file(files[file.id]) for file in one.files if file.id in files],
            }
            # What began it stands first, whatever the clocks of two systems said.
            for one in sorted(thread.messages, key=lambda part: part.id != thread.id)
        ],
    }  # fmt: skip


def _file(communication: Mapping[str, Any]) -> Row:
    said = communication["payload"][0]["contentAttachment"]
    return {"title": str(said.get("title", "")), "type": str(said.get("contentType", "")), "data": said["data"]}


async def travelling(session: Session, patient_id: str) -> Travelling:
    """All of a person that travels. Raises NotFound."""
    view = await session.view("what travels to another portal", patient_id, {
        "appointments": f"Appointment?_sort=date&_count={ITEMS_PER_PERSON_MAX}",
        "messages": f"Communication?category={token(KIND, MESSAGE)}&_sort=sent&_count={ITEMS_PER_PERSON_MAX}",
        "tasks": f"Task?code={token(WORK, ANSWER)}&_count={ITEMS_PER_PERSON_MAX}",
        "files": f"Communication?category={token(KIND, FILE)}&_count={ITEMS_PER_PERSON_MAX}",
    })  # fmt: skip
    person = person_row(view.patient)
    names = {**view.names, **await _services(session, view.found["appointments"])}
    files = {str(one["id"]): one for one in view.found["files"]}
    parts = {str(one["id"]): one for one in view.found["messages"]}
    visits, talks, left = {}, {}, len(view.on)
    for one in view.found["appointments"]:
        row = appointment_row(one, names, person["key"])
        if row is not None:
            visits[_by_origin(row)] = (row, one)
        left += row is None
    for talk in threads(view.found["messages"], view.found["tasks"], names):
        if len(talk.messages) > MESSAGES_MAX or any(len(part.text) > FILE_TEXT_MAX_CHARS for part in talk.messages):
            left += 1
            continue
        row = thread_row(talk, parts, files, person["key"])
        talks[_by_origin(row)] = (row, talk)
    return Travelling(
        view.patient, person, [visits[key][0] for key in sorted(visits)], [talks[key][0] for key in sorted(talks)],
        left, visits, talks,
    )  # fmt: skip


def _by_origin(row: Row) -> tuple[str, str]:
    return row["origin"]["system"], row["origin"]["key"]


async def _services(session: Session, appointments: Sequence[Resource]) -> dict[str, Resource]:
    ids = sorted({name for one in appointments if (name := actor_of(one, "HealthcareService"))})
    if not ids:
        return {}
    page = await session.search(session.parse("HealthcareService", f"_id={','.join(ids[:200])}&_count=200"))
    return {f"HealthcareService/{one.id}": body(one) for one in page.matches}


async def people_of(session: Session, facility_id: str) -> AsyncIterator[Resource]:
    """The people whose care is at a facility."""
    criteria = f"organization=Organization/{safe(facility_id)}&_count={PEOPLE_PAGE}"
    page = await session.search(session.parse("Patient", criteria))
    while True:
        for one in page.matches:
            yield body(one)
        if not page.next_cursor:
            return
        page = await session.search(session.parse("Patient", f"{criteria}&_cursor={quote(page.next_cursor)}"))
