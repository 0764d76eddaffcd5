"""Procedures (US Core 6.1)."""

from continuum.chart.entry import N_, Entry, Mark
from continuum.chart.reading import Names, Resource, entry, first_words, text_fact, words
from continuum.chart.section import Section

_STATUS = {"in-progress": Mark(N_("now"), "success"), "not-done": Mark(N_("not done"), "warning"),
           "preparation": Mark(N_("planned"), "info"), "stopped": Mark(N_("stopped"), "warning")}  # fmt: skip


def make(resource: Resource, names: Names) -> Entry:
    """One procedure, and where on the body."""
    return entry(
        resource, names, words(resource.get("code")), marks=(_STATUS.get(str(resource.get("status", ""))),),
        site=text_fact(first_words(resource.get("bodySite"))),
        reason=text_fact(first_words(resource.get("reasonCode"))),
        outcome=text_fact(words(resource.get("outcome"))),
    )  # fmt: skip


SECTION = Section(
    key="procedures", title=N_("Procedures"), plain=N_("Procedures and operations"), order=100,
    symbol="medical_services",
    search="Procedure?_sort=-date", make=make,
    before="date",
    columns=(("site", N_("Site")), ("reason", N_("Reason")), ("outcome", N_("Outcome"))),
    nothing=N_("No procedure is recorded."),
    about=N_("Operations, treatments and other procedures."),
)  # fmt: skip
