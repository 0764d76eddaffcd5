"""An audit trail on a real database, with somebody who may do anything in the database."""

import asyncio
import time

from continuum.access.actor import Actor
from continuum.access.audit import Auditor, Context
from continuum.access.checkpoint import Head, Signer
from continuum.access.sealing import Sealer
from continuum.access.verification import Verification
from continuum.kernel.clock import now_us

CONTEXT = Context(Actor("tester", "administrator"), "HSYSADMIN", "test", "r-1")
SECRET = bytes(range(32))
SIGNER = Signer(bytes(range(1, 33)))


class Waiting(Sealer):
    """A sealer that does not leave rows for its next turn: other tests write in the same server."""

    async def seal(self):
        until_s = time.monotonic() + 60
        while True:
            rows = await super().seal()
            if rows or self._horizon is None or time.monotonic() > until_s:
                return rows
            await asyncio.sleep(0.005)


class Trail:
    """A database with an audit trail, its sealer, and somebody who may do anything in the database."""

    def __init__(self, pool, owner, folder, signer=SIGNER):
        self.pool, self.owner = pool, owner
        self.auditor = Auditor(SECRET, pool.connection, now_us)
        self.head = Head(folder, signer.checker)
        self.signer = signer

    def sealer(self, kind=Waiting):
        return kind(self.pool.connection, self.signer, self.head, now_us)

    async def act(self, *targets, patients=()):
        for target in targets:
            await self.auditor.write(self.auditor.row(CONTEXT, "read", target=target, patients=patients))

    async def problems(self, newest=None):
        report = await self.report(newest)
        return report.problems

    async def report(self, newest=None):
        checker = self.signer.checker
        return await Verification(self.owner, SECRET, checker, self.head).run(newest=newest)

    async def checkpoints(self):
        return await self.owner.fetch("SELECT * FROM record.audit_checkpoint ORDER BY number")
