"""Subscriptions belong to whoever asked for them: what they deliver is what that actor may see.

A resource has no place for this that a client could not write to, so it lies beside the resource, in
record.subscription, and is noted in the transaction that writes the resource.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import orjson

from continuum.access.actor import Actor
from continuum.access.policy import OWNED_TYPES, owner_key
from continuum.fhir.types import TYPE_NAMES
from continuum.kernel.errors import Forbidden, Invalid, Issue
from continuum.record import outbox
from continuum.record.entry import Prepared
from continuum.record.keys import Keys
from continuum.record.read import Connection
from continuum.record.write import Change

Judge = Callable[[dict[str, Any], Actor], None]
"""Lets a Subscription through that an actor writes, or raises Invalid."""

CLIENT_STATUSES = ("requested", "off")
"""What a client may ask for; the others are the server's to say (R4 Subscription.status)."""


def written_down(actor: Actor, purpose: str) -> str:
    """An actor and a purpose as text."""
    return orjson.dumps({**asdict(actor), "purpose": purpose}).decode()


def read_back(text: str) -> tuple[Actor, str]:
    """What `written_down` wrote."""
    known = orjson.loads(text)
    purpose = known.pop("purpose")
    return Actor(**known), purpose


@dataclass(frozen=True, slots=True)
class Ownership:
    """Judges and notes the Subscriptions of one act.

    server: the server itself writes, which changes no owner and may say that a subscription is active or failed.
    judge_content: what is to be said against a Subscription's content; None says nothing.
    """

    actor: Actor
    purpose: str
    keys: Keys
    server: bool = False
    judge_content: Judge | None = None

    def judge(self, change: Change) -> None:
        """Raises Invalid for what cannot be subscribed."""
        if self.server or change.prepared is None:
            return
        resource = change.prepared.resource
        status = resource.get("status")
        if status not in CLIENT_STATUSES:
            text = "A client asks for a subscription (requested) or ends it (off); the rest is the server's to say."
            raise Invalid(text, issues=(Issue("business-rule", text, ("Subscription.status",)),))
        if status == "requested" and self.judge_content is not None:
            self.judge_content(resource, self.actor)

    async def settle(self, conn: Connection, changes: Sequence[Change]) -> None:
        """Notes what was written."""
        for change in changes:
            if TYPE_NAMES[change.address[0]] not in OWNED_TYPES:
                continue
            if change.prepared is None:
                await outbox.marked(conn, change.row_id, change.version, status="deleted", failure=None)
            elif self.server:
                resource = change.prepared.resource
                await outbox.marked(
                    conn, change.row_id, change.version, status=resource["status"], failure=resource.get("error")
                )
            else:
                await self._own(conn, change, change.prepared)

    async def _own(self, conn: Connection, change: Change, prepared: Prepared) -> None:
        """Another who may see a subscription may end it, but not have it deliver, in whosever name."""
        status = prepared.resource["status"]
        key = owner_key(self.actor, self.keys)
        there = await outbox.state(conn, prepared.id)
        if there is not None and there.status != "deleted" and there.owner_key != key:
            if status == "requested":
                raise Forbidden("This subscription is somebody else's: you can end or delete it, not ask for it again.")
            await outbox.marked(conn, change.row_id, change.version, status=status, failure=None)
            return
        await outbox.owned(
            conn, change.row_id, change.version,
            status=status, subscription_id=prepared.id, owner=written_down(self.actor, self.purpose), owner_key=key,
        )  # fmt: skip
