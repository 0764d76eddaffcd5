"""What is held of a calendar, as pages and the mirror ask it. It says nothing about any patient."""

from collections.abc import Sequence

from continuum.access.door import Access
from continuum.record import claims
from continuum.record.claims import TAKEN, Claim

__all__ = ["TAKEN", "Claim", "Claims"]


class Claims:
    """The claims on one database."""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def held(self, slot_ids: Sequence[str]) -> set[str]:
        """Which of these Slots somebody holds, as the last committed booking has it."""
        if not slot_ids:
            return set()
        async with self._access.connect() as conn:
            return await claims.held(conn, slot_ids, self._access.keys)

    async def unmirrored(self, limit: int) -> list[Claim]:
        """Claims of which their Slots do not say yet whether they are held, at most `limit`."""
        async with self._access.connect() as conn:
            return await claims.unmirrored(conn, limit)

    async def mirrored(self, claim: Claim) -> None:
        """Notes that a Slot says it."""
        async with self._access.connect() as conn:
            await claims.mirrored(conn, claim)
