"""Two thousand connections of clients that mean no good, while others work: heads and bodies that trickle, bodies of
100 MB with and without a length, a thousandfold gzip, JSON of half a million brackets.

The others are answered as before: their 95th percentile stays below twice what it is without the attack. The attackers
run at the lowest priority of the machine, because theirs would be another one.
"""

import asyncio
import json
import subprocess
import sys
import time

import pytest

from benchmarks.client import Connection, Request
from tests.faults.figures import SEED, Proof, percentile, rounds

pytestmark = [pytest.mark.server, pytest.mark.proof]
CONNECTIONS = rounds("CONNECTIONS", 2_000)
MEASURED_S = rounds("MEASURED_S", 40)
PROMISED = {"CONNECTIONS": 2_000, "MEASURED_S": 40}
OTHERS = 8
THINK_S = 0.05
EXPECTED = {
    "head": {"cut off", "408"}, "body": {"408"}, "large": {"413", "cut off"}, "endless": {"413", "cut off"},
    "bomb": {"413"}, "deep": {"400"},
}  # fmt: skip
"""The right refusals. Who goes on sending after one may find the connection closed before reading it."""


async def others(server, name, seconds):
    """How long each read of people at work took, in milliseconds, and how many were not answered with 200."""
    wire = Request("GET", f"/fhir/Patient/{name}").wire("localhost", server.token(lives_s=7_200))
    times_ms, wrong = [], 0

    async def one():
        nonlocal wrong
        connection = Connection(*await asyncio.open_connection("127.0.0.1", server.port))
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            began = time.perf_counter()
            wrong += (await connection.send(wire)).status != 200
            times_ms.append((time.perf_counter() - began) * 1000)
            await asyncio.sleep(THINK_S)
        connection.close()

    await asyncio.gather(*(one() for _ in range(OTHERS)))
    return times_ms, wrong


def attacking(server):
    """The attackers' process, that says `open` when all are connected and ends with its input."""
    told = [str(server.port), server.token(lives_s=7_200), str(CONNECTIONS), str(SEED)]
    return subprocess.Popen(
        ["nice", "-n", "19", sys.executable, "-m", "tests.faults.slow", *told],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.mark.timeout(900)
async def test_others_are_served_as_before_while_two_thousand_connections_mean_no_good(another):
    proof = Proof("slow-clients", "Two thousand clients that mean no good", __doc__, "tests/faults/test_slow.py",
                  {"CONNECTIONS": CONNECTIONS, "MEASURED_S": MEASURED_S}, PROMISED)  # fmt: skip
    with another() as server:
        async with server.client() as api:
            name = (await api.post("/Patient", json={"resourceType": "Patient"})).json()["id"]
        await others(server, name, 3)
        before, wrong_before = await others(server, name, MEASURED_S / 2)
        with attacking(server) as attack:
            assert (await asyncio.to_thread(attack.stdout.readline)).strip() == "open"
            during, wrong = await others(server, name, MEASURED_S)
            attack.stdin.close()
            said = json.loads(await asyncio.to_thread(attack.stdout.readline))
        after, wrong_after = await others(server, name, 5)
    opened = said.pop("open")
    odd = [f"{what}: {count}" for what, count in said.items()
           if what.partition(" ")[2] not in EXPECTED[what.partition(" ")[0]]]  # fmt: skip
    usual, hard = percentile(before, 0.95), percentile(during, 0.95)
    proof.told("Attackers, each of whom comes back a while after being cut off", CONNECTIONS)
    proof.held(
        "Of them connected at the last moment", opened, f"at least {CONNECTIONS // 2:,}",
        holds=opened >= CONNECTIONS // 2,
    )  # fmt: skip
    proof.told("Reads of others before, during", f"{len(before):,}, {len(during):,}")
    proof.told("Their median before, during (ms)", f"{percentile(before, 0.5):.2f}, {percentile(during, 0.5):.2f}")
    proof.told("Their 95th percentile before (ms)", usual)
    proof.held("Their 95th percentile during (ms)", hard, "below twice that", holds=hard < 2 * usual)
    proof.told("Their 95th percentile afterwards (ms)", percentile(after, 0.95))
    proof.zero("Reads of others not answered with 200", wrong_before + wrong + wrong_after)
    proof.zero("Answers to attackers that are not the right refusal", odd)
    proof.told("Answers to attackers", ", ".join(f"{count:,} of {what}" for what, count in sorted(said.items())))
    proof.close()
