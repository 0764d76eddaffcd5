"""Teeth: what was found and done at each dental visit, the readiness class of service members, a note."""

from base64 import b64encode
from collections.abc import Iterator

from continuum.samples.elements import LOCAL, US_CORE, Element, Resource, concept, reference, table
from continuum.samples.life import Life, Visit
from continuum.samples.observations import observation
from continuum.samples.streams import Draw

# Codes and words of our own: the American Dental Association licenses the texts of CDT.
_EXAM = concept(f"{LOCAL}dental-procedure", "exam", "Periodic dental examination")
_CLEANING = concept(f"{LOCAL}dental-procedure", "cleaning", "Dental cleaning")
_VARNISH = concept(f"{LOCAL}dental-procedure", "fluoride-varnish", "Application of fluoride varnish")
_FILLING = concept(f"{LOCAL}dental-procedure", "filling", "Tooth-coloured filling")
_EXTRACTION = concept(f"{LOCAL}dental-procedure", "extraction", "Removal of a wisdom tooth")
_CLASS = concept(f"{LOCAL}readiness", "dental-class", "Dental readiness classification")
_CARIES = concept("http://snomed.info/sct", "80967001", "Dental caries")
_PROFILE = {"profile": [f"{US_CORE}us-core-procedure"]}
_CONDITION_PROFILE = {"profile": [f"{US_CORE}us-core-condition-encounter-diagnosis"]}
_DIAGNOSIS = [table("condition-category", "encounter-diagnosis", "Encounter Diagnosis")]
_RESOLVED = table("condition-clinical", "resolved", "Resolved")
_ACTIVE = table("condition-clinical", "active", "Active")
_CONFIRMED = table("condition-ver-status", "confirmed", "Confirmed")
_NUMBERING = "https://continuum.example/fhir/CodeSystem/universal-tooth-number"
_CARIES_CHANCE = 0.22
_MOLARS = (2, 3, 14, 15, 18, 19, 30, 31)
_WISDOM = (1, 16, 17, 32)


def events(life: Life, draw: Draw) -> Iterator[Resource]:
    """An examination and a cleaning at each visit; now and then a filling, and a wisdom tooth once."""
    wisdom = False
    for visit in life.visits:
        if visit.kind != "dental":
            continue
        age = life.person.age(visit.day)
        yield _procedure(life, visit, draw, _EXAM)
        yield _procedure(life, visit, draw, _VARNISH if age < 6 else _CLEANING)
        caries = age >= 4 and draw.rng.random() < _CARIES_CHANCE
        treated = draw.rng.random() < 0.7
        if caries:
            tooth = draw.rng.choice(_MOLARS)
            yield from _decay(life, visit, draw, tooth, treated=treated)
        if not wisdom and 17.5 <= age < 26 and draw.rng.random() < 0.15:
            wisdom = True
            yield _procedure(life, visit, draw, _EXTRACTION, tooth=draw.rng.choice(_WISDOM))
        if life.service is not None and life.service.serving(visit.day):
            grade = observation(life, draw.id(), category="exam", code=_CLASS, visit=visit)
            # DoDI 6025.19: 1 no care needed, 2 not urgent, 3 an emergency is likely within a year, 4 not examined.
            grade["valueInteger"] = (2 if treated else 3) if caries else 1
            yield grade
        yield _note(life, visit, draw, caries=caries)


def _procedure(life: Life, visit: Visit, draw: Draw, code: Element, *, tooth: int | None = None) -> Resource:
    resource: Resource = {
        "resourceType": "Procedure",
        "id": draw.id(),
        "meta": _PROFILE,
        "status": "completed",
        "code": code,
        "subject": life.subject,
        "encounter": visit.reference,
        "performedPeriod": {"start": visit.start, "end": visit.end},
        "performer": [{"actor": {"reference": visit.practitioner}}],
    }
    if tooth is not None:
        resource["bodySite"] = [_tooth(tooth)]
    return resource


def _tooth(number: int) -> Element:
    return concept(_NUMBERING, str(number), f"Tooth {number}")


def _decay(life: Life, visit: Visit, draw: Draw, tooth: int, *, treated: bool) -> Iterator[Resource]:
    condition: Resource = {
        "resourceType": "Condition",
        "id": draw.id(),
        "meta": _CONDITION_PROFILE,
        "clinicalStatus": _RESOLVED if treated else _ACTIVE,
        "verificationStatus": _CONFIRMED,
        "category": _DIAGNOSIS,
        "code": _CARIES,
        "bodySite": [_tooth(tooth)],
        "subject": life.subject,
        "encounter": visit.reference,
        "onsetDateTime": visit.day.isoformat(),
        "recordedDate": visit.start,
    }
    if treated:
        condition["abatementDateTime"] = visit.day.isoformat()
        filling = _procedure(life, visit, draw, _FILLING, tooth=tooth)
        filling["reasonReference"] = [reference("Condition", condition["id"])]
        yield filling
    yield condition


def _note(life: Life, visit: Visit, draw: Draw, *, caries: bool) -> Resource:
    found = "Decay found, see the tooth chart." if caries else "No decay."
    text = f"Examined and cleaned. {found} Gums healthy. Brushing and flossing shown."
    return {
        "resourceType": "DocumentReference",
        "id": draw.id(),
        "status": "current",
        "type": concept("http://loinc.org", "28618-7", "Dentistry Note"),
        "subject": life.subject,
        "date": visit.end,
        "author": [{"reference": visit.practitioner}],
        "content": [{"attachment": {"contentType": "text/plain", "data": b64encode(text.encode()).decode()}}],
        "context": {"encounter": [visit.reference]},
    }
