"""Hearing conservation: a pure tone audiogram a year for those who work in noise."""

from collections.abc import Iterator
from datetime import date

from continuum.samples.elements import LOCAL, Resource, concept, quantity
from continuum.samples.life import Life
from continuum.samples.observations import observation
from continuum.samples.streams import Draw

AUDIOGRAM = concept(f"{LOCAL}audiogram", "pure-tone-audiogram", "Pure tone audiogram, air conduction")
SHIFT = concept(f"{LOCAL}audiogram", "threshold-shift", "Significant threshold shift against baseline")
FREQUENCIES_HZ = (500, 1000, 2000, 3000, 4000, 6000)
_NOTCH = {500: 0.1, 1000: 0.15, 2000: 0.45, 3000: 0.9, 4000: 1.15, 6000: 1.0}
"""How much of a noise-induced loss falls on each frequency: most around 4 kHz."""
_SIDES = ("left", "right")
_THRESHOLD = {
    (side, hertz): concept(f"{LOCAL}audiogram", f"threshold-{side}-{hertz}", f"Hearing threshold {side} ear {hertz} Hz")
    for side in _SIDES
    for hertz in FREQUENCIES_HZ
}
SHIFT_DB = 10


def events(life: Life, draw: Draw) -> Iterator[Resource]:
    """An audiogram at each hearing visit, and whether the mean at 2, 3 and 4 kHz moved by 10 dB."""
    baseline: dict[str, float] = {}
    for visit in life.visits:
        if visit.kind != "hearing":
            continue
        loss = noise_loss_db(life, visit.day)
        thresholds = {
            (side, hertz): max(-5, 5 * round((2 + loss * _NOTCH[hertz] + draw.rng.gauss(0, 2.2)) / 5))
            for side in _SIDES
            for hertz in FREQUENCIES_HZ
        }
        audiogram = observation(life, draw.id(), category="exam", code=AUDIOGRAM, visit=visit)
        audiogram["component"] = [
            {"code": _THRESHOLD[key], "valueQuantity": quantity(value, "dB", "dB")} for key, value in thresholds.items()
        ]
        yield audiogram
        means = {side: sum(thresholds[side, hertz] for hertz in (2000, 3000, 4000)) / 3 for side in _SIDES}
        if baseline:
            shift = observation(life, draw.id(), category="exam", code=SHIFT, visit=visit)
            shift["valueBoolean"] = any(means[side] - baseline[side] >= SHIFT_DB for side in _SIDES)
            shift["derivedFrom"] = [{"reference": f"Observation/{audiogram['id']}"}]
            yield shift
        baseline = baseline or means


def noise_loss_db(life: Life, day: date) -> float:
    """Loss from years in noise, more for those whose hearing loss is diagnosed."""
    service = life.service
    if service is None:
        return 0.0
    years = max(0.0, (min(day, service.left or day) - service.entered).days / 365.25)
    loss = 0.35 * service.occupation.noise * years
    onset = life.physiology.onset.get("hearing_loss")
    if onset is not None:
        loss += max(0.0, min(28.0, 28.0 + (day - onset).days / 365.25 * 3))
    return min(loss, 55.0)
