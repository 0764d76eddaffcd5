"""What one member of staff has beside the record: recent charts, drafts that are not finished.

Whose charts these are is shown only by reading the record as that person, with its trace.
"""

import json
from dataclasses import dataclass
from typing import Any

from continuum.access import Access
from continuum.access.feed import Connection
from continuum.chart.limits import DRAFT_MAX_CHARS, DRAFTS_MAX, RECENT_MAX
from continuum.identity.resealing import Sealed
from continuum.identity.vault import Vault
from continuum.kernel.errors import TooLarge

SEALED = Sealed("chart.draft", "sealed", ("account_id", "patient_id", "kind", "entry_id"), "draft")
"""Where drafts lie, for when their key is replaced."""


@dataclass(frozen=True, slots=True)
class Draft:
    """Something typed and not finished. fields: as the form has them. revision: counts what was saved."""

    patient_id: str
    kind: str
    entry_id: str
    fields: dict[str, str]
    based_on: int
    revision: int
    saved_us: int


class Desk:
    """The desk of one account."""

    def __init__(self, access: Access, vault: Vault, account_id: str) -> None:
        self._access, self._vault, self._account = access, vault, account_id

    async def opened(self, patient_id: str) -> None:
        """Remembers that a chart was opened; the oldest is forgotten when there are too many."""

        async def note(conn: Connection) -> None:
            await conn.fetch(
                "INSERT INTO chart.recent VALUES ($1, $2, $3)"
                " ON CONFLICT (account_id, patient_id) DO UPDATE SET opened_us = excluded.opened_us",
                self._account, patient_id, self._access.clock(),
            )  # fmt: skip
            await conn.fetch(
                "DELETE FROM chart.recent WHERE account_id = $1 AND patient_id NOT IN"
                " (SELECT patient_id FROM chart.recent WHERE account_id = $1 ORDER BY opened_us DESC LIMIT $2)",
                self._account, RECENT_MAX,
            )  # fmt: skip

        await self._access.remember(note)

    async def recent(self) -> list[str]:
        """Ids of patients whose charts were opened, the latest first."""
        async with self._access.connect() as conn:
            rows = await conn.fetch(
                "SELECT patient_id FROM chart.recent WHERE account_id = $1 ORDER BY opened_us DESC LIMIT $2",
                self._account, RECENT_MAX,
            )  # fmt: skip
        return [row["patient_id"] for row in rows]

    async def save(self, draft: Draft) -> int:
        """Keeps what was typed; the number of this revision.

        Raises:
            TooLarge: the text is too long, or there are too many drafts.
        """
        text = json.dumps(draft.fields)
        if len(text) > DRAFT_MAX_CHARS:
            raise TooLarge("This is longer than a note may be. Please split it.")
        sealed = self._vault.seal(text.encode(), self._row(draft.patient_id, draft.kind, draft.entry_id))
        async with self._access.connect() as conn:
            rows = await conn.fetch(
                """
                INSERT INTO chart.draft AS d
                SELECT $1, $2, $3, $4, $5, $6, 1, $7
                WHERE (SELECT count(*) FROM chart.draft WHERE account_id = $1) < $8
                   OR EXISTS (SELECT FROM chart.draft
                               WHERE account_id = $1 AND patient_id = $2 AND kind = $3 AND entry_id = $4)
                ON CONFLICT (account_id, patient_id, kind, entry_id)
                DO UPDATE SET sealed = excluded.sealed, revision = d.revision + 1, saved_us = excluded.saved_us
                RETURNING revision
                """,
                self._account, draft.patient_id, draft.kind, draft.entry_id, sealed, draft.based_on,
                self._access.clock(), DRAFTS_MAX,
            )  # fmt: skip
        if not rows:
            raise TooLarge("You have too many unfinished notes. Please sign or throw away one of them first.")
        return int(rows[0]["revision"])

    async def draft(self, patient_id: str, kind: str, entry_id: str = "") -> Draft | None:
        """What was typed before, if anything."""
        async with self._access.connect() as conn:
            rows = await conn.fetch(
                "SELECT * FROM chart.draft WHERE account_id = $1 AND patient_id = $2 AND kind = $3 AND entry_id = $4",
                self._account, patient_id, kind, entry_id,
            )  # fmt: skip
        return self._draft(rows[0]) if rows else None

    async def drafts(self) -> list[Draft]:
        """All that are not finished, the latest first."""
        async with self._access.connect() as conn:
            rows = await conn.fetch(
                "SELECT * FROM chart.draft WHERE account_id = $1 ORDER BY saved_us DESC LIMIT $2",
                self._account, DRAFTS_MAX,
            )  # fmt: skip
        return [self._draft(row) for row in rows]

    async def others(self, patient_id: str, kind: str, entry_id: str, since_us: int) -> int:
        """How many others have begun the same and typed since an instant."""
        async with self._access.connect() as conn:
            rows = await conn.fetch(
                "SELECT count(*) AS number FROM chart.draft WHERE patient_id = $1 AND kind = $2 AND entry_id = $3"
                " AND account_id <> $4 AND saved_us >= $5",
                patient_id, kind, entry_id, self._account, since_us,
            )  # fmt: skip
        return int(rows[0]["number"])

    async def throw_away(self, patient_id: str, kind: str, entry_id: str = "") -> None:
        """Forgets a draft: it was signed, or is not wanted."""
        async with self._access.connect() as conn:
            await conn.fetch(
                "DELETE FROM chart.draft WHERE account_id = $1 AND patient_id = $2 AND kind = $3 AND entry_id = $4",
                self._account, patient_id, kind, entry_id,
            )  # fmt: skip

    def _row(self, patient_id: str, kind: str, entry_id: str) -> str:
        return SEALED.row((self._account, patient_id, kind, entry_id))

    def _draft(self, row: Any) -> Draft:
        place = self._row(row["patient_id"], row["kind"], row["entry_id"])
        fields = json.loads(self._vault.unseal(row["sealed"], place))
        return Draft(
            row["patient_id"], row["kind"], row["entry_id"], fields, row["based_on"], row["revision"], row["saved_us"]
        )
