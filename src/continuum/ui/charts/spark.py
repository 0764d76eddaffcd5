"""A course as small as a word: its path only, for a cell of a table that has the numbers beside it."""

from collections.abc import Sequence

from continuum.ui.charts.model import Point
from continuum.ui.charts.scale import Scale, path

_ROOM_PERCENT = 8.0
"""Above and below the line, so that its stroke is not cut."""


def spark(points: Sequence[Point]) -> str:
    """SVG's path in a square of 100 by 100, oldest left; "" where fewer than two instants can be told apart."""
    ordered = sorted(points, key=lambda one: one.at)
    if len(ordered) < 2 or ordered[0].at == ordered[-1].at:
        return ""
    x = Scale(ordered[0].at.timestamp(), ordered[-1].at.timestamp())
    low, high = float(min(one.value for one in ordered)), float(max(one.value for one in ordered))
    room = (high - low or abs(low) or 1.0) * _ROOM_PERCENT / (100 - 2 * _ROOM_PERCENT)
    y = Scale(low - room, high + room)
    return path([(round(x.percent(one.at.timestamp()), 1), round(y.percent(float(one.value)), 1)) for one in ordered])
