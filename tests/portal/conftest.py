"""People for the portal: those of the stories, with records, in the registry, with accounts."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from continuum.runtime.postgres.address import Address
from tests.browsing import Browser
from tests.hospital import Hospital
from tests.signon.conftest import browser, database, enlist, here, other_browser, steps

__all__ = ["browser", "database", "enlist", "here", "other_browser", "steps"]


class Clinic:
    """The hospital, and everybody who is signed in at it; each signs in once, and again when that was too long ago."""

    def __init__(self, hospital: Hospital) -> None:
        self.hospital = hospital
        self.signed_in: dict[str, Browser] = {}

    def member(self, key: str, given: str) -> str:
        """The Patient of somebody in a family."""
        family = self.hospital.persona(key).family
        return next(one.id for one in family.members if one.name.startswith(given))

    async def at(self, key: str, given: str) -> Browser:
        """The browser of somebody in a family: Premium, signed in."""
        patient_id = self.member(key, given)
        known = self.signed_in.get(patient_id)
        if known is not None:
            await known.get("/signon/account")
            if known.path != "/signon/account":
                await self.signed_in.pop(patient_id).http.aclose()
        if patient_id not in self.signed_in:
            who = await self.hospital.relative(self.hospital.persona(key), patient_id)
            self.signed_in[patient_id] = await self.hospital.enter(who)
        return self.signed_in[patient_id]


@pytest.fixture(scope="session")
async def clinic(open_hospital: Hospital) -> AsyncIterator[Clinic]:
    made = Clinic(open_hospital)
    yield made
    for one in made.signed_in.values():
        await one.http.aclose()


@pytest.fixture
def database_of(open_hospital: Hospital):
    """The rows of a table of schema `chart`, after a change if one is given."""

    async def rows(table: str, change: str = "") -> list[dict[str, object]]:
        conn = await asyncpg.connect(**Address.from_url(open_hospital.owner).connect)
        try:
            if change:
                await conn.execute(f"UPDATE chart.{table} {change}")
            return [dict(row) for row in await conn.fetch(f"SELECT * FROM chart.{table}")]
        finally:
            await conn.close()

    return rows
