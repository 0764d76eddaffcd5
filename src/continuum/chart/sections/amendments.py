"""Requests of the person to correct or complete the record (45 CFR 164.526), and what became of them."""

from continuum.chart.entry import N_, Entry, Fact, Mark
from continuum.chart.reading import LOCAL, Names, Resource, entry, text_fact
from continuum.chart.section import Section

CATEGORY = f"{LOCAL}communication-category|amendment-request"
WAITING = "in-progress"
_STATUS = {
    WAITING: Mark(N_("waiting for an answer"), "warning"), "completed": Mark(N_("accepted"), "success"),
    "stopped": Mark(N_("withdrawn")), "not-done": Mark(N_("denied"), "error"),
}  # fmt: skip


def make(resource: Resource, names: Names) -> Entry:
    """One request: about which entry, in the person's words, and the answer: accepted or denied, why, by whom."""
    about = next((str(one.get("display", "")) for one in resource.get("about", ())), "")
    text = "\n\n".join(str(one["contentString"]) for one in resource.get("payload", ()) if "contentString" in one)
    answer: Resource = next(reversed(resource.get("note", ())), {})
    said = str(answer.get("text") or resource.get("statusReason", {}).get("text", ""))
    answered = str(answer.get("time", ""))
    return entry(
        resource, names, about, when=str(resource.get("sent", "")),
        marks=(_STATUS.get(str(resource.get("status", ""))),), answer=text_fact(said),
        by=text_fact(str(answer.get("authorString", ""))),
        answered=Fact("instant", answered) if answered else None, note=text,
    )  # fmt: skip


SECTION = Section(
    key="amendments", title=N_("Requests for correction"), plain=N_("My requests for correction"), order=170,
    symbol="edit", search=f"Communication?category={CATEGORY}&_sort=-sent", make=make,
    columns=(("answer", N_("Answer")), ("by", N_("Answered by")), ("answered", N_("Answered on"))),
    nothing=N_("No correction was asked for."), about=N_("What the person asked to correct or to add."),
)  # fmt: skip
