"""Creates that happen at the same moment share one statement and one commit.

A durable commit costs more than the rows it carries. While one statement is under way the next creates
gather; they then go together. Whoever was just answered probably writes again, so a batch that is free to go waits
a moment until half of those who write at present are in it: the other half is read and checked meanwhile, and
neither the processor nor the database is idle. Who writes alone never waits. If anything in such a batch is refused,
each of its acts is written by itself, so nobody is refused for another's mistake, and no act is ever half done.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from continuum.kernel.clock import Clock
from continuum.kernel.errors import Busy
from continuum.record.limits import TOGETHER_GATHER_S, TOGETHER_MAX, TOGETHER_WAITING_MAX
from continuum.record.read import Connect
from continuum.record.write import AuditRow, Change, Guard, RowIds, write


@dataclass(slots=True)
class _Act:
    changes: Sequence[Change]
    audits: Sequence[AuditRow]
    guard: Guard
    done: asyncio.Future[None]


class Together:
    """Gathers the creates of one process."""

    def __init__(self, connect: Connect, row_ids: RowIds, clock: Clock) -> None:
        self._connect = connect
        self._row_ids = row_ids
        self._clock = clock
        self._waiting: list[_Act] = []
        self._flusher: asyncio.Task[None] | None = None
        self._wanted = 1
        """Acts that a batch waits for, TOGETHER_GATHER_S at most."""
        self._enough: asyncio.Future[None] | None = None
        """Done when so many wait."""

    async def write(self, changes: Sequence[Change], *, audits: Sequence[AuditRow], guard: Guard) -> None:
        """Returns when the act is durable; raises what `record.write.write` raises for it.

        Raises:
            Busy: more acts wait than TOGETHER_WAITING_MAX.
        """
        if len(self._waiting) >= TOGETHER_WAITING_MAX:
            raise Busy("Too many writes wait; please try again.")
        act = _Act(changes, audits, guard, asyncio.get_running_loop().create_future())
        if len(changes) > TOGETHER_MAX:
            await self._write([act])
            return
        self._waiting.append(act)
        if self._flusher is None:
            self._flusher = asyncio.create_task(self._flush())
        elif self._enough is not None and len(self._waiting) >= self._wanted:
            _ring(self._enough)
        await act.done

    async def _flush(self) -> None:
        """Writes what waits, batch after batch, until nothing waits."""
        try:
            while self._waiting:
                if len(self._waiting) < self._wanted:
                    await self._gather()
                batch, self._waiting = _first(self._waiting)
                await self._settle(batch)
                self._wanted = min((len(batch) + len(self._waiting)) // 2, TOGETHER_MAX)
        finally:
            self._flusher = None

    async def _gather(self) -> None:
        """Waits until enough wait, a moment at most."""
        loop = asyncio.get_running_loop()
        self._enough = loop.create_future()
        timer = loop.call_later(TOGETHER_GATHER_S, _ring, self._enough)
        try:
            await self._enough
        finally:
            timer.cancel()
            self._enough = None

    async def _settle(self, batch: list[_Act]) -> None:
        try:
            await self._write(batch)
        except Exception as error:  # noqa: BLE001  each act hears of its own failure only
            if len(batch) == 1:
                _fail(batch[0], error)
                return
            for act in batch:
                await self._settle([act])
        else:
            for act in batch:
                if not act.done.done():
                    act.done.set_result(None)

    async def _write(self, batch: list[_Act]) -> None:
        guard = Guard(
            any_of=tuple((number, *row[1:]) for number, act in enumerate(batch) for row in act.guard.any_of),
            care=tuple(pair for act in batch for pair in act.guard.care),
        )
        async with self._connect() as conn:
            # Stamped only now: between a write's time and its transaction there may be no queue, or an export that
            # waits for older transactions would miss it.
            now_us = self._clock()
            for act in batch:
                for change in act.changes:
                    change.now_us = now_us
            await write(
                conn,
                [change for act in batch for change in act.changes],
                row_ids=self._row_ids,
                audits=[audit for act in batch for audit in act.audits],
                guard=guard,
            )


def _first(waiting: list[_Act]) -> tuple[list[_Act], list[_Act]]:
    """The acts at the head whose changes fit into one batch, and the rest."""
    total = 0
    for number, act in enumerate(waiting):
        total += len(act.changes)
        if total > TOGETHER_MAX and number:
            return waiting[:number], waiting[number:]
    return waiting, []


def _ring(bell: asyncio.Future[None]) -> None:
    if not bell.done():
        bell.set_result(None)


def _fail(act: _Act, error: Exception) -> None:
    if not act.done.done():
        act.done.set_exception(error)
