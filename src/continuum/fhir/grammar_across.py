"""A search across types: `GET [base]?_type=Patient,Observation&…` (R4 §3.1.1.2). Pure."""

from collections.abc import Sequence
from dataclasses import replace

from continuum.fhir.grammar import parse
from continuum.fhir.query import Query, Sort
from continuum.fhir.search_params import param
from continuum.fhir.types import TYPE_IDS, TYPES
from continuum.kernel.errors import UnknownParameter

NOT_ACROSS = frozenset({"AuditEvent"})
"""Types that are searched by themselves only: the trace lies elsewhere, newest first, and no index puts it into
one order with resources."""


def parse_across(given: Sequence[tuple[str, str]], *, lenient: bool, base_url: str = "") -> tuple[Query, ...]:
    """The same search on each type of `_type`, or on every type when it names none.

    Without `_sort` the oldest change comes first, so that the types can be put into one order.

    Raises:
        UnknownParameter: as `parse`, for a criterion that one of the types does not have too.
        Malformed: as `parse`.
    """
    types = _types([text for name, text in given if name == "_type"])
    rest = [(name, text) for name, text in given if name != "_type"]
    asked = tuple((name, text) for name, text in given if name == "_type")
    queries = [parse(one, rest, lenient=lenient, base_url=base_url) for one in types]
    ignored = tuple(dict.fromkeys(name for query in queries for name in query.ignored))
    if ignored:
        # What one of the types does not know is left out of all: nobody wants all patients and some observations.
        rest = [(name, text) for name, text in rest if name not in ignored]
        queries = [parse(one, rest, lenient=lenient, base_url=base_url) for one in types]
    _same_orders(queries)
    return tuple(
        replace(
            query,
            sort=query.sort if types[0] in NOT_ACROSS else _order(query),
            self_params=(*asked, *query.self_params),
            ignored=ignored,
        )
        for query in queries
    )


def _types(texts: list[str]) -> tuple[str, ...]:
    if not texts:
        return tuple(one for one in TYPES if one not in NOT_ACROSS)
    wanted = dict.fromkeys(one for text in texts for one in text.split(",") if one)
    for one in wanted:
        if one not in TYPE_IDS:
            raise UnknownParameter(f"_type names {one}, which is no resource type of R4.")
        if one in NOT_ACROSS and len(wanted) > 1:
            raise UnknownParameter(f"{one} cannot be searched together with other types; search it by itself.")
    if not wanted:
        raise UnknownParameter("_type has no value; it takes resource types with commas between.")
    return tuple(wanted)


def _order(query: Query) -> tuple[Sort, ...]:
    if query.sort:
        return query.sort
    changed = param(query.resource_type, "_lastUpdated")
    assert changed is not None, "every type has it"
    return (Sort(changed, descending=False),)


def _same_orders(queries: Sequence[Query]) -> None:
    """What one type is sorted by as a date and another as a code cannot be put into one order."""
    first = queries[0]
    for query in queries[1:]:
        for one, other in zip(first.sort, query.sort, strict=True):
            if one.param.kind != other.param.kind:
                raise UnknownParameter(
                    f"{one.param.code} is a {one.param.kind} of {first.resource_type} and a {other.param.kind} of"
                    f" {query.resource_type}; results of both cannot be sorted by it together."
                )
