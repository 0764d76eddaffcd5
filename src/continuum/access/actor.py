"""Who asks, and why."""

from dataclasses import dataclass

MEMBERSHIPS: dict[str, tuple[str, ...]] = {
    "administrator": ("operating", "watching"),
    "clinician": ("clinical", "rescuing", "treating", "staff", "subscribing"),
    "commander": ("readiness", "staff"),
    "dental-technician": ("clinical", "staff", "subscribing"),
    "dentist": ("clinical", "rescuing", "treating", "staff", "subscribing"),
    "help-desk": ("oversight", "staff"),
    "imaging": ("clinical", "diagnostic", "staff", "subscribing"),
    "laboratory": ("clinical", "diagnostic", "staff", "subscribing"),
    "medic": ("clinical", "rescuing", "treating", "staff", "subscribing"),
    "nurse": ("clinical", "rescuing", "treating", "staff", "subscribing"),
    "patient": ("persons", "subscribing"),
    "pharmacist": ("clinical", "rescuing", "staff", "subscribing"),
    "physician": ("clinical", "rescuing", "treating", "staff", "subscribing"),
    "population-analyst": ("staff",),
    "privacy-officer": ("oversight", "watching", "staff"),
    "proxy": ("persons", "subscribing"),
    "readiness-clerk": ("readiness", "staff"),
    "registrar": ("clerical", "staff"),
    "scheduler": ("clerical", "staff"),
    "system": ("operating",),
}
"""Each role, and the groups of roles that policies speak of. clinician: somebody who treats, without a profession."""

ROLES = tuple(MEMBERSHIPS)

FACILITY_ROLES = frozenset(
    {
        "clinician", "commander", "dental-technician", "dentist", "imaging", "laboratory", "medic", "nurse",
        "pharmacist", "physician", "readiness-clerk", "registrar", "scheduler",
    }
)  # fmt: skip
"""Roles that are held at a facility; a token for one must name it."""
PERSON_ROLES = frozenset({"patient", "proxy"})
"""Roles of people about their own record or another's; a token for one must name the patient that they are."""

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
    "commander": "HOPERAT",
    "dental-technician": "TREAT",
    "dentist": "TREAT",
    "help-desk": "HOPERAT",
    "imaging": "TREAT",
    "laboratory": "TREAT",
    "medic": "TREAT",
    "nurse": "TREAT",
    "patient": "PATRQT",
    "pharmacist": "TREAT",
    "physician": "TREAT",
    "population-analyst": "PUBHLTH",
    "privacy-officer": "HOPERAT",
    "proxy": "PATRQT",
    "readiness-clerk": "HOPERAT",
    "registrar": "HOPERAT",
    "scheduler": "HOPERAT",
    "system": "HOPERAT",
}


@dataclass(frozen=True, slots=True)
class Actor:
    """One who acts.

    facility_id: an Organization's id, of those who hold their role at a facility. patient_id: the Patient that a
    patient or proxy is. practitioner_id: the Practitioner that a member of staff is in the record; without it there
    is no treatment relationship. identity_level, authenticator_level: how surely it is they (NIST SP 800-63-4, 1 to
    3; 0 is not known). scopes: the SMART scopes that the token was given, with blanks between; they only take away.
    "": no such limit.
    closed: sensitivity codes (v3-ActCode) with blanks between: resources with such a label stay closed.
    """

    id: str
    role: str
    name: str = ""
    facility_id: str | None = None
    patient_id: str | None = None
    scopes: str = ""
    practitioner_id: str | None = None
    identity_level: int = 2
    authenticator_level: int = 2
    closed: str = ""
