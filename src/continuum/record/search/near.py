"""Places near a point (R4 Location `near`): a box that the index answers, then the distance on the sphere.

A position is one row of record.quantity: `low` its latitude, `high` its longitude, in degrees.
"""

import math

from continuum.fhir.query import Value
from continuum.record.geography import EARTH_RADIUS_M, WHOLE_TURN_DEG
from continuum.record.search.bindings import Bindings

_SLACK_DEG = 1e-7
"""A centimetre: the box may be larger than the circle, never smaller."""


def near_condition(key: int, value: Value, bindings: Bindings) -> str:
    """The condition on rows `x` of record.quantity for positions within a distance of a point."""
    assert value.around is not None, "the grammar reads a place for every `near`"
    latitude, longitude, distance_m = value.around

    def bound(figure: float) -> str:
        return bindings.bind(figure, "float8")

    angle = distance_m / EARTH_RADIUS_M
    reach = math.degrees(angle) + _SLACK_DEG
    parts = [
        f"x.key = {bindings.bind(key, 'bigint')}",
        f"x.low >= {bound(latitude - reach)}",
        f"x.low <= {bound(latitude + reach)}",
    ]
    if abs(latitude) + reach < 90:  # else the circle holds a pole, and every longitude
        width = math.degrees(math.asin(min(math.sin(angle) / math.cos(math.radians(latitude)), 1.0))) + _SLACK_DEG
        spans = _spans(longitude - width, longitude + width)
        parts.append("(" + " OR ".join(f"x.high BETWEEN {bound(low)} AND {bound(high)}" for low, high in spans) + ")")
    here, across = bound(latitude), bound(longitude)
    parts.append(
        f"2 * {bound(EARTH_RADIUS_M)} * asin(sqrt(least(1,"
        f" power(sin(radians(x.low - {here}) / 2), 2) + cos(radians({here})) * cos(radians(x.low))"
        f" * power(sin(radians(x.high - {across}) / 2), 2)))) <= {bound(distance_m)}"
    )
    return " AND ".join(parts)


def _spans(west: float, east: float) -> list[tuple[float, float]]:
    """The longitudes from west to east, in two when the antimeridian lies between."""
    half = WHOLE_TURN_DEG / 2
    if west < -half:
        return [(west + WHOLE_TURN_DEG, half), (-half, east)]
    if east > half:
        return [(west, half), (-half, east - WHOLE_TURN_DEG)]
    return [(west, east)]
