"""The invariants of R4 that can be told without FHIRPath: one plain function each, under its key (`per-1`).

Structure and required codes are `fhir.validate`'s; this is asked by `$validate`, of resources that have passed it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from continuum.fhir.dates import interval
from continuum.fhir.structure import choice_names, elements, facts
from continuum.kernel.errors import Issue
from continuum.kernel.limits import ISSUES_MAX

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Invariant:
    """One rule. on: the type, or the path of a backbone element. holds: whether a value of it obeys."""

    key: str
    on: str
    words: str
    holds: Callable[[Json], bool]


def _together(name: str, needs: str) -> Callable[[Json], bool]:
    """Whoever has `name` has `needs`."""
    return lambda value: name not in value or needs in value


def _any_of(*names: str) -> Callable[[Json], bool]:
    return lambda value: any(name in value for name in names)


def _chosen(value: Json, stem: str) -> bool:
    """Whether a choice `stem[x]` has a value."""
    return any(name.startswith(stem) and name[len(stem) :][:1].isupper() for name in value)


def _codes(value: Json, name: str) -> set[str]:
    found = value.get(name, {})
    concepts = found if isinstance(found, list) else [found]
    return {coding.get("code", "") for concept in concepts for coding in concept.get("coding", ())}


def _in_order(value: Json) -> bool:
    if "start" not in value or "end" not in value:
        return True
    return interval(value["start"])[0] <= interval(value["end"])[1]


def _range_in_order(value: Json) -> bool:
    low, high = value.get("low", {}), value.get("high", {})
    same = low.get("code", low.get("unit")) == high.get("code", high.get("unit"))
    return not same or "value" not in low or "value" not in high or bool(low["value"] <= high["value"])


def _no_twin_value(value: Json) -> bool:
    if not _chosen(value, "value"):
        return True
    pairs = {(one.get("system"), one.get("code")) for one in value["code"].get("coding", ()) if one.get("code")}
    return not any(
        (one.get("system"), one.get("code")) in pairs
        for component in value.get("component", ())
        for one in component["code"].get("coding", ())
    )


def _abated_is_over(value: Json) -> bool:
    return not _chosen(value, "abatement") or bool(
        _codes(value, "clinicalStatus") & {"resolved", "remission", "inactive"}
    )


def _in_error(value: Json) -> bool:
    return "entered-in-error" in _codes(value, "verificationStatus")


def _no_home(name: str) -> Callable[[Json], bool]:
    return lambda value: all(one.get("use") != "home" for one in value.get(name, ()))


def _bundle_entries(allowed: set[str], name: str, *, needed: bool) -> Callable[[Json], bool]:
    """In a Bundle of the allowed types every entry has `name` (if needed); in others none has."""

    def holds(value: Json) -> bool:
        inside = value.get("type") in allowed
        entries = value.get("entry", ())
        if inside:
            return not needed or all(name in entry for entry in entries)
        return all(name not in entry for entry in entries)

    return holds


def _addresses_once(value: Json) -> bool:
    if value.get("type") == "history":
        return True
    seen = [
        (entry["fullUrl"], entry.get("resource", {}).get("meta", {}).get("versionId"))
        for entry in value.get("entry", ())
        if "fullUrl" in entry
    ]
    return len(seen) == len(set(seen))


_QUANTITIES = ("Quantity", "Age", "Count", "Distance", "Duration")
INVARIANTS: tuple[Invariant, ...] = (
    Invariant("per-1", "Period", "A period cannot end before it starts.", _in_order),
    *(
        Invariant("qty-3", kind, "A unit's code needs the system that it is from.", _together("code", "system"))
        for kind in _QUANTITIES
    ),
    Invariant("rng-2", "Range", "The low end of a range cannot be above its high end.", _range_in_order),
    Invariant("rat-1", "Ratio", "A ratio has both a numerator and a denominator, or an extension instead of both.",
              lambda v: ("numerator" in v) == ("denominator" in v) and ("numerator" in v or "extension" in v)),
    Invariant("cpt-2", "ContactPoint", "A telephone number or address needs a system: phone, email …",
              _together("value", "system")),
    Invariant("att-1", "Attachment", "Data needs its contentType.", _together("data", "contentType")),
    Invariant("exp-1", "Expression", "An expression needs its text or a reference to it.",
              _any_of("expression", "reference")),
    Invariant("tim-1", "Timing.repeat", "A duration needs its unit.", _together("duration", "durationUnit")),
    Invariant("tim-2", "Timing.repeat", "A period needs its unit.", _together("period", "periodUnit")),
    Invariant("tim-4", "Timing.repeat", "A duration cannot be negative.", lambda v: v.get("duration", 0) >= 0),
    Invariant("tim-5", "Timing.repeat", "A period cannot be negative.", lambda v: v.get("period", 0) >= 0),
    Invariant("tim-6", "Timing.repeat", "periodMax needs a period.", _together("periodMax", "period")),
    Invariant("tim-7", "Timing.repeat", "durationMax needs a duration.", _together("durationMax", "duration")),
    Invariant("tim-8", "Timing.repeat", "countMax needs a count.", _together("countMax", "count")),
    Invariant("tim-9", "Timing.repeat", "An offset needs a when that is a time of day, not a meal.",
              lambda v: "offset" not in v or ("when" in v and not {"C", "CM", "CD", "CV"} & set(v["when"]))),
    Invariant("tim-10", "Timing.repeat", "Either timeOfDay or when, not both.",
              lambda v: "timeOfDay" not in v or "when" not in v),
    Invariant("obs-6", "Observation", "dataAbsentReason is for observations without a value.",
              lambda v: "dataAbsentReason" not in v or not _chosen(v, "value")),
    Invariant("obs-7", "Observation", "A component with the code of the whole stands for its value: not both.",
              _no_twin_value),
    Invariant("con-4", "Condition", "A condition that has abated is inactive, resolved or in remission.",
              _abated_is_over),
    Invariant("con-5", "Condition", "What was entered in error has no clinicalStatus.",
              lambda v: "clinicalStatus" not in v or not _in_error(v)),
    Invariant("ait-1", "AllergyIntolerance", "An allergy needs its clinicalStatus, unless it was entered in error.",
              lambda v: "clinicalStatus" in v or _in_error(v)),
    Invariant("ait-2", "AllergyIntolerance", "What was entered in error has no clinicalStatus.",
              lambda v: "clinicalStatus" not in v or not _in_error(v)),
    Invariant("pat-1", "Patient.contact", "A contact needs a name, a telephone number, an address or an organization.",
              _any_of("name", "telecom", "address", "organization")),
    Invariant("org-1", "Organization", "An organization needs a name or an identifier.",
              _any_of("name", "identifier")),
    Invariant("org-2", "Organization", "The address of an organization is not at home.", _no_home("address")),
    Invariant("org-3", "Organization", "The telephone of an organization is not at home.", _no_home("telecom")),
    Invariant("mad-1", "MedicationAdministration.dosage", "A dosage needs a dose or a rate.",
              lambda v: "dose" in v or _chosen(v, "rate")),
    Invariant("cpl-3", "CarePlan.activity", "Say an activity's detail or refer to it, not both.",
              lambda v: "detail" not in v or "reference" not in v),
    Invariant("gol-1", "Goal.target", "A target's detail needs what is measured.",
              lambda v: not _chosen(v, "detail") or "measure" in v),
    Invariant("cmp-1", "Composition.section", "A section needs text, entries or sections.",
              _any_of("text", "entry", "section")),
    Invariant("cmp-2", "Composition.section", "A section with entries has no reason for being empty.",
              lambda v: "emptyReason" not in v or "entry" not in v),
    Invariant("lst-1", "List", "A list with entries has no reason for being empty.",
              lambda v: "emptyReason" not in v or "entry" not in v),
    Invariant("lst-2", "List", "Entries are deleted from a list of changes only.",
              lambda v: v.get("mode") == "changes" or not any(one.get("deleted") for one in v.get("entry", ()))),
    Invariant("grp-1", "Group", "Only a group of actual people or things has members.",
              lambda v: "member" not in v or v.get("actual") is True),
    Invariant("lnk-1", "Linkage", "A link needs two items.", lambda v: len(v.get("item", ())) > 1),
    Invariant("fhs-1", "FamilyMemberHistory", "Say the age or when somebody was born, not both.",
              lambda v: not (_chosen(v, "age") and _chosen(v, "born"))),
    Invariant("fhs-2", "FamilyMemberHistory", "Only an age that is given is estimated.",
              lambda v: "estimatedAge" not in v or _chosen(v, "age")),
    Invariant("app-1", "Appointment.participant", "A participant needs a type or an actor.", _any_of("type", "actor")),
    Invariant("app-2", "Appointment", "Say both when it starts and when it ends, or neither.",
              lambda v: ("start" in v) == ("end" in v)),
    Invariant("app-3", "Appointment", "Only proposed, cancelled and waitlisted appointments have no time.",
              lambda v: ("start" in v and "end" in v) or v.get("status") in {"proposed", "cancelled", "waitlist"}),
    Invariant("app-4", "Appointment", "Only cancelled and missed appointments have a cancelation reason.",
              lambda v: "cancelationReason" not in v or v.get("status") in {"cancelled", "noshow"}),
    Invariant("inv-1", "Parameters.parameter", "A parameter has one value, one resource or parts.",
              lambda v: _chosen(v, "value") + ("resource" in v) + ("part" in v) == 1),
    Invariant("bdl-1", "Bundle", "Only searches and histories have a total.",
              lambda v: "total" not in v or v.get("type") in {"searchset", "history"}),
    Invariant("bdl-2", "Bundle", "Only the entries of a search say how they were found.",
              _bundle_entries({"searchset"}, "search", needed=False)),
    Invariant("bdl-3", "Bundle", "Every entry of a batch, transaction or history has its request, and of no other.",
              _bundle_entries({"batch", "transaction", "history"}, "request", needed=True)),
    Invariant("bdl-4", "Bundle", "Every entry of a response or history has its response, and of no other.",
              _bundle_entries({"batch-response", "transaction-response", "history"}, "response", needed=True)),
    Invariant("bdl-7", "Bundle", "A fullUrl stands in a bundle once, or with different versions.", _addresses_once),
)  # fmt: skip
"""Every rule that is held to."""


@lru_cache(maxsize=1)
def _rules() -> dict[str, tuple[Invariant, ...]]:
    found: dict[str, list[Invariant]] = {}
    for rule in INVARIANTS:
        found.setdefault(rule.on, []).append(rule)
    return {kind: tuple(rules) for kind, rules in found.items()}


def broken(resource: Json) -> list[Issue]:
    """The invariants that a structurally right resource breaks, at most ISSUES_MAX, each with its place."""
    issues: list[Issue] = []
    for issue in _broken(resource, resource["resourceType"], resource["resourceType"]):
        issues.append(issue)
        if len(issues) >= ISSUES_MAX:
            break
    return issues


def _broken(value: Json, kind: str, at: str) -> Iterator[Issue]:
    for rule in _rules().get(kind, ()):
        if not rule.holds(value):
            yield Issue("invariant", f"{rule.words} ({rule.key})", (at,))
    if "contained" in value:
        yield from _contained(value, at)
    names = _kinds(kind)
    for name, content in value.items():
        of = names.get(name)
        if of is None:
            continue
        many = isinstance(content, list)
        for number, one in enumerate(content if many else [content]):
            if isinstance(one, dict):
                place = f"{at}.{name}[{number}]" if many else f"{at}.{name}"
                yield from _broken(one, one["resourceType"] if of == "Resource" else of, place)


@lru_cache(maxsize=1_024)
def _kinds(kind: str) -> dict[str, str]:
    """JSON name → type of the elements of a type that are objects."""
    if kind not in facts()["types"]:
        return {}
    found: dict[str, str] = {}
    for name, fact in elements(kind).items():
        if name.endswith("[x]"):
            found.update({one: of for one, of in choice_names(name, fact["types"]).items() if of[0].isupper()})
        else:
            of = fact["types"][0] if fact["types"] else "Resource"
            if of[0].isupper():
                found[name] = of
    return found


def _contained(value: Json, at: str) -> Iterator[Issue]:
    """dom-3 to dom-5: what is contained is referred to, and has neither version nor labels of its own."""
    referred = set(_local(value))
    for number, one in enumerate(value["contained"]):
        place = f"{at}.contained[{number}]"
        if one.get("id") not in referred and "" not in set(_local(one)):
            yield Issue("invariant", "Nothing refers to this contained resource. (dom-3)", (place,))
        meta = one.get("meta", {})
        if "versionId" in meta or "lastUpdated" in meta:
            yield Issue("invariant", "A contained resource has no version of its own. (dom-4)", (place,))
        if "security" in meta:
            yield Issue("invariant", "A contained resource has no security labels of its own. (dom-5)", (place,))


def _local(node: Any) -> Iterator[str]:
    """The ids of contained resources that are referred to; "" for the container (`#`)."""
    if isinstance(node, dict):
        for name, content in node.items():
            if isinstance(content, str):
                if content.startswith("#") and name in ("reference", "valueCanonical", "valueUri", "valueUrl"):
                    yield content[1:]
            else:
                yield from _local(content)
    elif isinstance(node, list):
        for one in node:
            if isinstance(one, str) and one.startswith("#"):
                yield one[1:]
            else:
                yield from _local(one)
