"""The banner: who this is, and what everybody must know before they act."""

from collections.abc import Mapping
from datetime import date

from continuum.access.views import View
from continuum.chart.entry import N_
from continuum.chart.reading import DOD_ID, LOCAL, RECORD_NUMBER, Resource, code_of, codes, named, words
from continuum.chart.sections.allergies import none_known, severe
from continuum.ui.language import gettext
from continuum.ui.people import Allergy, AllergyState, Patient

SEARCHES: Mapping[str, str] = {
    "banner.allergies": "AllergyIntolerance?_count=60",
    "banner.flags": "Flag?_count=40",
    "banner.service": f"Observation?code={LOCAL}military|service-episode&_sort=-date&_count=3",
    "banner.coverage": "Coverage?status=active&_count=3",
}
"""What a page that has the banner looks up besides its own."""
SEXES = {"male": N_("Male"), "female": N_("Female"), "other": N_("Other"), "unknown": N_("Sex unknown")}
_IDENTIFIERS = ((DOD_ID, N_("DoD ID")), (RECORD_NUMBER, N_("Record number")))
_SERVES = {"active": N_("Active duty"), "reserve": N_("Reserve"), "guard": N_("National Guard"),
           "retired": N_("Retiree"), "veteran": N_("Veteran")}  # fmt: skip
_ASSERTED_PARTS = 10


def banner(view: View) -> Patient:
    """The banner of the person whom a view is about; in the language of the page that is being drawn."""
    patient = view.patient
    allergies = [one for one in view.found.get("banner.allergies", ()) if _counts(one)]
    present = [one for one in allergies if not none_known(one)]
    denied = [one for one in allergies if none_known(one)]
    state: AllergyState = "present" if present else "none_known" if denied else "not_recorded"
    return Patient(
        patient_id=patient["id"],
        names=patient.get("name", []),
        birth=str(patient.get("birthDate", "")) or "0001",
        sex=gettext(SEXES.get(patient.get("gender", "unknown"), SEXES["unknown"])),
        identifiers=identifiers(patient),
        category=category(view),
        facility=named(patient.get("managingOrganization"), view.names),
        allergies=tuple(
            Allergy(words(one.get("code")), severe(one)) for one in sorted(present, key=lambda one: not severe(one))
        ),
        allergy_state=state,
        asserted=str(denied[0].get("recordedDate", ""))[:_ASSERTED_PARTS] or None if state == "none_known" else None,
        alerts=[words(one.get("code")) for one in view.found.get("banner.flags", ()) if one.get("status") == "active"],
        deceased=_deceased(patient),
    )


def identifiers(patient: Resource) -> list[tuple[str, str]]:
    """The identifiers that staff ask for, with their names."""
    known = {one.get("system"): one.get("value", "") for one in patient.get("identifier", ())}
    return [(gettext(name), known[system]) for system, name in _IDENTIFIERS if known.get(system)]


def category(view: View) -> str:
    """Active duty, dependent, retiree or veteran, and the service; "" where nothing says it."""
    for episode in view.found.get("banner.service", ()):
        parts = {code_of(one.get("code")): one.get("valueCodeableConcept") for one in episode.get("component", ())}
        status = _SERVES.get(code_of(parts.get("component")), "")
        branch = next((words(value) for value in parts.values() if _is_branch(value)), "")
        if status:
            return ", ".join(one for one in (gettext(status), branch) if one)
    for coverage in view.found.get("banner.coverage", ()):
        if code_of(coverage.get("relationship")) not in {"", "self"}:
            return gettext("Dependent")
    return ""


def _is_branch(concept: object) -> bool:
    return any(one.startswith(f"{LOCAL}service-branch|") for one in codes(concept))


def _counts(allergy: Resource) -> bool:
    verified = code_of(allergy.get("verificationStatus"))
    over = code_of(allergy.get("clinicalStatus")) in {"inactive", "resolved"}
    return verified not in {"entered-in-error", "refuted"} and not over


def _deceased(patient: Resource) -> date | str | None:
    when = patient.get("deceasedDateTime")
    if when:
        return str(when)[:10]
    return None
