"""What the door hands down with a write: who may write what, and the trace that goes into its transaction."""

from collections.abc import Callable, Mapping, Sequence

from continuum.access import trace
from continuum.access.audit import Auditor, Context
from continuum.access.authored import authored
from continuum.access.ownership import Ownership
from continuum.access.policy import OWNED_TYPES, Policy
from continuum.fhir.query import Query
from continuum.fhir.types import TYPE_NAMES
from continuum.kernel.errors import Forbidden
from continuum.record import read, search
from continuum.record.claims import CLAIMING_TYPES
from continuum.record.claims import settle as settle_claims
from continuum.record.keys import Keys
from continuum.record.model import Operation, Page, Stored, Written
from continuum.record.perform import Result
from continuum.record.read import Connection
from continuum.record.write import FREE, AuditRow, Change, Guard

Relation = tuple[int, int]
"""basis, who (record.write.Guard)."""
_NOT_OPEN = "This is not open to you for writing."


class SessionWarrant:
    """The `Warrant` of one act (record/perform.py)."""

    def __init__(
        self,
        auditor: Auditor,
        keys: Keys,
        policy: Policy,
        context: Context,
        interaction: str,
        parse: Callable[[str, str], Query],
        ownership: Ownership,
        *,
        workflow: bool = False,
    ) -> None:
        self.visibility = policy.visibility
        self.settled_types = OWNED_TYPES | CLAIMING_TYPES
        self._ownership = ownership
        self._workflow = workflow
        self.query = parse
        self._auditor = auditor
        self._keys = keys
        self._policy = policy
        self._context = context
        self._interaction = interaction
        self._patched: set[tuple[str, str]] = set()

    def note_patched(self, resource_type: str, resource_id: str) -> None:
        """A resource with hidden parts was patched around them, and may be written."""
        self._patched.add((resource_type, resource_id))

    def permit(self, changes: Sequence[Change]) -> Guard:
        """Raises Forbidden for a type or patient that may not be written; what the database must check is returned."""
        policy = self._policy
        about: dict[int, set[Relation]] = {}
        registered: set[int] = set()
        for change in changes:
            kind = TYPE_NAMES[change.address[0]]
            if kind == "AuditEvent":
                raise Forbidden("AuditEvents are written by the server itself, by nobody else.")
            through = policy.writes.get(kind)
            if through is None or (kind in policy.arranged and not self._workflow):
                raise Forbidden(_NOT_OPEN)
            if kind in OWNED_TYPES:
                self._ownership.judge(change)
                continue
            if kind in policy.authored and not authored(change):
                raise Forbidden(_NOT_OPEN)
            if change.present is not None and policy.kept.get(kind, 0) & change.present.labels:
                raise Forbidden(_NOT_OPEN)
            self._judge_hidden(change, kind)
            own = kind in policy.own_writes
            if not through and not own:
                continue
            patients = {
                side.patient for side in (change.prepared, change.present) if side is not None
            }  # an update must be allowed on what it replaces as well as on what it writes
            if None in patients:
                raise Forbidden("Say whose record this belongs to: the resource names no patient of ours.")
            if own and patients != {policy.own}:
                raise Forbidden(_NOT_OPEN)
            for patient in patients if not own else ():
                if patient is not None:
                    about[patient] = about[patient] & set(through) if patient in about else set(through)
            if change.present is None and change.prepared and change.prepared.resource_type == "Patient":
                registered.add(change.prepared.self_key)
        if not all(about.values()):
            raise Forbidden(_NOT_OPEN)
        return self._guard(about, registered)

    def _guard(self, about: Mapping[int, set[Relation]], registered: set[int]) -> Guard:
        """What the database must find: of each patient's relations one, unless the patient is made by this very act."""
        if not about:
            return FREE
        facility = self._policy.facility
        known = registered if facility else set()
        return Guard(
            any_of=tuple(
                (0, patient, basis, who)
                for patient in sorted(about)
                if patient not in known
                for basis, who in sorted(about[patient])
            ),
            care=tuple((patient, facility) for patient in sorted(known)),
        )

    def _judge_hidden(self, change: Change, kind: str) -> None:
        """Whoever does not see all of a resource cannot write it whole (decision 5 of the architecture)."""
        if change.present is None or change.prepared is None or kind not in self.visibility.hidden:
            return
        if (kind, change.prepared.id) not in self._patched:
            raise Forbidden(f"Parts of a {kind} are hidden from you, so you cannot write it.")

    def trace(self, written: Sequence[Change], shown: Sequence[Result] = ()) -> list[AuditRow]:
        """One row for the act, whatever it wrote and showed."""
        addresses = [f"{TYPE_NAMES[change.address[0]]}/{change.address[1]}/{change.version}" for change in written]
        patients = [
            side.patient_id
            for change in written
            for side in (change.prepared, change.present)
            if side is not None and side.patient_id is not None
        ]
        seen = _shown(shown)
        patients += [stored.patient_id for stored in seen if stored.patient_id is not None]
        addresses += [_address(stored) for stored in seen]
        single = len(written) == 1 and self._interaction != "transaction"
        return [
            self._auditor.row(
                self._context,
                self._interaction,
                resource_type=TYPE_NAMES[written[0].address[0]] if single else None,
                target=f"{written[0].address[1]}/{written[0].version}" if single else None,
                patients=patients,
                detail=None if single else " ".join(addresses),
            )
        ]

    def row_of(self, results: Sequence[Result]) -> AuditRow:
        """The row of an act that wrote nothing: a conditional create that found its match, GETs only."""
        shown = _shown(results)
        return self._auditor.row(
            self._context,
            self._interaction,
            patients=[stored.patient_id for stored in shown if stored.patient_id is not None],
            detail=" ".join(_address(stored) for stored in shown),
        )

    async def settle(self, conn: Connection, changes: Sequence[Change]) -> None:
        """Notes who owns and who holds what was written, in the transaction that writes it."""
        await self._ownership.settle(conn, changes)
        concerned = [change for change in changes if TYPE_NAMES[change.address[0]] in CLAIMING_TYPES]
        if concerned:
            await settle_claims(conn, concerned)

    async def look(self, conn: Connection, operation: Operation) -> Result:
        """A GET inside a transaction: a read, or a search."""
        if operation.resource_type == "AuditEvent":
            patient_id = trace.visible_patient(self._context.actor, self._policy)
            if operation.id is not None:
                return await trace.get(conn, operation.id, patient_id)
            query = self.query("AuditEvent", operation.query or "")
            return await trace.find(conn, trace.read_query(query, patient_id))
        if operation.id is not None:
            return await read.read(conn, operation.resource_type, operation.id, self.visibility)
        query = self.query(operation.resource_type, operation.query or "")
        return await search.search(conn, query, visibility=self.visibility, keys=self._keys)


def _shown(results: Sequence[Result]) -> list[Stored]:
    """Every version that results show."""
    shown: list[Stored] = []
    for result in results:
        if isinstance(result, Written):
            if result.stored.version:
                shown.append(result.stored)
        elif isinstance(result, Page):
            shown.extend((*result.matches, *result.included))
        else:
            shown.append(result)
    return shown


def _address(stored: Stored) -> str:
    return f"{stored.resource_type}/{stored.id}/{stored.version}"
