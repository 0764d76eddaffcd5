"""The bare column: the same record and the same answers, without tokens, policy and trace.

Only here, never by a switch in the product: whoever wants to read a record without leaving a trace has to
write a program, and that program is this one.
"""

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qsl

import uvloop

from continuum.access import Session
from continuum.apps.fhir_api import orders, serving
from continuum.apps.fhir_api.app import Application
from continuum.apps.fhir_api.services import Services
from continuum.fhir.grammar import parse
from continuum.fhir.query import Query
from continuum.kernel.clock import now_us
from continuum.record import read, search
from continuum.record.keys import Keys
from continuum.record.model import Operation, Page, Stored, Written
from continuum.record.perform import Performer, Result
from continuum.record.read import Connect, Connection
from continuum.record.visibility import EVERYTHING
from continuum.record.write import FREE, AuditRow, Change, Guard
from continuum.runtime import postgres, secrets
from continuum.runtime.pool import Pool
from continuum.runtime.settings import Settings


class Warrant:
    """Permits everything, traces nothing."""

    visibility = EVERYTHING
    settled_types: frozenset[str] = frozenset()

    async def settle(self, conn: Connection, changes: Sequence[Change]) -> None:
        """Nothing belongs to what it writes."""

    def permit(self, _: Sequence[Change]) -> Guard:
        """Everything."""
        return FREE

    def trace(self, _: Sequence[Change], __: Sequence[Result] = ()) -> list[AuditRow]:
        """Nothing."""
        return []

    def query(self, resource_type: str, text: str) -> Query:
        """The criteria of a conditional interaction."""
        return parse(resource_type, parse_qsl(text), lenient=False)

    async def look(self, conn: Connection, operation: Operation) -> Result:
        """A read inside a transaction."""
        return await read.read(conn, operation.resource_type, operation.id or "", EVERYTHING)


class BareSession:
    """The methods of a session that the rows use."""

    def __init__(self, connect: Connect, keys: Keys, performer: Performer) -> None:
        self._connect = connect
        self._keys = keys
        self._performer = performer
        self.acts = 0

    async def read(self, resource_type: str, resource_id: str) -> Stored:
        """The present version."""
        async with self._connect() as conn:
            return await read.read(conn, resource_type, resource_id, EVERYTHING)

    async def search(self, query: Query) -> Page:
        """One page."""
        async with self._connect() as conn:
            return await search.search(conn, query, visibility=EVERYTHING, keys=self._keys)

    async def everything(self, patient_id: str, **options: Any) -> Page:
        """A patient's record."""
        async with self._connect() as conn:
            return await search.everything(conn, patient_id, visibility=EVERYTHING, keys=self._keys, **options)

    async def create(self, resource: dict[str, Any], *, if_none_exist: str | None = None) -> Written:
        """A new resource."""
        operation = Operation("POST", resource["resourceType"], resource=resource, if_none_exist=if_none_exist)
        return cast("Written", (await self._performer.perform((operation,), Warrant()))[0])

    async def transaction(self, operations: Sequence[Operation], patches: Sequence[Any] = ()) -> list[Result]:
        """All or nothing."""
        return await self._performer.perform(operations, Warrant(), patches)


class Bare(Application):
    """The product's application with a session that asks nobody."""

    session: BareSession

    async def _session(self, *_: Any) -> Session:
        return cast("Session", self.session)


async def main(data: Path, port: int) -> None:
    """Serves until SIGTERM."""
    settings = Settings.load(data=str(data))
    known = secrets.load(settings.data)
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    async with postgres.open(settings) as server:
        worker = orders.Worker(
            server.app.dsn, known.record, known.audit, known.token, known.identity, connections=settings.connections
        )  # fmt: skip

        @contextlib.asynccontextmanager
        async def opening() -> AsyncIterator[Services]:
            async with serving._services(worker) as services:  # noqa: SLF001  the product offers no way without a trace
                pool = await stack.enter_async_context(Pool.open(worker.database, size=worker.connections))
                keys = Keys(known.record)
                application.session = BareSession(pool.connection, keys, Performer(pool.connection, keys, now_us))
                yield services

        application = Bare(opening)
        async with contextlib.AsyncExitStack() as stack:
            with orders.listen("127.0.0.1", port) as listening:
                running = serving._Server(listening, application)  # noqa: SLF001  same server as the product's
                task = asyncio.create_task(running.serve())
                serving.settle()
                print(f"Serving http://127.0.0.1:{listening.getsockname()[1]}/", flush=True)
                await stopping.wait()
                running.stop()  # type: ignore[no-untyped-call]
                await task


if __name__ == "__main__":
    uvloop.run(main(Path(sys.argv[1]), int(sys.argv[2])))
