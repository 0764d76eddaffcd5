"""Problems: conditions on the problem list (US Core 6.1, Condition Problems and Health Concerns)."""

from continuum.chart.entry import N_, Entry, Mark
from continuum.chart.reading import Names, Resource, code_of, day_fact, entry, when_of, words
from continuum.chart.section import Section

_SEVERE = "24484000"


def make(resource: Resource, names: Names) -> Entry:
    """Active problems first come under "Now"."""
    status = code_of(resource.get("clinicalStatus"))
    over = status in {"resolved", "inactive", "remission"}
    doubt = code_of(resource.get("verificationStatus"))
    return entry(
        resource, names, words(resource.get("code")),
        group=N_("Earlier") if over else N_("Now"),
        marks=(
            Mark(N_("severe"), "error") if code_of(resource.get("severity")) == _SEVERE else None,
            Mark(N_("not confirmed"), "warning") if doubt in {"unconfirmed", "provisional", "differential"} else None,
            Mark(N_("refuted")) if doubt == "refuted" else None,
            Mark(N_("in remission"), "info") if status == "remission" else None,
        ),
        # When it began is a fact of its own; it stands where it came into the record, by which it is found.
        when=str(resource.get("recordedDate") or when_of(resource)),
        since=day_fact(resource.get("onsetDateTime") or resource.get("onsetPeriod", {}).get("start")),
        until=day_fact(resource.get("abatementDateTime")),
    )  # fmt: skip


SECTION = Section(
    key="problems", title=N_("Problems"), plain=N_("Health conditions"), order=10, symbol="assessment",
    search="Condition?category=problem-list-item,health-concern&_sort=-recorded-date", make=make,
    before="recorded-date", undated=True,
    columns=(("since", N_("Since")), ("until", N_("Until"))), nothing=N_("No problem is recorded."),
    about=N_("What is being treated or watched, and what was."),
)  # fmt: skip
