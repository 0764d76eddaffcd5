"""A small generated world: patients at facilities, those who treat them, consents, labels, and all who may ask."""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

LABELS = {
    "R": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality",
    "V": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality",
    "ETH": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
    "PSY": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
    "SEX": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
    "HIV": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
}
"""Sensitivity codes that resources of the world carry, with their systems; VIP is for patients."""


@dataclass(frozen=True)
class User:
    """Who asks. levels: identity and authenticator."""

    name: str
    role: str
    purpose: str
    facility: str | None = None
    practitioner: str | None = None
    patient: str | None = None
    levels: tuple[int, int] = (2, 2)
    emergency: frozenset[str] = frozenset()
    """The patients for whom this user broke the glass."""


@dataclass
class World:
    """resources: in the order in which they are written, those that they refer to first."""

    now: datetime
    resources: list[dict] = field(default_factory=list)
    users: list[User] = field(default_factory=list)
    gone: set[tuple[str, str]] = field(default_factory=set)

    def of(self, *kinds: str) -> list[dict]:
        """All resources of these types."""
        return [one for one in self.resources if one["resourceType"] in kinds]


def make(seed: int, *, facilities: int = 3, practitioners: int = 5, patients: int = 9, rounds: int = 2) -> World:
    """A world of its own ids, the same for the same seed but for the day on which it is made."""
    chance = random.Random(seed)
    now = datetime.now(UTC).replace(microsecond=0)
    world = World(now)
    mark = f"w{seed}-"
    places = [f"{mark}f{number}" for number in range(facilities)]
    doctors = [f"{mark}d{number}" for number in range(practitioners)]
    people = [f"{mark}p{number}" for number in range(patients)]
    add = world.resources.append
    for name in places:
        add({"resourceType": "Organization", "id": name, "name": name, **_label(chance, 0.1)})
    for name in doctors:
        add({"resourceType": "Practitioner", "id": name, "name": [{"family": name}]})
    maker = _Maker(chance, world, mark, places, doctors, people)
    for name in people:
        maker.person(name)
    for _ in range(rounds):
        for name in people:
            maker.record(name)
    for name in people:
        maker.consents(name)
    for name in people:
        maker.list_of(name)
    world.users = _users(chance, mark, places, doctors, people)
    return world


def _label(chance: random.Random, often: float) -> dict:
    if chance.random() >= often:
        return {}
    codes = chance.sample(list(LABELS), 2 if chance.random() < 0.2 else 1)
    return {"meta": {"security": [{"system": LABELS[code], "code": code} for code in codes]}}


class _Maker:
    def __init__(self, chance, world, mark, places, doctors, people):
        self.chance, self.world, self.mark = chance, world, mark
        self.places, self.doctors, self.people = places, doctors, people
        self.number = 0

    def add(self, kind: str, often: float = 0.35, **content) -> str:
        self.number += 1
        name = f"{self.mark}{kind.lower()}{self.number}"
        self.world.resources.append({"resourceType": kind, "id": name, **_label(self.chance, often), **content})
        return name

    def day(self, days: float) -> str:
        return (self.world.now + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")

    def person(self, name: str) -> None:
        vip = self.chance.random() < 0.2
        label = {"meta": {"security": [{"code": "VIP"}]}} if vip else _label(self.chance, 0.15)
        self.world.resources.append({
            "resourceType": "Patient", "id": name, **label, "name": [{"family": f"Family-{name}"}],
            "gender": self.chance.choice(["female", "male"]), "birthDate": "1980-01-01",
            "telecom": [{"system": "phone", "value": f"555-{name}"}],
            "managingOrganization": {"reference": f"Organization/{self.chance.choice(self.places)}"},
        })  # fmt: skip

    def record(self, patient: str) -> None:
        chance, subject = self.chance, {"reference": f"Patient/{patient}"}
        doctor = {"reference": f"Practitioner/{chance.choice(self.doctors)}"}
        for value in range(3):
            self.add("Observation", 0.5, status="final", code={"text": "pulse"}, subject=subject,
                     valueString=f"{value}", note=[{"text": f"note {value}"}])  # fmt: skip
        self.add("Condition", 0.5, subject=subject, code={"text": "asthma"}, note=[{"text": "since youth"}])
        self.add("Immunization", 0.2, status="completed", patient=subject, vaccineCode={"text": "flu"},
                 occurrenceDateTime=self.day(-30), reasonCode=[{"text": "deployment"}])  # fmt: skip
        self.add("Communication", status="completed", subject=subject, payload=[{"contentString": "hello"}])
        self.add("Coverage", 0.1, status="active", beneficiary=subject, payor=[subject])
        self.add("Task", status="requested", intent="order", **{"for": subject})
        self.add("Device", patient=subject)
        self.add("RelatedPerson", 0.1, patient=subject)
        self.tie(subject, doctor)

    def tie(self, subject: dict, doctor: dict) -> None:
        """Something that makes somebody have to do with the patient: before, now, or later."""
        chance = self.chance
        begins, ends = chance.choice([(-1500, -1200), (-400, -300), (-40, -20), (-5, None), (-5, 5), (60, 90)])
        period = {"start": self.day(begins), **({"end": self.day(ends)} if ends is not None else {})}
        kind = chance.choice(["Encounter", "Appointment", "CareTeam"])
        place = {"reference": f"Organization/{chance.choice(self.places)}"}
        if kind == "Encounter":
            self.add("Encounter", 0.1, status=chance.choice(["in-progress", "finished", "cancelled"]),
                     **{"class": {"code": "AMB"}}, subject=subject, period=period, serviceProvider=place,
                     participant=[{"individual": doctor}], reasonCode=[{"text": "cough"}])  # fmt: skip
        elif kind == "Appointment":
            finish = self.day(ends if ends is not None else begins + 1)
            self.add("Appointment", 0.1, status=chance.choice(["booked", "cancelled"]), start=period["start"],
                     end=finish, reasonCode=[{"text": "cough"}], participant=[
                         {"actor": subject, "status": "accepted"},
                         {"actor": doctor, "status": chance.choice(["accepted", "declined"])}])  # fmt: skip
        else:
            self.add("CareTeam", 0.1, status=chance.choice(["active", "inactive"]), subject=subject, period=period,
                     participant=[{"member": doctor}])  # fmt: skip
        self.add("ServiceRequest", 0.2, status=chance.choice(["active", "completed", "revoked"]), intent="order",
                 subject=subject, code={"text": "film"}, performer=[chance.choice([place, doctor])],
                 **({"occurrencePeriod": period} if chance.random() < 0.5 else {}))  # fmt: skip
        self.add("MedicationRequest", 0.3, status="active", intent="order", subject=subject,
                 medicationCodeableConcept={"text": "x"},
                 **({"dispenseRequest": {"performer": place}} if chance.random() < 0.5 else {}))  # fmt: skip

    def list_of(self, patient: str) -> None:
        """A List of a patient's observations, whatever their labels."""
        subject = {"reference": f"Patient/{patient}"}
        mine = [one["id"] for one in self.world.of("Observation") if one["subject"] == subject]
        self.add("List", 0, status="current", mode="working", subject=subject,
                 entry=[{"item": {"reference": f"Observation/{one}"}} for one in mine])  # fmt: skip

    def consents(self, patient: str) -> None:
        """Permissions and refusals: to places, doctors and other patients, of some labels or in general."""
        chance = self.chance
        for _ in range(chance.randrange(2, 6)):
            actors = [f"Organization/{chance.choice(self.places)}", f"Practitioner/{chance.choice(self.doctors)}",
                      f"Patient/{chance.choice(self.people)}"]  # fmt: skip
            provision = {
                "type": chance.choice(["permit", "deny"]),
                "actor": [
                    {"role": {"text": "x"}, "reference": {"reference": one}}
                    for one in chance.sample(actors, chance.choice([1, 2]))
                ],
            }  # fmt: skip
            if chance.random() < 0.6:
                codes = chance.sample(list(LABELS), chance.choice([2, 6, 6]))
                provision["securityLabel"] = [{"system": LABELS[code], "code": code} for code in codes]
            if chance.random() < 0.5:
                low, high = chance.choice([(-90, -60), (-30, 30), (-30, 30), (30, 60)])
                provision["period"] = {"start": self.day(low), "end": self.day(high)}
            if chance.random() < 0.15:
                provision["purpose"] = [{"code": "TREAT"}]
            self.add(
                "Consent", 0.1, status=chance.choice(["active", "active", "active", "rejected"]),
                scope={"coding": [{"code": "patient-privacy"}]}, category=[{"text": "privacy"}],
                patient={"reference": f"Patient/{patient}"}, policyRule={"text": "x"}, provision=provision,
            )  # fmt: skip


TREATING = ("physician", "nurse", "medic", "dentist")
AT_PLACES = ("pharmacist", "laboratory", "imaging", "dental-technician", "registrar", "scheduler", "commander",
             "readiness-clerk")  # fmt: skip
USUAL = {"registrar": "HOPERAT", "scheduler": "HOPERAT", "commander": "HOPERAT", "readiness-clerk": "HOPERAT"}


def _users(chance, mark, places, doctors, people) -> list[User]:
    users = []

    def add(role: str, purpose: str, **more) -> None:
        users.append(User(f"{mark}u{len(users)}-{role}", role, purpose, **more))

    for role in TREATING:
        for doctor in chance.sample(doctors, 2):
            add(role, "TREAT", facility=chance.choice(places), practitioner=doctor)
        add(role, "TREAT", facility=chance.choice(places))
    for doctor in chance.sample(doctors, 3):
        add("physician", "ETREAT", facility=chance.choice(places), practitioner=doctor,
            emergency=frozenset(chance.sample(people, 2)))  # fmt: skip
    add("pharmacist", "ETREAT", facility=chance.choice(places), emergency=frozenset(chance.sample(people, 1)))
    for role in AT_PLACES:
        for place in chance.sample(places, 2):
            add(role, USUAL.get(role, "TREAT"), facility=place, practitioner=chance.choice([None, *doctors]))
    for person in chance.sample(people, 4):
        add("patient", "PATRQT", patient=person)
        add("proxy", "PATRQT", patient=person)
    add("patient", "PATRQT", patient=people[0], levels=(1, 1))
    add("physician", "TREAT", facility=places[0], practitioner=doctors[0], levels=(2, 1))
    for role, purpose in (("population-analyst", "PUBHLTH"), ("privacy-officer", "HOPERAT"), ("help-desk", "HOPERAT"),
                          ("system", "HOPERAT")):  # fmt: skip
        add(role, purpose)
    return users
