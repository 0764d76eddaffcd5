"""What comes in: every row is decided before anything is written, so that a rehearsal is the same without the writing.

A row that says what it said last changes nothing. One that says something new is taken on, unless both sides changed:
that is a clash, which a person settles. Nothing is deleted, and nothing is doubled: origins are unique.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from continuum.access import Session
from continuum.access.claims import Claims
from continuum.chart.entry import N_
from continuum.chart.reading import DOD_ID
from continuum.clinical.messaging.reading import body
from continuum.interop.cutover import conversations, report, visits
from continuum.interop.cutover.conversations import Talks
from continuum.interop.cutover.form import Content, Row, written
from continuum.interop.cutover.outgoing import travelling
from continuum.interop.cutover.report import IMPORT, REHEARSAL, Report
from continuum.interop.cutover.status import Facility
from continuum.interop.cutover.visits import Visits
from continuum.kernel.errors import DomainError, Invalid

_LOOKED_UP = 50
NO_NUMBER = N_("no DoD ID")
NOBODY = N_("nobody here has this DoD ID")
SEVERAL = N_("several people here have this DoD ID")
OTHER_BIRTHDAY = N_("the person with this DoD ID was born on another day")


@dataclass(frozen=True, slots=True)
class Run:
    """How a file is gone through.

    by: a name for the report. write: False rehearses. given: patients by a person's key, as somebody has matched them.
    """

    by: str
    file: str
    write: bool
    given: Mapping[str, str]


class Incoming:
    """Files for one facility. session: of an administrator or of the server."""

    def __init__(self, session: Session, claims: Claims, facility: Facility, now: datetime) -> None:
        self._session, self._facility, self._now = session, facility, now
        self._visits = Visits(session, claims, facility.id, now)
        self._talks = Talks(session, facility, now)

    async def take(self, content: Content, run: Run) -> Report:
        """Imports, or rehearses, a file that was read; keeps its report.

        Raises:
            Invalid: the file is for another facility.
        """
        self._ours(content)
        found = Report(IMPORT if run.write else REHEARSAL, self._facility.id, self._now, run.by, run.file,
                       content.sha256)  # fmt: skip
        for one in content.rejects:
            found.rejected(one.line, one.reason)
        people = await self._matched(content, run.given)
        for key, (line, person) in content.people.items():
            found.counts["people"] += 1
            patient_id, reason = people[key]
            try:
                if patient_id:
                    found.counts["matched"] += 1
                    await self._person(content, key, patient_id, found, write=run.write)
                else:
                    found.counts["unmatched"] += 1
                    await self._kept(content, person, write=run.write)
            except DomainError as refusal:
                found.rejected(line, str(refusal))
            if not patient_id:
                found.clashes.append((person["key"], reason))
        await report.keep(self._session, found)
        return found

    def _ours(self, content: Content) -> None:
        known = {self._facility.id} | {str(one.get("value")) for one in self._facility.resource.get("identifier", ())}
        if str(content.facility.get("id", "")) not in known:
            name = str(content.facility.get("name") or content.facility.get("id", ""))
            raise Invalid(f"This file is for {name[:100] or 'no facility'}, not for {self._facility.name}.")

    async def _matched(self, content: Content, given: Mapping[str, str]) -> dict[str, tuple[str, str]]:
        """Patient id and "", or "" and why, by the key of a person."""
        numbers = [row["dod_id"] for _, row in content.people.values() if row["dod_id"]]
        known: dict[str, list[tuple[str, str]]] = {}
        for begin in range(0, len(numbers), _LOOKED_UP):
            wanted = set(numbers[begin : begin + _LOOKED_UP])
            tokens = ",".join(quote(f"{DOD_ID}|{one}", safe="") for one in sorted(wanted))
            page = await self._session.search(self._session.parse("Patient", f"identifier={tokens}&_count=200"))
            for stored in page.matches:
                patient = body(stored)
                for one in patient.get("identifier", ()):
                    if one.get("system") == DOD_ID and one.get("value") in wanted:
                        born = str(patient.get("birthDate", ""))
                        known.setdefault(str(one["value"]), []).append((stored.id, born))
        found = {}
        for key, (_, row) in content.people.items():
            found[key] = (given[key], "") if key in given else _match(row, known)
        return found

    async def _person(self, content: Content, key: str, patient_id: str, found: Report, *, write: bool) -> None:
        there = await travelling(self._session, patient_id)
        for line, row in content.appointments:
            if row["person"] == key:
                await self._one(line, row, found, self._visits.take(row, there, found, write=write))
        for line, row in content.threads:
            if row["person"] == key:
                await self._one(line, row, found, self._talks.take(row, there, write=write))

    @staticmethod
    async def _one(line: int, row: Row, found: Report, taking: "visits.Taking | conversations.Taking") -> None:
        """A row that fails costs itself, not the others."""
        try:
            what, reason = await taking
        except DomainError as refusal:
            found.rejected(line, str(refusal))
            return
        if what == "clash":
            found.clash(row["origin"], reason)
        else:
            found.counts[what] += 1

    async def _kept(self, content: Content, person: Row, *, write: bool) -> None:
        if not write:
            return
        appointments, threads = content.of(person["key"])
        facility = {name: str(value) for name, value in content.facility.items()}
        # The instant is the report's alone: the same file again makes the same bytes.
        lines: Sequence[bytes] = list(
            written(facility, content.system, datetime.fromtimestamp(0, UTC), [(person, appointments, threads)])
        )
        await report.keep_unmatched(self._session, self._facility.id, self._now, (content.system, person["key"]), lines)


def _match(row: Row, known: Mapping[str, list[tuple[str, str]]]) -> tuple[str, str]:
    if not row["dod_id"]:
        return "", NO_NUMBER
    found = known.get(row["dod_id"], [])
    if len(found) != 1:
        return "", SEVERAL if found else NOBODY
    patient_id, born = found[0]
    return (patient_id, "") if born == row["born"] else ("", OTHER_BIRTHDAY)
