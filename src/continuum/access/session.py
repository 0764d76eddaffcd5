"""What one actor may do with the record for one purpose: `Access.open` gives it, and nothing else does."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qsl

from continuum.access import trace
from continuum.access.audit import FAILED, REFUSED, Context
from continuum.access.bulk import Bulk
from continuum.access.charts import Candidates, ChartActs
from continuum.access.cutting import cut, judge, patched, refuse_parts
from continuum.access.names import NameActs
from continuum.access.oversight import Oversight
from continuum.access.ownership import Ownership
from continuum.access.policy import Policy
from continuum.access.resources import Judged, ResourceActs
from continuum.access.views import ViewActs
from continuum.access.warrant import SessionWarrant
from continuum.fhir.grammar import parse as parse_query
from continuum.fhir.query import Query
from continuum.kernel.errors import DomainError
from continuum.record import history, outbox, read, search
from continuum.record.model import Operation, Page, Stored, Written
from continuum.record.outbox import Event, State
from continuum.record.perform import Patch, Result
from continuum.record.read import Connection
from continuum.record.visibility import Visibility
from continuum.record.write import translate

if TYPE_CHECKING:
    from continuum.access.door import Access

T = TypeVar("T")


class Session(ChartActs, NameActs, ResourceActs, ViewActs):
    """Reads and writes for one actor and one purpose. Every method leaves exactly one audit row."""

    def __init__(
        self, door: "Access", policy: Policy, context: Context, *, server: bool = False, workflow: bool = False,
        sweeping: bool = False,
    ) -> None:  # fmt: skip
        self._server = server
        self._sweeping = sweeping
        self._workflow = workflow
        self._door = door
        self._policy = policy
        self._context = context
        self.acts = 0
        """How many acts this session has taken on; each has its row, or will."""

    @property
    def writable(self) -> frozenset[str]:
        """Types of which this session may write something, so that no page offers what would be refused."""
        return frozenset(self._policy.writes)

    def _viewer(self) -> str | None:
        """The only patient whose trace is open; None for all. Raises Forbidden."""
        return trace.visible_patient(self._context.actor, self._policy)

    async def read(self, resource_type: str, resource_id: str) -> Stored:
        """The present version. Raises NotFound, Gone."""

        async def work(conn: Connection) -> Stored:
            if resource_type == "AuditEvent":
                return await trace.get(conn, resource_id, self._viewer())
            return await read.read(conn, resource_type, resource_id, self._policy.visibility)

        return await self._traced("read", work, resource_type, resource_id)

    async def vread(self, resource_type: str, resource_id: str, version: int) -> Stored:
        """One version. Raises NotFound, Gone."""

        async def work(conn: Connection) -> Stored:
            return await read.vread(conn, resource_type, resource_id, version, self._policy.visibility)

        return await self._traced("vread", work, resource_type, f"{resource_id}/{version}")

    async def search(self, query: Query) -> Page:
        """One page of a search."""

        async def work(conn: Connection) -> Page:
            if query.resource_type == "AuditEvent":
                return await trace.find(
                    conn,
                    trace.read_query(query, self._viewer()),
                )
            judge(query, self._policy.visibility)
            return await search.search(conn, query, visibility=self._policy.visibility, keys=self._door.keys)

        text = "&".join(f"{name}={value}" for name, value in query.self_params)
        return await self._traced("search", work, query.resource_type, query=text)

    async def measured(self, query: Query, measure: Callable[[Sequence[Stored]], T]) -> tuple[T, bool]:
        """What the matches of one page of a search come to, and whether there are more.

        measure: makes figures of them, which say nothing of any one patient; the matches themselves go nowhere else.
        Every act leaves its trace, and so does this one: who counted what. It stands in no patient's own trail, as
        `_summary=count` does not, because nobody has seen anything of theirs: somebody who reads who looked at their
        record would be told of people who saw a total. A list with names is a search, and stands in each one's.
        """
        figures: list[tuple[T, bool]] = []

        async def work(conn: Connection) -> None:
            judge(query, self._policy.visibility)
            page = await search.search(conn, query, visibility=self._policy.visibility, keys=self._door.keys)
            figures.append((measure(cut(page, self._policy.visibility).matches), bool(page.next_cursor)))

        text = "&".join(f"{name}={value}" for name, value in query.self_params)
        await self._traced("search", work, query.resource_type, query=text)
        return figures[0]

    async def search_across(self, queries: Sequence[Query]) -> Page:
        """One page of a search across types: the same search on each, as `parse_across` reads it."""
        if queries[0].resource_type == "AuditEvent":  # by itself, as the grammar has seen to
            return await self.search(queries[0])

        async def work(conn: Connection) -> Page:
            for query in queries:
                judge(query, self._policy.visibility)
            return await search.search_across(conn, queries, visibility=self._policy.visibility, keys=self._door.keys)

        text = "&".join(f"{name}={value}" for name, value in queries[0].self_params)
        return await self._traced("search", work, None, query=text)

    async def selected(self, interaction: str, query: Query, check: Callable[[Page], None]) -> Page:
        """What an operation is about: one page of a search, that `check` lets through or refuses."""

        async def work(conn: Connection) -> Page:
            judge(query, self._policy.visibility)
            page = await search.search(conn, query, visibility=self._policy.visibility, keys=self._door.keys)
            check(page)
            return page

        text = "&".join(f"{name}={value}" for name, value in query.self_params)
        return await self._traced(interaction, work, query.resource_type, query=text)

    async def everything(self, patient_id: str, **options: Any) -> Page:
        """All that belongs to a patient (Patient/$everything); options as `record.search.everything` takes them."""

        async def work(conn: Connection) -> Page:
            refuse_parts(self._policy.visibility)
            return await search.everything(
                conn, patient_id, visibility=self._policy.visibility, keys=self._door.keys, **options
            )

        return await self._traced("everything", work, "Patient", patient_id)

    async def history(
        self,
        *,
        resource_type: str | None = None,
        resource_id: str | None = None,
        since_us: int | None = None,
        at: tuple[int, int] | None = None,
        count: int,
        cursor: str = "",
    ) -> Page:
        """One page of versions, newest first; count 0 asks only how many there are."""

        async def work(conn: Connection) -> Page:
            return await history.history(
                conn, visibility=self._policy.visibility, resource_type=resource_type,
                resource_id=resource_id, since_us=since_us, at=at, count=count, cursor=cursor,
            )  # fmt: skip

        return await self._traced("history", work, resource_type, resource_id)

    async def notified(
        self, subscription: tuple[int, str], *, first: int, last: int, count: int, shown: bool
    ) -> list[Event]:
        """The events of the actor's own subscription, (row, id), numbered first to last, for its delivery.

        shown: whether they are told with what they are about; if not, they are numbers and instants only.
        """
        visibility = self._policy.visibility if shown else Visibility()

        async def work(conn: Connection) -> list[Event]:
            return await outbox.events(
                conn, subscription[0], first=first, last=last, count=count, visibility=visibility
            )

        numbers = f"events {first} to {last}"
        return await self._traced("notify", work, "Subscription", subscription[1], query=numbers, walled=False)

    async def events(
        self, subscription_id: str, *, first: int, last: int, count: int, content: str
    ) -> tuple[Stored, State | None, list[Event]]:
        """A subscription, what the server knows of it, and its events again. Raises NotFound, Gone.

        content: empty for numbers and instants only.
        """

        async def work(conn: Connection) -> tuple[Stored, State | None, list[Event]]:
            stored = await read.read(conn, "Subscription", subscription_id, self._policy.visibility)
            state = await outbox.state(conn, subscription_id)
            if state is None:
                return stored, None, []
            shown = self._policy.visibility if content != "empty" else Visibility()
            found = await outbox.events(conn, state.row_id, first=first, last=last, count=count, visibility=shown)
            return stored, state, found

        numbers = f"events {first} to {last}"
        return await self._traced("events", work, "Subscription", subscription_id, query=numbers, walled=False)

    async def create(self, resource: dict[str, Any], *, if_none_exist: str | None = None) -> Written:
        """Creates a resource under an id of ours; `if_none_exist` are the criteria of a conditional create."""
        operation = Operation("POST", _type_of(resource), resource=resource, if_none_exist=if_none_exist)
        return await self._written("create", operation)

    async def update(
        self, resource: dict[str, Any], *, if_match: int | None = None, if_none_match_any: bool = False
    ) -> Written:
        """Writes the next version of the resource with that id, or creates it under that id."""
        operation = Operation(
            "PUT", _type_of(resource), id=resource["id"], resource=resource, if_match=if_match,
            if_none_match="*" if if_none_match_any else None,
        )  # fmt: skip
        return await self._written("update", operation)

    async def update_matching(self, resource: dict[str, Any], query: str, *, if_match: int | None = None) -> Written:
        """Conditional update: writes the one resource that the criteria match, or creates it."""
        operation = Operation("PUT", _type_of(resource), query=query, resource=resource, if_match=if_match)
        return await self._written("update", operation)

    async def patch(
        self, resource_type: str, resource_id: str, apply: Patch, *, if_match: int | None = None
    ) -> Written:
        """Writes what `apply` makes of the present version."""
        operation = Operation("PATCH", resource_type, id=resource_id, if_match=if_match)
        return await self._written("patch", operation, (apply,))

    async def patch_matching(
        self, resource_type: str, query: str, apply: Patch, *, if_match: int | None = None
    ) -> Written:
        """Conditional patch of the one resource that the criteria match."""
        operation = Operation("PATCH", resource_type, query=query, if_match=if_match)
        return await self._written("patch", operation, (apply,))

    async def delete(self, resource_type: str, resource_id: str, *, if_match: int | None = None) -> Written:
        """Deletes; its versions stay in its history."""
        return await self._written("delete", Operation("DELETE", resource_type, id=resource_id, if_match=if_match))

    async def delete_matching(self, resource_type: str, query: str, *, if_match: int | None = None) -> Written:
        """Conditional delete of the one resource that the criteria match."""
        return await self._written("delete", Operation("DELETE", resource_type, query=query, if_match=if_match))

    async def transaction(self, operations: Sequence[Operation], patches: Sequence[Patch] = ()) -> list[Result]:
        """All operations or none, in the order that R4 asks for; results are in the order given."""
        return await self._perform("transaction", operations, patches)

    @property
    def oversight(self) -> Oversight:
        """Breaking the glass, and watching over it."""
        return Oversight(self._traced, self._failed, self._door, self._policy, self._context, self._take_on)

    def _take_on(self) -> None:
        self.acts += 1

    async def consulted(self, interaction: str) -> None:
        """Leaves the trace of a request that says nothing about any patient."""
        self.acts += 1
        await self._door.auditor.write(self._door.auditor.row(self._context, interaction))

    @property
    def bulk(self) -> Bulk:
        """Exports and imports that outlive their request."""
        return Bulk(self._traced, self._policy, self._context, self._door.keys, self._door.clock)

    async def refused(self, interaction: str, target: str, error: DomainError) -> None:
        """Leaves the trace of a request that was refused before it reached any other method."""
        self.acts += 1
        await self._door.auditor.write(
            self._door.auditor.row(self._context, interaction, outcome=REFUSED, target=target, detail=str(error))
        )

    def parse(self, resource_type: str, text: str) -> Query:
        """Reads the criteria of a conditional interaction."""
        query = parse_query(
            resource_type,
            parse_qsl(text, keep_blank_values=True),
            lenient=False,
            base_url=self._door.base_url,
        )
        judge(query, self._policy.visibility)
        return query

    async def _written(self, name: str, operation: Operation, patches: Sequence[Patch] = ()) -> Written:
        results = await self._perform(name, (operation,), patches)
        written = results[0]
        assert isinstance(written, Written), "a write has a write's result"
        return written

    async def _perform(self, name: str, operations: Sequence[Operation], patches: Sequence[Patch]) -> list[Result]:
        self.acts += 1
        door, context = self._door, self._context
        ownership = Ownership(context.actor, context.purpose, door.keys, self._server, door.judge_subscription)
        warrant = SessionWarrant(
            door.auditor, door.keys, self._policy, context, name, self.parse, ownership, workflow=self._workflow
        )
        if self._policy.visibility.hidden:
            patches = [patched(patch, self._policy.visibility, warrant.note_patched) for patch in patches]
        first = operations[0] if operations else None
        single = first if first is not None and name != "transaction" else None
        try:
            self._door.admit(operations)
            results = await self._door.performer.perform(operations, warrant, patches)
        except Exception as error:
            self._door.noticed(error)
            await self._failed(name, error, single.resource_type if single else None, single.id if single else None)
            raise
        if not any(isinstance(result, Written) and result.changed for result in results):
            await self._door.auditor.write(warrant.row_of(results))
        elif door.on_written is not None:
            door.on_written()
        return cut(results, self._policy.visibility)

    async def _traced(
        self,
        name: str,
        work: Callable[[Connection], Awaitable[T]],
        resource_type: str | None,
        target: str | None = None,
        query: str | None = None,
        about: Sequence[str] = (),
        *,
        walled: bool = True,
    ) -> T:
        """Runs work that only reads. walled: False for what tells of hidden versions that they were, and when."""
        self.acts += 1
        try:
            async with self._door.connect(self._policy.visibility.wall if walled else -1) as conn:
                result = await work(conn)
        except Exception as error:
            refusal = translate(error)  # a search may need room of its own, for what it sorts
            await self._failed(name, refusal or error, resource_type, target, query)
            if refusal is not None:
                raise refusal from error
            raise
        auditor = self._door.auditor
        await auditor.write(
            auditor.row(
                self._context,
                name,
                resource_type=resource_type,
                target=target,
                query=query,
                patients=() if self._sweeping and name == "search" else about or _patients(result),
            )
        )
        return cut(result, self._policy.visibility)

    async def _failed(
        self,
        name: str,
        error: Exception,
        resource_type: str | None,
        target: str | None = None,
        query: str | None = None,
    ) -> None:
        outcome = REFUSED if isinstance(error, DomainError) else FAILED
        auditor = self._door.auditor
        await auditor.write(
            auditor.row(
                self._context,
                name,
                outcome=outcome,
                resource_type=resource_type,
                target=target,
                query=query,
                detail=type(error).__name__,
            )
        )


def _type_of(resource: dict[str, Any]) -> str:
    return str(resource.get("resourceType", ""))


def _patients(result: object) -> list[str]:
    """Whose data a result shows."""
    shown: Sequence[Stored] = ()
    if isinstance(result, Candidates):
        return [one.stored.id for one in result.found]
    if isinstance(result, Judged):
        return [result.patient_id] if result.patient_id is not None else []
    if isinstance(result, Stored):
        shown = (result,)
    elif isinstance(result, Page):
        shown = (*result.matches, *result.included)
    elif isinstance(result, tuple | list):
        events = result[-1] if isinstance(result, tuple) else result
        shown = [event.stored for event in events if isinstance(event, Event) and event.stored is not None]
    return [stored.patient_id for stored in shown if stored.patient_id is not None]
