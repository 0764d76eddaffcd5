"""The personnel and eligibility registry: who people are, who is whose dependent, who is entitled to care and when.

The shape is that of a military personnel registry: ten-digit DoD ID numbers, sponsors, dependents, periods of
eligibility by category. It is the source for registering; what an account says about a person comes from here.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from continuum.identity.limits import (
    ACCOUNT_AGE_MIN_YEARS,
    DEPENDENTS_MAX,
    REGISTRY_BATCH_MAX,
)
from continuum.kernel.clock import now_us
from continuum.record.read import Connection

Category = Literal["active", "reserve", "guard", "retired", "veteran", "spouse", "child", "survivor"]
Relation = Literal["spouse", "child", "ward", "parent"]
_DOD_ID = re.compile(r"[0-9]{10}\Z")
_COLUMNS = (
    "person_id", "dod_id", "given_names", "family_name", "sex", "born", "died", "email", "phone", "street", "city",
    "state", "postal_code", "country", "patient_id",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in the registry. `patient_id` is the id of their Patient, None while they have no record."""

    person_id: str
    dod_id: str
    given_names: str
    family_name: str
    sex: str
    born: date
    street: str
    city: str
    state: str
    postal_code: str
    country: str
    died: date | None = None
    email: str | None = None
    phone: str | None = None
    patient_id: str | None = None

    @property
    def name(self) -> str:
        """Given and family name."""
        return f"{self.given_names} {self.family_name}"

    def age_years(self, day: date) -> int:
        """Full years on a day."""
        return day.year - self.born.year - ((day.month, day.day) < (self.born.month, self.born.day))


@dataclass(frozen=True, slots=True)
class Eligibility:
    """One reason for being entitled to care. `ends` is the last day, None is open."""

    category: Category
    starts: date
    ends: date | None = None

    def covers(self, day: date) -> bool:
        """Whether the day falls into it."""
        return self.starts <= day and (self.ends is None or day <= self.ends)


@dataclass(frozen=True, slots=True)
class Sponsorship:
    """Whose dependent somebody is."""

    sponsor_id: str
    relation: Relation
    starts: date
    ends: date | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """All that the registry says about one person."""

    person: Person
    eligibility: tuple[Eligibility, ...]
    sponsors: tuple[Sponsorship, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether somebody may have an account on a day; `reason` says why not, in words for that person."""

    eligible: bool
    category: Category | None = None
    reason: str = ""


def name_key(name: str) -> str:
    """A family name as it is compared: no accents, marks, spaces or case (`O'Brien` is `OBRIEN`)."""
    plain = unicodedata.normalize("NFKD", name.replace("ß", "ss").replace("ø", "o").replace("Ø", "O"))
    return "".join(sign for sign in plain if sign.isalpha()).upper()


def judge(entry: Entry, today: date) -> Verdict:
    """Whether the person may have an account of their own today, and by which entitlement."""
    if entry.person.died is not None:
        return Verdict(eligible=False, reason="Our registry says that this person has died.")
    if entry.person.age_years(today) < ACCOUNT_AGE_MIN_YEARS:
        return Verdict(
            eligible=False,
            reason=f"An account of one's own can be opened from {ACCOUNT_AGE_MIN_YEARS} years on. Until then the"
            " sponsor or another parent sees the record with their own account.",
        )
    present = [one for one in entry.eligibility if one.covers(today)]
    if present:
        return Verdict(eligible=True, category=present[0].category)
    begins = min((one.starts for one in entry.eligibility if one.starts > today), default=None)
    if begins is not None:
        return Verdict(eligible=False, reason=f"Your eligibility begins on {_day(begins)}. Please come back then.")
    ended = max((one.ends for one in entry.eligibility if one.ends is not None), default=None)
    if ended is not None:
        return Verdict(eligible=False, reason=f"Our registry says that your eligibility ended on {_day(ended)}.")
    return Verdict(eligible=False, reason="Our registry lists no eligibility for you.")


def _day(day: date) -> str:
    return f"{day.day} {day:%B} {day.year}"


async def find(conn: Connection, *, dod_id: str, family_name: str, born: date) -> Entry | None:
    """The person on whom all three facts agree; None in every other case, so that none can be tried out alone."""
    key = name_key(family_name)
    if not _DOD_ID.match(dod_id) or not key:
        return None
    row = await conn.fetchrow(
        f"SELECT {', '.join(_COLUMNS)} FROM identity.person WHERE dod_id = $1 AND family_key = $2 AND born = $3",
        dod_id, key, born,
    )  # fmt: skip
    return None if row is None else await _entry(conn, row)


async def get(conn: Connection, person_id: str) -> Entry | None:
    """All that is known of a person; None for a strange id."""
    row = await conn.fetchrow(f"SELECT {', '.join(_COLUMNS)} FROM identity.person WHERE person_id = $1", person_id)
    return None if row is None else await _entry(conn, row)


async def of_patient(conn: Connection, patient_id: str) -> Person | None:
    """The person whose record this is; None for a patient whom the registry does not know."""
    row = await conn.fetchrow(
        f"SELECT {', '.join(_COLUMNS)} FROM identity.person WHERE patient_id = $1", patient_id
    )  # fmt: skip
    return None if row is None else _person(row)


async def by_dod_id(conn: Connection, dod_id: str) -> Person | None:
    """The person of a DoD ID number, for whoever may see everybody; None if there is none."""
    row = await conn.fetchrow(f"SELECT {', '.join(_COLUMNS)} FROM identity.person WHERE dod_id = $1", dod_id)
    return None if row is None else _person(row)


async def dependents(conn: Connection, sponsor_id: str, today: date) -> list[tuple[Person, Relation]]:
    """Those whom the person sponsors today, oldest first; at most DEPENDENTS_MAX."""
    columns = ", ".join(f"p.{column}" for column in _COLUMNS)
    rows = await conn.fetch(
        f"SELECT {columns}, s.relation FROM identity.sponsorship s"
        " JOIN identity.person p ON p.person_id = s.dependent_id"
        " WHERE s.sponsor_id = $1 AND s.starts <= $2 AND (s.ends IS NULL OR s.ends >= $2)"
        " ORDER BY p.born, p.person_id LIMIT $3",
        sponsor_id, today, DEPENDENTS_MAX,
    )  # fmt: skip
    return [(_person(row), row["relation"]) for row in rows]


async def _entry(conn: Connection, row: Any) -> Entry:
    person = _person(row)
    periods = await conn.fetch(
        "SELECT category, starts, ends FROM identity.eligibility WHERE person_id = $1 ORDER BY starts DESC, category",
        person.person_id,
    )
    sponsors = await conn.fetch(
        "SELECT sponsor_id, relation, starts, ends FROM identity.sponsorship WHERE dependent_id = $1 ORDER BY starts",
        person.person_id,
    )
    return Entry(
        person,
        tuple(Eligibility(one["category"], one["starts"], one["ends"]) for one in periods),
        tuple(Sponsorship(one["sponsor_id"], one["relation"], one["starts"], one["ends"]) for one in sponsors),
    )


def _person(row: Any) -> Person:
    return Person(**{column: row[column] for column in _COLUMNS})


_STORE = f"""
WITH given AS (
  SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::date[], $7::date[], $8::text[],
                       $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[],
                       $16::text[])
    AS g({", ".join(_COLUMNS)}, family_key)
)
INSERT INTO identity.person ({", ".join(_COLUMNS)}, family_key, updated_us)
SELECT given.*, $17::bigint FROM given
ON CONFLICT (person_id) DO UPDATE SET
  {", ".join(f"{column} = EXCLUDED.{column}" for column in _COLUMNS[1:])},
  family_key = EXCLUDED.family_key, updated_us = EXCLUDED.updated_us
"""


async def store(conn: Connection, entries: Sequence[Entry]) -> None:
    """Takes over what the registry says, in the caller's transaction; sponsors before or with their dependents.

    Periods and sponsorships of the people given are replaced as a whole.
    """
    for start in range(0, len(entries), REGISTRY_BATCH_MAX):
        await _store(conn, entries[start : start + REGISTRY_BATCH_MAX])


async def _store(conn: Connection, entries: Sequence[Entry]) -> None:
    people = [entry.person for entry in entries]
    columns: list[list[Any]] = [[getattr(person, column) for person in people] for column in _COLUMNS]
    await conn.fetch(_STORE, *columns, [name_key(person.family_name) for person in people], now_us())
    ids = [person.person_id for person in people]
    await conn.fetch("DELETE FROM identity.eligibility WHERE person_id = ANY($1::text[])", ids)
    await conn.fetch("DELETE FROM identity.sponsorship WHERE dependent_id = ANY($1::text[])", ids)
    await conn.fetch(
        "INSERT INTO identity.eligibility (person_id, category, starts, ends)"
        " SELECT * FROM unnest($1::text[], $2::text[], $3::date[], $4::date[])",
        *_transposed(
            ((e.person.person_id, one.category, one.starts, one.ends) for e in entries for one in e.eligibility), 4
        ),
    )
    await conn.fetch(
        "INSERT INTO identity.sponsorship (sponsor_id, dependent_id, relation, starts, ends)"
        " SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::date[], $5::date[])",
        *_transposed(
            (
                (one.sponsor_id, e.person.person_id, one.relation, one.starts, one.ends)
                for e in entries
                for one in e.sponsors
            ),
            5,
        ),
    )


def _transposed(rows: Iterable[tuple[Any, ...]], width: int) -> list[list[Any]]:
    columns: list[list[Any]] = [[] for _ in range(width)]
    for row in rows:
        for column, value in zip(columns, row, strict=True):
            column.append(value)
    return columns
