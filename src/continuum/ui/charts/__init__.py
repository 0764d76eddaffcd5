"""Charts as geometry: numbers in, places in percent out. Templates draw them as SVG beside an equal table.

Places are percentages of the drawing, so one SVG fits a telephone and a wall without its text changing size.
"""

from continuum.ui.charts.growth import Curve, growth
from continuum.ui.charts.model import Band, Chart, Point, Series
from continuum.ui.charts.spark import spark
from continuum.ui.charts.trend import trend

__all__ = ["Band", "Chart", "Curve", "Point", "Series", "growth", "spark", "trend"]
