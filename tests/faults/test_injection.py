"""Texts that would be SQL, put wherever a client can put a text, do nothing.

Every payload goes through every place: all kinds of search parameters with their modifiers, names of parameters,
addresses, headers, bodies, patches, bundles, tokens, sign-on. Half of the requests are an administrator's, half a
patient's, who must never see another patient. Afterwards the tables, roles and functions of the database and
everything that was stored before are compared with what they were. A control shows that the payloads bite where
SQL is glued together from texts, and that the comparison sees it.
"""

import itertools
import random
import time
from collections import Counter
from dataclasses import replace

import asyncpg
import httpx
import pytest

from continuum.runtime.postgres.address import Address
from tests.faults.figures import SEED, Proof, rounds
from tests.faults.payloads import PAYLOADS, PERSONAL, WAIT_S, worded
from tests.faults.places import OF_KIND, PLACES, Sent, Ward
from tests.live import fresh_database, started

pytestmark = pytest.mark.server

REQUESTS = rounds("INJECTIONS", 1_500)
SOME = 300
PROMISED = {"INJECTIONS": 8_000}
VICTIMS = 40
BITES_LEAST = 20
SYSTEM = "urn:injected"


async def connected(dsn):
    return await asyncpg.connect(**Address.from_url(dsn).connect)


async def objects(connection) -> dict[str, list]:
    """Everything that SQL could have made, changed or removed, beside rows."""
    return {
        "tables and indexes": await connection.fetch(
            "SELECT relnamespace::regnamespace::text, relname, relkind, relowner::regrole::text, relacl::text"
            " FROM pg_class WHERE relnamespace::regnamespace::text !~ '^pg_(toast|temp)' ORDER BY 1, 2"
        ),
        "functions": await connection.fetch("SELECT oid, proname, md5(prosrc) FROM pg_proc ORDER BY 1"),
        "roles": await connection.fetch("SELECT * FROM pg_roles ORDER BY rolname"),
        "settings": await connection.fetch("SELECT * FROM pg_db_role_setting ORDER BY 1, 2"),
    }


async def stored(connection, until) -> dict[str, object]:
    """What was stored up to a row of the trail: it can only become more."""
    return {
        "trail": await connection.fetchrow(
            "SELECT count(*), md5(string_agg(a::text, ',' ORDER BY seq)) FROM record.audit a WHERE seq <= $1", until
        ),
    }


async def stock(api) -> tuple[Ward, dict[str, bytes]]:
    """Patients whose name nobody else may see; returns them as they are read."""
    texts = {}
    for number in range(VICTIMS):
        name = f"victim-{number}"
        one = {"resourceType": "Patient", "id": name, "name": [{"family": PERSONAL[0], "given": ["Ada"]}]}
        assert (await api.put(f"/fhir/Patient/{name}", json=one)).status_code == 201
        seen = {"resourceType": "Observation", "id": name, "status": "final", "code": {"text": PERSONAL[0]},
                "subject": {"reference": f"Patient/{name}"}}  # fmt: skip
        assert (await api.put(f"/fhir/Observation/{name}", json=seen)).status_code == 201
        texts |= {f"{kind}/{name}": b"" for kind in ("Patient", "Observation")}
    own = {"resourceType": "Patient", "id": "own", "name": [{"family": "Rivera"}]}
    assert (await api.put("/fhir/Patient/own", json=own)).status_code == 201
    return Ward("own", "victim-0"), await read_back(api, texts)


async def read_back(api, texts) -> dict[str, bytes]:
    return {place: (await api.get(f"/fhir/{place}")).content for place in texts}


class Tried:
    """What was sent, and what should not have come back."""

    def __init__(self, running, ward, seed):
        self.running, self.ward, self.dice = running, ward, random.Random(seed)
        self.statuses, self.places = Counter(), Counter()
        self.failures, self.leaks, self.slow = [], [], []

    def bearer(self, claims) -> str:
        role, *_ = [claims.pop("role", "")]
        return f"Bearer {self.running.token(role or 'patient', lives_s=7_200, **claims)}"

    async def send(self, client, sent: Sent, place, payload, *, patient):
        claims = dict(sent.claims) or ({"patient": self.ward.own} if patient else {"role": "administrator"})
        headers = {"authorization": self.bearer(claims), **sent.headers}
        began = time.monotonic()
        answer = await client.request(sent.method, sent.url, json=sent.json, content=sent.content,
                                      headers=[
                                          (name.encode(), text.encode("latin-1")) for name, text in headers.items()
                                      ])  # fmt: skip
        self.statuses[answer.status_code] += 1
        self.places[place] += 1
        what = f"{place}: {payload!r}: {sent.method} {sent.url[:300]} → {answer.status_code} {answer.text[:300]}"
        if answer.status_code >= 500 and answer.status_code not in (501, 507):
            self.failures.append(what)
        shown = [
            word for word in (PERSONAL if patient else PERSONAL[1:]) if word in answer.text and word not in payload
        ]
        if shown:
            self.leaks.append(f"{shown} in {what}")
        if time.monotonic() - began > WAIT_S / 2:
            self.slow.append(what)


async def storm(running, ward, requests, seed) -> Tried:
    """Each payload at each place in turn, until so many requests were made; and every parameter of every type."""
    tried = Tried(running, ward, seed)
    pairs = itertools.product(PAYLOADS, PLACES.items())
    chosen = list(pairs)
    tried.dice.shuffle(chosen)
    named = [(kind, one) for kind, found in OF_KIND.items() for one in found]
    tried.dice.shuffle(named)
    async with httpx.AsyncClient(base_url=running.origin, timeout=60) as client:
        for number in range(requests):
            payload, (place, make) = chosen[number % len(chosen)]
            if number % 3 == 2 and number // 3 < len(named):
                kind, (resource_type, code) = named[number // 3]
                sent = Sent("GET", f"/fhir/{resource_type}", [(code, tried.dice.choice(worded(payload, kind)))])
                place = "each parameter of each type"
            else:
                sent = make(payload, tried.dice, ward)
            # What a patient asks is checked for others' names; claims are tried for whoever they name.
            patient = number % 2 == 0 and not sent.claims
            await tried.send(client, sent, place, payload, patient=patient)
    return tried


def storable(payload) -> bool:
    """Whether FHIR takes the text as a string, and a search as a value with something to look for."""
    return payload.isprintable() and payload == payload.strip() and len(payload) < 1_000


def escaped(text) -> str:
    """R4 §3.1.1.4.9: what has a meaning in a search's value."""
    for mark in "\\$,|":
        text = text.replace(mark, "\\" + mark)
    return text


async def found_by_itself(api) -> list[str]:
    """Payloads that, stored as an identifier and a name, are not found, or with others, or not given back as sent."""
    wrong = []
    kept = [payload for payload in PAYLOADS if storable(payload)]
    assert len(kept) > 70
    names = {}
    for payload in kept:
        one = {"resourceType": "Organization", "name": payload, "identifier": [{"system": SYSTEM, "value": payload}]}
        made = await api.post("/fhir/Organization", json=one)
        assert made.status_code == 201, made.text
        names[payload] = made.json()["id"]
    for payload in kept:
        text = escaped(payload)
        for query in ({"identifier": f"{SYSTEM}|{text}"}, {"name:exact": text}):
            answer = (await api.get("/fhir/Organization", params=query)).json()
            found = [entry["resource"] for entry in answer.get("entry", ())]
            if [one["id"] for one in found] != [names[payload]] or found[0]["name"] != payload:
                wrong.append(f"{query}: {[one['name'] for one in found][:5]}")
    return wrong


async def bitten(test_server, template) -> tuple[int, list[str]]:
    """The control: how many payloads do something when they are glued into SQL, and what the comparison then sees."""
    _, owner = await fresh_database(test_server, template)
    connection = await connected(owner)
    before = await objects(connection)
    bites = 0
    for payload in PAYLOADS:
        try:
            await connection.execute("SET statement_timeout = '200ms'")
            rows = await connection.execute(f"SELECT id FROM record.resource WHERE id = '{payload}'")
            bites += rows != "SELECT 0"
        except (asyncpg.PostgresError, ValueError):
            bites += 1
            await connection.execute("ROLLBACK")
    after = await objects(connection)
    await connection.close()
    return bites, [name for name, found in before.items() if after[name] != found]


@pytest.mark.requirement("V-222607", "V1.2.4")
async def test_some_texts_that_would_be_sql_do_nothing(running, test_server, template):
    app, owner = await fresh_database(test_server, template)
    with started(replace(running.orders, database=app), owner) as server:
        bearer = {"authorization": f"Bearer {server.token(lives_s=7_200)}"}
        async with httpx.AsyncClient(base_url=server.origin, headers=bearer, timeout=60) as api:
            ward, texts = await stock(api)
            connection = await connected(owner)
            before = await objects(connection)
            tried = await storm(server, ward, SOME, SEED)
            changed = [place for place, text in (await read_back(api, texts)).items() if text != texts[place]]
            after = await objects(connection)
            await connection.close()
    assert tried.statuses.total() >= SOME
    assert (tried.failures, tried.leaks, tried.slow, changed) == ([], [], [], [])
    assert after == before


@pytest.mark.proof
@pytest.mark.timeout(3_600)
async def test_texts_that_would_be_sql_do_nothing(running, test_server, template):
    proof = Proof("injection", "SQL wherever a text can be put", __doc__, "tests/faults/test_injection.py",
                  {"INJECTIONS": REQUESTS}, PROMISED)  # fmt: skip
    bites, seen = await bitten(test_server, template)
    app, owner = await fresh_database(test_server, template)
    with started(replace(running.orders, database=app), owner) as server:
        bearer = {"authorization": f"Bearer {server.token(lives_s=7_200)}"}
        async with httpx.AsyncClient(base_url=server.origin, headers=bearer, timeout=60) as api:
            ward, texts = await stock(api)
            connection = await connected(owner)
            until = await connection.fetchval("SELECT max(seq) FROM record.audit")
            before, kept = await objects(connection), await stored(connection, until)
            lone = await found_by_itself(api)  # first: the storm stores the same texts
            tried = await storm(server, ward, REQUESTS, SEED)
            after, still = await objects(connection), await stored(connection, until)
            changed = [place for place, text in (await read_back(api, texts)).items() if text != texts[place]]
            await connection.close()
    proof.held("Requests", tried.statuses.total(), f"at least {REQUESTS:,}", holds=tried.statuses.total() >= REQUESTS)
    proof.told("Payloads, places", f"{len(PAYLOADS)}, {len(PLACES) + 1}")
    proof.told("Search parameters of types tried by name", tried.places["each parameter of each type"])
    proof.zero("Answers 5xx (501 and 507 have reasons of their own)", tried.failures)
    proof.zero("Answers with another patient's name, a password's hash, the database's version or a file", tried.leaks)
    proof.zero(f"Answers after {WAIT_S // 2} s or more (payloads ask for {WAIT_S} s)", tried.slow)
    differing = [name for name in before if before[name] != after[name]]
    proof.zero("Tables, indexes, functions, roles or settings changed", differing)
    proof.zero("Resources changed that were there before", changed)
    proof.zero("Rows of the trail changed that were there before", [] if kept == still else ["the trail"])
    proof.zero("Payloads that, once stored, are not found alone by their own text", lone)
    proof.told("Answers", ", ".join(f"{count:,} of {status}" for status, count in sorted(tried.statuses.items())))
    proof.held("Control: payloads that bite where SQL is glued together", bites, f"at least {BITES_LEAST}",
               holds=bites >= BITES_LEAST)  # fmt: skip
    proof.held("Control: what the comparison then sees changed", ", ".join(seen), "tables", holds=bool(seen))
    proof.close()
