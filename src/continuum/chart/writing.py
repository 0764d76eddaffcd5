"""First writes: forms to resources, with checks that run as one types and again before anything is stored. Pure.

A check has two grades. What cannot be is a problem and is not stored; what is unusual is a doubt and is stored once
somebody says that it is so.
"""

from base64 import b64encode
from collections.abc import Callable, Mapping

from continuum.chart.codes import PROBLEMS, SUBSTANCES, Coded
from continuum.chart.entry import N_
from continuum.chart.limits import DRAFT_MAX_CHARS
from continuum.chart.measuring import SIGN_NAMES, SIGNS, vitals
from continuum.chart.sheet import Author, Checked, Fields, Json, Sheet, table
from continuum.ui.people import Problem

__all__ = ["SIGNS", "SIGN_NAMES", "WRITERS", "Author", "Checked", "Json", "fields_of", "merged", "reason", "taken_back"]

NOTE_TYPES: Mapping[str, str] = {
    "11506-3": N_("Progress note"), "34117-2": N_("History and physical"), "28570-0": N_("Procedure note"),
    "34109-9": N_("Note"), "34748-4": N_("Telephone note"), "18842-5": N_("Discharge summary"),
}  # fmt: skip
"""Kinds of notes by their LOINC codes (US Core 6.1, common clinical notes)."""


def _concept(text: str, known: Mapping[str, Coded]) -> Json:
    """A coded term if we have one for these words, in any case; else the words as they were typed."""
    coded = known.get(text.casefold())
    return coded.concept if coded else {"text": text}


CRITICALITIES = ("low", "high", "unable-to-assess")
CATEGORIES = ("medication", "food", "environment", "biologic")
SEVERITIES = ("mild", "moderate", "severe")


def allergy(fields: Fields, patient_id: str, author: Author) -> Checked:
    """An AllergyIntolerance, or the assertion that there is none (US Core 6.1)."""
    sheet = Sheet(fields)
    resource: Json = {
        "resourceType": "AllergyIntolerance",
        "clinicalStatus": table("allergyintolerance-clinical", "active"),
        "verificationStatus": table("allergyintolerance-verification", "confirmed"),
        "patient": {"reference": f"Patient/{patient_id}"},
        "recordedDate": author.now,
        "recorder": {"display": author.name},
    }
    if fields.get("none"):
        resource["code"] = SUBSTANCES["no known allergy"].concept
        return Checked((resource,))
    substance = sheet.text("substance")
    if not substance:
        sheet.problems.append(Problem("substance", N_("Say what the person does not tolerate.")))
    resource["code"] = _concept(substance, SUBSTANCES)
    if category := sheet.choice("category", CATEGORIES):
        resource["category"] = [category]
    if criticality := sheet.choice("criticality", CRITICALITIES):
        resource["criticality"] = criticality
    if since := sheet.day("since", author.today):
        resource["onsetDateTime"] = since
    if reaction := sheet.text("reaction"):
        severity = sheet.choice("severity", SEVERITIES)
        resource["reaction"] = [{"manifestation": [{"text": reaction}], **({"severity": severity} if severity else {})}]
    return Checked((resource,), tuple(sheet.problems), tuple(sheet.doubts))


PROBLEM_STATES = ("active", "inactive", "resolved", "remission")
_SEVERITY_CODES = {"mild": ("255604002", "Mild"), "moderate": ("6736007", "Moderate"), "severe": ("24484000", "Severe")}


def problem(fields: Fields, patient_id: str, author: Author) -> Checked:
    """A Condition on the problem list (US Core 6.1)."""
    sheet = Sheet(fields)
    title = sheet.text("problem")
    if not title:
        sheet.problems.append(Problem("problem", N_("Say what the problem is.")))
    state = sheet.choice("state", PROBLEM_STATES) or "active"
    resource: Json = {
        "resourceType": "Condition",
        "clinicalStatus": table("condition-clinical", state),
        "verificationStatus": table("condition-ver-status", "confirmed"),
        "category": [table("condition-category", "problem-list-item")],
        "code": _concept(title, PROBLEMS),
        "subject": {"reference": f"Patient/{patient_id}"},
        "recordedDate": author.now,
        "recorder": {"display": author.name},
    }
    since, until = sheet.day("since", author.today), sheet.day("until", author.today)
    if since:
        resource["onsetDateTime"] = since
    if until:
        if state == "active":
            sheet.problems.append(Problem("until", N_("An active problem has no end. Choose another state first.")))
        if since and until < since[: len(until)]:
            sheet.problems.append(Problem("until", N_("It cannot end before it began.")))
        resource["abatementDateTime"] = until
    if severity := sheet.choice("severity", _SEVERITY_CODES):
        code, display = _SEVERITY_CODES[severity]
        resource["severity"] = {"coding": [{"system": "http://snomed.info/sct", "code": code, "display": display}]}
    return Checked((resource,), tuple(sheet.problems), tuple(sheet.doubts))


def note(fields: Fields, patient_id: str, author: Author) -> Checked:
    """A signed note as DocumentReference (US Core 6.1); `addend` makes it an addendum to another."""
    sheet = Sheet(fields)
    text = fields.get("text", "").replace("\r\n", "\n").strip()
    if not text:
        sheet.problems.append(Problem("text", N_("The note is empty.")))
    if len(text) > DRAFT_MAX_CHARS:
        sheet.problems.append(Problem("text", N_("This is longer than a note may be. Please split it.")))
    code = sheet.choice("type", NOTE_TYPES) or "34109-9"
    category = "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category"
    resource: Json = {
        "resourceType": "DocumentReference",
        "status": "current",
        "docStatus": "final",
        "type": {"coding": [{"system": "http://loinc.org", "code": code, "display": NOTE_TYPES[code]}],
                 "text": NOTE_TYPES[code]},
        "category": [{"coding": [{"system": category, "code": "clinical-note", "display": "Clinical Note"}]}],
        "subject": {"reference": f"Patient/{patient_id}"},
        "date": author.now,
        "author": [{"display": author.name}],
        "content": [{"attachment": {
            "contentType": "text/plain; charset=utf-8", "data": b64encode(text.encode()).decode(),
            "creation": author.now,
        }}],
    }  # fmt: skip
    if author.facility_id:
        resource["custodian"] = {"reference": f"Organization/{author.facility_id}"}
    if title := sheet.text("title"):
        resource["description"] = title
    if addend := sheet.text("addend", 64):
        resource["relatesTo"] = [{"code": "appends", "target": {"reference": f"DocumentReference/{addend}"}}]
    return Checked((resource,), tuple(sheet.problems), tuple(sheet.doubts))


WRITERS: Mapping[str, Callable[[Fields, str, Author], Checked]] = {
    "allergies": allergy, "problems": problem, "vitals": vitals, "notes": note,
}  # fmt: skip
"""What each part of the chart takes."""


def taken_back(resource: Json) -> Json:
    """A resource that was entered in error: it stays, and says so."""
    kind = resource["resourceType"]
    changed = dict(resource)
    if kind == "AllergyIntolerance":
        changed["verificationStatus"] = table("allergyintolerance-verification", "entered-in-error")
        changed.pop("clinicalStatus", None)  # R4, ait-2: no clinical status then
    elif kind == "Condition":
        changed["verificationStatus"] = table("condition-ver-status", "entered-in-error")
        changed.pop("clinicalStatus", None)  # R4, con-5
    else:
        changed["status"] = "entered-in-error"
    return changed


def reason(reference: str, patient_id: str, words: str, author: Author) -> Json:
    """Why an entry was taken back, as Provenance of the entry; the patient is its target, too, so it is theirs."""
    return {
        "resourceType": "Provenance",
        "target": [{"reference": reference}, {"reference": f"Patient/{patient_id}"}],
        "recorded": author.now,
        "reason": [{"text": words}],
        "activity": table("v3-DataOperation", "NULLIFY"),
        "agent": [{"who": {"display": author.name}}],
    }


def _display(concept: Json) -> str:
    return next((one.get("display", "") for one in concept.get("coding", ())), "")


def fields_of(resource: Json) -> dict[str, str]:
    """A stored allergy or problem as the fields of its form."""
    concept = resource.get("code", {})
    title = concept.get("text") or _display(concept)
    if resource["resourceType"] == "AllergyIntolerance":
        reaction: Json = next(iter(resource.get("reaction", ())), {})
        manifestation: Json = next(iter(reaction.get("manifestation", ())), {})
        words = manifestation.get("text") or _display(manifestation)
        return {
            "substance": title, "category": next(iter(resource.get("category", ())), ""),
            "criticality": resource.get("criticality", ""), "since": resource.get("onsetDateTime", "")[:10],
            "reaction": words, "severity": reaction.get("severity", ""),
        }  # fmt: skip
    states = resource.get("clinicalStatus", {}).get("coding", [{}])
    code = next((one.get("code") for one in resource.get("severity", {}).get("coding", ())), "")
    return {
        "problem": title, "state": states[0].get("code", "active"), "since": resource.get("onsetDateTime", "")[:10],
        "until": resource.get("abatementDateTime", "")[:10],
        "severity": next((name for name, (known, _) in _SEVERITY_CODES.items() if known == code), ""),
    }  # fmt: skip


def merged(before: Json, made: Json) -> Json:
    """A changed entry: what the form says replaces what it can say; everything else stays as it was."""
    kept = {"recordedDate", "recorder", "asserter", "verificationStatus", "category"}
    said = {key: value for key, value in made.items() if key not in kept}
    owned = {"onsetDateTime", "abatementDateTime", "severity", "reaction", "criticality"}
    base = {key: value for key, value in before.items() if key not in owned or key in said}
    if before.get("code") and fields_of(before).items() >= {
        (key, value) for key, value in fields_of(made).items() if key in {"substance", "problem"}
    }:
        said.pop("code", None)
    if made["resourceType"] == "AllergyIntolerance" and made.get("category"):
        said["category"] = made["category"]
    return base | said
