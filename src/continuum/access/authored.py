"""What patients themselves say in their record: own readings and notes, messages, and whom they let look.

It is told from what clinicians wrote by its content, so that it stays told apart wherever it is sent.
"""

from collections.abc import Mapping
from typing import Any

from continuum.fhir.json import parse
from continuum.fhir.types import TYPE_NAMES
from continuum.record.body import decode
from continuum.record.write import Change

REPORTED = "https://continuum.example/fhir/CodeSystem/observation-category|patient-reported"
"""The category of Observations that a patient made."""
TRUST = "https://continuum.example/fhir/CodeSystem/consent-category|portal-access"
"""The category of Consents by which a patient lets somebody look."""
_MARKS = {"Observation": REPORTED, "Consent": TRUST}


def authored(change: Change) -> bool:
    """Whether what is written, and what it replaces, are the patient's own words."""
    prepared, present = change.prepared, change.present
    if prepared is None or prepared.patient_id is None:
        return False
    if present is not None and not present.deleted:
        kind = TYPE_NAMES[present.type_id]
        before = present.body and parse(decode(kind, present.id, present.version, present.updated_us, present.body))
        if not says_so(before or {}, prepared.patient_id):
            return False
    return says_so(prepared.resource, prepared.patient_id)


def says_so(resource: Mapping[str, Any], patient_id: str) -> bool:
    """Whether a resource says that the patient made it: a message by its sender, else by category and performer."""
    if resource.get("resourceType") == "Communication":
        return _sent_by(resource, patient_id)
    wanted = _MARKS.get(str(resource.get("resourceType", "")), "")
    categories = {
        f"{coding.get('system', '')}|{coding.get('code', '')}"
        for one in resource.get("category", ())
        for coding in one.get("coding", ())
    }
    performers = [one.get("reference") for one in resource.get("performer", ())]
    return categories == {wanted} and performers == [f"Patient/{patient_id}"]


def _sent_by(resource: Mapping[str, Any], patient_id: str) -> bool:
    """Whether a message says that the patient sent it, or somebody who acts for them, and nobody of the staff."""
    sender = resource.get("sender", {})
    if "reference" in sender:
        return bool(sender["reference"] == f"Patient/{patient_id}")
    return bool(sender.get("type") == "RelatedPerson" and sender.get("identifier"))
