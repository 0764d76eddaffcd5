"""Family history."""

from continuum.chart.entry import N_, Entry
from continuum.chart.reading import Names, Resource, entry, text_fact, words
from continuum.chart.section import Section


def make(resource: Resource, names: Names) -> Entry:
    """One relative."""
    conditions = [words(one.get("code")) for one in resource.get("condition", ())]
    return entry(
        resource, names, words(resource.get("relationship")).capitalize(),
        conditions=text_fact(", ".join(one for one in conditions if one)),
    )  # fmt: skip


SECTION = Section(
    key="family", title=N_("Family history"), plain=N_("Family history"), order=150, symbol="people",
    search="FamilyMemberHistory?_sort=-date", make=make, columns=(("conditions", N_("Conditions")),),
    nothing=N_("No family history is recorded."), about=N_("Illnesses of parents, brothers, sisters and children."),
)  # fmt: skip
