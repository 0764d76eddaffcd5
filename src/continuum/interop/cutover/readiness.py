"""Whether a facility can go live: each check with what was found, and where it is put right."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from continuum.access import Session
from continuum.chart.entry import N_, Kind
from continuum.clinical.messaging.coverage import ROLES as ANSWERING
from continuum.clinical.messaging.limits import STAFF_MAX
from continuum.clinical.messaging.reading import find, teams_of
from continuum.clinical.messaging.rules import STANDS_IN
from continuum.clinical.scheduling.finding import kinds, offers
from continuum.clinical.scheduling.reading import zone_at
from continuum.clinical.scheduling.template import openings
from continuum.identity import factors, staff
from continuum.interop.cutover.report import IMPORT, REHEARSAL, TOLD, Report
from continuum.interop.cutover.status import TIMEZONE, Facility
from continuum.runtime.backup import store

Connect = Callable[[], AbstractAsyncContextManager[Any]]
_LOOKED_AHEAD_DAYS = 14
BACKUP_AGE_MAX = timedelta(days=2)
"""How old the newest backup may be on the day before a go-live."""


@dataclass(frozen=True, slots=True)
class Check:
    """One check. state: success, warning (look at it) or error (not ready). words: a message of ours with `values`.

    where: address below /workspace or /signon where it is put right, with its text; "" for none of ours.
    """

    title: str
    state: Kind
    words: str
    values: dict[str, object]
    where: str = ""
    where_text: str = ""


def _check(title: str, *, well: bool, yes: str, no: str, at: tuple[str, str] = ("", ""), **values: object) -> Check:
    return Check(title, "success" if well else "error", yes if well else no, values, *at)


@dataclass(frozen=True, slots=True)
class Around:
    """What the checks look at besides the record. backups: their folder; None where this server does not know it."""

    connect: Connect
    today: date
    now: datetime
    backups: Path | None


async def readiness(
    session: Session, facility: Facility, around: Around, reports: Sequence[Report], waiting: int
) -> list[Check]:
    """All checks of a facility, in the order in which they are usually put right."""
    return [
        _details(facility),
        await _calendars(session, facility),
        await _teams(session, facility),
        *await _staff(facility, around),
        *_data(reports, waiting),
        _told(reports),
        _backups(around),
    ]


def ready(checks: Sequence[Check]) -> bool:
    """Whether nothing stands against going live."""
    return all(one.state != "error" for one in checks)


def _details(one: Facility) -> Check:
    zone = any(said.get("url") == TIMEZONE for said in one.resource.get("extension", ()))
    return _check(
        N_("Address, phone and time zone"), well=bool(one.address and one.phone and zone),
        yes=N_("%(address)s, %(phone)s."), no=N_("The address, the phone or the time zone is missing."),
        at=("#details", N_("Fill it in below")), address=one.address, phone=one.phone,
    )  # fmt: skip


async def _calendars(session: Session, one: Facility) -> Check:
    title, at = N_("Times to book"), ("/workspace/clinic/calendars", N_("Calendars, for staff of the facility"))
    first = max(one.portal.live_from or one.today, one.today)
    found = await offers(session, [kind.id for kind in await kinds(session, one.id)])
    times = 0
    zones: dict[str, ZoneInfo] = {}
    for offer in found:
        place = offer.calendar.location_id
        if place not in zones:
            zones[place] = await zone_at(session, offer.calendar)
        zone = zones[place]
        times += len(openings(offer.calendar, zone, first, first + timedelta(days=_LOOKED_AHEAD_DAYS)))
    return _check(
        title, well=times > 0,
        yes=N_("%(calendars)s calendars open %(times)s times in the two weeks from %(day)s."),
        no=N_("No calendar opens a time in the two weeks from %(day)s."),
        at=at, calendars=len(found), times=times, day=first.isoformat(),
    )  # fmt: skip


async def _teams(session: Session, one: Facility) -> Check:
    teams = [team for team in await teams_of(session, one.id) if team.active and team.takes_messages]
    ids = ",".join(team.id for team in teams)
    found, _ = await find(session, "CareTeam", f"_id={ids}&_count=100") if ids else ([], {})
    empty = [str(team.get("name", "")) for team in found if not _members(team)]
    standing = any(said.get("url") == STANDS_IN for team in found for said in team.get("extension", ()))
    return _check(
        N_("Teams that answer messages"), well=bool(teams) and not empty and standing,
        yes=N_("%(teams)s teams have members, and one stands in for all others."),
        no=N_("There is no team, one without members (%(empty)s), or none that stands in."),
        at=("https://hl7.org/fhir/R4/careteam.html", N_("CareTeam, by a program or an import")),
        teams=len(teams), empty=", ".join(empty),
    )  # fmt: skip


def _members(team: dict[str, Any]) -> bool:
    named = (str(one.get("member", {}).get("reference", "")) for one in team.get("participant", ()))
    return any(text.startswith(("Practitioner/", "PractitionerRole/")) for text in named)


async def _staff(one: Facility, around: Around) -> list[Check]:
    at = ("/signon/staff", N_("Staff and their roles"))
    async with around.connect() as conn:
        there = await staff.at(conn, one.id, around.today, roles=staff.ROLES, limit=STAFF_MAX)
        accounts = {person.account_id: person.name for person in there}
        without = [name for account, name in accounts.items() if not (await factors.of(conn, account)).any]
    answering = {person.account_id for person in there if person.role in ANSWERING}
    return [
        _check(
            N_("Staff with accounts"), well=bool(answering),
            yes=N_("%(accounts)s have an account here, %(answering)s of them answer messages."),
            no=N_("Nobody who treats has an account for this facility (%(accounts)s accounts in all)."),
            at=at, accounts=len(accounts), answering=len(answering),
        ),
        _check(
            N_("Second factors"), well=bool(accounts) and not without,
            yes=N_("All %(accounts)s have set up a second factor."),
            no=N_("Without a second factor: %(names)s."),
            at=at, accounts=len(accounts), names=", ".join(sorted(without)[:10]) or "-",
        ),
    ]  # fmt: skip


def _data(reports: Sequence[Report], waiting: int) -> list[Check]:
    rehearsed = next((one for one in reports if one.kind in {REHEARSAL, IMPORT}), None)
    brought = next((one for one in reports if one.kind == IMPORT), None)
    at = ("#data", N_("Rehearse or import below"))
    rejected = rehearsed.counts["rejected"] if rehearsed is not None else 0
    clashes = rehearsed.counts["clashes"] if rehearsed is not None else 0
    left = brought.counts["rejected"] if brought is not None else 0
    not_rehearsed, not_brought = N_("Not rehearsed yet."), N_("Not brought in yet.")
    some_rejected = N_("Rows that the latest run rejected: %(rejected)s.")
    some_waiting = N_("Waiting to be matched: %(waiting)s. Rows rejected: %(rejected)s.")
    return [
        _check(
            N_("Rehearsal of the older portal's data"), well=rehearsed is not None and not rejected,
            yes=N_("The latest run rejected nothing; %(clashes)s clashes are for people to settle."),
            no=not_rehearsed if rehearsed is None else some_rejected, at=at, rejected=rejected, clashes=clashes,
        ),
        _check(
            N_("Data of the older portal"), well=brought is not None and not waiting and not left,
            yes=N_("It was brought in without rejects, and everybody was matched."),
            no=not_brought if brought is None else some_waiting, at=at, waiting=waiting, rejected=left,
        ),
    ]  # fmt: skip


def _told(reports: Sequence[Report]) -> Check:
    last = next((one for one in reports if one.kind == TOLD), None)
    return Check(
        N_("Letters to the people"), "success" if last is not None else "warning",
        N_("%(people)s people were written to.") if last is not None else N_("Nobody has been written to yet."),
        {"people": last.counts["people"] if last is not None else 0}, "#letters", N_("Write to them below"),
    )  # fmt: skip


def _backups(around: Around) -> Check:
    title = N_("Backup")
    if around.backups is None:
        words = N_("This server does not know where its backups are. Run continuum doctor on it.")
        return Check(title, "warning", words, {})
    found = store.backups(around.backups) if around.backups.is_dir() else []
    if not found:
        return Check(title, "error", N_("There is no backup. Run continuum backup on the server."), {})
    made = datetime.fromtimestamp((found[-1] / "manifest.json").stat().st_mtime, UTC)
    hours = int((around.now - made).total_seconds() // 3600)
    return _check(
        title, well=around.now - made <= BACKUP_AGE_MAX, yes=N_("The newest backup is %(hours)s hours old."),
        no=N_("The newest backup is %(hours)s hours old. Run continuum backup on the server."), hours=hours,
    )  # fmt: skip
