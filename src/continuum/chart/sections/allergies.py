"""Allergies and intolerances (US Core 6.1). "None known" is an assertion with a date; silence is not."""

from continuum.chart.entry import N_, Entry, Mark
from continuum.chart.reading import Names, Resource, code_of, codes, day_fact, entry, first_words, text_fact, words
from continuum.chart.section import Section

NONE_KNOWN = frozenset(
    f"http://snomed.info/sct|{code}" for code in ("716186003", "409137002", "428607008", "429625007", "428197003")
)
"""SNOMED CT: no known allergy; no known drug, environmental, food or insect allergy."""
WORDS = {"low": N_("low risk"), "high": N_("can be severe"), "unable-to-assess": N_("risk not assessed")}
_KINDS = {
    "food": N_("food"),
    "medication": N_("medicine"),
    "environment": N_("environment"),
    "biologic": N_("biologic"),
}


def none_known(resource: Resource) -> bool:
    """Whether it says that there are none."""
    return bool(NONE_KNOWN & set(codes(resource.get("code"))))


def severe(resource: Resource) -> bool:
    """Whether it can kill: a high criticality or a severe reaction."""
    reactions = resource.get("reaction", ())
    return resource.get("criticality") == "high" or any(one.get("severity") == "severe" for one in reactions)


def make(resource: Resource, names: Names) -> Entry:
    """With what happens to the person, in the words of who wrote it."""
    over = code_of(resource.get("clinicalStatus")) in {"inactive", "resolved"}
    doubt = code_of(resource.get("verificationStatus"))
    reactions = [first_words(one.get("manifestation")) for one in resource.get("reaction", ())]
    kind = next(iter(resource.get("category", ())), "")
    return entry(
        resource, names, words(resource.get("code")), group=N_("Earlier") if over else N_("Now"),
        when=str(resource.get("recordedDate") or resource.get("onsetDateTime") or ""),
        marks=(
            Mark(N_("severe"), "error") if severe(resource) else None,
            Mark(N_("not confirmed"), "warning") if doubt == "unconfirmed" else None,
            Mark(N_("refuted")) if doubt == "refuted" else None,
            Mark(N_("none known"), "success") if none_known(resource) else None,
        ),
        reaction=text_fact(", ".join(text for text in reactions if text)),
        kind=text_fact(_KINDS.get(kind, ""), own=True),
        risk=text_fact(WORDS.get(resource.get("criticality", ""), ""), own=True),
        since=day_fact(resource.get("onsetDateTime")),
    )  # fmt: skip


SECTION = Section(
    key="allergies", title=N_("Allergies"), plain=N_("Allergies"), order=20, symbol="warning",
    search="AllergyIntolerance?_sort=-date", make=make, before="date", undated=True,
    says=(*WORDS.values(), *_KINDS.values()),
    columns=(("reaction", N_("Reaction")), ("kind", N_("Kind")), ("risk", N_("Risk")), ("since", N_("Since"))),
    nothing=N_("Allergies are not recorded. Nobody has written down that there are none."),
    about=N_("What the body does not tolerate, and what happens then."),
)  # fmt: skip
