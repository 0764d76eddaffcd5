"""Search by GET and POST, within a compartment too, and Patient/$everything (R4 §3.1.1)."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from continuum.access import Page, Stored
from continuum.apps.fhir_api.bundles import (
    CURSOR,
    INCLUDE,
    MATCH,
    bundle,
    issue_entry,
    link,
    resource_entry,
)
from continuum.apps.fhir_api.exchange import CONTENT_TYPE, Exchange, Response
from continuum.apps.fhir_api.inputs import plain
from continuum.apps.fhir_api.instants import parse_instant
from continuum.apps.fhir_api.presentation import View, show, view
from continuum.fhir.grammar import parse as parse_query
from continuum.fhir.grammar_across import parse_across
from continuum.fhir.json import dump_pretty, parse
from continuum.fhir.query import Query
from continuum.fhir.types import TYPE_IDS
from continuum.kernel.errors import Issue, Malformed, UnknownParameter
from continuum.kernel.limits import PAGE_MAX

_OURS = frozenset({"_format", "_pretty"})
"""Parameters that the grammar does not see."""


async def search(x: Exchange) -> Response:
    """One page of a search."""
    x.negotiate()
    params = await x.form() if x.method == "POST" else x.params()
    wanted = view(params, only=False)
    query = parse_query(
        x.target.resource_type,
        [(name, value) for name, value in params if name not in _OURS] if params else params,
        lenient=x.prefer.lenient,
        compartment=x.target.compartment,
        base_url=x.base.decode(),
    )
    page = await x.session.search(query)
    return searchset(x, page, wanted, _path(x), [*query.self_params, *_shape(params)], query)


async def search_across(x: Exchange) -> Response:
    """One page of a search across types."""
    x.negotiate()
    params = await x.form() if x.method == "POST" else x.params()
    wanted = view(params, only=False)
    queries = parse_across(
        [(name, value) for name, value in params if name not in _OURS],
        lenient=x.prefer.lenient,
        base_url=x.base.decode(),
    )
    page = await x.session.search_across(queries)
    return searchset(x, page, wanted, "", [*queries[0].self_params, *_shape(params)], queries[0])


def _path(x: Exchange) -> str:
    """The address of the search, without `_search`: its links are for GET."""
    within = x.target.compartment
    if within is None:
        return x.target.resource_type
    return f"{within[0]}/{within[1]}/{x.target.resource_type}"


def _shape(params: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in params if name in _OURS]


def searchset(
    x: Exchange,
    page: Page,
    wanted: View,
    path: str,
    params: list[tuple[str, str]],
    query: Query | None = None,
) -> Response:
    """A page as a searchset. path: what the links lead to. query: what may have parameters that were ignored."""
    links = [(b"self", link(x.base, path, params))]
    if page.next_cursor:
        onward = [(name, value) for name, value in params if name != CURSOR]
        links.append((b"next", link(x.base, path, [*onward, (CURSOR, page.next_cursor)])))
    entries: list[bytes] = []
    if wanted.summary != "count":
        entries = _entries(x.base, page.matches, wanted, MATCH)
        entries += _entries(x.base, page.included, wanted, INCLUDE)
    if page.estimated and wanted.summary != "count":  # then there are no entries, and the self link says it
        text = f"The total of {page.total} is an estimate; _total=accurate counts."
        entries.append(issue_entry((Issue("informational", text, severity="information"),)))
    if query is not None and query.ignored:
        names = ", ".join(query.ignored)
        text = f"These parameters are not known here and were ignored: {names}."
        entries.append(issue_entry((Issue("not-supported", text, severity="warning"),)))
    body = bundle(b"searchset", entries, links=links, total=page.total, subsetted=wanted.subset)
    return Response(200, dump_pretty(parse(body)) if wanted.pretty else body, [CONTENT_TYPE])


def _entries(base: bytes, found: Sequence[Stored], wanted: View, end: bytes) -> list[bytes]:
    if wanted.subset:
        part = View(summary=wanted.summary, elements=wanted.elements)
        return [resource_entry(base, stored, show(stored.body or b"", part), end) for stored in found]
    return [resource_entry(base, stored, stored.body or b"", end) for stored in found]


async def everything(x: Exchange) -> Response:
    """All that belongs to a patient, in pages if `_count` asks for them."""
    x.negotiate()
    params = await plain(x)
    wanted = view(params, only=False)
    options: dict[str, Any] = {}
    cursor = ""
    for name, value in params:
        if name == "_since":
            options["since_us"] = parse_instant(value, name)[0]
        elif name == "start":
            options["start_us"] = parse_instant(value, name)[0]
        elif name == "end":
            options["end_us"] = parse_instant(value, name)[1]
        elif name == "_type":
            options["types"] = (*options.get("types", ()), *types_named(value))
        elif name == "_count":
            options["count"] = page_size(value, PAGE_MAX)
        elif name == CURSOR:
            cursor = value
        elif name not in ("_format", "_pretty", "_summary", "_elements") and not x.prefer.lenient:
            raise UnknownParameter(f"$everything does not know the parameter {name}.")
    page = await x.session.everything(x.target.id, cursor=cursor, **options)
    last = x.target.route.template.rpartition("/")[2]
    if last == "*":  # the compartment itself, without what it names outside
        page = replace(page, included=())
    return searchset(x, page, wanted, f"Patient/{x.target.id}/{last}", params)


def types_named(text: str) -> tuple[str, ...]:
    """The types of a `_type` parameter. Raises UnknownParameter."""
    types = tuple(part for part in text.split(",") if part)
    for name in types:
        if name not in TYPE_IDS:
            raise UnknownParameter(f"_type names {name}, which is no resource type of R4.")
    return types


def page_size(text: str, most: int) -> int:
    """A `_count`: at least 1, and cut to the largest page.

    Raises:
        Malformed: it is not a number.
    """
    if not text.isascii() or not text.isdigit() or len(text) > 9 or int(text) < 1:
        raise Malformed(f"_count must be a whole number from 1 to {most}, not {text}.")
    return min(int(text), most)
