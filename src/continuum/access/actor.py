"""Who asks, and why."""

from dataclasses import dataclass

ROLES = ("administrator", "clinician", "patient", "system")
"""The roles of the first door; `identity` adds people behind them later."""

PURPOSES = {
    "TREAT": "treatment",
    "ETREAT": "emergency treatment",
    "PATRQT": "request of the patient",
    "HPAYMT": "payment",
    "HOPERAT": "healthcare operations",
    "HSYSADMIN": "system administration",
    "PUBHLTH": "public health",
    "HRESCH": "research",
}
"""Purposes of use by their code in v3-ActReason, in plain words."""

USUAL_PURPOSE = {
    "administrator": "HSYSADMIN",
    "clinician": "TREAT",
    "patient": "PATRQT",
    "system": "HOPERAT",
}


@dataclass(frozen=True, slots=True)
class Actor:
    """One who acts: `facility_id` (an Organization's id) for clinicians, `patient_id` for patients.

    scopes: the SMART scopes that the token was given, with blanks between; they only take away. "": no such limit.
    closed: sensitivity codes (v3-ActCode) with blanks between: resources with such a label stay closed.
    """

    id: str
    role: str
    name: str = ""
    facility_id: str | None = None
    patient_id: str | None = None
    scopes: str = ""
    closed: str = ""
