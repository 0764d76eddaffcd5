"""Where something came from: a system and a key that it keeps for good, and what was said of it last."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from continuum.access import Session
from continuum.chart.entry import N_
from continuum.chart.reading import LOCAL
from continuum.clinical.messaging.model import EXTENSION
from continuum.clinical.messaging.reading import body
from continuum.clinical.scheduling.model import extension_of, nested, values_of, with_extension
from continuum.kernel.errors import Conflict

Resource = dict[str, Any]
SOMEBODY_ELSE = N_("what came from this origin belongs to somebody else here")
OURS = "https://continuum.example/fhir"
"""The system of what was made in Continuum; its keys are ids of resources."""
IDENTIFIER_TYPE = f"{LOCAL}identifier-type"
ORIGIN = "origin"
CAME = f"{EXTENSION}came-from"
"""What was said last of something that came from elsewhere, and what its row said that FHIR has no place for."""


def identifier(kind: str, origin: Mapping[str, str], within: str = "") -> Resource:
    """What makes a resource that came from elsewhere unique: two imports at once make one of it.

    kind: appointment, thread, message, file or work. within: the key of the conversation that a message is in; keys
    of messages need be unique in it only.
    """
    value = ":".join(part for part in (kind, within, origin["key"]) if part)
    return {
        "type": {"coding": [{"system": IDENTIFIER_TYPE, "code": ORIGIN}]}, "system": origin["system"], "value": value,
    }  # fmt: skip


def origin_of(resource: Mapping[str, Any]) -> dict[str, str]:
    """Whence a resource is; what names no origin was made here."""
    said = came(resource)
    if "system" in said and "key" in said:
        return {"system": said["system"], "key": said["key"]}
    return {"system": OURS, "key": str(resource["id"])}


def message_origin_of(resource: Mapping[str, Any]) -> dict[str, str]:
    """Whence a message is; of a conversation's first one, which has the conversation's origin too, its own."""
    said = came(resource)
    if "message" in said:
        return {"system": said["message-system"], "key": said["message"]}
    return origin_of(resource)


def with_came(resource: Mapping[str, Any], origin: Mapping[str, str], said: Mapping[str, str]) -> Resource:
    """A resource that notes whence it is and what its row said; what is empty is left out."""
    every = {**origin, **said}
    return with_extension(resource, nested(CAME, **{name: value or None for name, value in every.items()}))


def came(resource: Mapping[str, Any]) -> dict[str, str]:
    """What `with_came` noted; {} for what was made here."""
    return {name: str(value) for name, value in values_of(extension_of(resource, CAME) or {}).items()}


async def refuse_other(session: Session, kind: str, unique: Mapping[str, str], patient_id: str) -> None:
    """Raises Conflict if what has this identifier is of another patient: a key used twice, or a wrong match."""
    token = quote(f"{unique['system']}|{unique['value']}", safe="")
    page = await session.search(session.parse(kind, f"identifier={token}&_count=2"))
    if any(f"Patient/{patient_id}" not in _patients(body(one)) for one in page.matches):
        raise Conflict(SOMEBODY_ELSE)


def _patients(resource: Mapping[str, Any]) -> set[str]:
    said = [resource.get("subject", {}), *(one.get("actor", {}) for one in resource.get("participant", ()))]
    return {str(one.get("reference", "")) for one in said}
