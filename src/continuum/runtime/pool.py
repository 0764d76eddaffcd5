"""A small pool of PostgreSQL connections that keep their prepared statements.

Handing a connection back costs no round trip, so one that may carry something over (an open transaction, a
session setting, a lock, a temporary table) is closed instead of being handed on.
"""

import asyncio
import re
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self

import asyncpg

from continuum.kernel.errors import Busy
from continuum.kernel.limits import (
    CONNECT_RETRY_WAIT_S,
    CONNECT_TIMEOUT_S,
    CONNECTIONS_MAX,
    KEYS_PENDING_KB,
    PREPARED_MAX,
    REQUESTS_WAITING_MAX,
    STATEMENT_TIMEOUT_S,
)
from continuum.runtime.postgres.address import Address

Setup = Callable[[asyncpg.Connection], Awaitable[None]]
"""Runs once on each new connection, for codecs."""

_LEAVES_TRACES = re.compile(
    r"(?:^|;)\s*(?:"
    r"set\s+(?!local\b|constraints\b|transaction\b)|reset\b|discard\b|load\b|prepare\b|(?:un)?listen\b"
    r"|declare\b.*\bwith\s+hold\b|create\s+(?:local\s+|global\s+)?temp)"
    r"|\bset_config\s*\((?!.*\btrue\s*\))|\bpg_(?:try_)?advisory_lock(?:_shared)?\s*\(",
    re.IGNORECASE | re.DOTALL,
)
_OUTDATED = (asyncpg.InvalidCachedStatementError, asyncpg.OutdatedSchemaCacheError)
_STARTING = (
    OSError,
    asyncio.TimeoutError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.ConnectionDoesNotExistError,
    asyncpg.ConnectionFailureError,
)


_LOST = (
    ConnectionError,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    # The driver's words when its backend was killed between two messages: nothing more comes over this connection.
    asyncpg.InternalClientError,
)

OPEN_WALL = -1
"""The wall (schema_access.sql) as `Address.connect` sets it: all sensitivity bits may be seen."""


def leaves_traces(sql: str) -> bool:
    """Whether a statement changes the session beyond its transaction."""
    return _LEAVES_TRACES.search(sql) is not None


def was_lost(error: BaseException) -> bool:
    """Whether the database went away under a piece of work; whether what it committed was kept is then unknown."""
    return isinstance(error, _LOST) or (isinstance(error, asyncpg.InterfaceError) and "closed" in str(error))


class Connection:
    """An asyncpg connection whose statements are prepared once and kept by their text."""

    __slots__ = ("_prepared", "raw", "stained", "wall")

    def __init__(self, raw: asyncpg.Connection) -> None:
        self.raw = raw
        self.wall = OPEN_WALL
        self.stained = False
        self._prepared: dict[str, Any] = {}

    async def fetch(self, sql: str, *args: Any) -> list[Any]:
        """All rows."""
        statement = self._prepared.get(sql) or await self.prepared(sql)
        try:
            rows: list[Any] = await statement.fetch(*args)
        except _OUTDATED:
            rows = await (await self._prepared_again(sql)).fetch(*args)
        return rows

    async def fetchmany(self, sql: str, args: Sequence[Sequence[Any]]) -> list[Any]:
        """All rows of a statement for each of several sets of values, in one round trip."""
        statement = self._prepared.get(sql) or await self.prepared(sql)
        try:
            rows: list[Any] = await statement.fetchmany(args)
        except _OUTDATED:
            rows = await (await self._prepared_again(sql)).fetchmany(args)
        return rows

    async def fetchrow(self, sql: str, *args: Any) -> Any:
        """The first row, or None."""
        statement = self._prepared.get(sql) or await self.prepared(sql)
        try:
            return await statement.fetchrow(*args)
        except _OUTDATED:
            return await (await self._prepared_again(sql)).fetchrow(*args)

    async def fetchval(self, sql: str, *args: Any) -> Any:
        """The first column of the first row, or None."""
        row = await self.fetchrow(sql, *args)
        return None if row is None else row[0]

    async def execute(self, sql: str, *args: Any) -> str:
        """Runs a statement, or a script of several when there are no arguments; returns its command tag."""
        if args:
            await self.fetch(sql, *args)
            return str(self._prepared[sql].get_statusmsg())
        if leaves_traces(sql):
            self.stained = True
        return str(await self.raw.execute(sql))

    async def prepared(self, sql: str) -> Any:
        """The prepared statement of a text; the oldest goes when there are PREPARED_MAX."""
        statement = self._prepared.get(sql)
        if statement is None:
            if leaves_traces(sql):
                self.stained = True
            if len(self._prepared) >= PREPARED_MAX:
                del self._prepared[next(iter(self._prepared))]
            statement = await self.raw.prepare(sql)
            self._prepared[sql] = statement
        return statement

    async def _prepared_again(self, sql: str) -> Any:
        """The statement for a schema that has changed; in a transaction, which has failed, the error stands."""
        self._prepared.clear()
        if self.raw.is_in_transaction():
            raise  # noqa: PLE0704  called where the error is being handled
        await self.raw.reload_schema_state()
        return await self.prepared(sql)

    def transaction(self, **options: Any) -> Any:
        """An asynchronous context in which everything is committed together, or nothing."""
        return self.raw.transaction(**options)

    @property
    def reusable(self) -> bool:
        """Whether the next user finds it as if it were new."""
        raw = self.raw
        return not (self.stained or raw.is_closed() or raw.is_in_transaction())


class _Lent:
    """The context of one use: takes a connection, gives it back."""

    __slots__ = ("_connection", "_pool", "_wall")

    def __init__(self, pool: "Pool", wall: int) -> None:
        self._pool = pool
        self._wall = wall
        self._connection: Connection | None = None

    async def __aenter__(self) -> Connection:
        pool = self._pool
        free = pool.free
        connection: Connection | None = None
        while free and connection is None:
            connection = free.pop()
            if connection.raw.is_closed():
                pool.open_count -= 1
                connection = None
        if connection is None:
            connection = await pool.take()
        if connection.wall != self._wall:
            await self._move(connection)
        self._connection = connection
        return connection

    async def _move(self, connection: Connection) -> None:
        """Puts the wall where this use wants it; a connection of which that is not sure is not used again."""
        try:
            await connection.raw.execute(f"SET continuum.wall = {self._wall:d}")
        except BaseException:
            connection.stained = True
            self._pool.give_back(connection)
            raise
        connection.wall = self._wall

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._connection is not None, "it was entered"
        self._pool.give_back(self._connection)


class Pool:
    """At most `size` connections of one role. Those who wait are served in their order.

    Raises, when a connection is asked for:
        Busy: more than REQUESTS_WAITING_MAX wait already, or the database does not answer in CONNECT_TIMEOUT_S.
    """

    def __init__(
        self,
        address: Address,
        *,
        size: int = CONNECTIONS_MAX,
        application_name: str = "continuum",
        statement_timeout_s: float = STATEMENT_TIMEOUT_S,
        setup: Setup | None = None,
    ) -> None:
        arguments = address.connect
        self._arguments = {
            **arguments,
            "server_settings": {
                **arguments.get("server_settings", {}),
                # The record's statements leave the planner no choice, so planning each anew would be waste.
                "plan_cache_mode": "force_generic_plan",
                "jit": "off",
                "gin_pending_list_limit": f"{KEYS_PENDING_KB}kB",
                "application_name": application_name,
                "statement_timeout": str(int(statement_timeout_s * 1000)),
            },
        }
        self._setup = setup
        self._waiting: deque[asyncio.Future[Connection | None]] = deque()
        self._closed = False
        self.size = size
        self.free: list[Connection] = []
        self.open_count = 0

    @classmethod
    @asynccontextmanager
    async def open(cls, address: Address | str, **options: Any) -> AsyncIterator[Self]:
        """A pool with one connection made, closed at the end; `address` may be a URL."""
        pool = cls(Address.from_url(address) if isinstance(address, str) else address, **options)
        async with pool.connection():
            pass
        try:
            yield pool
        finally:
            await pool.close()

    def connection(self, wall: int = OPEN_WALL) -> _Lent:
        """A connection for one piece of work: `async with pool.connection() as conn`.

        wall: the sensitivity bits whose rows it sees at all; others are not there for it, whatever it asks.
        """
        return _Lent(self, wall)

    @property
    def waiting(self) -> int:
        """How many wait for a connection."""
        return len(self._waiting)

    @property
    def used(self) -> int:
        """How many connections are lent."""
        return self.open_count - len(self.free)

    async def take(self) -> Connection:
        """A connection when none is free: a new one, or the next one given back."""
        if self._closed:
            raise Busy("The server is stopping.")
        if self.open_count < self.size:
            return await self._make()
        if len(self._waiting) >= REQUESTS_WAITING_MAX:
            raise Busy("Too many requests wait for the database; please try again.")
        turn: asyncio.Future[Connection | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            connection = await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and (given := turn.result()) is not None:
                self.give_back(given)
            elif turn.done() and not turn.cancelled():
                self._pass_on_room()
            raise
        return await self._make() if connection is None else connection

    def give_back(self, connection: Connection) -> None:
        """Hands a connection to the next who waits, or keeps it; closes it if it may carry something over."""
        raw = connection.raw
        if connection.stained or raw.is_closed() or raw.is_in_transaction() or self._closed:
            self._drop(connection)
            return
        waiting = self._waiting
        while waiting:
            turn = waiting.popleft()
            if not turn.done():
                turn.set_result(connection)
                return
        self.free.append(connection)

    def _drop(self, connection: Connection) -> None:
        self.open_count -= 1
        connection.raw.terminate()
        self._pass_on_room()

    def _pass_on_room(self) -> None:
        """Tells the next who waits that there is room for a new connection."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return

    async def _make(self) -> Connection:
        """A new connection; tried again while the database starts, until CONNECT_TIMEOUT_S is over."""
        self.open_count += 1
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                while True:
                    try:
                        raw = await asyncpg.connect(**self._arguments)
                        break
                    except _STARTING:
                        await asyncio.sleep(CONNECT_RETRY_WAIT_S)
            if self._setup is not None:
                await self._setup(raw)
        except BaseException as error:
            self.open_count -= 1
            self._pass_on_room()
            if isinstance(error, TimeoutError):
                raise Busy("The database does not answer at present; please try again.") from error
            raise
        return Connection(raw)

    async def close(self) -> None:
        """Closes what is free at once; what is lent is closed when it is given back."""
        self._closed = True
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_exception(Busy("The server is stopping."))
        free, self.free = self.free, []
        for connection in free:
            self.open_count -= 1
            try:
                await connection.raw.close(timeout=CONNECT_TIMEOUT_S)
            except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                connection.raw.terminate()
