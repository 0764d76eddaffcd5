"""A PostgreSQL that somebody else runs: checked before it is used, in plain words."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import asyncpg

from continuum.kernel.errors import DomainError
from continuum.kernel.limits import CONNECT_TIMEOUT_S, RETRIES_MAX
from continuum.runtime.backup import archive, receive
from continuum.runtime.postgres.address import Address
from continuum.runtime.postgres.roles import APP
from continuum.runtime.postgres.server import Server
from continuum.runtime.settings import Settings

MAJOR_MIN = 15
_FACTS = """
SELECT current_setting('server_version_num')::int / 10000 AS major, current_setting('server_version') AS version,
       current_user::text AS me, current_database()::text AS database,
       pg_encoding_to_char(encoding) AS encoding, pg_is_in_recovery() AS standby,
       has_database_privilege(datname, 'CREATE') AS may_create,
       current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS synchronous_commit,
       to_regrole($1) IS NOT NULL AS app_exists,
       to_regrole($1) IS NOT NULL AND pg_has_role(current_user, to_regrole($1), 'MEMBER') AS app_usable
FROM pg_database WHERE datname = current_database()
"""


class Unsuitable(DomainError):
    """The given PostgreSQL cannot be reached or lacks something; the text says what to do."""

    status = 503
    code = "exception"


@asynccontextmanager
async def open_given(settings: Settings) -> AsyncIterator[Server]:
    """Checks the server of CONTINUUM_DATABASE_URL and makes the application's role if it is missing.

    Raises:
        Unsuitable: not to be reached, older than 15, not UTF-8, a standby, unsafe, or without a privilege.
    """
    address = Address.from_url(settings.database_url)
    connection = await connect(address)
    try:
        major, described = await _check(connection)
    finally:
        await connection.close()
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    spool = settings.data / receive.SPOOL
    tasks = [
        asyncio.create_task(receive.follow(settings, address)),
        asyncio.create_task(archive.keep_draining(settings, spool)),
    ]
    try:
        yield Server(
            owner=address,
            app=replace(address, act_as=APP),
            superuser=None,
            embedded=False,
            major=major,
            described=described,
            spool=spool,
        )
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def connect(address: Address) -> asyncpg.Connection:
    """One connection, or the reason why there is none.

    Raises:
        Unsuitable: the reason, without the password.
    """
    try:
        return await asyncpg.connect(**address.connect, timeout=CONNECT_TIMEOUT_S)
    except asyncpg.InvalidCatalogNameError:
        reason = f"there is no database called {address.database}; make it with: CREATE DATABASE {address.database}"
    except (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError):
        reason = f"it refuses the user {address.user}; check the name and the password"
    except asyncpg.PostgresError as error:
        reason = f"it says: {error.args[0] if error.args else type(error).__name__}"
    except ssl.SSLError as error:
        reason = f"the encrypted connection failed ({error.reason}); check sslmode in the URL"
    except (TimeoutError, OSError, asyncpg.InterfaceError) as error:
        reason = f"nothing answers there ({type(error).__name__}); check host and port and that PostgreSQL runs"
    raise Unsuitable(f"The PostgreSQL of CONTINUUM_DATABASE_URL cannot be used: {reason}. (Tried {address.shown()}.)")


async def _check(connection: asyncpg.Connection) -> tuple[int, str]:
    facts = await connection.fetchrow(_FACTS, APP)
    reasons = []
    if facts["major"] < MAJOR_MIN:
        reasons.append(f"it is PostgreSQL {facts['version']}; {MAJOR_MIN} or newer is needed")
    if facts["encoding"] != "UTF8":
        reasons.append(
            f"the database's encoding is {facts['encoding']}; make one with:"
            " CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0"
        )
    if facts["standby"]:
        reasons.append("it is a standby, which takes no writes; give the primary's address")
    if facts["fsync"] != "on" or facts["synchronous_commit"] == "off":
        reasons.append("fsync or synchronous_commit is off, so it would lose records in a power cut; turn both on")
    if not facts["may_create"]:
        reasons.append(
            f"{facts['me']} may not make schemas; allow it with:"
            f" GRANT CREATE ON DATABASE {facts['database']} TO {facts['me']}"
        )
    if not facts["app_usable"] and not reasons:
        reasons += await make_app_role(connection, facts["me"], exists=facts["app_exists"])
    if reasons:
        raise Unsuitable("The PostgreSQL of CONTINUUM_DATABASE_URL cannot be used: " + "; ".join(reasons) + ".")
    return facts[
        "major"
    ], f"PostgreSQL {facts['version']}, database {facts['database']}, given by CONTINUUM_DATABASE_URL"


async def make_app_role(connection: asyncpg.Connection, me: str, *, exists: bool) -> list[str]:
    """Makes the role without a login; our connections log in as themselves and then act as it."""
    quoted = '"' + me.replace('"', '""') + '"'
    for attempt in range(RETRIES_MAX):
        try:
            if not exists:
                await connection.execute(f"CREATE ROLE {APP} NOLOGIN")
                exists = True
            await connection.execute(f"GRANT {APP} TO {quoted}")
        except (asyncpg.DuplicateObjectError, asyncpg.UniqueViolationError, asyncpg.InternalServerError):
            # Roles belong to the whole server, where no lock of ours reaches: others made it, or are just now
            # granting it ("tuple concurrently updated"). Once they have committed, ours finds it done.
            exists = bool(await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", APP))
            if attempt == RETRIES_MAX - 1:
                raise
        except asyncpg.InsufficientPrivilegeError:
            mending = f"CREATE ROLE {APP} NOLOGIN; GRANT {APP} TO {quoted}"
            return [f"{me} may not make roles; ask an administrator to run: {mending}"]
        else:
            break
    return []
