"""Who is away and who stands in, and the templates for answers of a facility."""

from dataclasses import dataclass
from datetime import datetime

from continuum.access import Access
from continuum.chart.entry import N_
from continuum.clinical.messaging.limits import AWAY_MAX, NOTE_MAX_CHARS, STAFF_MAX, SUBJECT_MAX_CHARS, TEMPLATES_MAX
from continuum.kernel.errors import Invalid, NotFound, TooLarge
from continuum.kernel.ids import uuid7

ROLES = frozenset({"clinician", "dentist", "medic", "nurse", "physician"})
"""Roles that answer messages: those who see and write the record of their facility's patients."""


@dataclass(frozen=True, slots=True)
class Away:
    """A time away. cover_id: who stands in; "" for the team. Instants in microseconds."""

    away_id: str
    account_id: str
    cover_id: str
    facility_id: str
    starts_us: int
    ends_us: int


@dataclass(frozen=True, slots=True)
class Template:
    """Words that answers begin with."""

    template_id: str
    title: str
    text: str


def instant_us(moment: datetime) -> int:
    """Microseconds since 1970."""
    return int(moment.timestamp() * 1_000_000)


class Coverage:
    """Times away at all facilities, and templates."""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def of(self, account_id: str) -> list[Away]:
        """Times away of an account that are not over, in order."""
        return await self._found(
            "account_id = $1 AND ends_us > $2 ORDER BY starts_us LIMIT $3", account_id, self._access.clock(), AWAY_MAX
        )

    async def covered_by(self, account_id: str) -> list[Away]:
        """Those away now for whom an account stands in."""
        now = self._access.clock()
        return await self._found(
            "cover_id = $1 AND ends_us > $2 AND starts_us <= $2 LIMIT $3", account_id, now, STAFF_MAX
        )

    async def at(self, facility_id: str) -> list[Away]:
        """Those away now at a facility."""
        now = self._access.clock()
        return await self._found(
            "facility_id = $1 AND ends_us > $2 AND starts_us <= $2 LIMIT $3", facility_id, now, STAFF_MAX
        )

    async def _found(self, criteria: str, *values: object) -> list[Away]:
        async with self._access.connect() as conn:
            rows = await conn.fetch(
                "SELECT away_id, account_id, coalesce(cover_id, '') AS cover_id, facility_id, starts_us, ends_us"
                f" FROM messages.away WHERE {criteria}",
                *values,
            )  # fmt: skip
        return [Away(*row) for row in rows]

    async def add(self, away: Away) -> None:
        """Plans a time away. Raises Invalid, TooLarge."""
        if away.ends_us <= max(away.starts_us, self._access.clock()):
            raise Invalid(N_("The last day is over, or before the first one."))
        if away.cover_id == away.account_id:
            raise Invalid(N_("Somebody else has to stand in for you."))
        if len(await self.of(away.account_id)) >= AWAY_MAX:
            raise TooLarge(N_("These are as many times away as can be planned."))
        async with self._access.connect() as conn:
            await conn.fetch(
                "INSERT INTO messages.away VALUES ($1, $2, nullif($3, ''), $4, $5, $6)",
                away.away_id, away.account_id, away.cover_id, away.facility_id, away.starts_us, away.ends_us,
            )  # fmt: skip

    async def remove(self, account_id: str, away_id: str) -> None:
        """Forgets a time away: somebody is back, or stays. Raises NotFound."""
        async with self._access.connect() as conn:
            rows = await conn.fetch(
                "DELETE FROM messages.away WHERE account_id = $1 AND away_id = $2 RETURNING away_id",
                account_id, away_id,
            )  # fmt: skip
        if not rows:
            raise NotFound(N_("There is no such time away."))

    async def templates(self, facility_id: str) -> list[Template]:
        """The templates of a facility, by title."""
        async with self._access.connect() as conn:
            rows = await conn.fetch(
                "SELECT template_id, title, text FROM messages.template WHERE facility_id = $1 ORDER BY title LIMIT $2",
                facility_id, TEMPLATES_MAX,
            )  # fmt: skip
        return [Template(*row) for row in rows]

    async def add_template(self, facility_id: str, title: str, text: str) -> None:
        """Keeps a template. Raises Invalid, TooLarge."""
        if not title or not text or len(title) > SUBJECT_MAX_CHARS or len(text) > 4 * NOTE_MAX_CHARS:
            raise Invalid(N_("A template has a title of 120 characters at most, and a text of 4000."))
        async with self._access.connect() as conn:
            rows = await conn.fetch(
                "INSERT INTO messages.template SELECT $1, $2, $3, $4, $5"
                " WHERE (SELECT count(*) FROM messages.template WHERE facility_id = $2) < $6 RETURNING template_id",
                uuid7(), facility_id, title, text, self._access.clock(), TEMPLATES_MAX,
            )  # fmt: skip
        if not rows:
            raise TooLarge(N_("There are as many templates as there can be. Please remove one first."))

    async def remove_template(self, facility_id: str, template_id: str) -> None:
        """Removes a template."""
        async with self._access.connect() as conn:
            await conn.fetch(
                "DELETE FROM messages.template WHERE facility_id = $1 AND template_id = $2", facility_id, template_id
            )
