"""What people and staff do on pages, as a browser without script does it: forms are read from the page and sent back."""

import html
import random
import re
from collections.abc import Awaitable, Callable

HOME, CLINIC, MESSAGES = "/portal/appointments/me", "/workspace/clinic", "/portal/messages/me"
Ask = Callable[..., Awaitable[str]]
"""(method, address, what it is, data of a form) → the text of the page that it led to."""
Pause = Callable[[], Awaitable[None]]
_ID = r"[0-9a-f-]{36}"


async def at_once() -> None:
    """No pause to think."""


def form(page: str, part: str) -> tuple[str, dict[str, str]]:
    """Address and hidden fields of the first form that writes and whose address has this part; ("", {}) for none."""
    for action, inside in re.findall(r'<form[^>]* action="([^"]*)"[^>]*>(.*?)</form>', page, re.DOTALL):
        hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', inside)
        if re.search(part, action) and "csrf" in dict(hidden):
            return html.unescape(action), {name: html.unescape(value) for name, value in hidden}
    return "", {}


async def find_times(ask: Ask, rng: random.Random, pause: Pause = at_once) -> list[str]:
    """Addresses of free times of a kind of visit by chance."""
    page = await ask("GET", f"{HOME}/find", "looking for a time")
    needs = re.findall(rf'<option value="({_ID})"(?: selected)?>[^<]+</option>', page.partition('id="need"')[2])
    if not needs:
        return []
    await pause()
    page = await ask("GET", f"{HOME}/find?need={rng.choice(needs)}", "looking for a time")
    return re.findall(rf'href="({HOME}/book/[^"]+)"', page)


async def book(ask: Ask, chosen: str, pause: Pause = at_once) -> str:
    """Books a time; the id of the appointment, or "" where somebody was quicker."""
    page = await ask("GET", chosen, "booking")
    action, hidden = form(page, "/book/")
    await pause()
    page = await ask("POST", action or chosen, "booking", data={**hidden, "comment": "A check"})
    found = re.search(rf"{HOME}/({_ID})/cancel", page)
    return found[1] if found else ""


async def call_off(ask: Ask, appointment_id: str) -> None:
    """Calls one's own appointment off."""
    address = f"{HOME}/{appointment_id}/cancel"
    _, hidden = form(await ask("GET", address, "calling off"), "/cancel")
    await ask("POST", address, "calling off", data=hidden)


async def write(ask: Ask, pause: Pause = at_once) -> str:
    """Writes a message to the first team that asks for no typed name; the id of its conversation, or ""."""
    page = await ask("GET", f"{MESSAGES}/new?read=yes", "writing a message")
    action, hidden = form(page, "/new$")
    teams = re.findall(r'name="team" value="([^"]+)"(?: checked)?>', page)
    if not teams:
        return ""
    await pause()
    said = {"team": teams[0], "category": "medication", "subject": "Tablets", "text": "May I halve them?"}
    page = await ask("POST", action, "writing a message", data={**hidden, **said})
    found = re.search(rf"/thread/({_ID})", page)
    return found[1] if found else ""


async def walk_in(ask: Ask, rng: random.Random, said: str, patients: list[str]) -> None:
    """One of these patients, found by a name, comes without an appointment, to any of the clinicians."""
    page = await ask("GET", f"{CLINIC}/walk-in?q={said}", "the clinic's pages")
    action, hidden = form(page, r"/walk-in\?")
    there = [one for one in re.findall(r'name="patient"[^>]*value="([^"]+)"', page) if one in patients]
    clinicians = re.findall(rf'<option value="({_ID})"', page.partition('id="schedule"')[2])
    if there and clinicians:
        chosen = {**hidden, "patient": rng.choice(there), "schedule": rng.choice(clinicians)}
        await ask("POST", action, "a step at the clinic", data=chosen)


async def take_a_step(ask: Ask, rng: random.Random) -> None:
    """Takes somebody on the board one step on."""
    page = await ask("GET", CLINIC, "the clinic's pages")
    forms = re.findall(r'<form[^>]* action="([^"]*/step)"[^>]*>(.*?)</form>', page, re.DOTALL)
    if forms:
        action, inside = rng.choice(forms)
        step = re.search(r'name="step" value="([^"]+)"', inside)
        assert step is not None, "a form of the board has its step"
        _, hidden = form(page, re.escape(action))
        await ask("POST", action, "a step at the clinic", data={**hidden, "step": step[1], "room": "4"})
