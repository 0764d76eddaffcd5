"""What somebody has beside the messages: folders, what they have read, drafts, times away, templates.

Drafts are sealed under a key that the database does not hold, and are nobody's but their account's.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

from continuum.access import Access
from continuum.access.feed import Connection
from continuum.chart.entry import N_
from continuum.clinical.messaging.limits import (
    DRAFT_MAX_CHARS,
    DRAFTS_MAX,
    FILED_MAX,
    FOLDER_MAX_CHARS,
    FOLDERS_MAX,
)
from continuum.identity.resealing import Sealed
from continuum.identity.vault import Vault
from continuum.kernel.errors import Invalid, TooLarge

INBOX, SENT, DRAFTS, TRASH = "inbox", "sent", "drafts", "trash"
SYSTEM_FOLDERS = {INBOX: N_("Inbox"), SENT: N_("Sent"), DRAFTS: N_("Drafts"), TRASH: N_("Trash")}
_NAME = re.compile(r"[^\W_][\w ]*", re.UNICODE)

SEALED = Sealed("messages.draft", "sealed", ("account_id", "draft_id"), "message-draft")
"""Where drafts lie, for when their key is replaced."""


@dataclass(frozen=True, slots=True)
class Draft:
    """Something typed and not sent. thread_id: what it answers, "" for a new thread. fields: as the form has them."""

    draft_id: str
    patient_id: str
    thread_id: str
    fields: dict[str, str]
    revision: int
    saved_us: int


class Box:
    """The box of one account."""

    def __init__(self, access: Access, vault: Vault, account_id: str) -> None:
        self._access, self._vault, self._account = access, vault, account_id

    async def folders(self) -> list[str]:
        """Own folders by name."""
        async with self._access.connect() as conn:
            rows = await conn.fetch(
                "SELECT folder FROM messages.folder WHERE account_id = $1 ORDER BY folder LIMIT $2",
                self._account, FOLDERS_MAX,
            )  # fmt: skip
        return [row["folder"] for row in rows]

    async def add_folder(self, name: str) -> str:
        """Makes a folder: letters, numbers and blanks. Raises Invalid, TooLarge."""
        plain = " ".join(name.split())
        if not plain or len(plain) > FOLDER_MAX_CHARS or not _NAME.fullmatch(plain):
            raise Invalid(N_("Name the folder with letters, numbers and blanks, 40 at most."))
        if plain.casefold() in SYSTEM_FOLDERS:
            raise Invalid(N_("There is such a folder already."))
        async with self._access.connect() as conn:
            rows = await conn.fetch(
                "INSERT INTO messages.folder SELECT $1, $2 WHERE"
                " (SELECT count(*) FROM messages.folder WHERE account_id = $1) < $3"
                " ON CONFLICT DO NOTHING RETURNING folder",
                self._account, plain, FOLDERS_MAX,
            )  # fmt: skip
        if not rows and plain not in await self.folders():
            raise TooLarge(N_("You have as many folders as there can be. Please remove an empty one first."))
        return plain

    async def remove_folder(self, name: str) -> None:
        """Removes an empty folder. Raises Invalid for one with something in it."""
        async with self._access.connect() as conn:
            rows = await conn.fetch(
                "DELETE FROM messages.folder f WHERE account_id = $1 AND folder = $2 AND NOT EXISTS"
                " (SELECT FROM messages.filed WHERE account_id = $1 AND folder = $2) RETURNING folder",
                self._account, name,
            )  # fmt: skip
        if not rows:
            raise Invalid(N_("Only an empty folder can be removed. Move what is in it first."))

    async def filed(self) -> dict[str, str]:
        """Thread → folder, of what was moved."""
        async with self._access.connect() as conn:
            rows = await conn.fetch(
                "SELECT thread_id, folder FROM messages.filed WHERE account_id = $1 ORDER BY filed_us DESC LIMIT $2",
                self._account, FILED_MAX,
            )  # fmt: skip
        return {row["thread_id"]: row["folder"] for row in rows}

    async def move(self, thread_id: str, folder: str) -> None:
        """Moves a thread; to the inbox is to where it came from. Raises Invalid for a folder that is not there."""
        if folder not in {INBOX, TRASH} and folder not in await self.folders():
            raise Invalid(N_("There is no such folder."))
        async with self._access.connect() as conn:
            if folder == INBOX:
                await conn.fetch(
                    "DELETE FROM messages.filed WHERE account_id = $1 AND thread_id = $2", self._account, thread_id
                )
                return
            await conn.fetch(
                "INSERT INTO messages.filed VALUES ($1, $2, $3, $4) ON CONFLICT (account_id, thread_id)"
                " DO UPDATE SET folder = excluded.folder, filed_us = excluded.filed_us",
                self._account, thread_id, folder, self._access.clock(),
            )  # fmt: skip

    async def read(self, thread_id: str) -> None:
        """Remembers that a thread was opened now."""

        async def note(conn: Connection) -> None:
            await conn.fetch(
                "INSERT INTO messages.seen VALUES ($1, $2, $3) ON CONFLICT (account_id, thread_id)"
                " DO UPDATE SET seen_us = excluded.seen_us",
                self._account, thread_id, self._access.clock(),
            )  # fmt: skip

        await self._access.remember(note)

    async def seen(self, thread_ids: list[str]) -> dict[str, int]:
        """When each of these threads was opened last, in microseconds."""
        async with self._access.connect() as conn:
            rows = await conn.fetch(
                "SELECT thread_id, seen_us FROM messages.seen WHERE account_id = $1 AND thread_id = ANY ($2::text[])",
                self._account, thread_ids,
            )  # fmt: skip
        return {row["thread_id"]: row["seen_us"] for row in rows}

    async def save(self, draft: Draft) -> int:
        """Keeps what was typed; the number of this revision. Raises TooLarge."""
        text = json.dumps(draft.fields)
        if len(text) > DRAFT_MAX_CHARS:
            raise TooLarge(N_("The message is too long. Please send it in two."))
        sealed = self._vault.seal(text.encode(), self._row(draft.draft_id))
        async with self._access.connect() as conn:
            rows = await conn.fetch(
                """
                INSERT INTO messages.draft AS d SELECT $1, $2, $3, $4, $5, 1, $6
                WHERE (SELECT count(*) FROM messages.draft WHERE account_id = $1) < $7
                   OR EXISTS (SELECT FROM messages.draft WHERE account_id = $1 AND draft_id = $2)
                ON CONFLICT (account_id, draft_id)
                DO UPDATE SET sealed = excluded.sealed, revision = d.revision + 1, saved_us = excluded.saved_us
                RETURNING revision
                """,
                self._account, draft.draft_id, draft.patient_id, draft.thread_id, sealed, self._access.clock(),
                DRAFTS_MAX,
            )  # fmt: skip
        if not rows:
            raise TooLarge(N_("You have too many drafts. Please send or throw away one of them first."))
        return int(rows[0]["revision"])

    async def draft(self, draft_id: str, patient_id: str) -> Draft | None:
        """One draft about a patient."""
        return next((one for one in await self.drafts(patient_id) if one.draft_id == draft_id), None)

    async def drafts(self, patient_id: str) -> list[Draft]:
        """Drafts about a patient, the latest first."""
        async with self._access.connect() as conn:
            rows = await conn.fetch(
                "SELECT * FROM messages.draft WHERE account_id = $1 AND patient_id = $2"
                " ORDER BY saved_us DESC LIMIT $3",
                self._account, patient_id, DRAFTS_MAX,
            )  # fmt: skip
        return [self._draft(row) for row in rows]

    async def throw_away(self, draft_id: str) -> None:
        """Forgets a draft: it was sent, or is not wanted."""
        async with self._access.connect() as conn:
            await conn.fetch(
                "DELETE FROM messages.draft WHERE account_id = $1 AND draft_id = $2", self._account, draft_id
            )

    def _row(self, draft_id: str) -> str:
        return SEALED.row((self._account, draft_id))

    def _draft(self, row: Any) -> Draft:
        fields = json.loads(self._vault.unseal(row["sealed"], self._row(row["draft_id"])))
        return Draft(row["draft_id"], row["patient_id"], row["thread_id"], fields, row["revision"], row["saved_us"])
