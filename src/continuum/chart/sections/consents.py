"""Consents: what the person allowed or forbade."""

from continuum.chart.entry import N_, Entry, Mark
from continuum.chart.reading import Names, Resource, day_fact, entry, first_words, text_fact
from continuum.chart.section import Section


def make(resource: Resource, names: Names) -> Entry:
    """One consent and its time."""
    provision = resource.get("provision", {})
    period = provision.get("period", {})
    kind = provision.get("type", "")
    return entry(
        resource, names, first_words(resource.get("category")) or str(resource.get("scope", {}).get("text", "")),
        when=str(resource.get("dateTime", "")),
        group=N_("Now") if resource.get("status") == "active" else N_("Earlier"),
        marks=(Mark(N_("allows"), "success") if kind == "permit" else Mark(N_("forbids"), "error") if kind else None,),
        since=day_fact(period.get("start")), until=day_fact(period.get("end")),
        about=text_fact(first_words(provision.get("code"))),
    )  # fmt: skip


SECTION = Section(
    key="consents", title=N_("Consents"), plain=N_("Consents"), order=160, symbol="lock",
    search="Consent?_sort=-date", make=make,
    columns=(("about", N_("About")), ("since", N_("From")), ("until", N_("Until"))),
    nothing=N_("No consent is recorded."), about=N_("What was allowed or forbidden."),
)  # fmt: skip
