"""Power cuts lose nothing that was acknowledged.

The whole server, with its PostgreSQL, lies on an ext4 file system on a loop device. While clients write, the file
system is shut down without a flush of its log, so that whatever was not synced is gone, and all processes are
killed; then the file system is mounted again, its journal is replayed, and the server starts by itself. What clients
were told before the cut is compared with what is there after the last one.

The controls are the same cuts with one setting of PostgreSQL spoiled: with `synchronous_commit = off` and with
`fsync = off` acknowledged writes must be lost, or the cuts would show nothing.
"""

import asyncio
import json
import random
import subprocess
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import httpx
import pytest

from continuum.runtime.postgres import binaries
from continuum.runtime.postgres.layout import plan
from continuum.runtime.settings import Settings
from tests.faults.disk import CannotCut, Disk
from tests.faults.figures import SEED, Proof, percentile, rounds
from tests.faults.load import Ledger, Writer, judged, untraced
from tests.faults.supervised import Supervised, kill

pytestmark = pytest.mark.server

CUTS = rounds("CUTS", 3)
CONTROL_CUTS = rounds("CONTROL_CUTS", 2)
PROMISED = {"CUTS": 50, "CONTROL_CUTS": 4}
WRITERS = 4
DISK_MIB = 1_536
SPOILED = ("synchronous_commit", "fsync")
QUIET_S = 1.0
"""How long a control writes at least: it must have something to lose."""
START_WITHIN_S = 60.0


@dataclass
class Cuts:
    """A server on a disk, what clients were told, and how long it took to come back."""

    disk: Disk
    dice: random.Random
    ledger: Ledger = field(default_factory=Ledger)
    restarts_s: list[float] = field(default_factory=list)
    bearer: dict[str, str] = field(default_factory=dict)

    def __post_init__(self):
        self.server = Supervised(self.disk.mounted / "data")
        self.writers = [Writer(None, self.ledger, f"w{number}", random.Random(self.dice.random()))
                        for number in range(WRITERS)]  # fmt: skip

    async def up(self):
        self.server.start()
        if not self.bearer:
            self.bearer = {"authorization": f"Bearer {self.server.token()}"}
        return await self.server.until_it_writes(self.bearer, START_WITHIN_S)

    async def cut(self, least_s=0.3):
        """Writes for a while, cuts the power in the middle of it, and puts the disk in again; nothing is started."""
        async with httpx.AsyncClient(base_url=f"{self.server.origin}/fhir", headers=self.bearer, timeout=10) as api:
            writing = [asyncio.create_task(_write(writer, api)) for writer in self.writers]
            await asyncio.wait(writing, timeout=self.dice.uniform(least_s, least_s + 1.2))
            # No turn of the loop from here to the kill: what is acknowledged was so before the cut.
            for task in writing:
                task.cancel()
            self.disk.cut()
            kill(self.server.everything())
            for task in writing:
                with suppress(asyncio.CancelledError):
                    await task
        self.server.stop(politely=False)
        self.disk.unmount()
        self.disk.mount()

    def client(self):
        return httpx.AsyncClient(base_url=f"{self.server.origin}/fhir", headers=self.bearer, timeout=30)


async def _write(writer, api):
    writer.api = api
    while True:
        before = writer.ledger.unanswered
        await writer.step()
        await asyncio.sleep(0.05 if writer.ledger.unanswered > before else 0.005)


@pytest.fixture
def disk(data_folder):
    """A disk with a server on it that was started once and is stopped."""
    made = Disk(data_folder / "first")
    made.image.parent.mkdir()
    made.image.parent.chmod(0o711)
    try:
        made.make(DISK_MIB)
    except CannotCut as error:
        made.remove()
        pytest.skip(f"NOT TESTED: the power of no disk can be cut here: {error}")
    yield made
    made.remove()


async def furnished(disk):
    """Starts a server on the disk for the first time, stops it, and takes the disk out."""
    first = Cuts(disk, random.Random(0))
    try:
        await first.up()
    finally:
        first.server.stop()
    disk.unmount()
    return first.bearer


@contextmanager
def spoiled(disk, folder, setting):
    """A copy of the disk on which a setting of PostgreSQL is off."""
    copy = disk.copied(folder)
    copy.mount()
    try:
        local = plan(Settings.load({}, data=str(copy.mounted / "data"))).base / "local.conf"
        local.write_text(f"{setting} = off\n", encoding="utf-8")
        local.chmod(0o644)
        subprocess.run(["sync", "-f", local], check=True)
        yield copy
    finally:
        copy.remove()


async def lost_of_control(disk, bearer, seed) -> tuple[int, int, str]:
    """One cut of a control: acknowledged, lost of them, and how the database came back."""
    cuts = Cuts(disk, random.Random(seed), bearer=bearer)
    try:
        await cuts.up()
        await cuts.cut(QUIET_S)
        told = len(cuts.ledger.acknowledged)
        try:
            await cuts.up()
        except AssertionError:
            return told, told, "did not start"
        try:
            async with cuts.client() as api:
                verdict, _ = await judged(api, cuts.ledger)
        except httpx.HTTPError:
            return told, told, "did not answer"
        return told, len(verdict.lost), "started"
    finally:
        cuts.server.stop(politely=False)


def damaged_pages(data) -> str:
    """What PostgreSQL's own check of all pages' checksums says of a stopped cluster; "" when all are right."""
    base = plan(Settings.load({}, data=str(data))).base
    programs = next(iter(base.glob("programs-*/bin")), binaries.installed(binaries.CURRENT) / "bin")
    said = subprocess.run([programs / "pg_checksums", "--check", "-D", base / str(binaries.CURRENT)],
                          capture_output=True, text=True, check=False)  # fmt: skip
    return "" if said.returncode == 0 else said.stdout + said.stderr


async def survived(disk, proof):
    """All cuts on one disk, and the figures of what is there after the last."""
    disk.mount()
    cuts = Cuts(disk, random.Random(SEED))
    try:
        await cuts.up()
        for _ in range(CUTS):
            await cuts.cut()
            cuts.restarts_s.append(await cuts.up())
        async with cuts.client() as api:
            verdict, found = await judged(api, cuts.ledger)
        async with cuts.server.superuser() as connection:
            rows = await connection.fetch("SELECT interaction, target, detail FROM record.audit WHERE outcome = 0"
                                          " AND (type IS NULL OR type = (SELECT type FROM record.resource"
                                          " WHERE id = $1))", next(iter(found)))  # fmt: skip
        with cuts.server.verified() as said:
            report = json.loads(said.stdout)
    finally:
        cuts.server.stop()
    proof.told("Power cuts", CUTS)
    proof.told("Acknowledged writes", len(cuts.ledger.acknowledged))
    proof.told("Versions there, acknowledged or not", verdict.versions)
    proof.zero("Acknowledged writes lost or changed", verdict.lost)
    proof.zero("Transactions done by halves", verdict.halves)
    proof.zero("Resources with holes between their versions", verdict.holes)
    proof.zero("Identifiers that conditional creates doubled", verdict.doubles)
    proof.zero("Versions without exactly one audit row, or rows without a version", untraced(found, rows))
    proof.zero("Problems that `continuum audit verify` names", report["problems"])
    proof.zero("Answers that contradict what was told before", cuts.ledger.wrong)
    bad = damaged_pages(disk.mounted / "data")
    proof.zero("Pages whose checksum is wrong (`pg_checksums` says something)", [bad] if bad else [])
    proof.told("From the start after a cut to an acknowledged write, p50 and longest",
               f"{percentile(cuts.restarts_s, 0.5):.1f} s, {max(cuts.restarts_s):.1f} s")  # fmt: skip
    assert cuts.ledger.acknowledged, "nothing was written"


@pytest.mark.proof
@pytest.mark.timeout(2 * 3_600)
async def test_power_cuts_lose_nothing_that_was_acknowledged(disk, data_folder):
    settings = {"CUTS": CUTS, "CONTROL_CUTS": CONTROL_CUTS}
    proof = Proof("power", "The power is cut", __doc__, "tests/faults/test_power.py", settings, PROMISED)
    bearer = await furnished(disk)
    for setting in SPOILED:
        told = lost = unstarted = bitten = 0
        for number in range(CONTROL_CUTS):
            with spoiled(disk, data_folder / f"{setting}-{number}", setting) as copy:
                one = await lost_of_control(copy, bearer, SEED + number)
            told, lost, bitten = told + one[0], lost + one[1], bitten + (one[1] > 0)
            unstarted += one[2] != "started"
        shown = f"{lost:,} of {told:,}, in {bitten} of {CONTROL_CUTS} cuts; {unstarted} times it did not start again"
        proof.held(f"Control: acknowledged writes lost with `{setting} = off`", shown, "more than 0", holds=lost > 0)
    began = time.monotonic()
    await survived(disk, proof)
    proof.told("The cuts took", f"{time.monotonic() - began:.0f} s")
    proof.close()
