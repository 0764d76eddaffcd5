"""Imaging and other reports (US Core 6.1, DiagnosticReport)."""

from continuum.chart.entry import N_, Entry, Mark
from continuum.chart.reading import Names, Resource, attached_text, entry, first_words, text_fact, words
from continuum.chart.section import Section

_STATUS = {"preliminary": Mark(N_("preliminary"), "warning"), "partial": Mark(N_("partial"), "warning"),
           "amended": Mark(N_("amended"), "info"), "corrected": Mark(N_("corrected"), "info")}  # fmt: skip


def make(resource: Resource, names: Names) -> Entry:
    """A report with its conclusion; the results in it stand under laboratory."""
    return entry(
        resource, names, words(resource.get("code")), marks=(_STATUS.get(str(resource.get("status", ""))),),
        kind=text_fact(first_words(resource.get("category"))), conclusion=text_fact(resource.get("conclusion")),
        note=attached_text(resource),
    )  # fmt: skip


SECTION = Section(
    key="reports", title=N_("Imaging and reports"), plain=N_("Imaging and reports"), order=70, symbol="visibility",
    search="DiagnosticReport?_sort=-date", make=make, before="date", undated=True,
    columns=(("kind", N_("Kind")), ("conclusion", N_("Conclusion"))), nothing=N_("No report is recorded."),
    about=N_("What imaging, laboratory and others reported."),
)  # fmt: skip
