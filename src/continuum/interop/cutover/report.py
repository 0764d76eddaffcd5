"""What an import or a rehearsal found, kept in the record; and the people whom nobody has matched yet.

Both are Bundles, which only administrators may read (access/classes.py `unfiled`): they name people.
"""

from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

import orjson

from continuum.access import Session
from continuum.chart.reading import LOCAL
from continuum.clinical.messaging.reading import body
from continuum.fhir.json import dump, parse
from continuum.interop.cutover.form import MEDIA_TYPE, Reject
from continuum.interop.cutover.limits import REJECTS_KEPT_MAX, REPORTS_SHOWN_MAX, UNMATCHED_SHOWN_MAX
from continuum.kernel.ids import uuid7

Resource = dict[str, Any]
REPORT, UNMATCHED = f"{LOCAL}cutover-report", f"{LOCAL}cutover-unmatched"
IMPORT, REHEARSAL, TOLD = "import", "rehearsal", "told"
COUNTED = ("people", "matched", "unmatched", "new", "changed", "equal", "clashes", "rejected", "without_time", "left")
"""What is counted: people of the file, and rows by what became of them."""


@dataclass(slots=True)
class Report:
    """What became of a file. clashes: (origin, reason). by: a name. file: as it was called."""

    kind: str
    facility_id: str
    at: datetime
    by: str
    file: str = ""
    sha256: str = ""
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTED, 0))
    rejects: list[Reject] = field(default_factory=list)
    clashes: list[tuple[str, str]] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether nothing was rejected, unmatched or in conflict."""
        return not any(self.counts[name] for name in ("rejected", "unmatched", "clashes"))

    def rejected(self, line: int, reason: str) -> None:
        """One more row that could not be taken."""
        self.counts["rejected"] += 1
        if len(self.rejects) < REJECTS_KEPT_MAX:
            self.rejects.append(Reject(line, reason))

    def clash(self, origin: Mapping[str, str], reason: str) -> None:
        """One more row that a person has to settle."""
        self.counts["clashes"] += 1
        if len(self.clashes) < REJECTS_KEPT_MAX:
            self.clashes.append((origin["key"], reason))


async def keep(session: Session, report: Report) -> None:
    """Keeps a report in the record."""
    text = orjson.dumps({
        "kind": report.kind, "at": report.at.isoformat(), "by": report.by, "file": report.file,
        "sha256": report.sha256, "counts": report.counts,
        "rejects": [[one.line, one.reason] for one in report.rejects], "clashes": report.clashes,
    })  # fmt: skip
    await session.update(parse(dump(_bundle(uuid7(), REPORT, report.facility_id, report.at, "application/json", text))))


def _bundle(name: str, system: str, facility_id: str, at: datetime, media_type: str, data: bytes) -> Resource:
    return {
        "resourceType": "Bundle", "id": name, "type": "collection", "timestamp": at.isoformat(),
        "identifier": {"system": system, "value": facility_id},
        "entry": [{
            "fullUrl": f"urn:uuid:{uuid5(NAMESPACE_URL, name)}",
            "resource": {"resourceType": "Binary", "contentType": media_type, "data": b64encode(data).decode()},
        }],
    }  # fmt: skip


def _data(bundle: Mapping[str, Any]) -> bytes:
    return b64decode(bundle["entry"][0]["resource"]["data"])


async def _of(session: Session, system: str, facility_id: str, count: int) -> list[Resource]:
    token = quote(f"{system}|{facility_id}", safe="")
    page = await session.search(session.parse("Bundle", f"identifier={token}&_sort=-timestamp&_count={count}"))
    return [body(one) for one in page.matches]


async def reports(session: Session, facility_id: str) -> list[Report]:
    """The latest reports of a facility, newest first."""
    return [_read(facility_id, one) for one in await _of(session, REPORT, facility_id, REPORTS_SHOWN_MAX)]


def _read(facility_id: str, bundle: Resource) -> Report:
    said = orjson.loads(_data(bundle))
    return Report(
        said["kind"], facility_id, datetime.fromisoformat(said["at"]), said["by"], said["file"], said["sha256"],
        {**dict.fromkeys(COUNTED, 0), **said["counts"]}, [Reject(*one) for one in said["rejects"]],
        [(one[0], one[1]) for one in said["clashes"]],
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Unmatched:
    """Somebody of a file whom nobody has matched. data: a file of this person alone."""

    id: str
    at: datetime
    person: Mapping[str, Any]
    rows: int
    data: bytes


async def unmatched(session: Session, facility_id: str) -> list[Unmatched]:
    """Who waits to be matched, at most UNMATCHED_SHOWN_MAX."""
    found = await _of(session, UNMATCHED, facility_id, UNMATCHED_SHOWN_MAX)
    return [_waiting(one) for one in found]


def _waiting(bundle: Resource) -> Unmatched:
    data = _data(bundle)
    lines = data.splitlines()
    at = datetime.fromisoformat(bundle["timestamp"])
    return Unmatched(str(bundle["id"]), at, orjson.loads(lines[1]), len(lines) - 3, data)


async def keep_unmatched(
    session: Session, facility_id: str, at: datetime, key: tuple[str, str], lines: Sequence[bytes]
) -> None:
    """Keeps all that belongs to somebody unmatched; the same again is the same Bundle. key: system and person."""
    name = str(uuid5(NAMESPACE_URL, f"{UNMATCHED}/{facility_id}/{key[0]}/{key[1]}"))
    data = b"".join(lines)
    there = await _of(session, UNMATCHED, facility_id, UNMATCHED_SHOWN_MAX)
    if any(one["id"] == name and _data(one) == data for one in there):
        return
    await session.update(parse(dump(_bundle(name, UNMATCHED, facility_id, at, MEDIA_TYPE, data))))


async def settled(session: Session, unmatched_id: str) -> None:
    """Nobody waits there any more; what it was stays in its history."""
    await session.delete("Bundle", unmatched_id)
