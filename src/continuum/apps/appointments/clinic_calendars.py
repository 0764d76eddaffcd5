"""Calendars of a clinic: templates with their rules, days that are closed, and what they open."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from starlette.responses import Response

from continuum.apps.appointments.clinic import HOME, Clinic, Row, calendars_of, clinic, day_of, schedule_of, show
from continuum.apps.appointments.clinic_board import called_off
from continuum.apps.frame.visit import Visit
from continuum.chart.entry import N_
from continuum.chart.reading import version_of
from continuum.clinical.scheduling import offers
from continuum.clinical.scheduling.limits import HORIZON_DAYS_MAX, RULES_MAX
from continuum.clinical.scheduling.model import (
    Calendar,
    Closed,
    Resource,
    Rule,
    actor_of,
    calendar_of,
    instant,
    with_calendar,
)
from continuum.clinical.scheduling.opening import keep_open
from continuum.clinical.scheduling.template import DAYS, check, holiday, openings
from continuum.fhir.json import dump, parse
from continuum.kernel.errors import DomainError, Forbidden, Invalid
from continuum.ui.language import gettext
from continuum.ui.view import showing

KEEPERS = frozenset({"nurse", "physician", "dentist", "registrar", "scheduler", "clinician"})
"""Who may change calendars."""
NOT_FOR_YOU = N_("Calendars are changed by those who treat, register and schedule.")
DAY_NAMES = (N_("Monday"), N_("Tuesday"), N_("Wednesday"), N_("Thursday"), N_("Friday"), N_("Saturday"), N_("Sunday"))
_PREVIEW_DAYS = 14


async def calendars(x: Visit) -> Response:
    """All calendars of the facility."""
    here = await clinic(x)
    return show(x, here, "clinic_calendars.html", "calendars", calendars=await calendars_of(here))


async def calendar(x: Visit) -> Response:
    """One calendar: its rules, its closed days, and what it opens in the next two weeks; changed here."""
    here = await clinic(x)
    schedule = await schedule_of(here, x.param("schedule_id"))
    found = calendar_of(schedule, horizon_days=_PREVIEW_DAYS)
    problem, shown = "", found
    if x.request.method == "POST":
        if x.standing.role not in KEEPERS:
            raise Forbidden(NOT_FOR_YOU)
        try:
            shown = changed(found, x.form)
            if x.form.get("act") == "preview":
                return await _page(x, here, schedule, shown, previewed=True)
            stored = with_calendar(schedule, shown)
            await here.session.update(parse(dump(stored)), if_match=version_of(schedule))
            # In the claims lies who has what: times that nobody wants any more close, taken ones stay.
            await keep_open(here.session, here.claims, shown, here.now)
        except DomainError as refusal:
            if refusal.status not in {409, 412, 422, 400}:
                raise
            with showing(x.reader):
                problem = gettext(str(refusal))
        else:
            return x.go(f"{HOME}/calendars/{found.id}", done="kept")
    return await _page(x, here, schedule, found, problem=problem)


async def _page(
    x: Visit, here: Clinic, schedule: Resource, shown: Calendar, *, problem: str = "", previewed: bool = False
) -> Response:
    today = here.today()
    days: dict[date, int] = {}
    for one in openings(shown, here.zone, today, today + timedelta(days=_PREVIEW_DAYS)):
        days[one.starts.date()] = days.get(one.starts.date(), 0) + 1
    ahead = [today + timedelta(days=number) for number in range(_PREVIEW_DAYS)]
    with showing(x.reader):
        preview = [(day, days.get(day, 0), _why(shown, day)) for day in ahead]
    offer = next((one for one in await calendars_of(here) if one.calendar.id == shown.id), None)
    with showing(x.reader):
        names = [(code, gettext(name)) for code, name in zip(DAYS, DAY_NAMES, strict=True)]
    return show(
        x, here, "clinic_calendar.html", "calendars", calendar=shown, offer=offer, preview=preview, problem=problem,
        previewed=previewed, form=x.form, day_names=names, rules=[in_words(one) for one in shown.rules],
        may_change=x.standing.role in KEEPERS, status=422 if problem else 200, today=today,
        horizon_most=HORIZON_DAYS_MAX, schedule=schedule,
        hours=sorted(one.astimezone(here.zone) for one in shown.closed_hours if one > here.now),
    )  # fmt: skip


def _why(calendar: Calendar, day: date) -> str:
    closed = calendar.closed_on(day)
    return closed.reason or gettext(N_("Closed")) if closed else holiday(day)


@dataclass(frozen=True, slots=True)
class InWords:
    """A rule as people read it. days: codes of RFC 5545; every: of how many weeks."""

    rule: Rule
    days: tuple[str, ...]
    every: int


def in_words(rule: Rule) -> InWords:
    """Reads what the form writes; a rule of another kind names no days, and shows its text."""
    parts = dict(part.partition("=")[::2] for part in rule.recurrence.split(";"))
    plain = parts.get("FREQ") == "WEEKLY" and parts.keys() <= {"FREQ", "BYDAY", "INTERVAL"}
    days = tuple(parts.get("BYDAY", "").split(",")) if plain else ()
    return InWords(rule, days, int(parts.get("INTERVAL", "1")) if plain else 0)


def changed(calendar: Calendar, form: Any) -> Calendar:
    """A calendar after what a form asks for. Raises Invalid."""
    act = form.get("act", "")
    kept = form.get("based_on", "")
    if act in {"rule", "preview"}:
        rule = _rule(form)
        check(rule)
        if len(calendar.rules) >= RULES_MAX:
            raise Invalid(N_("A template has no room for more rules."))
        return replace(calendar, rules=(*calendar.rules, rule))
    if act == "drop-rule" and kept.isdigit() and int(kept) < len(calendar.rules):
        number = int(kept)
        return replace(calendar, rules=calendar.rules[:number] + calendar.rules[number + 1 :])
    if act == "close":
        first, last = _date(form.get("first", "")), _date(form.get("last", "") or form.get("first", ""))
        if last < first or (last - first).days > HORIZON_DAYS_MAX:
            raise Invalid(N_("The last day must come after the first, and not too long after it."))
        if len(calendar.closed) >= RULES_MAX:
            raise Invalid(N_("A template has no room for more closed days."))
        return replace(calendar, closed=(*calendar.closed, Closed(first, last, form.get("reason", "").strip()[:100])))
    if act == "open" and kept.isdigit() and int(kept) < len(calendar.closed):
        number = int(kept)
        return replace(calendar, closed=calendar.closed[:number] + calendar.closed[number + 1 :])
    if act == "open-hour":
        return replace(calendar, closed_hours=calendar.closed_hours - {_hour(kept)})
    if act == "horizon" and form.get("days", "").isdigit() and 1 <= int(form["days"]) <= HORIZON_DAYS_MAX:
        return replace(calendar, horizon_days=int(form["days"]))
    raise Invalid(N_("The form is not complete."))


def _hour(text: str) -> datetime:
    try:
        return instant(text).astimezone(UTC)
    except ValueError as error:
        raise Invalid(N_("The form is not complete.")) from error


def _rule(form: Any) -> Rule:
    days = [code for code in DAYS if form.get(f"day-{code}")]
    if not days:
        raise Invalid(N_("Choose at least one day of the week."))
    every = form.get("every", "1")
    interval = f";INTERVAL={int(every)}" if every.isdigit() and 1 < int(every) <= 8 else ""
    try:
        return Rule(
            f"FREQ=WEEKLY{interval};BYDAY={','.join(days)}", time.fromisoformat(form.get("starts", "")),
            time.fromisoformat(form.get("ends", "")), int(form.get("minutes", "")), _date(form.get("since", "")),
            _date(form["until"]) if form.get("until") else None, int(form.get("seats") or 1),
            int(form.get("overbooked") or 0),
        )  # fmt: skip
    except ValueError as error:
        raise Invalid(N_("Write times as 08:30, days as 2027-03-31 and numbers in digits.")) from error


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Invalid(N_("Write the day as 2027-03-31.")) from error


async def call_off_day(x: Visit) -> Response:
    """Calls off all that one clinician has on a day: everybody is told why, and then waits first in line."""
    here = await clinic(x)
    schedule = await schedule_of(here, x.param("schedule_id"))
    found = calendar_of(schedule, horizon_days=_PREVIEW_DAYS)
    day = _date(x.form.get("date", "") or x.query.get("date", ""))
    rows = [row for row in await day_of(here, day, status="booked,pending") if _with(row, found)]
    reason = x.form.get("reason", "").strip()
    problem = ""
    if x.request.method == "POST":
        if x.standing.role not in KEEPERS:
            raise Forbidden(NOT_FOR_YOU)
        if reason:
            closed = replace(found, closed=(*found.closed, Closed(day, day, reason[:100])))
            stored = with_calendar(schedule, closed)
            await here.session.update(parse(dump(stored)), if_match=version_of(schedule))
            # First nothing more is opened, then everybody is called off: nobody is offered a time of this very day.
            await keep_open(here.session, here.claims, closed, here.now)
            waiting = [await called_off(here, row, reason, wait=True) for row in rows]
            await keep_open(here.session, here.claims, closed, here.now)
            offered = await offer_instead(here, found, waiting) if x.form.get("offer") else 0
            return x.go(f"{HOME}/calendars/{found.id}", done="called-off", number=str(len(rows)), offered=str(offered))
        with showing(x.reader):
            problem = gettext(N_("Say why, so that people can be told."))
    return show(
        x, here, "clinic_call_off.html", "calendars", calendar=found, rows=rows, day=day, problem=problem,
        status=422 if problem else 200,
    )  # fmt: skip


async def offer_instead(here: Clinic, calendar: Calendar, waiting: list[Resource | None]) -> int:
    """Offers each of those who were called off the first free time that suits them; how many got one."""
    same = [one for one in await calendars_of(here) if one.calendar.service_id == calendar.service_id]
    count = 0
    for entry in sorted((one for one in waiting if one is not None), key=lambda one: str(one.get("created", ""))):
        made = await offers.propose_first(here.session, here.claims, same, entry, here.now)
        if made is not None:
            await here.reminders.offered(made, here.now)
            count += 1
    return count


def _with(row: Row, calendar: Calendar) -> bool:
    mine = actor_of(row.item.resource, "Practitioner") == calendar.practitioner_id
    return mine and bool(calendar.practitioner_id)
