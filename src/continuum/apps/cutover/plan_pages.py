"""The plan: waves on a line of time, their facilities, and what can be done with them."""

from dataclasses import dataclass
from datetime import date

from starlette.responses import Response

from continuum.apps.cutover.planner import WAVES, Planner, day_of, planner
from continuum.apps.frame.visit import Visit
from continuum.chart.entry import N_
from continuum.interop.cutover import waves
from continuum.interop.cutover.limits import REASON_MAX_CHARS, WAVE_NAME_MAX_CHARS
from continuum.interop.cutover.waves import Plan
from continuum.kernel.errors import DomainError, Invalid
from continuum.ui.language import gettext
from continuum.ui.people import Problem
from continuum.ui.view import showing

_TICKS_MAX = 6
_SHOWN = frozenset({400, 409, 412, 422})
_FIELDS = {waves.NAME_IT: "name", waves.NAME_TAKEN: "name", waves.TOO_LONG: "name", waves.SAY_WHY: "reason"}


@dataclass(frozen=True, slots=True)
class Point:
    """Something on the line. at: from 0 to 100. text: what stands at it."""

    at: float
    text: str
    day: date


@dataclass(frozen=True, slots=True)
class Line:
    """The line of time: waves by number, months, and today."""

    waves: tuple[Point, ...]
    months: tuple[Point, ...]
    today: float


def line(plan: Plan, today: date) -> Line | None:
    """The picture of a plan; None without waves."""
    if not plan.waves:
        return None
    first = min(today, *(one.day for one in plan.waves)).replace(day=1)
    last = max(today, *(one.day for one in plan.waves))
    whole = max((last - first).days + 20, 60)

    def at(day: date) -> float:
        return round(3 + 94 * (day - first).days / whole, 2)

    months: list[date] = []
    day = first
    while (day - first).days < whole:
        months.append(day)
        day = day.replace(year=day.year + day.month // 12, month=day.month % 12 + 1)
    step = -(-len(months) // _TICKS_MAX)
    return Line(
        tuple(Point(at(one.day), str(number), one.day) for number, one in enumerate(plan.waves, start=1)),
        tuple(Point(at(one), one.isoformat()[:7], one) for one in months[::step]), at(today),
    )  # fmt: skip


async def plan_page(x: Visit) -> Response:
    """The plan, and every change of it."""
    here = await planner(x)
    if x.request.method == "GET":
        return _show(x, here)
    here.allowed()
    try:
        done = await _act(x, here)
    except DomainError as refusal:
        if refusal.status not in _SHOWN:
            raise
        with showing(x.reader):
            text = gettext(str(refusal))
        key = x.form.get("wave", "") or "new"
        return _show(x, here, [Problem(f"{_FIELDS.get(str(refusal), 'day')}-{key}", text)], status=422)
    return x.go(WAVES, done=done)


def _show(x: Visit, here: Planner, problems: list[Problem] | None = None, status: int = 200) -> Response:
    return x.page(
        "cutover/plan.html", here=here, plan=here.plan, line=line(here.plan, here.today), home=WAVES,
        problems=problems or [], errors={one.field: one.text for one in problems or []},
        typed=x.form if problems else {},
        reason_most=REASON_MAX_CHARS, name_most=WAVE_NAME_MAX_CHARS, status=status,
    )  # fmt: skip


async def _act(x: Visit, here: Planner) -> str:
    form, plan = x.form, here.plan
    act, wave = form.get("act", ""), form.get("wave", "")
    key = wave or "new"
    name, day = form.get(f"name-{key}", ""), form.get(f"day-{key}", "")
    if act == "add":
        await waves.add_wave(here.session, plan, name, day_of(day), here.today)
    elif act == "change":
        await waves.change_wave(here.session, plan, wave, name, day_of(day), form.get(f"reason-{key}", ""))
    elif act == "drop":
        await waves.drop_wave(here.session, plan, wave)
    elif act == "place":
        await waves.place(here.session, plan, form.get("facility", ""), form.get("into", ""))
    else:
        raise Invalid(N_("The form is not complete."))
    return act
