"""The figures of others and the ones we hold ourselves to (issue: the record I, part 7), in CPU ms a request."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Target:
    """others: what other servers needed on one machine. bare, whole: ours at most, without and with access and audit."""

    title: str
    others: str
    bare_ms: float | None = None
    whole_ms: float | None = None


TARGETS = {
    "read": Target("read by id", "0.21 (Go, no auth), 1.05 (Node)", 0.10, 0.30),
    "read_signed_in": Target("read by id, by a physician who signed in (OpenID Connect)", "–", None, 0.35),
    "create_patient": Target("create Patient, validated, durable", "2.7; 5.9", 0.45, 0.65),
    "create_observation": Target("create Observation, validated, durable", "4.9; 5.5", 0.45, 0.65),
    "transaction": Target("transaction of 100 entries, per resource", "1.05; 6.5", 0.22, 0.30),
    "identifier": Target("Patient?identifier", "1.41", 0.25),
    "family": Target("Patient?family", "0.63", 0.30),
    "family_page": Target("Patient?family, pages of 4", ""),
    "patient_code": Target("Observation?patient&code, newest first, 20", "2.5", 0.35),
    "code_value": Target("Observation?code&value-quantity", "4.0", 0.9),
    "chain": Target("Observation?subject:Patient.identifier", "4.5", 0.6),
    "include": Target("Encounter?patient, _include + _revinclude", "4.3", 0.9),
    "total": Target("Observation?code, _total=accurate", "7.7", 2.0),
    "order": Target("Patient?_sort=gender, all patients read", ""),
    "order_led": Target("Patient?_sort=family,gender", ""),
    "everything": Target("Patient/$everything, about 110 resources", "21.9", 2.5, 3.5),
}
"""By the name of the row."""

SEARCH_ROWS = ("identifier", "family", "family_page", "patient_code", "code_value", "chain", "include")
"""Rows that must cost no more than SCALE_MOST times as much with 16 times the patients.

Of the larger corpus a page of a family's people is full (20), of the smaller it has 9: `family` compares pages of
different length, `family_page` pages of the same.
"""
SCALE_MOST = 1.2
IMPORT_LEAST_PER_S = 12_000
MEMORY_MOST_MB = 250
DISK_MOST_BYTES = 2_048
