"""A small world behind one door: two patients at two facilities, and everybody who may ask."""

from typing import Any
from urllib.parse import parse_qsl

from continuum.access import Access, Actor, Session
from continuum.access.actor import USUAL_PURPOSE
from continuum.fhir.grammar import parse
from continuum.fhir.query import Query

ACTORS = {
    "administrator": Actor("adm", "administrator"),
    "system": Actor("sys", "system"),
    "clinician": Actor("dr", "clinician", facility_id="f-own"),
    "patient": Actor("pat", "patient", patient_id="own"),
}


class World:
    """The door, sessions by role, and what lies in the database."""

    def __init__(self, pool: Any, **more: Any) -> None:
        self.pool = pool
        self.door = Access(pool.connection, key_secret=bytes(32), audit_secret=bytes(32), **more)

    def session(self, role: str, request_id: str = "r") -> Session:
        return self.door.open(ACTORS[role], USUAL_PURPOSE[role], source="192.0.2.1", request_id=request_id)

    async def rows(self, request_id: str | None = None) -> list[Any]:
        """The trace, each row with all its patients."""
        async with self.pool.connection() as conn:
            rows = await conn.fetch(
                "SELECT a.*, ARRAY(SELECT p.patient_id FROM record.audit_patient p WHERE p.seq = a.seq) AS more"
                " FROM record.audit a ORDER BY seq"
            )
        return [row for row in rows if request_id is None or row["request"] == request_id]

    async def all(self) -> list[tuple[Any, ...]]:
        """Every version of everything."""
        async with self.pool.connection() as conn:
            rows = await conn.fetch(
                "SELECT type, id, version, deleted FROM record.resource"
                " UNION ALL SELECT type, id, version, deleted FROM record.history ORDER BY 1, 2, 3"
            )
        return [tuple(row) for row in rows]


def patients(row: Any) -> set[str]:
    """Everybody whom an audit row names."""
    return {one for one in (row["patient_id"], *row["more"]) if one is not None}


def criteria(kind: str, text: str) -> Query:
    return parse(kind, parse_qsl(text, keep_blank_values=True), lenient=False)


def patient(name: str, facility: str) -> dict[str, Any]:
    return {
        "resourceType": "Patient", "id": name, "name": [{"family": f"Family-{name}"}],
        "managingOrganization": {"reference": f"Organization/{facility}"},
    }  # fmt: skip


def observation(name: str, subject: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation", "id": name, "status": "final", "code": {"text": "pulse"},
        "subject": {"reference": f"Patient/{subject}"}, "valueString": f"secret of {subject}", **more,
    }  # fmt: skip


async def furnish(world: World) -> World:
    """Patient `own` at facility f-own, `other` at f-other: an Observation, a Task and a Device for each."""
    session = world.session("administrator", "furnish")
    for place in ("f-own", "f-other"):
        await session.update({"resourceType": "Organization", "id": place, "name": place})
    for name in ("own", "other"):
        await session.update(patient(name, f"f-{name}"))
        await session.update(observation(f"o-{name}", name))
        await session.update(observation(f"o-{name}", name, note=[{"text": "second version"}]))
        await session.update({
            "resourceType": "Task", "id": f"t-{name}", "status": "requested", "intent": "order",
            "for": {"reference": f"Patient/{name}"},
        })  # fmt: skip
        await session.update({"resourceType": "Device", "id": f"d-{name}", "patient": {"reference": f"Patient/{name}"}})
        await session.update(observation(f"gone-{name}", name))
        await session.delete("Observation", f"gone-{name}")
    return world
