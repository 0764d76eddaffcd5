"""FHIR elements that every contributor writes the same way.

Coded elements are made once and shared between resources: what is yielded is to be read or copied, not changed.
"""

from datetime import date, timedelta
from functools import lru_cache
from typing import Any

Resource = dict[str, Any]
Element = dict[str, Any]

LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
CVX = "http://hl7.org/fhir/sid/cvx"
ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"
UCUM = "http://unitsofmeasure.org"
US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/"
LOCAL = "https://continuum.example/fhir/CodeSystem/"
LOCAL_EXTENSION = "https://continuum.example/fhir/StructureDefinition/"
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem/"

DAYS_A_YEAR = 365.25


def coding(system: str, code: str, display: str) -> Element:
    """A Coding."""
    return {"system": system, "code": code, "display": display}


@lru_cache(maxsize=4_096)
def concept(system: str, code: str, display: str, text: str | None = None) -> Element:
    """A CodeableConcept of one coding; `text` is the display unless given."""
    return {"coding": [coding(system, code, display)], "text": text or display}


@lru_cache(maxsize=512)
def table(name: str, code: str, display: str) -> Element:
    """A CodeableConcept from HL7's own tables (`terminology.hl7.org`), without text."""
    return {"coding": [coding(TERMINOLOGY + name, code, display)]}


def reference(kind: str, identity: str) -> Element:
    """A relative reference."""
    return {"reference": f"{kind}/{identity}"}


def quantity(value: float, unit: str, code: str) -> Element:
    """A UCUM quantity."""
    return {"value": value, "unit": unit, "system": UCUM, "code": code}


def years_between(start: date, end: date) -> float:
    """Years as a decimal number."""
    return (end - start).days / DAYS_A_YEAR


def years_after(start: date, years: float) -> date:
    """The day this many years later."""
    return start + timedelta(days=round(years * DAYS_A_YEAR))


def birthday(born: date, years: int) -> date:
    """The birthday itself; 1 March for those born on 29 February, in years without it."""
    try:
        return born.replace(year=born.year + years)
    except ValueError:
        return date(born.year + years, 3, 1)
