"""Asks a running server for all that a user could be shown, by every exit, and holds it to what the oracle says."""

import asyncio
import time
from dataclasses import dataclass, field

import httpx

from tests.policy.oracle import Oracle, patient_of

SUBJECT = {
    "Appointment": "actor", "CareTeam": "subject", "Communication": "subject", "Condition": "subject",
    "Consent": "patient", "Coverage": "beneficiary", "Encounter": "subject", "Immunization": "patient",
    "List": "subject", "MedicationRequest": "subject", "Observation": "subject", "RelatedPerson": "patient",
    "ServiceRequest": "subject",
}  # fmt: skip
"""The reference parameter through which a type names its patient."""
PAGE = 200
BATCH = 50


@dataclass
class Compared:
    """decisions: one for each resource that could have been shown at an exit; shown: those that were to be."""

    decisions: int = 0
    shown: int = 0
    mismatches: list[str] = field(default_factory=list)
    by_exit: dict[str, int] = field(default_factory=dict)

    def hold(self, user, door: str, shown: set, expected: set, among: int) -> None:
        """Compares one answer, in which `among` resources could have been."""
        self.decisions += among
        self.shown += len(expected) if among else 0
        self.by_exit[door] = self.by_exit.get(door, 0) + among
        for name in sorted(shown - expected):
            self.mismatches.append(f"{door}: {user} is shown {name}")
        for name in sorted(expected - shown):
            self.mismatches.append(f"{door}: {user} is not shown {name}")

    def add(self, other: "Compared") -> None:
        """Takes what another world came to along."""
        self.decisions += other.decisions
        self.shown += other.shown
        self.mismatches += other.mismatches
        for door, count in other.by_exit.items():
            self.by_exit[door] = self.by_exit.get(door, 0) + count


async def furnish(client: httpx.AsyncClient, world) -> None:
    """Writes the world; every third resource first with other labels, so that versions differ."""
    for number, resource in enumerate(world.resources):
        address = f"/{resource['resourceType']}/{resource['id']}"
        for version in versions_of(number, resource):
            (await client.put(address, json=version)).raise_for_status()


def versions_of(number: int, resource) -> list[dict]:
    """All versions of a resource, by its place in the world; the last one is the resource."""
    if number % 3:
        return [resource]
    meta = {} if "meta" in resource else {"meta": {"security": [{"code": "ETH"}]}}
    return [{**{name: value for name, value in resource.items() if name != "meta"}, **meta, "language": "en"}, resource]


class Comparison:
    """One world on one server. `client_of` gives a client that speaks for a user."""

    def __init__(self, world, client_of):
        self.world = world
        self.oracle = Oracle(world)
        self.client_of = client_of
        self.found = Compared()
        self.addresses = {(one["resourceType"], one["id"]): one for one in world.resources}
        self.versions = {
            (one["resourceType"], one["id"]): versions_of(number, one) for number, one in enumerate(world.resources)
        }  # fmt: skip
        self.types = sorted({kind for kind, _ in self.addresses})

    async def all_users(self, exits, *, together: int = 4) -> Compared:
        """Every user at every exit, a few users at a time."""
        turn = asyncio.Semaphore(together)

        async def one(user):
            async with turn, self.client_of(user) as client:
                visible = {address for address, resource in self.addresses.items() if self.oracle.sees(user, resource)}
                for exit_ in exits:
                    await exit_(self, user, client, visible)

        await asyncio.gather(*(one(user) for user in self.world.users))
        return self.found

    def hold(self, user, door, shown, expected, among):
        self.found.hold(user.name, door, shown, expected, among)

    def of(self, kind, visible):
        return {address for address in visible if address[0] == kind}


async def pages(client, url: str, **params) -> tuple[list[dict], dict]:
    """All entries of a search, and its first page."""
    first = answer = await client.get(url, params={**params, "_count": PAGE})
    entries: list[dict] = []
    while True:
        assert answer.status_code == 200, (url, params, answer.text)
        bundle = answer.json()
        entries += bundle.get("entry", [])
        after = next((link["url"] for link in bundle["link"] if link["relation"] == "next"), None)
        if after is None:
            return entries, first.json()
        answer = await client.get(after)


def addresses(entries, mode: str) -> set:
    return {
        (one["resource"]["resourceType"], one["resource"]["id"]) for one in entries if one["search"]["mode"] == mode
    }  # fmt: skip


def leaks(comparison, user, resource) -> list[str]:
    """Elements that are shown and hidden at once; parts of the resource that were lost though not hidden."""
    kind = resource["resourceType"]
    hidden = comparison.oracle.hidden(user, kind)
    whole = comparison.addresses.get((kind, resource["id"]), {})
    shown = set(resource) - {"meta", "language"}
    return sorted(shown & hidden) + sorted(set(whole) - hidden - {"meta"} - shown)


async def search(c: Comparison, user, client, visible) -> None:
    """Each type, with its exact total; and the elements of what is found."""
    for kind in c.types:
        entries, first = await pages(client, f"/{kind}", _total="accurate")
        expected = c.of(kind, visible)
        among = len(c.of(kind, c.addresses))
        c.hold(user, "search", addresses(entries, "match"), expected, among)
        c.hold(user, "total", {first.get("total")}, {len(expected)}, among)
        wrong = {(one["resource"]["id"], *leaks(c, user, one["resource"])) for one in entries}
        c.hold(user, "elements", {one for one in wrong if len(one) > 1}, set(), among)


async def count(c: Comparison, user, client, visible) -> None:
    """_summary=count of each type."""
    for kind in c.types:
        said = (await client.get(f"/{kind}", params={"_summary": "count"})).json()
        c.hold(user, "count", {said["total"]}, {len(c.of(kind, visible))}, len(c.of(kind, c.addresses)))


async def across(c: Comparison, user, client, visible) -> None:
    """All types at once."""
    entries, _ = await pages(client, "/", _type=",".join(c.types))
    c.hold(user, "across", addresses(entries, "match"), set(visible), len(c.addresses))


async def order(c: Comparison, user, client, visible) -> None:
    """Sorted: what is hidden leaves no gap and no place."""
    for kind in ("Patient", "Observation", "Encounter"):
        entries, _ = await pages(client, f"/{kind}", _sort="-_lastUpdated,_id")
        listed = [one["resource"]["id"] for one in entries]
        expected = c.of(kind, visible)
        c.hold(user, "sort", {(kind, name) for name in listed}, expected, len(c.of(kind, c.addresses)))
        c.hold(user, "sort", {len(listed)}, {len(expected)}, 0)
    for kind, param, element in (("Patient", "birthdate", "birthDate"), ("Observation", "date", "effective")):
        await _asked(c, user, client, visible, "sort", kind, element, _sort=param)


async def _asked(c, user, client, visible, door, kind, element, *, of=None, **params) -> None:
    """A search that only those may make who see the element that it tells of; `of`: all that it could find."""
    possible = c.of(kind, c.addresses) if of is None else of
    if element in c.oracle.hidden(user, kind):
        answer = await client.get(f"/{kind}", params=params)
        told = addresses(answer.json()["entry"], "match") if answer.json().get("entry") else set()
        c.hold(user, door, told, set(), len(possible))
        c.hold(user, door, {answer.status_code}, {403 if c.of(kind, visible) else answer.status_code}, 0)
        return
    entries, _ = await pages(client, f"/{kind}", **params)
    c.hold(user, door, addresses(entries, "match"), possible & visible, len(possible))


async def words(c: Comparison, user, client, visible) -> None:
    """By words: of everything, and of one parameter."""
    await _asked(c, user, client, visible, "words", "Observation", "note", _content="pulse")
    await _asked(c, user, client, visible, "words", "Observation", "note", _content="note")
    await _asked(c, user, client, visible, "words", "Observation", "code", **{"code:text": "pulse"})
    await _asked(c, user, client, visible, "words", "Encounter", "note", _content="cough")
    await _asked(c, user, client, visible, "words", "Encounter", "reasonCode", **{"reason-code:text": "cough"})


async def lists(c: Comparison, user, client, visible) -> None:
    """What a List has, and a patient's by `_filter` and by `$lastn`: a list that is hidden leads nowhere."""
    for listed in sorted(c.of("List", c.addresses)):
        patient = patient_of(c.addresses[listed])
        mine = {one for one in c.of("Observation", c.addresses) if patient_of(c.addresses[one]) == patient}
        entries, _ = await pages(client, "/Observation", _list=listed[1])
        expected = mine & visible if listed in visible else set()
        c.hold(user, "list", addresses(entries, "match"), expected, len(mine))
        entries, _ = await pages(client, "/Observation", _filter=f"subject re Patient/{patient} and status eq final")
        c.hold(user, "filter", addresses(entries, "match"), mine & visible, len(mine))
        asked = {"patient": f"Patient/{patient}", "code:text": "pulse", "max": 100}
        answer = await client.get("/Observation/$lastn", params=asked)
        assert answer.status_code == 200, answer.text
        c.hold(user, "lastn", addresses(answer.json().get("entry", []), "match"), mine & visible, len(mine))


async def match(c: Comparison, user, client, visible) -> None:
    """Likeness: of those who may ask, and to patients whom they see."""
    everybody = c.of("Patient", c.addresses)
    for address in sorted(everybody):
        person = c.addresses[address]
        described = {name: person[name] for name in ("resourceType", "name", "birthDate", "telecom", "gender")}
        parameters = [{"name": "resource", "resource": described}, {"name": "count", "valueInteger": 100}]
        answer = await client.post("/Patient/$match", json={"resourceType": "Parameters", "parameter": parameters})
        may = c.oracle.matches(user)
        c.hold(user, "match", {answer.status_code}, {200 if may else 403}, 0)
        shown = addresses(answer.json().get("entry", []), "match") if answer.status_code == 200 else set()
        expected = {address} & visible if may else set()
        c.hold(user, "match", (shown - visible) | (shown & {address}), expected, len(everybody))


async def visits(c: Comparison, user, client, visible) -> None:
    """All that belongs to an encounter, and what it names."""
    for address in sorted(c.of("Encounter", c.addresses)):
        answer = await client.get(f"/Encounter/{address[1]}/$everything")
        visit = c.addresses[address]
        named = [visit["subject"], visit["serviceProvider"], *(one["individual"] for one in visit["participant"])]
        mine = {address, *(tuple(one["reference"].split("/")) for one in named)}
        if c.oracle.hidden(user, "Encounter"):
            c.hold(user, "visits", {answer.status_code >= 400}, {True}, len(mine))
            continue
        expected = mine & visible if address in visible else set()
        entries = answer.json().get("entry", []) if answer.status_code == 200 else []
        shown = {(one["resource"]["resourceType"], one["resource"]["id"]) for one in entries}
        c.hold(user, "visits", shown, expected, len(mine))


async def include(c: Comparison, user, client, visible) -> None:
    """Patients along with what is theirs, and what is theirs along with patients."""
    for kind, param in SUBJECT.items():
        entries, _ = await pages(client, f"/{kind}", _include=f"{kind}:{param}:Patient")
        theirs = {("Patient", patient_of(c.addresses[one])) for one in c.of(kind, visible)}
        c.hold(user, "include", addresses(entries, "include"), theirs & visible, len(c.of("Patient", c.addresses)))
        entries, _ = await pages(client, "/Patient", _revinclude=f"{kind}:{param}")
        expected = {one for one in c.of(kind, visible) if ("Patient", patient_of(c.addresses[one])) in visible}
        c.hold(user, "revinclude", addresses(entries, "include"), expected, len(c.of(kind, c.addresses)))


async def chain(c: Comparison, user, client, visible) -> None:
    """Through patients to what is theirs, and back: a hidden link leads nowhere."""
    women = {one for one in c.of("Patient", visible) if c.addresses[one]["gender"] == "female"}
    for kind, param in SUBJECT.items():
        among = len(c.of(kind, c.addresses))
        entries, _ = await pages(client, f"/{kind}", **{f"{param}:Patient.gender": "female"})
        expected = {one for one in c.of(kind, visible) if ("Patient", patient_of(c.addresses[one])) in women}
        c.hold(user, "chain", addresses(entries, "match"), expected, among)
        entries, first = await pages(
            client, "/Patient", **{f"_has:{kind}:{param}:_lastUpdated": "gt2000", "_total": "accurate"}
        )
        owners = {("Patient", patient_of(c.addresses[one])) for one in c.of(kind, visible)} & visible
        c.hold(user, "has", addresses(entries, "match"), owners, len(c.of("Patient", c.addresses)))
        c.hold(user, "has", {first["total"]}, {len(owners)}, 0)


async def everything(c: Comparison, user, client, visible) -> None:
    """Each patient's whole record."""
    for _, name in sorted(c.of("Patient", c.addresses)):
        answer = await client.get(f"/Patient/{name}/$everything")
        mine = {one for one in c.addresses if patient_of(c.addresses[one]) == name and one[0] not in ("Task", "Device")}
        if c.oracle.hidden(user, "Observation"):
            c.hold(user, "everything", {answer.status_code >= 400}, {True}, len(mine))
            continue
        expected = mine & visible if ("Patient", name) in visible else set()
        shown = addresses(answer.json().get("entry", []), "match") if answer.status_code == 200 else set()
        c.hold(user, "everything", shown, expected, len(mine))


async def reads(c: Comparison, user, client, visible) -> None:
    """Read, first version and history of every resource, in batches; what is hidden answers like what never was."""
    ways = {"read": "{}/{}", "vread": "{}/{}/_history/1", "history": "{}/{}/_history?_count=10",
            "meta": "{}/{}/$meta"}  # fmt: skip
    absent = await _batch(client, [way.format("Observation", "never-was") for way in ways.values()])
    for (door, way), never in zip(ways.items(), absent, strict=True):
        wanted = list(c.addresses)
        expected, shown = visible, set()
        if door == "vread":  # what was sensitive stays so, and what became sensitive takes its past with it
            expected = {one for one in visible if c.oracle.sees(user, c.versions[one][0])}
        for begin in range(0, len(wanted), BATCH):
            part = wanted[begin : begin + BATCH]
            entries = await _batch(client, [way.format(*address) for address in part])
            for address, entry in zip(part, entries, strict=True):
                if entry["response"]["status"].startswith("200"):
                    shown.add(address)
                    c.hold(user, "elements", set(_leaked(c, user, entry["resource"])), set(), 0)
                    if door == "history":
                        c.hold(user, "versions", _versions(entry["resource"]), _expected_versions(c, user, address), 1)
                elif address not in expected:
                    said = _words(entry).replace(address[1], "never-was").replace(address[0], "Observation")
                    c.hold(user, "words", {said}, {_words(never)}, 0)
        c.hold(user, door, shown, expected, len(wanted))


def _versions(bundle) -> set:
    return {(one["resource"]["id"], int(one["resource"]["meta"]["versionId"])) for one in bundle["entry"]}


def _expected_versions(c, user, address) -> set:
    past = [number for number, one in enumerate(c.versions[address][:-1], 1) if c.oracle.sees(user, one)]
    return {(address[1], number) for number in (*past, len(c.versions[address]))}


def _leaked(c, user, resource) -> list[str]:
    if resource["resourceType"] == "Parameters":  # $meta
        return []
    versions = [one["resource"] for one in resource["entry"]] if resource["resourceType"] == "Bundle" else [resource]
    return [name for one in versions for name in leaks(c, user, one)]


def _words(entry) -> str:
    said = entry["response"]
    return f"{said['status']} {said.get('outcome', {}).get('issue', [{}])[0].get('diagnostics')}"


async def _batch(client, urls) -> list[dict]:
    entries = [{"request": {"method": "GET", "url": url}} for url in urls]
    answer = await client.post("/", json={"resourceType": "Bundle", "type": "batch", "entry": entries})
    assert answer.status_code == 200, answer.text
    return answer.json()["entry"]


async def export(c: Comparison, user, client, visible) -> None:
    """A bulk export: the same rows, the same parts of them."""
    started = await client.get("/$export", headers={"prefer": "respond-async"})
    if started.status_code == 429:
        return
    assert started.status_code == 202, started.text
    status = started.headers["content-location"]
    end = time.monotonic() + 60
    while (answer := await client.get(status)).status_code == 202:
        assert time.monotonic() < end, "an export of a small world takes seconds"
        await asyncio.sleep(0.2)  # a bounded poll, as the standard's clients do
    shown = set()
    for file in answer.json()["output"]:
        for line in (await client.get(file["url"])).text.splitlines():
            resource = httpx.Response(200, text=line).json()
            shown.add((resource["resourceType"], resource["id"]))
            c.hold(user, "elements", set(leaks(c, user, resource)), set(), 0)
    c.hold(
        user, "export", shown & set(c.addresses), {one for one in visible if one[0] not in UNEXPORTED}, len(c.addresses)
    )
    await client.delete(status)


UNEXPORTED: frozenset[str] = frozenset()
QUICK = (search, count, across, reads)
EVERY = (search, count, across, order, include, chain, words, lists, match, everything, visits, reads)
