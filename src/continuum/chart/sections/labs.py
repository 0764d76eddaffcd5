"""Laboratory results with their reference ranges (US Core 6.1, Laboratory Result Observation)."""

from continuum.chart.entry import N_, Entry, Mark
from continuum.chart.reading import Names, Resource, bounds_fact, code_of, entry, test_name, value_fact
from continuum.chart.section import Section

INTERPRETATIONS = {
    "L": Mark(N_("low"), "warning"), "H": Mark(N_("high"), "warning"), "LL": Mark(N_("critically low"), "error"),
    "HH": Mark(N_("critically high"), "error"), "A": Mark(N_("abnormal"), "warning"),
    "AA": Mark(N_("critically abnormal"), "error"), "POS": Mark(N_("positive"), "warning"),
    "NEG": Mark(N_("negative")), "DET": Mark(N_("detected"), "warning"), "ND": Mark(N_("not detected")),
}  # fmt: skip
"""HL7 v3 ObservationInterpretation, in words; normal needs none."""
_STATUS = {"preliminary": Mark(N_("preliminary"), "warning"), "corrected": Mark(N_("corrected"), "info"),
           "amended": Mark(N_("amended"), "info"), "cancelled": Mark(N_("cancelled"))}  # fmt: skip


def make(resource: Resource, names: Names) -> Entry:
    """One result, with what is expected."""
    told = next(iter(resource.get("interpretation", ())), None)
    return entry(
        resource, names, test_name(resource.get("code")),
        marks=(INTERPRETATIONS.get(code_of(told)), _STATUS.get(str(resource.get("status", "")))),
        value=value_fact(resource), normal=bounds_fact(resource),
    )  # fmt: skip


SECTION = Section(
    key="labs", title=N_("Laboratory"), plain=N_("Lab results"), order=60, symbol="science",
    search="Observation?category=laboratory&_sort=-date", make=make,
    columns=(("value", N_("Result")), ("normal", N_("Reference range"))),
    nothing=N_("No laboratory result is recorded."), about=N_("Results, what is expected, and how they changed."),
    charted=True,
)  # fmt: skip
