"""Medicines: prescriptions and what people say they take (US Core 6.1, MedicationRequest)."""

from continuum.chart.entry import N_, Entry, Mark
from continuum.chart.reading import Names, Resource, day_fact, entry, text_fact, words
from continuum.chart.section import Section

_NOW = {"active": None, "on-hold": Mark(N_("on hold"), "warning"), "draft": Mark(N_("draft"), "warning")}
_DONE = {"completed": Mark(N_("finished")), "stopped": Mark(N_("stopped"), "info"), "cancelled": Mark(N_("cancelled"))}


def make(resource: Resource, names: Names) -> Entry:
    """With how it is to be taken."""
    status = str(resource.get("status", ""))
    dosage = next((str(one["text"]) for one in resource.get("dosageInstruction", ()) if one.get("text")), "")
    dispense = resource.get("dispenseRequest", {})
    supply = dispense.get("expectedSupplyDuration", {})
    refills = dispense.get("numberOfRepeatsAllowed")
    return entry(
        resource, names, words(resource.get("medicationCodeableConcept"))
        or str(resource.get("medicationReference", {}).get("display", "")),
        group=N_("Now") if status in _NOW else N_("Earlier"),
        marks=(_NOW.get(status) or _DONE.get(status),),
        dosage=text_fact(dosage),
        ordered=day_fact(resource.get("authoredOn")),
        refills=text_fact("" if refills is None else str(refills)),
        supply=text_fact(f"{supply['value']} {supply.get('unit', '')}" if supply.get("value") else ""),
    )  # fmt: skip


SECTION = Section(
    key="medicines", title=N_("Medicines"), plain=N_("Medicines"), order=30, symbol="local_pharmacy",
    search="MedicationRequest?_sort=-authoredon", make=make, before="authoredon",
    columns=(("dosage", N_("How to take it")), ("ordered", N_("Ordered")), ("refills", N_("Refills")),
             ("supply", N_("Supply"))),
    nothing=N_("No medicine is recorded."), about=N_("What is to be taken now, and what was before."),
)  # fmt: skip
