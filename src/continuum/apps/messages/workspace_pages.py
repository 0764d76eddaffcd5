"""The list of a team's open messages, answer times, times away, templates."""

from datetime import date, datetime, time, timedelta
from typing import Any

from starlette.responses import Response

from continuum.apps.frame.visit import Visit
from continuum.apps.messages.shown import STATES
from continuum.apps.messages.staff_desk import HOME, StaffDesk, staff_desk
from continuum.chart.entry import N_
from continuum.clinical.messaging.answering import measured
from continuum.clinical.messaging.coverage import Away, instant_us
from continuum.clinical.messaging.limits import MEASURED_DAYS
from continuum.clinical.messaging.model import CATEGORIES, CATEGORY, PRIORITIES, Resource, owner_of, promised, state_of
from continuum.clinical.messaging.reading import pool, rows_of, work_since
from continuum.clinical.messaging.rules import by_urgency, overdue
from continuum.kernel.errors import DomainError, Invalid, NotFound
from continuum.kernel.ids import uuid7
from continuum.ui.people import Problem

MINE, ALL, FACILITY = "mine", "all", "facility"


async def lists(x: Visit) -> Response:
    """Open messages: one's own and those of whom one stands in for, a team's, or all of the facility."""
    here = await staff_desk(x)
    teams = await here.teams()
    wanted = x.query.get("list", MINE)
    if wanted not in {MINE, ALL, FACILITY} and wanted not in {one.id for one in teams}:
        raise NotFound("There is no such list.")
    rows, more = await _rows(here, wanted)
    return x.page(
        "messages/pool.html", here=here, rows=rows, more=more, teams=teams, wanted=wanted, home=HOME,
        priorities=PRIORITIES, categories=CATEGORIES, states=STATES,
        late=sum(row["late"] for row in rows), now=here.now,
    )  # fmt: skip


async def _rows(here: StaffDesk, wanted: str) -> tuple[list[dict[str, Any]], bool]:
    if wanted == MINE:
        asked = [{"account": one} for one in (here.who.account_id, *sorted(here.covers))]
    elif wanted == ALL:
        asked = [{}]
    else:
        asked = [{"facility": here.facility_id}] if wanted == FACILITY else [{"team": wanted}]
    tasks: list[Resource] = []
    included: dict[str, Resource] = {}
    more = False
    for by in asked:
        found, names, further = await pool(here.session, **by)
        tasks, included, more = tasks + found, included | names, more or further
    return [_row(here, row) for row in rows_of(by_urgency(tasks), included)], more


def _row(here: StaffDesk, row: dict[str, Any]) -> dict[str, Any]:
    task, first = row["task"], row["first"]
    owner = owner_of(task)
    return {
        **row, "subject": first.get("topic", {}).get("text", ""), "category": category_of(first),
        "owner": owner, "mine": owner.id == here.who.account_id, "covered": owner.id in here.covers,
        "until": promised(task), "late": overdue(task, here.now), "state": state_of(task),
        "priority": task.get("priority", "routine"), "sent": first.get("sent", task["authoredOn"]),
        "names": row["patient"].get("name", []), "born": row["patient"].get("birthDate", ""),
    }  # fmt: skip


def category_of(first: Resource) -> str:
    """What a message is about, by its code."""
    codes = [coding.get("code") for one in first.get("category", ()) for coding in one.get("coding", ())
             if coding.get("system") == CATEGORY]  # fmt: skip
    return codes[0] if codes and codes[0] in CATEGORIES else "general"


async def times(x: Visit) -> Response:
    """How long answers took, against what each team promises."""
    here = await staff_desk(x)
    teams = await here.teams()
    active = [one.id for one in teams if one.active]
    since = here.now - timedelta(days=MEASURED_DAYS)
    rows, more = await work_since(
        here.session, here.facility_id, since, here.now, lambda work: measured(work, active, here.now)
    )
    return x.page(
        "messages/times.html", home=HOME, teams={one.id: one for one in teams}, days=MEASURED_DAYS,
        counted=sum(one.counted for one in rows), more=more, rows=rows,
    )  # fmt: skip


async def away(x: Visit) -> Response:
    """Times away, and who stands in."""
    here = await staff_desk(x)
    colleagues = await here.colleagues()
    problems: list[Problem] = []
    if x.request.method == "POST":
        if x.form.get("remove"):
            await here.coverage.remove(here.who.account_id, x.form["remove"])
            await here.session.consulted("away")
            return x.go(f"{HOME}/away", done="removed")
        planned = _away(x, here, {one.account_id for one in colleagues}, problems)
        if planned is not None:
            try:
                await here.coverage.add(planned)
                await here.session.consulted("away")
                return x.go(f"{HOME}/away", done="planned")
            except DomainError as refusal:
                problems.append(Problem("last", str(refusal)))
    return x.page(
        "messages/away.html", here=here, home=HOME, planned=await here.coverage.of(here.who.account_id),
        colleagues=colleagues, names={one.account_id: one.name for one in colleagues}, problems=problems,
        errors={one.field: one.text for one in problems}, fields=x.form, status=422 if problems else 200,
    )  # fmt: skip


def _away(x: Visit, here: StaffDesk, known: set[str], problems: list[Problem]) -> Away | None:
    days = []
    for field in ("first", "last"):
        try:
            days.append(date.fromisoformat(x.form.get(field, "").strip()))
        except ValueError:
            problems.append(Problem(field, N_("Write the day as 2027-03-31.")))
    cover = x.form.get("cover", "")
    if cover and cover not in known:
        problems.append(Problem("cover", N_("Choose somebody who works here.")))
    if problems:
        return None
    starts = datetime.combine(days[0], time(0), x.zone)
    ends = datetime.combine(days[1] + timedelta(days=1), time(0), x.zone)
    return Away(uuid7(), here.who.account_id, cover, here.facility_id, instant_us(starts), instant_us(ends))


async def templates(x: Visit) -> Response:
    """The templates for answers of a facility."""
    here = await staff_desk(x)
    problems: list[Problem] = []
    if x.request.method == "POST":
        if x.form.get("remove"):
            await here.coverage.remove_template(here.facility_id, x.form["remove"])
            await here.session.consulted("templates")
            return x.go(f"{HOME}/templates", done="removed")
        title = " ".join(x.form.get("title", "").split())
        text = x.form.get("text", "").replace("\r\n", "\n").strip()
        try:
            await here.coverage.add_template(here.facility_id, title, text)
            await here.session.consulted("templates")
            return x.go(f"{HOME}/templates", done="kept")
        except Invalid as refusal:
            problems.append(Problem("title", str(refusal)))
    return x.page(
        "messages/templates.html", here=here, home=HOME, templates=await here.coverage.templates(here.facility_id),
        problems=problems, errors={one.field: one.text for one in problems}, fields=x.form,
        status=422 if problems else 200,
    )  # fmt: skip
