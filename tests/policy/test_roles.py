"""Each role, at each place and for each purpose: the parts of one person's record that it may read, and may write.

The table is written by hand, from what the work of each role needs (45 CFR 164.502(b)), not from the policies; the
running server is asked about each cell of it once.
"""

from datetime import UTC, datetime, timedelta

import pytest

from continuum.access.actor import PURPOSES, ROLES
from tests.api.conftest import fresh_id

pytestmark = [pytest.mark.server, pytest.mark.timeout(240)]

OPEN = {"directory"}
ADMISSION = {"person", "family", "visit", "appointment", "coverage", "consent"}
CLINICAL = {"problem", "result", "own reading", "prescription", "vaccine", "order", "message", "answer"}
CHART = ADMISSION | CLINICAL
SENSITIVE = {"mental health"}
"""Labelled as behavioural health: for who takes part in the care."""
PROTECTED = {"substance use"}
"""Under 42 CFR Part 2: for the patient, by consent, in an emergency, and for the operator's programs."""
RECORD = CHART | SENSITIVE | PROTECTED
PARTS = OPEN | RECORD | {"trace"}

TREATING = ("physician", "nurse", "medic", "dentist", "clinician")
AT_A_FACILITY = (
    *TREATING, "pharmacist", "laboratory", "imaging", "dental-technician", "registrar", "scheduler", "commander",
    "readiness-clerk",
)  # fmt: skip
TECHNICIAN = {"person", "visit", "appointment", "problem", "result", "own reading", "order"}
PHARMACY = {"person", "visit", "prescription", "order", "result", "own reading", "problem", "vaccine"}
LABORATORY = {"person", "order", "result", "own reading"}
SCHEDULING = {"person", "visit", "appointment"}
READINESS = {"person", "vaccine"}

AT_HOME = {
    **dict.fromkeys(TREATING, (CHART, CHART)),
    "pharmacist": (PHARMACY, {"prescription", "vaccine"}),
    "laboratory": (set(), set()),
    "imaging": (set(), set()),
    "dental-technician": (TECHNICIAN, {"result", "own reading"}),
    "registrar": (ADMISSION, ADMISSION),
    "scheduler": (SCHEDULING, set()),
    "commander": (READINESS, set()),
    "readiness-clerk": (READINESS, set()),
}
"""Role at the facility that cares for the person, without any part in their care: what it reads, what it writes."""
ADDRESSED = {
    **dict.fromkeys(AT_A_FACILITY, (set(), set())),
    "pharmacist": (PHARMACY, {"prescription", "vaccine"}),
    "laboratory": (LABORATORY, {"result", "own reading"}),
    "imaging": (LABORATORY | {"problem"}, {"result", "own reading"}),
}
"""At another facility, to which an order about the person is addressed."""
TREATS = {
    **AT_HOME,
    **dict.fromkeys(TREATING, (CHART | SENSITIVE, CHART | SENSITIVE)),
}
"""At the facility of the person, and one of those who take part in an encounter with them."""
BROKE_THE_GLASS = {
    **dict.fromkeys(AT_A_FACILITY, (set(), set())),
    **dict.fromkeys((*TREATING, "pharmacist"), (RECORD, RECORD)),
}
"""At another facility, in an emergency that was declared with a reason."""
NOTHING = dict.fromkeys(AT_A_FACILITY, (set(), set()))
WITHOUT_FACILITY = {
    "population-analyst": (CHART - {"family", "consent", "message", "answer"}, set()),
    "privacy-officer": ({"trace"}, set()),
    "help-desk": (set(), set()),
    "administrator": (RECORD | {"trace"}, OPEN | RECORD),
    "system": (RECORD, OPEN | RECORD),
}
OWN = (RECORD | {"trace"}, {"answer", "own reading", "consent", "message"})
"""What a person reads of the own record, and what they say in it."""
GRANTED = (CHART, {"answer", "message"})
"""What somebody reads whom the person lets act for them, by a consent that opens no protected category."""

PURPOSES_OF = {
    **{role: {"TREAT", "HOPERAT", "ETREAT"} for role in (*TREATING, "pharmacist")},
    **{role: {"TREAT", "HOPERAT"} for role in ("laboratory", "imaging", "dental-technician")},
    **{role: {"HOPERAT", "HPAYMT"} for role in ("registrar", "scheduler")},
    **{role: {"HOPERAT"} for role in ("commander", "readiness-clerk")},
    **{role: {"HOPERAT", "HSYSADMIN"} for role in ("privacy-officer", "help-desk", "administrator")},
    "population-analyst": {"PUBHLTH", "HOPERAT"},
    "system": {"HOPERAT", "HSYSADMIN", "PUBHLTH", "HPAYMT"},
    "patient": {"PATRQT"},
    "proxy": {"PATRQT"},
}
"""For what each role may act at all; for any other purpose it is refused everything."""
PSYCHIATRY = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "PSY"}
ADDICTION = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "ETH"}
OWN_READING = "https://continuum.example/fhir/CodeSystem/observation-category"
PORTAL_ACCESS = "https://continuum.example/fhir/CodeSystem/consent-category"


class World:
    """One person with one entry of each kind, cared for at one place, known to another by an order."""

    def __init__(self) -> None:
        mark = fresh_id()
        self.home, self.other, self.ordered = f"{mark}-home", f"{mark}-other", f"{mark}-lab"
        self.patient, self.friend, self.stranger = f"{mark}-p", f"{mark}-friend", f"{mark}-stranger"
        self.doctor = f"{mark}-doc"
        self.entries = {part: {**one, "id": f"{mark}-{part.replace(' ', '-')}"} for part, one in self._parts().items()}
        self.entries["person"]["id"] = self.patient
        self.entries["directory"]["id"] = self.other

    def first(self) -> list[dict]:
        """What the entries refer to, besides the person and the other facility."""
        places = [{"resourceType": "Organization", "id": one, "name": one} for one in (self.home, self.ordered)]
        people = [
            {"resourceType": "Patient", "id": one, "managingOrganization": {"reference": f"Organization/{self.other}"}}
            for one in (self.friend, self.stranger)
        ]
        return [*places, {"resourceType": "Practitioner", "id": self.doctor, "name": [{"family": "Okoye"}]}, *people]

    def _parts(self) -> dict[str, dict]:
        subject = {"reference": f"Patient/{self.patient}"}
        doctor = {"reference": f"Practitioner/{self.doctor}"}
        now = datetime.now(UTC).replace(microsecond=0)
        soon, later = ((now + timedelta(days=days)).isoformat() for days in (2, 3))
        reading = {"category": [{"coding": [{"system": OWN_READING, "code": "patient-reported"}]}]}
        trust = {"category": [{"coding": [{"system": PORTAL_ACCESS, "code": "portal-access"}]}]}
        friend = {"role": {"text": "friend"}, "reference": {"reference": f"Patient/{self.friend}"}}
        mind, drugs = ({"meta": {"security": [label]}} for label in (PSYCHIATRY, ADDICTION))
        return {
            "directory": {"resourceType": "Organization", "name": "Other"},
            "person": {"resourceType": "Patient", "name": [{"family": "Teal"}], "birthDate": "1980-01-01",
                       "managingOrganization": {"reference": f"Organization/{self.home}"}},
            "family": {"resourceType": "RelatedPerson", "patient": subject},
            "visit": {"resourceType": "Encounter", "status": "in-progress", "class": {"code": "AMB"},
                      "subject": subject, "participant": [{"individual": doctor}]},
            "appointment": {"resourceType": "Appointment", "status": "booked", "start": soon, "end": later,
                            "reasonCode": [{"text": "cough"}],
                            "participant": [{"actor": subject, "status": "accepted"}]},
            "coverage": {"resourceType": "Coverage", "status": "active", "beneficiary": subject, "payor": [subject]},
            "consent": {"resourceType": "Consent", "status": "active", **trust, "patient": subject,
                        "performer": [subject], "scope": {"coding": [{"code": "patient-privacy"}]},
                        "policyRule": {"text": "x"}, "provision": {"type": "permit", "actor": [friend]}},
            "problem": {"resourceType": "Condition", "subject": subject, "code": {"text": "asthma"}},
            "result": {"resourceType": "Observation", "status": "final", "subject": subject,
                       "code": {"text": "pulse"}, "valueString": "60"},
            "own reading": {"resourceType": "Observation", "status": "final", "subject": subject, **reading,
                            "performer": [subject], "code": {"text": "weight"}, "valueString": "80 kg"},
            "prescription": {"resourceType": "MedicationRequest", "status": "active", "intent": "order",
                             "subject": subject, "medicationCodeableConcept": {"text": "albuterol"}},
            "vaccine": {"resourceType": "Immunization", "status": "completed", "patient": subject,
                        "vaccineCode": {"text": "flu"}, "occurrenceDateTime": "2026-10-01"},
            "order": {"resourceType": "ServiceRequest", "status": "active", "intent": "order", "subject": subject,
                      "code": {"text": "film"}, "performer": [{"reference": f"Organization/{self.ordered}"}]},
            "message": {"resourceType": "Communication", "status": "completed", "subject": subject, "sender": subject,
                        "payload": [{"contentString": "May I run?"}]},
            "answer": {"resourceType": "QuestionnaireResponse", "status": "completed", "subject": subject},
            "mental health": {"resourceType": "Condition", **mind, "subject": subject, "code": {"text": "grief"}},
            "substance use": {"resourceType": "Condition", **drugs, "subject": subject, "code": {"text": "alcohol"}},
        }  # fmt: skip


@pytest.fixture(scope="module")
async def world(running):
    made = World()
    async with running.client("system") as client:
        person, other = made.entries["person"], made.entries["directory"]
        rest = [one for one in made.entries.values() if one not in (person, other)]
        for resource in (other, *made.first(), person, *rest):
            answer = await client.put(f"/{resource['resourceType']}/{resource['id']}", json=resource)
            assert answer.status_code == 201, answer.text
    return made


async def opened(client, world) -> tuple[set[str], set[str]]:
    """What a client reads of the record and what it writes, by one request for each."""
    reads, writes = set(), set()
    for part, entry in world.entries.items():
        address = f"/{entry['resourceType']}/{entry['id']}"
        answer = await client.get(address)
        assert answer.status_code in (200, 403, 404), (part, answer.text)
        if answer.status_code == 200:
            reads.add(part)
        answer = await client.put(address, json=entry)
        assert answer.status_code in (200, 403, 404), (part, answer.text)
        if answer.status_code == 200:
            writes.add(part)
    answer = await client.get("/AuditEvent", params={"patient": world.patient, "_count": "1"})
    if answer.status_code == 200 and answer.json().get("entry"):
        reads.add("trace")
    return reads, writes


async def held(running, world, role, expected, **more):
    """Compares one row of the table with what the server opens."""
    async with running.client(role, subject=f"table-{fresh_id()}", **more) as client:
        assert await opened(client, world) == (expected[0] | OPEN, expected[1]), (role, more)


def placed(table):
    """A table's rows for pytest."""
    assert set(table) == set(AT_A_FACILITY)
    return pytest.mark.parametrize(("role", "expected"), table.items(), ids=list(table))


def test_the_table_names_every_role_and_every_purpose():
    assert {*AT_A_FACILITY, *WITHOUT_FACILITY, "patient", "proxy"} == set(ROLES) == set(PURPOSES_OF)
    assert set().union(*PURPOSES_OF.values()) | {"HRESCH"} == set(PURPOSES)
    assert set(World().entries) | {"trace"} == PARTS


@placed(AT_HOME)
@pytest.mark.requirement("V8.2.1", "V8.2.2")
async def test_at_the_facility_that_cares_for_the_person(running, world, role, expected):
    await held(running, world, role, expected, facility=world.home)


@placed(TREATS)
@pytest.mark.requirement("V8.2.1")
async def test_as_one_of_those_who_treat_the_person(running, world, role, expected):
    await held(running, world, role, expected, facility=world.home, practitioner=world.doctor)


@placed(ADDRESSED)
async def test_where_an_order_was_sent(running, world, role, expected):
    await held(running, world, role, expected, facility=world.ordered)


@placed(NOTHING)
@pytest.mark.requirement("V8.4.1")
async def test_at_another_facility(running, world, role, expected):
    await held(running, world, role, expected, facility=world.other)


@placed(BROKE_THE_GLASS)
async def test_in_an_emergency(running, world, role, expected):
    given = {"facility": world.other, "subject": f"rescuer-{fresh_id()}"}
    if "ETREAT" not in PURPOSES_OF[role]:
        async with running.client(role, **given, purpose="ETREAT") as client:
            assert (await client.get(f"/Organization/{world.other}")).status_code == 403
        return
    async with running.client(role, **given, purpose="ETREAT") as client:
        reason = {"name": "reason", "valueString": "found unconscious on the range"}
        body = {"resourceType": "Parameters", "parameter": [reason]}
        assert (await client.post(f"/Patient/{world.patient}/$break-the-glass", json=body)).status_code == 201
        assert await opened(client, world) == (expected[0] | OPEN, expected[1])
    async with running.client(role, **given) as client:
        assert await opened(client, world) == (OPEN, set()), "for the emergency alone, not for what is usual"


@pytest.mark.parametrize(("role", "expected"), WITHOUT_FACILITY.items(), ids=list(WITHOUT_FACILITY))
@pytest.mark.requirement("V8.2.1")
async def test_for_the_whole_installation(running, world, role, expected):
    await held(running, world, role, expected)


async def test_a_scheduler_changes_appointments_and_keeps_what_is_hidden(running, world):
    """Why somebody comes is cut out of what a scheduler reads, so that nothing whole can be put in its place."""
    about, change = world.entries["appointment"], [{"op": "add", "path": "/minutesDuration", "value": 30}]
    address = f"/Appointment/{about['id']}"
    for facility, status in ((world.home, 200), (world.ordered, 404), (world.other, 404)):
        async with running.client("scheduler", facility=facility) as client:
            headers = {"content-type": "application/json-patch+json"}
            answer = await client.patch(address, json=change, headers=headers)
            assert answer.status_code == status, answer.text
            if status == 200:
                assert "reasonCode" not in answer.json()
    async with running.client("system") as client:
        kept = (await client.get(address)).json()
    assert (kept["minutesDuration"], kept["reasonCode"]) == (30, about["reasonCode"])


async def test_a_scheduler_sees_how_far_a_visit_is_and_not_what_others_have_put_beside_it(running, world):
    about = world.entries["appointment"]
    ours = {"url": "https://continuum.example/fhir/StructureDefinition/video-link", "valueUrl": "https://v.example/1"}
    theirs = {"url": "https://elsewhere.example/why", "valueString": "chest pain"}
    async with running.client("system") as client:
        made = {
            **{name: value for name, value in about.items() if name not in ("id", "meta")},
            "extension": [theirs, ours],
        }
        address = f"/Appointment/{(await client.post('/Appointment', json=made)).json()['id']}"
    async with running.client("scheduler", facility=world.home) as client:
        assert (await client.get(address)).json()["extension"] == [ours]
        assert "chest pain" not in (await client.get(f"{address}/_history")).text
        headers = {"content-type": "application/json-patch+json"}
        drop = [{"op": "remove", "path": "/extension"}]
        assert (await client.patch(address, json=drop, headers=headers)).status_code == 200
        assert "extension" not in (await client.get(address)).json()
        put = [{"op": "add", "path": "/extension", "value": [theirs]}]
        assert (await client.patch(address, json=put, headers=headers)).status_code == 403
    async with running.client("system") as client:
        assert (await client.get(address)).json()["extension"] == [theirs], "what they do not see stays"
    for role, given in (("population-analyst", {}), ("readiness-clerk", {"facility": world.home})):
        async with running.client(role, **given) as client:
            answer = await client.get(address)
            assert "extension" not in answer.json()


async def test_the_person_and_whom_they_let_act_for_them(running, world):
    await held(running, world, "patient", OWN, patient=world.patient)
    await held(running, world, "patient", (set(), set()), patient=world.stranger)
    await held(running, world, "proxy", GRANTED, patient=world.friend)
    await held(running, world, "proxy", (set(), set()), patient=world.stranger)


def _of(world, role):
    if role in AT_A_FACILITY:
        return {"facility": world.home, "practitioner": world.doctor}
    return {"patient": {"patient": world.patient, "proxy": world.friend}[role]} if role in ("patient", "proxy") else {}


@pytest.mark.parametrize("role", ROLES)
async def test_for_a_purpose_that_is_not_the_roles_nothing_opens(running, world, role):
    for purpose in sorted(PURPOSES):
        async with running.client(role, **_of(world, role), purpose=purpose) as client:
            answer = await client.get(f"/Organization/{world.other}")
            assert answer.status_code == (200 if purpose in PURPOSES_OF[role] else 403), purpose


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.requirement("V6.3.3")
async def test_with_a_password_alone_no_role_opens_more_than_the_directory(running, world, role):
    for levels in ((2, 1), (1, 2)):
        given = {**_of(world, role), "identity_level": levels[0], "authenticator_level": levels[1]}
        await held(running, world, role, (set(), set()), **given)
        async with running.client(role, **given) as client:
            for part, entry in world.entries.items():
                new = {name: value for name, value in entry.items() if name != "id"}
                assert (await client.post(f"/{new['resourceType']}", json=new)).status_code == 403, part
