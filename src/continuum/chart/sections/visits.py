"""Visits and stays, wherever they were: clinic, ward, emergency room, ship, field (US Core 6.1, Encounter)."""

from continuum.chart.entry import N_, Entry, Mark
from continuum.chart.reading import Names, Resource, day_fact, entry, first_words, text_fact, words
from continuum.chart.section import Section

_STATUS = {"planned": Mark(N_("planned"), "info"), "arrived": Mark(N_("arrived"), "info"),
           "in-progress": Mark(N_("now"), "success"), "cancelled": Mark(N_("cancelled"))}  # fmt: skip
_CLASSES = {"AMB": N_("Outpatient"), "EMER": N_("Emergency"), "IMP": N_("Inpatient"), "FLD": N_("Field"),
            "VR": N_("Virtual"), "HH": N_("Home"), "ACUTE": N_("Inpatient"), "OBSENC": N_("Observation")}  # fmt: skip


def make(resource: Resource, names: Names) -> Entry:
    """One visit, and why it was."""
    period = resource.get("period", {})
    stayed = str(period.get("end", ""))[:10] != str(period.get("start", ""))[:10]
    place = resource.get("class", {})
    return entry(
        resource, names, first_words(resource.get("type")) or words(place),
        marks=(_STATUS.get(str(resource.get("status", ""))),),
        kind=text_fact(_CLASSES.get(place.get("code", "")), own=True),
        reason=text_fact(first_words(resource.get("reasonCode"))),
        until=day_fact(period.get("end") if stayed else None),
    )  # fmt: skip


SECTION = Section(
    key="visits", title=N_("Visits"), plain=N_("Visits and stays"), order=90, symbol="local_hospital",
    search="Encounter?_sort=-date", make=make, before="date", says=tuple(_CLASSES.values()),
    columns=(("kind", N_("Kind")), ("reason", N_("Reason")), ("until", N_("Until"))),
    nothing=N_("No visit is recorded."), about=N_("Every visit and stay, from every facility."),
)  # fmt: skip
