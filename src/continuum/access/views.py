"""Views of one person's chart: what a page shows is found in one act and leaves one row."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import compress
from typing import Any
from urllib.parse import parse_qsl

from continuum.access.cutting import cut, judge
from continuum.access.ground import Ground
from continuum.access.limits import VIEW_NAMES_MAX, VIEW_SEARCHES_CACHED_MAX
from continuum.fhir import grammar
from continuum.fhir.grammar_values import reference_value
from continuum.fhir.json import parse
from continuum.fhir.query import Criterion, Query
from continuum.fhir.search_params import param
from continuum.kernel.errors import NotFound
from continuum.record import read, search
from continuum.record.model import Page, Stored
from continuum.record.read import Connection
from continuum.record.visibility import NOTHING, Visibility

Resource = dict[str, Any]
NO_MORE: Mapping[str, tuple[str, str]] = {}
Found = Mapping[str, Sequence[Stored]]
"""What was found, by label, as text."""
Fewer = Callable[[Found], Callable[[Stored], bool]]
"""Told what was found, it says what of it the page has a use for; who the rest refers to is not even looked up."""
Sift = Callable[[Mapping[str, Resource], Mapping[str, Resource]], Callable[[Sequence[Stored]], Sequence[bool]]]
"""Told the names and visits of a view, it says of each that was found whether it is made a resource or left out."""
_REFERENCE = re.compile(rb'"reference":"(Practitioner|Organization|Location|PractitionerRole)/([A-Za-z0-9.\-]{1,64})"')
"""References to those whose names a chart shows beside its entries: who and where. Bodies are stored without blanks."""
_ID = re.compile(r"[A-Za-z0-9.\-]+")
_VISIT = re.compile(rb'"encounter":\[?\{"reference":"Encounter/([A-Za-z0-9.\-]{1,64})"')
_PROVIDER = re.compile(rb'"serviceProvider":(\{[^{}]*\})')
"""Most entries say at which visit they were made, and only the visit says where that was."""


@dataclass(frozen=True, slots=True)
class View:
    """What was found of one patient.

    patient: the Patient as it is now. found: for each label the resources, in the order of the search. on: the
    cursor of the next page for each label that has one. names: resources of those who are referred to, by reference.
    visits: who provided the visits that are referred to, by reference; nothing else of them.
    """

    patient: Resource
    found: Mapping[str, Sequence[Resource]]
    on: Mapping[str, str]
    names: Mapping[str, Resource]
    visits: Mapping[str, Resource] = field(default_factory=dict)


class ViewActs(Ground):
    """The part of a Session that shows charts."""

    async def view(
        self, name: str, patient_id: str, searches: Mapping[str, str], *, places: bool = True,
        further: Mapping[str, tuple[str, str]] = NO_MORE, fewer: Fewer | None = None, sift: Sift | None = None,
    ) -> View:  # fmt: skip
        """One patient and several searches of their data.

        name: of what is shown, for the trace. searches: by label, as `Type?criteria`; each is about this patient
        whatever it says. places: whether the page says of entries that do not say it themselves where they were made.
        further: searches that are made only where another one goes on: by label, (the other's label, `Type?criteria`).
        fewer, sift: what is left out of the view, told from its text. In the trace it is there: it was read.

        Raises:
            NotFound, Gone: there is no such patient, or none that the actor may know of.
        """
        visibility = self._policy.visibility

        async def work(conn: Connection) -> Page:
            asked = {**searches, **{label: text for label, (_, text) in further.items()}}
            queries = {label: self._about(text, patient_id) for label, text in asked.items()}
            patient = await read.read(conn, "Patient", patient_id, visibility)
            keys = self._door.keys
            first = {label: query for label, query in queries.items() if label not in further}
            pages.update(await search.search_several(conn, first, visibility=visibility, keys=keys))
            then = {label: queries[label] for label, (other, _) in further.items() if pages[other].next_cursor}
            if then:
                pages.update(await search.search_several(conn, then, visibility=visibility, keys=keys))
            pages.update((label, cut(page, visibility)) for label, page in pages.items())
            shown = tuple(stored for page in pages.values() for stored in (*page.matches, *page.included))
            used = shown
            if fewer is not None:
                useful = fewer({label: page.matches for label, page in pages.items()})
                used = tuple(stored for stored in shown if useful(stored))
            told = [stored.body or b"" for stored in (patient, *used)]
            visits = _visits(told) if places and visibility.of("Encounter") != NOTHING else []
            for one in await _stored_visits(conn, visits, shown, visibility):
                if one.patient_id == patient_id and (found := _PROVIDER.search(one.body or b"")):
                    places_of[f"Encounter/{one.id}"] = {"serviceProvider": parse(found[1])}
                    told.append(found[1])
            called = {kind: sorted(ids)[:VIEW_NAMES_MAX] for kind, ids in _references(told).items()}
            for one in await read.by_ids(conn, called, visibility):
                names[f"{one.resource_type}/{one.id}"] = _body(one)
            if sift is not None:
                used = tuple(compress(used, sift(names, places_of)(used)))
            for stored in used:
                if stored[:3] not in bodies:
                    bodies[stored[:3]] = _body(stored)
            return Page((patient, *shown))

        pages: dict[str, Page] = {}
        bodies: dict[tuple[str, str, int], Resource] = {}
        names: dict[str, Resource] = {}
        places_of: dict[str, Resource] = {}
        page = await self._traced("search", work, "Patient", patient_id, query=name)
        return View(
            _body(page.matches[0]),
            {
                label: [bodies[one[:3]] for one in (*found.matches, *found.included) if one[:3] in bodies]
                for label, found in pages.items()
            },
            {label: one.next_cursor for label, one in pages.items() if one.next_cursor},
            names,
            places_of,
        )

    def _about(self, text: str, patient_id: str) -> Query:
        """`Type?criteria` about one patient."""
        kind, _, criteria = text.partition("?")
        query = _of_patient(kind, criteria, patient_id, self._door.base_url)
        judge(query, self._policy.visibility)
        return query

    async def shared(self, what: str, patient_id: str, to: str) -> None:
        """Leaves the trace of something that was handed out of the record: to whoever calls themselves `to`."""
        self.acts += 1
        auditor = self._door.auditor
        await auditor.write(auditor.row(self._context, "share", query=f"{what} to {to}", patients=[patient_id]))


def _of_patient(kind: str, criteria: str, patient_id: str, base_url: str) -> Query:
    """A search of one patient's resources: what a page asks of everybody is read once, the patient put before it."""
    own = _about_patient(kind, patient_id, base_url)
    rest = _read(kind, criteria, base_url)
    return replace(rest, where=(own, *rest.where), self_params=(("patient", patient_id), *rest.self_params))


@lru_cache(maxsize=VIEW_SEARCHES_CACHED_MAX)
def _about_patient(kind: str, patient_id: str, base_url: str) -> Criterion:
    if _ID.fullmatch(patient_id) is None:
        raise NotFound("There is no such patient.")
    found = param(kind, "patient")
    assert found is not None, "a chart asks for what belongs to patients"
    # The type is said, for some parameters may name a group as well: one patient's rows are found the shorter way.
    return Criterion(found, "", (reference_value(found, "", f"Patient/{patient_id}", base_url),))


@lru_cache(maxsize=VIEW_SEARCHES_CACHED_MAX)
def _read(kind: str, criteria: str, base_url: str) -> Query:
    """Of no page is the prefix `ap`, which would depend on the time."""
    return grammar.parse(kind, parse_qsl(criteria, keep_blank_values=True), lenient=False, base_url=base_url)


def _body(stored: Stored) -> Resource:
    assert stored.body is not None, "what a search finds is not deleted"
    resource: Resource = parse(stored.body)
    return resource


def _visits(bodies: Iterable[bytes]) -> list[str]:
    """Ids of the visits at which those of these were made that name no place themselves."""
    found: dict[bytes, None] = {}
    for body in bodies:
        # Many are of one visit: where they were made is asked once.
        new = [name for name in _VISIT.findall(body) if name not in found]
        if new and not _placed(body):
            found.update(dict.fromkeys(new))
    return [name.decode() for name in found][:VIEW_NAMES_MAX]


def _placed(body: bytes) -> bool:
    """Whether a resource, of its JSON, names a place itself."""
    return (
        b'"location":' in body
        or b'"custodian":' in body
        or b'"serviceProvider":' in body
        or b'"managingOrganization":' in body
    )


async def _stored_visits(
    conn: Connection, visits: Sequence[str], shown: Sequence[Stored], visibility: Visibility
) -> list[Stored]:
    """The visits with these ids; those that were found themselves are not read again."""
    if not visits:
        return []
    asked = set(visits)
    known = {one.id: one for one in shown if one.resource_type == "Encounter" and one.id in asked}
    missing = [one for one in visits if one not in known]
    return [*known.values(), *(await read.by_ids(conn, {"Encounter": missing}, visibility) if missing else ())]


def _references(bodies: Iterable[bytes]) -> dict[str, set[str]]:
    """Ids by type of those who are referred to: read from the text, which is many times cheaper than the tree."""
    met = _REFERENCE.findall(b"\n".join(bodies))
    found: dict[str, set[str]] = {}
    for kind, name in set(met):
        found.setdefault(kind.decode(), set()).add(name.decode())
    return found
