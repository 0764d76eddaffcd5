"""history of one resource, of a type, of everything (R4 §3.1.0.9)."""

from continuum.access import Stored
from continuum.apps.fhir_api.bundles import CURSOR, bundle, history_entry, link
from continuum.apps.fhir_api.exchange import CONTENT_TYPE, Exchange, Response
from continuum.apps.fhir_api.instants import parse_instant
from continuum.apps.fhir_api.presentation import RESULT_PARAMETERS, View, show, view
from continuum.apps.fhir_api.searching import page_size
from continuum.fhir.json import dump_pretty, parse
from continuum.kernel.errors import UnknownParameter
from continuum.kernel.limits import HISTORY_PAGE_MAX, PAGE_DEFAULT


async def history(x: Exchange) -> Response:
    """One page of versions, newest first; with `_summary=count` or `_count=0`, only how many there are."""
    x.negotiate()
    params = x.params()
    wanted = view(params, only=False)
    since_us: int | None = None
    at: tuple[int, int] | None = None
    count, cursor = PAGE_DEFAULT, ""
    for name, value in params:
        if name == "_since":
            since_us = parse_instant(value, name)[0]
        elif name == "_at":
            at = parse_instant(value, name)
        elif name == "_count":
            count = 0 if value == "0" else page_size(value, HISTORY_PAGE_MAX)
        elif name == CURSOR:
            cursor = value
        elif name not in RESULT_PARAMETERS and not x.prefer.lenient:
            raise UnknownParameter(f"A history does not know the parameter {name}.")
    if wanted.summary == "count":
        count = 0
    target = x.target
    page = await x.session.history(
        resource_type=target.resource_type or None,
        resource_id=target.id or None,
        since_us=since_us,
        at=at,
        count=count,
        cursor=cursor,
    )
    path = "/".join(part for part in (target.resource_type, target.id, "_history") if part)
    links = [(b"self", link(x.base, path, params))]
    if page.next_cursor:
        onward = [(name, value) for name, value in params if name != CURSOR]
        links.append((b"next", link(x.base, path, [*onward, (CURSOR, page.next_cursor)])))
    part = View(summary=wanted.summary, elements=wanted.elements)
    entries = [history_entry(x.base, stored, _shown(stored, part)) for stored in page.matches]
    body = bundle(b"history", entries, links=links, total=page.total, subsetted=part.subset)
    return Response(200, dump_pretty(parse(body)) if wanted.pretty else body, [CONTENT_TYPE])


def _shown(stored: Stored, part: View) -> bytes | None:
    if stored.body is None:
        return None
    return show(stored.body, part) if part.subset else stored.body
