"""The trace shown as FHIR AuditEvent: who looked at or changed what, when and why.

Content follows IHE BALP 1.1 (Basic Audit Log Patterns): type `rest`, the interaction as subtype, one agent
who asked, the patients and the resources or the query as entities. Rows are never stored as resources; they
are shown from record.audit, so nobody can write or change one through the API.
"""

import base64
from dataclasses import dataclass
from typing import Any

from continuum.fhir.json import dump
from continuum.fhir.types import TYPE_NAMES
from continuum.kernel.clock import MAX_US, MIN_US, instant
from continuum.kernel.errors import Malformed
from continuum.record.model import Page, Stored
from continuum.record.read import Connection, missing

_ACTIONS = {"create": "C", "update": "U", "patch": "U", "delete": "D", "read": "R", "vread": "R", "history": "R"}
_RESTFUL = frozenset({"create", "update", "patch", "delete", "read", "vread", "transaction", "batch", "operation"})
_SUBTYPES = {"search": "search-type", "history": "history-instance", "everything": "operation", "import": "batch"}

PARAMETERS = ("_id", "patient", "date", "agent", "subtype", "outcome")
"""The search parameters that the trace answers."""

_SELECT = """
  SELECT a.seq, a.at, a.request, a.actor, a.role, a.purpose, a.source, a.interaction, a.outcome, a.type, a.target,
         a.query, a.patient_id, a.detail,
         ARRAY(SELECT p.patient_id FROM record.audit_patient p WHERE p.seq = a.seq ORDER BY 1) AS patients
  FROM record.audit a
"""


@dataclass(frozen=True, slots=True)
class TraceQuery:
    """What part of the trace is asked for; None is no limit. before: the cursor, a sequence number."""

    patient_id: str | None = None
    actor: str | None = None
    interaction: str | None = None
    outcome: int | None = None
    low_us: int = MIN_US
    high_us: int = MAX_US
    before: int = MAX_US
    count: int = 20


async def find(conn: Connection, wanted: TraceQuery) -> Page:
    """One page of the trace, newest first."""
    arguments: list[Any] = [wanted.low_us, wanted.high_us, wanted.before, wanted.count + 1]
    parts = ["a.at >= $1", "a.at <= $2", "a.seq < $3"]
    for column, value in (("actor", wanted.actor), ("interaction", wanted.interaction), ("outcome", wanted.outcome)):
        if value is not None:
            arguments.append(value)
            parts.append(f"a.{column} = ${len(arguments)}")
    if wanted.patient_id is not None:
        arguments.append(wanted.patient_id)
        bound = f"${len(arguments)}"
        parts.append(
            f"a.seq IN (SELECT seq FROM record.audit WHERE patient_id = {bound}"
            f" UNION ALL SELECT seq FROM record.audit_patient WHERE patient_id = {bound})"
        )
    rows = await conn.fetch(f"{_SELECT} WHERE {' AND '.join(parts)} ORDER BY a.seq DESC LIMIT $4", *arguments)
    shown = rows[: wanted.count]
    more = len(rows) > wanted.count and bool(shown)
    return Page(tuple(_stored(row) for row in shown), next_cursor=str(shown[-1]["seq"]) if more else "")


async def get(conn: Connection, event_id: str, patient_id: str | None) -> Stored:
    """One event; with `patient_id` only when it touched that patient. Raises NotFound."""
    row = await conn.fetchrow(f"{_SELECT} WHERE a.seq = $1", int(event_id)) if event_id.isdecimal() else None
    if row is None or (patient_id is not None and patient_id not in (row["patient_id"], *row["patients"])):
        raise missing("AuditEvent", event_id)
    return _stored(row)


def cursor(text: str) -> int:
    """The sequence number in a page link. Raises Malformed."""
    if not text:
        return MAX_US
    if not text.isdecimal() or len(text) > 18:
        raise Malformed("The page link was changed; start the search again from its first page.")
    return int(text)


def _stored(row: Any) -> Stored:
    event = audit_event(row)
    return Stored(
        "AuditEvent", event["id"], 1, row["at"], deleted=False, patient_id=row["patient_id"], body=dump(event)
    )


def audit_event(row: Any) -> dict[str, Any]:
    """The AuditEvent of one audit row."""
    interaction = row["interaction"]
    subtype = _SUBTYPES.get(interaction, interaction)
    system = "http://hl7.org/fhir/restful-interaction" if subtype in _RESTFUL or "-" in subtype else "urn:continuum:act"
    event: dict[str, Any] = {
        "resourceType": "AuditEvent",
        "id": str(row["seq"]),
        "meta": {"versionId": "1", "lastUpdated": instant(row["at"])},
        "type": {"system": "http://terminology.hl7.org/CodeSystem/audit-event-type", "code": "rest"},
        "subtype": [{"system": system, "code": subtype}],
        "action": _ACTIONS.get(interaction, "E"),
        "recorded": instant(row["at"]),
        "outcome": str(row["outcome"]),
        "purposeOfEvent": [
            {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": row["purpose"]}]}
        ],
        "agent": [
            {
                "role": [{"text": row["role"]}],
                "who": {"identifier": {"value": row["actor"]}},
                "requestor": True,
                "network": {"address": row["source"], "type": "2"},
            }
        ],
        "source": {"observer": {"display": "Continuum"}},
        "entity": [*_patients(row), *_objects(row), _detail("request", row["request"])],
    }
    if row["outcome"] and row["detail"]:
        event["outcomeDesc"] = row["detail"]
    return event


def _patients(row: Any) -> list[dict[str, Any]]:
    entity_type = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
    role = "http://terminology.hl7.org/CodeSystem/object-role"
    return [
        {
            "what": {"reference": f"Patient/{patient_id}"},
            "type": {"system": entity_type, "code": "1"},
            "role": {"system": role, "code": "1"},
        }
        for patient_id in (row["patient_id"], *row["patients"])
        if patient_id
    ]


def _objects(row: Any) -> list[dict[str, Any]]:
    resource_type = TYPE_NAMES.get(row["type"], "")
    found: list[dict[str, Any]] = []
    if resource_type and row["target"]:
        resource_id, _, version = row["target"].partition("/")
        address = f"{resource_type}/{resource_id}" + (f"/_history/{version}" if version else "")
        found.append({"what": {"reference": address}})
    if row["query"] is not None:
        query = f"{resource_type}?{row['query']}"
        found.append({"query": base64.b64encode(query.encode()).decode(), "description": "search"})
    if row["detail"] and not row["outcome"]:
        for address in row["detail"].split():
            resource_type, _, rest = address.partition("/")
            resource_id, _, version = rest.partition("/")
            reference = f"{resource_type}/{resource_id}" + (f"/_history/{version}" if version else "")
            found.append({"what": {"reference": reference}})
    return found


def _detail(kind: str, value: str) -> dict[str, Any]:
    return {"detail": [{"type": kind, "valueString": value}]}
