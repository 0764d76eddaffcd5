"""Questions asked at check-ups: tobacco, mood, occupation."""

from collections.abc import Iterator

from continuum.samples.elements import SNOMED, US_CORE, Element, Resource, concept
from continuum.samples.life import Life, Visit
from continuum.samples.observations import loinc, measured, observation
from continuum.samples.streams import Draw

_TOBACCO = loinc("72166-2", "Tobacco smoking status")
_TOBACCO_PROFILE = {"profile": [f"{US_CORE}us-core-smokingstatus"]}
_SMOKER = concept(SNOMED, "449868002", "Smokes tobacco daily")
_FORMER = concept(SNOMED, "8517006", "Ex-smoker")
_NEVER = concept(SNOMED, "266919005", "Never smoked tobacco")
_PHQ2 = loinc("55758-7", "Patient Health Questionnaire 2 item (PHQ-2) total score [Reported]")
_PHQ9 = loinc("44261-6", "Patient Health Questionnaire 9 item (PHQ-9) total score [Reported]")
_PAIN = loinc("72514-3", "Pain severity - 0-10 verbal numeric rating [Score] - Reported")
_FORMER_SHARE = 0.18


def events(life: Life, draw: Draw) -> Iterator[Resource]:
    """Tobacco and PHQ-2 at check-ups from 12 years on, PHQ-9 in behavioural care, pain where something hurts."""
    for visit in life.visits:
        if visit.kind == "checkup" or (visit.kind == "well_child" and life.person.age(visit.day) >= 12):
            yield _tobacco(life, visit, draw)
            yield _mood(life, visit, draw)
        elif visit.reason is not None and visit.reason.kind.key in {"depression", "ptsd"}:
            score = _answered(life, draw, category="survey", code=_PHQ9, visit=visit)
            score["valueQuantity"] = measured(_severity(life, visit, draw), "{score}")
            yield score
        elif visit.kind in {"acute", "emergency"}:
            hurts = visit.reason is not None and getattr(visit.reason.kind, "strain", False)
            pain = _answered(life, draw, category="survey", code=_PAIN, visit=visit)
            pain["valueQuantity"] = measured(draw.rng.randint(3, 8) if hurts else draw.rng.randint(0, 4), "{score}")
            yield pain


def _answered(life: Life, draw: Draw, *, category: str, code: Element, visit: Visit) -> Resource:
    """What somebody answered is in the record when the visit ends."""
    return observation(life, draw.id(), category=category, code=code, visit=visit) | {"issued": visit.end}


def _tobacco(life: Life, visit: Visit, draw: Draw) -> Resource:
    resource = _answered(life, draw, category="social-history", code=_TOBACCO, visit=visit)
    resource["meta"] = _TOBACCO_PROFILE
    habit = life.person.body.habit
    former = life.person.age(visit.day) >= 30 and habit > 1 - _FORMER_SHARE
    smokes = life.physiology.smoker and life.person.age(visit.day) >= 17
    resource["valueCodeableConcept"] = _SMOKER if smokes else _FORMER if former else _NEVER
    return resource


def _mood(life: Life, visit: Visit, draw: Draw) -> Resource:
    low = life.has("depression", visit.day)
    resource = _answered(life, draw, category="survey", code=_PHQ2, visit=visit)
    resource["valueQuantity"] = measured(
        draw.rng.randint(1, 5) if low else draw.rng.choice((0, 0, 0, 1, 1, 2)), "{score}"
    )
    return resource


def _severity(life: Life, visit: Visit, draw: Draw) -> int:
    """PHQ-9: moderate to severe when found, milder with months of treatment."""
    onset = visit.reason.onset if visit.reason is not None else life.since
    months = max(0, (visit.day - onset).days) / 30
    return max(1, min(27, round(17 - min(9.0, months * 1.2) + draw.rng.gauss(0, 2.2))))
