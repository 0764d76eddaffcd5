"""Whose chart is whose: duplicates found and merged, and entries put right that were written for the wrong person.

Every act leaves one audit row that names both patients, also when it is refused, and a preview does too.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from continuum.access.audit import FAILED, REFUSED
from continuum.access.ground import Ground
from continuum.access.ownership import Ownership
from continuum.access.warrant import SessionWarrant
from continuum.fhir.json import parse
from continuum.identity.matching import CERTAIN, Grade, blocks, compare, grade
from continuum.identity.matching.grading import CERTAINLY_NOT
from continuum.kernel.errors import DomainError, Forbidden, MultipleMatches, NotFound
from continuum.kernel.ids import uuid7
from continuum.kernel.limits import (
    MATCH_BLOCK_MAX,
)
from continuum.record import read, search
from continuum.record.model import Stored
from continuum.record.read import Connection
from continuum.record.relocation import Author, Correction, Merge, Outcome, Relocator, Undo
from continuum.record.relocation.links import replaced_by

MATCH, MERGE, UNMERGE, CORRECT = "match", "merge", "unmerge", "correct"
"""The acts that a policy may open."""
_WORDS = {
    MATCH: "Looking for duplicates of a person",
    MERGE: "Merging two charts",
    UNMERGE: "Undoing the merge of two charts",
    CORRECT: "Moving entries from one person's chart to another's",
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A registered patient who may be the one described. merged: ids of charts that were merged into theirs."""

    stored: Stored
    grade: Grade
    merged: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Candidates:
    """What a match found, the best first. cut: a search met more patients than it looks at."""

    found: tuple[Candidate, ...]
    cut: bool


@dataclass(frozen=True, slots=True)
class Planned:
    """What a merge did or would do, and how alike the two people are."""

    outcome: Outcome
    likeness: Grade | None


class ChartActs(Ground):
    """The part of a Session that finds, merges and puts right."""

    async def match(self, patient: dict[str, Any], *, only_certain: bool, count: int) -> Candidates:
        """Registered patients who may be the one that a Patient resource describes (R4 Patient-operation-match).

        only_certain: the one certain match; none when there are several.

        Raises:
            Forbidden: this is not the actor's to do.
        """
        queries = [
            self.parse("Patient", urlencode([*criteria, ("_count", str(MATCH_BLOCK_MAX))]))
            for criteria in blocks(patient)
        ]

        async def work(conn: Connection) -> Candidates:
            self._permit(MATCH)
            met: dict[str, Stored] = {}
            cut = False
            for query in queries:
                page = await search.search(conn, query, visibility=self._policy.visibility, keys=self._door.keys)
                met.update((stored.id, stored) for stored in page.matches)
                cut = cut or bool(page.next_cursor)
            found = await self._graded(conn, patient, met)
            if only_certain:
                found = [one for one in found if one.grade.code == CERTAIN]
                found = found if len(found) == 1 else []
            return Candidates(tuple(found[:count]), cut)

        return await self._traced(MATCH, work, "Patient")

    async def _graded(self, conn: Connection, patient: dict[str, Any], met: dict[str, Stored]) -> list[Candidate]:
        """The candidates by their score; a chart that was merged away speaks for the one that it went into."""
        best: dict[str, Candidate] = {}
        for stored in met.values():
            assert stored.body is not None, "what a search finds is not deleted"
            resource = parse(stored.body)
            graded = grade(compare(patient, resource))
            into = replaced_by(resource)
            shown: Stored | None = stored
            if into is not None:
                shown = met.get(into) or await self._seen(conn, into)
            if shown is None or graded.code == CERTAINLY_NOT:
                continue
            known = best.get(shown.id)
            merged = (*(known.merged if known else ()), *((stored.id,) if into is not None else ()))
            if known is not None and known.grade.score >= graded.score:
                graded = known.grade
            best[shown.id] = Candidate(shown, graded, merged)
        return sorted(best.values(), key=lambda one: (-one.grade.score, one.stored.id))

    async def _seen(self, conn: Connection, patient_id: str) -> Stored | None:
        try:
            return await read.read(conn, "Patient", patient_id, self._policy.visibility)
        except DomainError:
            return None

    async def merge(self, source: str, target: str, *, reason: str, preview: bool = False) -> Planned:
        """Merges the chart of one patient into another's; both are ids, or criteria such as `?identifier=…`.

        Raises:
            Forbidden, NotFound, Gone, MultipleMatches, Invalid, Conflict, TooCostly: why not.
        """

        async def work(outcome: Outcome) -> None:
            outcome.source_id, outcome.target_id = await self._named(source), await self._named(target)
            act = Merge(source_id=outcome.source_id, target_id=outcome.target_id)
            await self._carry_out(MERGE, act, outcome, reason, preview=preview)

        outcome = await self._acted(MERGE, work, source, target, preview=preview)
        likeness = grade(compare(*outcome.before)) if len(outcome.before) == 2 else None
        return Planned(outcome, likeness)

    async def unmerge(self, source: str, *, reason: str, preview: bool = False) -> Outcome:
        """Takes back the merge of this patient's chart into another's. Raises as `merge`."""

        async def work(outcome: Outcome) -> None:
            outcome.source_id = await self._named(source)
            await self._carry_out(UNMERGE, Undo(merged_id=outcome.source_id), outcome, reason, preview=preview)

        return await self._acted(UNMERGE, work, source, "", preview=preview)

    async def correct(
        self, source_id: str, target_id: str, entries: Sequence[tuple[str, str]], *, reason: str, preview: bool = False
    ) -> Outcome:
        """Moves entries, (type, id), from one patient's chart to another's. Raises as `merge`."""

        async def work(outcome: Outcome) -> None:
            act = Correction(source_id=source_id, target_id=target_id, entries=entries)
            await self._carry_out(CORRECT, act, outcome, reason, preview=preview)

        return await self._acted(CORRECT, work, source_id, target_id, preview=preview)

    async def revert_correction(self, correction_id: str, *, reason: str, preview: bool = False) -> Outcome:
        """Takes a correction back, by the id that it was given. Raises as `merge`."""

        async def work(outcome: Outcome) -> None:
            await self._carry_out(CORRECT, Undo(correction_id=correction_id), outcome, reason, preview=preview)

        return await self._acted(CORRECT, work, "", "", preview=preview)

    def _permit(self, act: str) -> None:
        if act not in self._policy.acts:
            raise Forbidden(f"{_WORDS[act]} is not open to a {self._context.actor.role}.")

    async def _named(self, side: str) -> str:
        """The id of the one patient whom criteria name."""
        if not side.startswith("?"):
            return side
        query = self.parse("Patient", side[1:])
        async with self._door.connect() as conn:
            found = await search.resolve(conn, query, visibility=self._policy.visibility, keys=self._door.keys, limit=2)
        if not found:
            raise NotFound("No patient has this identifier here.")
        if len(found) > 1:
            raise MultipleMatches("More than one patient has this identifier; name the patient by reference.")
        return found[0].id

    async def _carry_out(self, name: str, act: Any, outcome: Outcome, reason: str, *, preview: bool) -> None:
        door, context = self._door, self._context
        self._permit(name)
        if door.refusal is not None:
            raise door.refusal
        ownership = Ownership(context.actor, context.purpose, door.keys, self._server, door.judge_subscription)
        warrant = SessionWarrant(door.auditor, door.keys, self._policy, context, name, self.parse, ownership)
        author = Author(context.actor.id, context.actor.name, context.actor.role, reason)
        await Relocator(door.performer).carry_out(act, warrant, author, outcome, preview=preview)

    async def _acted(
        self, name: str, work: Callable[[Outcome], Awaitable[None]], source: str, target: str, *, preview: bool
    ) -> Outcome:
        """Does the work with one audit row, which is the transaction's own when there is one."""
        self.acts += 1
        outcome = Outcome(id=uuid7(), source_id=_plain(source), target_id=_plain(target))
        auditor, context = self._door.auditor, self._context
        try:
            await work(outcome)
        except Exception as error:
            self._door.noticed(error)
            await auditor.write(
                auditor.row(
                    context, name, outcome=REFUSED if isinstance(error, DomainError) else FAILED,
                    patients=_both(outcome), detail=type(error).__name__,
                )
            )  # fmt: skip
            raise
        if preview:
            await auditor.write(auditor.row(context, "preview", query=name, patients=_both(outcome)))
        elif self._door.on_written is not None:
            self._door.on_written()
        return outcome


def _plain(side: str) -> str:
    return "" if side.startswith("?") else side


def _both(outcome: Outcome) -> list[str]:
    return [patient_id for patient_id in (outcome.source_id, outcome.target_id) if patient_id]
