"""Random days of a running server: it is killed while people write and staff work, staff leave, teams close.

Whatever was said to be sent is there afterwards, and each open conversation has somebody who owes the answer: a team
that is open, a member of staff who is still here and not away without a cover, or the facility itself.
"""

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import httpx
import pytest

from continuum.access import Access
from continuum.access.actor import USUAL_PURPOSE, Actor
from continuum.apps.messages.keeper import Check
from continuum.clinical.messaging.coverage import Away, Coverage
from continuum.clinical.messaging.limits import SWEEP_BATCH
from continuum.clinical.messaging.model import ANSWER, KIND, MESSAGE, OPEN, WORK, owner_of, promised
from continuum.clinical.messaging.reading import body, token
from continuum.fhir.json import parse
from continuum.identity import accounts, staff
from continuum.kernel.ids import uuid7
from continuum.runtime.pool import Pool
from tests.browsing import Browser
from tests.faults.figures import Proof, rounds
from tests.hospital import PASSWORD
from tests.messages.letters import HOME, teams

pytestmark = [pytest.mark.server, pytest.mark.proof, pytest.mark.timeout(7_200)]
TEAM = "Family"
DAY_US = 86_400_000_000


async def signed_in(hospital, who):
    browser = Browser(hospital.origin)
    await browser.get("/signon/sign-in")
    await browser.submit("/notice")
    await browser.submit("/sign-in", name=who.name, password=PASSWORD)
    await browser.submit("/second-step", code=who.code())
    return browser


async def writing(browser, family, told):
    """Writes one message after the other until the server goes; those that were said to be sent are told."""
    while True:
        known = next(one for one in browser.page.forms if "/new" in one.action)
        said = {
            **known.fields, "team": family, "category": "general", "subject": "Through it all", "text": "Still here",
        }  # fmt: skip
        try:
            answer = await browser.http.post(known.action, data=said)
            if answer.status_code == 303 and "/thread/" in answer.headers["location"]:
                told.put_nowait(answer.headers["location"].partition("/thread/")[2].partition("?")[0])
            await browser.get(f"{HOME}/me/new?read=yes")
        except (httpx.HTTPError, StopIteration):
            return


async def working(nurse, patient_id, told, rng):
    """Takes some of what comes in, and answers some of that, until the server goes or the nurse is out."""
    with suppress(httpx.HTTPError, StopIteration):
        while True:
            thread = await told.get()
            if rng.random() < 0.6:
                address = f"/workspace/messages/{patient_id}/{thread}"
                await nurse.get(address)
                await nurse.http.post(f"{address}/claim", data={"csrf": nurse.page.csrf})
                if rng.random() < 0.4:
                    await nurse.http.post(f"{address}/answer", data={"csrf": nurse.page.csrf, "text": "Yes."})


class World:
    """What changes around the messages: who is here, and which teams are open."""

    def __init__(self, hospital, persona):
        self.hospital, self.persona = hospital, persona
        self.facility = hospital.facility_of(persona.patient_id)
        self.left, self.away, self.closings = [], [], 0

    @asynccontextmanager
    async def access(self) -> AsyncIterator[Access]:
        orders = self.hospital.orders
        async with Pool.open(orders.database, size=2) as pool:
            yield Access(pool.connection, key_secret=orders.record_secret, audit_secret=orders.audit_secret)

    def session(self, access):
        return access.open(Actor("check", "system"), USUAL_PURPOSE["system"], source="192.0.2.1", request_id="check")

    async def team(self, family, status):
        async with self.access() as access:
            session = self.session(access)
            found = parse((await session.read("CareTeam", family)).body)
            if found["status"] != status:
                self.closings += status != "active"
                await session.update({**found, "status": status})

    async def nurse_goes(self, nurse, *, for_good):
        """She leaves, or is away without anybody who stands in for her."""
        async with self.hospital.desk() as desk, desk.sign_on.connect() as conn, conn.transaction():
            account = await accounts.by_name(conn, nurse.name)
            if for_good:
                await staff.withdraw_all(conn, account.account_id, desk.sign_on.clock())
                self.left.append(account.account_id)
                return
        async with self.access() as access:
            now = access.clock()
            away = Away(uuid7(), account.account_id, "", self.facility, now - DAY_US, now + 30 * DAY_US)
            await Coverage(access).add(away)
            self.away.append(account.account_id)

    async def checked(self):
        """Turns of the check until it has come to every conversation; then one more, which finds nothing."""
        async with self.hospital.desk() as desk, self.access() as access:
            check = Check(access, desk.sign_on.today)
            threads = await self.threads(access)
            for _ in range(4 + 3 * len(threads) // SWEEP_BATCH):
                found = await check.turn()
            assert found.failed == 0
            return check.mended, found.without_work + found.without_owner

    async def threads(self, access):
        """Every conversation with the work on it: id → Task, or None."""
        found = {}
        criteria = (
            f"patient={self.persona.patient_id}&category={token(KIND, MESSAGE)}&part-of:missing=true&_count=500"
            "&_revinclude=Task:focus"
        )
        session, cursor = self.session(access), ""
        while True:
            page = await session.search(session.parse("Communication", criteria + cursor))
            found |= dict.fromkeys(one.id for one in page.matches)
            for task in (body(one) for one in page.included):
                if task["code"]["coding"][0] == {"system": WORK, "code": ANSWER}:
                    found[task["focus"]["reference"].removeprefix("Communication/")] = task
            if not page.next_cursor:
                return found
            cursor = f"&_cursor={page.next_cursor}"

    async def unowned(self):
        """Conversations without work, or whose owner cannot answer; judged without the check's own rules."""
        async with self.hospital.desk() as desk, self.access() as access:
            session = self.session(access)
            async with desk.sign_on.connect() as conn:
                here = await staff.at(conn, self.facility, desk.sign_on.today(), roles=frozenset({"nurse"}), limit=200)
            present = {one.account_id for one in here} - set(self.left) - set(self.away)
            bad, threads = [], await self.threads(access)
            for thread, task in threads.items():
                if task is None:
                    bad.append(f"{thread}: no work")
                elif task["status"] in OPEN:
                    owner = owner_of(task)
                    if owner.kind == "staff":
                        good = owner.id in present
                    elif owner.kind == "team":
                        good = parse((await session.read("CareTeam", owner.id)).body)["status"] == "active"
                    else:
                        good = owner.kind == "facility"
                    if not good or promised(task) is None:
                        bad.append(f"{thread}: {owner}")
            return threads, bad


async def day(world, browser, nurse, told, rng):
    """One round with the server up: people write, a nurse works, somebody goes, and the server is killed."""
    with world.hospital.open() as running:
        known = await teams(browser)
        family = next(value for words, value in known.items() if TEAM in words)
        said, given = asyncio.Queue(), asyncio.Queue()
        acts = [asyncio.create_task(writing(browser, family, said))]
        hands = await signed_in(world.hospital, nurse)
        acts.append(asyncio.create_task(working(hands, world.persona.patient_id, given, rng)))
        async with asyncio.timeout(120):
            for _ in range(2 + rng.randrange(4)):
                thread = await said.get()
                told.add(thread)
                given.put_nowait(thread)
            if rng.random() < 0.6:
                await world.nurse_goes(nurse, for_good=rng.random() < 0.6)
            if rng.random() < 0.4:
                await world.team(family, "inactive")
        os.kill(running.process.pid, signal.SIGKILL)
        await acts[0]
        for act in acts[1:]:
            act.cancel()
        await asyncio.gather(*acts[1:], return_exceptions=True)
        told |= {said.get_nowait() for _ in range(said.qsize())}
        await hands.http.aclose()
    return family


async def test_no_message_is_without_an_owner_though_staff_leave_teams_close_and_the_server_is_killed(hospital):
    kills = rounds("MESSAGE_KILLS", 8)
    proof = Proof(
        "message-owners", "No message without an owner, on a server that is killed", __doc__,
        "tests/messages/test_killed.py", {"MESSAGE_KILLS": kills}, {"MESSAGE_KILLS": 100},
    )  # fmt: skip
    rng = random.Random(proof.seed)
    persona = hospital.persona("retiree")
    who = await hospital.person(persona, premium=True)
    world = World(hospital.elsewhere(), persona)
    with world.hospital.open():
        browser = await signed_in(world.hospital, who)
    told, threads, mended, bad, twice = set(), {}, 0, [], 0
    for number in range(kills):
        nurse = await hospital.member("nurse", world.facility, display=f"Nurse {number}")
        family = await day(world, browser, nurse, told, rng)
        found = await world.checked()
        mended, twice = mended + found[0], twice + found[1]
        threads, unowned = await world.unowned()
        bad += unowned
        await world.team(family, "active")
    await browser.http.aclose()
    proof.told("Times the server was killed while people wrote", kills)
    proof.told("Messages said to be sent", len(told))
    proof.told("Staff who left for good, or were away without a cover", len(world.left) + len(world.away))
    proof.told("Times a team closed", world.closings)
    proof.told("Conversations to which the check gave an owner", mended)
    proof.zero("Said to be sent and not there", sorted(told - set(threads)))
    proof.zero("Conversations without an owner who can answer, after each kill and the check", bad)
    proof.zero("Mended by a turn that came after one which had seen everything", twice)
    proof.close()
