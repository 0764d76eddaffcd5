"""Reads one piece of an export into files, at memory that does not grow with it.

Stored bodies are put together without their JSON being read, unless parts of them are to be left out.
"""

from collections import defaultdict
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from continuum.fhir.json import dump
from continuum.fhir.types import TYPE_IDS, TYPE_NAMES
from continuum.kernel.errors import Issue
from continuum.kernel.limits import BULK_BUFFER_BYTES, BULK_DELETED_IN_BUNDLE, BULK_FETCH_ROWS
from continuum.record.body import Decoder
from continuum.record.export import statements
from continuum.record.export.files import Files
from continuum.record.export.statements import Reading
from continuum.record.jobs import DELETED, ERROR, OUTPUT, Part
from continuum.record.read import Connection

Show = Callable[[str, bytes], bytes]
"""Makes of a type and the JSON text of a resource the text that is exported."""


class Cursor(Protocol):
    """An open cursor: asyncpg's own."""

    async def fetch(self, n: int) -> list[Any]:
        """The next rows, at most `n`; none at the end."""


class Opened(Protocol):
    """A cursor that is opened by waiting for it."""

    def __await__(self) -> Generator[Any, None, Cursor]:
        """Opens it."""


class CursorConnection(Connection, Protocol):
    """A connection that can also hand out rows little by little: asyncpg's own."""

    def cursor(self, sql: str, *args: Any) -> Opened:
        """The rows of a statement within a transaction, a batch at a time."""


@dataclass(slots=True)
class Read:
    """What a piece held: how many resources, whose, and what could not be read."""

    resources: int = 0
    patients: set[str] = field(default_factory=set)


async def read_part(
    conn: CursorConnection, reading: Reading, part: Part, files: Files, *, show: Show | None = None
) -> Read:
    """Writes the lines of a piece.

    A stored body that cannot be read is said in the errors of the export, and the others are exported all the same.
    """
    if part.kind == statements.DELETED:
        return await _deleted(conn, reading, part, files)
    found = Read()
    decoder = Decoder(TYPE_IDS)
    sql, values = statements.statement(reading, part)
    async with conn.transaction():
        cursor = await conn.cursor(sql, *values)
        while rows := await cursor.fetch(BULK_FETCH_ROWS):
            for large in [row for row in rows if row["body"] is None]:
                body = await _large(conn, large["row_id"], large["version"])
                _write([(*tuple(large)[:-1], body)], found, files, decoder=decoder, show=show)
            _write(rows, found, files, decoder=decoder, show=show)
    return found


def _write(rows: Sequence[Any], found: Read, files: Files, *, decoder: Decoder, show: Show | None) -> None:
    """The lines of some rows. This is where the time of an export goes: nothing is called twice for a row."""
    whole, patients = decoder.whole, found.patients
    lines: defaultdict[int, list[bytes]] = defaultdict(list)
    gathered = 0
    for _, type_id, resource_id, patient_id, version, updated, body in rows:
        if body is None:
            continue  # it was written by itself
        try:
            text = whole(type_id, resource_id, version, updated, body)
            if show is not None:
                text = show(TYPE_NAMES[type_id], text)
        except Exception as error:  # noqa: BLE001  whatever is wrong with one body, the others are not to blame
            address = f"{TYPE_NAMES[type_id]}/{resource_id}/_history/{version}"
            said = Issue("exception", f"{address} could not be read: {type(error).__name__}.")
            files.write(ERROR, "OperationOutcome", [outcome_line(said).rstrip()])
            continue
        lines[type_id].append(text)
        if patient_id is not None:
            patients.add(patient_id)
        gathered += len(text)
        if gathered >= BULK_BUFFER_BYTES:
            _hand_over(lines, found, files)
            gathered = 0
    _hand_over(lines, found, files)


def _hand_over(lines: dict[int, list[bytes]], found: Read, files: Files) -> None:
    for type_id, texts in lines.items():
        found.resources += len(texts)
        files.write(OUTPUT, TYPE_NAMES[type_id], texts)
    lines.clear()


async def _large(conn: CursorConnection, row_id: int, version: int) -> bytes:
    row = await conn.fetchrow(
        "SELECT body FROM record.resource WHERE row_id = $1 AND version = $2"
        " UNION ALL SELECT body FROM record.history WHERE row_id = $1 AND version = $2",
        row_id,
        version,
    )
    body: bytes = row["body"]
    return body


async def _deleted(conn: CursorConnection, reading: Reading, part: Part, files: Files) -> Read:
    """What was deleted, as transactions that would delete it elsewhere (Bulk Data Access 2.0, `deleted`)."""
    found = Read()
    sql, values = statements.statement(reading, part)
    async with conn.transaction():
        cursor = await conn.cursor(sql, *values)
        while rows := await cursor.fetch(BULK_DELETED_IN_BUNDLE):
            entries = [
                {"request": {"method": "DELETE", "url": f"{TYPE_NAMES[type_id]}/{resource_id}"}}
                for type_id, resource_id, _ in rows
            ]
            found.patients.update(patient_id for _, _, patient_id in rows if patient_id is not None)
            bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
            files.write(DELETED, "Bundle", [dump(bundle)])
    return found


def outcome_line(issue: Issue) -> bytes:
    """One line of the errors of a job, its end included."""
    said = {"severity": issue.severity, "code": issue.code, "diagnostics": issue.text}
    return dump({"resourceType": "OperationOutcome", "issue": [said]}) + b"\n"
