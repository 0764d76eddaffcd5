"""Hidden elements: cut out of what leaves the door, and not to be asked for, sorted by, followed or written.

A search by a hidden element would tell of it by what it finds; so would its order, a chain through it, an include
along it, or a patch that tests it.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, TypeVar, cast

from continuum.access.charts import Candidate, Candidates
from continuum.access.classes import FOREIGN, OWN_EXTENSIONS
from continuum.fhir.json import dump, parse
from continuum.fhir.query import AllOf, AnyOf, Chain, Clause, Criterion, Has, InCompartment, Negation, Query
from continuum.kernel.errors import Forbidden, NotAllowed
from continuum.record.model import Page, Stored, Written
from continuum.record.outbox import Event
from continuum.record.perform import Patch
from continuum.record.visibility import Visibility

T = TypeVar("T")
SUBSETTED = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}
"""Tag of a resource of which parts are left out, so that nobody writes it back (R4 §3.1.1.5.8)."""


def cut(shown: T, visibility: Visibility) -> T:
    """What an act shows, without hidden elements: a version, a page, a write's result, events, or lists of these."""
    if not visibility.hidden:
        return shown
    return cast("T", _cut(shown, visibility))


def _cut(shown: Any, visibility: Visibility) -> Any:
    if isinstance(shown, Stored):
        hidden = visibility.hidden.get(shown.resource_type)
        return shown if hidden is None or shown.body is None else shown._replace(body=without(shown.body, hidden))
    if isinstance(shown, Page):
        return replace(
            shown,
            matches=tuple(_cut(one, visibility) for one in shown.matches),
            included=tuple(_cut(one, visibility) for one in shown.included),
        )
    if isinstance(shown, Written | Event | Candidate):
        return replace(shown, stored=_cut(shown.stored, visibility))
    if isinstance(shown, Candidates):
        return replace(shown, found=_cut(shown.found, visibility))
    if isinstance(shown, list | tuple):
        return type(shown)(_cut(one, visibility) for one in shown)
    return shown


def without(body: bytes, hidden: frozenset[str]) -> bytes:
    """The JSON text of a resource without some of its elements, tagged as not whole."""
    resource = parse(body)
    meta = dict(resource.get("meta") or {})
    meta["tag"] = [*(tag for tag in meta.get("tag", ()) if tag.get("code") != "SUBSETTED"), SUBSETTED]
    return dump(
        {"resourceType": resource["resourceType"], "id": resource.get("id"), "meta": meta, **_rest(resource, hidden)}
    )


def _rest(resource: dict[str, Any], hidden: frozenset[str]) -> dict[str, Any]:
    seen = {
        name: value
        for name, value in resource.items()
        if name not in ("resourceType", "id", "meta") and name.removeprefix("_") not in hidden
    }
    if FOREIGN in hidden and "extension" in seen:
        own = [one for one in seen.pop("extension") if not _foreign(one)]
        return {**seen, "extension": own} if own else seen
    return seen


def _foreign(extension: dict[str, Any]) -> bool:
    return not str(extension.get("url", "")).startswith(OWN_EXTENSIONS)


def patched(patch: Patch, visibility: Visibility, noted: Callable[[str, str], None]) -> Patch:
    """A patch that finds and leaves no hidden element; `noted` is told what it patched (type, id)."""

    def apply(resource: dict[str, Any]) -> dict[str, Any]:
        hidden = visibility.hidden.get(resource["resourceType"])
        if hidden is None:
            return patch(resource)
        noted(resource["resourceType"], resource["id"])
        whole = {name: value for name, value in resource.items() if name in ("resourceType", "id", "meta")}
        made = patch(whole | _rest(resource, hidden))
        partly = FOREIGN in hidden and "extension" not in hidden
        if any(name.removeprefix("_") in hidden for name in made) or (
            partly and any(_foreign(one) for one in made.get("extension", ()))
        ):
            raise Forbidden("The patch writes a part of the resource that is hidden from you.")
        kept = {name: value for name, value in resource.items() if name.removeprefix("_") in hidden}
        others = [one for one in resource.get("extension", ()) if partly and _foreign(one)]
        if others:
            kept["extension"] = [*made.get("extension", ()), *others]
        return {**made, **kept}

    return apply


def judge(query: Query, visibility: Visibility) -> None:
    """Refuses a search that would tell of hidden elements. Raises Forbidden."""
    if not visibility.hidden:
        return
    asked = set(_asked(query.where, query.resource_type))
    asked.update((query.resource_type, sort.param.code) for sort in query.sort)
    for include in query.includes:
        if include.param is not None:
            asked.add((include.source_type, include.param.code))
        elif include.source_type == "*" or include.source_type in visibility.only:
            raise Forbidden("Name the parameter to include by: some references are hidden from you.")
    for kind, code in sorted(asked):
        only = visibility.only.get(kind)
        if code in visibility.unasked.get(kind, ()) or (only is not None and code not in only):
            raise Forbidden(f"{code} of {kind} cannot be asked for: it tells of parts that are hidden from you.")


def refuse_parts(visibility: Visibility) -> None:
    """Refuses a whole record, or a whole visit, to those who see parts of resources. Raises NotAllowed."""
    if visibility.hidden:
        raise NotAllowed("A whole record is not open to a role that sees parts of it; search its resources.")


def _asked(clauses: tuple[Clause, ...], kind: str) -> Iterator[tuple[str, str]]:
    """(type, parameter) of everything that clauses ask."""
    for clause in clauses:
        if isinstance(clause, Criterion):
            yield kind, clause.param.code
        elif isinstance(clause, Chain):
            yield kind, clause.param.code
            for target, inner in clause.inner:
                yield from _asked((inner,), target)
        elif isinstance(clause, Has):
            yield clause.param.resource_type, clause.param.code
            yield from _asked((clause.inner,), clause.param.resource_type)
        elif isinstance(clause, InCompartment):
            yield from ((kind, one.code) for one in clause.params if clause.compartment_type != "Patient")
        elif isinstance(clause, AllOf | AnyOf):
            yield from _asked(clause.clauses, kind)
        elif isinstance(clause, Negation):
            yield from _asked((clause.clause,), kind)
