"""Plans of care and goals (US Core 6.1, CarePlan)."""

from continuum.chart.entry import N_, Entry, Mark
from continuum.chart.reading import Names, Resource, day_fact, entry, plain, words
from continuum.chart.section import Section


def make(resource: Resource, names: Names) -> Entry:
    """A plan with what is to be done."""
    todo = [str(one.get("detail", {}).get("description", "")) for one in resource.get("activity", ())]
    period = resource.get("period", {})
    return entry(
        resource, names, str(resource.get("title", "")) or words((resource.get("category") or [{}])[0]),
        when=str(period.get("start") or resource.get("created") or ""),
        group=N_("Now") if resource.get("status") == "active" else N_("Earlier"),
        marks=(Mark(N_("on hold"), "warning") if resource.get("status") == "on-hold" else None,),
        since=day_fact(period.get("start")), until=day_fact(period.get("end")),
        note="\n".join(one for one in todo if one) or plain(resource.get("text", {}).get("div", "")),
    )  # fmt: skip


SECTION = Section(
    key="plans", title=N_("Plans"), plain=N_("Care plans"), order=130, symbol="check_circle",
    search="CarePlan?_sort=-date", make=make, columns=(("since", N_("Since")), ("until", N_("Until"))),
    nothing=N_("No plan is recorded."), about=N_("What was agreed to do."),
)  # fmt: skip
