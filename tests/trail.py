"""What the audit trail says, for tests: as the owner of the database reads it."""

from typing import Any

import asyncpg

from continuum.identity import accounts
from continuum.runtime.postgres.address import Address


async def rows_of(hospital: Any, **where: str) -> list[dict[str, Any]]:
    """The rows that have these values, in their order."""
    wanted = " AND ".join(f"{name} = ${number}" for number, name in enumerate(where, 1))
    conn = await asyncpg.connect(**Address.from_url(hospital.owner).connect)
    try:
        found = await conn.fetch(f"SELECT * FROM record.audit WHERE {wanted} ORDER BY seq", *where.values())
    finally:
        await conn.close()
    return [dict(one) for one in found]


async def account_of(hospital: Any, who: Any) -> str:
    """The account of somebody who can sign in."""
    async with hospital.desk() as desk, desk.sign_on.connect() as conn:
        account = await accounts.by_name(conn, who.name)
    assert account is not None
    return account.account_id
