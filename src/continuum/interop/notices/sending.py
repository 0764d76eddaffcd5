"""Sends what is due, again and again until it is taken or given up. Every worker does; each mail goes out once."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Any

import structlog

from continuum.identity import notices
from continuum.identity.limits import NOTICE_BATCH, NOTICE_SEND_TIMEOUT_S
from continuum.identity.notices import Notice
from continuum.interop.notices.texts import TEXTS, letter
from continuum.kernel.errors import DomainError
from continuum.runtime.mail import Mailer, MailRefused

log = structlog.get_logger("continuum.notices")
Connect = Callable[[], AbstractAsyncContextManager[Any]]
Still = Callable[[Notice], Awaitable[bool]]
"""Whether what a notice speaks of is still so."""


class Sender:
    """One per worker. address: of the pages, for people to sign in. still: asked before each mail."""

    def __init__(
        self, connect: Connect, mailer: Mailer, clock: Callable[[], int], *, address: str, still: Still
    ) -> None:
        self._connect, self._mailer, self._clock = connect, mailer, clock
        self._address, self._still = address, still

    @contextlib.asynccontextmanager
    async def running(self, every_s: float) -> AsyncIterator[None]:
        """Sends while the context is open; nothing where there is no mail server."""
        if not self._mailer.sends:
            yield
            return
        task = asyncio.create_task(self._run(every_s))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _run(self, every_s: float) -> None:
        while True:
            try:
                while await self.turn() == NOTICE_BATCH:
                    pass
            except (DomainError, OSError) as error:
                log.warning("notices.later", error=type(error).__name__)
            await asyncio.sleep(every_s)

    async def turn(self) -> int:
        """Sends what is due, NOTICE_BATCH at most; how many were taken up."""
        async with self._connect() as conn:
            due = await notices.take(conn, self._clock(), NOTICE_BATCH)
            await notices.swept(conn, self._clock())
        for one in due:
            await self._send(one)
        return len(due)

    async def _send(self, notice: Notice) -> None:
        if notice.kind in TEXTS and await self._still(notice):
            today = datetime.fromtimestamp(self._clock() / 1_000_000, UTC).date()
            async with self._connect() as conn:
                told = await notices.addresses(conn, notice.patient_id, today)
            subject, text = letter(notice.kind, words=notice.words, address=self._address)
            try:
                for address in told:
                    message = self._mailer.message(address, subject, text)
                    await self._mailer.send(message, timeout_s=NOTICE_SEND_TIMEOUT_S)
            except MailRefused as refusal:
                async with self._connect() as conn:
                    gave_up = await notices.failed(conn, notice, self._clock())
                log.warning("notices.refused", kind=notice.kind, error=str(refusal), given_up=gave_up)
                return
        async with self._connect() as conn:
            await notices.done(conn, notice, self._clock())
