"""The operations on who is who: $match, $merge, $unmerge, $correct-patient and $revert-correction."""

from typing import Any
from urllib.parse import urlencode

import orjson

from continuum.access import Outcome
from continuum.access.charts import Candidate
from continuum.apps.fhir_api.bundles import bundle, issue_entry, link, resource_entry
from continuum.apps.fhir_api.exchange import CONTENT_TYPE, Exchange, Response
from continuum.apps.fhir_api.inputs import Inputs, inputs
from continuum.apps.fhir_api.outcome import outcome
from continuum.apps.fhir_api.presentation import RESULT_PARAMETERS, show, view
from continuum.fhir.json import dump, parse
from continuum.fhir.types import TYPE_IDS
from continuum.identity.matching import Grade
from continuum.kernel.errors import Issue, Malformed
from continuum.kernel.limits import (
    MATCH_COUNT_DEFAULT,
    MATCH_COUNT_MAX,
)

MATCH_GRADE = "http://hl7.org/fhir/StructureDefinition/match-grade"
MATCH_REASON = "https://continuum.example/fhir/StructureDefinition/match-reason"
"""An extension of Bundle.entry.search: one reason for or against, in plain words, with its points."""
_SIDES = ("source-patient", "source-patient-identifier", "target-patient", "target-patient-identifier")
Json = dict[str, Any]


async def match(x: Exchange) -> Response:
    """Patients who may be the one that is described, each with its grade, its score and the reasons for both."""
    x.negotiate()
    given = await inputs(x, ("resource", "onlyCertainMatches", "onlySingleMatch", "count"), bare="resource")
    patient = given.resource("resource")
    if patient["resourceType"] != "Patient":
        raise Malformed("$match looks for a Patient; the resource is another.")
    single = given.flag("onlySingleMatch")
    most = 1 if single else given.number("count", MATCH_COUNT_DEFAULT, MATCH_COUNT_MAX)
    found = await x.session.match(patient, only_certain=given.flag("onlyCertainMatches"), count=most)
    base = x.base
    entries = [resource_entry(base, one.stored, one.stored.body or b"", _search(one)) for one in found.found]
    if found.cut:
        text = "Many patients are alike in what you sent; say more about the person (a birth date, an identifier)."
        entries.append(issue_entry((Issue("incomplete", text, severity="warning"),)))
    links = [(b"self", link(base, "Patient/$match", []))]
    return _shown(x, bundle(b"searchset", entries, links=links, total=len(found.found)))


def _search(candidate: Candidate) -> bytes:
    """The end of an entry: how it was found."""
    reasons = [
        {"url": MATCH_REASON, "valueString": f"{one.words} ({one.points:+g})"} for one in candidate.grade.reasons
    ]
    reasons += [
        {"url": MATCH_REASON, "valueString": f"Patient/{one}, who is like that, was merged into this one."}
        for one in candidate.merged
    ]
    told = {
        "extension": [{"url": MATCH_GRADE, "valueCode": candidate.grade.code}, *reasons],
        "mode": "match",
        "score": candidate.grade.score,
    }
    return b',"search":%b}' % orjson.dumps(told)


async def merge(x: Exchange) -> Response:
    """Merges the source into the target, or with `preview` says what that would do."""
    x.negotiate()
    given = await inputs(x, (*_SIDES, "reason", "preview", "result-patient"))
    if given.resources("result-patient"):
        raise Malformed(
            "result-patient is not taken: the target keeps its content. Update it after the merge, if it needs it."
        )
    planned = await x.session.merge(
        _side(given, "source"), _side(given, "target"), reason=_reason(given), preview=given.flag("preview")
    )
    return _told(x, planned.outcome, planned.likeness)


async def unmerge(x: Exchange) -> Response:
    """Takes back the merge of the source, or with `preview` says what that would do."""
    x.negotiate()
    given = await inputs(x, (*_SIDES[:2], "reason", "preview"))
    outcome_ = await x.session.unmerge(_side(given, "source"), reason=_reason(given), preview=given.flag("preview"))
    return _told(x, outcome_)


async def correct(x: Exchange) -> Response:
    """Moves entries that were written for the wrong person, or with `preview` says what that would do."""
    x.negotiate()
    given = await inputs(x, ("source-patient", "target-patient", "entry", "reason", "preview"))
    entries = []
    for address in given.references("entry"):
        kind, _, name = address.partition("/")
        if kind not in TYPE_IDS:
            raise Malformed(f"{address} names no resource type of R4.")
        entries.append((kind, name))
    if not entries:
        raise Malformed("$correct-patient needs the entries to move: one entry parameter for each, as a Reference.")
    outcome_ = await x.session.correct(
        _side(given, "source"), _side(given, "target"), entries, reason=_reason(given), preview=given.flag("preview")
    )
    return _told(x, outcome_)


async def revert(x: Exchange) -> Response:
    """Takes a correction back, or with `preview` says what that would do."""
    x.negotiate()
    given = await inputs(x, ("correction", "reason", "preview"))
    correction = given.text("correction")
    if not correction:
        raise Malformed("$revert-correction needs the id that $correct-patient answered, as correction.")
    outcome_ = await x.session.revert_correction(correction, reason=_reason(given), preview=given.flag("preview"))
    return _told(x, outcome_)


def _reason(given: Inputs) -> str:
    text = given.text("reason").strip()
    if not text:
        raise Malformed("Say why, in the parameter reason: it stands in both charts.")
    return text


def _side(given: Inputs, side: str) -> str:
    """An id, or the criteria of an identifier."""
    references = given.references(f"{side}-patient", "Patient")
    identifiers = [] if references else _identifiers(given, f"{side}-patient-identifier")
    if len(references) == 1:
        return references[0].partition("/")[2]
    if references or not identifiers:
        raise Malformed(f"Name the {side} patient once: by {side}-patient or {side}-patient-identifier.")
    return "?" + urlencode([("identifier", one) for one in identifiers])


def _identifiers(given: Inputs, name: str) -> list[str]:
    found = given.values(name, "valueIdentifier")
    if any(not one.get("value") for one in found):
        raise Malformed(f"{name} needs the identifier's value.")
    return [f"{_escaped(one['system'])}|{_escaped(one['value'])}" if one.get("system") else _escaped(one["value"])
            for one in found]  # fmt: skip


def _escaped(text: Any) -> str:
    found = str(text)
    for mark in ("\\", ",", "|", "$"):
        found = found.replace(mark, f"\\{mark}")
    return found


def _told(x: Exchange, done: Outcome, likeness: Grade | None = None) -> Response:
    """The answer of every relocation: its id, what it moved, what to look at, and the patients as they are now."""
    verb = "was done" if done.done else "would be done; nothing was changed"
    moved = ", ".join(f"{count} {kind}" for kind, count in sorted(done.moved.items())) or "no entries"
    issues = [Issue("informational", f"This {verb}: {moved}.", severity="information")]
    issues += [Issue("business-rule", text, severity="warning") for text in done.warnings]
    parameters: list[Json] = []
    if done.done:
        parameters.append({"name": "id", "valueString": done.id})
    parameters += [
        {"name": "source", "valueReference": {"reference": f"Patient/{done.source_id}"}},
        {"name": "target", "valueReference": {"reference": f"Patient/{done.target_id}"}},
        *(
            {"name": "moved", "part": [{"name": "type", "valueCode": kind}, {"name": "count", "valueInteger": count}]}
            for kind, count in sorted(done.moved.items())
        ),
        {"name": "outcome", "resource": outcome(issues)},
    ]
    if likeness is not None:
        parts: list[Json] = [
            {"name": "score", "valueDecimal": likeness.score},
            {"name": "grade", "valueCode": likeness.code},
            *({"name": "reason", "valueString": f"{one.words} ({one.points:+g})"} for one in likeness.reasons),
        ]
        parameters.append({"name": "likeness", "part": parts})
    if done.done:
        parameters += [
            {"name": "provenance", "valueReference": {"reference": f"Provenance/{one}"}} for one in done.provenances
        ]
    for name, stored in zip(("result-source", "result"), done.patients, strict=False):
        parameters.append({"name": name, "resource": parse(stored.body or b"")})
    return _shown(x, dump({"resourceType": "Parameters", "parameter": parameters}))


def _shown(x: Exchange, body: bytes) -> Response:
    presentation = [pair for pair in x.params() if pair[0] in RESULT_PARAMETERS]
    return Response(200, show(body, view(presentation)), [CONTENT_TYPE])
