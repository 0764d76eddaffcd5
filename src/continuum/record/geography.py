"""Positions on the globe, as they are filed and looked for."""

import math

EARTH_RADIUS_M = 6_371_008.8
"""The mean radius (IUGG)."""
WHOLE_TURN_DEG = 360.0


def metres_between(here: tuple[float, float], there: tuple[float, float]) -> float:
    """The distance of two positions on the sphere; latitudes and longitudes in degrees."""
    (south, west), (north, east) = (tuple(map(math.radians, one)) for one in (here, there))
    half = math.sin((north - south) / 2) ** 2 + math.cos(south) * math.cos(north) * math.sin((east - west) / 2) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(math.sqrt(min(half, 1.0)))


def filed_longitude(longitude: float) -> float:
    """The longitude from -180 to 180 degrees, however often it goes around."""
    if -WHOLE_TURN_DEG / 2 <= longitude <= WHOLE_TURN_DEG / 2:
        return longitude
    return math.remainder(longitude, WHOLE_TURN_DEG)
