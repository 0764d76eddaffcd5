"""From the text of a line or a Bundle to prepared resources, and to rejects that say what is wrong and where."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from continuum.fhir.json import parse
from continuum.kernel.errors import DomainError, Malformed
from continuum.kernel.ids import uuid7
from continuum.record.bundle_references import conditional, refers_by_criteria, replace
from continuum.record.entry import Prepared, prepare
from continuum.record.keys import Keys


@dataclass(frozen=True, slots=True)
class Reject:
    """One resource that was not loaded."""

    file: str
    line: int
    location: str
    reason: str


def prepared(file: str, line: int, text: bytes, keys: Keys) -> Iterator[Prepared | Reject]:
    """The resources of one line: one, or the entries of a Bundle (unless it is a document or message)."""
    try:
        resource = parse(text)
    except DomainError as error:
        yield Reject(file, line, "", _reason(error))
        return
    if resource.get("resourceType") == "Bundle" and resource.get("type") not in {"document", "message"}:
        yield from _entries(file, line, resource, keys)
    else:
        yield _one(file, line, "", resource, keys)


def _entries(file: str, line: int, bundle: dict[str, Any], keys: Keys) -> Iterator[Prepared | Reject]:
    entries = bundle.get("entry", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        yield Reject(file, line, "Bundle.entry", "The entries of the Bundle are not a list of objects.")
        return
    addresses = {}
    resources: list[tuple[int, dict[str, Any]]] = []
    for number, entry in enumerate(entries):
        resource = entry.get("resource")
        if not isinstance(resource, dict):
            continue
        resources.append((number, resource))
        resource.setdefault("id", uuid7())
        full_url = entry.get("fullUrl")
        if isinstance(full_url, str):
            addresses[full_url] = f"{resource.get('resourceType')}/{resource['id']}"
    for number, resource in resources:
        yield _one(file, line, f"Bundle.entry[{number}]", replace(resource, addresses, {}), keys)


def _one(file: str, line: int, location: str, resource: dict[str, Any], keys: Keys) -> Prepared | Reject:
    try:
        if not isinstance(resource.get("id"), str):
            raise Malformed("The resource has no id, and an import keeps ids.")
        if resource.get("resourceType") == "AuditEvent":
            raise Malformed("AuditEvents are written by the server itself and cannot be imported.")
        ready = prepare(resource, keys)
        if refers_by_criteria(ready.tail) and (unresolved := conditional(resource)):
            raise Malformed(
                f"The conditional reference {unresolved[0]} can only be resolved by a transaction;"
                " post this Bundle over REST."
            )
    except DomainError as error:
        places = [at for issue in error.issues for at in issue.at]
        return Reject(file, line, " ".join([location, *places[:1]]).strip(), _reason(error))
    return ready


def _reason(error: DomainError) -> str:
    return "; ".join(dict.fromkeys(issue.text for issue in error.issues))
