"""The check that runs all the time: no message without somebody who owes the answer, and no promise forgotten.

Each turn looks at a bounded number of threads: those newest, and some more of the rest, where the last turn stopped.
What is found is mended by rule at once: a thread without work gets it, work whose owner is gone goes to its team or to
who stands in, what is overdue rises. Every worker may run it; what two do at once is done once (versions).
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple
from urllib.parse import quote
from zoneinfo import ZoneInfo

from continuum.access import Operation, Page, Session
from continuum.chart.reading import code_of
from continuum.clinical.messaging import model, rules
from continuum.clinical.messaging.limits import (
    ANSWER_WORKING_DAYS,
    MEASURED_DAYS,
    SWEEP_BATCH,
    TEAM_MEMBERS_MAX,
)
from continuum.clinical.messaging.model import (
    ANSWER,
    FOLLOW_UP,
    KIND,
    MESSAGE,
    WORK,
    Asked,
    Resource,
    owner_of,
    patient_of,
    team_of,
)
from continuum.clinical.messaging.promises import promise
from continuum.clinical.messaging.reading import OPEN_STATUSES, body, find, safe, teams_of, token
from continuum.clinical.messaging.rules import Standing, Team
from continuum.clinical.messaging.threads import message
from continuum.clinical.messaging.workflows import changed
from continuum.fhir.json import dump, parse
from continuum.kernel.errors import Conflict, DomainError


class Roster(NamedTuple):
    """The accounts that answer messages at a facility now, and those of them who are away without a cover.

    answering: the Practitioners that those who are not away are in the record, where somebody said so.
    """

    accounts: frozenset[str] = frozenset()
    away: frozenset[str] = frozenset()
    answering: frozenset[str] = frozenset()


Staff = Callable[[str], Awaitable[Roster]]
Zone = Callable[[Session, str], Awaitable[ZoneInfo]]
_GONE_BY = 412


@dataclass(frozen=True, slots=True)
class Looked:
    """What one turn found and mended. threads, tasks: how many were looked at."""

    threads: int = 0
    tasks: int = 0
    without_work: int = 0
    without_owner: int = 0
    risen: int = 0
    overdue: int = 0
    failed: int = 0


class Keeper:
    """One per worker: where the last turn stopped, and what was found."""

    def __init__(self, session: Callable[[], Session], staff: Staff, zone: Zone) -> None:
        self._session, self._staff, self._zone = session, staff, zone
        self._threads_from = self._tasks_from = ""
        self._teams: dict[str, Team | None] = {}
        self.latest = Looked()

    async def turn(self, now: datetime) -> Looked:
        """Looks at the newest threads, some of the rest, and some of the open work."""
        there: dict[str, Standing] = {}
        self._teams.clear()
        newest = f"category={token(KIND, MESSAGE)}&part-of:missing=true&_sort=-sent&_count={SWEEP_BATCH}"
        threads = lost = failed = 0
        page = await self._page("Communication", f"{newest}&_revinclude=Task:focus", "")
        seen, found, bad = await self._work_of(page, now, there)
        threads, lost, failed = threads + seen, lost + found, failed + bad
        if page.next_cursor:
            page = await self._page("Communication", f"{newest}&_revinclude=Task:focus",
                                    self._threads_from or page.next_cursor)  # fmt: skip
            seen, found, bad = await self._work_of(page, now, there)
            threads, lost, failed = threads + seen, lost + found, failed + bad
            self._threads_from = page.next_cursor
        kinds = f"{token(WORK, ANSWER)},{token(WORK, FOLLOW_UP)}"
        open_work = f"code={kinds}&status={OPEN_STATUSES}&_sort=authored-on&_count={SWEEP_BATCH}"
        page = await self._page("Task", f"{open_work}&_include=Task:patient", self._tasks_from)
        self._tasks_from = page.next_cursor
        gone, risen, overdue, bad = await self._owners_of(page, now, there)
        self.latest = Looked(threads, len(page.matches), lost, gone, risen, overdue, failed + bad)
        return self.latest

    async def _page(self, kind: str, criteria: str, cursor: str) -> Page:
        session = self._session()
        more = f"&_cursor={quote(cursor)}" if cursor else ""
        return await session.search(session.parse(kind, criteria + more))

    async def standing(self, facility_id: str, there: dict[str, Standing]) -> Standing:
        """Who is there at a facility; looked up once a turn."""
        if facility_id not in there:
            roster = await self._staff(facility_id) if facility_id else Roster()
            teams = await teams_of(self._session(), facility_id) if facility_id else []
            name = str((await self._read("Organization", facility_id)).get("name", "")) if facility_id else ""
            there[facility_id] = Standing(
                roster.accounts, {one.id: one for one in teams}, facility_id, name, roster.away, roster.answering
            )
        return there[facility_id]

    async def _known(self, standing: Standing, *team_ids: str) -> Standing:
        """With the teams of one patient that are meant; the facility's own list has those of everybody alone."""
        found = [await self._team(one) for one in team_ids if one and one not in standing.teams]
        own = {one.id: one for one in found if one is not None and one.patient_id}
        return replace(standing, teams={**standing.teams, **own}) if own else standing

    async def _team(self, team_id: str) -> Team | None:
        """A team, looked up once a turn; None for one that is not there."""
        if team_id not in self._teams:
            # A search, because that of a sweep stands in nobody's own trail; a read would, at each turn.
            try:
                found, _ = await find(self._session(), "CareTeam", f"_id={safe(team_id)}")
                team = next((rules.team(one) for one in found), None)
                self._teams[team_id] = await self._by_name(team) if team is not None and team.patient_id else team
            except DomainError:
                self._teams[team_id] = None
        return self._teams[team_id]

    async def _by_name(self, team: Team) -> Team:
        """With members who are named by their role as the Practitioners they are."""
        members = []
        for reference, end in team.members[:TEAM_MEMBERS_MAX]:
            kind, _, name = reference.partition("/")
            person = reference
            if kind == "PractitionerRole":
                try:
                    role = await self._read(kind, name)
                except DomainError:
                    continue
                person = str(role.get("practitioner", {}).get("reference", ""))
            members.append((person, end))
        return replace(team, members=tuple(members))

    async def _facility(self, patient_id: str, known: dict[str, Resource]) -> str:
        patient = known.get(f"Patient/{patient_id}")
        if patient is None:
            patient = await self._read("Patient", patient_id)
        said = patient.get("managingOrganization", {})
        return str(said.get("reference", "")).removeprefix("Organization/")

    async def _owing(self, team_id: str, patient_id: str, known: dict[str, Resource]) -> str:
        """The facility that owes an answer: that of the team, wherever the patient's care is now.

        Somebody who has moved still hears from those to whom they wrote.
        """
        team = await self._team(team_id) if team_id else None
        return (team.facility_id if team is not None else "") or await self._facility(patient_id, known)

    async def _read(self, kind: str, resource_id: str) -> Resource:
        return body(await self._session().read(kind, resource_id))

    async def _work_of(self, page: Page, now: datetime, there: dict[str, Standing]) -> tuple[int, int, int]:
        """Threads that were looked at, those that had no work, and those that could not be mended now."""
        included = [body(one) for one in page.included]
        bad = await self._filed([one for one in included if one["resourceType"] == "Task"], now)
        known = {str(one.get("focus", {}).get("reference", "")) for one in included if one["resourceType"] == "Task"}
        lost, failed = 0, bad
        for stored in page.matches:
            first = body(stored)
            # What a team wrote of its own accord asks for no answer.
            if f"Communication/{first['id']}" in known or message(first, {}).by_staff:
                continue
            lost += 1
            failed += not await self._mended(first, now, there)
        return len(page.matches), lost, failed

    async def _filed(self, tasks: list[Resource], now: datetime) -> int:
        """Work that came another way is told which facility owes it, for answer times; how many could not be now."""
        since, failed = now - timedelta(days=MEASURED_DAYS), 0
        for task in tasks:
            if code_of(task.get("code")) != ANSWER or model.is_owed(task) or "authoredOn" not in task:
                continue
            if datetime.fromisoformat(task["authoredOn"]) < since:
                continue
            try:
                facility = await self._owes(task, {})
            except DomainError:
                failed += 1
                continue
            if facility:
                failed += not await self._saved(model.owed(task, facility))
        return failed

    async def _owes(self, task: Resource, known: dict[str, Resource]) -> str:
        owner = owner_of(task)
        return owner.id if owner.kind == "facility" else await self._owing(team_of(task), patient_of(task), known)

    async def _mended(self, first: Resource, now: datetime, there: dict[str, Standing]) -> bool:
        patient_id = patient_of(first)
        try:
            said: Resource = next(iter(first.get("recipient", ())), {})
            kind, _, to = str(said.get("reference", "")).partition("/")
            facility = await self._owing(to if kind == "CareTeam" else "", patient_id, {})
            standing = await self._known(await self.standing(facility, there), to if kind == "CareTeam" else "")
            team = standing.answers(to, patient_id, now)
            reference, display = (team.reference, team.name) if team is not None else standing.fallback()
            zone = await self._zone(self._session(), facility) if facility else ZoneInfo("UTC")
            until = promise(now, zone, team.answer_days if team else ANSWER_WORKING_DAYS)
            asked = Asked(f"Communication/{first['id']}", patient_id, reference, display, until, facility_id=facility)
            task = model.noted(model.opened(asked, now, ""), model.Event("found", now, "Continuum"))
            await self._session().transaction([
                Operation("POST", "Task", resource=parse(dump(task)),
                          if_none_exist=f"focus=Communication/{first['id']}&code={token(WORK, ANSWER)}")
            ])  # fmt: skip
        except DomainError:
            return False
        return True

    async def _owners_of(self, page: Page, now: datetime, there: dict[str, Standing]) -> tuple[int, int, int, int]:
        """Work whose owner was gone, work that has risen, work that is overdue, and what could not be mended now."""
        known = {f"{one.resource_type}/{one.id}": body(one) for one in page.included}
        gone = risen = late = failed = 0
        for stored in page.matches:
            task = body(stored)
            try:
                standing = await self.standing(await self._owes(task, known), there)
                owner = owner_of(task)
                standing = await self._known(standing, team_of(task), owner.id if owner.kind == "team" else "")
            except DomainError:
                failed += 1
                continue
            late += rules.overdue(task, now)
            kept = rules.kept_owned(task, standing, now)
            up = rules.raised(kept or task, standing, now)
            gone, risen = gone + (kept is not None), risen + (up is not None)
            if (wanted := up or kept) is not None:
                failed += not await self._saved(wanted)
        return gone, risen, late, failed

    async def _saved(self, task: Resource) -> bool:
        """Whether it was written; who was first at the same did the same, or somebody acts on it just now."""
        try:
            await self._session().transaction([changed(task)])
        except Conflict:
            return True
        except DomainError as refusal:
            return refusal.status == _GONE_BY
        return True
