"""A merge or a correction taken back: what nobody has changed since reads as before, byte for byte.

What was changed since keeps its change and goes back to the chart it came from, and is named for review; what
was written since stays where it was put, as does what somebody has put elsewhere since.
"""

from collections.abc import Sequence

from continuum.fhir.types import TYPE_IDS, TYPE_NAMES
from continuum.kernel.errors import Conflict, NotFound
from continuum.record.relocation import ledger
from continuum.record.relocation.act import Json, Work, in_turn, made, resource_of
from continuum.record.relocation.ledger import Relocation
from continuum.record.relocation.links import revived, separated
from continuum.record.relocation.merge import not_all_open
from continuum.record.relocation.provenance import provenance, version_of
from continuum.record.relocation.references import alike, at, places, pointed
from continuum.record.unseen import unseen
from continuum.record.write import Change, Present


class Undo:
    """`Patient/$unmerge` (by the source of the merge) and the undoing of a correction (by its id)."""

    def __init__(self, *, merged_id: str | None = None, correction_id: str | None = None) -> None:
        self._merged_id = merged_id
        self._correction_id = correction_id
        self._act: Relocation | None = None

    async def plan(self, work: Work) -> list[Change]:
        """Locks both charts and what the act changed, and takes it back.

        Raises:
            NotFound: there is no such act that could be undone. Conflict: another has to be undone first.
        """
        act = self._act = await self._find(work)
        outcome = work.outcome
        outcome.source_id, outcome.target_id = act.source_id, act.target_id
        await self._refuse(work, act)
        entries = await ledger.entries(work.conn, act.id)
        presents = await work.presents([row_id for row_id, _, _ in entries])
        if await unseen(work.conn, [(one.type_id, one.id) for one in presents], work.visibility):
            raise not_all_open()
        before = await work.earlier([(row_id, version) for row_id, version, _ in entries])
        after = {row_id: version for row_id, _, version in entries}
        changes: list[Change] = []
        for number, present in enumerate(presents):
            await in_turn(number)
            if present.deleted:
                outcome.warnings.append(f"{_address(present)} was deleted since and stays so.")
                continue
            resource: Json | None = before[present.row_id]
            if present.version != after[present.row_id]:
                resource = self._taken_back(work, present, before)
            if resource is None:
                continue
            changes.append(await work.change(resource, present, judged=True))
            if TYPE_NAMES[present.type_id] != "Patient":
                outcome.moved[TYPE_NAMES[present.type_id]] += 1
        # Entries may name the source again, from here on.
        await ledger.undone(work.conn, act.id, work.now_us)
        self._patients(work, changes)
        return changes + await self._traces(work, changes)

    async def note(self, work: Work, changes: Sequence[Change]) -> None:  # noqa: ARG002  an Act's signature
        """Takes back what facilities came to see through the act."""
        assert self._act is not None, "an act is planned before it is noted"
        source, target = (work.keys.self_key("Patient", one) for one in (self._act.source_id, self._act.target_id))
        await ledger.unshare_care(work.conn, source=source, target=target)

    async def _find(self, work: Work) -> Relocation:
        """The act, with both charts locked."""
        if self._merged_id is not None:
            act = await ledger.merge_of(work.conn, self._merged_id)
        else:
            act = await ledger.by_id(work.conn, self._correction_id or "")
        if act is None or act.merge != (self._merged_id is not None):
            if self._merged_id is None:
                raise NotFound(f"There is no correction {self._correction_id} here.")
            await work.patients(self._merged_id)
            raise NotFound(f"Patient/{self._merged_id} is not merged into another; there is nothing to undo.")
        await work.hold((act.source_id, act.target_id))
        await work.patients(act.source_id, act.target_id)
        if act.undone_us is not None:
            raise Conflict(f"The correction {act.id} was undone already.")
        return act

    async def _refuse(self, work: Work, act: Relocation) -> None:
        """What was built on this act is undone before it."""
        for patient_id in (act.target_id, act.source_id):
            later = await ledger.merge_of(work.conn, patient_id)
            if later is not None and later.id != act.id:
                raise Conflict(
                    f"Patient/{patient_id} was itself merged into Patient/{later.target_id}. Undo that merge first."
                )
        later = await ledger.onward(work.conn, act)
        if later is not None:
            raise Conflict(
                f"Some of these entries were moved on since, by the correction {later.id}. Undo that one first."
            )

    def _taken_back(self, work: Work, present: Present, before: dict[int, Json]) -> Json | None:
        """A resource that was changed since the act, without the act; None if there is nothing left to take back."""
        act = self._act
        assert act is not None, "an act is found before it is taken back"
        resource = resource_of(present)
        was = before[present.row_id]
        if present.type_id == TYPE_IDS["Patient"]:
            if present.id == act.source_id:
                return revived(resource, was, act.target_id)
            return separated(resource, was, next(one for one in before.values() if one["id"] == act.source_id))
        where = {path: at(was, path)["reference"] for path in places(was, f"Patient/{act.source_id}")}
        made_of, count = pointed(resource, where, away_from=f"Patient/{act.target_id}")
        if not count:
            work.outcome.warnings.append(f"{_address(present)} was put elsewhere since and stays there.")
            return None
        if not act.merge:
            # The tie to an encounter of the source, which the correction took out (relocation/correct.py).
            made_of |= {name: was[name] for name in ("encounter", "context") if name in was and name not in made_of}
        if count < len(where) or not alike(made_of, was):
            work.outcome.warnings.append(
                f"{_address(present)} was changed since; the change is kept. Check whose it is."
            )
        return made_of

    def _patients(self, work: Work, changes: Sequence[Change]) -> None:
        act = self._act
        assert act is not None, "an act is found before it is shown"
        written = {change.prepared.id: change for change in changes if change.prepared is not None}
        shown = (act.source_id, act.target_id) if act.merge else ()
        work.outcome.patients = tuple(made(written[patient_id]) for patient_id in shown if patient_id in written)

    async def _traces(self, work: Work, changes: Sequence[Change]) -> list[Change]:
        act, moved = self._act, work.outcome.moved.total()
        assert act is not None, "an act is found before it is traced"
        entries = f"{moved} entry" if moved == 1 else f"{moved} entries"
        if act.merge:
            gone = f"The merge of Patient/{act.source_id} into this chart was undone: {entries} went back."
            back = f"The merge into Patient/{act.target_id} was undone: {entries} came back."
            told = [
                provenance(act.source_id, back, work.author, act.id, work.now_us),
                provenance(act.target_id, gone, work.author, act.id, work.now_us),
            ]
        else:
            what = [version_of(change) for change in changes]
            told = [
                provenance(
                    act.source_id, f"A correction was undone: {entries} came back to this chart.",
                    work.author, act.id, work.now_us, more=what,
                ),
                provenance(
                    act.target_id, f"A correction was undone: {entries} left this chart again.",
                    work.author, act.id, work.now_us, removal=what,
                ),
            ]  # fmt: skip
        work.outcome.provenances = tuple(one["id"] for one in told)
        return [await work.change(one, None) for one in told]


def _address(present: Present) -> str:
    return f"{TYPE_NAMES[present.type_id]}/{present.id}"
