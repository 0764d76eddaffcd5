"""What the rules of messaging say: until when, to whom, what may be sent. Pure: facts and the present in."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from continuum.chart.entry import N_
from continuum.clinical.messaging.limits import (
    ANSWER_WORKING_DAYS,
    ANSWER_WORKING_DAYS_MAX,
    REPLY_WINDOW_DAYS,
    RISE_AFTER_HOURS,
    SUBJECT_MAX_CHARS,
    TEXT_MAX_CHARS,
    URGENT_WORKING_DAYS,
)
from continuum.clinical.messaging.model import (
    CATEGORIES,
    EXTENSION,
    OPEN,
    Event,
    Owner,
    Resource,
    owner_of,
    patient_of,
    promised,
    risen,
    risen_times,
    stamp,
    team_of,
    to_team,
    triaged,
)
from continuum.ui.people import Problem

ANSWER_DAYS = f"{EXTENSION}team-answer-working-days"
SIGNATURE = f"{EXTENSION}team-asks-signature"
STANDS_IN = f"{EXTENSION}team-stands-in"
AGES_UNTIL = f"{EXTENSION}team-ages-until"
MESSAGES = f"{EXTENSION}team-takes-messages"
WINDOW_CLOSED = N_("This conversation is closed: its last message is more than 45 days old. Please begin a new one.")
_WORKDAYS = 5


@dataclass(frozen=True, slots=True)
class Team:
    """A CareTeam as messaging needs it.

    answer_days: working days in which it answers. signs: whether it asks for a typed name. stands_in: whether it takes
    on what no other team has. ages_until: the first age in years for which it is not; 0 for all ages. patient_id: whose
    own team it is; "" for one that is open to everybody. members: who is in it, each with the end of that time as FHIR
    says it, "" for an open one.
    """

    id: str
    name: str
    facility_id: str
    active: bool
    answer_days: int = ANSWER_WORKING_DAYS
    signs: bool = False
    stands_in: bool = False
    ages_until: int = 0
    takes_messages: bool = True
    patient_id: str = ""
    members: tuple[tuple[str, str], ...] = ()

    @property
    def reference(self) -> str:
        """`CareTeam/id`."""
        return f"CareTeam/{self.id}"

    def serves(self, age_years: int) -> bool:
        """Whether somebody of this age may write to it."""
        return self.active and self.takes_messages and (not self.ages_until or age_years < self.ages_until)

    def members_at(self, now: datetime) -> list[str]:
        """References to those who are in it now."""
        return [reference for reference, end in self.members if not _over(end, now)]


def _over(end: str, now: datetime) -> bool:
    """Whether a time has ended. A day, a month or a year lasts to its last moment."""
    if "T" in end:
        return datetime.fromisoformat(end) < now
    return end < stamp(now)[: len(end)]


def team(resource: Mapping[str, Any]) -> Team:
    """Reads a CareTeam."""
    said = {
        one["url"]: next(value for key, value in one.items() if key != "url")
        for one in resource.get("extension", ())
        if len(one) > 1
    }
    owners = [str(one.get("reference", "")) for one in resource.get("managingOrganization", ())]
    days = said.get(ANSWER_DAYS, ANSWER_WORKING_DAYS)
    return Team(
        str(resource["id"]), str(resource.get("name", "")), next(iter(owners), "").removeprefix("Organization/"),
        resource.get("status") == "active", min(max(int(days), 1), ANSWER_WORKING_DAYS_MAX),
        said.get(SIGNATURE) is True, said.get(STANDS_IN) is True, int(said.get(AGES_UNTIL, 0)),
        said.get(MESSAGES) is not False, str(resource.get("subject", {}).get("reference", "")).removeprefix("Patient/"),
        tuple((str(one.get("member", {}).get("reference", "")), str(one.get("period", {}).get("end", "")))
              for one in resource.get("participant", ())),
    )  # fmt: skip


def answer_until(now: datetime, zone: ZoneInfo, working_days: int, holidays: Iterable[date] = ()) -> datetime:
    """The end of the promise: the same hour by the facility's clock, so many working days on.

    What is sent on a day without work counts from the next working day's morning, at eight.
    """
    closed = frozenset(holidays)
    local = now.astimezone(zone)
    if not _works(local.date(), closed):
        while not _works(local.date(), closed):
            local += timedelta(days=1)
        local = local.replace(hour=8, minute=0, second=0, microsecond=0)
    left = working_days
    while left:
        local += timedelta(days=1)
        left -= _works(local.date(), closed)
    return local.astimezone(zone)


def _works(day: date, closed: frozenset[date]) -> bool:
    return day.weekday() < _WORKDAYS and day not in closed


def days_of(priority: str, promised_days: int) -> int:
    """Working days until the answer to a thread of a priority."""
    return promised_days if priority == "routine" else min(URGENT_WORKING_DAYS, promised_days)


def replies_until(last_sent: datetime) -> datetime:
    """Until when a thread may be answered to."""
    return last_sent + timedelta(days=REPLY_WINDOW_DAYS)


def may_reply(last_sent: datetime, now: datetime) -> str:
    """Why a person may not write on in a thread; "" if they may."""
    return "" if now <= replies_until(last_sent) else WINDOW_CLOSED


def text_problems(subject: str, category: str, text: str, *, first: bool) -> list[Problem]:
    """What is wrong with a message. first: whether it begins a thread."""
    found = []
    if first and not subject:
        found.append(Problem("subject", N_("Say in a few words what it is about.")))
    if len(subject) > SUBJECT_MAX_CHARS:
        found.append(Problem("subject", N_("The subject is too long.")))
    if first and category not in CATEGORIES:
        found.append(Problem("category", N_("Choose what it is about.")))
    if not text:
        found.append(Problem("text", N_("The message is empty.")))
    if len(text) > TEXT_MAX_CHARS:
        found.append(Problem("text", N_("The message is too long. Please send it in two.")))
    return found


def signature_problem(typed: str, name: str) -> Problem | None:
    """A typed name must be the signer's own, whatever its capitals and blanks."""
    if " ".join(typed.casefold().split()) == " ".join(name.casefold().split()):
        return None
    return Problem("signature", N_("Type your full name as it stands above."))


def overdue(task: Mapping[str, Any], now: datetime) -> bool:
    """Whether a promise was not kept."""
    until = promised(task)
    return task.get("status") in OPEN and until is not None and now > until


@dataclass(frozen=True, slots=True)
class Standing:
    """Who is there at present.

    staff: accounts that work here now; away: those of them away without a cover. answering: the Practitioners that the
    others are in the record. teams: those of everybody, and those of single patients that were asked for.
    """

    staff: frozenset[str]
    teams: Mapping[str, Team]
    facility_id: str
    facility_name: str
    away: frozenset[str] = frozenset()
    answering: frozenset[str] = frozenset()

    def fallback(self, but: str = "") -> tuple[str, str]:
        """Reference and name of who takes on what nobody else has: a team that stands in, or the facility itself."""
        found = [
            one for one in self.teams.values()
            if one.active and one.stands_in and not one.patient_id and one.id != but
        ]  # fmt: skip
        chosen = min(found, key=lambda one: one.id, default=None)
        if chosen is not None:
            return chosen.reference, chosen.name
        return f"Organization/{self.facility_id}", self.facility_name

    def answers(self, team_id: str, patient_id: str, now: datetime) -> Team | None:
        """A team that still answers this patient; None for one that is closed, unknown or empty.

        A team of everybody has its list, which all who answer messages here see. A patient's own team is the people in
        it: one of them must be here, or the facility itself.
        """
        found = self.teams.get(team_id)
        if found is None or not found.active:
            return None
        if not found.patient_id:
            return found
        if found.patient_id != patient_id or not found.takes_messages:
            return None
        here = {f"Organization/{self.facility_id}", *(f"Practitioner/{one}" for one in self.answering)}
        return found if here.intersection(found.members_at(now)) else None

    def holds(self, owner: Owner, patient_id: str, now: datetime) -> bool:
        """Whether somebody can still answer this patient as this owner."""
        if owner.kind == "staff":
            return owner.id in self.staff and owner.id not in self.away
        if owner.kind == "team":
            return self.answers(owner.id, patient_id, now) is not None
        return owner.kind == "facility" and owner.id == self.facility_id


def kept_owned(task: Resource, there: Standing, now: datetime) -> Resource | None:
    """A Task whose owner is gone, given to its team or, if that is closed, to the fallback; None if all is well."""
    if task.get("status") not in OPEN:
        return None
    owner, patient_id = owner_of(task), patient_of(task)
    if there.holds(owner, patient_id, now):
        return None
    own = there.answers(team_of(task), patient_id, now)
    reference, name = (own.reference, own.name) if own is not None else there.fallback()
    what = {"staff": "left", "team": "team-closed"}.get(owner.kind, "found")
    return to_team(task, reference, name, Event(what, now, "Continuum", owner.name))


def raised(task: Resource, there: Standing, now: datetime) -> Resource | None:
    """An overdue Task, one step further up; None if it is not its time.

    First it becomes urgent where it is. A day later it goes to those who stand in for its team.
    """
    until = promised(task)
    if until is None or not overdue(task, now):
        return None
    times = risen_times(task)
    if times == 0:
        urgent = triaged(task, "urgent" if task.get("priority") == "routine" else str(task["priority"]), until,
                         Event("overdue", now, "Continuum"))  # fmt: skip
        return risen(urgent, 1)
    if times == 1 and now > until + timedelta(hours=RISE_AFTER_HOURS):
        reference, name = there.fallback(but=team_of(task))
        return risen(to_team(task, reference, name, Event("risen", now, "Continuum", name)), 2)
    return None


def by_urgency(tasks: Sequence[Resource]) -> list[Resource]:
    """In the order in which they should be answered: what was promised first, first."""
    rank = {"asap": 0, "urgent": 1}

    def key(one: Resource) -> tuple[int, str]:
        until = str(one.get("restriction", {}).get("period", {}).get("end", ""))
        return rank.get(str(one.get("priority")), 2), until

    return sorted(tasks, key=key)
