"""Two and more charts on a database, and everything that can be done with whose they are."""

from typing import Any

from continuum.fhir.json import parse
from continuum.kernel.errors import DomainError
from continuum.kernel.ids import uuid7
from continuum.record.keys import Keys
from continuum.record.model import Operation
from continuum.record.perform import Performer
from continuum.record.read import read, stored
from continuum.record.relocation import Author, Correction, Merge, Outcome, Relocator, Undo
from continuum.record.visibility import EVERYTHING
from continuum.record.write import FREE

AUTHOR = Author("clerk", "Chris Clerk", "administrator", "the same person was registered twice")
HEAD = b'"lastUpdated":"'


class Everybody:
    """A warrant for everything."""

    visibility = EVERYTHING
    settled_types = frozenset()

    def permit(self, _):
        return FREE

    def trace(self, *_):
        return []


class Charts:
    """Acts on the charts of one database; nothing is enforced but what the record itself enforces."""

    def __init__(self, pool: Any) -> None:
        self.pool = pool
        self.keys = Keys(b"the secret of a test database ...")
        self.now_us = 1_750_000_000_000_000
        self.performer = Performer(pool.connection, self.keys, self._clock)
        self.relocator = Relocator(self.performer)

    def _clock(self) -> int:
        self.now_us += 1_000
        return self.now_us

    async def put(self, *resources: dict[str, Any]) -> None:
        acts = [Operation("PUT", one["resourceType"], id=one["id"], resource=one) for one in resources]
        await self.performer.perform(acts, Everybody())

    async def delete(self, kind: str, name: str) -> None:
        await self.performer.perform([Operation("DELETE", kind, id=name)], Everybody())

    async def merge(self, source: str, target: str, **more: Any) -> Outcome:
        return await self._carry_out(Merge(source_id=source, target_id=target), source, target, **more)

    async def unmerge(self, source: str, **more: Any) -> Outcome:
        return await self._carry_out(Undo(merged_id=source), source, "", **more)

    async def correct(self, source: str, target: str, *entries: str, **more: Any) -> Outcome:
        named = [(kind, name) for kind, _, name in (entry.partition("/") for entry in entries)]
        return await self._carry_out(
            Correction(source_id=source, target_id=target, entries=named), source, target, **more
        )

    async def revert(self, correction: str, **more: Any) -> Outcome:
        return await self._carry_out(Undo(correction_id=correction), "", "", **more)

    async def _carry_out(self, act: Any, source: str, target: str, *, preview: bool = False) -> Outcome:
        outcome = Outcome(id=uuid7(), source_id=source, target_id=target)
        return await self.relocator.carry_out(act, Everybody(), AUTHOR, outcome, preview=preview)

    async def read(self, address: str) -> dict[str, Any]:
        kind, _, name = address.partition("/")
        async with self.pool.connection() as conn:
            return parse((await read(conn, kind, name, EVERYTHING)).body)

    async def text(self, address: str) -> bytes:
        """What a read shows, byte for byte, but for the version and its time."""
        kind, _, name = address.partition("/")
        async with self.pool.connection() as conn:
            return rest((await read(conn, kind, name, EVERYTHING)).body)

    async def texts(self, *, without: tuple[str, ...] = ("Provenance",)) -> dict[str, bytes]:
        """Everything that is there, as `text` shows it, by its address."""
        async with self.pool.connection() as conn:
            rows = await conn.fetch(
                "SELECT row_id, type, id, version, updated, deleted, patient_id, body FROM record.resource"
            )
        found = [stored(row) for row in rows if not row["deleted"]]
        return {f"{one.resource_type}/{one.id}": rest(one.body) for one in found if one.resource_type not in without}

    async def chart(self, patient_id: str) -> set[str]:
        """The addresses of the entries that are filed under a patient, by the search index."""
        async with self.pool.connection() as conn:
            rows = await conn.fetch(
                "SELECT r.type, r.id, row_id, r.version, r.updated, r.deleted, r.patient_id, r.body"
                " FROM record.search s JOIN record.resource r USING (row_id) WHERE s.patient = $1",
                self.keys.self_key("Patient", patient_id),
            )
        found = [stored(row) for row in rows]
        assert {one.patient_id for one in found} <= {patient_id}
        return {f"{one.resource_type}/{one.id}" for one in found} - {f"Patient/{patient_id}"}


def rest(body: bytes) -> bytes:
    """A resource's JSON text after meta.lastUpdated."""
    _, _, after = body.partition(HEAD)
    return after.partition(b'"')[2]


async def refusal(work: Any) -> DomainError:
    """The refusal that some work meets."""
    try:
        await work
    except DomainError as error:
        return error
    raise AssertionError("it was not refused")


def patient(name: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": name, "name": [{"family": f"Family of {name}"}], **more}


def observation(name: str, subject: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation", "id": name, "status": "final", "code": {"text": "pulse"},
        "subject": {"reference": f"Patient/{subject}"}, **more,
    }  # fmt: skip


def encounter(name: str, subject: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Encounter", "id": name, "status": "finished", "class": {"code": "AMB"},
        "subject": {"reference": f"Patient/{subject}"}, **more,
    }  # fmt: skip
