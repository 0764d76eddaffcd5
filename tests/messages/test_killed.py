"""The server is killed again and again while people write: no message is ever without somebody who owes the answer."""

import asyncio
import os
import signal

import httpx
import pytest

from continuum.access import Access
from continuum.access.actor import USUAL_PURPOSE, Actor
from continuum.clinical.messaging.model import ANSWER, KIND, MESSAGE, WORK, owner_of
from continuum.clinical.messaging.reading import body, token
from continuum.runtime.pool import Pool
from tests.browsing import Browser
from tests.hospital import PASSWORD
from tests.messages.letters import HOME, teams

pytestmark = [pytest.mark.server, pytest.mark.proof, pytest.mark.timeout(600)]
KILLS = 12


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
            **known.fields,
            "team": family,
            "category": "general",
            "subject": "Through it all",
            "text": "Still here",
        }
        try:
            answer = await browser.http.post(known.action, data=said)
            if answer.status_code == 303 and "/thread/" in answer.headers["location"]:
                told.put_nowait(answer.headers["location"].partition("/thread/")[2].partition("?")[0])
            await browser.get(f"{HOME}/me/new?read=yes")
        except (httpx.HTTPError, StopIteration):
            return


async def test_no_message_is_without_an_owner_though_the_server_is_killed(hospital):
    persona = hospital.persona("retiree")
    who = await hospital.person(persona, premium=True)
    hospital = hospital.elsewhere()
    told: set[str] = set()
    browser = None
    for number in range(KILLS):
        with hospital.open() as running:
            if browser is None:
                browser = await signed_in(hospital, who)
            known = await teams(browser)
            family = next(value for words, value in known.items() if "Family" in words)
            said: asyncio.Queue[str] = asyncio.Queue()
            work = asyncio.create_task(writing(browser, family, said))
            async with asyncio.timeout(60):
                for _ in range(1 + number % 4):
                    told.add(await said.get())
            os.kill(running.process.pid, signal.SIGKILL)
            await work
            told |= {said.get_nowait() for _ in range(said.qsize())}
    assert browser is not None
    await browser.http.aclose()
    assert len(told) >= KILLS

    orders = hospital.orders
    async with Pool.open(orders.database, size=2) as pool:
        door = Access(pool.connection, key_secret=orders.record_secret, audit_secret=orders.audit_secret)
        session = door.open(Actor("check", "system"), USUAL_PURPOSE["system"], source="192.0.2.1", request_id="check")
        criteria = (
            f"patient={persona.patient_id}&category={token(KIND, MESSAGE)}&part-of:missing=true&_count=1000"
            "&_revinclude=Task:focus"
        )
        page = await session.search(session.parse("Communication", criteria))
        threads = {one.id for one in page.matches}
        tasks = [body(one) for one in page.included]
        owned = {
            one["focus"]["reference"].removeprefix("Communication/") for one in tasks
            if one["code"]["coding"][0] == {"system": WORK, "code": ANSWER} and owner_of(one).kind == "team"
        }  # fmt: skip
    assert told <= threads, "what was said to be sent is there"
    assert threads <= owned, "and each has somebody who owes the answer"
