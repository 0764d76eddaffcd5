"""Clients that read and write the same resources at the same time see what one record, one act at a time, would show.

Rounds of some seconds, several at a time on one server with two workers. In each, eight clients read and write
registers with If-Match, move amounts between accounts in transactions and look at all accounts in one search, and
race to create a resource under the same condition. What each was told, and when, goes into a history; a checker,
which knows nothing of how the record works, looks for anomalies: lost or stale reads, lost updates, half or lost
transfers, looks that do not agree on an order, doubled resources.

The control spoils the histories that were just recorded, one answer at a time; the checker must find all of them.
"""

import asyncio
import json
import math
import random
from collections import Counter
from dataclasses import dataclass, field, replace

import httpx
import pytest

from tests.faults import anomalies
from tests.faults.anomalies import Act, Look
from tests.faults.figures import SEED, Proof, rounds
from tests.faults.load import SYSTEM, basic, version_of
from tests.faults.supervised import Supervised

pytestmark = pytest.mark.server

ROUNDS = rounds("HISTORIES", 2)
SECONDS = rounds("HISTORY_SECONDS", 5)
PROMISED = {"HISTORIES": 100, "HISTORY_SECONDS": 30}
AT_A_TIME = rounds("HISTORIES_AT_A_TIME", 2)
"""Rounds that share the server; each has resources of its own."""
CLIENTS = 8
REGISTERS = 3
ACCOUNTS = 4
BALANCE = 1_000
PLANTED_OF_KIND = 3
"""How many anomalies of each kind the control plants into each round's history."""


@dataclass
class Round:
    """One round: its clients' dice, its resources, and its history."""

    api: httpx.AsyncClient
    mark: str
    dice: random.Random
    acts: list[Act] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    moved: list[tuple[str, int, str, int]] = field(default_factory=list)
    told: list[tuple[str, str, int]] = field(default_factory=list)
    carried: dict[str, set[str]] = field(default_factory=dict)
    answers: Counter = field(default_factory=Counter)
    number: int = 0

    @property
    def total(self) -> int:
        return ACCOUNTS * BALANCE

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def registers(self) -> list[str]:
        return [f"{self.mark}-r{number}" for number in range(REGISTERS)]

    def accounts(self) -> list[str]:
        return [f"{self.mark}-a{number}" for number in range(ACCOUNTS)]

    async def furnish(self):
        for name in self.registers():
            (await self.api.put(f"/Basic/{name}", json=basic("first", id=name))).raise_for_status()
        for name in self.accounts():
            (await self.api.put(f"/Basic/{name}", json=self._account(name, BALANCE))).raise_for_status()

    def _account(self, name, balance):
        return basic(str(balance), id=name, identifier=[{"system": SYSTEM, "value": f"{self.mark}-accounts"}])

    async def run(self, seconds):
        """The clients do as they like until the time is over; then the accounts are looked at once more."""
        end = self.now() + seconds
        await asyncio.gather(*(self._client(random.Random(self.dice.random()), end) for _ in range(CLIENTS)))
        await self._look()
        await self._carry()

    async def _client(self, dice, end):
        known: dict[str, tuple[int, str]] = {}
        while self.now() < end:
            self.number += 1
            kind = dice.random()
            try:
                if kind < 0.35:
                    await self._read(dice.choice(self.registers()), known)
                elif kind < 0.65:
                    await self._write(dice.choice(self.registers()), known)
                elif kind < 0.80:
                    await self._move(dice)
                elif kind < 0.90:
                    await self._look()
                else:
                    await self._create(dice)
            except httpx.TransportError:
                self.answers["none"] += 1

    async def _read(self, name, known):
        began = self.now()
        answer = self._counted(await self.api.get(f"/Basic/{name}"))
        assert answer.status_code == 200, answer.text
        known[name] = version_of(answer), answer.json()["code"]["text"]
        self.acts.append(Act(name, "read", began, self.now(), *known[name]))

    async def _write(self, name, known):
        if name not in known:
            await self._read(name, known)
        replaced, value = known[name][0], f"v{self.number}"
        began, place = self.now(), len(self.acts)
        self.acts.append(Act(name, "write", began, math.inf, 0, value, replaced))  # in case it is never answered
        answer = self._counted(
            await self.api.put(f"/Basic/{name}", json=basic(value, id=name), headers={"if-match": f'W/"{replaced}"'})
        )
        if answer.status_code == 200:
            known[name] = version_of(answer), value
            self.acts[place] = Act(name, "write", began, self.now(), version_of(answer), value, replaced)
            return
        assert answer.status_code in (409, 412), answer.text
        # Refused: nothing was written. It stays in the history as an act of a register of its own, with no version.
        self.acts[place] = Act(f"{name} refused", "write", began, math.inf, 0, value, replaced)
        known.pop(name)

    async def _balances(self) -> dict[str, tuple[int, int]]:
        answer = self._counted(await self.api.get("/Basic", params={"identifier": f"{SYSTEM}|{self.mark}-accounts"}))
        assert answer.status_code == 200, answer.text
        found = [entry["resource"] for entry in answer.json()["entry"]]
        return {one["id"]: (int(one["meta"]["versionId"]), int(one["code"]["text"])) for one in found}

    async def _look(self):
        began = self.now()
        seen = await self._balances()
        assert len(seen) == ACCOUNTS, seen
        self.looks.append(Look(began, self.now(), seen))

    async def _move(self, dice):
        seen = await self._balances()
        payer, payee = dice.sample(self.accounts(), 2)
        amount = dice.randint(1, 50)
        entries = []
        for name, balance in ((payer, seen[payer][1] - amount), (payee, seen[payee][1] + amount)):
            request = {"method": "PUT", "url": f"Basic/{name}", "ifMatch": f'W/"{seen[name][0]}"'}
            entries.append({"resource": self._account(name, balance), "request": request})
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        answer = self._counted(await self.api.post("/", json=bundle))
        if answer.status_code == 200:
            made = [int(entry["response"]["etag"][3:-1]) for entry in answer.json()["entry"]]
            self.moved.append((payer, made[0], payee, made[1]))
        else:
            assert answer.status_code in (409, 412), answer.text

    async def _create(self, dice):
        # A few criteria at a time, so that clients meet; new ones as time goes on.
        criterion = f"{self.mark}-k{self.number // 200}-{dice.randrange(2)}"
        one = basic("made", identifier=[{"system": SYSTEM, "value": criterion}])
        answer = self._counted(
            await self.api.post("/Basic", json=one, headers={"if-none-exist": f"identifier={SYSTEM}|{criterion}"})
        )
        assert answer.status_code in (200, 201), answer.text
        self.told.append((criterion, answer.json()["id"], answer.status_code))

    async def _carry(self):
        for criterion in {criterion for criterion, _, _ in self.told}:
            answer = await self.api.get("/Basic", params={"identifier": f"{SYSTEM}|{criterion}"})
            self.carried[criterion] = {entry["resource"]["id"] for entry in answer.json().get("entry", ())}

    def _counted(self, answer):
        self.answers[answer.status_code] += 1
        return answer


def wrong(one: Round) -> dict[str, list[str]]:
    """What the checker says of a round, by kind."""
    return {
        "registers": anomalies.registers(one.acts),
        "transfers": anomalies.transfers(one.looks, one.total) + anomalies.moved_twice(one.moved),
        "conditional creates": anomalies.doubled(one.told, one.carried),
    }


def spoilt(one: Round, dice: random.Random):
    """Copies of a round with one answer spoilt in each: (what was planted, the copy)."""
    writes = [place for place, act in enumerate(one.acts) if act.kind == "write" and act.version > 2]
    reads = [place for place, act in enumerate(one.acts) if act.kind == "read" and act.version > 2]
    for _ in range(PLANTED_OF_KIND):
        place = dice.choice(reads)
        yield "stale read", _with_act(one, place, version=one.acts[place].version, value="first")
        yield "read of the past", _with_act(one, place, version=1, value="first")
        place = dice.choice(writes)
        act = one.acts[place]
        yield "lost update", _with_act(one, place, version=act.version - 1, replaced=act.replaced - 1)
        place = dice.randrange(len(one.looks))
        name = dice.choice(one.accounts())
        version, balance = one.looks[place].accounts[name]
        half = replace(one.looks[place], accounts={**one.looks[place].accounts, name: (version, balance - 7)})
        yield "half a transfer", replace(one, looks=[*one.looks[:place], half, *one.looks[place + 1 :]])
        yield "lost transfer", replace(one, moved=[*one.moved, dice.choice(one.moved)])
        criterion, _, _ = dice.choice(one.told)
        yield "doubled resource", replace(one, told=[*one.told, (criterion, "another", 201)])


def _with_act(one, place, **changes):
    return replace(one, acts=[*one.acts[:place], replace(one.acts[place], **changes), *one.acts[place + 1 :]])


async def played(server, bearer) -> list[Round]:
    """All rounds, some at a time, each checked by nobody yet."""
    dice = random.Random(SEED)
    done = []
    turns = asyncio.Semaphore(AT_A_TIME)
    limits = httpx.Limits(max_connections=CLIENTS)

    async def play(number, seed):
        async with turns, httpx.AsyncClient(
            base_url=f"{server.origin}/fhir", headers=bearer, timeout=60, limits=limits
        ) as api:  # fmt: skip
            one = Round(api, f"h{number}", random.Random(seed))
            await one.furnish()
            await one.run(SECONDS)
            done.append(one)

    await asyncio.gather(*(play(number, dice.random()) for number in range(ROUNDS)))
    return done


@pytest.mark.proof
@pytest.mark.timeout(3 * 3_600)
async def test_histories_of_concurrent_clients_have_no_anomaly(data_folder):
    settings = {"HISTORIES": ROUNDS, "HISTORY_SECONDS": SECONDS, "HISTORIES_AT_A_TIME": AT_A_TIME}
    proof = Proof("histories", "Histories of concurrent clients", __doc__, "tests/faults/test_histories.py", settings,
                  PROMISED)  # fmt: skip
    server = Supervised(data_folder / "data")
    async with server.running():
        bearer = {"authorization": f"Bearer {server.token()}"}
        await server.until_it_writes(bearer)
        done = await played(server, bearer)
    found = [(one.mark, wrong(one)) for one in done]
    proof.told("Rounds, seconds of each, at a time", f"{len(done)}, {SECONDS}, {AT_A_TIME}")
    answers = sum((one.answers for one in done), Counter())
    proof.told("Answers", ", ".join(f"{count:,} of {status}" for status, count in sorted(answers.items(), key=str)))
    proof.told("Reads and writes of registers", sum(len(one.acts) for one in done))
    proof.told("Transfers done, looks at all accounts",
               f"{sum(len(one.moved) for one in done):,}, {sum(len(one.looks) for one in done):,}")  # fmt: skip
    proof.told("Conditional creates, of criteria",
               f"{sum(len(one.told) for one in done):,}, {sum(len(one.carried) for one in done):,}")  # fmt: skip
    for kind in ("registers", "transfers", "conditional creates"):
        proof.zero(f"Anomalies of {kind}", [f"{mark}: {what}" for mark, kinds in found for what in kinds[kind]])
    planted, seen = Counter(), Counter()
    dice = random.Random(SEED)
    for one in done:
        for kind, copy in spoilt(one, dice):
            planted[kind] += 1
            seen[kind] += any(wrong(copy).values())
    said = json.dumps({kind: f"{seen[kind]} of {count}" for kind, count in planted.items()})[1:-1].replace('"', "")
    proof.held("Control: planted anomalies that the checker found", said, "all", holds=seen == planted)
    proof.close()
