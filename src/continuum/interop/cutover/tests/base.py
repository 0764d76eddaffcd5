"""Two bases behind a real door, and an older portal that is no more than the rows that it has."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import count

from continuum.access import Access
from continuum.access.actor import USUAL_PURPOSE, Actor
from continuum.access.claims import Claims
from continuum.chart.reading import DOD_ID
from continuum.clinical.messaging.model import EXTENSION
from continuum.clinical.scheduling.model import Calendar, Rule, calendar_of, with_calendar
from continuum.clinical.scheduling.opening import keep_open
from continuum.clinical.scheduling.reading import read
from continuum.interop.cutover.form import digest, written
from continuum.interop.cutover.form import read as read_file
from continuum.interop.cutover.incoming import Incoming, Run
from continuum.interop.cutover.outgoing import travelling
from continuum.interop.cutover.status import facility
from continuum.interop.cutover.waves import Portal, with_portal

NOW = datetime(2026, 11, 23, 13, tzinfo=UTC)
ZONE = "America/New_York"
OLDER = "urn:example:older-portal"
RULE = Rule("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", time(9), time(12), 30, date(2026, 11, 1))
HOME, AWAY = "home-base", "away-base"


def organization(name, portal=None):
    zone = {"url": "http://hl7.org/fhir/StructureDefinition/timezone", "valueCode": ZONE}
    resource = {
        "resourceType": "Organization", "id": name, "name": name.title(), "active": True, "extension": [zone],
        "type": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/organization-type", "code": "prov"}]}],
        "telecom": [{"system": "phone", "value": "555-0100"}],
        "address": [{"line": ["1 Main Road"], "city": "Alder", "postalCode": "28310", "country": "US"}],
    }  # fmt: skip
    return with_portal(resource, portal) if portal else resource


def team(name, owner, *, stands_in=False):
    return {
        "resourceType": "CareTeam", "id": f"{owner}-{name.replace(' ', '-')}", "status": "active", "name": name.title(),
        "extension": [{"url": f"{EXTENSION}team-stands-in", "valueBoolean": stands_in}],
        "participant": [{"member": {"reference": f"Organization/{owner}"}},
                        {"member": {"reference": "Practitioner/dr"}}],
        "managingOrganization": [{"reference": f"Organization/{owner}"}],
    }  # fmt: skip


class Base:
    """The door and what is behind it."""

    def __init__(self, pool):
        self.pool = pool
        self.door = Access(pool.connection, key_secret=bytes(32), audit_secret=bytes(32))
        self.claims = Claims(self.door)
        self.numbers = count(1)

    def session(self, role="system", *, patient_id=None, facility=None):
        actor = Actor(f"{role}-x", role, facility_id=facility, patient_id=patient_id)
        return self.door.open(
            actor, USUAL_PURPOSE[role], source="192.0.2.1", request_id="r", workflow=role == "patient"
        )

    async def furnish(self):
        for one in (
            {"resourceType": "Practitioner", "id": "dr", "name": [{"family": "Okafor", "given": ["Ada"]}]},
            organization(HOME), organization(AWAY, Portal(marked=True)),
            *(team("family health", owner) for owner in (HOME, AWAY)),
            *(team("front desk", owner, stands_in=True) for owner in (HOME, AWAY)),
        ):  # fmt: skip
            await self.session().update(one)
        zone = {"url": "http://hl7.org/fhir/StructureDefinition/timezone", "valueCode": ZONE}
        made = Calendar("week", True, "dr", "clinic", "family", (RULE,), (), 7)
        for one in (
            {"resourceType": "Location", "id": "clinic", "name": "Away Clinic", "extension": [zone],
             "managingOrganization": {"reference": f"Organization/{AWAY}"}},
            {"resourceType": "HealthcareService", "id": "family", "active": True, "name": "Family medicine",
             "providedBy": {"reference": f"Organization/{AWAY}"}},
            with_calendar({"resourceType": "Schedule", "id": "week", "active": True, "actor": [
                {"reference": "Practitioner/dr"}, {"reference": "Location/clinic"},
                {"reference": "HealthcareService/family"}]}, made),
        ):  # fmt: skip
            await self.session().update(one)
        await keep_open(
            self.session(),
            self.claims,
            calendar_of(await read(self.session(), "Schedule", "week"), horizon_days=7),
            NOW,
        )
        return self

    async def person(self, at=HOME):
        number = next(self.numbers)
        patient = {
            "resourceType": "Patient", "id": f"p{number}", "birthDate": "1989-09-03",
            "identifier": [{"system": DOD_ID, "value": f"{number:010d}"}],
            "name": [{"family": "Núñez", "given": ["Inés"]}],
            "managingOrganization": {"reference": f"Organization/{at}"},
        }  # fmt: skip
        await self.session().update(patient)
        return patient

    async def facility(self, name):
        return facility(await read(self.session(), "Organization", name), NOW)

    async def take(self, data, *, to=AWAY, write=True, given=None, now=NOW):
        content = read_file(data, most_bytes=10_000_000)
        incoming = Incoming(self.session(), self.claims, await self.facility(to), now)
        return await incoming.take(content, Run("Ann", "file.ndjson", write=write, given=given or {}))

    async def give(self, *patients, to=AWAY):
        found = [await travelling(self.session(), one["id"]) for one in patients]
        lines = written({"id": to, "name": to}, "https://continuum.example/fhir", NOW, [
            (one.person, one.appointments, one.threads) for one in found])  # fmt: skip
        return b"".join(lines)


_PORTALS = count(1)


class OlderPortal:
    """Another system, as far as a file shows it: it keeps origins, adds its own, and gives all of it back."""

    def __init__(self):
        self.people, self.appointments, self.threads = {}, {}, {}
        self.numbers = count(next(_PORTALS) * 1_000)

    def take(self, data):
        content = read_file(data, most_bytes=10_000_000)
        assert not content.rejects, content.rejects
        self.people |= {key: row for key, (_, row) in content.people.items()}
        for _, row in content.appointments:
            self.appointments[_key(row)] = row
        for _, row in content.threads:
            self.threads[_key(row)] = row

    def give(self, to=AWAY):
        lines = written({"id": to, "name": to}, OLDER, NOW, [
            (person, [one for one in self.appointments.values() if one["person"] == key],
             [one for one in self.threads.values() if one["person"] == key])
            for key, person in self.people.items()])  # fmt: skip
        return b"".join(lines)

    def knows(self, patient):
        key = patient["identifier"][0]["value"]
        self.people.setdefault(key, {"row": "person", "key": key, "dod_id": key, "family": "Núñez", "given": "Inés",
                                     "born": patient["birthDate"]})  # fmt: skip
        return key

    def book(self, patient, start, *, clinician="Ada Okafor", kind="Family medicine"):
        row = {
            "row": "appointment", "person": self.knows(patient), "status": "booked",
            "origin": {"system": OLDER, "key": f"A{next(self.numbers)}"}, "start": start.isoformat(),
            "end": (start + timedelta(minutes=30)).isoformat(), "kind": kind, "clinician": clinician,
            "place": "Away Clinic", "reason": "a cough",
        }  # fmt: skip
        self.appointments[_key(row)] = row
        return row

    def write(self, patient, text="May I run?", *, files=()):
        name = f"T{next(self.numbers)}"
        row = {
            "row": "thread", "person": self.knows(patient), "origin": {"system": OLDER, "key": name},
            "subject": "Knee", "category": "general", "team": "Family Health", "state": "open",
            "messages": [self.message("1", "person", text, files)],
        }  # fmt: skip
        self.threads[_key(row)] = row
        return row

    def message(self, key, who, text, files=()):
        sent = NOW + timedelta(minutes=next(self.numbers) % 1_000)
        return {"origin": {"system": OLDER, "key": key}, "sent": sent.isoformat(), "from": who,
                "name": "Inés Núñez" if who == "person" else "Nurse Older", "text": text,
                "files": list(files)}  # fmt: skip

    def answer(self, row, text="Yes, slowly."):
        row["messages"].append(self.message(str(len(row["messages"]) + 1), "team", text))
        row["state"] = "answered"


def _key(row):
    return row["origin"]["system"], row["origin"]["key"]


def rows(data):
    """What a file says of whom, whatever the order: to compare two files."""
    content = read_file(data, most_bytes=10_000_000)
    found = [row for _, row in (*content.appointments, *content.threads)]
    plain = [{**row, "messages": sorted(row.get("messages", ()), key=_key)} for row in found]
    return sorted((row["person"], row["row"], digest(row)) for row in plain)
