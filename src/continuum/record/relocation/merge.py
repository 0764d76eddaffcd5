"""Two charts that turn out to be one person's: every entry of the source becomes one of the target's."""

from collections.abc import Sequence

from continuum.fhir.types import TYPE_IDS, TYPE_NAMES
from continuum.kernel.errors import Conflict, Forbidden, Invalid, Issue, TooCostly
from continuum.kernel.limits import (
    MERGE_ENTRIES_MAX,
)
from continuum.record.relocation import ledger
from continuum.record.relocation.act import Json, Work, in_turn, made, resource_of
from continuum.record.relocation.ledger import Relocation
from continuum.record.relocation.links import replaced_by, retired, successor
from continuum.record.relocation.provenance import provenance, version_of
from continuum.record.relocation.references import places, pointed
from continuum.record.write import TRACES, Change, Present

STAYING = TRACES | {"Bundle"}
"""Types that are not re-pointed: traces tell what was, and what a document or message holds is a copy."""
_TEST = "HTEST"
"""The v3-ActReason code of records that are no person's."""


def refuse_same(source_id: str, target_id: str) -> None:
    """Raises Invalid for one patient named twice."""
    if source_id == target_id:
        text = f"Patient/{source_id} is named as both sides; name two different patients."
        raise Invalid(text, issues=(Issue("business-rule", text),))


def not_all_open() -> Forbidden:
    """The refusal of an act of which a part may not be seen; it does not say which."""
    return Forbidden("Not all that this would move is open to you; ask those who keep the registry of patients.")


def refuse_test_and_real(source: Json, target: Json) -> None:
    """Raises Conflict when one of two patients is a test and the other is not."""
    if is_test(source) != is_test(target):
        test, real = (source, target) if is_test(source) else (target, source)
        raise Conflict(
            f"Patient/{test['id']} is a test patient and Patient/{real['id']} is not: their entries must not mix."
        )


def is_test(patient: Json) -> bool:
    """Whether a Patient is marked as a test (HTEST among its tags or labels)."""
    meta = patient.get("meta") or {}
    return any(one.get("code") == _TEST for name in ("tag", "security") for one in meta.get(name, ()))


class Merge:
    """`Patient/$merge`."""

    def __init__(self, *, source_id: str, target_id: str) -> None:
        self._source_id = source_id
        self._target_id = target_id
        self._keys = (0, 0)

    async def plan(self, work: Work) -> list[Change]:
        """Locks both charts and re-points every entry of the source.

        Raises:
            Invalid, Conflict: the two cannot be merged. NotFound, Gone: one is not there.
            TooCostly: more than MERGE_ENTRIES_MAX entries.
        """
        source_id, target_id, outcome = self._source_id, self._target_id, work.outcome
        refuse_same(source_id, target_id)
        await work.hold((source_id, target_id))
        source_row, target_row = await self._both(work)
        source, target = resource_of(source_row), resource_of(target_row)
        await self._refuse(work, source, target)
        changes = [
            await work.change(retired(source, target_id), source_row),
            await work.change(successor(target, source), target_row),
        ]
        outcome.before = (source, target)
        outcome.patients = (made(changes[0]), made(changes[1]))
        for number, present in enumerate(await self._entries(work)):
            await in_turn(number)
            kind = TYPE_NAMES[present.type_id]
            if present.deleted or kind in STAYING:
                continue
            before = resource_of(present)
            old, new = f"Patient/{source_id}", f"Patient/{target_id}"
            resource, count = pointed(before, dict.fromkeys(places(before, old), new), away_from=old)
            if count:
                changes.append(await work.change(resource, present, judged=True))
                outcome.moved[kind] += 1
        self._keys = (work.keys.self_key("Patient", source_id), work.keys.self_key("Patient", target_id))
        return changes + await self._traces(work, changes)

    async def note(self, work: Work, changes: Sequence[Change]) -> None:
        """Notes the act; who cared for the source cares for the target now."""
        await ledger.share_care(work.conn, source=self._keys[0], target=self._keys[1])
        act = Relocation(
            work.outcome.id, merge=True, source_id=self._source_id, target_id=self._target_id,
            at_us=work.now_us, undone_us=None,
        )  # fmt: skip
        await ledger.record(work.conn, act, changes)

    async def _both(self, work: Work) -> tuple[Present, Present]:
        """Both Patients, locked in one order whichever is the source."""
        found = await work.patients(self._source_id, self._target_id)
        return found[self._source_id], found[self._target_id]

    async def _refuse(self, work: Work, source: Json, target: Json) -> None:
        for side in (source, target):
            standing = await ledger.merge_of(work.conn, side["id"])
            into = standing.target_id if standing is not None else replaced_by(side)
            if into is not None:
                raise Conflict(
                    f"Patient/{side['id']} was merged into Patient/{into}."
                    f" Merge with Patient/{into} instead, or undo that merge first."
                )
        refuse_test_and_real(source, target)

    async def _entries(self, work: Work) -> list[Present]:
        rows = await work.conn.fetch(
            "SELECT row_id FROM record.search WHERE keys @> ARRAY[$1::bigint] LIMIT $2",
            work.keys.address(f"Patient/{self._source_id}"),
            MERGE_ENTRIES_MAX + 1,
        )
        if len(rows) > MERGE_ENTRIES_MAX:
            raise TooCostly(
                f"Patient/{self._source_id} has more than {MERGE_ENTRIES_MAX} entries, too many to move at once."
                " Merge the other way round if that chart is the smaller one."
            )
        patients = (self._source_id, self._target_id)
        found = await work.presents([row["row_id"] for row in rows])
        return [one for one in found if not (one.type_id == TYPE_IDS["Patient"] and one.id in patients)]

    async def _traces(self, work: Work, changes: Sequence[Change]) -> list[Change]:
        moved = work.outcome.moved.total()
        entries = f"{moved} entry" if moved == 1 else f"{moved} entries"
        here, there = version_of(changes[0]), version_of(changes[1])
        told = (
            provenance(
                self._source_id,
                f"Merged into Patient/{self._target_id}: {entries} went there, and this chart is no longer used.",
                work.author, work.outcome.id, work.now_us, derivation=(there,),
            ),
            provenance(
                self._target_id,
                f"Patient/{self._source_id} was merged into this chart: {entries} came from there.",
                work.author, work.outcome.id, work.now_us, derivation=(here,),
            ),
        )  # fmt: skip
        work.outcome.provenances = tuple(one["id"] for one in told)
        return [await work.change(one, None) for one in told]
