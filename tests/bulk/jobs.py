"""What tests of bulk work share: a ward of their own, and a client that follows an export to its end."""

import asyncio
import inspect
import json
import time
from collections import defaultdict
from dataclasses import dataclass, field

import httpx

from tests.clients.ward import Ward, admission

WAIT_S = 60


@dataclass
class Exported:
    """A finished export: its manifest, its lines by type, its deletions and errors."""

    manifest: dict
    lines: dict[str, list[dict]] = field(default_factory=lambda: defaultdict(list))
    deleted: list[str] = field(default_factory=list)
    errors: list[dict] = field(default_factory=list)

    @property
    def addresses(self) -> list[str]:
        """`Type/id` of every line, in their order."""
        return sorted(f"{kind}/{one['id']}" for kind, ones in self.lines.items() for one in ones)

    def one(self, address: str) -> dict:
        (found,) = [one for one in self.lines[address.partition("/")[0]] if one["id"] == address.partition("/")[2]]
        return found


async def kick_off(http: httpx.AsyncClient, path: str, *, params=None, body=None, headers=None) -> str:
    """The address of the status of an export that was accepted."""
    asked = {"prefer": "respond-async", "accept": "application/fhir+json", **(headers or {})}
    answer = await (
        http.get(path, params=params, headers=asked) if body is None else http.post(path, json=body, headers=asked)
    )
    assert answer.status_code == 202, answer.text
    return answer.headers["content-location"]


async def until(holds) -> None:
    """Waits until something holds, for WAIT_S at most; it may be asked with `await`."""
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        found = holds()
        if await found if inspect.isawaitable(found) else found:
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not come to hold")


async def until_done(http: httpx.AsyncClient, status: str) -> httpx.Response:
    """The last answer of a status address: anything but 202."""
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        answer = await http.get(status)
        if answer.status_code != 202:
            return answer
        assert len(answer.headers["x-progress"]) <= 100
        assert int(answer.headers["retry-after"]) >= 1
        await asyncio.sleep(0.05)
    raise AssertionError(f"the job did not end in {WAIT_S} s: {answer.headers}")


async def fetch(http: httpx.AsyncClient, manifest: dict) -> Exported:
    """All files of a manifest."""
    found = Exported(manifest)
    for category in ("output", "deleted", "error"):
        for file in manifest.get(category, ()):
            answer = await http.get(file["url"], headers={"accept": "application/fhir+ndjson"})
            assert answer.status_code == 200, answer.text
            lines = [json.loads(line) for line in answer.content.splitlines()]
            assert len(lines) == file["count"]
            if category == "output":
                assert {line["resourceType"] for line in lines} == {file["type"]}
                found.lines[file["type"]] += lines
            elif category == "deleted":
                found.deleted += [entry["request"]["url"] for line in lines for entry in line["entry"]]
            else:
                found.errors += [issue for line in lines for issue in line["issue"]]
    return found


async def export(http: httpx.AsyncClient, path: str = "/$export", **asked) -> Exported:
    """An export from its kick-off to its last file."""
    answer = await until_done(http, await kick_off(http, path, **asked))
    assert answer.status_code == 200, answer.text
    return await fetch(http, answer.json())


async def admit(http: httpx.AsyncClient, *, beds: int = 3, heart_rates: int = 4) -> tuple[Ward, dict[str, dict]]:
    """A ward that lies in the server, and each of its resources by its address, as the server holds it."""
    ward = Ward()
    answer = await http.post("/", json=admission(ward, beds=beds, heart_rates=heart_rates))
    assert answer.status_code == 200, answer.text
    places = ["/".join(entry["response"]["location"].split("/_history/")[0].split("/")[-2:])
              for entry in answer.json()["entry"]]  # fmt: skip
    return ward, {place: (await http.get(f"/{place}")).json() for place in places}
