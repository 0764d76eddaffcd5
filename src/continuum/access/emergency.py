"""Breaking the glass: one person opens the record of one patient, with a reason, for EMERGENCY_S.

It is a row and one more relation (`emergency`) that policies open for the purpose ETREAT. The trace of it is in its
own transaction, so whoever watches sees it as soon as it holds.
"""

from dataclasses import dataclass
from typing import Any

from continuum.access.actor import Actor
from continuum.access.limits import (
    EMERGENCIES_OPEN_MAX,
    EMERGENCY_REASON_CHARS,
    EMERGENCY_REASON_MIN_CHARS,
    EMERGENCY_S,
)
from continuum.fhir.types import TYPE_IDS
from continuum.kernel.errors import Busy, Invalid, Issue
from continuum.kernel.ids import uuid7
from continuum.record.keys import Keys
from continuum.record.read import Connection, missing

_COLUMNS = "id, actor, name, role, facility, patient_id, reason, starts, ends"


class TooManyEmergencies(Busy):
    """The actor has broken the glass for as many patients as one person can treat at once."""

    status = 429


@dataclass(frozen=True, slots=True)
class Emergency:
    """Glass that was broken: by whom, for whom, why, from when to when (microseconds)."""

    id: str
    actor: str
    name: str
    role: str
    facility: str | None
    patient_id: str
    reason: str
    starts: int
    ends: int


def reason_of(text: str) -> str:
    """The reason as it is kept. Raises Invalid for one that says nothing or is too long."""
    said = " ".join(text.split())
    if not EMERGENCY_REASON_MIN_CHARS <= len(said) <= EMERGENCY_REASON_CHARS or not said.isprintable():
        words = f"Say why in {EMERGENCY_REASON_MIN_CHARS} to {EMERGENCY_REASON_CHARS} characters; others will read it."
        raise Invalid(words, issues=(Issue("business-rule", words),))
    return said


async def begin(
    conn: Connection, actor: Actor, patient_id: str, reason: str, *, owner: int, keys: Keys, now: int
) -> Emergency:
    """Opens the record of a patient, in the caller's transaction. owner: what marks the actor's own.

    Raises:
        NotFound: there is no such patient. TooManyEmergencies: enough are open.
    """
    there = await conn.fetchrow(
        "SELECT 1 FROM record.resource r WHERE r.type = $1 AND r.id = $2 AND NOT r.deleted",
        TYPE_IDS["Patient"], patient_id,
    )  # fmt: skip
    if there is None:
        raise missing("Patient", patient_id)
    # Two requests at once count each other: the lock is of this actor alone and ends with the transaction.
    await conn.fetch("SELECT pg_advisory_xact_lock(7202, hashint8($1::bigint))", owner)
    row = await conn.fetchrow(
        "SELECT count(DISTINCT patient) FILTER (WHERE patient <> $2) AS others FROM record.emergency"
        " WHERE actor_key = $1 AND ends > $3",
        owner, keys.self_key("Patient", patient_id), now,
    )  # fmt: skip
    if row["others"] >= EMERGENCIES_OPEN_MAX:
        raise TooManyEmergencies(f"You have broken the glass for {EMERGENCIES_OPEN_MAX} patients; wait for one to end.")
    made = Emergency(
        uuid7(),
        actor.id,
        actor.name,
        actor.role,
        actor.facility_id,
        patient_id,
        reason,
        now,
        now + EMERGENCY_S * 1_000_000,
    )
    await conn.fetch(
        f"INSERT INTO record.emergency ({_COLUMNS}, actor_key, patient)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        made.id, made.actor, made.name, made.role, made.facility, made.patient_id, made.reason, made.starts, made.ends,
        owner, keys.self_key("Patient", patient_id),
    )  # fmt: skip
    return made


async def open_one(conn: Connection, patient_id: str, *, owner: int, now: int) -> Emergency | None:
    """The glass that an actor has broken for a patient and that is open still; the one that stays open longest."""
    row = await conn.fetchrow(
        f"SELECT {_COLUMNS} FROM record.emergency WHERE actor_key = $1 AND patient_id = $2 AND ends > $3"
        " ORDER BY ends DESC LIMIT 1",
        owner, patient_id, now,
    )  # fmt: skip
    return None if row is None else _emergency(row)


async def latest(conn: Connection, count: int, *, patient_id: str | None = None) -> list[Emergency]:
    """The latest emergencies, newest first: all, or of one patient."""
    rows = await conn.fetch(
        f"SELECT {_COLUMNS} FROM record.emergency WHERE $2::text IS NULL OR patient_id = $2"
        " ORDER BY starts DESC, id DESC LIMIT $1",
        count, patient_id,
    )  # fmt: skip
    return [_emergency(row) for row in rows]


async def newest(conn: Connection) -> str:
    """The id of the latest; "" for none."""
    row = await conn.fetchrow("SELECT id FROM record.emergency ORDER BY starts DESC, id DESC LIMIT 1")
    return "" if row is None else str(row["id"])


def _emergency(row: Any) -> Emergency:
    return Emergency(**{name: row[name] for name in _COLUMNS.split(", ")})
