"""Requests of the person to correct or complete the record (45 CFR 164.526), and what became of them."""

from continuum.chart.entry import N_, Entry, Mark
from continuum.chart.reading import LOCAL, Names, Resource, entry, text_fact
from continuum.chart.section import Section

CATEGORY = f"{LOCAL}communication-category|amendment-request"
_STATUS = {
    "in-progress": Mark(N_("waiting for an answer"), "warning"), "completed": Mark(N_("settled"), "success"),
    "stopped": Mark(N_("withdrawn")), "not-done": Mark(N_("declined"), "error"),
}  # fmt: skip


def make(resource: Resource, names: Names) -> Entry:
    """One request: about which entry, and in the person's words."""
    about = next((str(one.get("display", "")) for one in resource.get("about", ())), "")
    text = "\n\n".join(str(one["contentString"]) for one in resource.get("payload", ()) if "contentString" in one)
    reason = resource.get("statusReason", {}).get("text", "")
    return entry(
        resource, names, about, when=str(resource.get("sent", "")),
        marks=(_STATUS.get(str(resource.get("status", ""))),), answer=text_fact(reason), note=text,
    )  # fmt: skip


SECTION = Section(
    key="amendments", title=N_("Requests for correction"), plain=N_("My requests for correction"), order=170,
    symbol="edit", search=f"Communication?category={CATEGORY}&_sort=-sent", make=make,
    columns=(("answer", N_("Answer")),),
    nothing=N_("No correction was asked for."), about=N_("What the person asked to correct or to add."),
)  # fmt: skip
