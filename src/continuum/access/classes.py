"""The classes into which policies sort the types of R4: each type is in one, and no policy names a type.

A type that nobody has sorted is part of the chart if it is filed under patients, knowledge if not.
"""

from collections.abc import Mapping

from continuum.fhir import structure
from continuum.fhir.search_params import COMPARTMENTS
from continuum.fhir.types import TYPES

PATIENT_TYPES = frozenset(COMPARTMENTS["Patient"]) | {"Patient", "Task"}
"""Types whose resources are part of a patient's record."""
OWNED_TYPES = frozenset({"Subscription"})
"""Types of which everybody writes and sees their own; administrators and systems see all."""

CLASSES: Mapping[str, frozenset[str]] = {
    "identity": frozenset({"Patient"}),
    "family": frozenset({"FamilyMemberHistory", "Person", "RelatedPerson"}),
    "visits": frozenset({"Encounter", "EpisodeOfCare"}),
    "teams": frozenset({"CareTeam"}),
    "work": frozenset({"Task"}),
    "schedule": frozenset({"Appointment", "AppointmentResponse"}),
    "calendar": frozenset({"Schedule"}),
    "times": frozenset({"Slot"}),
    "messages": frozenset({"Communication"}),
    "answers": frozenset({"QuestionnaireResponse"}),
    "medication": frozenset(
        {"MedicationAdministration", "MedicationDispense", "MedicationRequest", "MedicationStatement"}
    ),
    "orders": frozenset(
        {"DeviceRequest", "NutritionOrder", "RequestGroup", "ServiceRequest", "SupplyRequest", "VisionPrescription"}
    ),
    "results": frozenset(
        {"DiagnosticReport", "ImagingStudy", "Media", "MolecularSequence", "Observation", "Specimen"}
    ),
    "immunization": frozenset({"Immunization", "ImmunizationEvaluation", "ImmunizationRecommendation"}),
    "problems": frozenset({"AllergyIntolerance", "Condition", "DetectedIssue", "Flag", "Procedure", "RiskAssessment"}),
    "coverage": frozenset(
        {
            "Account", "ChargeItem", "Claim", "ClaimResponse", "Coverage", "CoverageEligibilityRequest",
            "CoverageEligibilityResponse", "EnrollmentRequest", "ExplanationOfBenefit", "Invoice",
        }
    ),
    "consents": frozenset({"Consent"}),
    "directory": frozenset(
        {
            "CodeSystem", "Endpoint", "Location", "Medication", "MedicationKnowledge",
            "Organization", "Practitioner", "PractitionerRole", "Questionnaire", "StructureDefinition", "ValueSet",
        }
    ),
    "unfiled": frozenset(
        {
            "Binary", "Bundle", "Contract", "Device", "DeviceMetric", "EnrollmentResponse", "GuidanceResponse",
            "Linkage", "MessageHeader", "Parameters", "PaymentNotice", "PaymentReconciliation", "TestReport",
            "VerificationResult",
        }
    ),
    "services": frozenset({"HealthcareService"}),
    "owned": OWNED_TYPES,
    "trace": frozenset({"AuditEvent"}),
}  # fmt: skip
"""Every class but `chart` and `knowledge`. unfiled: what may hold or name a patient's data without being filed under
the patient. directory: what says nothing about any patient and anybody may look up; services: kinds of visit, which
are as open. calendar: whose times they are that `times` are in; filed under a patient only if it is a patient's."""

GROUPS: Mapping[str, frozenset[str]] = {
    "record": frozenset(
        {
            "answers", "chart", "consents", "coverage", "family", "identity", "immunization", "medication", "messages",
            "orders",
            "problems", "results", "schedule", "teams", "visits", "work",
        }
    ),
    "open": frozenset({"directory", "knowledge", "services"}),
}  # fmt: skip
"""Classes of classes: a patient's record; what says nothing about anybody."""

_SORTED = frozenset().union(*CLASSES.values())
_REST = {
    "chart": frozenset(name for name in TYPES if name in PATIENT_TYPES and name not in _SORTED),
    "knowledge": frozenset(name for name in TYPES if name not in PATIENT_TYPES and name not in _SORTED),
}
TYPES_OF: Mapping[str, frozenset[str]] = {**CLASSES, **_REST}
"""The types of each class, all of them."""


FOREIGN = "extension:foreign"
"""Among hidden elements: those extensions that are not of OWN_EXTENSIONS."""
OWN_EXTENSIONS = "https://continuum.example/fhir/StructureDefinition/"
_FREE_TEXT = frozenset({"comment", "contained", "description", "extension", "note", "patientInstruction", "text"})
_CALENDARS = frozenset({"Schedule", "Slot"})
_VISIT_FLOW = frozenset({"extension"})
"""Of an Appointment: when somebody came, until when a time is offered, from where it was moved. What others have put
into its extensions is hidden with its free text."""

ELEMENT_GROUPS: Mapping[str, Mapping[str, frozenset[str]]] = {
    "direct-identifiers": {
        "Patient": frozenset(
            {
                "address", "birthDate", "communication", "contact", "contained", "deceasedDateTime", "extension",
                "identifier", "link", "multipleBirthInteger", "name", "photo", "telecom", "text",
            }
        ),
    },
    "contact-details": {
        "Patient": frozenset({"address", "communication", "contact", "contained", "extension", "photo", "text"}),
    },
    "free-text": {
        name: _FREE_TEXT
        - structure.mandatory(name)
        - (_VISIT_FLOW if name == "Appointment" else frozenset())
        | ({FOREIGN} if name == "Appointment" else frozenset())
        for name in TYPES
        if name in PATIENT_TYPES and name != "Patient" and name not in _CALENDARS
    },
    "visit-flow": {"Appointment": _VISIT_FLOW, **dict.fromkeys(_CALENDARS, _FREE_TEXT)},
    "reasons": {
        "Appointment": frozenset({"description", "reasonCode", "reasonReference", "supportingInformation"}),
        "Encounter": frozenset({"diagnosis", "reasonCode", "reasonReference"}),
        "Immunization": frozenset({"education", "performer", "reaction", "reasonCode", "reasonReference"}),
    },
}  # fmt: skip
"""Elements that a policy hides together, by type."""

ASKABLE: Mapping[str, Mapping[str, frozenset[str]]] = {
    "direct-identifiers": {"Patient": frozenset({"_id", "_lastUpdated", "active", "gender", "organization"})},
    "contact-details": {
        "Patient": frozenset(
            {
                "_id", "_lastUpdated", "active", "birthdate", "family", "gender", "given", "identifier", "name",
                "organization",
            }
        ),
    },
    "reasons": {
        "Appointment": frozenset(
            {"_id", "_lastUpdated", "actor", "appointment-type", "date", "location", "patient", "practitioner",
             "service-type", "slot", "specialty", "status"}
        ),
        "Encounter": frozenset(
            {"_id", "_lastUpdated", "class", "date", "location", "participant", "patient", "service-provider",
             "status", "subject"}
        ),
        "Immunization": frozenset(
            {"_id", "_lastUpdated", "date", "location", "patient", "status", "vaccine-code"}
        ),
    },
}  # fmt: skip
"""The only parameters that may be asked while a group is hidden; where none are named, all but UNASKED."""

UNASKED = frozenset({"_content", "_text"})
"""Parameters that reach into every element, and therefore into hidden ones."""
