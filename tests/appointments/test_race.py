"""Many want the same few times at the same moment, by the portal, the workspace and the API: each has one of them."""

import asyncio
import random
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from continuum.fhir.json import dump
from continuum.identity.tokens import Claims, issue, signing_key
from continuum.kernel.clock import now_us
from tests.appointments.booking import HOME, times
from tests.browsing import Browser
from tests.faults.figures import SEED, Proof, rounds
from tests.hospital import PASSWORD

pytestmark = [pytest.mark.server]
CLIENTS, TIMES = 200, 20
PEOPLE = ("retiree", "captain", "mother")
DOORS = ("portal", "workspace", "API")


class Race:
    """A calendar of its own, people who are signed in, and programs with a token."""

    def __init__(self, clinic, browsers, patients):
        self.clinic, self.browsers, self.patients = clinic, browsers, patients
        key = signing_key(clinic.hospital.orders.token_secret)
        until_s = now_us() // 1_000_000 + 7_200
        token = issue(key, Claims("race", "administrator", until_s))
        self.api = httpx.AsyncClient(
            base_url=f"{clinic.hospital.origin}/fhir", timeout=60,
            headers={"authorization": f"Bearer {token}", "content-type": "application/fhir+json"},
            limits=httpx.Limits(max_connections=64),
        )  # fmt: skip
        self.next = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=40)
        self.schedule = {}
        self.desk, self.own = None, []
        self.won = dict.fromkeys(DOORS, 0)

    async def calendar(self):
        """One of the clinic's calendars, under another name and without a template."""
        link = (await times(self.browsers[0]))[0]
        slot_id = link.partition("/book/")[2].partition("?")[0]
        slot = (await self.api.get(f"/Slot/{slot_id}")).json()
        found = (await self.api.get(f"/{slot['schedule']['reference']}")).json()
        found.pop("extension", None)
        found["id"] = "race"
        answer = await self.api.put("/Schedule/race", content=dump(found))
        assert answer.status_code in {200, 201}, answer.text
        self.schedule = found
        place = next(one["reference"] for one in found["actor"] if one["reference"].startswith("Location/"))
        facility = (await self.api.get(f"/{place}")).json()["managingOrganization"]["reference"].rpartition("/")[2]
        who = await self.clinic.hospital.member("scheduler", facility, display="Sam Desk")
        self.own = [one for one in self.patients if self.clinic.hospital.facility_of(one) == facility]
        assert self.own, "somebody is cared for where the calendar is"
        self.desk = Browser(self.clinic.hospital.origin)
        await self.desk.get("/signon/sign-in")
        await self.desk.submit("/notice")
        await self.desk.submit("/sign-in", name=who.name, password=PASSWORD)
        await self.desk.submit("/second-step", code=who.code())

    async def open(self):
        """TIMES new times, one after the other."""
        entries, names = [], []
        for _ in range(TIMES):
            self.next += timedelta(minutes=30)
            name = f"race-{int(self.next.timestamp())}"
            names.append(name)
            entries.append({
                "request": {"method": "PUT", "url": f"Slot/{name}"},
                "resource": {
                    "resourceType": "Slot", "id": name, "status": "free", "start": self.next.isoformat(),
                    "end": (self.next + timedelta(minutes=30)).isoformat(),
                    "schedule": {"reference": "Schedule/race"},
                },
            })  # fmt: skip
        answer = await self.api.post(
            "", content=dump({"resourceType": "Bundle", "type": "transaction", "entry": entries})
        )
        assert answer.status_code == 200, answer.text
        return {entry["request"]["url"].partition("/")[2]: entry["resource"] for entry in entries}

    async def by_api(self, slot, patient_id):
        """A program books; the id of its appointment, or "" when it was refused with a conflict."""
        actors = [{"reference": f"Patient/{patient_id}"}, *self.schedule["actor"]]
        resource = {
            "resourceType": "Appointment", "status": "booked", "start": slot["start"], "end": slot["end"],
            "slot": [{"reference": f"Slot/{slot['id']}"}],
            "participant": [{"actor": {"reference": one["reference"]}, "status": "accepted"} for one in actors],
        }  # fmt: skip
        answer = await self.api.post("/Appointment", content=dump(resource))
        assert answer.status_code in {201, 409}, answer.text
        return answer.json()["id"] if answer.status_code == 201 else ""

    async def by_page(self, browser, slot):
        """A person books on the page; the id of the appointment, or "" when somebody was quicker."""
        address = f"{HOME}/me/book/{slot['id']}"
        answer = await browser.http.post(address, data={"csrf": browser.page.csrf})
        assert answer.status_code in {303, 409}, answer.text
        where = answer.headers.get("location", "")
        return where.partition("?")[0].rpartition("/")[2] if where else ""

    async def by_staff(self, slot, patient_id):
        """Somebody at the clinic books in the workspace; the id of the appointment, or "" when it was refused."""
        address = f"/workspace/clinic/book/{slot['id']}"
        answer = await self.desk.http.post(address, data={"csrf": self.desk.page.csrf, "patient": patient_id})
        assert answer.status_code in {303, 409}, answer.text
        return answer.headers.get("location", "").partition("?")[0].rpartition("/")[2]

    async def run(self, rng):
        """One round: who was told that they have a time, and who has it in the record."""
        slots = await self.open()
        names = list(slots)
        acts = []
        for number in range(CLIENTS):
            slot = slots[rng.choice(names)] if number >= TIMES else slots[names[number]]
            if number % 4 == 0:
                acts.append(("portal", self.by_page(self.browsers[number // 4 % len(self.browsers)], slot)))
            elif number % 8 == 1:
                acts.append(("workspace", self.by_staff(slot, self.own[number % len(self.own)])))
            else:
                acts.append(("API", self.by_api(slot, self.patients[number % len(self.patients)])))
        rng.shuffle(acts)
        answers = await asyncio.gather(*(act for _, act in acts))
        for (door, _), made in zip(acts, answers, strict=True):
            self.won[door] += bool(made)
        told = [one for one in answers if one]
        held, booked = {}, []
        wanted = ",".join(f"Slot/{name}" for name in names)
        bundle = (await self.api.get("/Appointment", params={"slot": wanted, "_count": "200"})).json()
        for entry in bundle.get("entry", ()):
            if entry["resource"]["status"] == "booked":
                booked.append(entry["resource"])
                for one in entry["resource"]["slot"]:
                    held.setdefault(one["reference"], []).append(entry["resource"]["id"])
        await self.called_off(booked)
        return told, held, [f"Slot/{name}" for name in names]

    async def called_off(self, booked):
        """Gives everything back: who has as many appointments as one may book would not race in the next round."""
        entries = [
            {"request": {"method": "PUT", "url": f"Appointment/{one['id']}"}, "resource": one | {"status": "cancelled"}}
            for one in booked
        ]
        answer = await self.api.post(
            "", content=dump({"resourceType": "Bundle", "type": "transaction", "entry": entries})
        )
        assert answer.status_code == 200, answer.text


@pytest.fixture
async def race(clinic):
    browsers = [await clinic.at(key, clinic.hospital.persona(key).name.split()[0]) for key in PEOPLE]
    patients = [member.id for key in PEOPLE for member in clinic.hospital.persona(key).family.members]
    made = Race(clinic, browsers, patients)
    await made.calendar()
    yield made
    await made.api.aclose()
    await made.desk.http.aclose()


def judged(told, held, names):
    """(double bookings, promises that were not kept, times that nobody has)."""
    double = [name for name, ids in held.items() if len(ids) > 1]
    kept = {one for ids in held.values() for one in ids}
    return double, sorted(set(told) ^ kept), [name for name in names if name not in held]


@pytest.mark.timeout(240)
async def test_each_time_has_one_appointment_whoever_wants_it(race):
    rng = random.Random(SEED)
    for _ in range(2):
        told, held, names = await race.run(rng)
        assert judged(told, held, names) == ([], [], [])
        assert len(told) == TIMES
    assert all(race.won.values()), "each door had its chance"


@pytest.mark.proof
@pytest.mark.timeout(7_200)
async def test_a_thousand_rounds_without_one_double_booking(race):
    count = rounds("RACES", 10)
    proof = Proof(
        "booking-race", "One time, one appointment",
        f"In each round {CLIENTS} clients want {TIMES} times at the same moment: a quarter of them people on the"
        " portal's pages, an eighth staff in the workspace, the others programs at the API. Afterwards each time must"
        " have one appointment, and everybody who was told so must have it.",
        "tests/appointments/test_race.py", {"RACES": count}, {"RACES": 1_000},
    )  # fmt: skip
    rng = random.Random(proof.seed)
    double, broken, empty, booked = [], [], [], 0
    for _ in range(count):
        told, held, names = await race.run(rng)
        found = judged(told, held, names)
        double += found[0]
        broken += found[1]
        empty += found[2]
        booked += len(told)
    proof.told("Rounds", count)
    proof.told("Attempts", count * CLIENTS)
    proof.told("Appointments booked", booked)
    for door, won in race.won.items():
        proof.held(f"Of them through the {door}", won, "at least one in four rounds", holds=won * 4 >= count)
    proof.zero("Times with more than one appointment", double)
    proof.zero("Promised and not in the record, or in it and not promised", broken)
    proof.zero("Times that nobody got though many wanted them", empty)
    proof.close()
