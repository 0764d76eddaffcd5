"""The trace: one row per act, sealed under a key that the database does not hold.

A write's row is in the write's own transaction. Rows of reads, searches and refusals that happen at the same
moment share one commit, and no answer leaves before its row is durable.
"""

import asyncio
import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from continuum.access.actor import Actor
from continuum.access.outage import Outage
from continuum.fhir.types import TYPE_IDS
from continuum.kernel.errors import Busy, ReadOnly, StorageFull
from continuum.kernel.limits import AUDIT_BATCH_MAX, AUDIT_DETAIL_CHARS, AUDIT_WAITING_MAX
from continuum.record.read import Connect
from continuum.record.write import AuditRow, translate, write_audits

SUCCESS, REFUSED, FAILED = 0, 4, 8
"""AuditEvent.outcome: success, minor failure (refused), serious failure."""


_OUTCOME = 7
"""Where a row has its outcome."""
_Waiting = tuple[AuditRow, "asyncio.Future[None]"]
_BETWEEN = "\x1f"
"""Stands between the fields under a seal, and therefore in none of them."""


@dataclass(frozen=True, slots=True)
class Context:
    """What every row of one request shares."""

    actor: Actor
    purpose: str
    source: str
    request_id: str


_made: ContextVar[list[int] | None] = ContextVar("made", default=None)


@contextmanager
def noted() -> Iterator[list[int]]:
    """The outcomes of the rows that are made while the context is open: they tell a refusal that nobody traced."""
    made: list[int] = []
    token = _made.set(made)
    try:
        yield made
    finally:
        _made.reset(token)


def _clean(text: str | None) -> str | None:
    """Text that PostgreSQL can hold and a seal can tell apart: no NUL, no lone surrogates, bounded."""
    if text is None:
        return None
    if "\x00" in text or _BETWEEN in text or not text.isascii():
        text = text.replace("\x00", "\ufffd").replace(_BETWEEN, "\ufffd").encode("utf-8", "replace").decode()
    return text[:AUDIT_DETAIL_CHARS]


def seal(secret: bytes, fields: Sequence[object], more_patients: Sequence[str]) -> bytes:
    """The keyed digest over a row's fields, at to detail, and its further patients in any order (16 bytes)."""
    text = _BETWEEN.join("\x00" if field is None else str(field) for field in (*fields, *sorted(more_patients)))
    return hashlib.blake2b(text.encode(), key=secret, digest_size=16).digest()


class Auditor:
    """Makes audit rows and writes those that no other transaction carries."""

    def __init__(
        self,
        secret: bytes,
        connection: Connect,
        clock: Callable[[], int],
    ) -> None:
        self.outage: Outage | None = None
        """Where rows go while the database takes none; without it, acts that leave no trace are not answered."""
        self._secret = secret
        self._connection = connection
        self._clock = clock
        self._waiting: list[_Waiting] = []
        self._flusher: asyncio.Task[None] | None = None

    def row(
        self,
        context: Context,
        interaction: str,
        *,
        outcome: int = SUCCESS,
        resource_type: str | None = None,
        target: str | None = None,
        query: str | None = None,
        patients: Iterable[str] = (),
        detail: str | None = None,
    ) -> AuditRow:
        """The fields of record.audit_entry, sealed."""
        distinct = list(dict.fromkeys(patients))
        if (made := _made.get()) is not None:
            made.append(outcome)
        actor = context.actor
        fields = (
            self._clock(), _clean(context.request_id), _clean(actor.id), actor.role, context.purpose,
            _clean(context.source), interaction, outcome, TYPE_IDS.get(resource_type or ""), _clean(target),
            _clean(query), distinct[0] if distinct else None, _clean(detail),
        )  # fmt: skip
        return (*fields, seal(self._secret, fields, distinct[1:]), distinct[1:])

    async def write(self, row: AuditRow) -> None:
        """Returns when the row is durable.

        Raises:
            Busy: more rows wait than AUDIT_WAITING_MAX.
            StorageFull, ReadOnly, SpillFull: the row can be kept nowhere; the act must not be answered.
        """
        if len(self._waiting) >= AUDIT_WAITING_MAX:
            raise Busy("Too many requests wait for their trace to be written; please try again.")
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((row, done))
        if self._flusher is None:
            self._flusher = asyncio.create_task(self._flush())
        await done

    async def _flush(self) -> None:
        """Writes what waits, batch after batch, until nothing waits."""
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:AUDIT_BATCH_MAX], self._waiting[AUDIT_BATCH_MAX:]
                await self._settle(batch)
        finally:
            # In the same step in which nothing waits any more: a row that comes next must find no flusher.
            self._flusher = None

    async def _settle(self, batch: list[_Waiting]) -> None:
        if self.outage is not None and self.outage.closed:
            await self._spill(batch, self.outage)
            return
        try:
            await self._commit(batch)
        except Exception as error:  # noqa: BLE001  one row that cannot be written must not fail the others
            refusal = translate(error)
            if self.outage is not None and isinstance(refusal, StorageFull | ReadOnly):
                self.outage.close(refusal)
                await self._spill(batch, self.outage)
            elif len(batch) > 1:
                for waiting in batch:
                    await self._settle([waiting])
            elif not batch[0][1].done():
                batch[0][1].set_exception(refusal or error)

    async def _spill(self, batch: list[_Waiting], outage: Outage) -> None:
        """Reads first: traces of what was refused may not take the room that reads need to go on."""
        done = [waiting for waiting in batch if waiting[0][_OUTCOME] == SUCCESS]
        others = [waiting for waiting in batch if waiting[0][_OUTCOME] != SUCCESS]
        for part, for_reads in ((done, True), (others, False)):
            if not part:
                continue
            try:
                await outage.keep([row for row, _ in part], for_reads=for_reads)
            except Exception as error:  # noqa: BLE001  whoever waits must hear of it
                for _, waiting in part:
                    if not waiting.done():
                        waiting.set_exception(error)
            else:
                _tell(part)

    async def _commit(self, batch: list[_Waiting]) -> None:
        async with self._connection() as conn:
            rows = [row for row, _ in batch]
            await write_audits(conn, rows)
        _tell(batch)


def _tell(batch: list[_Waiting]) -> None:
    for _, waiting in batch:
        if not waiting.done():
            waiting.set_result(None)
