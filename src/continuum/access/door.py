"""`Access.open` returns the only object that reads or writes the record."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path

import structlog

from continuum.access.actor import Actor
from continuum.access.audit import FAILED, REFUSED, SUCCESS, Auditor, Context
from continuum.access.emergency import Emergency, open_one
from continuum.access.limits import STRANGERS_TRACED_MAX
from continuum.access.outage import Outage, closing
from continuum.access.ownership import Judge
from continuum.access.policy import Policy, decide, owner_key
from continuum.access.session import Session
from continuum.kernel.clock import now_us
from continuum.kernel.errors import DomainError, ReadOnly, StorageFull
from continuum.kernel.limits import POLICIES_CACHED_MAX
from continuum.record.keys import Keys
from continuum.record.model import Operation
from continuum.record.perform import Performer
from continuum.record.read import Connect, Connection
from continuum.record.visibility import Visibility
from continuum.record.write import AuditRow

log = structlog.get_logger("continuum.access")
READ_ONLY_TEXT = "This server is read-only at present; reads and searches go on, writes must wait."


class Access:
    """One per worker: the door to one database.

    connect: gives a connection for one piece of work. key_secret: the secret of `record.keys.Keys`.
    audit_secret: the key that seals audit rows. base_url: where FHIR is served, so that absolute references
    to ourselves are understood. spill_folder: where audit rows go while the database takes none; without one,
    nothing is answered then. disk: a path on the disk of the embedded PostgreSQL.
    judge_subscription: raises Invalid for a Subscription that cannot be served.
    read_only: nobody writes, as the operator wants it; the trace of reads is kept as ever.
    """

    def __init__(
        self,
        connect: Connect,
        *,
        key_secret: bytes,
        audit_secret: bytes,
        base_url: str = "",
        spill_folder: Path | None = None,
        disk: Path | None = None,
        clock: Callable[[], int] = now_us,
        judge_subscription: Judge | None = None,
        read_only: bool = False,
    ) -> None:
        self.connect = connect
        self.keys = Keys(key_secret)
        self.base_url = base_url
        self.clock = clock
        self.performer = Performer(connect, self.keys, clock)
        self.auditor = Auditor(audit_secret, connect, clock)
        self.outage: Outage | None = None
        if spill_folder is not None:
            self.outage = Outage(connect, self._resumed, folder=spill_folder, key=audit_secret, disk=disk)
            self.auditor.outage = self.outage
        self.judge_subscription = judge_subscription
        self._read_only = read_only
        self.on_written: Callable[[], None] | None = None
        """Told after each commit of this process; what others commit is found by polling."""
        self._strangers = (0, 0)
        """The present minute, and how many have asked in it without a name."""
        self._policies: dict[tuple[Actor, str], Policy] = {}

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Watches over outages while the context is open: closes writes, traces reads in the spill, opens again."""
        async with self.outage.watched() if self.outage is not None else nullcontext():
            yield

    @property
    def refusal(self) -> DomainError | None:
        """Why writes are refused at present; None while they are taken."""
        if self._read_only:
            return ReadOnly(READ_ONLY_TEXT)
        return None if self.outage is None else self.outage.refusal

    def admit(self, operations: Sequence[Operation]) -> None:
        """Refuses writes while they are closed. Raises StorageFull, ReadOnly."""
        refusal = self.refusal
        if refusal is not None and any(operation.method != "GET" for operation in operations):
            raise refusal

    def noticed(self, error: Exception) -> None:
        """Closes writes if an error says that the database takes none."""
        if self.outage is not None and isinstance(error, StorageFull | ReadOnly):
            self.outage.close(error)

    async def remember(self, work: Callable[[Connection], Awaitable[None]]) -> None:
        """Notes what nobody misses while no writes are taken, such as what was opened last; it is left then."""
        if self.refusal is not None:
            return
        try:
            async with self.connect() as conn, conn.transaction():
                await work(conn)
        except Exception as error:
            refusal = closing(error)
            if refusal is None:
                raise
            self.noticed(refusal)

    def _resumed(self, took_s: float) -> AuditRow:
        context = Context(Actor("continuum", "system"), "HOPERAT", "server", "outage")
        return self.auditor.row(context, "resume", detail=f"writes were closed for {took_s:.0f} s")

    def open(
        self, actor: Actor, purpose: str, *, source: str, request_id: str, server: bool = False, workflow: bool = False,
        sweeping: bool = False,
    ) -> Session:  # fmt: skip
        """A session for one request.

        source: where the request came from (an address). request_id: joins the audit rows to the logs.
        server: the server acts by itself and may say what becomes of a Subscription. workflow: one of the product's
        own workflows acts, which keeps the rules of what it writes; never set for a request to the API. sweeping: the
        server looks again and again whether its own rules hold. What it finds is shown to nobody, so its searches leave
        their row, but do not stand in the trace of everybody whom they came across; what it then changes does.

        Raises:
            Forbidden: the role and the purpose do not open the record.
        """
        found = self._policy(actor, purpose)
        return Session(
            self,
            found,
            Context(actor, purpose, source, request_id),
            server=server,
            workflow=workflow,
            sweeping=sweeping,
        )

    def visibility(self, actor: Actor, purpose: str) -> Visibility:
        """What an actor may see.

        Raises:
            Forbidden: the role and the purpose do not open the record.
        """
        return self._policy(actor, purpose).visibility

    def _policy(self, actor: Actor, purpose: str) -> Policy:
        found = self._policies.get((actor, purpose))
        if found is None:
            found = decide(actor, purpose, self.keys)
            if len(self._policies) >= POLICIES_CACHED_MAX:
                self._policies.clear()
            self._policies[(actor, purpose)] = found
        return found

    async def emergency(self, actor: Actor, patient_id: str) -> Emergency | None:
        """The glass that an actor has broken for a patient and that is open still: why they are there, no more."""
        async with self.connect() as conn:
            return await open_one(conn, patient_id, owner=owner_key(actor, self.keys), now=self.clock())

    async def turned_away(
        self, actor: Actor, purpose: str, error: Exception, *, source: str, request_id: str, interaction: str = "open",
        target: str | None = None, patients: Sequence[str] = (),
    ) -> None:  # fmt: skip
        """Leaves the trace of an actor who was refused before anything was done in their name, or whom a fault stopped.

        target: what they asked for. What a fault says may quote data: only its kind is written down.
        """
        context = Context(actor, purpose, source, request_id)
        known = isinstance(error, DomainError)
        row = self.auditor.row(
            context, interaction, outcome=REFUSED if known else FAILED, target=target, patients=patients,
            detail=str(error) if known else type(error).__name__,
        )  # fmt: skip
        await self.auditor.write(row)

    async def stranger(self, error: DomainError, *, source: str, request_id: str, target: str) -> None:
        """Leaves the trace of somebody who did not say who they are. As many as a disk can bear; the rest is counted.

        Whoever asks without a name costs nothing but a connection, so their rows must not fill the trail.
        """
        minute = self.clock() // 60_000_000
        if minute != self._strangers[0]:
            self._strangers = (minute, 0)
        self._strangers = (minute, self._strangers[1] + 1)
        if self._strangers[1] <= STRANGERS_TRACED_MAX:
            actor = Actor("unknown", "account", identity_level=0, authenticator_level=0)
            await self.turned_away(actor, "", error, source=source, request_id=request_id, target=target)
        elif self._strangers[1] == STRANGERS_TRACED_MAX + 1:
            log.warning("strangers.untraced", traced=STRANGERS_TRACED_MAX)

    async def signed_on(
        self, actor: Actor, purpose: str, *, source: str, request_id: str, refused: str = "", query: str = ""
    ) -> None:
        """Leaves the trace of somebody who signed on, or was refused and why. query: what they were given."""
        context = Context(actor, purpose, source, request_id)
        outcome = REFUSED if refused else SUCCESS
        row = self.auditor.row(context, "login", outcome=outcome, query=query or None, detail=refused or None)
        await self.auditor.write(row)
