"""SMART Health Links (HL7 SMART Health Cards and Links 1.0): a summary for whoever has the link and the passcode.

The content lies encrypted in the database under a key that is only in the link. The link is shown once. A link lasts
no longer than its maker's right to the whole record: who may not make it any more has none.
"""

import base64
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from joserfc import jwe
from joserfc.jwk import OctKey

from continuum.access import Access
from continuum.chart.limits import (
    LINK_ATTEMPTS_MAX,
    LINK_FILE_S,
    LINK_LABEL_MAX_CHARS,
    LINKS_MAX,
)
from continuum.fhir.json import dump
from continuum.identity.passwords import Hasher
from continuum.identity.vault import random_token
from continuum.kernel.clock import MAX_US
from continuum.kernel.errors import DomainError, NotFound, TooLarge
from continuum.kernel.ids import uuid7

CONTENT_TYPE = "application/fhir+json;fhirVersion=4.0.1"
_US = 1_000_000
MayShare = Callable[[str, str], Awaitable[bool]]
"""Whether an account may, at this moment, hand on the whole record of a patient."""
OVER = "This link is over, or never was."


class PasscodeWrong(DomainError):
    """The passcode is not that of the link. left: how many more wrong ones it takes. patient_id: whose link it is."""

    status = 401
    code = "login"

    def __init__(self, left: int, link_id: str, patient_id: str) -> None:
        super().__init__("This is not the passcode of the link.")
        self.left = left
        self.link_id = link_id
        self.patient_id = patient_id


@dataclass(frozen=True, slots=True)
class Made:
    """A new link: as QR codes and viewers take it. It is nowhere else."""

    link_id: str
    link: str


@dataclass(frozen=True, slots=True)
class Link:
    """A link as its owner sees it afterwards. Instants in microseconds."""

    link_id: str
    label: str
    created_us: int
    expires_us: int
    revoked: bool
    opened: int
    opened_us: int | None
    attempts_left: int

    def alive(self, now_us: int) -> bool:
        """Whether it can still be opened."""
        return not self.revoked and self.expires_us > now_us and self.attempts_left > 0


@dataclass(frozen=True, slots=True)
class Opened:
    """A link that somebody opened with its passcode. ticket: the last part of the address of its file."""

    link_id: str
    account_id: str
    patient_id: str
    content: str
    ticket: str


class Links:
    """The links of one installation."""

    def __init__(self, access: Access, hasher: Hasher, may_share: MayShare) -> None:
        self._access, self._hasher, self._may_share = access, hasher, may_share

    async def make(
        self, account_id: str, patient_id: str, content: dict[str, Any], *, manifest_base: str, label: str,
        passcode: str, lives_s: int, until_us: int | None = None,
    ) -> Made:  # fmt: skip
        """Keeps the content under a new key, and gives the link; until_us: when it ends at the latest.

        Raises TooLarge for one link too many.
        """
        now = self._access.clock()
        expires = min(now + lives_s * _US, until_us or MAX_US)
        await self._room(account_id, now)
        key, address, link_id = OctKey.generate_key(256), random_token(), uuid7()
        header = {"alg": "dir", "enc": "A256GCM", "cty": CONTENT_TYPE.partition(";")[0], "zip": "DEF"}
        sealed = jwe.encrypt_compact(header, dump(content), key)
        hashed = await self._hasher.hash(passcode)
        async with self._access.connect() as conn:
            await conn.fetch(
                "INSERT INTO chart.health_link VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                link_id, address, account_id, patient_id, label[:LINK_LABEL_MAX_CHARS], hashed, LINK_ATTEMPTS_MAX,
                sealed, now, expires,
            )  # fmt: skip
        payload = {
            "url": f"{manifest_base}/{address}", "key": key.as_dict(private=True)["k"], "exp": expires // _US,
            "flag": "P", "label": label[:LINK_LABEL_MAX_CHARS], "v": 1,
        }  # fmt: skip
        text = json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode()
        return Made(link_id, "shlink:/" + base64.urlsafe_b64encode(text).rstrip(b"=").decode())

    async def _room(self, account_id: str, now: int) -> None:
        async with self._access.connect() as conn:
            rows = await conn.fetch(
                "SELECT count(*) AS n FROM chart.health_link"
                " WHERE account_id = $1 AND revoked_us IS NULL AND expires_us > $2",
                account_id, now,
            )  # fmt: skip
        if rows[0]["n"] >= LINKS_MAX:
            raise TooLarge("You have as many open links as one account can have. Please close some first.")

    async def of(self, account_id: str, patient_id: str) -> list[Link]:
        """The links that an account made of one record, the latest first."""
        async with self._access.connect() as conn:
            rows = await conn.fetch(
                "SELECT link_id, label, created_us, expires_us, revoked_us, opened, opened_us, attempts_left"
                " FROM chart.health_link WHERE account_id = $1 AND patient_id = $2 ORDER BY created_us DESC LIMIT $3",
                account_id, patient_id, 2 * LINKS_MAX,
            )  # fmt: skip
        return [
            Link(
                row["link_id"], row["label"], row["created_us"], row["expires_us"], row["revoked_us"] is not None,
                row["opened"], row["opened_us"], row["attempts_left"],
            )
            for row in rows
        ]  # fmt: skip

    async def revoke(self, account_id: str, link_id: str) -> None:
        """Closes a link for good and throws its content away. Raises NotFound."""
        async with self._access.connect() as conn:
            rows = await conn.fetch(
                "UPDATE chart.health_link SET revoked_us = coalesce(revoked_us, $3), content = ''"
                " WHERE account_id = $1 AND link_id = $2 RETURNING link_id",
                account_id, link_id, self._access.clock(),
            )  # fmt: skip
        if not rows:
            raise NotFound("There is no such link.")

    async def open(self, address: str, passcode: str) -> Opened:
        """What a link leads to.

        Every try takes an attempt first, so that tries at the same time cannot share one; a right one gives it back.

        Raises:
            NotFound: there is no such link, it is over, or its maker may not share this record any more.
            PasscodeWrong: it was another passcode.
        """
        now = self._access.clock()
        async with self._access.connect() as conn:
            row = await conn.fetchrow(
                "UPDATE chart.health_link SET attempts_left = attempts_left - 1"
                " WHERE address = $1 AND revoked_us IS NULL AND expires_us > $2 AND attempts_left > 0"
                " RETURNING link_id, account_id, patient_id, passcode_hash, attempts_left, content",
                address, now,
            )  # fmt: skip
        if row is None:
            raise NotFound(OVER)
        await self._still_shared(row, now)
        if not await self._hasher.verify(passcode, row["passcode_hash"]):
            raise PasscodeWrong(row["attempts_left"], row["link_id"], row["patient_id"])
        ticket = random_token()
        async with self._access.connect() as conn, conn.transaction():
            await conn.fetch(
                "UPDATE chart.health_link SET attempts_left = attempts_left + 1, opened = opened + 1, opened_us = $2"
                " WHERE link_id = $1",
                row["link_id"], now,
            )  # fmt: skip
            await conn.fetch("DELETE FROM chart.health_link_file WHERE expires_us <= $1", now)
            await conn.fetch(
                "INSERT INTO chart.health_link_file VALUES ($1, $2, $3)",
                ticket, row["link_id"], now + LINK_FILE_S * _US,
            )  # fmt: skip
        return Opened(row["link_id"], row["account_id"], row["patient_id"], row["content"], ticket)

    async def _still_shared(self, row: Any, now: int) -> None:
        """Closes a link for good whose maker may not share the record any more, and raises NotFound for it."""
        if await self._may_share(row["account_id"], row["patient_id"]):
            return
        async with self._access.connect() as conn:
            await conn.fetch(
                "UPDATE chart.health_link SET revoked_us = coalesce(revoked_us, $2), content = '' WHERE link_id = $1",
                row["link_id"], now,
            )  # fmt: skip
        raise NotFound(OVER)

    async def file(self, ticket: str) -> Opened:
        """The encrypted content behind a ticket of `open`. Raises NotFound."""
        now = self._access.clock()
        async with self._access.connect() as conn:
            row = await conn.fetchrow(
                "SELECT l.link_id, l.account_id, l.patient_id, l.content"
                " FROM chart.health_link_file f JOIN chart.health_link l USING (link_id)"
                " WHERE f.ticket = $1 AND f.expires_us > $2 AND l.revoked_us IS NULL AND l.expires_us > $2",
                ticket, now,
            )  # fmt: skip
        if row is None:
            raise NotFound("This file is not here any more. Please open the link again.")
        await self._still_shared(row, now)
        return Opened(row["link_id"], row["account_id"], row["patient_id"], row["content"], ticket)
