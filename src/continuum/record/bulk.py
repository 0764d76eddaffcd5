"""Loading many resources at once: COPY into every table, all indexes in place, ids kept (decision 6).

Unlike a REST write, a chunk may refer to what comes later; such references are noted and checked at the end.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from continuum.fhir.types import TYPE_IDS, TYPE_NAMES
from continuum.record import claims, copying
from continuum.record.body import compress, decompress
from continuum.record.entry import Prepared
from continuum.record.keys import Keys
from continuum.record.marks import file_marks
from continuum.record.read import Connection
from continuum.record.relations import INSERT_RELATIONS
from continuum.record.units import file_units
from continuum.record.write import AuditRow, Change, RowIds, lock, write, write_audits


class CopyConnection(Connection, Protocol):
    """A connection that can also COPY: asyncpg's own."""

    async def copy_to_table(
        self,
        table_name: str,
        *,
        schema_name: str,
        columns: Sequence[str],
        source: AsyncIterator[bytes],
        format: str,  # noqa: A002  asyncpg's name
    ) -> str:
        """COPY … FROM STDIN of bytes that are in the format already."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a chunk became: new resources, new versions of present ones, and equal ones that were left alone."""

    written: int
    updated: int
    equal: int


class Loader:
    """Loads chunks through one connection."""

    def __init__(self, conn: CopyConnection, clock: Callable[[], int]) -> None:
        self._conn = conn
        self._clock = clock
        self._row_ids = RowIds()
        self._all_new = False
        """Whether the chunk before was all new: then the next probably is, and COPY itself says if not."""

    async def is_done(self, source: str, chunk: int) -> bool:
        """Whether that chunk was loaded before."""
        found = await self._conn.fetchrow(
            "SELECT 1 FROM record.import_chunk WHERE source = $1 AND chunk = $2", source, chunk
        )
        return found is not None

    async def load(
        self, chunk: Sequence[Prepared], *, source: str, number: int, rejected: int, audit: AuditRow
    ) -> Loaded:
        """Writes one chunk, its index rows, its audit row and the note that it is done, in one transaction.

        Of several resources with one address the last one counts, as if they had come one after another.

        Raises:
            asyncpg.PostgresError: one of RETRY_STATES when somebody else wrote one of them at the same moment, or when
                one is present against expectation: load it again.
        """
        latest = {(prepared.type_id, prepared.id): prepared for prepared in chunk}
        expected, self._all_new = self._all_new, False
        async with self._conn.transaction():
            now_us = self._clock()
            present = {} if expected else await lock(self._conn, latest)
            fresh = [prepared for address, prepared in latest.items() if address not in present]
            changed = []
            for address, there in present.items():
                prepared = latest[address]
                if there.body is None or decompress(there.body) != prepared.tail:
                    changed.append(Change(prepared=prepared, present=there, now_us=now_us))
            await self._copy(fresh, now_us)
            # An import may refer to what comes later, so its links are noted here instead of being enforced.
            await self._note_links(latest)
            if changed:
                for change in changed:
                    if change.prepared is not None:
                        change.prepared.links = []
                await write(self._conn, changed, row_ids=self._row_ids)
                await claims.note(self._conn, [(c.row_id, c.prepared) for c in changed if c.prepared is not None])
            await write_audits(self._conn, [audit])
            await self._conn.execute(
                "INSERT INTO record.import_chunk VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (source, chunk)"
                " DO UPDATE SET written = excluded.written, updated = excluded.updated,"
                " equal = excluded.equal, rejected = excluded.rejected",
                source, number, len(fresh), len(changed), len(present) - len(changed), rejected,
            )  # fmt: skip
        self._all_new = not present
        return Loaded(len(fresh), len(changed), len(present) - len(changed))

    async def _copy(self, fresh: Sequence[Prepared], now_us: int) -> None:
        row_ids = await self._row_ids.take(self._conn, len(fresh))
        rows = list(zip(row_ids, fresh, strict=True))
        await file_units(self._conn, fresh, self._row_ids.units)
        await file_marks(self._conn, fresh, self._row_ids.marks)
        tables = {
            "search": [copying.search_row(row_id, p, now_us) for row_id, p in rows],
            "string": [copying.string_row(row_id, row) for row_id, p in rows for row in p.strings],
            "date": [copying.date_row(row_id, row) for row_id, p in rows for row in p.dates],
            "quantity": [copying.quantity_row(row_id, row) for row_id, p in rows for row in p.quantities],
        }
        if rows:
            # Behind row-level security there is no COPY into a table.
            await self._conn.execute(_INSERT_RESOURCES, *zip(*(_resource(*row, now_us) for row in rows), strict=True))
        for table, encoded in tables.items():
            if encoded:
                await self._conn.copy_to_table(
                    table, schema_name="record", columns=copying.COLUMNS[table], format="binary",
                    source=copying.stream(encoded),
                )  # fmt: skip
        if rows:
            await self._conn.execute(
                "INSERT INTO record.outbox (types, row_ids, versions) VALUES ($1, $2, $3)",
                [p.type_id for p in fresh],
                row_ids,
                [1] * len(rows),
            )
        ties = [
            (row_id, p.patient, *one.row(now_us)) for row_id, p in rows for one in p.relations if not one.over(now_us)
        ]
        if ties:
            await self._conn.execute(INSERT_RELATIONS, *(list(column) for column in zip(*ties, strict=True)))
        await claims.note(self._conn, rows)

    async def _note_links(self, latest: dict[tuple[int, str], Prepared]) -> None:
        referring: dict[str, list[Prepared]] = {}
        for prepared in latest.values():
            for target in prepared.links:
                referring.setdefault(target, []).append(prepared)
        # Hundreds refer to the same few organisations and practitioners: each is looked for once.
        targets = [(TYPE_IDS[kind], one) for kind, _, one in (target.partition("/") for target in referring)]
        outside = sorted(target for target in targets if target not in latest)
        absent = await self._conn.fetch(
            """
            SELECT l.type, l.id FROM unnest($1::smallint[], $2::text[]) AS l(type, id)
            WHERE NOT EXISTS (SELECT 1 FROM record.resource r WHERE r.type = l.type AND r.id = l.id AND NOT r.deleted)
            """,
            [target[0] for target in outside],
            [target[1] for target in outside],
        )
        wanted = sorted(
            (type_id, resource_id, prepared.type_id, prepared.id)
            for type_id, resource_id in absent
            for prepared in referring[f"{TYPE_NAMES[type_id]}/{resource_id}"]
        )
        if wanted:
            await self._conn.execute(
                "INSERT INTO record.import_link"
                " SELECT * FROM unnest($1::smallint[], $2::text[], $3::smallint[], $4::text[]) ON CONFLICT DO NOTHING",
                *(list(column) for column in zip(*wanted, strict=True)),
            )


_INSERT_RESOURCES = (
    "INSERT INTO record.resource (row_id, type, id, version, updated, labels, patient, patient_id, body)"
    " SELECT r.row_id, r.type, r.id, 1, r.updated, r.labels, r.patient, r.patient_id, r.body FROM"
    " unnest($1::bigint[], $2::smallint[], $3::text[], $4::bigint[], $5::integer[], $6::bigint[], $7::text[],"
    " $8::bytea[]) AS r(row_id, type, id, updated, labels, patient, patient_id, body)"
)


def _resource(row_id: int, new: Prepared, now_us: int) -> tuple[object, ...]:
    """A row of record.resource in its first version, as _INSERT_RESOURCES takes it."""
    return row_id, new.type_id, new.id, now_us, new.labels, new.patient, new.patient_id, compress(new.tail)


async def dangling(conn: Connection, keys: Keys, limit: int) -> list[tuple[str, str]]:
    """After an import: (source, target) of references that still name nothing, at most `limit`; settled ones go."""
    await conn.execute(
        """
        DELETE FROM record.import_link l USING record.resource r
        WHERE r.type = l.target_type AND r.id = l.target_id AND NOT r.deleted
        """
    )
    while True:
        rows = await conn.fetch("SELECT * FROM record.import_link ORDER BY 1, 2, 3, 4 LIMIT $1", limit)
        found = [
            (
                f"{TYPE_NAMES[row['source_type']]}/{row['source_id']}",
                f"{TYPE_NAMES[row['target_type']]}/{row['target_id']}",
            )
            for row in rows
        ]
        columns = [[row[name] for row in rows] for name in ("source_type", "source_id", "target_type", "target_id")]
        # A source that was changed or deleted since may no longer refer to it.
        settled = await conn.fetch(
            """
            DELETE FROM record.import_link l
            USING unnest($1::smallint[], $2::text[], $3::smallint[], $4::text[], $5::bigint[])
              AS g(source_type, source_id, target_type, target_id, key)
            WHERE l.source_type = g.source_type AND l.source_id = g.source_id
              AND l.target_type = g.target_type AND l.target_id = g.target_id
              AND NOT EXISTS (
                SELECT 1 FROM record.resource r JOIN record.search s USING (row_id)
                WHERE r.type = g.source_type AND r.id = g.source_id AND s.keys @> ARRAY[g.key])
            RETURNING 1
            """,
            *columns,
            [keys.address(target) for _, target in found],
        )
        if not settled:
            return found
