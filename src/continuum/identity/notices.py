"""What people are told by mail: that there is something for them, and never what it is."""

from dataclasses import dataclass
from datetime import date

from continuum.identity.limits import (
    NOTICE_ADDRESSES_MAX,
    NOTICE_KEPT_DAYS,
    NOTICE_TRIES_MAX,
    NOTICE_WAIT_S,
    NOTICE_WORDS_MAX_CHARS,
)
from continuum.record.read import Connection

_DAY_US = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Notice:
    """One that is due. about: what the kind speaks of. words: a day and an hour, or nothing."""

    notice_id: int
    kind: str
    about: str
    patient_id: str
    words: str
    tries: int


async def queue(conn: Connection, kind: str, about: str, *, patient_id: str, due_us: int, words: str = "") -> None:
    """Notes that somebody is to be told; what was noted before is not told again."""
    await conn.execute(
        "INSERT INTO identity.letter (kind, about, patient_id, words, due_us) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT (kind, about) DO NOTHING",
        kind, about, patient_id, words[:NOTICE_WORDS_MAX_CHARS], due_us,
    )  # fmt: skip


async def take(conn: Connection, now_us: int, count: int) -> list[Notice]:
    """Takes what is due to send it: nobody else has it until it has had its time; each time its wait is longer.

    A worker that dies with it has tried once; whoever comes next tries again.
    """
    rows = await conn.fetch(
        """
        UPDATE identity.letter n SET tries = n.tries + 1, due_us = $1 + ($3::bigint << n.tries)
        FROM (SELECT notice_id FROM identity.letter WHERE done_us IS NULL AND due_us <= $1
              ORDER BY due_us LIMIT $2 FOR UPDATE SKIP LOCKED) due
        WHERE n.notice_id = due.notice_id
        RETURNING n.notice_id, n.kind, n.about, n.patient_id, n.words, n.tries
        """,
        now_us, count, int(NOTICE_WAIT_S * 1_000_000),
    )  # fmt: skip
    return [Notice(*row) for row in rows]


async def done(conn: Connection, notice: Notice, now_us: int) -> None:
    """It was sent, or need not be sent any more."""
    await conn.execute("UPDATE identity.letter SET done_us = $2 WHERE notice_id = $1", notice.notice_id, now_us)


async def failed(conn: Connection, notice: Notice, now_us: int) -> bool:
    """It was not taken; whether it is given up now."""
    if notice.tries < NOTICE_TRIES_MAX:
        return False
    await done(conn, notice, now_us)
    return True


async def swept(conn: Connection, now_us: int) -> None:
    """Forgets what was done long ago."""
    await conn.execute("DELETE FROM identity.letter WHERE done_us < $1", now_us - NOTICE_KEPT_DAYS * _DAY_US)


async def addresses(conn: Connection, patient_id: str, today: date) -> list[str]:
    """Where a person is told: at the account's address or the registry's; of a child, those in whose care it is."""
    rows = await conn.fetch(_ADDRESSES, patient_id, today, NOTICE_ADDRESSES_MAX)
    return [str(row["email"]) for row in rows]


_ADDRESSES = """
WITH own AS (
  SELECT person_id, born > ($2::date - interval '18 years') AS minor FROM identity.person WHERE patient_id = $1
), sponsor AS (
  SELECT s.sponsor_id AS person_id FROM identity.sponsorship s JOIN own ON s.dependent_id = own.person_id
   WHERE own.minor AND s.starts <= $2 AND (s.ends IS NULL OR s.ends >= $2)
), told AS (
  SELECT person_id FROM own WHERE NOT minor
  UNION SELECT person_id FROM sponsor
  UNION SELECT s.dependent_id FROM identity.sponsorship s JOIN sponsor ON s.sponsor_id = sponsor.person_id
   WHERE s.relation = 'spouse' AND s.starts <= $2 AND (s.ends IS NULL OR s.ends >= $2)
)
SELECT DISTINCT coalesce(a.email, p.email) AS email
FROM told JOIN identity.person p USING (person_id) LEFT JOIN identity.account a ON a.person_id = p.person_id
WHERE coalesce(a.email, p.email) IS NOT NULL AND p.died IS NULL
ORDER BY 1 LIMIT $3
"""
