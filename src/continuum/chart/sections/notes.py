"""Notes and documents, with their text (US Core 6.1, DocumentReference)."""

from continuum.chart.entry import N_, Entry, Mark
from continuum.chart.reading import Names, Resource, attached_text, entry, text_fact, words
from continuum.chart.section import Section

_STATUS = {"preliminary": Mark(N_("not signed"), "warning"), "amended": Mark(N_("amended"), "info")}


def make(resource: Resource, names: Names) -> Entry:
    """A note; what replaced it or adds to it says so."""
    added = any(one.get("code") == "appends" for one in resource.get("relatesTo", ()))
    return entry(
        resource, names, words(resource.get("type")),
        marks=(
            _STATUS.get(str(resource.get("docStatus", ""))),
            Mark(N_("addendum"), "info") if added else None,
            Mark(N_("replaced"), "warning") if resource.get("status") == "superseded" else None,
        ),
        about=text_fact(resource.get("description")), note=attached_text(resource),
    )  # fmt: skip


SECTION = Section(
    key="notes", title=N_("Notes and documents"), plain=N_("Notes and visit summaries"), order=80, symbol="edit",
    search="DocumentReference?_sort=-date", make=make, before="date", columns=(("about", N_("About")),),
    nothing=N_("No note is recorded."), about=N_("What clinicians wrote."),
)  # fmt: skip
