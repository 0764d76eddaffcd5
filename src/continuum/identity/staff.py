"""What staff may be: roles at facilities, each from a day to a day, granted and withdrawn by administrators."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from continuum.identity.limits import (
    PRIVILEGES_MAX,
)
from continuum.kernel.errors import Invalid, NotFound
from continuum.kernel.ids import uuid7
from continuum.record.read import Connection

ADMINISTRATOR = "administrator"
REGISTRAR = "registrar"
HELP_DESK = "help-desk"
EVERYWHERE = frozenset({ADMINISTRATOR, "system", "privacy-officer", HELP_DESK, "population-analyst"})
"""Roles of the whole installation; every other one is held at one facility."""
ROLES = EVERYWHERE | {
    REGISTRAR, "clinician", "commander", "physician", "nurse", "dentist", "dental-technician", "pharmacist",
    "laboratory", "imaging", "medic", "scheduler", "readiness-clerk",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Privilege:
    """A role at a facility (None: everywhere). `ends` is the last day, None is open."""

    privilege_id: str
    role: str
    facility_id: str | None
    starts: date
    ends: date | None


async def grant(
    conn: Connection,
    account_id: str,
    role: str,
    *,
    facility_id: str | None,
    starts: date,
    ends: date | None,
    by_account: str | None,
    now: int,
) -> Privilege:
    """Gives an account a role. by_account: the administrator; None for the command line.

    Raises:
        Invalid: there is no such role, it lacks its facility, or it would end before it begins.
    """
    if role not in ROLES:
        raise Invalid(f"There is no role {role}; there are {', '.join(sorted(ROLES))}.")
    if (facility_id is None) != (role in EVERYWHERE):
        raise Invalid(f"The role {role} is held " + ("everywhere." if role in EVERYWHERE else "at one facility."))
    if ends is not None and ends < starts:
        raise Invalid("A privilege cannot end before it begins.")
    made = Privilege(uuid7(), role, facility_id, starts, ends)
    await conn.fetch(
        "INSERT INTO identity.privilege VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        made.privilege_id, account_id, role, facility_id, starts, ends, now, by_account,
    )  # fmt: skip
    return made


async def withdraw(conn: Connection, account_id: str, privilege_id: str, now: int) -> None:
    """Ends a privilege at once. Raises NotFound."""
    rows = await conn.fetch(
        "UPDATE identity.privilege SET withdrawn_us = $3 WHERE account_id = $1 AND privilege_id = $2"
        " AND withdrawn_us IS NULL RETURNING privilege_id",
        account_id, privilege_id, now,
    )  # fmt: skip
    if not rows:
        raise NotFound("There is no such privilege.")


async def withdraw_all(conn: Connection, account_id: str, now: int) -> int:
    """Ends every privilege of somebody who leaves; how many there were."""
    rows = await conn.fetch(
        "UPDATE identity.privilege SET withdrawn_us = $2 WHERE account_id = $1 AND withdrawn_us IS NULL"
        " RETURNING privilege_id",
        account_id, now,
    )  # fmt: skip
    return len(rows)


async def of(conn: Connection, account_id: str, day: date | None = None) -> list[Privilege]:
    """The privileges of an account that are not withdrawn: those of a day, or all, past and future."""
    rows = await conn.fetch(
        "SELECT privilege_id, role, facility_id, starts, ends FROM identity.privilege"
        " WHERE account_id = $1 AND withdrawn_us IS NULL"
        " AND ($2::date IS NULL OR (starts <= $2 AND (ends IS NULL OR ends >= $2)))"
        " ORDER BY role, facility_id, starts, privilege_id LIMIT $3",
        account_id, day, PRIVILEGES_MAX,
    )  # fmt: skip
    return [_privilege(row) for row in rows]


async def is_administrator(conn: Connection, account_id: str, day: date) -> bool:
    """Whether the account administers the installation on that day."""
    return any(one.role == ADMINISTRATOR for one in await of(conn, account_id, day))


def _privilege(row: Any) -> Privilege:
    return Privilege(row["privilege_id"], row["role"], row["facility_id"], row["starts"], row["ends"])


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody who works at a facility on a day. practitioner_id: who they are in the record, where that is known."""

    account_id: str
    name: str
    role: str
    practitioner_id: str | None = None


async def at(conn: Connection, facility_id: str, day: date, *, roles: frozenset[str], limit: int) -> list[Colleague]:
    """Who holds one of these roles at a facility on a day, by name; closed accounts are left out."""
    rows = await conn.fetch(
        "SELECT DISTINCT ON (a.display_name, a.account_id) a.account_id, a.display_name, p.role, a.practitioner_id"
        " FROM identity.privilege p JOIN identity.account a USING (account_id)"
        " WHERE p.facility_id = $1 AND p.withdrawn_us IS NULL AND p.starts <= $2 AND (p.ends IS NULL OR p.ends >= $2)"
        " AND p.role = ANY ($3::text[]) AND a.closed_us IS NULL"
        " ORDER BY a.display_name, a.account_id, p.role LIMIT $4",
        facility_id, day, sorted(roles), limit,
    )  # fmt: skip
    return [Colleague(row["account_id"], row["display_name"], row["role"], row["practitioner_id"]) for row in rows]
