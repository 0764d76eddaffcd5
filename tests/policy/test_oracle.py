"""Whatever way somebody looks, the server shows exactly what the policy, stated a second time, lets them see."""

import os
from contextlib import asynccontextmanager

import httpx
import pytest

from continuum.apps.fhir_api.serving import Worker
from tests.faults.figures import Proof, rounds
from tests.live import fresh_database, started
from tests.policy.comparing import EVERY, QUICK, Compared, Comparison, export, furnish
from tests.policy.oracle import Oracle
from tests.policy.worlds import make

pytestmark = pytest.mark.server
QUICK_SEED, EVERY_SEED, FIRST_SEED = 69, 289, 10
DECISIONS = rounds("DECISIONS", 1_000_000)
STORY = """Small worlds of facilities, people and records are furnished over the interface; everybody in them then asks
for everything by every exit (search, counts, chains, includes, history, export and others). What the running server
shows is compared with the policy, stated a second time in plain Python without SQL (tests/policy/oracle.py)."""


@pytest.fixture
def alone(test_server, template, tmp_path):
    """A server whose database holds nothing else: `async with alone() as server`."""

    @asynccontextmanager
    async def start():
        app, owner = await fresh_database(test_server, template)
        orders = Worker(
            database=app, record_secret=os.urandom(32), audit_secret=os.urandom(32), token_secret=os.urandom(32),
            identity_secret=os.urandom(32), connections=8, bulk_folder=str(tmp_path),
        )  # fmt: skip
        with started(orders, owner) as found:
            yield found

    return start


async def compared(server, world, exits):
    """Furnishes the world, lets everybody break the glass who will, and compares."""

    def client_of(user) -> httpx.AsyncClient:
        return server.client(
            user.role, subject=user.name, facility=user.facility, patient=user.patient, purpose=user.purpose,
            practitioner=user.practitioner, identity_level=user.levels[0], authenticator_level=user.levels[1],
        )  # fmt: skip

    async with server.client("system") as client:
        await furnish(client, world)
    for user in world.users:
        async with client_of(user) as client:
            for patient in sorted(user.emergency):
                reason = {"name": "reason", "valueString": "found unconscious"}
                body = {"resourceType": "Parameters", "parameter": [reason]}
                answer = await client.post(f"/Patient/{patient}/$break-the-glass", json=body)
                assert answer.status_code == 201, answer.text
    return await Comparison(world, client_of).all_users(exits)


RULES = {
    "refused": lambda *_: False, "granted": lambda *_: False, "treats": lambda *_: False,
    "shielded": lambda *_: False, "addressed": lambda *_: False, "cared_for": lambda *_: False,
    "holds": lambda *_, **__: True, "established": lambda *_: True,
}  # fmt: skip
"""Each rule of the oracle, and what it answers when it is not there."""


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("seed", [QUICK_SEED, EVERY_SEED])
def test_the_worlds_have_a_case_for_every_rule(seed, rule, monkeypatch):
    world = make(seed, patients=4, rounds=1)
    oracle = Oracle(world)
    asked = [(user, resource) for user in world.users for resource in world.resources]
    before = [oracle.sees(*one) for one in asked]
    monkeypatch.setattr(oracle, rule, RULES[rule])
    assert sum(is_ != was for is_, was in zip([oracle.sees(*one) for one in asked], before, strict=True)) >= 2


@pytest.mark.requirement("V8.2.2")
async def test_ten_thousand_decisions_without_a_mismatch(alone):
    async with alone() as server:
        found = await compared(server, make(QUICK_SEED, patients=4, rounds=1), QUICK)
    assert found.mismatches == []
    assert found.decisions >= 10_000
    assert 0.1 < found.shown / found.decisions < 0.9, "most are neither shown to all nor to nobody"


async def test_each_exit_shows_what_the_policy_lets_somebody_see(alone):
    world = make(EVERY_SEED, patients=4, rounds=1)
    by_role = {(user.role, bool(user.emergency)): user for user in world.users}
    world.users = list(by_role.values())
    async with alone() as server:
        found = await compared(server, world, EVERY)
    assert found.mismatches == []
    assert len(found.by_exit) == 22, found.by_exit


@pytest.mark.proof
@pytest.mark.timeout(7_200)
async def test_a_million_decisions_without_a_mismatch(alone):
    proof = Proof("policy", "What is shown to whom, decided twice", STORY, "tests/policy/test_oracle.py",
                  {"DECISIONS": DECISIONS}, {"DECISIONS": 1_000_000}, seed=FIRST_SEED)  # fmt: skip
    found = Compared()
    seed = FIRST_SEED
    while found.decisions < DECISIONS and not found.mismatches:
        async with alone() as server:
            world = make(seed, facilities=4, practitioners=8, patients=12, rounds=2)
            found.add(await compared(server, world, (*EVERY, export)))
        seed += 1
    proof.told("Worlds", seed - FIRST_SEED)
    proof.held("Decisions (user, resource, exit)", found.decisions, f"at least {DECISIONS:,}",
               holds=found.decisions >= DECISIONS)  # fmt: skip
    proof.told("Shown", found.shown)
    proof.told("Exits", len(found.by_exit))
    proof.zero("Mismatches", found.mismatches)
    proof.close()


def _first(world, **wanted):
    return next(user for user in world.users if all(getattr(user, name) == value for name, value in wanted.items()))


async def test_the_comparison_sees_a_server_that_shows_too_much(alone):
    """Users who ask under another's rights are found out."""
    world = make(3, patients=4, rounds=1)
    nurse = _first(world, role="nurse")
    world.users = [nurse]
    async with alone() as server:
        async with server.client("system") as client:
            await furnish(client, world)
        comparison = Comparison(world, lambda _: server.client("system"))
        found = await comparison.all_users(QUICK)
    assert {one.partition(":")[0] for one in found.mismatches} >= {"search", "count", "across", "read", "history"}
