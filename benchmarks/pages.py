"""How fast and how small pages are: `python -m benchmarks.pages [--patients 16000] [--no-write]`.

A physician opens every page of two charts in a record of so many patients: the usual one, and one of 1,000 encounters.
Time is that of a whole answer as a client on the same machine sees it; CPU is that of the server and of PostgreSQL.
Bytes are those over the wire, compressed. The largest paint is Chromium's own figure with its CPU slowed four times.
"""

import argparse
import asyncio
import os
import platform
import re
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pyotp
from playwright.async_api import async_playwright

from benchmarks import corpus as corpora
from benchmarks.processes import Tree
from benchmarks.run import continuum, serving
from continuum.access.audit import Auditor
from continuum.access.sign_ons import tracer
from continuum.apps.signon.services import SignonSettings, services
from continuum.chart.section import sections
from continuum.fhir.json import dump
from continuum.identity import accounts, staff
from continuum.kernel.clock import now_us
from continuum.kernel.ids import uuid7
from continuum.runtime import postgres, secrets
from continuum.runtime.pool import Pool
from continuum.runtime.settings import Settings
from continuum.samples.world import people, personas

ROOT = Path(__file__).resolve().parent.parent
PROOF = ROOT / "docs" / "proof" / "pages.md"
P95_MOST_MS, FIRST_MOST_BYTES, LATER_MOST_BYTES, PAINT_MOST_MS = 50.0, 120_000, 15_000, 1_000.0
ENCOUNTERS = 1_000
REQUESTS = 60
SLOWED = 4
PASSWORD = "sandpiper-harbor-lantern-42"  # noqa: S105  of an account that lives as long as this program
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Figure:
    """One page: milliseconds at the median and the 95th percentile, CPU in milliseconds, bytes over the wire."""

    page: str
    chart: str
    median_ms: float
    p95_ms: float
    cpu_ms: float
    wire_bytes: int


def long_chart(facility: str) -> tuple[str, list[Json]]:
    """A retiree whose years came again and again, cared for by a facility: (patient id, resources)."""
    retiree = next(one for one in personas() if one.key == "retiree").patient_id
    mine = [one for one in people() if f"Patient/{retiree}" in str(one) or one["id"] == retiree]
    mine = [one for one in mine if one["resourceType"] not in {"Slot", "RelatedPerson", "CareTeam", "Coverage"}]
    encounters = sum(one["resourceType"] == "Encounter" for one in mine)
    patient = next(one for one in mine if one["resourceType"] == "Patient")
    new_id, at_home = uuid7(), patient["managingOrganization"]["reference"]
    known = {"reference": f"Organization/{facility}"}
    made = [
        patient | {"id": new_id, "identifier": [{"system": "urn:long", "value": "1"}], "managingOrganization": known}
    ]
    for turn in range(-(-ENCOUNTERS // encounters)):
        made += _again(mine, {retiree: new_id, at_home.partition("/")[2]: facility}, turn)
    return new_id, made


def _again(mine: list[Json], others: dict[str, str], turn: int) -> Iterator[Json]:
    ids = {one["id"]: uuid7() for one in mine}
    back = timedelta(days=37 * turn)
    for one in mine:
        if one["resourceType"] != "Patient":
            moved = _moved(one, {**ids, **others}, back)
            assert isinstance(moved, dict), "a resource stays one"
            yield moved


def _moved(value: object, ids: dict[str, str], back: timedelta) -> object:
    """A copy with other ids, some days earlier."""
    if isinstance(value, dict):
        return {key: _moved(inner, ids, back) for key, inner in value.items()}
    if isinstance(value, list):
        return [_moved(inner, ids, back) for inner in value]
    if isinstance(value, str):
        kind, slash, name = value.rpartition("/")
        if slash and name in ids and kind.isalpha():
            return f"{kind}/{ids[name]}"
        if value in ids:
            return ids[value]
        if value[:2] in {"19", "20"} and len(value) in {10, 25}:
            try:
                at = datetime.fromisoformat(value) - back
            except ValueError:
                return value
            return at.date().isoformat() if len(value) == 10 else at.isoformat()
    return value


async def physician(data: Path, facility: str) -> tuple[str, str]:
    """A physician of a facility who can sign in: (name, seed of the authenticator app)."""
    known = secrets.load(data)
    name, seed = f"bench-{uuid7()[:8]}", pyotp.random_base32(32)
    async with postgres.open(Settings.load(data=str(data))) as server, Pool.open(server.app.dsn, size=2) as pool:
        desk = services(
            pool.connection, SignonSettings("http://localhost", known.identity, known.token),
            tracer(Auditor(known.audit, pool.connection, now_us)),
        )  # fmt: skip
        on = desk.sign_on
        hashed = await on.hasher.hash(PASSWORD)
        async with on.connect() as conn, conn.transaction():
            account = await accounts.create(
                conn, sign_in_name=name, display_name="Dr. Bench", password_hash=hashed, now=on.clock(), person_id=None
            )
            await accounts.raise_identity_level(conn, account.account_id, 2)
            await on.apps.put(conn, account.account_id, seed, name="Bench")
            await staff.grant(
                conn, account.account_id, "physician", facility_id=facility, starts=on.today(), ends=None,
                by_account=None, now=on.clock(),
            )  # fmt: skip
        on.hasher.close()
    return name, seed


async def signed_in(origin: str, who: tuple[str, str]) -> httpx.AsyncClient:
    """A client with the cookies of a session."""
    client = httpx.AsyncClient(base_url=origin, timeout=30, follow_redirects=True)
    page = await client.get("/signon/sign-in")
    for action, fields in (
        ("/signon/notice", {"next": "/signon/sign-in"}),
        ("/signon/sign-in", {"name": who[0], "password": PASSWORD}),
        ("/signon/second-step", {"kind": "app", "kinds": "app", "code": pyotp.TOTP(who[1]).now()}),
    ):
        hidden = dict(re.findall(r'<input type="hidden" name="(csrf|ticket)" value="([^"]*)"', page.text))
        page = await client.post(action, data={**hidden, **fields})
        assert page.status_code == 200, (action, page.status_code, page.text[:500])
    assert (await client.get("/workspace")).url.path == "/workspace", "the physician is in"
    return client


async def measured(client: httpx.AsyncClient, pid: int, chart: str, patient_id: str) -> list[Figure]:
    """Every page of a chart."""
    figures = []
    pages = ["", "/timeline", *(f"/{key}" for key in sections()), "/vitals/new"]
    for page in [*pages, "home", "find"]:
        address = {"home": "/workspace", "find": "/workspace/find?q=rivera+ana"}.get(
            page, f"/workspace/patients/{patient_id}{page}"
        )
        headers = {"accept-encoding": "zstd"}
        async with client.stream("GET", address, headers=headers) as answer:
            wire = sum([len(chunk) async for chunk in answer.aiter_raw()])
        assert answer.status_code == 200, (address, answer.status_code)
        times = []
        before = Tree(pid).cpu_us()
        for _ in range(REQUESTS):
            began_s = time.perf_counter()
            async with client.stream("GET", address, headers=headers) as answer:
                async for _chunk in answer.aiter_raw():
                    pass
            times.append((time.perf_counter() - began_s) * 1_000)
        after = Tree(pid).cpu_us()
        cpu = sum(b - a for a, b in zip(before, after, strict=True)) / REQUESTS / 1_000
        name = page.removeprefix("/") or "summary"
        p95 = statistics.quantiles(times, n=20)[-1]
        figures.append(Figure(name, chart, statistics.median(times), p95, cpu, wire))
        print(
            f"{chart:<7} {name:<14} {figures[-1].median_ms:6.1f} {p95:6.1f} ms {cpu:6.1f} CPU-ms {wire:>6} B",
            flush=True,
        )
    return figures


_PAINT = """() => new Promise((done) => {
  new PerformanceObserver((list) => done(list.getEntries().at(-1).startTime))
    .observe({ type: 'largest-contentful-paint', buffered: true });
})"""
_WIRE = """() => performance.getEntriesByType('resource').concat(performance.getEntriesByType('navigation'))
  .reduce((sum, one) => sum + one.transferSize, 0)"""


async def painted(origin: str, cookies: httpx.Cookies, patient_id: str) -> tuple[float, int]:
    """(largest paint in ms with a slow CPU, bytes of a first visit) of a summary, in a browser that knows nothing yet."""
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=shutil.which("chromium"))
        context = await browser.new_context()
        await context.add_cookies([{"name": one.name, "value": one.value or "", "url": origin} for one in cookies.jar])
        page = await context.new_page()
        tools = await context.new_cdp_session(page)
        await tools.send("Emulation.setCPUThrottlingRate", {"rate": SLOWED})
        await page.goto(f"{origin}/workspace/patients/{patient_id}", wait_until="load")
        paint, wire = float(await page.evaluate(_PAINT)), int(await page.evaluate(_WIRE))
        await browser.close()
    return paint, wire


async def all_of_it(
    port: int, pid: int, who: tuple[str, str], charts: dict[str, str]
) -> tuple[list[Figure], float, int]:
    """Every page of both charts, the paint, and the first visit."""
    origin = f"http://localhost:{port}"
    client = await signed_in(origin, who)
    figures = []
    for chart, patient_id in charts.items():
        figures += await measured(client, pid, chart, patient_id)
    paint, wire = await painted(origin, client.cookies, charts["long"])
    await client.aclose()
    return figures, paint, wire


def run(patients: int) -> tuple[list[Figure], float, int]:
    """Loads a corpus and the long chart into a fresh installation, and measures."""
    folder = corpora.make(patients)
    base = Path(tempfile.mkdtemp(prefix="continuum-pages-"))
    base.chmod(0o755)
    data = base / "data"
    os.environ["CONTINUUM_DATA"] = str(data)
    try:
        subprocess.run(continuum("migrate"), check=True, stdout=subprocess.DEVNULL)
        usual = corpora.read(folder, most=1).patients[0]
        facility = usual["managingOrganization"]["reference"].partition("/")[2]
        patient_id, chart = long_chart(facility)
        long = base / "long.ndjson"
        long.write_bytes(b"".join(dump(one) + b"\n" for one in chart))
        for source in (folder, long):
            words = continuum("import", str(source), "--rejects", str(base / "rejects"))
            subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
        who = asyncio.run(physician(data, facility))
        charts = {"usual": usual["id"], "long": patient_id}
        with serving(continuum("serve", "--port", "0")) as (port, pid):
            return asyncio.run(all_of_it(port, pid, who, charts))
    finally:
        shutil.rmtree(base, ignore_errors=True)


def table(figures: list[Figure], paint_ms: float, first_bytes: int) -> str:
    """The report."""
    lines = ["| Page | Chart | Median ms | p95 ms | CPU ms | Bytes |", "|---|---|---|---|---|---|"]
    for one in figures:
        late = " **missed**" if one.p95_ms > P95_MOST_MS else ""
        large = " **missed**" if one.wire_bytes > LATER_MOST_BYTES else ""
        lines.append(
            f"| {one.page} | {one.chart} | {one.median_ms:.1f} | {one.p95_ms:.1f}{late} | {one.cpu_ms:.1f} |"
            f" {one.wire_bytes:,}{large} |"
        )
    worst = max(figures, key=lambda one: one.p95_ms)
    lines += [
        "",
        f"- Server time p95: at most {worst.p95_ms:.1f} ms ({worst.page}, {worst.chart} chart); {P95_MOST_MS:.0f} wanted.",
        f"- Largest contentful paint of the summary of the long chart, CPU slowed {SLOWED}×: {paint_ms:.0f} ms;"
        f" {PAINT_MOST_MS:.0f} wanted{'' if paint_ms <= PAINT_MOST_MS else ': **missed**'}.",
        f"- First visit, with style, scripts and icons: {first_bytes:,} bytes; {FIRST_MOST_BYTES:,} wanted"
        f"{'' if first_bytes <= FIRST_MOST_BYTES else ': **missed**'}.",
    ]
    return "\n".join(lines)


def main() -> None:
    """Measures, prints, and keeps the figures in docs/proof/."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=16_000)
    parser.add_argument("--no-write", action="store_true", help="print only")
    given = parser.parse_args()
    load = os.getloadavg()[0]
    report = table(*run(given.patients))
    print(report)
    if not given.no_write:
        PROOF.write_text(
            "# Pages\n\n"
            f"`python -m benchmarks.pages --patients {given.patients}`, seed {corpora.SEED}, {datetime.now(UTC):%Y-%m-%d},"
            f" {os.cpu_count()} cores ({platform.machine()}), load before {load:.1f}, {REQUESTS} requests a page, one after"
            f" another. The long chart has {ENCOUNTERS:,} encounters or more.\n\n{report}\n",
            encoding="utf-8",
        )


if __name__ == "__main__":
    main()
