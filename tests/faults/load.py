"""Clients that write and remember what they were told, and the comparison of that with what is there afterwards.

Each client has resources of its own, so that it knows which version is next; conditional creates race for
identifiers that all clients share. Every attempt carries a mark of its own.
"""

import random
from collections import Counter
from dataclasses import dataclass, field

import httpx

SYSTEM = "urn:proof"
OWNED_MAX = 30
"""Resources that one client goes on with."""
ENTRIES = 3
"""Entries of a transaction: two updates and a create."""


@dataclass
class Ledger:
    """What clients were told. acknowledged: (id, version) and its mark, "" for a deletion."""

    acknowledged: dict[tuple[str, int], str] = field(default_factory=dict)
    transactions: set[str] = field(default_factory=set)
    unique: dict[str, set[str]] = field(default_factory=dict)
    answers: Counter = field(default_factory=Counter)
    unanswered: int = 0
    wrong: list[str] = field(default_factory=list)

    def acknowledge(self, name: str, version: int, mark: str) -> None:
        """A version that the server said is stored."""
        known = self.acknowledged.setdefault((name, version), mark)
        if known != mark:
            self.wrong.append(f"{name}/{version} was acknowledged for {known} and for {mark}")


def basic(mark: str, **more):
    """A resource that carries a mark."""
    return {"resourceType": "Basic", "code": {"text": mark}, **more}


def version_of(answer: httpx.Response) -> int:
    """The version that an answer's ETag names."""
    return int(answer.headers["etag"].removeprefix('W/"').removesuffix('"'))


class Writer:
    """One client: a step at a time, each a write of some kind."""

    def __init__(self, api: httpx.AsyncClient, ledger: Ledger, name: str, dice: random.Random) -> None:
        self.api, self.ledger, self.name, self.dice = api, ledger, name, dice
        self.owned: dict[str, tuple[int, set[str]]] = {}  # id: the version known, and the marks that it may carry
        self.unsure: set[str] = set()
        self.number = 0

    async def step(self) -> None:
        """One write, or a look at a resource whose last write was not answered."""
        self.number += 1
        mark = f"{self.name}-{self.number}"
        try:
            if self.unsure:
                await self._settle(next(iter(self.unsure)))
                return
            kinds = [self._create, self._unique]
            if len(self.owned) >= 2:
                kinds += [self._update, self._update, self._update, self._transaction, self._transaction, self._delete]
            await self.dice.choice(kinds)(mark)
        except httpx.TransportError:
            self.ledger.unanswered += 1

    def _counted(self, answer: httpx.Response) -> httpx.Response:
        self.ledger.answers[answer.status_code] += 1
        return answer

    async def _create(self, mark):
        answer = self._counted(await self.api.post("/Basic", json=basic(mark)))
        if answer.status_code == 201:
            name = answer.json()["id"]
            self.ledger.acknowledge(name, version_of(answer), mark)
            self.owned[name] = (version_of(answer), {mark})
            if len(self.owned) > OWNED_MAX:
                self.owned.pop(next(iter(self.owned)))

    async def _unique(self, mark):
        key = f"k{self.dice.randrange(self.number // 4 + 1)}"
        one = basic(mark, identifier=[{"system": SYSTEM, "value": key}])
        headers = {"if-none-exist": f"identifier={SYSTEM}|{key}"}
        answer = self._counted(await self.api.post("/Basic", json=one, headers=headers))
        if answer.status_code in (200, 201):
            self.ledger.unique.setdefault(key, set()).add(answer.json()["id"])
        if answer.status_code == 201:
            self.ledger.acknowledge(answer.json()["id"], version_of(answer), mark)

    async def _update(self, mark):
        name = self.dice.choice([*self.owned])
        version = self._attempted(name, mark)
        headers = {"if-match": f'W/"{version}"'}
        answer = self._counted(await self.api.put(f"/Basic/{name}", json=basic(mark, id=name), headers=headers))
        if answer.status_code == 200:
            self._stored(name, version_of(answer), mark)
        else:
            self._refused(answer, name)

    async def _transaction(self, mark):
        names = self.dice.sample([*self.owned], 2)
        entries = [
            {
                "resource": basic(mark, id=name),
                "request": {"method": "PUT", "url": f"Basic/{name}", "ifMatch": f'W/"{self._attempted(name, mark)}"'},
            }
            for name in names
        ]
        entries.append({"resource": basic(mark), "request": {"method": "POST", "url": "Basic"}})
        self.ledger.transactions.add(mark)
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        answer = self._counted(await self.api.post("/", json=bundle))
        if answer.status_code != 200:
            self._refused(answer, *names)
            return
        for entry in answer.json()["entry"]:
            _, _, place = entry["response"]["location"].rpartition("Basic/")
            name, _, version = place.partition("/_history/")
            self._stored(name, int(version), mark)

    async def _delete(self, mark):  # noqa: ARG002  called like the others
        name = self.dice.choice([*self.owned])
        version = self._attempted(name, "")
        answer = self._counted(await self.api.delete(f"/Basic/{name}", headers={"if-match": f'W/"{version}"'}))
        if answer.status_code in (200, 204):
            self.ledger.acknowledge(name, version + 1, "")
            del self.owned[name]
            self.unsure.discard(name)
        else:
            self._refused(answer, name)

    def _attempted(self, name, mark) -> int:
        version, marks = self.owned[name]
        self.owned[name] = (version, marks | {mark})
        self.unsure.add(name)
        return version

    def _stored(self, name, version, mark):
        self.ledger.acknowledge(name, version, mark)
        if name in self.owned:
            if version != self.owned[name][0] + 1:
                self.ledger.wrong.append(f"{name} went from {self.owned[name][0]} to {version}")
            self.owned[name] = (version, {mark})
        self.unsure.discard(name)

    def _refused(self, answer, *names):
        """Nobody else writes here: a conflict can only come of an own write that was not answered."""
        if answer.status_code in (404, 409, 410, 412):
            self.ledger.wrong.append(f"{answer.status_code} to a write of {names}: {answer.text[:300]}")

    async def _settle(self, name):
        version, marks = self.owned[name]
        answer = self._counted(await self.api.get(f"/Basic/{name}"))
        if answer.status_code == 410 and "" in marks:
            del self.owned[name]
        elif answer.status_code == 200:
            found, mark = version_of(answer), answer.json()["code"]["text"]
            if found not in (version, version + 1) or mark not in marks:
                self.ledger.wrong.append(f"{name} is at {found} with {mark}; known were {version} and {marks}")
            self.owned[name] = (found, {mark})
        elif answer.status_code in (404, 410):
            self.ledger.wrong.append(f"{name} is gone: {answer.text[:300]}")
            del self.owned[name]
        else:
            return
        self.unsure.discard(name)


async def versions(api: httpx.AsyncClient) -> tuple[dict[str, dict[int, str]], dict[str, set[str]]]:
    """All versions of every Basic and their marks, through the API; and which ids carry each identifier."""
    found: dict[str, dict[int, str]] = {}
    carried: dict[str, set[str]] = {}
    address = "/Basic/_history?_count=1000"
    while address:
        page = (await api.get(address)).raise_for_status().json()
        for entry in page.get("entry", ()):
            name = entry["fullUrl"].rpartition("/")[2]
            version = int(entry["response"]["etag"].removeprefix('W/"').removesuffix('"'))
            resource = entry.get("resource")
            found.setdefault(name, {})[version] = resource["code"]["text"] if resource else ""
            for one in (resource or {}).get("identifier", ()):
                carried.setdefault(one["value"], set()).add(name)
        address = next((link["url"] for link in page["link"] if link["relation"] == "next"), "")
    return found, carried


@dataclass
class Verdict:
    """What was found to be wrong; all empty when nothing is."""

    lost: list[str]
    halves: list[str]
    holes: list[str]
    doubles: list[str]
    unacknowledged: int
    versions: int


async def judged(api: httpx.AsyncClient, ledger: Ledger) -> tuple[Verdict, dict[str, dict[int, str]]]:
    """The ledger held against what the server has now."""
    found, carried = await versions(api)
    lost = [
        f"{name}/{version} ({mark or 'deletion'})"
        for (name, version), mark in ledger.acknowledged.items()
        if found.get(name, {}).get(version) != mark
    ]
    counts = Counter(mark for one in found.values() for mark in one.values())
    halves = [f"{mark}: {counts[mark]}" for mark in ledger.transactions if counts[mark] not in (0, ENTRIES)]
    holes = [f"{name}: {sorted(one)}" for name, one in found.items() if sorted(one) != [*range(1, len(one) + 1)]]
    doubles = [f"{key}: {ids}" for key, ids in carried.items() if len(ids | ledger.unique.get(key, set())) > 1]
    total = sum(map(len, found.values()))
    return Verdict(lost, halves, holes, doubles, total - len(ledger.acknowledged), total), found


def untraced(found: dict[str, dict[int, str]], rows) -> list[str]:
    """Versions without exactly one audit row, and audit rows of versions that are not there.

    rows: (interaction, target, detail) of the successful acts in record.audit.
    """
    traced: Counter = Counter()
    for interaction, target, detail in rows:
        if interaction == "transaction":
            traced.update({one.removeprefix("Basic/") for one in detail.split() if one.startswith("Basic/")})
        elif interaction in ("create", "update", "delete") and target:
            traced[target] += 1
    stored = {f"{name}/{version}" for name, one in found.items() for version in one}
    return [f"{one} has no audit row" for one in stored - traced.keys()] + [
        f"{one} has {count} audit rows" for one, count in traced.items() if one not in stored or count != 1
    ]
