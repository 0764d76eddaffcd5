"""The pages of one record: its parts, the timeline, search, who looked. Whose it is stands in the address."""

from typing import Any

from starlette.responses import Response

from continuum.access.views import View
from continuum.apps.frame.visit import Visit
from continuum.apps.portal.topics import Topic, about
from continuum.apps.portal.whose import Whose, whose
from continuum.chart import timeline as lines
from continuum.chart.entry import Entry
from continuum.chart.growth_reference import growth_chart
from continuum.chart.limits import DRAWN_COUNT, SEARCH_MAX_CHARS, SECTION_COUNT, SERIES_COUNT, TIMELINE_COUNT
from continuum.chart.plainly import CRITICAL, movement, standing
from continuum.chart.section import Section, Shown, criteria, entries, section, sections
from continuum.chart.trends import ADULT_AGE_Y, Course, courses, drawn
from continuum.chart.within import within
from continuum.kernel.errors import NotFound
from continuum.ui.language import gettext
from continuum.ui.view import showing

_NEWEST = 6
_MINE = frozenset({"own", "amendments"})


def open_sections(here: Whose) -> list[Section]:
    """The parts of the record that are open, in their order."""
    return [one for one in sections().values() if here.limits.opens(one.key)]


def title_of(section: Section, here: Whose) -> str:
    """What a part is called: what is "mine" to the person is "the person's" to others. In the reader's language."""
    return gettext(section.plain if here.own or section.key not in _MINE else section.title)


def show(x: Visit, here: Whose, template: str, at: str, *, status: int = 200, **values: Any) -> Response:
    """A page of a record: the navigation within it, and whose it is, if it is somebody else's."""
    with showing(x.reader):
        aside = [(gettext("Overview"), here.base, at == "overview", None),
                 (gettext("Timeline"), f"{here.base}/timeline", at == "timeline", None)]  # fmt: skip
        aside += [(title_of(one, here), f"{here.base}/{one.key}", at == one.key, None) for one in open_sections(here)]
        aside.append((gettext("Take it along"), f"{here.base}/take-along", at in {"take-along", "links"}, None))
        if not here.limits.closed and here.limits.sections is None:
            aside.append((gettext("Who looked"), f"{here.base}/who-looked", at in {"who-looked", "disclosures"}, None))
    waiting = sorted(here.looking.waiting.values(), key=lambda one: one.until)
    return x.page(
        template,
        status=status,
        here=here,
        record=here.base,
        at=at,
        aside_items=aside,
        waiting=waiting,
        title_of=title_of,
        **values,
    )


async def overview(x: Visit) -> Response:
    """The first page of a record: its parts, and what is newest."""
    here = await whose(x)
    shown = await newest(here, _NEWEST, among=TIMELINE_COUNT)
    return show(x, here, "portal/overview.html", "overview", open_parts=open_sections(here), newest=shown)


async def newest(here: Whose, count: int, *, among: int) -> list[tuple[Section, Entry]]:
    """The newest entries of all parts that are open; `among` so many of each, which what waits is told of, too."""
    _, found = await lines.timeline(here.looking, here.patient_id, staff=False, count=among)
    return [pair for pair in found.entries if here.limits.opens(pair[0].key)][:count]


async def timeline(x: Visit) -> Response:
    """Everything from every source, newest first."""
    here = await whose(x)
    only = x.query.get("only", "")
    if only:
        section(only)
        here.looking.require(only)
    before = x.query.get("before", "")
    day = before if len(before) <= len("2026-01-01") and before.replace("-", "").isdigit() else ""
    _, found = await lines.timeline(here.looking, here.patient_id, before=day, only=only, staff=False)
    shown = [pair for pair in found.entries if here.limits.opens(pair[0].key)]
    kinds = [one for one in lines.kinds() if here.limits.opens(one.key)]
    return show(x, here, "portal/timeline.html", "timeline", lines=shown, on=found.on, kinds=kinds, only=only)


async def part(x: Visit) -> Response:
    """One part of the record."""
    here = await whose(x)
    wanted = section(x.param("section"))
    here.looking.require(wanted.key)
    cursor = x.query.get("from", "")
    series = wanted.charted and x.query.get("as", "") != "list"
    count = {"count": SERIES_COUNT} if series else {}
    text = criteria(wanted, **count, more=f"&_cursor={cursor}" if cursor else "")
    glance = series and wanted.key == "labs" and not x.query.get("code")
    view = await here.looking.view(wanted.key, here.patient_id, {wanted.key: text}, places=not glance)
    shown = Shown(wanted, entries(wanted, view, wanted.key), view.on.get(wanted.key, ""))
    if series:
        return _charted(x, here, view, shown)
    return show(x, here, "portal/section.html", wanted.key, part=shown, listed=wanted.charted, topics=_topics(shown))


def _topics(shown: Shown) -> tuple[Topic, ...]:
    """What there is to read about the conditions of now."""
    if shown.section.key != "problems":
        return ()
    return about(one.title for one in shown.entries if one.group == "Now" and not one.wrong)


def _charted(x: Visit, here: Whose, view: View, shown: Shown) -> Response:
    adult = _is_adult(view.patient.get("birthDate", ""), x)
    every = courses([one for one in shown.entries if not one.wrong])
    code = x.query.get("code", "")
    found = tuple(one for one in every if one.code == code) if code else every
    if code and not found:
        raise NotFound("There is no such entry in this record.")
    glance = shown.section.key == "labs" and not code
    with showing(x.reader):
        # Results at a glance are words; the page of one test shows its course whole.
        charts = {} if glance else {
            one.code or one.title: drawn(one if code else one.newest(DRAWN_COUNT), x.reader, adult=adult)
            for one in found if len(one.entries) > 1
        }  # fmt: skip
        grown = () if glance or adult or code else found
        born, sex = view.patient.get("birthDate", ""), view.patient.get("gender", "")
        growth = [growth_chart(one, born=born, sex=sex, reader=x.reader) for one in grown]
    listed = found[0].entries if code else ()
    return show(
        x, here, "portal/courses.html", shown.section.key, part=shown, courses=found, charts=charts, code=code,
        told={one.code or one.title: words_on(one) for one in found}, glance=glance, critical=CRITICAL,
        growth=[one for one in growth if one is not None], single=Shown(shown.section, listed[:SECTION_COUNT]),
    )  # fmt: skip


def words_on(course: Course) -> list[str]:
    """What can be said of the newest value in plain words; messages of ours."""
    return [text for text in (standing(course.last), movement(course)) if text]


def _is_adult(born: str, x: Visit) -> bool:
    return bool(born) and born[:4].isdigit() and x.reader.today.year - int(born[:4]) >= ADULT_AGE_Y


async def search(x: Visit) -> Response:
    """Search within the record."""
    here = await whose(x)
    q = " ".join(x.query.get("q", "").split())[:SEARCH_MAX_CHARS]
    found = await within(here.looking, here.patient_id, q, open_sections(here)) if q else None
    return show(x, here, "portal/search.html", "search", q=q, found=found)


async def entry_of(here: Whose, key: str, entry_id: str) -> Entry:
    """One entry, if it is open. Raises NotFound."""
    wanted = section(key)
    here.looking.require(key)
    kind = wanted.search.partition("?")[0]
    clean = entry_id if entry_id.replace("-", "").replace(".", "").isalnum() else "-"
    view = await here.looking.view(f"{key}/{clean}", here.patient_id, {key: f"{kind}?_id={clean}"})
    found = entries(wanted, view, key)
    if not found:
        raise NotFound("There is no such entry in this record.")
    return found[0]
