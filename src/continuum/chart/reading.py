"""Reading FHIR: names, times, texts and quantities out of resources, whatever of them is missing."""

import binascii
import re
from base64 import b64decode
from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from html.parser import HTMLParser
from typing import Any

from continuum.chart.entry import Entry, Fact, Mark, Source
from continuum.ui.formats.names import full_name

Resource = dict[str, Any]
Names = Mapping[str, Resource]
LOINC = "http://loinc.org"
RECORD_NUMBER = "https://continuum.example/fhir/identifier/record-number"
DOD_ID = "urn:oid:2.16.840.1.113883.3.42.10001.100001.12"
LOCAL = "https://continuum.example/fhir/CodeSystem/"
_TIME_KEYS = ("effectiveDateTime", "effectiveInstant", "occurrenceDateTime", "performedDateTime", "onsetDateTime",
              "date", "authoredOn", "recordedDate", "issued", "created", "start")  # fmt: skip
_PERIOD_KEYS = ("effectivePeriod", "performedPeriod", "onsetPeriod", "period", "occurrencePeriod")


def words(concept: object) -> str:
    """A CodeableConcept or Coding as people read it; "" for nothing."""
    if not isinstance(concept, dict):
        return ""
    if concept.get("text"):
        return str(concept["text"])
    for coding in concept.get("coding", [concept]):
        if coding.get("display"):
            return str(coding["display"])
    return next((str(coding["code"]) for coding in concept.get("coding", [concept]) if coding.get("code")), "")


_BRACKETS = re.compile(r" \[[^\]]*\]")
_USUAL_PLACE = re.compile(r" (?:in|by) (?:Serum or Plasma|Serum, Plasma or Blood|Blood|Serum|Automated count)\b")


USUAL_NAMES = {
    "4548-4": "Hemoglobin A1c", "98979-8": "eGFR (kidney function)", "20570-8": "Hematocrit", "4544-3": "Hematocrit",
    "13457-7": "LDL cholesterol", "18262-6": "LDL cholesterol", "2089-1": "LDL cholesterol",
    "2085-9": "HDL cholesterol",
}  # fmt: skip
"""LOINC codes of tests that nobody calls by LOINC's name."""
OWN_WORDS = (*USUAL_NAMES.values(), "Yes", "No")
"""What entries say that stands in no resource, in any section."""


def test_name(concept: object) -> str:
    """A laboratory test as clinicians call it: LOINC's long names without kind of quantity and usual specimen."""
    usual = USUAL_NAMES.get(code_of(concept), "")
    if usual:
        return usual
    return _USUAL_PLACE.sub("", _BRACKETS.sub("", words(concept)))


def first_words(concepts: object) -> str:
    """The first of a list of CodeableConcepts in words."""
    return next((text for text in map(words, concepts) if text), "") if isinstance(concepts, list) else ""


def codes(concept: object) -> tuple[str, ...]:
    """All codings as `system|code`."""
    if not isinstance(concept, dict):
        return ()
    return tuple([f"{one.get('system', '')}|{one['code']}" for one in concept.get("coding", ()) if one.get("code")])


def code_of(concept: object) -> str:
    """The code of the first coding."""
    found = codes(concept)
    return found[0].partition("|")[2] if found else ""


def when_of(resource: Resource) -> str:
    """The time that a resource is about, as FHIR has it; "" where it says none."""
    for key in _TIME_KEYS:
        if isinstance(text := resource.get(key), str):
            return text
    for key in _PERIOD_KEYS:
        if key in resource and (text := resource[key].get("start") or resource[key].get("end")):
            return str(text)
    return ""


def version_of(resource: Resource) -> int:
    """The number of the version that was read."""
    return int(resource.get("meta", {}).get("versionId", 0))


def named(reference: object, names: Names) -> str:
    """Somebody or some place that a resource refers to, by name; "" where none is known."""
    if not isinstance(reference, dict):
        return ""
    target = names.get(str(reference.get("reference", "")))
    if target is None:
        return str(reference.get("display", ""))
    name = target.get("name")
    return full_name(name) if isinstance(name, list) else str(name or "")


def day_fact(text: object) -> Fact | None:
    """A date or a time under a column."""
    if not isinstance(text, str) or not text:
        return None
    return Fact("instant" if "T" in text else "day", text)


def text_fact(text: object, *, own: bool = False) -> Fact | None:
    """Words under a column; `own` ones are translated."""
    return Fact("text", str(text), own=own) if text else None


def quantity_fact(quantity: object) -> Fact | None:
    """A Quantity under a column."""
    if not isinstance(quantity, dict) or quantity.get("value") is None:
        return None
    return Fact(
        "quantity", number=Decimal(str(quantity["value"])), unit=str(quantity.get("code") or quantity.get("unit", "")),
        comparator=str(quantity.get("comparator", "")),
    )  # fmt: skip


def value_fact(resource: Resource) -> Fact | None:
    """The value of an Observation or of a component, whatever its type."""
    if "valueQuantity" in resource:
        return quantity_fact(resource["valueQuantity"])
    if "valueCodeableConcept" in resource:
        return text_fact(words(resource["valueCodeableConcept"]))
    for key in ("valueString", "valueInteger", "valueDateTime", "valueTime"):
        if key in resource:
            return text_fact(str(resource[key]))
    if "valueBoolean" in resource:
        return text_fact("Yes" if resource["valueBoolean"] else "No", own=True)
    return text_fact(words(resource.get("dataAbsentReason")))


def bounds_fact(resource: Resource) -> Fact | None:
    """The first reference range."""
    for one in resource.get("referenceRange", ()):
        low, high = one.get("low", {}).get("value"), one.get("high", {}).get("value")
        if low is None and high is None:
            return text_fact(one.get("text"))
        unit = str((one.get("low") or one.get("high") or {}).get("code", ""))
        return Fact("bounds", low=_decimal(low), high=_decimal(high), unit=unit)
    return None


def _decimal(value: object) -> Decimal | None:
    return None if value is None else Decimal(str(value))


_PLACE_KEYS = ("custodian", "serviceProvider", "managingOrganization", "location")
_RECORDED_KEYS = ("recordedDate", "issued", "recorded")
_AUTHOR_KEYS = ("asserter", "recorder", "requester")


def source_of(resource: Resource, names: Names) -> Source:
    """Who wrote it, where and when, as far as the resource says."""
    author = _author(resource, names)
    place = ""
    for key in _PLACE_KEYS:
        if key in resource:
            candidate = resource[key]
            if isinstance(candidate, list):
                candidate = candidate[0].get("location") if candidate else None
            place = named(candidate, names)
            if place:
                break
    place = place or named(_visit(resource, names).get("serviceProvider"), names)
    recorded = next((str(resource[key]) for key in _RECORDED_KEYS if key in resource), "")
    reported = resource.get("reportedBoolean") is True or resource.get("primarySource") is False
    return Source(author, place, recorded, outside=reported)


def _visit(resource: Resource, names: Names) -> Resource:
    """The visit at which something was made, as far as it is known."""
    at: object = resource.get("encounter")
    within = resource.get("context")
    if at is None and isinstance(within, dict):
        at = next(iter(within.get("encounter", ())), None)
    return names.get(str(at.get("reference", "")), {}) if isinstance(at, dict) else {}


def _author(resource: Resource, names: Names) -> str:
    """The first of those who may have written it who has a name. Made for every entry of a page, so made plainly."""
    for key in _AUTHOR_KEYS:
        if key in resource and (name := named(resource[key], names)):
            return name
    authors = resource.get("author")
    if isinstance(authors, list):
        for one in authors:
            if name := named(one, names):
                return name
    for one in resource.get("performer", ()):
        if isinstance(one, dict) and (name := named(one.get("actor", one), names)):
            return name
    for one in resource.get("participant", ()):
        if name := named(one.get("individual") or one.get("member"), names):
            return name
    return ""


def facts(**given: Fact | None) -> tuple[tuple[str, Fact], ...]:
    """Those that are there, in their order."""
    return tuple([(key, value) for key, value in given.items() if value is not None])


def entry(resource: Resource, names: Names, title: str, *, marks: tuple[Mark | None, ...] = (),
          when: str | None = None, group: str = "", note: str = "", **given: Fact | None) -> Entry:  # fmt: skip
    """An entry of a resource, with what all have in common."""
    wrong = "entered-in-error" in (resource.get("status"), code_of(resource.get("verificationStatus")))
    return Entry(
        resource_type=resource["resourceType"], id=resource["id"], version=version_of(resource), title=title,
        when=when_of(resource) if when is None else when, marks=tuple([mark for mark in marks if mark is not None]),
        facts=facts(**given), group=group, origin=partial(source_of, resource, names),
        codes=codes(resource.get("code") or resource.get("vaccineCode") or resource.get("medicationCodeableConcept")),
        note=note, wrong=wrong,
    )  # fmt: skip


_BLOCKS = frozenset({"p", "li", "tr", "div", "h1", "h2", "h3", "h4", "table", "ul", "ol"})
_SILENT = frozenset({"script", "style"})
"""What these hold is never shown."""


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.silent = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002  the parser's signature
        if tag in _SILENT:
            self.silent += 1
        elif tag in _BLOCKS or tag == "br":
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self.silent -= 1
        elif tag in _BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if self.silent <= 0:
            self.parts.append(data)


def plain(html: str) -> str:
    """A narrative as plain text: no mark-up of others ever reaches our pages."""
    reader = _Text()
    reader.feed(html)
    return re.sub(r"\n\s*\n+", "\n", "".join(reader.parts)).strip()


def attached_text(resource: Resource) -> str:
    """The text of a DocumentReference or of a report, where it is text; else its narrative; else ""."""
    attachments = [one.get("attachment", {}) for one in resource.get("content", ())] + resource.get("presentedForm", [])
    for attachment in attachments:
        kind = str(attachment.get("contentType", "")).partition(";")[0]
        if attachment.get("data") and kind in {"text/plain", "text/html"}:
            try:
                text = b64decode(attachment["data"], validate=True).decode("utf-8", "replace")
            except (binascii.Error, ValueError):
                continue
            return plain(text) if kind == "text/html" else text
    return plain(resource.get("text", {}).get("div", ""))
