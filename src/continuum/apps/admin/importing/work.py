"""The worker processes of an import: each takes chunks from one queue and loads them through one connection."""

import asyncio
import gc
import multiprocessing
import os
import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.context import SpawnContext
from multiprocessing.process import BaseProcess
from typing import Any, Self

import asyncpg

from continuum.access.actor import Actor
from continuum.access.audit import Auditor, Context
from continuum.apps.admin.importing.resources import Reject, prepared
from continuum.apps.admin.importing.sources import Chunk
from continuum.kernel.clock import now_us
from continuum.kernel.errors import DomainError
from continuum.kernel.limits import IMPORT_CHUNKS_WAITING_MAX, KEYS_PENDING_IMPORT_KB, RETRIES_MAX
from continuum.record.bulk import Loader
from continuum.record.entry import Prepared
from continuum.record.keys import Keys
from continuum.record.write import RETRY_STATES


@dataclass(frozen=True, slots=True)
class Target:
    """Where workers load to: arguments of asyncpg.connect, and this database's secrets.

    owner: the same for the role that owns the tables, which alone may renew PostgreSQL's statistics; None leaves
    that to PostgreSQL. context: who loads, for the trace; None is whoever sits at the command line.
    """

    connect: dict[str, Any]
    owner: dict[str, Any] | None
    key_secret: bytes
    audit_secret: bytes
    context: Context | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one chunk; `failure` is set when the worker itself could not go on."""

    chunk: Chunk | None
    written: int = 0
    updated: int = 0
    equal: int = 0
    rejects: tuple[Reject, ...] = ()
    failure: str = ""


class ImportStopped(DomainError):
    """A worker could not go on; the text says why."""

    status = 500
    code = "exception"


class Workers:
    """A few processes that load chunks; used as a context, in which `run` yields what was done."""

    def __init__(self, target: Target, count: int) -> None:
        context: SpawnContext = multiprocessing.get_context("spawn")
        self._chunks: Any = context.Queue(IMPORT_CHUNKS_WAITING_MAX)
        self._done: Any = context.Queue()
        self._processes: list[BaseProcess] = [
            context.Process(target=_main, args=(target, self._chunks, self._done), daemon=True) for _ in range(count)
        ]

    def __enter__(self) -> Self:
        for process in self._processes:
            process.start()
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.kill()
            process.join()
        # Chunks that no worker will take any more must not keep this process from ending.
        self._chunks.cancel_join_thread()

    def run(self, chunks: Iterator[Chunk]) -> Iterator[Done]:
        """Loads all chunks; yields each when it is durable.

        Raises:
            ImportStopped: a worker died; what it had not finished was rolled back.
        """
        outstanding = 0
        more = True
        while more or outstanding:
            while more and outstanding < IMPORT_CHUNKS_WAITING_MAX:
                chunk = next(chunks, None)
                if chunk is None:
                    more = False
                else:
                    self._chunks.put(chunk)
                    outstanding += 1
            if outstanding:
                yield self._next()
                outstanding -= 1

    def _next(self) -> Done:
        while True:
            try:
                done: Done = self._done.get(timeout=1)
            except queue.Empty:
                if not all(process.is_alive() for process in self._processes):
                    text = "A worker of the import died; start the import again, and it goes on where it was."
                    raise ImportStopped(text) from None
            else:
                if done.failure:
                    raise ImportStopped(f"The import stopped: {done.failure}. Start it again, and it goes on.")
                return done


def _end_with_parent() -> None:
    """Ends this process at once when the import's own is gone; what it had under way is rolled back.

    A queue is no sign of that: a worker that waits in the middle of a message, or for room, waits for ever.
    """
    parent = multiprocessing.parent_process()
    assert parent is not None, "a worker is a child of the import"
    parent.join()
    os._exit(1)


def _main(target: Target, chunks: Any, done: Any) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        asyncio.run(_work(target, chunks, done))
    except KeyboardInterrupt:
        return
    except Exception as error:  # noqa: BLE001  the parent must hear of it, whatever it is
        done.put(Done(None, failure=f"{type(error).__name__}: {error}"))
        done.close()
        done.join_thread()


async def _work(target: Target, chunks: Any, done: Any) -> None:
    # A chunk is hundreds of thousands of objects that all live until it is written and then go without cycles:
    # looking through them for cycles meanwhile took a third of the time. It is done between chunks instead.
    gc.disable()
    keys = Keys(target.key_secret)
    conn = await asyncpg.connect(**target.connect)
    await conn.execute(f"SET gin_pending_list_limit = '{KEYS_PENDING_IMPORT_KB}kB'")
    try:
        loader = Loader(conn, now_us)
        auditor = Auditor(target.audit_secret, _no_connection, now_us)
        context = target.context or Context(
            Actor("continuum-import", "system"), "HOPERAT", "command line", f"import-{os.getpid()}"
        )
        while True:
            chunk: Chunk = chunks.get()
            gc.collect(1)
            try:
                done.put(await _load(chunk, loader, auditor, context, keys))
            except Exception as error:  # noqa: BLE001  the parent must hear of it, whatever it is
                done.put(Done(chunk, failure=f"{chunk.path}: {type(error).__name__}: {error}"))
    finally:
        await conn.close()


def _no_connection() -> Any:
    raise AssertionError("an import writes its audit rows in its own transactions")


async def _load(chunk: Chunk, loader: Loader, auditor: Auditor, context: Context, keys: Keys) -> Done:
    ready: list[Prepared] = []
    rejects: list[Reject] = []
    for line, text in chunk.lines:
        for result in prepared(str(chunk.path), line, text, keys):
            if isinstance(result, Reject):
                rejects.append(result)
            else:
                # Its parts go back to the processor's cache at once: kept, they make every later one a sixth dearer.
                result.resource = {}
                ready.append(result)
    audit = auditor.row(
        context,
        "import",
        patients=[one.patient_id for one in ready if one.patient_id is not None],
        detail=" ".join(f"{one.resource_type}/{one.id}" for one in ready),
    )
    for attempt in range(1, RETRIES_MAX + 1):
        try:
            loaded = await loader.load(
                ready, source=chunk.source, number=chunk.number, rejected=len(rejects), audit=audit
            )
            break
        except asyncpg.PostgresError as error:
            # Another worker, or a client of a running server, wrote one of these resources at the same moment.
            if error.sqlstate not in RETRY_STATES or attempt == RETRIES_MAX:
                raise
    return Done(chunk, loaded.written, loaded.updated, loaded.equal, tuple(rejects))
