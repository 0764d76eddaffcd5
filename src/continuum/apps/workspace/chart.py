"""The pages of one patient's chart. The patient is in the address, so several charts open without being mixed up."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from continuum.access.views import View
from continuum.apps.frame.visit import Visit
from continuum.apps.workspace.area import BASE, rescues, staff
from continuum.chart import timeline as lines
from continuum.chart.banner import SEARCHES, banner
from continuum.chart.entry import N_
from continuum.chart.growth_reference import growth_chart
from continuum.chart.limits import DRAWN_COUNT, SECTION_COUNT, SERIES_COUNT
from continuum.chart.release import waiting
from continuum.chart.roles import ROLES
from continuum.chart.section import Shown, criteria, entries, section, sections
from continuum.chart.summary import summary as summarize
from continuum.chart.trends import ADULT_AGE_Y, courses, drawn
from continuum.identity import accounts
from continuum.kernel.errors import Forbidden
from continuum.ui.language import gettext
from continuum.ui.view import showing

WRITABLE: Mapping[str, str] = {
    "allergies": N_("Record an allergy"), "problems": N_("Record a problem"), "vitals": N_("Record vital signs"),
    "notes": N_("Write a note"),
}  # fmt: skip
"""Parts of the chart that take first writes, and what the button says."""
_WRITES: Mapping[str, frozenset[str]] = {
    "allergies": frozenset({"AllergyIntolerance"}), "problems": frozenset({"Condition"}),
    "vitals": frozenset({"Observation"}), "notes": frozenset({"DocumentReference"}),
}  # fmt: skip
"""What each of them writes; who may not is not offered it."""


def aside(patient_id: str, here: str) -> list[tuple[str, str, bool, None]]:
    """The navigation within a chart."""
    base = f"{BASE}/patients/{patient_id}"
    items = [(gettext("Summary"), base, here == "summary", None),
             (gettext("Timeline"), f"{base}/timeline", here == "timeline", None)]  # fmt: skip
    items += [(gettext(one.title), f"{base}/{one.key}", here == one.key, None) for one in sections().values()]
    items.append((gettext("Who looked"), f"{base}/who-looked", here == "who-looked", None))
    return items


def show(x: Visit, view: View, template: str, here: str, **values: Any) -> Response:
    """A page of the chart, with the banner on top."""
    patient_id = view.patient["id"]
    may = x.record().writable
    offered = {key: text for key, text in WRITABLE.items() if _WRITES[key] <= may}
    with showing(x.reader):
        shown = banner(view)
        items = aside(patient_id, here)
    return x.page(
        template, patient=shown, aside_items=items, here=here, chart=f"{BASE}/patients/{patient_id}",
        patient_id=patient_id, writable=offered, emergency=x.emergency, rescues=rescues(x),
        **{"waiting": {}, **values},
    )  # fmt: skip


async def summary(x: Visit) -> Response:
    """What matters now, what changed, what is due."""
    desk = await staff(x)
    patient_id = x.param("patient_id")
    view, found = await summarize(x.record(), patient_id, x.reader.today)
    await desk.opened(patient_id)
    return show(x, view, "workspace/summary.html", "summary", summary=found, sections=sections())


async def timeline(x: Visit) -> Response:
    """Everything from every source, newest first."""
    await staff(x)
    only = x.query.get("only", "")
    if only:
        section(only)
    view, found = await lines.timeline(
        x.record(), x.param("patient_id"), before=_day(x.query.get("before", "")), only=only
    )
    return show(x, view, "workspace/timeline.html", "timeline", timeline=found, kinds=lines.kinds(), only=only)


def _day(text: str) -> str:
    return text if len(text) <= len("2026-01-01") and text.replace("-", "").isdigit() else ""


async def part(x: Visit) -> Response:
    """One section."""
    await staff(x)
    wanted = section(x.param("section"))
    cursor = x.query.get("from", "")
    count = {"count": SERIES_COUNT} if wanted.charted else {}
    more = f"&_cursor={quote(cursor)}" if cursor else ""
    if wanted.charted and x.query.get("code"):
        more += f"&code={quote(x.query['code'])}"
    searches = dict(SEARCHES) | {wanted.key: criteria(wanted, **count, more=more)}
    grid = wanted.key == "labs" and not x.query.get("code")
    view = await x.record().view(wanted.key, x.param("patient_id"), searches, places=not grid)
    shown = Shown(wanted, entries(wanted, view, wanted.key), view.on.get(wanted.key, ""))
    if wanted.charted:
        return _charted(x, view, shown)
    held = waiting(view.found.get(wanted.key, ()), {one.id for one in shown.entries}, x.now)
    return show(x, view, "workspace/section.html", wanted.key, part=shown, waiting=held)


def _charted(x: Visit, view: View, shown: Shown) -> Response:
    adult = _is_adult(view.patient.get("birthDate", ""), x)
    every = courses([one for one in shown.entries if not one.wrong])
    code = x.query.get("code", "")
    found = tuple(one for one in every if one.code == code) if code else every
    grid = shown.section.key == "labs" and not code
    with showing(x.reader):
        # Many charts on one page are short; the page of one course shows all of it.
        charts = {} if grid else {
            one.code or one.title: drawn(one if code else one.newest(DRAWN_COUNT), x.reader, adult=adult)
            for one in found if len(one.entries) > 1
        }  # fmt: skip
        born, sex = view.patient.get("birthDate", ""), view.patient.get("gender", "")
        children = () if grid or adult else found
        grown = [growth_chart(one, born=born, sex=sex, reader=x.reader) for one in children]
    days = list(dict.fromkeys(one.day for one in shown.entries if one.day))[:_GRID_DAYS]
    rows = [(one, {entry.day: entry for entry in reversed(one.entries)}) for one in found] if grid else []
    listed = [one for one in shown.entries if not code or any(key.endswith(f"|{code}") for key in one.codes)]
    single = Shown(shown.section, tuple(listed[:SECTION_COUNT]))
    return show(
        x, view, "workspace/courses.html", shown.section.key, part=shown, courses=found, charts=charts, days=days,
        grid=rows, code=code, growth=[one for one in grown if one is not None], single=single,
        waiting=waiting(view.found[shown.section.key], {one.id for one in single.entries if code}, x.now),
    )  # fmt: skip


_GRID_DAYS = 8
"""Columns of the grid of results: as many as a wide page takes."""


def _is_adult(born: str, x: Visit) -> bool:
    return bool(born) and born[:4].isdigit() and x.reader.today.year - int(born[:4]) >= ADULT_AGE_Y


async def who_looked(x: Visit) -> Response:
    """The trace of this chart, for those who watch over it."""
    await staff(x)
    patient_id = x.param("patient_id")
    session = x.record()
    view = await session.view("who-looked", patient_id, SEARCHES)
    try:
        page = await session.search(session.parse("AuditEvent", f"patient={patient_id}&_count=50"))
    except Forbidden as error:
        return show(x, view, "workspace/who_looked.html", "who-looked", rows=None, words=str(error))
    from continuum.chart.looked import rows  # noqa: PLC0415  with the page that needs it

    found = rows(page)
    async with x.services.sign_on.connect() as conn:
        names = await accounts.names(conn, sorted({one.who for one in found}))
    return show(x, view, "workspace/who_looked.html", "who-looked", rows=found, words="", names=names, roles=ROLES)
