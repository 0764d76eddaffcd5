"""Time that passes for a session on the server and for the page that it is open in."""

from typing import Any

import asyncpg

from continuum.runtime.postgres.address import Address


async def pass_time(owner: str, page: Any, sign_in_name: str, *, minutes: float) -> None:
    """The page's clock has to be Playwright's (`page.clock.install`)."""
    await age(owner, sign_in_name, minutes=minutes)
    await page.clock.run_for(int(minutes * 60_000))


async def age(owner: str, sign_in_name: str, *, minutes: float) -> None:
    """The same on the server alone: nothing was done for so long."""
    await _run(
        owner,
        "UPDATE identity.session s SET active_us = s.active_us - $2::bigint FROM identity.account a"
        " WHERE a.account_id = s.account_id AND a.sign_in_name = $1",
        sign_in_name, int(minutes * 60_000_000),
    )  # fmt: skip


async def ends_in(owner: str, sign_in_name: str, *, minutes: float) -> None:
    """The longest time for the session is over so soon, by the database's clock."""
    await _run(
        owner,
        "UPDATE identity.session s SET expires_us = (extract(epoch FROM now()) * 1000000)::bigint + $2::bigint"
        " FROM identity.account a WHERE a.account_id = s.account_id AND a.sign_in_name = $1",
        sign_in_name, int(minutes * 60_000_000),
    )  # fmt: skip


async def active_us(owner: str, sign_in_name: str) -> int:
    """When somebody did something for the last time, as the server knows."""
    rows = await _run(
        owner,
        "SELECT max(s.active_us) AS at FROM identity.session s JOIN identity.account a USING (account_id)"
        " WHERE a.sign_in_name = $1 AND s.ended_us IS NULL",
        sign_in_name,
    )  # fmt: skip
    return int(rows[0]["at"])


async def _run(owner: str, text: str, *values: Any) -> list[Any]:
    conn = await asyncpg.connect(**Address.from_url(owner).connect)
    try:
        found: list[Any] = await conn.fetch(text, *values)
    finally:
        await conn.close()
    return found
