"""Small random worlds of resources."""

import random
from decimal import Decimal
from typing import Any

WORDS = ("Heart rate", "Body Height", "body weight", "Heart, left", "Gewicht (Körper)", "rate")
MR, SSN = "MR", "SS"
ID_TYPES = "http://terminology.hl7.org/CodeSystem/v2-0203"
LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
FAMILIES = ("Ramírez", "O'Brien", "Müller-Lane", "Ram", "Nguyen", "De la Cruz", "Smith", "smithers")
GIVEN = ("José", "Ann", "Ana María", "Lee", "An", "Zoë")
CODES = ("8867-4", "8302-2", "29463-7", "4548-4")
DATES = (
    "2019", "2020-02", "2020-02-29", "2021-06-30T23:30:00-05:00", "2021-07-01", "2022-01-01T00:00:00Z",
    "2022-01-01T00:00:00.250Z", "2023-12-31T23:59:59+02:00",
)  # fmt: skip
AMOUNTS = (Decimal("5.4"), 72, Decimal("180.25"), Decimal("99.9"))
MEASURED = (
    (Decimal("5.4"), "mg"), (72, "mg"), (Decimal("180.25"), "mg"), (Decimal("0.0054"), "g"), (Decimal("0.072"), "g"),
    (5_400, "ug"), (72, "/min"), (Decimal("1.2"), "/s"), (100, "[degF]"), (Decimal("5.4"), "[iU]/L"), (72, "furlong"),
    (72, "/L"), (72, "ug{dry}"), (12, "kPa"), (90, "mm[Hg]"),
)  # fmt: skip
"""Values of observations and the UCUM codes of their units; one of the codes is none."""
CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
SOURCES = ("http://clinic.org/lab", "http://clinic.org/lab/2", "http://clinic.org/labour", "urn:oid:1.2.3")
PROFILES = ("http://x.org/StructureDefinition/soldier", "http://x.org/StructureDefinition/veteran|1.0")
ORGANIZATIONS = ("org-1", "org-2")
PATIENTS = tuple(f"pat-{number}" for number in range(9))
PRACTITIONERS = ("doc-1", "doc-2")
LISTS = ("list-1", "list-2")
PAPERS = tuple(f"paper-{number}" for number in range(9))
RELATIONS = ("replaces", "transforms", "signs", "appends")
CHROMOSOMES = ("http://loinc.org", ("LA21254-0", "LA21255-7"))
SEQUENCES = ("http://www.ncbi.nlm.nih.gov/nuccore", ("NC_000009.11", "NC_000002.12"))
PLACES_WITHIN = (10, 12, 20, 25, 30, 32)
"""Where pieces of a sequence begin and end."""


def make(rng: random.Random) -> list[dict[str, Any]]:
    """A world whose references all lead somewhere, in an order in which it can be written."""
    world: list[dict[str, Any]] = [
        {"resourceType": "Organization", "id": o, "name": f"Clinic {o}"} for o in ORGANIZATIONS
    ]
    world += [_location(rng, f"loc-{number}") for number in range(14)]
    world += [_practitioner(rng, one) for one in PRACTITIONERS]
    world += [_patient(rng, one) for one in PATIENTS]
    encounters = [f"enc-{number}" for number in range(10)]
    world += [_encounter(rng, one) for one in encounters]
    world += [_observation(rng, f"obs-{number}", encounters) for number in range(45)]
    everybody = [f"{one['resourceType']}/{one['id']}" for one in world]
    world += [_list(rng, one, everybody) for one in LISTS]
    world += [_paper(rng, number) for number in range(len(PAPERS))]
    world += [_sequence(rng, f"seq-{number}") for number in range(12)]
    return world


def _paper(rng: random.Random, number: int) -> dict[str, Any]:
    """A document that has to do with some of those before it."""
    related = rng.sample(PAPERS[:number], min(number, rng.choice((0, 1, 2, 3))))
    return _clean({
        "resourceType": "DocumentReference", "id": PAPERS[number], "status": "current",
        "content": [{"attachment": {"url": "urn:x"}}],
        "relatesTo": [
            {"code": rng.choice(RELATIONS), "target": {"reference": f"DocumentReference/{one}"}} for one in related
        ] or None,
    })  # fmt: skip


def _sequence(rng: random.Random, one: str) -> dict[str, Any]:
    """A sequence with the window that it was read in, and with variants that begin and end in it."""

    def named(names: tuple[str, tuple[str, ...]]) -> dict[str, Any]:
        return {"coding": [{"system": names[0], "code": rng.choice(names[1])}]}

    def piece(first: str, last: str) -> dict[str, Any]:
        start, end = sorted(rng.choices(PLACES_WITHIN, k=2))
        return _clean({first: _maybe(rng, start, 0.9), last: _maybe(rng, end, 0.9)})

    reference = _clean({
        "chromosome": _maybe(rng, named(CHROMOSOMES), 0.9), "referenceSeqId": _maybe(rng, named(SEQUENCES), 0.9),
        **piece("windowStart", "windowEnd"),
    })  # fmt: skip
    variants = [variant for _ in range(rng.choice((0, 1, 2, 3))) if (variant := piece("start", "end"))]
    return _clean({
        "resourceType": "MolecularSequence", "id": one, "coordinateSystem": 0, "referenceSeq": reference or None,
        "variant": variants or None,
    })  # fmt: skip


def _list(rng: random.Random, one: str, everybody: list[str]) -> dict[str, Any]:
    items = [{"item": {"reference": to}} for to in rng.sample(everybody, 9)]
    return {"resourceType": "List", "id": one, "status": "current", "mode": "working", "entry": items}


TEXT_NAMES = {"display", "text", "family", "given", "name", "unit", "valueString"}
"""The elements of these worlds that hold text for people."""


def texts(node: Any, name: str = "") -> list[str]:
    """All text for people, but the narrative."""
    if isinstance(node, dict):
        return [one for key, value in node.items() if key != "div" for one in texts(value, key)]
    if isinstance(node, list):
        return [one for value in node for one in texts(value, name)]
    return [node] if isinstance(node, str) and name in TEXT_NAMES else []


def narrative(resource: dict[str, Any]) -> str:
    """What the narrative says, of the one form that these worlds have."""
    div = resource.get("text", {}).get("div", "")
    return div.removeprefix('<div xmlns="http://www.w3.org/1999/xhtml"><p>').removesuffix("</p></div>")


def _coded(rng: random.Random, systems: tuple[str, ...], codes: tuple[str, ...]) -> dict[str, Any]:
    coding = {"system": rng.choice(systems), "code": rng.choice(codes), "display": _maybe(rng, rng.choice(WORDS), 0.5)}
    return _clean({"coding": [_clean(coding)], "text": _maybe(rng, rng.choice(WORDS), 0.4)})


def _maybe(rng: random.Random, value: Any, chance: float = 0.7) -> Any:
    return value if rng.random() < chance else None


def _clean(resource: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in resource.items() if value is not None}


def _practitioner(rng: random.Random, one: str) -> dict[str, Any]:
    return {"resourceType": "Practitioner", "id": one, "name": [{"family": rng.choice(FAMILIES)}]}


PLACES = (
    (48.1, 11.6),
    (48.3, 11.7),
    (51.5, -0.1),
    (-33.9, 151.2),
    (89.9, 40.0),
    (89.9, -140.0),
    (0, 179.95),
    (0, -179.9),
)
"""Latitudes and longitudes: two towns near each other, one far, two beside a pole, two across the antimeridian."""


def _location(rng: random.Random, one: str) -> dict[str, Any]:
    latitude, longitude = rng.choice(PLACES)
    position = {"latitude": Decimal(str(latitude)), "longitude": Decimal(str(longitude))}
    return _clean(
        {
            "resourceType": "Location",
            "id": one,
            "name": rng.choice(FAMILIES),
            "status": rng.choice(("active", "suspended")),
            "position": _maybe(rng, position, 0.85),
            "managingOrganization": _maybe(rng, {"reference": f"Organization/{rng.choice(ORGANIZATIONS)}"}),
        }
    )


def _identifier(rng: random.Random) -> dict[str, Any]:
    kind = {"coding": [{"system": ID_TYPES, "code": rng.choice((MR, SSN))}], "text": rng.choice(WORDS)}
    return _clean({"type": _maybe(rng, kind), "system": "urn:dod", "value": str(rng.randint(1, 5))})


def _patient(rng: random.Random, one: str) -> dict[str, Any]:
    names = [{"family": rng.choice(FAMILIES), "given": rng.sample(GIVEN, 2)} for _ in range(rng.choice((0, 1, 2)))]
    meta = _clean({
        "security": _maybe(rng, [{"system": CONFIDENTIALITY, "code": "R"}], 0.2),
        "source": _maybe(rng, rng.choice(SOURCES), 0.5),
        "profile": _maybe(rng, [rng.choice(PROFILES)], 0.5),
    })  # fmt: skip
    return _clean(
        {
            "resourceType": "Patient",
            "id": one,
            "meta": meta or None,
            "identifier": _maybe(rng, [_identifier(rng), _identifier(rng)]),
            "name": names or None,
            "gender": _maybe(rng, rng.choice(("male", "female"))),
            "birthDate": _maybe(rng, rng.choice(("1980", "1990-05", "2001-02-03"))),
            "managingOrganization": _maybe(rng, {"reference": f"Organization/{rng.choice(ORGANIZATIONS)}"}, 0.6),
            "generalPractitioner": _maybe(rng, [{"reference": f"Practitioner/{rng.choice(PRACTITIONERS)}"}]),
        }
    )


def _encounter(rng: random.Random, one: str) -> dict[str, Any]:
    first, last = sorted(rng.sample((DATES[1], DATES[2], DATES[4], DATES[5]), 2))
    period = rng.choice(({"start": first, "end": last}, {"start": first}, {"end": last}, None))
    return _clean(
        {
            "resourceType": "Encounter",
            "id": one,
            "status": rng.choice(("finished", "planned")),
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": rng.choice(("AMB", "IMP"))},
            "subject": {"reference": f"Patient/{rng.choice(PATIENTS)}"},
            "participant": _maybe(rng, [{"individual": {"reference": f"Practitioner/{rng.choice(PRACTITIONERS)}"}}]),
            "period": period,
            "length": _maybe(
                rng, {"value": rng.choice((10, Decimal("30.5"))), "system": UCUM, "code": "min", "unit": "min"}
            ),
        }
    )


def _narrative(rng: random.Random) -> dict[str, str]:
    words = " and ".join(rng.sample(WORDS, 2))
    return {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml"><p>{words}</p></div>'}


def _observation(rng: random.Random, one: str, encounters: list[str]) -> dict[str, Any]:
    number, unit = rng.choice(MEASURED)
    value: dict[str, Any] = rng.choice(
        (
            {"valueQuantity": {"value": number, "unit": unit, "system": UCUM, "code": unit}},
            {
                "valueQuantity": {
                    "value": rng.choice((Decimal("5.4"), Decimal("99.9"))),
                    "unit": "mg",
                    "comparator": "<",
                }
            },
            {"valueCodeableConcept": {"coding": [{"system": LOINC, "code": rng.choice(CODES)}]}},
            {"valueString": rng.choice(FAMILIES)},
            {},
        )
    )
    components = [
        {
            "code": _coded(rng, (LOINC,), CODES),
            "valueQuantity": {"value": rng.choice((60, 72, 120)), "system": UCUM, "code": "mm[Hg]"},
        }
        for _ in range(2)
    ]
    patient = _clean(
        {"reference": f"Patient/{rng.choice(PATIENTS)}", "display": _maybe(rng, rng.choice(FAMILIES), 0.3)}
    )
    return _clean(
        {
            "resourceType": "Observation",
            "id": one,
            "status": rng.choice(("final", "preliminary")),
            "category": _maybe(rng, [{"coding": [{"system": "urn:cat", "code": rng.choice(("vital", "lab"))}]}]),
            "text": _maybe(rng, _narrative(rng), 0.3),
            "code": _coded(rng, (LOINC, "urn:other"), CODES),
            "subject": rng.choice((patient, patient, {"identifier": {"system": "urn:dod", "value": "3"}})),
            "encounter": _maybe(rng, {"reference": f"Encounter/{rng.choice(encounters)}"}),
            "performer": _maybe(rng, [{"reference": f"Practitioner/{rng.choice(PRACTITIONERS)}"}], 0.4),
            "effectiveDateTime": _maybe(rng, rng.choice(DATES), 0.8),
            "component": _maybe(rng, components, 0.4),
            **value,
        }
    )
