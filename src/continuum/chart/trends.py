"""The course of what is measured again and again: one series for each code, its last value, its band, its chart."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal

from continuum.chart.entry import N_, Entry, Fact
from continuum.ui.charts import Band, Chart, Point, Series, spark, trend
from continuum.ui.language import gettext
from continuum.ui.view import View as Reader

_PRESSURE = "http://loinc.org|85354-9"
_SHORT = {
    "85354-9": N_("Blood pressure"), "8867-4": N_("Heart rate"), "9279-1": N_("Respiratory rate"),
    "8310-5": N_("Body temperature"), "2708-6": N_("Oxygen saturation"), "59408-5": N_("Oxygen saturation"),
    "29463-7": N_("Body weight"), "8302-2": N_("Body height"), "39156-5": N_("Body mass index"),
    "9843-4": N_("Head circumference"), "72514-3": N_("Pain"),
}  # fmt: skip
"""LOINC codes that people know by shorter names."""
ADULT_BANDS: dict[str, tuple[str | None, str | None]] = {
    "85354-9": (None, "129"), "8867-4": ("60", "100"), "9279-1": ("12", "20"), "8310-5": ("36.1", "37.8"),
    "2708-6": ("95", None), "59408-5": ("95", None), "39156-5": ("18.5", "24.9"),
}  # fmt: skip
"""Expected at rest from 18 years on: blood pressure after ACC/AHA 2017 (upper value), body mass index after WHO."""
ADULT_AGE_Y = 18
_PARTS = ("part0", "part1")
_SHAPE_COUNT = 12
"""Values in a small drawing: those that the grid beside it shows, and a few more."""


@dataclass(frozen=True, slots=True)
class Course:
    """One thing that was measured: newest first. `code` is LOINC's or ""."""

    code: str
    title: str
    own_title: bool
    entries: tuple[Entry, ...]

    def newest(self, count: int) -> "Course":
        """The same, of so many entries at most."""
        return replace(self, entries=self.entries[:count])

    @property
    def last(self) -> Entry:
        """The newest."""
        return self.entries[0]

    @property
    def values(self) -> tuple[Fact, ...]:
        """The newest value, or both of a blood pressure."""
        return values(self.last)

    @property
    def change(self) -> int:
        """Up 1, down -1, or neither, from the one before; 0 too where units differ."""
        if len(self.entries) < 2:
            return 0
        new, old = self.values, values(self.entries[1])
        if not new or not old or new[0].number is None or old[0].number is None or new[0].unit != old[0].unit:
            return 0
        return (new[0].number > old[0].number) - (new[0].number < old[0].number)

    @property
    def shape(self) -> str:
        """The path of its latest values for a small drawing, "" where there are not two numbers in one unit."""
        return spark(_points(self.entries[:_SHAPE_COUNT], 0, self.values[0].unit)) if self.values else ""

    @property
    def drawable(self) -> bool:
        """Whether there are numbers in it."""
        return any(fact.number is not None for fact in self.values)


def values(entry: Entry) -> tuple[Fact, ...]:
    """The value of an entry, or both values of a blood pressure."""
    single = entry.fact("value")
    if single is not None:
        return (single,)
    return tuple(fact for fact in (entry.fact(part) for part in _PARTS) if fact is not None)


def courses(found: Sequence[Entry]) -> tuple[Course, ...]:
    """Entries by what they measure; those of the latest day first, usual vital signs in their usual order."""
    by_code: dict[str, list[Entry]] = {}
    for one in found:
        by_code.setdefault(one.codes[0] if one.codes else one.title, []).append(one)
    made = []
    for key, entries in by_code.items():
        code = key.partition("|")[2]
        short = _SHORT.get(code, "")
        made.append(Course(code, short or entries[0].title, bool(short), tuple(entries)))
    known = {code: place for place, code in enumerate(_SHORT)}
    made.sort(key=lambda one: known.get(one.code, len(known)))
    made.sort(key=lambda one: one.last.day, reverse=True)
    return tuple(made)


def drawn(course: Course, reader: Reader, *, adult: bool) -> Chart | None:
    """The chart of a course; None where nothing can be drawn."""
    last = course.values
    if not last or last[0].number is None:
        return None
    unit = last[0].unit
    title = gettext(course.title) if course.own_title else course.title
    names = (gettext("Upper"), gettext("Lower")) if len(last) == 2 else (title,)
    band = _band(course, last[0], adult=adult)
    series = []
    for number, name in enumerate(names):
        points = tuple(_points(course.entries, number, unit))
        series.append(Series(name, points, band if number == 0 else None))
    return trend(title, tuple(series), unit, reader)


def _points(entries: Sequence[Entry], number: int, unit: str) -> list[Point]:
    """The first or second value of each, where it is a number in this unit and its time is known."""
    points = []
    for entry in entries:
        at, facts = moment(entry.when), values(entry)
        if at is None or len(facts) <= number:
            continue
        fact = facts[number]
        if fact.number is not None and fact.unit == unit:
            points.append(Point(at, fact.number))
    return points


def _band(course: Course, value: Fact, *, adult: bool) -> Band | None:
    normal = course.last.fact("normal")
    if normal is not None and (normal.low is not None or normal.high is not None) and normal.unit in {"", value.unit}:
        return Band(normal.low, normal.high, gettext("Reference range"))
    low, high = ADULT_BANDS.get(course.code, (None, None)) if adult else (None, None)
    if low is None and high is None:
        return None
    name = gettext("Expected, upper value") if course.code == "85354-9" else gettext("Expected")
    return Band(Decimal(low) if low else None, Decimal(high) if high else None, name)


def moment(when: str) -> datetime | None:
    """FHIR's text of a time as an instant; days begin at noon UTC, so that they stay that day for most readers."""
    try:
        if len(when) == len("2026-01-01"):
            return datetime.fromisoformat(when).replace(hour=12, tzinfo=UTC)
        found = datetime.fromisoformat(when)
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
