"""Who works where. Specialties are named with SNOMED CT codes of R4's c80-practice-codes value set."""

from dataclasses import dataclass

from continuum.samples.data.bases import Kind


@dataclass(frozen=True, slots=True)
class Specialty:
    """A specialty; `role` is a code of HL7's practitioner-role."""

    key: str
    code: str
    display: str
    role: tuple[str, str]
    title: str


_DOCTOR = ("doctor", "Doctor")
_NURSE = ("nurse", "Nurse")

SPECIALTIES = {
    specialty.key: specialty
    for specialty in (
        Specialty("family", "419772000", "Family practice", _DOCTOR, "MD"),
        Specialty("pediatrics", "394537008", "Pediatric specialty", _DOCTOR, "MD"),
        Specialty("obstetrics", "394585009", "Obstetrics and gynecology", _DOCTOR, "MD"),
        Specialty("emergency", "408478003", "Critical care medicine", _DOCTOR, "MD"),
        Specialty("medicine", "419192003", "Internal medicine", _DOCTOR, "MD"),
        Specialty("surgery", "394609007", "Surgery-general surgery", _DOCTOR, "MD"),
        Specialty("behavioral", "394587001", "Psychiatry", _DOCTOR, "MD"),
        Specialty("therapy", "394602003", "Rehabilitation", _NURSE, "DPT"),
        Specialty("audiology", "394578005", "Audiological medicine", _DOCTOR, "AuD"),
        Specialty("laboratory", "394915009", "General pathology", _DOCTOR, "MD"),
        Specialty("nursing", "394802001", "General medicine", _NURSE, "RN"),
        Specialty("dentist", "408444009", "Dental-General dental practice", _DOCTOR, "DDS"),
        Specialty("corpsman", "408443003", "General medical practice", _NURSE, "IDC"),
    )
}

STAFFING: dict[Kind, tuple[tuple[str, int], ...]] = {
    "hospital": (
        ("family", 3),
        ("pediatrics", 2),
        ("obstetrics", 2),
        ("emergency", 2),
        ("medicine", 2),
        ("surgery", 2),
        ("behavioral", 2),
        ("therapy", 1),
        ("audiology", 1),
        ("laboratory", 1),
        ("nursing", 3),
    ),
    "clinic": (
        ("family", 3),
        ("pediatrics", 1),
        ("medicine", 1),
        ("behavioral", 1),
        ("therapy", 1),
        ("audiology", 1),
        ("nursing", 2),
    ),
    "dental": (("dentist", 3),),
    "ship": (("medicine", 1), ("corpsman", 2), ("dentist", 1)),
    "surgical_team": (("surgery", 2), ("emergency", 1), ("nursing", 2)),
    "aid_station": (("family", 1), ("corpsman", 3)),
}
