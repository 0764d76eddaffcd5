"""Operations on resources that R4 defines beside its interactions: meta, validate, lastn, an encounter's everything."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from continuum.access.cutting import cut, judge, refuse_parts
from continuum.access.ground import Ground
from continuum.fhir.invariants import broken
from continuum.fhir.json import parse
from continuum.fhir.query import Query
from continuum.fhir.types import TYPE_IDS, TYPES
from continuum.fhir.validate import validate
from continuum.kernel.errors import DomainError, Forbidden, Issue
from continuum.record import judging, read, search
from continuum.record.entry import arrange
from continuum.record.model import Mark, Operation, Page, Stored, Written
from continuum.record.read import Connection

MODES = ("create", "update", "delete")
"""What a resource can be validated for (R4 resource-validation-mode, without `profile`)."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What would be said against a write. patient_id: whose stored resource was looked at."""

    issues: tuple[Issue, ...]
    patient_id: str | None = None


class ResourceActs(Ground):
    """The part of a Session for these operations."""

    async def meta(self, resource_type: str, resource_id: str) -> Stored:
        """The present version, of which the meta is shown. Raises NotFound, Gone."""

        async def work(conn: Connection) -> Stored:
            return await read.read(conn, resource_type, resource_id, self._policy.visibility)

        return await self._traced("meta", work, resource_type, resource_id)

    async def meta_in_use(self, resource_type: str | None) -> dict[str, Any]:
        """A Meta with the profiles, security labels and tags that present resources of a type have, or of all types.

        Raises:
            Forbidden: not all of them are open to this session: what others have tells of them.
        """

        async def work(conn: Connection) -> list[Mark]:
            names = [resource_type] if resource_type else [name for name in TYPES if name != "AuditEvent"]
            visibility = self._policy.visibility
            for name in names:
                if visibility.of(name).limited or name in visibility.only:
                    what = f"every {resource_type}" if resource_type else "everything"
                    raise Forbidden(
                        f"Which profiles, labels and tags are in use is told to those who may see {what}:"
                        " it tells of the others. Ask one resource for its own."
                    )
            return await search.marks_in_use(conn, names, visibility=visibility, keys=self._door.keys)

        return _told(await self._traced("meta", work, resource_type))

    async def change_meta(
        self, resource_type: str, resource_id: str, apply: Callable[[dict[str, Any]], dict[str, Any]]
    ) -> Written:
        """Writes what `apply` makes of the present version. Raises as a patch does."""
        operation = Operation("PATCH", resource_type, id=resource_id)
        return await self._written("meta", operation, (apply,))

    async def encounter_everything(self, encounter_id: str, **options: Any) -> Page:
        """All that belongs to an encounter; options as `record.search.encounter_everything` takes them."""

        async def work(conn: Connection) -> Page:
            refuse_parts(self._policy.visibility)
            return await search.encounter_everything(
                conn, encounter_id, visibility=self._policy.visibility, keys=self._door.keys, **options
            )

        return await self._traced("everything", work, "Encounter", encounter_id)

    async def last_n(self, query: Query, most: int) -> Page:
        """The latest observations of each kind (record/search/last_n.py)."""

        async def work(conn: Connection) -> Page:
            judge(query, self._policy.visibility)
            return await search.last_n(conn, query, most, visibility=self._policy.visibility, keys=self._door.keys)

        text = "&".join(f"{name}={value}" for name, value in query.self_params)
        return await self._traced("lastn", work, "Observation", query=text)

    async def judged(
        self, resource_type: str, resource: dict[str, Any] | None, *, resource_id: str = "", mode: str = ""
    ) -> Judged:
        """What would be said against a resource, or against deleting one; nothing is written.

        resource: None for the stored one with `resource_id`. mode: one of MODES, or "" for the content alone.

        Raises:
            NotFound, Gone: the resource that is named by its id is not there.
        """

        async def work(conn: Connection) -> Judged:
            stored: Stored | None = None
            if resource_id and (resource is None or mode in ("update", "delete")):
                stored = cut(await self._found(conn, resource_type, resource_id, mode), self._policy.visibility)
            if mode == "delete":
                issues = await self._deletable(conn, resource_type, resource_id)
            else:
                judged = resource if resource is not None else _parsed(stored)
                issues = await self._issues(conn, judged, mode=mode, resource_id=resource_id)
            return Judged(tuple(issues), None if stored is None else stored.patient_id)

        return await self._traced("validate", work, resource_type, resource_id or None)

    async def _found(self, conn: Connection, resource_type: str, resource_id: str, mode: str) -> Stored | None:
        try:
            return await read.read(conn, resource_type, resource_id, self._policy.visibility)
        except DomainError:
            if mode == "update":  # an update may create (R4 §3.1.0.4.1)
                return None
            raise

    async def _deletable(self, conn: Connection, resource_type: str, resource_id: str) -> list[Issue]:
        issues = self._writable(resource_type)
        if await judging.referrers(conn, resource_type, resource_id, self._door.keys):
            text = f"Other resources refer to {resource_type}/{resource_id}; it cannot be deleted before those."
            issues.append(Issue("conflict", text))
        return issues

    def _writable(self, resource_type: str) -> list[Issue]:
        if resource_type in self._policy.writes:
            return []
        return [Issue("forbidden", f"A {resource_type} is not open to you for writing.")]

    async def _issues(self, conn: Connection, resource: dict[str, Any], *, mode: str, resource_id: str) -> list[Issue]:
        kind = resource["resourceType"]
        issues = list(self._writable(kind)) if mode else []
        if mode == "update" and resource.get("id") != (resource_id or resource.get("id")):
            issues.append(Issue("invalid", "The resource's id is not that of the address.", (f"{kind}.id",)))
        if mode == "update" and "id" not in resource:
            issues.append(Issue("required", "An update needs the resource's id.", (f"{kind}.id",)))
        structural = validate(resource)
        issues += structural
        if any(issue.severity in ("error", "fatal") for issue in structural):
            return issues
        issues += broken(resource)
        prepared = arrange({"id": "new", **resource}, kind, TYPE_IDS[kind], self._door.keys)
        own = f"{kind}/{resource['id']}" if "id" in resource else ""
        wanted: Sequence[str] = [link for link in prepared.links if link != own] if mode else []
        for link in sorted(await judging.absent(conn, wanted, self._policy.visibility)):
            issues.append(Issue("not-found", f"The reference {link} names a resource that does not exist here."))
        return issues


def _told(marks: list[Mark]) -> dict[str, Any]:
    """A Meta of marks, each once, however many types have it."""
    found: dict[str, Any] = {}
    for _, element, system, code in marks:
        coding = {"system": system, "code": code} if system else {"code": code}
        one = code if element == "profile" else coding
        known = found.setdefault(element, [])
        if one not in known:
            known.append(one)
    return found


def _parsed(stored: Stored | None) -> dict[str, Any]:
    assert stored is not None, "what is judged is given or stored"
    assert stored.body is not None, "what was read is not deleted"
    return parse(stored.body)
