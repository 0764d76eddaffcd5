"""Positions on the globe, as they are filed and looked for."""

import math

EARTH_RADIUS_M = 6_371_008.8
"""The mean radius (IUGG)."""
WHOLE_TURN_DEG = 360.0


def filed_longitude(longitude: float) -> float:
    """The longitude from -180 to 180 degrees, however often it goes around."""
    if -WHOLE_TURN_DEG / 2 <= longitude <= WHOLE_TURN_DEG / 2:
        return longitude
    return math.remainder(longitude, WHOLE_TURN_DEG)
