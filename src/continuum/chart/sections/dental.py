"""Dental care, in the same record: treatments by tooth, and the readiness class of those who serve."""

from continuum.chart.entry import N_, Entry, Mark
from continuum.chart.reading import LOCAL, Names, Resource, entry, first_words, text_fact, value_fact, words
from continuum.chart.section import Section


def make(resource: Resource, names: Names) -> Entry:
    """One treatment or examination."""
    return entry(
        resource, names, words(resource.get("code")),
        tooth=text_fact(first_words(resource.get("bodySite"))), value=value_fact(resource),
        marks=(Mark(N_("planned"), "info") if resource.get("status") == "preparation" else None,),
    )  # fmt: skip


SECTION = Section(
    key="dental", title=N_("Dental"), plain=N_("Dental care"), order=110, symbol="medical_services",
    search=f"Procedure?code={LOCAL}dental-procedure|&_sort=-date", make=make,
    columns=(("tooth", N_("Tooth")), ("value", N_("Value"))), nothing=N_("No dental care is recorded."),
    about=N_("Examinations and treatments of the teeth."),
)  # fmt: skip
