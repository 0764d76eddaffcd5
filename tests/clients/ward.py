"""A small synthetic ward that each client's test writes for itself, so that tests may run side by side."""

import uuid
from dataclasses import dataclass, field
from typing import Any

LOINC = "http://loinc.org"
HEART_RATE = "8867-4"
TEMPERATURE = "8310-5"
NUMBERS = "urn:oid:2.16.840.1.113883.4.1000"
"""A made-up system of record numbers."""


@dataclass
class Ward:
    """Resources of one ward whose names and numbers no other test uses."""

    mark: str = field(default_factory=lambda: uuid.uuid4().hex[:12])

    @property
    def family(self) -> str:
        """A family name that only this ward's patients have."""
        return f"Wardtest{self.mark}"

    def number(self, bed: int) -> str:
        """The record number of the patient in a bed."""
        return f"{self.mark}-{bed:04d}"

    def patient(self, bed: int = 1, *, given: str = "Rosa") -> dict[str, Any]:
        """A patient with a number, a name and a birth date."""
        return {
            "resourceType": "Patient",
            "identifier": [{"system": NUMBERS, "value": self.number(bed)}],
            "active": True,
            "name": [{"use": "official", "family": self.family, "given": [given]}],
            "gender": "female",
            "birthDate": f"19{60 + bed % 40}-0{1 + bed % 9}-17",
        }

    def heart_rate(self, patient: str, minute: int = 0) -> dict[str, Any]:
        """A heart rate, taken so many minutes after midnight; `patient` is a reference."""
        return {
            "resourceType": "Observation",
            "status": "final",
            "category": [
                {
                    "coding": [
                        {
                            "system": "http://terminology.hl7.org/CodeSystem/observation-category",
                            "code": "vital-signs",
                        }
                    ]
                }
            ],
            "code": {"coding": [{"system": LOINC, "code": HEART_RATE, "display": "Heart rate"}]},
            "subject": {"reference": patient},
            "effectiveDateTime": f"2026-03-{1 + minute // 1440:02d}T{minute // 60 % 24:02d}:{minute % 60:02d}:00Z",
            "valueQuantity": {
                "value": 60 + minute % 50,
                "unit": "beats/minute",
                "system": "http://unitsofmeasure.org",
                "code": "/min",
            },
        }

    def encounter(self, patient: str) -> dict[str, Any]:
        """A stay on the ward."""
        return {
            "resourceType": "Encounter",
            "status": "in-progress",
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
            "subject": {"reference": patient},
            "period": {"start": "2026-03-01T07:30:00Z"},
        }

    def condition(self, patient: str) -> dict[str, Any]:
        """A problem on the list."""
        return {
            "resourceType": "Condition",
            "clinicalStatus": {
                "coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]
            },
            "code": {"coding": [{"system": "http://snomed.info/sct", "code": "125605004"}], "text": "Fracture"},
            "subject": {"reference": patient},
        }


def transaction(*resources: dict[str, Any]) -> dict[str, Any]:
    """A transaction that creates resources; one with a `fullUrl` in `_as` can be referred to by the others."""
    entries = []
    for resource in resources:
        body = dict(resource)
        address = body.pop("_as", f"urn:uuid:{uuid.uuid4()}")
        entries.append(
            {"fullUrl": address, "resource": body, "request": {"method": "POST", "url": body["resourceType"]}}
        )
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def admission(ward: Ward, *, beds: int = 1, heart_rates: int = 3) -> dict[str, Any]:
    """A transaction that admits patients, each with a stay, a problem and heart rates, by `urn:uuid`."""
    resources: list[dict[str, Any]] = []
    for bed in range(1, beds + 1):
        address = f"urn:uuid:{uuid.uuid4()}"
        resources.append(ward.encounter(address))
        resources.append(ward.condition(address))
        resources += [ward.heart_rate(address, minute) for minute in range(heart_rates)]
        resources.append({**ward.patient(bed), "_as": address})
    return transaction(*resources)
