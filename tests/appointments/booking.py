"""What people do with appointments in a browser without JavaScript."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

HOME = "/portal/appointments"


async def need(browser, who="me", words="Family practice"):
    """The value of a kind of visit in the form that looks for a time."""
    await browser.get(f"{HOME}/{who}/find")
    text = browser.answer.text
    found = re.search(rf'<option value="([^"]+)"(?: selected)?>{re.escape(words)}', text)
    assert found, browser.page.text
    return found[1]


def ahead():
    """What asks for times from two days on: a time of this very hour can be booked, but not moved or called off."""
    return {"from": (datetime.now(UTC) + timedelta(days=2)).date().isoformat()}


async def times(browser, who="me", words="Family practice", **more):
    """The addresses of free times, once the server has opened its calendars."""
    wanted = await need(browser, who, words)
    query = "&".join(f"{name}={quote(value)}" for name, value in {"need": wanted, **more}.items())
    for _ in range(120):
        await browser.get(f"{HOME}/{who}/find?{query}")
        found = [link for link in browser.page.links if "/book/" in link]
        if found:
            return found
        await asyncio.sleep(0.25)
    raise AssertionError(browser.page.text)


async def send(browser, part, **fields):
    """Sends the form whose action has this part; `fields` as somebody fills them in."""
    form = next(one for one in browser.page.forms if part in one.action)
    return await browser.arrive(await browser.http.post(form.action, data={**form.fields, **fields}))


async def book(browser, link, **fields):
    """Books what a link leads to; the id of the appointment, or "" when it was refused."""
    await browser.get(link)
    await send(browser, "/book/", **fields)
    found = re.search(r"/appointments/[^/]+/([0-9a-f-]{36})$", browser.path)
    return found[1] if found else ""


async def call_all_off(browser, who="me"):
    """Calls off whatever somebody has ahead, so that other stories find them with nothing to do."""
    await browser.get(f"{HOME}/{who}")
    for address in [link for link in browser.page.links if re.search(r"/appointments/[^/]+/[0-9a-f-]{36}$", link)]:
        await browser.get(f"{address}/cancel")
        if any("/cancel" in form.action for form in browser.page.forms):
            await send(browser, "/cancel", reason="So that other stories find it free")
