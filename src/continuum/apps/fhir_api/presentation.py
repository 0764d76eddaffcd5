"""How a resource is shown: `_pretty`, `_summary`, `_elements` (R4 §3.1.0.1.5, §3.1.1.5.8, §3.1.1.5.9). Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from continuum.fhir import structure
from continuum.fhir.json import dump, dump_pretty, parse
from continuum.kernel.errors import Malformed, UnknownParameter

SUBSETTED = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "SUBSETTED",
    "display": "subsetted",
}
RESULT_PARAMETERS = frozenset({"_format", "_pretty", "_summary", "_elements"})
"""Parameters that change how an answer looks, allowed on every interaction."""
SUMMARIES = frozenset({"true", "text", "data", "count", "false"})


@dataclass(frozen=True, slots=True)
class View:
    """summary: true, text, data or "" (whole). elements: the only ones wanted, () for all."""

    pretty: bool = False
    summary: str = ""
    elements: tuple[str, ...] = ()

    @property
    def plain(self) -> bool:
        """Whether stored text can be sent as it is."""
        return not (self.pretty or self.summary or self.elements)

    @property
    def subset(self) -> bool:
        """Whether parts of resources are left out."""
        return bool(self.summary or self.elements)


PLAIN = View()


def view(params: Sequence[tuple[str, str]], *, lenient: bool = False, only: bool = True) -> View:
    """Reads the view from a request's parameters.

    only: refuse every other parameter, unless `lenient`.

    Raises:
        Malformed: a value is none of the allowed ones. UnknownParameter: another parameter is there.
    """
    if not params:
        return PLAIN
    pretty, summary = False, ""
    elements: tuple[str, ...] = ()
    for name, value in params:
        if name == "_pretty":
            if value not in ("true", "false"):
                raise Malformed(f"_pretty must be true or false, not {value}.")
            pretty = value == "true"
        elif name == "_summary":
            if value not in SUMMARIES:
                raise Malformed(f"_summary must be true, text, data, count or false, not {value}.")
            summary = "" if value == "false" else value
        elif name == "_elements":
            elements = tuple(part.strip() for part in value.split(",") if part.strip())
        elif name != "_format" and only and not lenient:
            raise UnknownParameter(f"The parameter {name} is not known for this request.")
    if summary == "count" and only:
        raise Malformed("_summary=count is for searches; a single resource has no count.")
    if summary and elements:
        raise Malformed("Ask for _summary or for _elements, not for both.")
    return View(pretty, summary, elements)


def show(body: bytes, wanted: View) -> bytes:
    """The JSON text of a resource as the view wants it."""
    if wanted.plain:
        return body
    resource = parse(body)
    if wanted.subset:
        resource = subset(resource, wanted)
    return dump_pretty(resource) if wanted.pretty else dump(resource)


def subset(resource: dict[str, Any], wanted: View) -> dict[str, Any]:
    """A resource with some of its elements, tagged SUBSETTED so that nobody writes it back."""
    resource_type = resource["resourceType"]
    kept = _kept(resource_type, wanted)
    if wanted.summary == "data":
        shown = {name: value for name, value in resource.items() if name not in ("text", "_text")}
    else:
        shown = {name: value for name, value in resource.items() if name.removeprefix("_") in kept}
    meta = dict(shown.get("meta") or {})
    tags = [tag for tag in meta.get("tag", ()) if tag.get("code") != "SUBSETTED"]
    meta["tag"] = [*tags, SUBSETTED]
    first: dict[str, Any] = {name: shown[name] for name in ("resourceType", "id") if name in shown}
    return {**first, "meta": meta, **{k: v for k, v in shown.items() if k not in ("meta", *first)}}


def _kept(resource_type: str, wanted: View) -> frozenset[str]:
    always = frozenset({"resourceType", "id", "meta", "implicitRules"}) | structure.mandatory(resource_type)
    if wanted.summary == "true":
        return always | structure.summary(resource_type)
    if wanted.summary == "text":
        return always | {"text"}
    names: set[str] = set()
    for element in wanted.elements:
        prefix, _, rest = element.partition(".")
        name = rest if prefix == resource_type else element
        names.update(structure.json_names(resource_type, name.partition(".")[0]))
    return always | structure.modifiers(resource_type) | names
