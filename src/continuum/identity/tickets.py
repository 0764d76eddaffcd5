"""Tickets: something begun that is to be ended once and soon, by whoever holds the ticket's value."""

import json
from dataclasses import dataclass
from typing import Any

from continuum.identity.limits import (
    TICKET_LIFETIME_S,
)
from continuum.identity.vault import random_token, token_digest
from continuum.kernel.clock import Clock, now_us
from continuum.kernel.errors import DomainError
from continuum.record.read import Connection


class TicketGone(DomainError):
    """The step was done already, took too long, or was never begun."""

    status = 410
    code = "expired"


@dataclass(frozen=True, slots=True)
class Ticket:
    """What was begun. content: what the step needs to remember, as JSON values."""

    account_id: str | None
    content: dict[str, Any]


class Tickets:
    """The tickets of one installation."""

    def __init__(self, *, clock: Clock = now_us) -> None:
        self._clock = clock

    async def issue(
        self,
        conn: Connection,
        purpose: str,
        account_id: str | None = None,
        *,
        lifetime_s: int = TICKET_LIFETIME_S,
        **content: Any,
    ) -> str:
        """The value of a new ticket."""
        value = random_token()
        await conn.fetch(
            "INSERT INTO identity.ticket VALUES ($1, $2, $3, $4, $5)",
            token_digest(value), purpose, account_id, json.dumps(content), self._clock() + lifetime_s * 1_000_000,
        )  # fmt: skip
        return value

    async def look(self, conn: Connection, purpose: str, value: str) -> Ticket:
        """What was begun, which goes on. Raises TicketGone."""
        return await self._one(
            conn,
            "SELECT account_id, content FROM identity.ticket"
            " WHERE ticket_digest = $1 AND purpose = $2 AND expires_us > $3",
            purpose,
            value,
        )

    async def take(self, conn: Connection, purpose: str, value: str) -> Ticket:
        """What was begun, which ends here: of two who take the same ticket one gets it. Raises TicketGone."""
        return await self._one(
            conn,
            "DELETE FROM identity.ticket WHERE ticket_digest = $1 AND purpose = $2 AND expires_us > $3"
            " RETURNING account_id, content",
            purpose,
            value,
        )

    async def sweep(self, conn: Connection) -> None:
        """Removes what nobody can use any more."""
        await conn.fetch("DELETE FROM identity.ticket WHERE expires_us <= $1", self._clock())

    async def _one(self, conn: Connection, sql: str, purpose: str, value: str) -> Ticket:
        row = await conn.fetchrow(sql, token_digest(value), purpose, self._clock())
        if row is None:
            raise TicketGone("This step took too long or was done already. Please begin again.")
        return Ticket(row["account_id"], json.loads(row["content"]))
