"""What the person measured or wrote down themselves: kept apart from what clinicians recorded, and marked."""

from continuum.access.authored import REPORTED
from continuum.chart.entry import N_, Entry, Mark
from continuum.chart.reading import Names, Resource, entry, value_fact, words
from continuum.chart.section import Section

NOTE_CODE = "own-note"


def make(resource: Resource, names: Names) -> Entry:
    """One reading, or a note in the person's own words."""
    parts = [value_fact(one) for one in resource.get("component", ())]
    written = str(resource.get("valueString", ""))
    return entry(
        resource, names, words(resource.get("code")), marks=(Mark(N_("own entry"), "info"),),
        value=None if parts or written else value_fact(resource), part0=parts[0] if parts else None,
        part1=parts[1] if len(parts) > 1 else None, note=written,
    )  # fmt: skip


SECTION = Section(
    key="own", title=N_("Reported by the patient"), plain=N_("My own readings and notes"), order=55, symbol="edit",
    search=f"Observation?category={REPORTED}&_sort=-date", make=make, before="date",
    columns=(("value", N_("Value")), ("part0", N_("Upper")), ("part1", N_("Lower"))),
    nothing=N_("No own reading or note is recorded."),
    about=N_("Measured or written by the person, not by a clinician."),
)  # fmt: skip
