"""First writes: forms to resources, with checks that run as one types and again before anything is stored. Pure.

A check has two grades. What cannot be is a problem and is not stored; what is unusual is a doubt and is stored once
somebody says that it is so.
"""

from base64 import b64encode
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from continuum.chart.codes import PROBLEMS, SUBSTANCES, Coded
from continuum.chart.entry import N_
from continuum.chart.limits import DRAFT_MAX_CHARS
from continuum.ui.people import Problem

Json = dict[str, Any]
Fields = Mapping[str, str]
_TERMINOLOGY = "http://terminology.hl7.org/CodeSystem/"
_TITLE_MAX = 200
NOTE_TYPES: Mapping[str, str] = {
    "11506-3": N_("Progress note"), "34117-2": N_("History and physical"), "28570-0": N_("Procedure note"),
    "34109-9": N_("Note"), "34748-4": N_("Telephone note"), "18842-5": N_("Discharge summary"),
}  # fmt: skip
"""Kinds of notes by their LOINC codes (US Core 6.1, common clinical notes)."""


@dataclass(frozen=True, slots=True)
class Author:
    """Who writes, and when. now: an instant with its zone, in FHIR's form."""

    name: str
    facility_id: str | None
    now: str
    today: date


@dataclass(frozen=True, slots=True)
class Checked:
    """What a form came to: resources without ids, what is wrong, and what is unusual."""

    resources: tuple[Json, ...] = ()
    problems: tuple[Problem, ...] = ()
    doubts: tuple[Problem, ...] = ()


@dataclass(slots=True)
class _Sheet:
    """Collects what is wrong while a form is read."""

    fields: Fields
    problems: list[Problem] = field(default_factory=list)
    doubts: list[Problem] = field(default_factory=list)

    def text(self, name: str, most: int = _TITLE_MAX) -> str:
        found = " ".join(self.fields.get(name, "").split())
        if len(found) > most:
            self.problems.append(Problem(name, N_("This is too long.")))
        return found

    def choice(self, name: str, known: Container[str]) -> str:
        found = self.fields.get(name, "")
        return found if found in known else ""

    def day(self, name: str, today: date) -> str:
        """A date of any precision that is not in the future."""
        found = self.fields.get(name, "").strip()
        if not found:
            return ""
        parts = found.split("-")
        try:
            numbers = [int(part) for part in parts]
            whole = date(numbers[0], *[*numbers[1:], 1, 1][:2])
        except (ValueError, TypeError, IndexError):
            self.problems.append(Problem(name, N_("Write a date as 2026, 2026-03 or 2026-03-31.")))
            return ""
        if whole > today:
            self.problems.append(Problem(name, N_("This day has not come yet.")))
        return "-".join(f"{number:04d}" if not at else f"{number:02d}" for at, number in enumerate(numbers))


def _concept(text: str, known: Mapping[str, Coded]) -> Json:
    """A coded term if we have one for these words, in any case; else the words as they were typed."""
    coded = known.get(text.casefold())
    return coded.concept if coded else {"text": text}


def _table(name: str, code: str) -> Json:
    return {"coding": [{"system": f"{_TERMINOLOGY}{name}", "code": code}]}


CRITICALITIES = ("low", "high", "unable-to-assess")
CATEGORIES = ("medication", "food", "environment", "biologic")
SEVERITIES = ("mild", "moderate", "severe")


def allergy(fields: Fields, patient_id: str, author: Author) -> Checked:
    """An AllergyIntolerance, or the assertion that there is none (US Core 6.1)."""
    sheet = _Sheet(fields)
    resource: Json = {
        "resourceType": "AllergyIntolerance",
        "clinicalStatus": _table("allergyintolerance-clinical", "active"),
        "verificationStatus": _table("allergyintolerance-verification", "confirmed"),
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
    sheet = _Sheet(fields)
    title = sheet.text("problem")
    if not title:
        sheet.problems.append(Problem("problem", N_("Say what the problem is.")))
    state = sheet.choice("state", PROBLEM_STATES) or "active"
    resource: Json = {
        "resourceType": "Condition",
        "clinicalStatus": _table("condition-clinical", state),
        "verificationStatus": _table("condition-ver-status", "confirmed"),
        "category": [_table("condition-category", "problem-list-item")],
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


@dataclass(frozen=True, slots=True)
class Sign:
    """A vital sign: LOINC code and name, UCUM unit, what cannot be and what is unusual for an adult at rest.

    other: a second unit that people type, with what makes ours of it.
    """

    name: str
    code: str
    display: str
    unit: str
    possible: tuple[str, str]
    usual: tuple[str, str]
    other: str = ""
    convert: Callable[[Decimal], Decimal] | None = None


SIGNS: tuple[Sign, ...] = (
    Sign("systolic", "8480-6", "Systolic blood pressure", "mm[Hg]", ("40", "300"), ("90", "179")),
    Sign("diastolic", "8462-4", "Diastolic blood pressure", "mm[Hg]", ("20", "200"), ("50", "109")),
    Sign("pulse", "8867-4", "Heart rate", "/min", ("20", "300"), ("45", "120")),
    Sign("breaths", "9279-1", "Respiratory rate", "/min", ("3", "100"), ("10", "24")),
    Sign("temperature", "8310-5", "Body temperature", "Cel", ("25", "45"), ("35.0", "38.9"), "[degF]",
         lambda value: ((value - 32) * 5 / 9).quantize(Decimal("0.1"))),
    Sign("oxygen", "2708-6", "Oxygen saturation in Arterial blood", "%", ("30", "100"), ("92", "100")),
    Sign("weight", "29463-7", "Body weight", "kg", ("0.3", "400"), ("2", "200"), "[lb_av]",
         lambda value: (value * Decimal("0.45359237")).quantize(Decimal("0.1"))),
    Sign("height", "8302-2", "Body height", "cm", ("20", "260"), ("40", "210"), "[in_i]",
         lambda value: (value * Decimal("2.54")).quantize(Decimal("0.1"))),
)  # fmt: skip
"""In the order of the form. Possible: what a device or a slip of the hand would show outside is refused."""
SIGN_NAMES = {
    "systolic": N_("Upper blood pressure"), "diastolic": N_("Lower blood pressure"), "pulse": N_("Heart rate"),
    "breaths": N_("Breaths"), "temperature": N_("Temperature"), "oxygen": N_("Oxygen saturation"),
    "weight": N_("Weight"), "height": N_("Height"),
}  # fmt: skip


def vitals(fields: Fields, patient_id: str, author: Author) -> Checked:
    """Observations of vital signs that were measured now or at a time that the form says (US Core 6.1)."""
    sheet = _Sheet(fields)
    at = _measured_at(sheet, author)
    values = {sign.name: value for sign in SIGNS if (value := _value(sheet, sign)) is not None}
    if not values and not sheet.problems:
        sheet.problems.append(Problem("systolic", N_("Write at least one value.")))
    upper, lower = values.get("systolic"), values.get("diastolic")
    if (upper is None) != (lower is None):
        missing = "diastolic" if lower is None else "systolic"
        sheet.problems.append(Problem(missing, N_("A blood pressure has an upper and a lower value.")))
    elif upper is not None and lower is not None and lower >= upper:
        sheet.problems.append(Problem("diastolic", N_("The lower value is not below the upper one.")))
    made = [_single(sign, values[sign.name], patient_id, author, at) for sign in SIGNS[2:] if sign.name in values]
    if upper is not None and lower is not None:
        made.insert(0, _pressure(upper, lower, patient_id, author, at))
    return Checked(tuple(made), tuple(sheet.problems), tuple(sheet.doubts))


def _value(sheet: _Sheet, sign: Sign) -> Decimal | None:
    text = sheet.fields.get(sign.name, "").strip().replace(",", ".")
    if not text:
        return None
    try:
        value = Decimal(text)
    except InvalidOperation:
        sheet.problems.append(Problem(sign.name, N_("Write a number.")))
        return None
    if not value.is_finite():
        sheet.problems.append(Problem(sign.name, N_("Write a number.")))
        return None
    if sign.convert is not None and sheet.fields.get(f"{sign.name}-unit") == sign.other:
        value = sign.convert(value)
    low, high = (Decimal(end) for end in sign.possible)
    if not low <= value <= high:
        sheet.problems.append(Problem(sign.name, N_("This cannot be. Please measure or type again.")))
    else:
        low, high = (Decimal(end) for end in sign.usual)
        if not low <= value <= high:
            sheet.doubts.append(Problem(sign.name, N_("This is unusual. Is it right?")))
    return value


def _measured_at(sheet: _Sheet, author: Author) -> str:
    text = sheet.fields.get("at", "").strip()
    if not text:
        return author.now
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        sheet.problems.append(Problem("at", N_("Write the time as 2026-03-31 14:05.")))
        return author.now
    now = datetime.fromisoformat(author.now)
    at = at if at.tzinfo is not None else at.replace(tzinfo=now.tzinfo)
    if at > now:
        sheet.problems.append(Problem("at", N_("This time has not come yet.")))
    return at.isoformat()


def _observation(code: str, display: str, patient_id: str, author: Author, at: str) -> Json:
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": [_table("observation-category", "vital-signs")],
        "code": {"coding": [{"system": "http://loinc.org", "code": code, "display": display}], "text": display},
        "subject": {"reference": f"Patient/{patient_id}"},
        "effectiveDateTime": at,
        "issued": author.now,
        "performer": [{"display": author.name}],
    }


def _quantity(sign: Sign, value: Decimal) -> Json:
    return {"value": value, "unit": sign.unit, "system": "http://unitsofmeasure.org", "code": sign.unit}


def _single(sign: Sign, value: Decimal, patient_id: str, author: Author, at: str) -> Json:
    return _observation(sign.code, sign.display, patient_id, author, at) | {"valueQuantity": _quantity(sign, value)}


def _pressure(upper: Decimal, lower: Decimal, patient_id: str, author: Author, at: str) -> Json:
    panel = _observation("85354-9", "Blood pressure panel with all children optional", patient_id, author, at)
    panel["component"] = [
        {
            "code": {"coding": [{"system": "http://loinc.org", "code": sign.code, "display": sign.display}],
                     "text": sign.display},
            "valueQuantity": _quantity(sign, value),
        }
        for sign, value in zip(SIGNS[:2], (upper, lower), strict=True)
    ]  # fmt: skip
    return panel


def note(fields: Fields, patient_id: str, author: Author) -> Checked:
    """A signed note as DocumentReference (US Core 6.1); `addend` makes it an addendum to another."""
    sheet = _Sheet(fields)
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
        changed["verificationStatus"] = _table("allergyintolerance-verification", "entered-in-error")
        changed.pop("clinicalStatus", None)  # R4, ait-2: no clinical status then
    elif kind == "Condition":
        changed["verificationStatus"] = _table("condition-ver-status", "entered-in-error")
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
        "activity": _table("v3-DataOperation", "NULLIFY"),
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
