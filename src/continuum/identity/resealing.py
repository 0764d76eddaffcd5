"""A new key in the place of the one that seals what only people have: all of it is sealed anew, in one transaction.

What is only known by a keyed digest cannot be carried over, because nobody has the text any more: recovery codes, the
codes of letters that are printed, and the count of failed attempts. Those are void, and their holders are told.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from continuum.identity.factors.recovery import recovery_digest
from continuum.identity.limits import ACTIVATION_AGAIN_S, RESEALED_AT_ONCE
from continuum.identity.posting import RECOVERY, activation_digest
from continuum.identity.vault import SealBroken, Vault
from continuum.kernel.ids import uuid7
from continuum.record.read import Connection


@dataclass(frozen=True, slots=True)
class Sealed:
    """A column of a table that holds what is sealed. keys: the primary key; a seal is bound to `place/key/key`."""

    table: str
    column: str
    keys: tuple[str, ...]
    place: str

    def row(self, keys: Sequence[str]) -> str:
        """What the seal of a row is bound to."""
        return "/".join((self.place, *keys))


OWN = (
    Sealed("identity.authenticator_app", "sealed_seed", ("factor_id",), "authenticator_app"),
    Sealed("identity.signing_key", "sealed_key", ("key_id",), "signing_key"),
    Sealed("identity.activation", "sealed_code", ("activation_id",), "activation"),
)
"""What sign-on keeps sealed."""
_TOLD = "Your recovery codes are void, because a key of this system was changed. Please make new ones."


@dataclass(frozen=True, slots=True)
class Resealed:
    """How many values were sealed anew, how many no key opened, so that they are gone; accounts without codes."""

    resealed: int
    gone: int
    without_codes: int


async def reseal(
    conn: Connection, places: Sequence[Sealed], old: Vault | None, new: Vault, now: int
) -> Resealed:  # fmt: skip
    """Seals everything anew, in the caller's transaction; what the new key opens already is left as it is.

    old: None where the key is lost; what it sealed is then removed.

    Raises:
        SealBroken: neither key opens a value, and the old one is not said to be lost.
    """
    done = gone = 0
    codes: list[tuple[str, str]] = []
    for place in places:
        last: tuple[str, ...] = ("",) * len(place.keys)
        while rows := await _batch(conn, place, last):
            last = tuple(rows[-1][name] for name in place.keys)
            kept: list[tuple[tuple[str, ...], bytes]] = []
            lost: list[tuple[str, ...]] = []
            for row in rows:
                keys = tuple(row[name] for name in place.keys)
                plain = _opened(row[place.column], place.row(keys), old, new)
                if plain is None:
                    lost.append(keys)
                    continue
                kept.append((keys, new.seal(plain, place.row(keys))))
                if place.table == "identity.activation":
                    codes.append((keys[0], plain.decode()))
            await _put(conn, place, kept)
            await _remove(conn, place, lost)
            done, gone = done + len(kept), gone + len(lost)
    without = await _void(conn, now)
    await _letters(conn, new, codes)
    return Resealed(done, gone, without)


async def _batch(conn: Connection, place: Sealed, last: tuple[str, ...]) -> list[dict[str, Any]]:
    columns, marks = ", ".join(place.keys), ", ".join(f"${number}" for number in range(1, len(last) + 1))
    rows = await conn.fetch(
        f"SELECT {columns}, {place.column} FROM {place.table} WHERE {place.column} IS NOT NULL"
        f" AND ({columns}) > ({marks}) ORDER BY {columns} LIMIT {RESEALED_AT_ONCE}",
        *last,
    )
    return [dict(row) for row in rows]


def _opened(sealed: bytes, row: str, old: Vault | None, new: Vault) -> bytes | None:
    """The text; None for one whose key is lost. Raises SealBroken."""
    try:
        return new.unseal(sealed, row)
    except SealBroken:
        if old is None:
            return None
    return old.unseal(sealed, row)


async def _put(conn: Connection, place: Sealed, kept: Sequence[tuple[tuple[str, ...], bytes]]) -> None:
    if kept:
        given, same = _given(place)
        await conn.fetch(
            f"UPDATE {place.table} t SET {place.column} = g.sealed FROM {given[:-1]}, ${len(place.keys) + 1}::bytea[])"
            f" AS g({', '.join(place.keys)}, sealed) WHERE {same}",
            *map(list, zip(*(keys for keys, _ in kept), strict=True)), [sealed for _, sealed in kept],
        )  # fmt: skip


async def _remove(conn: Connection, place: Sealed, lost: Sequence[tuple[str, ...]]) -> None:
    if lost:
        given, same = _given(place)
        await conn.fetch(
            f"DELETE FROM {place.table} t USING {given} AS g({', '.join(place.keys)}) WHERE {same}",
            *map(list, zip(*lost, strict=True)),
        )


def _given(place: Sealed) -> tuple[str, str]:
    arrays = ", ".join(f"${number}::text[]" for number in range(1, len(place.keys) + 1))
    return f"unnest({arrays})", " AND ".join(f"t.{name} = g.{name}" for name in place.keys)


async def _void(conn: Connection, now: int) -> int:
    """Takes away what the new key cannot know again, and tells the holders; how many accounts have lost codes."""
    rows = await conn.fetch(
        "WITH gone AS (DELETE FROM identity.recovery_code RETURNING account_id) SELECT DISTINCT account_id FROM gone"
    )
    await conn.fetch(
        "INSERT INTO identity.notice (notice_id, account_id, at_us, text) SELECT *, $3, $4"
        " FROM unnest($1::text[], $2::text[])",
        [uuid7() for _ in rows], [row["account_id"] for row in rows], now, _TOLD,
    )  # fmt: skip
    # Whoever waits for a letter that was printed may ask for another at once.
    await conn.fetch(
        "UPDATE identity.activation SET expires_us = least(expires_us, $1), asked_us = asked_us - $2"
        " WHERE printed_us IS NOT NULL AND used_us IS NULL AND expires_us > $1",
        now, ACTIVATION_AGAIN_S * 1_000_000,
    )  # fmt: skip
    await conn.fetch("DELETE FROM identity.attempt")
    return len(rows)


async def _letters(conn: Connection, new: Vault, codes: Sequence[tuple[str, str]]) -> None:
    """The codes of letters that nobody has printed yet are good as they are."""
    for letter_id, code in codes:
        row = await conn.fetchrow(
            "SELECT account_id, kind, expires_us FROM identity.activation WHERE activation_id = $1", letter_id
        )
        account_id = row["account_id"]
        await conn.fetch(
            "UPDATE identity.activation SET code_digest = $2 WHERE activation_id = $1",
            letter_id, activation_digest(new, account_id, code),
        )  # fmt: skip
        if row["kind"] == RECOVERY:
            await conn.fetch(
                "INSERT INTO identity.recovery_code (account_id, code_digest, expires_us) VALUES ($1, $2, $3)",
                account_id, recovery_digest(new, account_id, code), row["expires_us"],
            )  # fmt: skip
