"""Fills a database with many resources at once, and searches it."""

import dataclasses
from typing import Any
from urllib.parse import parse_qsl

from continuum.fhir.grammar import parse
from continuum.fhir.query import Query
from continuum.fhir.types import TYPE_IDS
from continuum.record.entry import arrange
from continuum.record.keys import Keys
from continuum.record.model import Page
from continuum.record.search import everything, search
from continuum.record.visibility import EVERYTHING, Visibility
from continuum.record.write import Change, RowIds, write

SECRET = b"the secret of a test database ..."
START_US = 1_700_000_000_000_000
"""When the first resource of a stock is written; the others follow a millisecond apart."""
BATCH = 500


class Stock:
    """A database and what was put into it. References are not enforced, so that a test says only what it needs."""

    def __init__(self, pool: Any, owner: Any = None) -> None:
        self.pool = pool
        self.owner = owner
        self.keys = Keys(SECRET)
        self._row_ids = RowIds()
        self._written = 0

    async def fill(self, *resources: dict[str, Any]) -> None:
        async with self.pool.connection() as conn:
            for first in range(0, len(resources), BATCH):
                changes = []
                for resource in resources[first : first + BATCH]:
                    kind = resource["resourceType"]
                    prepared = arrange(resource, kind, TYPE_IDS[kind], self.keys)
                    prepared.links = []
                    changes.append(Change(prepared, None, START_US + self._written * 1_000))
                    self._written += 1
                await write(conn, changes, row_ids=self._row_ids)

    def query(self, text: str, **changed: Any) -> Query:
        kind, _, criteria = text.partition("?")
        query = parse(kind, parse_qsl(criteria, keep_blank_values=True), lenient=False)
        return dataclasses.replace(query, **changed)

    async def page(self, text: str, *, visibility: Visibility = EVERYTHING, **changed: Any) -> Page:
        async with self.pool.connection() as conn:
            return await search(conn, self.query(text, **changed), visibility=visibility, keys=self.keys)

    async def ids(self, text: str, *, visibility: Visibility = EVERYTHING) -> list[str]:
        """The matches of every page, in order; each is there once."""
        found: list[str] = []
        cursor = ""
        for _ in range(1_000):
            page = await self.page(text, visibility=visibility, cursor=cursor)
            found += [one.id for one in page.matches]
            cursor = page.next_cursor
            if not cursor:
                assert len(found) == len(set(found)), "a page repeats what another showed"
                return found
        raise AssertionError("the pages do not end")

    async def included(self, text: str, *, visibility: Visibility = EVERYTHING) -> set[str]:
        page = await self.page(text, visibility=visibility)
        names = [f"{one.resource_type}/{one.id}" for one in page.included]
        assert len(names) == len(set(names))
        return set(names)

    async def everything(self, patient_id: str, *, visibility: Visibility = EVERYTHING, **options: Any) -> set[str]:
        async with self.pool.connection() as conn:
            page = await everything(conn, patient_id, visibility=visibility, keys=self.keys, **options)
        return {f"{one.resource_type}/{one.id}" for one in (*page.matches, *page.included)}


def patient(patient_id: str, /, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": patient_id, **more}


def observation(name: str, subject: str = "Patient/p", /, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation", "id": name, "status": "final", "code": {"text": "pulse"},
        "subject": {"reference": subject}, **more,
    }  # fmt: skip


def coded(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def amount(value: Any, **more: Any) -> dict[str, Any]:
    return {"value": value, **more}
