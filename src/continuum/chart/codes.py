"""The few coded terms that the first forms offer, by their SNOMED CT and ICD-10-CM codes; no texts of either."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_SNOMED = "http://snomed.info/sct"
_ICD = "http://hl7.org/fhir/sid/icd-10-cm"


@dataclass(frozen=True, slots=True)
class Coded:
    """A term with its codes."""

    display: str
    snomed: str
    icd: str = ""

    @property
    def concept(self) -> dict[str, Any]:
        """As CodeableConcept."""
        coding = [{"system": _SNOMED, "code": self.snomed, "display": self.display}]
        if self.icd:
            coding.append({"system": _ICD, "code": self.icd, "display": self.display})
        return {"coding": coding, "text": self.display}


def _by_name(*terms: tuple[str, ...]) -> Mapping[str, Coded]:
    return {term[0].casefold(): Coded(*term) for term in terms}


SUBSTANCES = _by_name(
    ("No known allergy", "716186003"), ("Penicillin", "764146007"), ("Sulfonamide", "387406002"),
    ("Aspirin", "387458008"), ("Ibuprofen", "387207008"), ("Codeine", "387494007"), ("Morphine", "373529000"),
    ("Latex", "111088007"), ("Peanut", "762952008"), ("Egg protein", "213020009"), ("Shellfish", "227037002"),
    ("Cow's milk protein", "782555009"), ("Bee venom", "288328004"), ("House dust mite", "260147004"),
    ("Cat dander", "260152009"), ("Pollen", "256259004"), ("Iodinated contrast medium", "426722004"),
)  # fmt: skip
PROBLEMS = _by_name(
    ("Hypertension", "38341003", "I10"), ("Diabetes mellitus type 2", "44054006", "E11.9"),
    ("Hyperlipidemia", "55822004", "E78.5"), ("Asthma", "195967001", "J45.909"), ("Migraine", "37796009", "G43.909"),
    ("Low back pain", "279039007", "M54.50"), ("Tinnitus", "60862001", "H93.19"),
    ("Sensorineural hearing loss", "60700002", "H90.5"), ("Posttraumatic stress disorder", "47505003", "F43.10"),
    ("Anxiety disorder", "197480006", "F41.9"), ("Major depression", "370143000", "F32.9"),
    ("Obstructive sleep apnea syndrome", "78275009", "G47.33"), ("Gout", "90560007", "M10.9"),
    ("Hypothyroidism", "40930008", "E03.9"), ("Osteoporosis", "64859006", "M81.0"),
    ("Allergic rhinitis", "61582004", "J30.9"), ("Concussion injury of brain", "110030002", "S06.0X0A"),
    ("Sprain of ankle", "44465007", "S93.409A"),
)  # fmt: skip
