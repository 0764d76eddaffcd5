"""The International Patient Summary (HL7 IPS 1.1) of one person: a document Bundle that stands for itself. Pure.

What it refers to is in it, or is said in words: a reader elsewhere can follow no link back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from continuum.chart.carrying import Taken
from continuum.chart.entry import Entry
from continuum.chart.reading import Resource, named
from continuum.ui.formats.names import full_name

LOINC = "http://loinc.org"
_IPS = "http://hl7.org/fhir/uv/ips/StructureDefinition/"
_REASONS = "http://terminology.hl7.org/CodeSystem/list-empty-reason"


@dataclass(frozen=True, slots=True)
class Part:
    """A section of the summary: its key in the chart, its LOINC code, and whether IPS requires it."""

    key: str
    code: str
    title: str
    required: bool = False


PARTS = (
    Part("problems", "11450-4", "Problem list", required=True),
    Part("allergies", "48765-2", "Allergies and adverse reactions", required=True),
    Part("medicines", "10160-0", "History of medication use", required=True),
    Part("immunizations", "11369-6", "History of immunizations"),
    Part("labs", "30954-2", "Relevant diagnostic tests and laboratory data"),
    Part("procedures", "47519-4", "History of procedures"),
)
_NOW_ONLY = frozenset({"medicines"})
_NEWEST_ONLY = frozenset({"labs"})


def summary(taken: Taken, base_url: str, bundle_id: str, now: str) -> dict[str, Any]:
    """The document Bundle. taken: the sections of PARTS, without dates. bundle_id: a UUID. now: an instant."""
    by_key = {section.key: lines for section, lines in taken.parts}
    resources = {f"{one['resourceType']}/{one['id']}": one for one in taken.resources}
    chosen = {part.key: _chosen(part.key, by_key.get(part.key, ()), resources) for part in PARTS}
    patient = _lean(taken.patient)
    organization = str(patient.get("managingOrganization", {}).get("reference", ""))
    author = organization if organization in taken.names else f"Patient/{patient['id']}"
    composition = _composition(patient, author, chosen, bundle_id, now)
    carried: dict[str, Resource] = {f"Patient/{patient['id']}": patient}
    for lines in chosen.values():
        carried.update((one.reference, _lean(resources[one.reference])) for one in lines)
    named_here = {reference for one in carried.values() for reference in _references(one)} | {author}
    carried.update((key, _lean(taken.names[key])) for key in sorted(named_here & taken.names.keys()))
    inside = frozenset(carried)
    entries = [composition, *(_closed(one, inside, taken.names) for one in carried.values())]
    return {
        "resourceType": "Bundle",
        "id": bundle_id,
        "meta": {"profile": [f"{_IPS}Bundle-uv-ips"]},
        "identifier": {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{bundle_id}"},
        "type": "document",
        "timestamp": now,
        "entry": [
            {"fullUrl": f"{base_url}/{one['resourceType']}/{one['id']}", "resource": one} for one in entries
        ],
    }  # fmt: skip


def _chosen(key: str, lines: Sequence[Entry], resources: Mapping[str, Resource]) -> list[Entry]:
    """What of a section belongs into a summary: nothing that was wrong; medicines of now; the newest of each test."""
    kept = [one for one in lines if not one.wrong and one.reference in resources]
    if key in _NOW_ONLY:
        kept = [one for one in kept if one.group == "Now"]
    if key in _NEWEST_ONLY:
        newest: dict[str, Entry] = {}
        for one in kept:
            newest.setdefault(one.codes[0] if one.codes else one.title, one)
        kept = list(newest.values())
    return kept


def _composition(
    patient: Resource, author: str, chosen: Mapping[str, Sequence[Entry]], bundle_id: str, now: str
) -> Resource:  # fmt: skip
    return {
        "resourceType": "Composition",
        "id": f"{bundle_id[:-1]}c" if not bundle_id.endswith("c") else f"{bundle_id[:-1]}d",
        "meta": {"profile": [f"{_IPS}Composition-uv-ips"]},
        "status": "final",
        "type": {"coding": [{"system": LOINC, "code": "60591-5", "display": "Patient summary Document"}]},
        "subject": {"reference": f"Patient/{patient['id']}"},
        "date": now,
        "author": [{"reference": author}],
        "title": f"Patient Summary: {full_name(patient.get('name', []))}",
        "confidentiality": "N",
        "section": [
            _section(part, chosen[part.key]) for part in PARTS if part.required or chosen[part.key]
        ],
    }  # fmt: skip


def _section(part: Part, lines: Sequence[Entry]) -> Resource:
    coding = {"system": LOINC, "code": part.code}
    made: Resource = {"title": part.title, "code": {"coding": [coding]}, "text": _narrative(lines)}
    if lines:
        made["entry"] = [{"reference": one.reference} for one in lines]
        return made
    made["emptyReason"] = {"coding": [{"system": _REASONS, "code": "unavailable", "display": "Unavailable"}]}
    return made


def _narrative(lines: Sequence[Entry]) -> Resource:
    """R4 §2.4: XHTML made of nothing but the entries."""
    said = "".join(f"<li>{escape(one.title)}{_when(one)}</li>" for one in lines)
    body = f"<ul>{said}</ul>" if said else "<p>No information available.</p>"
    return {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{body}</div>'}


def _when(entry: Entry) -> str:
    return f" ({escape(entry.day)})" if entry.day else ""


def _lean(resource: Resource) -> Resource:
    """Without what only this server understands: the narrative of others, and meta but for the version."""
    kept = {name: value for name, value in resource.items() if name not in {"text", "meta"}}
    return {"resourceType": kept.pop("resourceType"), "id": kept.pop("id"), **kept}


def _references(value: object) -> set[str]:
    found: set[str] = set()
    if isinstance(value, dict):
        target = value.get("reference")
        if isinstance(target, str):
            found.add(target)
        for inner in value.values():
            found |= _references(inner)
    elif isinstance(value, list):
        for inner in value:
            found |= _references(inner)
    return found


def _closed(value: Any, inside: frozenset[str], names: Mapping[str, Resource]) -> Any:
    """The same, with references that lead out of the document told in words instead."""
    if isinstance(value, dict):
        target = value.get("reference")
        if isinstance(target, str) and target not in inside and not target.startswith("#"):
            words = named(value, names) or str(value.get("display", "")) or f"{target.partition('/')[0]} (not included)"
            rest = {key: inner for key, inner in value.items() if key not in {"reference", "display"}}
            return {**rest, "display": words}
        return {key: _closed(inner, inside, names) for key, inner in value.items()}
    if isinstance(value, list):
        return [_closed(inner, inside, names) for inner in value]
    return value
