"""Appointments, the latest first."""

from continuum.chart.entry import N_, Entry, Mark
from continuum.chart.reading import Names, Resource, entry, first_words, named, text_fact
from continuum.chart.section import Section

_STATUS = {"proposed": Mark(N_("proposed"), "info"), "pending": Mark(N_("waiting for an answer"), "warning"),
           "cancelled": Mark(N_("cancelled")), "noshow": Mark(N_("not kept"), "warning"),
           "fulfilled": Mark(N_("kept"))}  # fmt: skip


def make(resource: Resource, names: Names) -> Entry:
    """One appointment, with whom and where."""
    others = [named(one.get("actor"), names) for one in resource.get("participant", ())]
    kind = first_words(resource.get("serviceType"))
    return entry(
        resource, names, str(resource.get("description", "")) or kind, when=str(resource.get("start", "")),
        marks=(_STATUS.get(str(resource.get("status", ""))),), kind=text_fact(kind),
        whom=text_fact(", ".join(one for one in others if one)),
    )  # fmt: skip


SECTION = Section(
    key="appointments", title=N_("Appointments"), plain=N_("Appointments"), order=140, symbol="schedule",
    search="Appointment?_sort=-date", make=make, columns=(("kind", N_("Kind")), ("whom", N_("With"))),
    nothing=N_("No appointment is recorded."), about=N_("What is planned, and what was."),
)  # fmt: skip
