"""Service: the episode itself, each deployment and what the member was exposed to there.

LOINC codes are those of HL7's guide on military service history; what LOINC has no code for is local.
"""

from collections.abc import Iterator
from datetime import date, timedelta

from continuum.samples import careers
from continuum.samples.data.bases import AFLOAT
from continuum.samples.data.services import BRANCH_NAMES
from continuum.samples.elements import LOCAL, LOINC, Element, Resource, coding, concept, reference
from continuum.samples.life import Life
from continuum.samples.observations import CATEGORIES, loinc
from continuum.samples.persons import Deployment, Service
from continuum.samples.streams import Draw

_EPISODE = concept(f"{LOCAL}military", "service-episode", "Military service episode")
_BRANCH = loinc("86188-0", "History of Occupation industry")
_GRADE = loinc("87707-6", "Supervisory level or pay grade")
_OCCUPATION = loinc("21843-8", "History of Usual occupation")
_STATUS = concept(f"{LOCAL}military", "component", "Component or status")
_RANK = concept(f"{LOCAL}military", "rank", "Rank title")
_DEPLOYMENT = {
    "coding": [
        coding(f"{LOCAL}military", "deployment", "Deployment"),
        coding(LOINC, "87511-2", "Combat zone AndOr hazardous duty work dates"),
    ],
    "text": "Deployment",
}
_EXPOSURE = concept(f"{LOCAL}military", "exposure", "Occupational or environmental exposure while deployed")
_COUNTRY = concept(f"{LOCAL}military", "deployment-country", "Country of deployment")
_UNIT = concept(f"{LOCAL}military", "deployment-place", "Ship or place of deployment")
_BLOOD_TYPE = concept(LOINC, "882-1", "ABO and Rh group [Type] in Blood")
_STATUS_NAMES = {
    "active": "Active duty",
    "reserve": "Reserve",
    "guard": "National Guard",
    "retired": "Retired",
    "veteran": "Veteran",
}
_BLOOD = (
    ("O Positive", 0.37), ("A Positive", 0.36), ("B Positive", 0.085), ("O Negative", 0.066),
    ("A Negative", 0.063), ("AB Positive", 0.034), ("B Negative", 0.015), ("AB Negative", 0.007),
)  # fmt: skip
_RESULTS_MINUTE = 900
"""The minute of the day at which the blood type is told; of its sample only the day is recorded."""


def events(life: Life, draw: Draw) -> Iterator[Resource]:
    """For those who serve or served: the episode, deployments, exposures, and the blood type."""
    service = life.service
    if service is None:
        return
    deployments = [deployment for deployment in life.deployments if deployment.end >= life.since]
    shown = [_deployment(life, deployment) for deployment in deployments]
    yield _episode(life, service, draw, shown)
    yield from shown
    for deployment in deployments:
        for exposure in deployment.exposures:
            yield _exposure(life, deployment, exposure, draw)
    drawn = max(life.since, min(life.until, service.entered + timedelta(days=3)))
    group = draw.rng.choices([name for name, _ in _BLOOD], [share for _, share in _BLOOD])[0]
    blood = _observation(life, draw.id(), _BLOOD_TYPE, "laboratory")
    blood["effectiveDateTime"] = drawn.isoformat()
    blood["issued"] = life.world.care(life.family.base(drawn)).instant(drawn, _RESULTS_MINUTE)
    blood["valueCodeableConcept"] = {"text": group}
    yield blood


def _observation(life: Life, identity: str, code: Element, category: str) -> Resource:
    return {
        "resourceType": "Observation",
        "id": identity,
        "status": "final",
        "category": CATEGORIES[category],
        "code": code,
        "subject": life.subject,
    }


def _period(life: Life, start: date, end: date | None) -> Element:
    """A period; one that is not over on the last day of the record has no end."""
    end = end if end is not None and end <= life.today else None
    return {"start": start.isoformat(), **({"end": end.isoformat()} if end is not None else {})}


def _episode(life: Life, service: Service, draw: Draw, deployments: list[Resource]) -> Resource:
    grade, rank = careers.grade(service, life.until)
    branch = BRANCH_NAMES[service.branch]
    resource = _observation(life, draw.id(), _EPISODE, "social-history")
    resource["effectivePeriod"] = _period(life, service.entered, service.left)
    resource["component"] = [
        {"code": _BRANCH, "valueCodeableConcept": concept(f"{LOCAL}service-branch", service.branch, branch)},
        {"code": _GRADE, "valueCodeableConcept": concept(f"{LOCAL}pay-grade", grade, f"Pay grade {grade}")},
        {"code": _RANK, "valueString": rank},
        {"code": _OCCUPATION, "valueString": service.occupation.title},
        {
            "code": _STATUS,
            "valueCodeableConcept": concept(f"{LOCAL}service-status", service.status, _STATUS_NAMES[service.status]),
        },
    ]
    if deployments:
        resource["hasMember"] = [reference("Observation", one["id"]) for one in deployments]
    return resource


def _deployment(life: Life, deployment: Deployment) -> Resource:
    place = next(place for place in AFLOAT if place.key == deployment.afloat)
    resource = _observation(life, deployment.id, _DEPLOYMENT, "social-history")
    resource["effectivePeriod"] = _period(life, deployment.start, deployment.end)
    resource["component"] = [{"code": _UNIT, "valueString": place.name}]
    if deployment.country:
        country = concept("urn:iso:std:iso:3166", deployment.country, deployment.country)
        resource["component"].append({"code": _COUNTRY, "valueCodeableConcept": country})
    return resource


def _exposure(life: Life, deployment: Deployment, exposure: str, draw: Draw) -> Resource:
    resource = _observation(life, draw.id(), _EXPOSURE, "social-history")
    resource["effectivePeriod"] = _period(life, deployment.start, deployment.end)
    code = concept(f"{LOCAL}exposure", exposure.replace(" ", "-"), exposure.capitalize())
    resource["valueCodeableConcept"] = code
    resource["derivedFrom"] = [reference("Observation", deployment.id)]
    return resource
