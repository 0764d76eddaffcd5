"""What the person answered before a visit: for the care team to read and to tick off."""

from collections.abc import Iterator, Sequence
from typing import Any

from continuum.chart.entry import N_, Entry, Fact, Mark
from continuum.chart.reading import Names, Resource, entry
from continuum.chart.section import Section

REVIEWED = "https://continuum.example/fhir/StructureDefinition/answers-reviewed"
WAITING = Mark(N_("waiting for review"), "warning")
TITLE = N_("Answers before a visit")


def make(resource: Resource, names: Names) -> Entry:
    """One set of answers; the note has every question with its answer."""
    done = reviewed(resource)
    return entry(
        resource, names, TITLE, when=str(resource.get("authored", "")),
        marks=(Mark(N_("reviewed"), "success") if done else WAITING,),
        reviewed=Fact("text", text=done) if done else None, note="\n".join(_lines(resource.get("item", ()), "")),
    )  # fmt: skip


def reviewed(resource: Resource) -> str:
    """Who has read the answers, or ""."""
    for one in resource.get("extension", ()):
        if one.get("url") == REVIEWED:
            return next((str(part.get("valueString", "")) for part in one["extension"] if part["url"] == "by"), "")
    return ""


def _lines(items: Sequence[Any], indent: str) -> Iterator[str]:
    for item in items:
        answers = ", ".join(_text(one) for one in item.get("answer", ()))
        if item.get("text"):
            yield f"{indent}{item['text']} {answers}".rstrip()
        yield from _lines(item.get("item", ()), indent + "  ")
        for one in item.get("answer", ()):
            yield from _lines(one.get("item", ()), indent + "  ")


def _text(answer: Resource) -> str:
    value = next((answer[key] for key in answer if key.startswith("value")), "")
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, dict):
        return str(value.get("display", value.get("code", "")))
    return str(value)


SECTION = Section(
    key="answers", title=TITLE, plain=TITLE, order=147, symbol="edit",
    search="QuestionnaireResponse?_sort=-authored", make=make, says=(TITLE,),
    columns=(("reviewed", N_("Reviewed by")),),
    nothing=N_("No questions were answered."), about=N_("What the person answered when checking in from home."),
)  # fmt: skip
