"""Vital signs, newest first; the page draws their course (US Core 6.1, Vital Signs)."""

from continuum.chart.entry import N_, Entry, Mark
from continuum.chart.reading import Names, Resource, bounds_fact, entry, value_fact, words
from continuum.chart.section import Section


def make(resource: Resource, names: Names) -> Entry:
    """One measurement; a blood pressure has two values."""
    parts = [value_fact(one) for one in resource.get("component", ())]
    return entry(
        resource, names, words(resource.get("code")),
        marks=(Mark(N_("preliminary"), "warning") if resource.get("status") == "preliminary" else None,),
        value=None if parts else value_fact(resource), part0=parts[0] if parts else None,
        part1=parts[1] if len(parts) > 1 else None,
        normal=bounds_fact(resource),
    )  # fmt: skip


SECTION = Section(
    key="vitals", title=N_("Vital signs"), plain=N_("Vitals"), order=50, symbol="insights",
    search="Observation?category=vital-signs&_sort=-date", make=make,
    columns=(("value", N_("Value")), ("part0", N_("Upper")), ("part1", N_("Lower")), ("normal", N_("Expected"))),
    nothing=N_("No vital sign is recorded."), about=N_("Measurements over time."), charted=True,
)  # fmt: skip
