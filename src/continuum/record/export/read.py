"""Reads one piece of an export into files, at memory that does not grow with it.

Stored bodies are put together without their JSON being read, unless parts of them are to be left out.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from continuum.fhir.json import dump
from continuum.fhir.types import TYPE_NAMES
from continuum.kernel.errors import Issue
from continuum.kernel.limits import BULK_DELETED_IN_BUNDLE, BULK_FETCH_ROWS
from continuum.record.body import decode
from continuum.record.export import statements
from continuum.record.export.files import Files
from continuum.record.export.statements import Reading
from continuum.record.jobs import DELETED, ERROR, OUTPUT, Part
from continuum.record.read import Connection

Show = Callable[[str, bytes], bytes]
"""Makes of a type and the JSON text of a resource the text that is exported."""


class CursorConnection(Connection, Protocol):
    """A connection that can also hand out rows little by little: asyncpg's own."""

    def cursor(self, sql: str, *args: Any, prefetch: int) -> AsyncIterator[Any]:
        """The rows of a statement, `prefetch` of them at a time, within a transaction."""


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
    sql, values = statements.statement(reading, part)
    write, patients = files.write, found.patients
    async with conn.transaction():
        async for row in conn.cursor(sql, *values, prefetch=BULK_FETCH_ROWS):
            row_id, type_id, resource_id, patient_id, version, updated, body = row
            kind = TYPE_NAMES[type_id]
            if body is None:
                body = await _large(conn, row_id, version)
            try:
                text = decode(kind, resource_id, version, updated, body)
                if show is not None:
                    text = show(kind, text)
            except Exception as error:  # noqa: BLE001  whatever is wrong with one body, the others are not to blame
                said = f"{kind}/{resource_id}/_history/{version} could not be read: {type(error).__name__}."
                write(ERROR, "OperationOutcome", outcome_line(Issue("exception", said)))
                continue
            write(OUTPUT, kind, text + b"\n")
            found.resources += 1
            if patient_id is not None:
                patients.add(patient_id)
    return found


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
    entries: list[dict[str, Any]] = []
    async with conn.transaction():
        async for type_id, resource_id, patient_id in conn.cursor(sql, *values, prefetch=BULK_FETCH_ROWS):
            entries.append({"request": {"method": "DELETE", "url": f"{TYPE_NAMES[type_id]}/{resource_id}"}})
            if patient_id is not None:
                found.patients.add(patient_id)
            if len(entries) == BULK_DELETED_IN_BUNDLE:
                files.write(DELETED, "Bundle", _bundle_line(entries))
                entries = []
    if entries:
        files.write(DELETED, "Bundle", _bundle_line(entries))
    return found


def _bundle_line(entries: list[dict[str, Any]]) -> bytes:
    return dump({"resourceType": "Bundle", "type": "transaction", "entry": entries}) + b"\n"


def outcome_line(issue: Issue) -> bytes:
    """One line of the errors of a job."""
    said = {"severity": issue.severity, "code": issue.code, "diagnostics": issue.text}
    return dump({"resourceType": "OperationOutcome", "issue": [said]}) + b"\n"
