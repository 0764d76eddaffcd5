"""What the banner of a patient shows, so that every page shows the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from continuum.ui.formats.names import Name

AllergyState = Literal["present", "none_known", "not_recorded"]
"""Allergies are there; somebody asked and there are none; or nobody has asked: three things, not two."""


@dataclass(frozen=True, slots=True)
class Allergy:
    """One allergy in a word or two, and whether it can kill."""

    name: str
    severe: bool = False


@dataclass(frozen=True, slots=True)
class Patient:
    """Somebody whose chart is open.

    Args:
        patient_id: of the record; decides the colour of the initials.
        names: FHIR HumanName.
        birth: FHIR date.
        sex: in the reader's language.
        identifiers: (label, value), in the order in which staff ask for them.
        category: active duty, dependent, retiree or veteran, in the reader's language.
        facility: that cares for the patient.
        allergies: what is known; empty unless `allergy_state` is `present`.
        allergy_state: which of the three it is.
        asserted: when "no known allergies" was said.
        alerts: what everyone must know before they act, most important first.
        deceased: the day of death.
    """

    patient_id: str
    names: Sequence[Name]
    birth: date | str
    sex: str
    identifiers: Sequence[tuple[str, str]]
    category: str = ""
    facility: str = ""
    allergies: Sequence[Allergy] = ()
    allergy_state: AllergyState = "not_recorded"
    asserted: date | str | None = None
    alerts: Sequence[str] = ()
    deceased: date | str | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a form: the field's id, and what to do about it."""

    field: str
    text: str
