"""The care team: who looks after the person, as a team says it (US Core 6.1, CareTeam)."""

from continuum.chart.entry import N_, Entry, Mark
from continuum.chart.reading import Names, Resource, day_fact, entry, first_words, named, text_fact, words
from continuum.chart.section import Section


def make(resource: Resource, names: Names) -> Entry:
    """A team with its members and what each of them does."""
    members = []
    for one in resource.get("participant", ()):
        name, role = named(one.get("member"), names), first_words(one.get("role"))
        if name:
            members.append(f"{name} ({role})" if role else name)
    period = resource.get("period", {})
    active = resource.get("status", "active") == "active"
    return entry(
        resource, names, str(resource.get("name", "")) or words((resource.get("category") or [{}])[0]),
        when=str(period.get("start", "")),
        group=N_("Now") if active else N_("Earlier"),
        marks=(Mark(N_("proposed"), "info") if resource.get("status") == "proposed" else None,),
        members=text_fact("; ".join(members)), until=day_fact(period.get("end")),
    )  # fmt: skip


SECTION = Section(
    key="care-team", title=N_("Care team"), plain=N_("Care team"), order=145, symbol="people",
    search="CareTeam?_sort=-date", make=make, columns=(("members", N_("Members")), ("until", N_("Until"))),
    nothing=N_("No care team is recorded."), about=N_("Who looks after the person."),
)  # fmt: skip
