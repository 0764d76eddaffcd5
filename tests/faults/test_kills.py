"""What is killed loses nothing that was acknowledged.

A load of creates, updates with If-Match, transactions, conditional creates and deletions, while SIGKILL hits at
random moments: the server, one of its workers, a backend of PostgreSQL, the postmaster, the keeper that watches
it, or all processes at once. A loop restarts the server when it ends, as systemd would; nobody else helps.
Afterwards every acknowledged version, every transaction, every version's row in the audit trail and the trail's
own seals are checked.
"""

import asyncio
import json
import random
from collections import Counter

import httpx
import pytest

from tests.faults.figures import SEED, Proof, percentile, rounds
from tests.faults.load import Ledger, Writer, judged, untraced
from tests.faults.supervised import KINDS, Supervised, kill

pytestmark = [pytest.mark.server]

KILLS = rounds("KILLS", 12)
PROMISED = {"KILLS": 300}
WRITERS = 4
RESTART_BOUND_S = 10.0


class Storm:
    """A supervised server, clients that write, and kills."""

    def __init__(self, server, seed):
        self.server = server
        self.dice = random.Random(seed)
        self.ledger = Ledger()
        self.kinds = Counter()
        self.restarts_s = []
        self.of_kind = {kind: [] for kind in KINDS}
        self.bearer = {}

    async def rage(self, kills):
        """Kills while the writers write; returns when the server is back from the last one."""
        await self.server.until_it_writes(self.bearer)
        stopping = asyncio.Event()
        writers = [asyncio.create_task(self._write(f"w{number}", stopping)) for number in range(WRITERS)]
        for number in range(kills):
            quiet = asyncio.get_running_loop().time() + self.dice.uniform(0.2, 1.0)
            while asyncio.get_running_loop().time() < quiet:  # noqa: ASYNC110  time passes, nothing tells
                await asyncio.sleep(0.02)
            kind = KINDS[number % len(KINDS)]
            while not (processes := self.server.of_kind(kind)):  # noqa: ASYNC110  other processes tell nobody
                await asyncio.sleep(0.02)
            kill(processes if kind == "all" else [self.dice.choice(processes)])
            self.kinds[kind] += 1
            self.of_kind[kind].append(await self.server.until_it_writes(self.bearer))
            self.restarts_s.append(self.of_kind[kind][-1])
            for writer in writers:
                assert not writer.done(), writer.exception()
        stopping.set()
        await asyncio.gather(*writers)

    async def _write(self, name, stopping):
        dice = random.Random(self.dice.random())
        async with self.client() as api:
            writer = Writer(api, self.ledger, name, dice)
            while not stopping.is_set():
                before = self.ledger.unanswered
                await writer.step()
                await asyncio.sleep(0.05 if self.ledger.unanswered > before else 0.01)

    def client(self):
        return httpx.AsyncClient(base_url=f"{self.server.origin}/fhir", headers=self.bearer, timeout=10)

    async def judge(self):
        """What is wrong now; the versions; and the audit rows of writes."""
        async with self.client() as api:
            verdict, found = await judged(api, self.ledger)
        async with self.server.superuser() as connection:
            rows = await connection.fetch("SELECT interaction, target, detail FROM record.audit WHERE outcome = 0"
                                          " AND (type IS NULL OR type = (SELECT type FROM record.resource"
                                          " WHERE id = $1))", next(iter(found)))  # fmt: skip
        with self.server.verified() as said:
            report = json.loads(said.stdout)
        return verdict, untraced(found, rows), report


async def raged(data, kills, seed):
    server = Supervised(data)
    async with server.running():
        storm = Storm(server, seed)
        storm.bearer = {"authorization": f"Bearer {server.token()}"}
        await storm.rage(kills)
        return storm, *await storm.judge()


@pytest.mark.proof
@pytest.mark.timeout(3 * 3_600)
async def test_kills_at_any_moment_lose_nothing(data_folder):
    proof = Proof("kills", "Killed at any moment", __doc__, "tests/faults/test_kills.py", {"KILLS": KILLS}, PROMISED)
    storm, verdict, missing, report = await raged(data_folder / "data", KILLS, SEED)
    kinds = ", ".join(f"{kind} {storm.kinds[kind]}" for kind in KINDS)
    proof.told("Kills", f"{storm.kinds.total()} ({kinds})")
    proof.told("Acknowledged writes", len(storm.ledger.acknowledged))
    proof.told("Versions there, acknowledged or not", verdict.versions)
    proof.zero("Acknowledged writes lost or changed", verdict.lost)
    proof.zero("Transactions done by halves", verdict.halves)
    proof.zero("Resources with holes between their versions", verdict.holes)
    proof.zero("Identifiers that conditional creates doubled", verdict.doubles)
    proof.zero("Versions without exactly one audit row, or rows without a version", missing)
    proof.zero("Problems that `continuum audit verify` names", report["problems"])
    proof.zero("Answers that contradict what was told before", storm.ledger.wrong)
    waits = storm.restarts_s
    proof.held("From the kill to an acknowledged write, p99", f"{percentile(waits, 0.99):.1f} s",
               f"at most {RESTART_BOUND_S:.0f} s", holds=percentile(waits, 0.99) <= RESTART_BOUND_S)  # fmt: skip
    proof.told("The same, p50 and longest", f"{percentile(waits, 0.5):.1f} s, {max(waits):.1f} s")
    for kind, took in storm.of_kind.items():
        if took:
            proof.told(f"The same after a kill of: {kind}", f"{percentile(took, 0.5):.1f} s, {max(took):.1f} s")
    answers = ", ".join(f"{count:,} of {status}" for status, count in sorted(storm.ledger.answers.items()))
    proof.told("Answers to writes", f"{answers}; {storm.ledger.unanswered:,} without an answer")
    proof.close()
