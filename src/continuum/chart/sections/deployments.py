"""Service, deployments and what the member was exposed to there."""

from continuum.chart.entry import N_, Entry, Mark
from continuum.chart.reading import LOCAL, Names, Resource, day_fact, entry, text_fact, value_fact, words
from continuum.chart.section import Section


def make(resource: Resource, names: Names) -> Entry:
    """A service episode, a deployment or an exposure, with its parts in words."""
    period = resource.get("effectivePeriod", {})
    parts = ((words(one.get("code")), value_fact(one)) for one in resource.get("component", ()))
    said = "; ".join(f"{name}: {value.text}" for name, value in parts if value is not None and value.text)
    value = value_fact(resource)
    going_on = bool(period) and "end" not in period
    return entry(
        resource, names, words(resource.get("code")), marks=(Mark(N_("now"), "success") if going_on else None,),
        what=text_fact(value.text if value else ""), parts=text_fact(said),
        since=day_fact(period.get("start")), until=day_fact(period.get("end")),
    )  # fmt: skip


SECTION = Section(
    key="deployments", title=N_("Deployments and exposures"), plain=N_("Service, deployments and exposures"), order=120,
    search=f"Observation?code={LOCAL}military|service-episode,{LOCAL}military|deployment,{LOCAL}military|exposure"
    "&_sort=-date",
    make=make, before="date", symbol="flag",
    columns=(("what", N_("What")), ("since", N_("From")), ("until", N_("Until")), ("parts", N_("Details"))),
    nothing=N_("No service, deployment or exposure is recorded."),
    about=N_("Where somebody served, and what they met there."),
)  # fmt: skip
