"""A day at a clinic: `python -m benchmarks.day [--people 60] [--staff 20] [--minutes 5] [--no-write]`.

People and staff work at once, each in a session of their own, with a pause to think after every page: people read their
record, look for times, book one and call it off, and write to their team; staff read charts, find patients, take in who
walks in, lead people over the board, and look at messages. Time is that
of a whole answer as a client on the same machine sees it; CPU is that of the server and of PostgreSQL.
"""

import argparse
import asyncio
import functools
import os
import random
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx

from benchmarks import acts
from benchmarks import corpus as corpora
from benchmarks.desk import desk, signed_in
from benchmarks.processes import Tree
from benchmarks.run import continuum, serving

ROOT = Path(__file__).resolve().parent.parent
PROOF = ROOT / "docs" / "proof" / "day.md"
P95_MOST_MS = 200.0
THINK_S = 5.0
SEED = 1
CORPUS = 1_000
Account = tuple[str, str]
_BUSY_TRIES = 60
NAMES = ("smith", "garcia", "johnson", "brown", "davis")
_OWN = ("", "/record/me", "/record/me/medicines", "/record/me/labs", "/record/me/timeline", "/appointments/me",
        "/appointments/me/find", "/messages", "/record/me/who-looked")  # fmt: skip
_CHART = ("", "/medicines", "/labs", "/notes", "/vitals", "/problems", "/timeline", "/vitals/new", "/notes/new")


@dataclass(slots=True)
class Tally:
    """What was asked and how long it took, by kind of page; and what went wrong."""

    took_ms: dict[str, list[float]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)

    async def ask(self, client: httpx.AsyncClient, method: str, address: str, kind: str, **more: object) -> str:
        """One request; the text of the page that it led to."""
        began = time.perf_counter()
        try:
            answer = await client.request(method, address, **more)  # type: ignore[arg-type]  # httpx's own names
        except httpx.HTTPError as error:
            self.errors.append(f"{kind}: {type(error).__name__}")
            return ""
        self.took_ms.setdefault(kind, []).append((time.perf_counter() - began) * 1_000)
        # Somebody else may be quicker: a conflict in words is an answer, not an error.
        if answer.status_code >= 400 and answer.status_code != 409:
            self.errors.append(f"{kind} {address}: {answer.status_code}")
        return answer.text


async def person(client: httpx.AsyncClient, tally: Tally, rng: random.Random, until: float) -> None:
    """Somebody who reads, and now and then books and calls off, or writes to their team."""
    ask = functools.partial(tally.ask, client)
    await asyncio.sleep(rng.random() * THINK_S)
    while time.monotonic() < until:
        turn = rng.random()
        if turn < 0.2:
            await _booked_and_called_off(ask, rng)
        elif turn < 0.25:
            await acts.write(ask, think)
        else:
            await ask("GET", f"/portal{rng.choice(_OWN)}", "a page of the portal")
        await think()


async def think() -> None:
    """The time between a page and what is done on it."""
    await asyncio.sleep(THINK_S)


async def _booked_and_called_off(ask: acts.Ask, rng: random.Random) -> None:
    times = await acts.find_times(ask, rng, think)
    if not times:
        return
    await think()
    made = await acts.book(ask, rng.choice(times), think)
    if made:
        await think()
        await acts.call_off(ask, made)


ROLES = ("physician", "nurse", "registrar", "registrar", "registrar")
"""Of staff, in turn."""
_ROUNDS = ("/workspace/clinic", "/workspace/clinic/day", "/workspace")


async def member(
    client: httpx.AsyncClient, tally: Tally, rng: random.Random, until: float, patients: list[str], role: str
) -> None:
    """Somebody of staff: charts, the board and who is on it, the day, and messages, which registrars do not answer."""
    ask = functools.partial(tally.ask, client)
    rounds = _ROUNDS if role == "registrar" else (*_ROUNDS, "/workspace/messages")
    await asyncio.sleep(rng.random() * THINK_S)
    while time.monotonic() < until:
        turn = rng.random()
        if turn < 0.5:
            chart = f"/workspace/patients/{rng.choice(patients)}{rng.choice(_CHART)}"
            await ask("GET", chart, "a page of a chart")
        elif turn < 0.6:
            await acts.walk_in(ask, rng, rng.choice(NAMES), patients)
        elif turn < 0.75:
            await acts.take_a_step(ask, rng)
        elif turn < 0.85:
            await ask("GET", "/workspace/find?q=smith", "finding a patient")
        else:
            await ask("GET", rng.choice(rounds), "the clinic's pages")
        await think()


@dataclass(frozen=True, slots=True)
class Day:
    """What was measured."""

    people: int
    staff: int
    seconds: float
    tally: Tally
    cpu_share: float
    sign_in_s: float


async def _day(port: int, pid: int, people: Sequence[Account], staff: Sequence[Account], minutes: float,
               patients: list[str]) -> Day:  # fmt: skip
    origin, began = f"http://localhost:{port}", time.monotonic()
    clients = [await signed_in(origin, one, "/portal") for one in people]
    others = [await signed_in(origin, one, "/workspace") for one in staff]
    sign_in_s = (time.monotonic() - began) / (len(people) + len(staff))
    for _ in range(_BUSY_TRIES):  # the server opens its calendars when it starts; a day begins after that
        page = await clients[0].get("/portal/appointments/me/find")
        if 'id="need"' in page.text:
            break
        await asyncio.sleep(1)
    tally, rng = Tally(), random.Random(SEED)  # noqa: S311  chances of a benchmark
    before, start = sum(Tree(pid).cpu_us()), time.monotonic()
    until = start + minutes * 60
    dice = [random.Random(rng.random()) for _ in (*clients, *others)]  # noqa: S311  chances of a benchmark
    work = [person(client, tally, dice.pop(), until) for client in clients]
    work += [
        member(client, tally, dice.pop(), until, patients, ROLES[number % len(ROLES)])
        for number, client in enumerate(others)
    ]
    await asyncio.gather(*work)
    seconds = time.monotonic() - start
    share = (sum(Tree(pid).cpu_us()) - before) / 1_000_000 / seconds
    for client in (*clients, *others):
        await client.aclose()
    return Day(len(people), len(staff), seconds, tally, share, sign_in_s)


def run(people: int, staff: int, minutes: float) -> Day:
    """Loads a corpus into a fresh installation, makes the accounts, and lets the day begin."""
    folder = corpora.make(CORPUS)
    base = Path(tempfile.mkdtemp(prefix="continuum-day-"))
    base.chmod(0o755)
    data = base / "data"
    os.environ["CONTINUUM_DATA"] = str(data)
    try:
        subprocess.run(continuum("migrate"), check=True, stdout=subprocess.DEVNULL)
        words = continuum("import", str(folder), "--rejects", str(base / "rejects"))
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
        at: dict[str, list[str]] = {}
        for one in corpora.read(folder, most=CORPUS).patients:
            if one["birthDate"] < "2005" and "deceasedDateTime" not in one:
                at.setdefault(one["managingOrganization"]["reference"].partition("/")[2], []).append(one["id"])
        facility = max(at, key=lambda name: len(at[name]))
        chosen = [*at[facility], *(name for other in at for name in at[other] if other != facility)][:people]
        accounts = asyncio.run(_accounts(data, chosen, facility, staff))
        with serving(continuum("serve", "--port", "0")) as (port, pid):
            return asyncio.run(_day(port, pid, *accounts, minutes, at[facility]))
    finally:
        shutil.rmtree(base, ignore_errors=True)


async def _accounts(
    data: Path, people: Sequence[str], facility: str, staff: int
) -> tuple[list[Account], list[Account]]:
    async with desk(data) as opened:
        mine = [await opened.account("Pat Bench", patient_id=one) for one in people]
        theirs = [
            await opened.account(f"Staff {number}", facility=facility, role=ROLES[number % len(ROLES)])
            for number in range(staff)
        ]
    return mine, theirs


def table(day: Day) -> str:
    """The report."""
    rows = [*day.tally.took_ms.items(), ("all", [one for took in day.tally.took_ms.values() for one in took])]
    lines = ["| What | Requests | Median ms | p95 ms | Largest ms |", "|---|---|---|---|---|"]
    for kind, took in rows:
        p95 = _p95(took)
        late = " **missed**" if p95 > P95_MOST_MS else ""
        lines.append(f"| {kind} | {len(took):,} | {statistics.median(took):.0f} | {p95:.0f}{late} | {max(took):.0f} |")
    lines += [
        "",
        f"- Wanted: p95 at most {P95_MOST_MS:.0f} ms, no errors. Errors: {len(day.tally.errors)}"
        f"{''.join(f'; {one}' for one in day.tally.errors[:5])}.",
        f"- {day.people} people and {day.staff} staff for {day.seconds:.0f} s; {THINK_S:.0f} s to think after each page.",
        f"- Server and PostgreSQL used {day.cpu_share:.2f} of one core on average; to sign in took {day.sign_in_s:.2f} s"
        " with three pages.",
    ]
    return "\n".join(lines)


def _p95(took: Sequence[float]) -> float:
    return statistics.quantiles(took, n=20)[-1] if len(took) > 1 else took[0]


def main() -> None:
    """Measures, prints and writes the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=60)
    parser.add_argument("--staff", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--no-write", action="store_true")
    given = parser.parse_args()
    day = run(given.people, given.staff, given.minutes)
    text = table(day)
    print(text)
    if not given.no_write:
        load = os.getloadavg()[0]
        command = f"python -m benchmarks.day --people {given.people} --staff {given.staff} --minutes {given.minutes:g}"
        PROOF.write_text(
            f"# A day at a clinic\n\n`{command}`, seed {SEED}, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()}"
            f" cores with the clients on them too, load {load:.1f} at the end; {CORPUS:,} patients.\n\n{text}\n",
            encoding="utf-8",
        )


if __name__ == "__main__":
    main()
