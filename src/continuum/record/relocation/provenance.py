"""The visible trace of a relocation: one Provenance on each of the two charts (R4 Provenance). Pure."""

from collections.abc import Sequence
from typing import Any

from continuum.kernel.clock import instant
from continuum.kernel.ids import uuid7
from continuum.record.relocation.act import Author
from continuum.record.write import Change

Json = dict[str, Any]
_OPERATIONS = "http://terminology.hl7.org/CodeSystem/v3-DataOperation"


def provenance(
    patient_id: str, words: str, author: Author, act_id: str, now_us: int, *, more: Sequence[Json] = (), **entities: Any
) -> Json:
    """What happened to the chart of one patient.

    words: what was done, for people. more: References to further targets. entities: role (R4
    provenance-entity-role) → References. Both traces of one act name it by its id, as a URN.
    """
    who = {"identifier": {"value": author.identifier}}
    act = {"role": "source", "what": {"identifier": {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{act_id}"}}}
    return {
        "resourceType": "Provenance",
        "id": uuid7(),
        "target": [{"reference": f"Patient/{patient_id}"}, *more],
        "recorded": instant(now_us),
        "reason": [{"text": author.reason}],
        "activity": {"coding": [{"system": _OPERATIONS, "code": "UPDATE"}], "text": words},
        "agent": [{"who": {**who, "display": author.name} if author.name else who, "role": [{"text": author.role}]}],
        "entity": [act, *({"role": role, "what": what} for role, found in entities.items() for what in found)],
    }


def version_of(change: Change) -> Json:
    """A Reference to the version that a change makes."""
    return _version(change, change.version)


def version_before(change: Change) -> Json:
    """A Reference to the version that a change replaces."""
    return _version(change, change.version - 1)


def _version(change: Change, version: int) -> Json:
    assert change.prepared is not None, "a relocation deletes nothing"
    return {"reference": f"{change.prepared.resource_type}/{change.prepared.id}/_history/{version}"}
