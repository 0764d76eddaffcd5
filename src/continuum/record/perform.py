"""Acts on the record: one operation or a transaction of many, by one mechanism (R4 §3.1.0.11.2).

Conditional interactions lock their criteria before they look, so two that race see each other; existing
resources are locked before they are judged; everything is then written in one call. Operations that only
create need no explicit transaction at all: the call is one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from continuum.fhir.json import parse
from continuum.fhir.query import Query
from continuum.fhir.types import TYPE_IDS, TYPE_NAMES
from continuum.kernel.errors import (
    Conflict,
    DomainError,
    Gone,
    Invalid,
    Issue,
    Malformed,
    MultipleMatches,
    NotFound,
    PreconditionFailed,
)
from continuum.kernel.ids import uuid7
from continuum.kernel.limits import RETRIES_MAX
from continuum.record import bundle_references
from continuum.record.body import decode, whole
from continuum.record.entry import prepare
from continuum.record.keys import Keys
from continuum.record.model import Operation, Page, Stored, Written
from continuum.record.read import Connect, Connection, missing
from continuum.record.search import resolve
from continuum.record.together import Together
from continuum.record.unseen import hide, links_to_judge, refuse_links
from continuum.record.visibility import Visibility
from continuum.record.write import (
    RETRY_STATES,
    AuditRow,
    Change,
    Guard,
    Present,
    RowIds,
    lock,
    refuse_orphans,
    translate,
    write,
    write_audits,
)

Result = Written | Page | Stored
Patch = Callable[[dict[str, Any]], dict[str, Any]]


class Warrant(Protocol):
    """What `access` hands down with an act: what may be seen, what may be written, what is traced."""

    visibility: Visibility
    settled_types: frozenset[str]
    """Types of which `settle` must hear within the transaction."""

    def permit(self, changes: Sequence[Change]) -> Guard:
        """Lets the changes through or raises a refusal; the guard is checked in the database."""

    def trace(self, written: Sequence[Change], shown: Sequence[Result] = ()) -> list[AuditRow]:
        """The audit rows of the act, `shown` being what it answers beside what it wrote."""

    def query(self, resource_type: str, text: str) -> Query:
        """Reads the criteria of a conditional interaction."""

    async def settle(self, conn: Connection, changes: Sequence[Change]) -> None:
        """Writes what belongs to the changes of `settled_types`, in their transaction."""

    async def look(self, conn: Connection, operation: Operation) -> Result:
        """Answers a GET of a transaction, after its writes."""


@dataclass(slots=True)
class Step:
    """An operation on its way: its criteria, what it was matched to, and what it will write."""

    operation: Operation
    criteria: Query | None = None
    matched: Stored | None = None
    address: tuple[str, str] | None = None
    chosen: bool = False
    """Whether the caller chose the id of the address."""
    resource: dict[str, Any] | None = None
    change: Change | None = None
    patch: Patch | None = None


class Performer:
    """Carries out acts on one database."""

    def __init__(self, connect: Connect, keys: Keys, clock: Callable[[], int]) -> None:
        self.connect = connect
        self.keys = keys
        self.clock = clock
        self.row_ids = RowIds()
        self.together = Together(connect, self.row_ids, clock)

    async def perform(
        self, operations: Sequence[Operation], warrant: Warrant, patches: Sequence[Patch] = ()
    ) -> list[Result]:
        """Carries out all operations, or none; results are in their order.

        patches: the functions of the PATCH operations, in their order.

        Raises:
            DomainError: the refusal of the first operation that cannot be done.
        """
        plain = all(
            operation.method == "POST"
            and operation.if_none_exist is None
            and operation.resource_type not in warrant.settled_types
            for operation in operations
        )
        for attempt in range(1, RETRIES_MAX + 1):
            steps = _steps(operations, patches, warrant)
            try:
                created = await self._create(steps, warrant) if plain else None
                if created is not None:
                    return created
                steps = _steps(operations, patches, warrant)
                async with self.connect() as conn, conn.transaction():
                    return await self._act(conn, steps, warrant)
            except DomainError:
                raise
            except Exception as error:
                changes = [step.change for step in steps if step.change is not None]
                refusal = translate(error, changes)
                if refusal is not None:
                    raise refusal from error
                if getattr(error, "sqlstate", None) not in RETRY_STATES:
                    raise
                if attempt == RETRIES_MAX:
                    raise Conflict("Others kept changing the same resources; please try again.") from error
        raise AssertionError("the loop returns or raises")

    async def _create(self, steps: list[Step], warrant: Warrant) -> list[Result] | None:
        """New resources only: nothing to look up, nothing to lock, one call; None when something must be looked up."""
        now_us = self.clock()
        _name(steps)
        _link(steps, {})
        for step in steps:
            step.change = self._change(step, None, now_us)
        changes = [step.change for step in steps if step.change is not None]
        if any(bundle_references.refers_by_criteria(change.prepared.tail) for change in changes if change.prepared):
            return None
        guard = warrant.permit(changes)
        wanted = links_to_judge(changes, warrant.visibility)
        if wanted:
            async with self.connect() as conn:
                await refuse_links(conn, wanted, changes, warrant.visibility)
        await self.together.write(changes, audits=warrant.trace(changes), guard=guard)
        return [_result(step) for step in steps]

    async def _act(self, conn: Connection, steps: list[Step], warrant: Warrant) -> list[Result]:
        now_us = self.clock()
        await self._match(conn, steps, warrant)
        _name(steps)
        wanted = sorted({text for step in steps for text in bundle_references.conditional(step.resource)})
        _link(steps, {text: await self._target(conn, text, warrant) for text in wanted})
        known = [
            (TYPE_IDS[step.address[0]], step.address[1])
            for step in steps
            if step.address is not None and step.operation.method in {"PUT", "PATCH", "DELETE"}
        ]
        presents = await lock(conn, known) if known else {}
        presents = await hide(conn, presents, warrant.visibility)
        for step in steps:
            _refuse_chosen(step, presents, warrant.visibility)
            self._judge(step, presents, now_us)
        changes = [step.change for step in steps if step.change is not None]
        _refuse_twice(changes)
        looks = any(step.operation.method == "GET" for step in steps)
        if changes:
            guard = warrant.permit(changes)
            judged = links_to_judge(changes, warrant.visibility)
            if judged:
                await refuse_links(conn, judged, changes, warrant.visibility)
            matched = [_result(step) for step in steps if step.matched is not None and step.change is None]
            audits = () if looks else warrant.trace(changes, matched)
            await write(conn, changes, row_ids=self.row_ids, audits=audits, guard=guard)
            await refuse_orphans(conn, changes, self.keys)
            if any(TYPE_NAMES[change.address[0]] in warrant.settled_types for change in changes):
                await warrant.settle(conn, changes)
        results = [
            await warrant.look(conn, step.operation) if step.operation.method == "GET" else _result(step)
            for step in steps
        ]
        if changes and looks:
            shown = [result for step, result in zip(steps, results, strict=True) if step.change is None]
            await write_audits(conn, warrant.trace(changes, shown))
        return results

    async def _match(self, conn: Connection, steps: list[Step], warrant: Warrant) -> None:
        """Locks the criteria of all conditional operations, then looks what they match."""
        conditional = [step for step in steps if step.criteria is not None]
        if not conditional:
            return
        criteria = [step.criteria for step in conditional if step.criteria is not None]
        locks = sorted({self._criteria_key(query) for query in criteria})
        await conn.execute("SELECT pg_advisory_xact_lock(k) FROM unnest($1::bigint[]) k", locks)
        making: set[int] = set()
        for step in conditional:
            assert step.criteria is not None, "only conditional steps are matched"
            found = await resolve(conn, step.criteria, visibility=warrant.visibility, keys=self.keys, limit=2)
            if len(found) > 1:
                raise MultipleMatches(
                    f"The criteria match more than one {step.criteria.resource_type}; make them narrower."
                )
            step.matched = found[0] if found else None
            if not found and step.operation.method in {"POST", "PUT"}:
                key = self._criteria_key(step.criteria)
                if key in making:
                    raise Malformed(
                        f"Two entries would each create a {step.criteria.resource_type} under the same criteria."
                    )
                making.add(key)

    def _criteria_key(self, criteria: Query) -> int:
        return self.keys.of(criteria.resource_type, repr(criteria.where))

    async def _target(self, conn: Connection, text: str, warrant: Warrant) -> str:
        resource_type, _, criteria = text.partition("?")
        if resource_type not in TYPE_IDS:
            raise Malformed(f"The conditional reference {text} does not begin with a resource type.")
        query = warrant.query(resource_type, criteria)
        found = await resolve(conn, query, visibility=warrant.visibility, keys=self.keys, limit=2)
        if len(found) != 1:
            number = "nothing" if not found else "more than one resource"
            raise PreconditionFailed(f"The conditional reference {text} matches {number}.")
        return f"{resource_type}/{found[0].id}"

    def _judge(self, step: Step, presents: dict[tuple[int, str], Present], now_us: int) -> None:
        """Decides what a step writes, from what is there and what it demands."""
        operation = step.operation
        if operation.method == "GET" or step.address is None:
            return
        resource_type, resource_id = step.address
        present = presents.get((TYPE_IDS[resource_type], resource_id))
        alive = present is not None and not present.deleted
        if operation.method == "POST":
            if step.matched is None:
                step.change = self._change(step, None, now_us)
            return
        if operation.if_match is not None and (present is None or not alive or present.version != operation.if_match):
            at = f"version {present.version}" if present is not None and alive else "not there"
            raise PreconditionFailed(
                f"{resource_type}/{resource_id} is {at}, not version {operation.if_match} as If-Match says;"
                " read it again and repeat your change."
            )
        if operation.method == "DELETE":
            if alive:
                step.change = Change(prepared=None, present=present, now_us=now_us)
            elif present is None and operation.query is None:
                raise missing(resource_type, resource_id)
            return
        if operation.if_none_match == "*" and alive:
            raise PreconditionFailed(f"{resource_type}/{resource_id} exists already.")
        if operation.method == "PATCH":
            step.resource = _patched(step, present)
        step.change = self._change(step, present, now_us)

    def _change(self, step: Step, present: Present | None, now_us: int) -> Change:
        assert step.resource is not None, "what is written has a resource"
        return Change(prepared=prepare(step.resource, self.keys), present=present, now_us=now_us)


def _steps(operations: Sequence[Operation], patches: Sequence[Patch], warrant: Warrant) -> list[Step]:
    waiting = iter(patches)
    steps = []
    for operation in operations:
        if operation.resource_type not in TYPE_IDS:
            raise Malformed(f"There is no resource type {operation.resource_type} in FHIR R4.")
        text = operation.if_none_exist if operation.method == "POST" else operation.query
        step = Step(operation, resource=operation.resource)
        if text is not None and operation.method != "GET":
            step.criteria = warrant.query(operation.resource_type, text)
        if operation.method == "PATCH":
            step.patch = next(waiting)
        steps.append(step)
    return steps


def _name(steps: list[Step]) -> None:
    """Gives every step the address that it reads or writes."""
    for step in steps:
        operation = step.operation
        if operation.method == "GET":
            continue
        if step.matched is not None:
            step.address = (step.matched.resource_type, step.matched.id)
            _agree(step)
        elif operation.method == "POST":
            step.address = (operation.resource_type, uuid7())
        elif operation.query is None:
            assert operation.id is not None, "the API gives every unconditional write its id"
            step.address = (operation.resource_type, operation.id)
            step.chosen = True
        elif operation.method == "PUT":
            given = (step.resource or {}).get("id")
            step.address = (operation.resource_type, given or uuid7())
            step.chosen = bool(given)
        elif operation.method == "PATCH":
            raise NotFound(f"The criteria match no {operation.resource_type} to patch.")
        if step.resource is not None and step.address is not None and operation.method in ("POST", "PUT"):
            step.resource = {**step.resource, "id": step.address[1]}


def _refuse_chosen(step: Step, presents: Mapping[tuple[int, str], Present], visibility: Visibility) -> None:
    """Who may not see all of a type chooses no ids in it: that one is taken would say that somebody has it."""
    operation = step.operation
    if operation.method != "PUT" or operation.if_match is not None or step.address is None or not step.chosen:
        return
    resource_type, resource_id = step.address
    scope = visibility.of(resource_type)
    if scope.limited and (TYPE_IDS[resource_type], resource_id) not in presents:
        raise NotFound(
            f"There is no {resource_type}/{resource_id} here that you may change."
            f" Create a new {resource_type} with POST; the server gives it its id."
        )


def _link(steps: list[Step], targets: dict[str, str]) -> None:
    """Replaces references between the entries, and conditional ones (`targets`), by real ones."""
    addresses = {
        step.operation.full_url: f"{step.address[0]}/{step.address[1]}"
        for step in steps
        if step.operation.full_url and step.address is not None
    }
    if addresses or targets:
        for step in steps:
            if step.resource is not None:
                step.resource = bundle_references.replace(step.resource, addresses, targets)


def _agree(step: Step) -> None:
    given = (step.resource or {}).get("id")
    if step.operation.method == "PUT" and given is not None and given != step.matched.id:  # type: ignore[union-attr]
        raise Invalid(
            "The resource's id is not that of the one the criteria match.",
            issues=(Issue("invalid", "The id must be left out or equal the matched one.", ("id",)),),
        )


def _patched(step: Step, present: Present | None) -> dict[str, Any]:
    assert step.address is not None, "a patch has an address"
    resource_type, resource_id = step.address
    if present is None:
        raise missing(resource_type, resource_id)
    if present.deleted or present.body is None:
        raise Gone(f"{resource_type}/{resource_id} was deleted.")
    body = decode(resource_type, resource_id, present.version, present.updated_us, present.body)
    assert step.patch is not None, "a PATCH operation has its patch"
    patched = step.patch(parse(body))
    if patched.get("resourceType") != resource_type or patched.get("id") != resource_id:
        raise Invalid("A patch cannot change the type or the id of a resource.")
    return patched


def _refuse_twice(changes: Sequence[Change]) -> None:
    seen = set()
    for change in changes:
        if change.address in seen:
            raise Malformed(f"The transaction writes {_address_text(change.address)} more than once.")
        seen.add(change.address)


def _address_text(address: tuple[int, str]) -> str:
    return f"{TYPE_NAMES[address[0]]}/{address[1]}"


def _result(step: Step) -> Written:
    change = step.change
    if change is None:
        if step.matched is not None and step.operation.method == "POST":
            return Written(200, step.matched, changed=False)
        resource_type, resource_id = step.address or (step.operation.resource_type, "")
        nothing = Stored(resource_type, resource_id, 0, 0, deleted=True, patient_id=None, body=None)
        return Written(204, nothing, changed=False)
    prepared = change.prepared
    resource_type, resource_id = step.address or ("", "")
    body = None
    patient_id = change.present.patient_id if change.present else None
    if prepared is not None:
        body = whole(resource_type, resource_id, change.version, change.updated_us, prepared.tail)
        patient_id = prepared.patient_id
    made = Stored(
        resource_type, resource_id, change.version, change.updated_us, deleted=prepared is None,
        patient_id=patient_id, body=body,
    )  # fmt: skip
    if prepared is None:
        return Written(204, made)
    created = change.present is None or change.present.deleted
    return Written(201 if created else 200, made)
