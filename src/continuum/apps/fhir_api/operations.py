"""Operations that R4 defines for resources: $meta, $validate, Observation/$lastn and Encounter/$everything."""

from collections.abc import Callable
from typing import Any

from continuum.access.resources import MODES
from continuum.apps.fhir_api import searching
from continuum.apps.fhir_api.bundles import CURSOR
from continuum.apps.fhir_api.exchange import CONTENT_TYPE, Exchange, Response
from continuum.apps.fhir_api.inputs import inputs, plain
from continuum.apps.fhir_api.instants import parse_instant
from continuum.apps.fhir_api.outcome import outcome
from continuum.apps.fhir_api.presentation import RESULT_PARAMETERS, show, view
from continuum.fhir.grammar import parse as parse_query
from continuum.fhir.json import dump, parse
from continuum.fhir.primitives import DEFINITIONS
from continuum.kernel.errors import Issue, Malformed, UnknownParameter
from continuum.kernel.limits import LASTN_MAX, PAGE_MAX

Json = dict[str, Any]
_SETS = ("profile", "security", "tag")
"""The elements of Meta that are sets, which $meta-add and $meta-delete change (R4 §3.1.0.1.9)."""


async def meta(x: Exchange) -> Response:
    """The meta of one resource, or what resources of a type, or all, have in theirs."""
    x.negotiate()
    view(await plain(x), lenient=x.prefer.lenient)
    if not x.target.id:
        return _meta(x, await x.session.meta_in_use(x.target.resource_type or None))
    stored = await x.session.meta(x.target.resource_type, x.target.id)
    return _meta(x, parse(stored.body or b"{}")["meta"])


async def meta_add(x: Exchange) -> Response:
    """Adds profiles, tags and labels that are not there yet."""
    return await _change_meta(x, _added)


async def meta_delete(x: Exchange) -> Response:
    """Removes profiles, tags and labels; those that are not there are no error."""
    return await _change_meta(x, _removed)


async def _change_meta(x: Exchange, change: Callable[[list[Any], list[Any]], list[Any]]) -> Response:
    x.negotiate()
    given = (await inputs(x, ("meta",))).values("meta", "valueMeta")
    if len(given) != 1:
        raise Malformed("Give one Meta, in the parameter meta, as valueMeta.")
    wanted = given[0]
    if not set(wanted) <= set(_SETS) or not any(wanted.values()):
        raise Malformed(f"The Meta holds {', '.join(_SETS)}, and something in them; the server keeps the rest.")
    if not all(isinstance(wanted.get(name, []), list) for name in _SETS):
        raise Malformed(f"Each of {', '.join(_SETS)} is a list.")

    def apply(resource: Json) -> Json:
        kept = dict(resource.get("meta") or {})
        for name in _SETS:
            found = change(kept.get(name, []), wanted.get(name, []))
            if found:
                kept[name] = found
            else:
                kept.pop(name, None)
        return {**resource, "meta": kept}

    written = await x.session.change_meta(x.target.resource_type, x.target.id, apply)
    return _meta(x, parse(written.stored.body or b"{}")["meta"])


def _key(one: Any) -> Any:
    """A tag is its system and code, whatever it displays; a profile is its canonical URL."""
    return (one.get("system"), one.get("code")) if isinstance(one, dict) else one


def _added(present: list[Any], wanted: list[Any]) -> list[Any]:
    known = {_key(one) for one in present}
    return [*present, *(one for one in wanted if _key(one) not in known)]


def _removed(present: list[Any], wanted: list[Any]) -> list[Any]:
    gone = {_key(one) for one in wanted}
    return [one for one in present if _key(one) not in gone]


def _meta(x: Exchange, found: Json) -> Response:
    """R4 has no way to write an empty Meta: then there is no parameter."""
    told = {"parameter": [{"name": "return", "valueMeta": found}]} if found else {}
    return _shown(x, {"resourceType": "Parameters", **told})


async def validate(x: Exchange) -> Response:
    """What would be said against a resource, as an OperationOutcome; the status is 200 whatever it says."""
    x.negotiate()
    target = x.target
    given = await inputs(x, ("resource", "mode", "profile"), bare="resource")
    mode = given.text("mode")
    if mode == "profile":
        if not given.text("profile"):
            raise Malformed("To ask about a profile, name it: profile=….")
        mode = ""  # whether it may be written is not asked then, only whether it is right
    if mode and mode not in MODES:
        raise Malformed(f"mode of $validate is one of {', '.join(MODES)}, profile, not {mode}.")
    found = given.resources("resource")
    if len(found) > 1 or (not found and not target.id):
        raise Malformed("$validate needs one resource: as the body, or as the parameter resource.")
    if mode == "delete" and not target.id:
        raise Malformed(f"To ask about a deletion, name what would be deleted: {target.resource_type}/id/$validate.")
    resource = found[0] if found else None
    if resource is not None and resource["resourceType"] != target.resource_type:
        text = f"The resource is a {resource['resourceType']}, but the address is that of a {target.resource_type}."
        raise Malformed(text)
    judged = await x.session.judged(target.resource_type, resource, resource_id=target.id, mode=mode)
    issues = [*judged.issues, *_of_profile(given.text("profile"), target.resource_type)]
    if not issues:
        what = "could be deleted" if mode == "delete" else "is right"
        issues = [Issue("informational", f"This {target.resource_type} {what}.", severity="information")]
    return _shown(x, outcome(issues))


def _of_profile(profile: str, resource_type: str) -> list[Issue]:
    """R4's own definition of the type is what everything is held to; other profiles are not known here."""
    if not profile or profile.partition("|")[0] == f"{DEFINITIONS}{resource_type}":
        return []
    text = f"The profile {profile} is not known here: the resource was held to R4's {resource_type} only."
    return [Issue("not-supported", text)]


async def last_n(x: Exchange) -> Response:
    """The latest observations of each kind of one patient."""
    x.negotiate()
    params = [pair for pair in await plain(x) if pair[0] not in RESULT_PARAMETERS]
    most = [value for name, value in params if name == "max"]
    criteria = [pair for pair in params if pair[0] != "max"]
    names = {name.partition(":")[0].partition(".")[0] for name, _ in criteria}
    if not names & {"patient", "subject"}:
        raise Malformed("$lastn needs whose observations: patient=….")
    if not names & {"category", "code"} - {"_id"}:
        raise Malformed("$lastn needs what observations: category=… or code=….")
    if names & {"_sort", "_count", "_include", "_revinclude", "_total", "_totalMethod", "_summary"}:
        raise UnknownParameter("$lastn orders by itself and has no pages; leave out _sort, _count and _include.")
    if len(most) > 1:
        raise Malformed("Say max once.")
    number = searching.page_size(most[0], LASTN_MAX) if most else 1
    query = parse_query(
        "Observation", [*criteria, ("_sort", "-date")], lenient=x.prefer.lenient, base_url=x.base.decode()
    )
    page = await x.session.last_n(query, number)
    return searching.searchset(x, page, view(x.params(), only=False), "Observation/$lastn", params)


async def encounter_everything(x: Exchange) -> Response:
    """All that belongs to an encounter, in pages if `_count` asks for them."""
    x.negotiate()
    params = await plain(x)
    wanted = view(params, only=False)
    options: dict[str, Any] = {}
    cursor = ""
    for name, value in params:
        if name == "_since":
            options["since_us"] = parse_instant(value, name)[0]
        elif name == "_type":
            options["types"] = (*options.get("types", ()), *searching.types_named(value))
        elif name == "_count":
            options["count"] = searching.page_size(value, PAGE_MAX)
        elif name == CURSOR:
            cursor = value
        elif name not in RESULT_PARAMETERS and not x.prefer.lenient:
            raise UnknownParameter(f"$everything of an encounter does not know the parameter {name}.")
    page = await x.session.encounter_everything(x.target.id, cursor=cursor, **options)
    return searching.searchset(x, page, wanted, f"Encounter/{x.target.id}/$everything", list(params))


def _shown(x: Exchange, resource: Json) -> Response:
    presentation = [pair for pair in x.params() if pair[0] in RESULT_PARAMETERS]
    return Response(200, show(dump(resource), view(presentation)), [CONTENT_TYPE])
