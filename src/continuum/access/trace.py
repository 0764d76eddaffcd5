"""The trace shown as FHIR AuditEvent: who looked at or changed what, when and why.

Content follows IHE BALP 1.1 (Basic Audit Log Patterns): type `rest`, the interaction as subtype, one agent
who asked, the patients and the resources or the query as entities. Rows are never stored as resources; they
are shown from record.audit, so nobody can write or change one through the API.
"""

import base64
from dataclasses import dataclass, replace
from typing import Any

from continuum.access.actor import Actor
from continuum.access.policy import Policy
from continuum.access.telling import Told, told
from continuum.fhir.json import dump
from continuum.fhir.query import Criterion, InCompartment, Query, Value
from continuum.fhir.types import TYPE_NAMES
from continuum.kernel.clock import MAX_US, MIN_US, instant
from continuum.kernel.errors import Forbidden, Malformed, UnknownParameter
from continuum.record.model import Page, Stored
from continuum.record.read import Connection, missing

_ACTIONS = {"create": "C", "update": "U", "patch": "U", "delete": "D", "read": "R", "vread": "R", "history": "R"}
_RESTFUL = frozenset({"create", "update", "patch", "delete", "read", "vread", "transaction", "batch", "operation"})
_SUBTYPES = {"search": "search-type", "history": "history-instance", "everything": "operation", "import": "batch"}

_UNADDRESSED = frozenset({"export", "exported", "imported", "bulkstatus", "bulkfile", "bulkcancel", "login", "share"})
"""Acts that are about no single resource and no search."""

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
    """What part of the trace is asked for; None is no limit. before: the cursor, a sequence number.

    viewer: the patient who asks, and may see of others nothing.
    """

    patient_id: str | None = None
    viewer: str | None = None
    actor: str | None = None
    interaction: str | None = None
    outcome: int | None = None
    low_us: int = MIN_US
    high_us: int = MAX_US
    seq: int | None = None
    before: int = MAX_US
    count: int = 20


def visible_patient(actor: Actor, policy: Policy) -> str | None:
    """The only patient whose trace an actor may see; None for all.

    Raises:
        Forbidden: the policy opens no trace.
    """
    if policy.watches:
        return None
    if policy.reviews and actor.patient_id is not None:
        return actor.patient_id
    raise Forbidden("The trace is open to privacy officers, and to patients for their own record.")


def read_query(query: Query, patient_id: str | None) -> TraceQuery:
    """What a search of AuditEvent asks of the trace; `patient_id` is the only patient that may be asked about.

    Raises:
        UnknownParameter: a parameter, modifier or list that the trace does not answer.
    """
    wanted = TraceQuery(patient_id=patient_id, viewer=patient_id, before=cursor(query.cursor), count=query.count)
    if query.includes or query.sort or query.total not in ("", "none"):
        raise UnknownParameter("A search of the trace is newest first, without _include, _sort or _total.")
    for clause in query.where:
        if isinstance(clause, InCompartment) and clause.compartment_type == "Patient":
            wanted = _about(wanted, clause.id, patient_id)
            continue
        if not isinstance(clause, Criterion) or clause.param.code not in PARAMETERS or len(clause.values) != 1:
            raise UnknownParameter(f"The trace is searched by one value each of {', '.join(PARAMETERS)}.")
        code, value = clause.param.code, clause.values[0]
        if clause.modifier and (code, clause.modifier) != ("agent", "identifier"):
            raise UnknownParameter(f"{code} of the trace does not take :{clause.modifier}.")
        if code == "date":
            wanted = _within(wanted, value)
        elif code == "patient":
            wanted = _about(wanted, value.text.rpartition("/")[2], patient_id)
        elif code == "agent":
            wanted = replace(wanted, actor=value.code or value.text)
        elif code == "subtype":
            known = {shown: name for name, shown in _SUBTYPES.items()}
            wanted = replace(wanted, interaction=known.get(value.code or "", value.code))
        elif code == "outcome":
            code_text = value.code or ""
            wanted = replace(wanted, outcome=int(code_text) if code_text.isdecimal() else -1)
        else:
            identity = value.text if value.text.isdecimal() and len(value.text) < 19 else "0"
            wanted = replace(wanted, seq=int(identity) if wanted.seq is None else 0)
    return wanted


def _about(wanted: TraceQuery, asked: str, allowed: str | None) -> TraceQuery:
    """Another's trace is not refused but empty, as is that of a patient who is not known."""
    nothing = allowed not in (None, asked)
    return replace(wanted, patient_id=asked, seq=0 if nothing else wanted.seq)


def _within(wanted: TraceQuery, value: Value) -> TraceQuery:
    low, high = wanted.low_us, wanted.high_us
    if value.prefix in ("", "eq", "ge"):
        low = max(low, value.low_us)
    if value.prefix in ("", "eq", "le"):
        high = min(high, value.high_us)
    if value.prefix in ("gt", "sa"):
        low = max(low, value.high_us + 1)
    if value.prefix in ("lt", "eb"):
        high = min(high, value.low_us - 1)
    if value.prefix in ("ne", "ap"):
        raise UnknownParameter("The date of the trace takes eq, gt, ge, lt, le, sa and eb.")
    return replace(wanted, low_us=low, high_us=high)


async def find(conn: Connection, wanted: TraceQuery) -> Page:
    """One page of the trace, newest first."""
    arguments: list[Any] = [wanted.low_us, wanted.high_us, wanted.before, wanted.count + 1]
    parts = ["a.at >= $1", "a.at <= $2", "a.seq < $3"]
    for column, value in (
        ("actor", wanted.actor),
        ("interaction", wanted.interaction),
        ("outcome", wanted.outcome),
        ("seq", wanted.seq),
    ):
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
    return Page(tuple(_stored(row, wanted.viewer) for row in shown), next_cursor=str(shown[-1]["seq"]) if more else "")


async def report(conn: Connection, patient_id: str, *, before: int, count: int) -> tuple[list[Told], str]:
    """What was done about a patient, newest first, in words; and the cursor of the page after it, or "".

    Of an act that touched others too, nothing is said that is theirs.
    """
    rows = await conn.fetch(
        f"{_SELECT} WHERE a.seq < $1 AND a.seq IN (SELECT seq FROM record.audit WHERE patient_id = $2"
        " UNION ALL SELECT seq FROM record.audit_patient WHERE patient_id = $2) ORDER BY a.seq DESC LIMIT $3",
        before, patient_id, count + 1,
    )  # fmt: skip
    shown = rows[:count]
    return [told(row, TYPE_NAMES) for row in shown], str(shown[-1]["seq"]) if len(rows) > count else ""


async def get(conn: Connection, event_id: str, patient_id: str | None) -> Stored:
    """One event; with `patient_id` only when it touched that patient. Raises NotFound."""
    row = await conn.fetchrow(f"{_SELECT} WHERE a.seq = $1", int(event_id)) if event_id.isdecimal() else None
    if row is None or (patient_id is not None and patient_id not in (row["patient_id"], *row["patients"])):
        raise missing("AuditEvent", event_id)
    return _stored(row, patient_id)


def cursor(text: str) -> int:
    """The sequence number in a page link. Raises Malformed."""
    if not text:
        return MAX_US
    if not text.isdecimal() or len(text) > 18:
        raise Malformed("The page link was changed; start the search again from its first page.")
    return int(text)


def _stored(row: Any, viewer: str | None) -> Stored:
    event = audit_event(row, viewer)
    patient_id = viewer or row["patient_id"]
    return Stored("AuditEvent", event["id"], 1, row["at"], deleted=False, patient_id=patient_id, body=dump(event))


def audit_event(row: Any, viewer: str | None = None) -> dict[str, Any]:
    """The AuditEvent of one audit row.

    viewer: the only patient who may be named. Of an act that touched others too, that patient is shown who
    did what, when and why, but neither what was asked for nor the list of resources: those are the others'.
    """
    patients = [one for one in (row["patient_id"], *row["patients"]) if one and viewer in (None, one)]
    whole = viewer is None or not {row["patient_id"], *row["patients"]} - {viewer, None}
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
        "entity": [*_patients(patients), *(_objects(row) if whole else ()), _detail("request", row["request"])],
    }
    if row["outcome"] and row["detail"] and whole:
        event["outcomeDesc"] = row["detail"]
    return event


def _patients(patients: list[str]) -> list[dict[str, Any]]:
    entity_type = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
    role = "http://terminology.hl7.org/CodeSystem/object-role"
    return [
        {
            "what": {"reference": f"Patient/{patient_id}"},
            "type": {"system": entity_type, "code": "1"},
            "role": {"system": role, "code": "1"},
        }
        for patient_id in patients
    ]


def _objects(row: Any) -> list[dict[str, Any]]:
    resource_type = TYPE_NAMES.get(row["type"], "")
    found: list[dict[str, Any]] = []
    if row["interaction"] == "break-the-glass":
        return [_detail("reason", row["query"])] if row["query"] else []
    if row["interaction"] in _UNADDRESSED:
        named = (("job", row["target"]), ("asked", row["query"]), ("result", row["detail"]))
        return [_detail(kind, value) for kind, value in named if value and not (kind == "result" and row["outcome"])]
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
