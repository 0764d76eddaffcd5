"""Breaking the glass, and those who watch over it: privacy officers, and the patients themselves."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote

from continuum.access import emergency, trace
from continuum.access.audit import Context
from continuum.access.disclosures import Disclosure, accounting
from continuum.access.emergency import Emergency
from continuum.access.policy import Policy, owner_key
from continuum.access.telling import Told
from continuum.fhir.grammar import parse as parse_query
from continuum.kernel.errors import Forbidden, NotFound
from continuum.record import search
from continuum.record.read import Connection, missing
from continuum.record.visibility import EVERYTHING
from continuum.record.write import translate, write_audits

if TYPE_CHECKING:
    from continuum.access.door import Access

Traced = Callable[..., Awaitable[Any]]
_BROKEN = "break-the-glass"


class Oversight:
    """What one session may open in an emergency, and see of others'."""

    def __init__(
        self, traced: Traced, failed: Traced, door: "Access", policy: Policy, context: Context,
        take_on: Callable[[], None],
    ) -> None:  # fmt: skip
        self._traced = traced
        self._failed = failed
        self._door = door
        self._policy = policy
        self._context = context
        self._take_on = take_on

    async def break_glass(self, patient_id: str, reason: str, *, identifier: str = "") -> Emergency:
        """Opens the record of one patient to this actor for EMERGENCY_S, for the purpose ETREAT.

        identifier: `system|value` or `value` of the patient, who is then looked for among all.

        Raises:
            Forbidden: role, purpose or level do not allow it. Invalid: the reason says nothing.
            NotFound: there is no such patient, or more than one. TooManyEmergencies: enough are open.
        """
        self._take_on()
        door, context = self._door, self._context
        named = patient_id or None
        try:
            self._admit()
            said = emergency.reason_of(reason)
            async with door.connect() as conn, conn.transaction():
                if identifier:
                    named = await self._named(conn, identifier)
                owner = owner_key(context.actor, door.keys)
                made = await emergency.begin(
                    conn, context.actor, named or "", said, owner=owner, keys=door.keys, now=door.clock()
                )
                row = door.auditor.row(
                    context, _BROKEN, resource_type="Patient", target=named, query=said, patients=[made.patient_id]
                )
                await write_audits(conn, [row])
        except Exception as error:  # traced, whatever it is, and raised again
            refusal = translate(error) or error
            door.noticed(refusal)
            await self._failed(_BROKEN, refusal, "Patient", named, reason or None)
            if refusal is error:
                raise
            raise refusal from error
        return made

    async def emergencies(self, count: int) -> list[Emergency]:
        """The latest, newest first. Raises Forbidden."""

        async def work(conn: Connection) -> list[Emergency]:
            self._watch()
            return await emergency.latest(conn, count)

        found: list[Emergency] = await self._traced("emergencies", work, None)
        return found

    async def newest(self) -> str:
        """Which emergency is the latest, for pages that wait for the next one: an id, "" when there is none.

        It is nothing of anybody, so it leaves no row; whoever is then shown the emergency leaves one. Raises Forbidden.
        """
        self._watch()
        async with self._door.connect() as conn:
            return await emergency.newest(conn)

    async def report(self, patient_id: str, *, cursor: str, count: int) -> tuple[list[Told], str]:
        """Who looked at a patient's record, when and why, newest first; and the cursor of the next page, or "".

        Raises:
            NotFound: it is not the caller's own record, and the caller watches over nobody's.
        """

        async def work(conn: Connection) -> tuple[list[Told], str]:
            if trace.visible_patient(self._context.actor, self._policy) not in (None, patient_id):
                raise missing("Patient", patient_id)
            return await trace.report(conn, patient_id, before=trace.cursor(cursor), count=count)

        found: tuple[list[Told], str] = await self._traced(
            "access-report", work, "Patient", patient_id, about=(patient_id,)
        )
        return found

    async def disclosures(self, patient_id: str) -> tuple[list[Disclosure], bool]:
        """The accounting of disclosures of a patient's record; whether there are more than are told. As `report`."""

        async def work(conn: Connection) -> tuple[list[Disclosure], bool]:
            if trace.visible_patient(self._context.actor, self._policy) not in (None, patient_id):
                raise missing("Patient", patient_id)
            return await accounting(conn, patient_id, self._door.clock())

        found: tuple[list[Disclosure], bool] = await self._traced(
            "disclosures", work, "Patient", patient_id, about=(patient_id,)
        )
        return found

    def _admit(self) -> None:
        if not self._policy.breaks:
            raise Forbidden("Only those who treat break the glass, for emergency treatment (ETREAT).")
        refusal = self._door.refusal
        if refusal is not None:
            raise refusal

    def _watch(self) -> None:
        if not self._policy.watches:
            raise Forbidden("Emergencies are watched over by privacy officers.")

    async def _named(self, conn: Connection, identifier: str) -> str:
        query = parse_query("Patient", parse_qsl(f"identifier={quote(identifier, safe='|')}"), lenient=False)
        page = await search.search(conn, query, visibility=EVERYTHING, keys=self._door.keys)
        if len(page.matches) != 1:
            raise NotFound("That identifier names no patient, or more than one.")
        return page.matches[0].id
