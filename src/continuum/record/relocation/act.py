"""How a relocation is carried out: planned and written in one transaction, tried again when a race was lost."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from continuum.fhir.json import parse
from continuum.fhir.types import TYPE_IDS, TYPE_NAMES
from continuum.kernel.errors import Conflict, Gone
from continuum.kernel.limits import (
    RELOCATION_YIELD,
    RETRIES_MAX,
)
from continuum.record.body import decode, whole
from continuum.record.entry import arrange, prepare
from continuum.record.keys import Keys
from continuum.record.model import Stored
from continuum.record.perform import Performer, Warrant
from continuum.record.read import Connection, missing
from continuum.record.unseen import hide
from continuum.record.visibility import Visibility
from continuum.record.write import RETRY_STATES, Change, Present, bucket, lock, translate, write

Json = dict[str, Any]
PATIENT = TYPE_IDS["Patient"]


@dataclass(frozen=True, slots=True)
class Author:
    """Who relocates and why, for the Provenance: the identifier, name and role of the actor, and plain words."""

    identifier: str
    name: str
    role: str
    reason: str


@dataclass(slots=True)
class Outcome:
    """What a relocation did, or would do.

    before: both Patients of a merge as they were; patients: as they are (or would be) then, source first.
    moved: how many entries of each type changed their chart. warnings: what a person should look at, in plain words.
    provenances: their ids.
    """

    id: str
    source_id: str
    target_id: str
    done: bool = False
    before: tuple[Json, ...] = ()
    patients: tuple[Stored, ...] = ()
    moved: Counter[str] = field(default_factory=Counter)
    warnings: list[str] = field(default_factory=list)
    provenances: tuple[str, ...] = ()


class Act(Protocol):
    """One kind of relocation."""

    async def plan(self, work: "Work") -> list[Change]:
        """Locks and judges; returns what is to be written and fills `work.outcome`."""

    async def note(self, work: "Work", changes: Sequence[Change]) -> None:
        """Writes what undoing needs, after the changes, in their transaction."""


@dataclass(slots=True)
class Work:
    """One attempt: the transaction, the present instant and what the act may see."""

    conn: Connection
    keys: Keys
    now_us: int
    visibility: Visibility
    author: Author
    outcome: Outcome

    async def hold(self, patient_ids: Iterable[str]) -> None:
        """Keeps away, until the transaction ends, everybody who writes entries for these patients."""
        buckets = sorted({bucket(PATIENT, patient_id) for patient_id in patient_ids})
        await self.conn.execute("SELECT pg_advisory_xact_lock(7201, b) FROM unnest($1::integer[]) b", buckets)

    async def lock(self, addresses: Iterable[tuple[int, str]]) -> dict[tuple[int, str], Present]:
        """The resources at these addresses, locked."""
        return await lock(self.conn, addresses)

    async def patients(self, *patient_ids: str) -> dict[str, Present]:
        """Patients by their id, locked. Raises NotFound, Gone."""
        locked = await self.lock([(PATIENT, patient_id) for patient_id in patient_ids])
        presents = await hide(self.conn, locked, self.visibility)
        for patient_id in patient_ids:
            if (PATIENT, patient_id) not in presents:
                raise missing("Patient", patient_id)
            if presents[PATIENT, patient_id].deleted:
                raise Gone(f"Patient/{patient_id} was deleted.")
        return {patient_id: presents[PATIENT, patient_id] for patient_id in patient_ids}

    async def presents(self, row_ids: Sequence[int]) -> list[Present]:
        """The resources of these rows, locked in one order."""
        rows = await self.conn.fetch(
            """
            SELECT row_id, type, id, version, updated, deleted, labels, patient, patient_id, body
            FROM record.resource WHERE row_id = ANY($1::bigint[]) ORDER BY row_id FOR NO KEY UPDATE
            """,
            row_ids,
        )
        return [
            Present(
                row["row_id"], row["type"], row["id"], row["version"], row["updated"], row["deleted"],
                row["labels"], row["patient"], row["patient_id"], row["body"],
            )
            for row in rows
        ]  # fmt: skip

    async def earlier(self, versions: Sequence[tuple[int, int]]) -> dict[int, Json]:
        """Past versions, (row, version), as resources by row."""
        rows = await self.conn.fetch(
            """
            SELECT h.row_id, h.type, h.id, h.version, h.updated, h.body
            FROM unnest($1::bigint[], $2::integer[]) w(row_id, version) JOIN record.history h USING (row_id, version)
            """,
            [one[0] for one in versions],
            [one[1] for one in versions],
        )
        return {
            row["row_id"]: parse(
                decode(TYPE_NAMES[row["type"]], row["id"], row["version"], row["updated"], row["body"])
            )
            for row in rows
        }

    async def change(self, resource: Json, present: Present | None, *, judged: bool = False) -> Change:
        """The next version of a resource, or a new one. judged: its structure is known to be valid."""
        if judged:
            kind = resource["resourceType"]
            prepared = arrange(resource, kind, TYPE_IDS[kind], self.keys)
        else:
            prepared = prepare(resource, self.keys)
        return Change(prepared, present, self.now_us)


async def in_turn(number: int) -> None:
    """Lets other requests of this process have their turn, now and then, during the work for one."""
    if number % RELOCATION_YIELD == 0:
        await asyncio.sleep(0)


def resource_of(present: Present) -> Json:
    """The present version of what is not deleted."""
    assert present.body is not None, "only what is not deleted has a body"
    return parse(decode(TYPE_NAMES[present.type_id], present.id, present.version, present.updated_us, present.body))


def made(change: Change) -> Stored:
    """The version that a change makes."""
    prepared = change.prepared
    assert prepared is not None, "a relocation deletes nothing"
    kind = prepared.resource_type
    body = whole(kind, prepared.id, change.version, change.updated_us, prepared.tail)
    return Stored(kind, prepared.id, change.version, change.updated_us, False, prepared.patient_id, body)


class Relocator:
    """Carries out relocations on one database."""

    def __init__(self, performer: Performer) -> None:
        self._performer = performer

    async def carry_out(
        self, act: Act, warrant: Warrant, author: Author, outcome: Outcome, *, preview: bool = False
    ) -> Outcome:
        """Does all of the act, or nothing. preview: says what it would do, and does nothing.

        Raises:
            DomainError: why it cannot be done.
        """
        performer = self._performer
        for attempt in range(1, RETRIES_MAX + 1):
            changes: list[Change] = []
            outcome.moved, outcome.warnings = Counter(), []
            try:
                async with performer.connect() as conn:
                    work = Work(conn, performer.keys, performer.clock(), warrant.visibility, author, outcome)
                    transaction = conn.transaction()
                    await transaction.start()
                    try:
                        changes += await act.plan(work)
                        await self._write(act, work, changes, warrant, preview=preview)
                    except BaseException:
                        await transaction.rollback()
                        raise
                    await (transaction.rollback() if preview else transaction.commit())
            except Exception as error:
                refusal = translate(error, changes)
                if refusal is not None:
                    raise refusal from error
                if getattr(error, "sqlstate", None) not in RETRY_STATES:
                    raise
                if attempt == RETRIES_MAX:
                    raise Conflict("Others kept changing these charts; please try again.") from error
            else:
                outcome.done = not preview
                return outcome
        raise AssertionError("the loop returns or raises")

    async def _write(self, act: Act, work: Work, changes: list[Change], warrant: Warrant, *, preview: bool) -> None:
        guard = warrant.permit(changes)
        if not preview:
            audits = warrant.trace(changes)
            await write(work.conn, changes, row_ids=self._performer.row_ids, audits=audits, guard=guard)
            await act.note(work, changes)
