"""The two Patients of a merge: what each says of the other (R4 Patient.link), and how that is taken back. Pure."""

from typing import Any

Json = dict[str, Any]
_OLD = "old"


def replaced_by(patient: Json) -> str | None:
    """The id of the patient into whom this one was merged."""
    return _linked(patient, "replaced-by")


def _linked(patient: Json, kind: str) -> str | None:
    for link in patient.get("link", ()):
        target = link.get("other", {}).get("reference", "")
        if link.get("type") == kind and target.startswith("Patient/"):
            return str(target[8:])
    return None


def _link(patient_id: str, kind: str) -> Json:
    return {"other": {"reference": f"Patient/{patient_id}"}, "type": kind}


def retired(source: Json, target_id: str) -> Json:
    """The source after the merge: not active, and saying where it went."""
    return {**source, "active": False, "link": [*source.get("link", ()), _link(target_id, "replaced-by")]}


def successor(target: Json, source: Json) -> Json:
    """The target after the merge: it says whom it replaces, and answers to the source's identifiers as old ones."""
    made = {**target, "link": [*target.get("link", ()), _link(source["id"], "replaces")]}
    added = _identifiers(target, source)
    if added:
        made["identifier"] = [*target.get("identifier", ()), *added]
    return made


def _identifiers(target: Json, source: Json) -> list[Json]:
    """Copies of the identifiers that the target does not have as its own, each marked as old."""
    own = {_name(one) for one in target.get("identifier", ()) if one.get("use") != _OLD}
    return [{**one, "use": _OLD} for one in source.get("identifier", ()) if one.get("value") and _name(one) not in own]


def _name(identifier: Json) -> tuple[str, str]:
    return identifier.get("system", ""), identifier.get("value", "")


def revived(present: Json, before: Json, target_id: str) -> Json:
    """A source that was changed since the merge, without what the merge made of it."""
    made = _without(present, "link", [_link(target_id, "replaced-by")])
    if made.get("active") is False:
        if "active" in before:
            made["active"] = before["active"]
        else:
            del made["active"]
    return made


def separated(present: Json, before: Json, source: Json) -> Json:
    """A target that was changed since the merge, without what the merge made of it.

    before: the target before the merge. source: the source before the merge.
    """
    made = _without(present, "link", [_link(source["id"], "replaces")])
    return _without(made, "identifier", _identifiers(before, source))


def _without(resource: Json, element: str, removed: list[Json]) -> Json:
    """A copy whose list has each of `removed` once less, from its end; an empty list is left out."""
    kept = list(resource.get(element, ()))
    for one in removed:
        places = [number for number, value in enumerate(kept) if value == one]
        if places:
            del kept[places[-1]]
    made = dict(resource)
    if kept:
        made[element] = kept
    else:
        made.pop(element, None)
    return made
