"""Whom somebody looks after: the people of their facility, and lists of their own."""

from urllib.parse import quote, urlencode

from starlette.responses import Response

from continuum.apps.frame.visit import Visit
from continuum.apps.workspace.area import BASE, staff
from continuum.apps.workspace.chart import show
from continuum.apps.workspace.home import rows_of
from continuum.chart.banner import SEARCHES
from continuum.chart.finding import by_ids
from continuum.chart.limits import FOUND_MAX
from continuum.chart.listing import Lists
from continuum.fhir.json import parse
from continuum.kernel.errors import Invalid, NotFound, TooLarge
from continuum.ui.language import gettext
from continuum.ui.people import Problem
from continuum.ui.view import showing

_NEW = "new"


def lists_of(x: Visit) -> Lists:
    """The lists of whoever is here."""
    assert x.account is not None, "somebody stands here"
    return Lists(x.access, x.services.sign_on.vault, x.account.account_id)


async def here(x: Visit) -> Response:
    """The people whom one's facility looks after, by family name, as far as one's role may see them."""
    await staff(x)
    facility = x.standing.facility_id
    if not facility:
        return x.page("workspace/here.html", rows=[], on="", facility="")
    session, cursor = x.record(), x.query.get("from", "")
    text = f"organization={quote(facility)}&active=true&_sort=family&_count={FOUND_MAX}"
    page = await session.search(session.parse("Patient", text + (f"&_cursor={quote(cursor)}" if cursor else "")))
    found = [parse(one.body) for one in page.matches if one.body is not None]
    return x.page("workspace/here.html", rows=rows_of(x, found), on=page.next_cursor or "", facility=facility)


async def lists(x: Visit) -> Response:
    """All lists with their people; a list gets another name, is deleted, or lets somebody go."""
    await staff(x)
    mine, words, status = lists_of(x), "", 200
    if x.request.method == "POST":
        act, list_id = x.form.get("act", ""), x.form.get("list", "")
        try:
            if act == "rename":
                await mine.rename(list_id, x.form.get("name", ""))
            elif act == "delete":
                await mine.delete(list_id)
            elif act == "off":
                await mine.put(list_id, x.form.get("patient", ""), on=False)
            else:
                raise NotFound("There is no such act.")
        except Invalid as error:
            words, status = str(error), 422
        else:
            await x.record().consulted("lists")
            return x.go(f"{BASE}/lists", done=act)
    known = await mine.all()
    ids = list(dict.fromkeys(one for each in known for one in each.patient_ids))
    people = {one["id"]: one for one in await by_ids(x.record(), ids)}
    shown = [
        (one, rows_of(x, [people[each] for each in one.patient_ids if each in people])) for one in known
    ]  # fmt: skip
    return x.page("workspace/lists.html", status=status, lists=shown, words=words)


async def choose(x: Visit) -> Response:
    """On which lists a patient stands; a new list is made by its first patient."""
    await staff(x)
    patient_id, mine = x.param("patient_id"), lists_of(x)
    view = await x.record().view("lists", patient_id, SEARCHES)
    known = await mine.all()
    problems: list[Problem] = []
    if x.request.method == "POST":
        wanted = {one.list_id for one in known if x.form.get(f"on-{one.list_id}")}
        try:
            if x.form.get("name", "").strip():
                wanted.add(await mine.make(x.form["name"]))
            for list_id in wanted | {one.list_id for one in known}:
                await mine.put(list_id, patient_id, on=list_id in wanted)
        except (Invalid, TooLarge) as error:
            with showing(x.reader):
                problems.append(Problem("name", gettext(str(error))))
        else:
            return x.go(f"{BASE}/patients/{patient_id}?{urlencode({'done': 'listed'})}")
    page = show(
        x, view, "workspace/choose_lists.html", "summary", problems=problems, typed=x.form.get("name", ""),
        errors={one.field: one.text for one in problems},
        lists=[(one.list_id, one.name, patient_id in one.patient_ids) for one in known],
    )  # fmt: skip
    page.status_code = 422 if problems else 200
    return page
