"""Acts on a record without `access`: everything is permitted, nothing is traced."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from continuum.fhir.grammar import parse
from continuum.fhir.json import parse as parse_json
from continuum.fhir.query import Query
from continuum.kernel.clock import now_us
from continuum.record import read, search
from continuum.record.history import history
from continuum.record.keys import Keys
from continuum.record.model import Operation, Page, Stored, Written
from continuum.record.perform import Performer
from continuum.record.visibility import EVERYTHING
from continuum.record.write import FREE

SECRET = b"the secret of a test database ..."


class Open:
    """A warrant for everything."""

    visibility = EVERYTHING
    settled_types = frozenset()

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def permit(self, _):
        return FREE

    def trace(self, *_):
        return []

    def query(self, resource_type: str, text: str) -> Query:
        return parse(resource_type, parse_qsl(text, keep_blank_values=True), lenient=False)

    async def settle(self, *_):
        raise AssertionError("there are no types to settle")

    async def look(self, conn, operation):
        if operation.id is not None:
            return await read.read(conn, operation.resource_type, operation.id, EVERYTHING)
        query = self.query(operation.resource_type, operation.query or "")
        return await search.search(conn, query, visibility=EVERYTHING, keys=self._keys)


class Desk:
    """Reads and writes one database; `clock` says what now is."""

    def __init__(self, pool: Any, clock: Callable[[], int] = now_us) -> None:
        self.connect = pool.connection
        self.keys = Keys(SECRET)
        self.performer = Performer(pool.connection, self.keys, clock)
        self.warrant = Open(self.keys)

    async def do(self, *operations: Operation, patches=()) -> list[Written | Page | Stored]:
        return await self.performer.perform(operations, self.warrant, patches)

    async def create(self, resource, **more) -> Written:
        return (await self.do(post(resource, **more)))[0]

    async def update(self, resource, **more) -> Written:
        return (await self.do(put(resource, **more)))[0]

    async def patch(self, apply, kind, name=None, **more) -> Written:
        return (await self.do(Operation("PATCH", kind, id=name, **more), patches=(apply,)))[0]

    async def delete(self, kind, name=None, **more) -> Written:
        return (await self.do(Operation("DELETE", kind, id=name, **more)))[0]

    async def read(self, kind, name) -> dict:
        async with self.connect() as conn:
            return parse_json((await read.read(conn, kind, name, EVERYTHING)).body)

    async def vread(self, kind, name, version) -> dict:
        async with self.connect() as conn:
            return parse_json((await read.vread(conn, kind, name, version, EVERYTHING)).body)

    async def search(self, kind, text) -> Page:
        async with self.connect() as conn:
            return await search.search(conn, self.warrant.query(kind, text), visibility=EVERYTHING, keys=self.keys)

    async def history(self, kind=None, name=None, count=20, **more) -> Page:
        async with self.connect() as conn:
            return await history(conn, visibility=EVERYTHING, resource_type=kind, resource_id=name, count=count, **more)

    async def versions(self, kind, name) -> list[int]:
        return [stored.version for stored in (await self.history(kind, name, count=1_000)).matches]

    async def count(self, table="resource") -> int:
        async with self.connect() as conn:
            return (await conn.fetchrow(f"SELECT count(*) AS n FROM record.{table}"))["n"]

    async def dangling(self) -> list[str]:
        """Every reference of a present resource whose target is not there: there must be none."""
        async with self.connect() as conn:
            rows = await conn.fetch(
                "SELECT type, id, version, updated, deleted, patient_id, body, row_id FROM record.resource"
            )
        shown = [read.stored(row) for row in rows]
        there = {f"{one.resource_type}/{one.id}" for one in shown if not one.deleted}
        return [
            target for one in shown if one.body for target in references(parse_json(one.body)) if target not in there
        ]


def references(node: Any) -> list[str]:
    """Every literal reference of a resource, found without the record's own means."""
    if isinstance(node, dict):
        own = [node["reference"]] if isinstance(node.get("reference"), str) else []
        return own + [one for value in node.values() for one in references(value)]
    if isinstance(node, list):
        return [one for value in node for one in references(value)]
    return []


def post(resource, **more) -> Operation:
    return Operation("POST", resource["resourceType"], resource=resource, **more)


def put(resource, **more) -> Operation:
    name = None if "query" in more else resource["id"]
    return Operation("PUT", resource["resourceType"], id=name, resource=resource, **more)


def patient(**more):
    return {"resourceType": "Patient", **more}


def observation(subject, **more):
    return {
        "resourceType": "Observation", "status": "final", "code": {"text": "pulse"},
        "subject": {"reference": subject}, **more,
    }  # fmt: skip
