"""create, update, patch and delete, each also by criteria (R4 §3.1.0.3 to §3.1.0.8)."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from continuum.access import Written
from continuum.apps.fhir_api import binary, patching
from continuum.apps.fhir_api.exchange import CONTENT_TYPE, Exchange, Header, Response
from continuum.apps.fhir_api.headers import JSON_PATCH, etag, http_date, require_content, version_of
from continuum.apps.fhir_api.outcome import information
from continuum.apps.fhir_api.presentation import RESULT_PARAMETERS, show, view
from continuum.fhir.json import parse_value
from continuum.kernel.errors import Malformed
from continuum.kernel.limits import BODY_MAX_BYTES

_PATCHES = frozenset({JSON_PATCH})


def if_match(x: Exchange) -> int | None:
    """The version that If-Match demands."""
    text = x.header(b"if-match")
    return None if text is None else version_of(text)


def if_none_match_any(x: Exchange) -> bool:
    """Whether the write must create (If-None-Match: *)."""
    text = x.header(b"if-none-match")
    if text is None:
        return False
    if text.strip() != "*":
        raise Malformed("On a write, If-None-Match can only be *: create, but do not overwrite.")
    return True


def criteria(x: Exchange) -> str:
    """The criteria of a conditional interaction, without the parameters that shape the answer.

    Raises:
        Malformed: there are none; that would mean every resource of the type.
    """
    view(x.params(), only=False)
    text = urlencode([(name, value) for name, value in x.params() if name not in RESULT_PARAMETERS])
    if not text:
        resource_type = x.target.resource_type
        raise Malformed(
            f"{x.method} on /{resource_type} needs criteria, such as ?identifier=…; or name one resource:"
            f" /{resource_type}/its-id."
        )
    return text


def if_none_exist(x: Exchange) -> str | None:
    """The criteria of a conditional create; `Patient?identifier=…` and `?identifier=…` are taken too."""
    text = x.header(b"if-none-exist")
    if text is None:
        return None
    found = text.rpartition("?")[2].strip()
    if not found:
        raise Malformed("If-None-Exist needs criteria, such as identifier=http://system|value.")
    return found


async def create(x: Exchange) -> Response:
    """Creates, or finds what If-None-Exist describes."""
    if x.target.resource_type == "Binary" and x.resource_given is None:
        resource = await binary.received(x)
    else:
        x.negotiate()
        resource = typed(x, await x.resource())
    wanted = x.view()
    written = await x.session.create(resource, if_none_exist=if_none_exist(x))
    return answer(x, written, wanted_view=wanted)


async def update(x: Exchange) -> Response:
    """Writes the next version, or creates under the id of the address."""
    target = x.target
    if target.resource_type == "Binary" and x.resource_given is None:
        return await _update_binary(x)
    x.negotiate()
    wanted = x.view()
    resource = typed(x, await x.resource())
    _same_id(resource, target.id)
    written = await x.session.update(resource, if_match=if_match(x), if_none_match_any=if_none_match_any(x))
    return answer(x, written, wanted_view=wanted)


async def _update_binary(x: Exchange) -> Response:
    wanted = x.view()
    resource = await binary.received(x)
    if binary.is_raw(x):
        written = await binary.replace(x, resource, if_match=if_match(x), if_none_match_any=if_none_match_any(x))
    else:
        _same_id(resource, x.target.id)
        written = await x.session.update(resource, if_match=if_match(x), if_none_match_any=if_none_match_any(x))
    return answer(x, written, wanted_view=wanted)


async def update_matching(x: Exchange) -> Response:
    """Conditional update."""
    x.negotiate()
    text = criteria(x)
    resource = typed(x, await x.resource())
    if_none_match_any(x)
    written = await x.session.update_matching(resource, text, if_match=if_match(x))
    return answer(x, written)


async def patch(x: Exchange) -> Response:
    """JSON Patch of the present version."""
    x.negotiate()
    wanted = x.view()
    apply = await read_patch(x)
    target = x.target
    written = await x.session.patch(target.resource_type, target.id, apply, if_match=if_match(x))
    return answer(x, written, wanted_view=wanted)


async def patch_matching(x: Exchange) -> Response:
    """Conditional JSON Patch."""
    x.negotiate()
    text = criteria(x)
    apply = await read_patch(x)
    written = await x.session.patch_matching(x.target.resource_type, text, apply, if_match=if_match(x))
    return answer(x, written)


async def read_patch(x: Exchange) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """The function that a PATCH body describes."""
    if x.resource_given is not None:
        return patching.compiled(patching.from_binary(x.resource_given))
    require_content(x.header(b"content-type") or "", _PATCHES)
    return patching.compiled(parse_value(await x.raw_body(BODY_MAX_BYTES)))


async def delete(x: Exchange) -> Response:
    """Deletes; deleting what is deleted already succeeds (R4 §3.1.0.7)."""
    x.negotiate()
    x.view()
    written = await x.session.delete(x.target.resource_type, x.target.id, if_match=if_match(x))
    return answer(x, written)


async def delete_matching(x: Exchange) -> Response:
    """Conditional delete of at most one."""
    x.negotiate()
    text = criteria(x)
    return answer(x, await x.session.delete_matching(x.target.resource_type, text, if_match=if_match(x)))


def typed(x: Exchange, resource: dict[str, Any]) -> dict[str, Any]:
    """Holds the body to the type of the address."""
    found, wanted = resource["resourceType"], x.target.resource_type
    if found != wanted:
        raise Malformed(f"The body is a {found}, but the address is that of a {wanted}.")
    return resource


def _same_id(resource: dict[str, Any], wanted: str) -> None:
    found = resource.get("id")
    if found != wanted:
        said = "has no id" if found is None else f"has the id {found}"
        raise Malformed(f"The body {said}, but the address says {wanted}; they must be the same (R4 §3.1.0.4).")


def answer(x: Exchange, written: Written, *, wanted_view: Any = None) -> Response:
    """The answer to a write, as Prefer: return= asks."""
    stored = written.stored
    if written.status == 204 or stored.deleted:
        return _deleted(x, written)
    headers: list[Header] = [
        (b"etag", etag(stored.version)),
        (b"last-modified", http_date(stored.updated_us)),
        (
            b"location",
            b"%b/%b/%b/_history/%d" % (x.base, stored.resource_type.encode(), stored.id.encode(), stored.version),
        ),
    ]
    returned = x.prefer.returned
    if returned == "minimal":
        return Response(written.status, headers=headers)
    headers.append(CONTENT_TYPE)
    if returned == "operationoutcome":
        verb = "created" if written.status == 201 else "written" if written.changed else "already there"
        text = f"{stored.resource_type}/{stored.id} is {verb}, version {stored.version}."
        return Response(written.status, information(text), headers)
    shown = stored.body or b""
    if wanted_view is None:
        wanted_view = view(x.params(), only=False)
    return Response(written.status, show(shown, wanted_view), headers)


def _deleted(x: Exchange, written: Written) -> Response:
    stored = written.stored
    headers: list[Header] = [(b"etag", etag(stored.version))] if stored.version else []
    if x.prefer.returned == "operationoutcome":
        text = f"{stored.resource_type}/{stored.id} is deleted." if written.changed else "Nothing was there to delete."
        return Response(200, information(text), [*headers, CONTENT_TYPE])
    return Response(204, headers=headers)
