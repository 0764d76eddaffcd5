"""Whatever is asked of whatever address, by whom it may be: exactly one row of trace for each act."""

import asyncpg
import httpx
import pytest

from continuum.apps.fhir_api.routes import ROUTES
from tests.api.conftest import PATCH, fresh_id, patient
from tests.bulk.jobs import kick_off, until_done
from tests.live import Running

pytestmark = pytest.mark.server

OPEN = "capabilities"
"""The one interaction that nobody needs a name for, and that shows nothing of anybody."""


async def rows(running: Running, actor: str):
    connection = await asyncpg.connect(running.owner)
    try:
        return await connection.fetch("SELECT * FROM record.audit WHERE actor = $1 ORDER BY seq", actor)
    finally:
        await connection.close()


def socket(name):
    """A Subscription that anybody may own."""
    return {
        "resourceType": "Subscription", "id": name, "status": "requested", "reason": "x",
        "criteria": "https://continuum.example/fhir/SubscriptionTopic/Basic", "channel": {"type": "websocket"},
    }  # fmt: skip


def parameters(**given):
    """A Parameters resource."""
    return {"resourceType": "Parameters", "parameter": [{"name": name, **value} for name, value in given.items()]}


def two(name):
    """Two sides of a merge or correction, and why."""
    return {
        "source-patient": {"valueReference": {"reference": f"Patient/{name}"}},
        "target-patient": {"valueReference": {"reference": f"Patient/{name}-2"}}, "reason": {"valueString": "a test"},
    }  # fmt: skip


NOTHING = {"resourceType": "Parameters"}
TAGS = {"valueMeta": {"tag": [{"code": "blue"}]}}
OPERATIONS = {
    "correct-patient": lambda name: parameters(
        **two(name), entry={"valueReference": {"reference": f"Observation/{name}"}}
    ),
    "encounter-everything": lambda _: NOTHING,
    "everything": lambda _: NOTHING,
    "lastn": lambda name: parameters(patient={"valueString": name}, code={"valueString": "x"}),
    "match": lambda name: parameters(resource={"resource": patient(id=name)}),
    "merge": lambda name: parameters(**two(name)),
    "meta": lambda _: NOTHING,
    "meta-add": lambda _: parameters(meta=TAGS),
    "meta-delete": lambda _: parameters(meta=TAGS),
    "revert-correction": lambda _: parameters(correction={"valueString": "x"}, reason={"valueString": "a test"}),
    "unmerge": lambda name: parameters(**{key: one for key, one in two(name).items() if key != "target-patient"}),
    "validate": lambda name: patient(id=name),
}
"""What each operation is asked, by its interaction."""


BULK = {
    "resourceType": "Parameters",
    "parameter": [
        {"name": "input", "part": [{"name": "type", "valueCode": "Patient"},
                                   {"name": "url", "valueUrl": "http://127.0.0.1/nothing"}]},
    ],
}  # fmt: skip


async def exported(client) -> tuple[str, str]:
    """A finished export of this client's: its id, and the name of one of its files."""
    status = await kick_off(client, "/Patient/$export")
    done = await until_done(client, status)
    assert done.status_code == 200, done.text
    url = done.json()["output"][0]["url"]
    return tuple(url.split("/")[-2:])


def request(route, name, job=("none", "none")):
    """A request that the route can do, on patient `name` and on a bulk job's file."""
    places = {"{type}": "Patient", "{id}": name, "{version}": "1", "{compartment}": "Patient",
              "{job}": job[0], "{file}": job[1]}  # fmt: skip
    path = route.template
    if "{compartment}" in path:
        places["{type}"] = "Observation"
    for mark, value in places.items():
        path = path.replace(mark, value)
    headers = {}
    content = None
    body = None
    if route.interaction.endswith("-matching"):
        path += f"?_id={name}"
    if route.interaction in ("create", "update", "update-matching"):
        body = patient(id=name)
    elif route.interaction == "import":
        body = BULK
    elif route.interaction == "export" and route.method == "POST":
        body = {"resourceType": "Parameters"}
    elif route.interaction.startswith("patch"):
        headers["content-type"] = PATCH
        content = b'[{"op": "add", "path": "/language", "value": "en"}]'
    elif route.interaction == "bundle":
        body = {"resourceType": "Bundle", "type": "transaction", "entry": [
            {"request": {"method": "GET", "url": f"Patient/{name}"}}]}  # fmt: skip
    elif route.interaction == "break-the-glass":
        body = {
            "resourceType": "Parameters",
            "parameter": [
                {"name": "reason", "valueString": "unconscious after a fall"},
                {"name": "identifier", "valueString": name},
            ],
        }
    elif route.interaction.startswith("subscription-"):
        if route.interaction == "subscription-binding-token" and "{id}" not in route.template:
            path += f"?id={name}"
        body = {"resourceType": "Parameters"} if route.method == "POST" else None
    elif route.interaction in OPERATIONS:
        body = OPERATIONS[route.interaction](name) if route.method == "POST" else None
        if route.interaction == "lastn" and route.method == "GET":
            path += f"?patient={name}&code=x"
    elif route.template.endswith("_search"):
        headers["content-type"] = "application/x-www-form-urlencoded"
        content = f"_id={name}".encode()
    return {"method": route.method, "url": path, "json": body, "content": content, "headers": headers}


async def ready(api, interaction, name, given):
    """Brings about what the operations on charts need, and names what only now has a name."""
    if interaction == "encounter-everything":
        await api.put(f"/Encounter/{name}", json={
            "resourceType": "Encounter", "id": name, "status": "finished", "class": {"code": "AMB"}})  # fmt: skip
    if interaction not in ("merge", "unmerge", "correct-patient", "revert-correction"):
        return
    await api.put(f"/Patient/{name}-2", json=patient(id=f"{name}-2"))
    await api.put(f"/Observation/{name}", json={
        "resourceType": "Observation", "id": name, "status": "final", "code": {"text": "x"},
        "subject": {"reference": f"Patient/{name}"}})  # fmt: skip
    if interaction == "unmerge":
        assert (await api.post("/Patient/$merge", json=OPERATIONS["merge"](name))).status_code == 200
    elif interaction == "revert-correction":
        done = await api.post("/Patient/$correct-patient", json=OPERATIONS["correct-patient"](name))
        given["json"]["parameter"][0] = {
            "name": "correction",
            "valueString": done.json()["parameter"][0]["valueString"],
        }


ROLES = {
    "administrator": {},
    "system": {},
    "clinician": {"facility": "nowhere"},
    "physician": {"facility": "nowhere", "purpose": "ETREAT"},
    "population-analyst": {},
    "privacy-officer": {},
    "patient": {"patient": "nobody"},
}
SPOILED = (
    ("", {}),
    ("", {"accept": "application/fhir+xml"}),
    ("?_format=xml", {}),
    ("?nonsense=%00", {}),
    ("", {"if-match": "nonsense", "content-type": "text/plain"}),
    ("", {"x-purpose-of-use": "HMARKT"}),
)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.template}")
@pytest.mark.requirement("V16.3.2")
async def test_a_request_leaves_one_row_whatever_becomes_of_it(running, api, route):
    if route.interaction == OPEN:
        pytest.skip("open to everybody, touches no record")
    statuses = set()
    job = None
    for role, more in ROLES.items():
        for number, (query, headers) in enumerate(SPOILED if role == "administrator" else SPOILED[:2]):
            name, actor = fresh_id(), f"{role}-{number}-{fresh_id()}"
            made = (
                socket(name)
                if route.interaction.startswith("subscription-")
                else patient(id=name, identifier=[{"value": name}])
            )
            if route.template.startswith("/Group/"):
                made = {"resourceType": "Group", "id": name, "type": "person", "actual": True}
            assert (await api.put(f"/{made['resourceType']}/{name}", json=made)).status_code == 201
            if "{job}" in route.template and job is None:
                job = await exported(api)
            given = request(route, name, job or ("none", "none"))
            await ready(api, route.interaction, name, given)
            if query:
                given["url"] += query if "?" not in given["url"] else query.replace("?", "&")
            given["headers"] |= headers
            async with running.client(role, subject=actor, **more) as client:
                answer = await client.request(**given)
            statuses.add(answer.status_code)
            if route.method == "DELETE" and answer.is_success:
                job = None  # the next one wants another
            if "content-location" in answer.headers:
                await api.delete(answer.headers["content-location"])  # what was started is not what is tried here
            assert answer.status_code < 500, answer.text
            found = await rows(running, actor)
            what = (role, given, answer.status_code, answer.text)
            if headers.get("x-purpose-of-use"):
                # Without a purpose the door never opens; what asked is written down as nobody.
                assert answer.status_code == 400, what
                assert not found, what
                found = [row for row in await rows(running, "unknown")
                         if row["request"] == answer.headers["x-request-id"]]  # fmt: skip
            assert len(found) == 1, what
            assert found[0]["outcome"] == (0 if answer.status_code < 400 else 4), what
            assert found[0]["request"] == answer.headers["x-request-id"]
    assert min(statuses) < 300, statuses  # the route can be used at all
    assert max(statuses) >= 400


@pytest.mark.parametrize("bearer", [None, "Bearer nonsense", "Basic eDp5", "Bearer a.b.c"])
@pytest.mark.requirement("V16.3.2")
async def test_who_says_no_name_leaves_a_row_of_nobody(running, bearer):
    headers = {"authorization": bearer} if bearer else {}
    async with httpx.AsyncClient(base_url=f"{running.origin}/fhir", headers=headers) as client:
        for method, path in (("GET", "/Patient/x"), ("POST", "/Patient"), ("GET", "/Patient?name=x")):
            answer = await client.request(method, path)
            assert answer.status_code == 401
            found = [row for row in await rows(running, "unknown") if row["request"] == answer.headers["x-request-id"]]
            assert [(row["outcome"], row["interaction"]) for row in found] == [(4, "open")]


async def test_each_entry_of_a_batch_leaves_its_row(running):
    name, actor = fresh_id(), fresh_id()
    entries = [
        {"request": {"method": "PUT", "url": f"Patient/{name}"}, "resource": patient(id=name)},
        {"request": {"method": "GET", "url": f"Patient/{name}"}},
        {"request": {"method": "GET", "url": f"Patient/{fresh_id()}"}},
        {"request": {"method": "GET", "url": "Patient?nonsense=1"}},
        {"request": {"method": "GET", "url": "Nonsense/1"}},
        {"request": {"method": "BREW", "url": "Patient"}},
        {"request": {"method": "DELETE", "url": f"Patient/{name}"}},
    ]
    async with running.client(subject=actor) as client:
        answer = await client.post("/", json={"resourceType": "Bundle", "type": "batch", "entry": entries})
    statuses = [entry["response"]["status"][:3] for entry in answer.json()["entry"]]
    found = await rows(running, actor)
    assert [row["outcome"] for row in found] == [0 if status < "400" else 4 for status in statuses]
    assert {row["request"] for row in found} == {answer.headers["x-request-id"]}


@pytest.mark.requirement("V16.3.3")
async def test_odd_addresses_leave_their_row_too(running):
    for path in ("/Patient/%00", "/Patient/a%00b", "/%00", "/Patient/%ED%A0%80", "/Patient?family=%00",
                 "/Patient?family=%F0%9F%98%80x", "/Patient?_id=%ED%A0%80", "/Patient/" + "é" * 70):  # fmt: skip
        actor = fresh_id()
        async with running.client(subject=actor) as client:
            answer = await client.get(path)
        assert answer.status_code < 500, (path, answer.text)
        assert len(await rows(running, actor)) == 1, path


@pytest.mark.requirement("V1.4.2")
async def test_a_number_beyond_any_machine_word_is_kept(api):
    one = b'{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":%s}}'
    for digits in (b"123456789012345678901234567890", b"-99999999999999999999", b"18446744073709551616"):
        made = await api.post("/Observation", content=one % digits, headers={"content-type": "application/fhir+json"})
        assert made.status_code == 201, made.text
        assert b'"value":%s' % digits in (await api.get(f"/Observation/{made.json()['id']}")).content
