"""Entries that were written into the wrong person's chart are moved to the right one."""

from collections.abc import Sequence

from continuum.fhir.types import TYPE_IDS, TYPE_NAMES
from continuum.kernel.errors import Conflict, Invalid, Issue, TooCostly
from continuum.kernel.limits import (
    CORRECTION_ENTRIES_MAX,
)
from continuum.record.read import missing
from continuum.record.relocation import ledger
from continuum.record.relocation.act import Json, Work, in_turn, resource_of
from continuum.record.relocation.ledger import Relocation
from continuum.record.relocation.merge import STAYING, not_all_open, refuse_same, refuse_test_and_real
from continuum.record.relocation.provenance import provenance, version_before, version_of
from continuum.record.relocation.references import places, pointed
from continuum.record.unseen import hide, unseen
from continuum.record.write import Change, Present

Address = tuple[int, str]
_ENCOUNTER = TYPE_IDS["Encounter"]


class Correction:
    """Wrong-patient correction. entries: (type, id); an Encounter brings along everything that belongs to it."""

    def __init__(self, *, source_id: str, target_id: str, entries: Sequence[tuple[str, str]]) -> None:
        self._source_id = source_id
        self._target_id = target_id
        self._entries = [(TYPE_IDS[kind], name) for kind, name in entries]

    async def plan(self, work: Work) -> list[Change]:
        """Locks both charts and the entries, and re-points them.

        Raises:
            Invalid: an entry cannot be moved. NotFound, Gone: an entry or patient is not there.
            Conflict: a chart was merged away, or test and real would mix.
            TooCostly: more than CORRECTION_ENTRIES_MAX entries.
        """
        source_id, target_id, outcome = self._source_id, self._target_id, work.outcome
        refuse_same(source_id, target_id)
        await work.hold((source_id, target_id))
        patients = await work.patients(source_id, target_id)
        for name in patients:
            standing = await ledger.merge_of(work.conn, name)
            if standing is not None:
                raise Conflict(f"Patient/{name} was merged into Patient/{standing.target_id}; name that one instead.")
        refuse_test_and_real(resource_of(patients[source_id]), resource_of(patients[target_id]))
        chosen = await self._chosen(work)
        keys = {work.keys.self_key(TYPE_NAMES[kind], name) for kind, name in chosen}
        old, new = f"Patient/{source_id}", f"Patient/{target_id}"
        changes = []
        for number, present in enumerate(chosen.values()):
            await in_turn(number)
            before = resource_of(present)
            resource, _ = pointed(before, dict.fromkeys(places(before, old), new), away_from=old)
            self._part(work, resource, keys)
            changes.append(await work.change(resource, present))
            outcome.moved[TYPE_NAMES[present.type_id]] += 1
        await self._behind(work, chosen)
        outcome.patients = ()
        return changes + await self._traces(work, changes)

    async def note(self, work: Work, changes: Sequence[Change]) -> None:
        """Notes the act."""
        act = Relocation(
            work.outcome.id, merge=False, source_id=self._source_id, target_id=self._target_id,
            at_us=work.now_us, undone_us=None,
        )  # fmt: skip
        await ledger.record(work.conn, act, changes)

    async def _chosen(self, work: Work) -> dict[Address, Present]:
        """The entries, locked, with all that belongs to the encounters among them."""
        wanted = list(dict.fromkeys(self._entries))
        found: dict[Address, Present] = {}
        while wanted:
            presents = await hide(work.conn, await work.lock(wanted), work.visibility)
            for address in wanted:
                present = presents.get(address)
                if present is None or present.deleted:
                    raise missing(TYPE_NAMES[address[0]], address[1]) if address in self._entries else not_all_open()
                self._refuse(present)
                found[address] = present
            if len(found) > CORRECTION_ENTRIES_MAX:
                raise TooCostly(f"More than {CORRECTION_ENTRIES_MAX} entries cannot be moved at once; choose fewer.")
            encounters = [address for address in wanted if address[0] == _ENCOUNTER]
            wanted = [one for one in await self._within(work, encounters) if one not in found]
        return dict(sorted(found.items(), key=lambda item: item[1].row_id))

    def _refuse(self, present: Present) -> None:
        kind = TYPE_NAMES[present.type_id]
        address = f"{kind}/{present.id}"
        if kind in STAYING:
            text = f"{address} cannot be moved: a {kind} is no entry of a chart."
        elif present.patient_id != self._source_id:
            text = f"{address} is not an entry of Patient/{self._source_id}."
        else:
            return
        raise Invalid(text, issues=(Issue("business-rule", text),))

    async def _within(self, work: Work, encounters: Sequence[Address]) -> list[Address]:
        """What of the source's chart belongs to these encounters: it refers to one of them."""
        if not encounters:
            return []
        rows = await work.conn.fetch(
            """
            SELECT r.type, r.id FROM record.search s JOIN record.resource r USING (row_id)
            WHERE s.keys && $1::bigint[] AND s.patient = $2 AND NOT s.type = ANY($3::smallint[]) LIMIT $4
            """,
            [work.keys.address(f"Encounter/{name}") for _, name in encounters],
            work.keys.self_key("Patient", self._source_id),
            [TYPE_IDS[name] for name in STAYING],
            CORRECTION_ENTRIES_MAX + 1,
        )
        return [(row["type"], row["id"]) for row in rows]

    def _part(self, work: Work, resource: Json, moving: set[int]) -> None:
        """Takes out the tie to an encounter that stays: it was the other person's."""
        for holder, name in ((resource, "encounter"), (resource, "context"), (resource.get("context"), "encounter")):
            if not isinstance(holder, dict):
                continue
            tied = holder.get(name)
            for reference in tied if isinstance(tied, list) else [tied]:
                text = reference.get("reference", "") if isinstance(reference, dict) else ""
                if not text.startswith(("Encounter/", "EpisodeOfCare/")) or work.keys.address(text) in moving:
                    continue
                del holder[name]
                work.outcome.warnings.append(
                    f"{resource['resourceType']}/{resource['id']} belonged to {text}, which stays where it is;"
                    " it no longer names that encounter."
                )
                break

    async def _behind(self, work: Work, chosen: dict[Address, Present]) -> None:
        """Names the entries of the source that stay, though they refer to one that moves."""
        rows = await work.conn.fetch(
            """
            SELECT r.type, r.id FROM record.search s JOIN record.resource r USING (row_id)
            WHERE s.keys && $1::bigint[] AND s.patient = $2 AND NOT s.row_id = ANY($3::bigint[])
            AND NOT s.type = ANY($4::smallint[]) ORDER BY r.row_id LIMIT $5
            """,
            [work.keys.address(f"{TYPE_NAMES[kind]}/{name}") for kind, name in chosen],
            work.keys.self_key("Patient", self._source_id),
            [present.row_id for present in chosen.values()],
            [TYPE_IDS[name] for name in STAYING],
            CORRECTION_ENTRIES_MAX,
        )
        staying = [(row["type"], row["id"]) for row in rows]
        hidden = await unseen(work.conn, staying, work.visibility)
        for kind, name in staying:
            if (kind, name) in hidden:
                continue
            address = f"{TYPE_NAMES[kind]}/{name}"
            work.outcome.warnings.append(f"{address} stays, though it refers to an entry that moves. Check it.")

    async def _traces(self, work: Work, changes: Sequence[Change]) -> list[Change]:
        """Neither chart names the other person: who may see both finds them by the act's id."""
        count = len(changes)
        entries = f"{count} entry" if count == 1 else f"{count} entries"
        told = (
            provenance(
                self._source_id,
                f"{entries} of another person had been written into this chart by mistake, and left it.",
                work.author, work.outcome.id, work.now_us, removal=[version_before(one) for one in changes],
            ),
            provenance(
                self._target_id,
                f"{entries} of this person had been written into another chart by mistake, and came here.",
                work.author, work.outcome.id, work.now_us, more=[version_of(one) for one in changes],
            ),
        )  # fmt: skip
        work.outcome.provenances = tuple(one["id"] for one in told)
        return [await work.change(one, None) for one in told]
