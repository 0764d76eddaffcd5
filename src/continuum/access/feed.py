"""The door's side of subscriptions: what was committed, who wants it, and what of it each may see.

One worker at a time leads: it reads the outbox and files events. Whether an event exists for a subscription is
decided with its owner's eyes, and what a notification shows is decided again when it is sent.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from continuum.access.actor import Actor
from continuum.access.door import Access
from continuum.access.ownership import read_back
from continuum.access.session import Session
from continuum.fhir.grammar import parse as parse_query
from continuum.fhir.json import parse
from continuum.fhir.query import Query
from continuum.fhir.types import TYPE_IDS, TYPE_NAMES
from continuum.kernel.errors import Conflict, Forbidden, Gone, NotFound, PreconditionFailed
from continuum.kernel.ids import uuid7
from continuum.kernel.limits import SUBSCRIPTION_EVENTS_KEPT
from continuum.record import outbox
from continuum.record.entry import Prepared, arrange
from continuum.record.outbox import RENEWED, Event, State, Version
from continuum.record.read import Connection
from continuum.record.search.matching import matches, refuse_unjudged
from continuum.record.visibility import NOTHING, Scope

__all__ = ["RENEWED", "Change", "Connection", "Event", "Feed", "State", "Watch"]

SERVER = Actor("continuum-subscriptions", "system", name="Subscriptions of this server")
"""Who changes the status of a Subscription in the trace."""
LIVE = ("requested", RENEWED, "active", "error")
"""The statuses of subscriptions that something is done for."""
FILED = frozenset({RENEWED, "active", "error"})
"""The statuses in which events are filed: after an error a subscriber goes on where it was, however long the
handshake of its return takes."""


class Change:
    """One version that was committed, and the one before it. Read and indexed only when somebody asks."""

    def __init__(self, after: Version, before: Version | None, door: Access) -> None:
        self.after = after
        self.before = None if before is None or before.deleted else before
        self._door = door
        self._prepared: Prepared | None = None

    @property
    def interaction(self) -> str:
        """create, update or delete; what was deleted and is written again is created."""
        if self.after.deleted:
            return "delete"
        return "create" if self.before is None else "update"

    @cached_property
    def resource(self) -> dict[str, Any] | None:
        """The version's content; None when it is a deletion."""
        return None if self.after.body is None else parse(self.after.body)

    @cached_property
    def previous(self) -> dict[str, Any] | None:
        """The content before; None when there was none."""
        return None if self.before is None or self.before.body is None else parse(self.before.body)

    def matches(self, query: Query) -> bool:
        """Whether the version matches; of a deletion, what was deleted."""
        if self._prepared is None:
            resource = self.previous if self.after.deleted else self.resource
            if resource is None:
                return False
            kind = self.after.resource_type
            self._prepared = arrange(resource, kind, TYPE_IDS[kind], self._door.keys)
        return matches(query, self._prepared, self._door.keys)


@dataclass(frozen=True, slots=True)
class Watch:
    """What one subscription waits for among the changes of one type.

    wants: whether a change is an event of it. whole: whether it must see the content to say so.
    """

    state: State
    resource_type: str
    wants: Callable[[Change], bool]
    whole: bool


class Feed:
    """The outbox and the subscriptions of one database, for one worker."""

    def __init__(self, access: Access) -> None:
        self.access = access

    async def leads(self, conn: Connection) -> bool:
        """Whether that connection is the one that reads the outbox, until it is closed."""
        return await outbox.leads(conn)

    def session(self, state: State, request_id: str) -> Session:
        """The door, opened for a subscription's owner.

        Raises:
            Forbidden: the owner may not, any more.
        """
        actor, purpose = read_back(state.owner)
        return self.access.open(actor, purpose, source="subscription", request_id=request_id)

    def query(self, resource_type: str, pairs: Sequence[tuple[str, str]]) -> Query:
        """A filter.

        Raises:
            UnknownParameter, Malformed: it cannot be used.
        """
        query = parse_query(resource_type, pairs, lenient=False, base_url=self.access.base_url)
        refuse_unjudged(query)
        return query

    async def state(self, subscription_id: str) -> State | None:
        """What is known of a subscription; None when there never was one, or it was deleted."""
        async with self.access.connect() as conn:
            found = await outbox.state(conn, subscription_id)
        return None if found is None or found.status == "deleted" else found

    async def states_of(self, row_ids: Sequence[int]) -> list[State]:
        """What is known of some subscriptions."""
        async with self.access.connect() as conn:
            return await outbox.states_of(conn, row_ids)

    async def live(self) -> list[State]:
        """All subscriptions that something is done for."""
        async with self.access.connect() as conn:
            return await outbox.states(conn, LIVE)

    async def resource(self, subscription_id: str) -> bytes | None:
        """The text of a Subscription, for the server's own use."""
        async with self.access.connect() as conn:
            found = await outbox.resource(conn, subscription_id)
        return None if found is None else found.body

    async def delivered(self, state: State, number: int) -> None:
        """Notes that the subscriber has taken everything up to `number`."""
        async with self.access.connect() as conn:
            await outbox.delivered(conn, state.row_id, number)

    async def mark(self, state: State, status: str, failure: str | None = None) -> bool:
        """Writes what the server says of a subscription into its resource; False when its owner was quicker."""
        session = self.access.open(
            SERVER, "HOPERAT", source="subscription", request_id=f"subscription-{uuid7()}", server=True
        )

        def apply(resource: dict[str, object]) -> dict[str, object]:
            kept = {name: value for name, value in resource.items() if name != "error"}
            kept["status"] = status
            return kept if failure is None else {**kept, "error": failure}

        try:
            await session.patch("Subscription", state.id, apply, if_match=state.version)
        except (Conflict, PreconditionFailed, NotFound, Gone):
            return False
        return True

    async def prune(self) -> None:
        """Removes delivered events that are older than the last SUBSCRIPTION_EVENTS_KEPT."""
        async with self.access.connect() as conn:
            await outbox.prune(conn, SUBSCRIPTION_EVENTS_KEPT)

    async def drain(
        self, conn: Connection, watches: Callable[[Sequence[State]], Awaitable[Mapping[str, Sequence[Watch]]]]
    ) -> tuple[int, bool, list[State] | None]:
        """Files the events of what was committed; returns how many acts, whether more wait, and live subscriptions.

        watches: what is waited for by whom, by resource type, for the subscriptions as they are now. Without acts
        the subscriptions are None: whatever changes one is an act too.
        """
        async with conn.transaction():
            acts = await outbox.waiting(conn)
            if not acts:
                return 0, False, None
            # Read after the acts: whoever is active by the time of an act is among them.
            states = await outbox.states(conn, LIVE)
            wanted = await watches([state for state in states if state.status in FILED])
            filed = await self._file(conn, acts, wanted) if wanted else {}
            if filed:
                await outbox.file(conn, filed, {state.row_id: state.numbered for state in states})
            await outbox.forget(conn, acts)
        if filed:
            states = await outbox.states_of(conn, [state.row_id for state in states])
        return len(acts), outbox.full(acts), states

    async def _file(
        self, conn: Connection, acts: Sequence[outbox.Act], watches: Mapping[str, Sequence[Watch]]
    ) -> dict[int, list[tuple[int, int]]]:
        """The events of each subscription, as (row id, version) in the order of the commits."""
        changes = [
            (row_id, version, TYPE_NAMES[type_id])
            for act in acts
            for type_id, row_id, version in act.changes
            if TYPE_NAMES[type_id] in watches
        ]
        if not changes:
            return {}
        read: dict[tuple[int, int], bool] = {}
        for row_id, version, kind in changes:
            whole = any(watch.whole for watch in watches[kind])
            read[row_id, version] = whole
            if version > 1:
                read.setdefault((row_id, version - 1), whole)
        versions = await outbox.versions(conn, read)
        found: list[tuple[Watch, int, int]] = []
        for row_id, version, kind in changes:
            after = versions.get((row_id, version))
            assert after is not None, "what was committed is in the record"
            change = Change(after, versions.get((row_id, version - 1)), self.access)
            found += [(watch, row_id, version) for watch in watches[kind] if watch.wants(change)]
        return await self._seen(conn, found)

    async def _seen(
        self, conn: Connection, found: Sequence[tuple[Watch, int, int]]
    ) -> dict[int, list[tuple[int, int]]]:
        """Leaves out what the owners may not see; each distinct scope is asked once."""
        scopes: dict[tuple[int, str], Scope] = {}
        rows: dict[Scope, set[int]] = {}
        for watch, row_id, _ in found:
            key = (watch.state.row_id, watch.resource_type)
            if key not in scopes:
                scopes[key] = self._scope(watch)
            rows.setdefault(scopes[key], set()).add(row_id)
        visible = {scope: await outbox.visible(conn, wanted, scope) for scope, wanted in rows.items()}
        filed: dict[int, list[tuple[int, int]]] = {}
        for watch, row_id, version in found:
            if row_id in visible[scopes[watch.state.row_id, watch.resource_type]]:
                filed.setdefault(watch.state.row_id, []).append((row_id, version))
        return filed

    def _scope(self, watch: Watch) -> Scope:
        """What the owner may see of a type; nothing, when the owner's role and purpose open nothing any more."""
        actor, purpose = read_back(watch.state.owner)
        try:
            return self.access.visibility(actor, purpose).of(watch.resource_type)
        except Forbidden:
            return NOTHING
