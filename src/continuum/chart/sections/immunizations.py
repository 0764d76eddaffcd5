"""Immunizations (US Core 6.1)."""

from continuum.chart.entry import N_, Entry, Mark
from continuum.chart.reading import Names, Resource, entry, text_fact, words
from continuum.chart.section import Section


def make(resource: Resource, names: Names) -> Entry:
    """One dose, or why it was not given."""
    missed = resource.get("status") == "not-done"
    return entry(
        resource, names, words(resource.get("vaccineCode")),
        when=str(resource.get("occurrenceDateTime") or resource.get("recorded") or ""),
        marks=(Mark(N_("not given"), "warning") if missed else None,),
        lot=text_fact(resource.get("lotNumber")), site=text_fact(words(resource.get("site"))),
        reason=text_fact(words(resource.get("statusReason"))),
    )  # fmt: skip


SECTION = Section(
    key="immunizations", title=N_("Immunizations"), plain=N_("Vaccines"), order=40, symbol="verified_user",
    search="Immunization?_sort=-date", make=make, before="date", undated=True,
    columns=(("lot", N_("Lot")), ("site", N_("Site")), ("reason", N_("Reason"))),
    nothing=N_("No immunization is recorded."), about=N_("Each dose that was given."),
)  # fmt: skip
