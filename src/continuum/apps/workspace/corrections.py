"""Requests for correction, as staff see them: the list of those that wait, and the answer to one of them."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from continuum.access.views import View
from continuum.apps.frame.visit import Visit
from continuum.apps.workspace.area import BASE, staff
from continuum.apps.workspace.chart import show
from continuum.apps.workspace.writing import author, plain
from continuum.chart.amending import ANSWERS, answered, due, waits
from continuum.chart.banner import SEARCHES
from continuum.chart.entry import N_, Entry
from continuum.chart.limits import AMENDMENTS_COUNT
from continuum.chart.reading import Resource, version_of
from continuum.chart.section import entries, section
from continuum.chart.sections.amendments import CATEGORY, WAITING, make
from continuum.chart.sheet import Checked
from continuum.fhir.json import parse
from continuum.kernel.errors import DomainError, Forbidden, NotFound
from continuum.ui.language import gettext
from continuum.ui.people import Problem
from continuum.ui.view import showing

_KEY = "amendments"
CHANGED = N_("This request was changed or answered meanwhile. Yours was not sent; what you wrote stands below.")


PRECONDITION_FAILED = 412


@dataclass(frozen=True, slots=True)
class Row:
    """A request that waits: whose it is, what it is about, and the last day for its answer."""

    patient_id: str
    names: list[dict[str, Any]]
    entry: Entry
    until: date | None
    late: bool


async def waiting(x: Visit) -> Response:
    """Requests that wait, of patients whose records one sees, the oldest first."""
    await staff(x)
    cursor = x.query.get("from", "")
    text = f"category={quote(CATEGORY, safe='|')}&status={WAITING}&_sort=sent&_count={AMENDMENTS_COUNT}"
    text += "&_include=Communication:patient" + (f"&_cursor={quote(cursor)}" if cursor else "")
    session = x.record()
    try:
        page = await session.search(session.parse("Communication", text))
    except Forbidden:
        return x.page("workspace/corrections.html", rows=[], on="")
    people = {one["id"]: one for one in (parse(two.body) for two in page.included if two.body is not None)}
    rows = []
    for stored in page.matches:
        found = parse(stored.body) if stored.body is not None else {}
        patient_id = str(found.get("subject", {}).get("reference", "")).removeprefix("Patient/")
        if patient_id in people:
            until = due(found)
            late = until is not None and until < x.reader.today
            rows.append(Row(patient_id, people[patient_id].get("name", []), make(found, {}), until, late))
    return x.page("workspace/corrections.html", rows=rows, on=page.next_cursor or "")


async def answer(x: Visit) -> Response:
    """The answer to one request. Who comes second is told, and their words stay in the form."""
    await staff(x)
    view, resource = await _request(x)
    patient_id, checked, words, status = x.param("patient_id"), Checked(), "", 200
    if x.request.method == "POST" and waits(resource):
        checked, status = answered(resource, x.form, author(x)), 422
        if checked.resources:
            try:
                await x.record().update(plain(checked.resources[0]), if_match=version_of(resource))
            except DomainError as error:
                if error.status != PRECONDITION_FAILED:
                    raise
                view, resource = await _request(x)
            else:
                return x.go(f"{BASE}/patients/{patient_id}/{_KEY}", done="answered")
    if x.request.method == "POST" and not checked.problems:
        words, status = CHANGED, 409
    shown = entries(section(_KEY), view, _KEY)
    with showing(x.reader):
        problems = [Problem(one.field, gettext(one.text)) for one in checked.problems]
        options = [(key, gettext(text)) for key, text in ANSWERS.items()]
    page = show(
        x, view, "workspace/answer.html", _KEY, entry=shown[0], waits=waits(resource), until=due(resource),
        shown_problems=problems, errors={one.field: one.text for one in problems}, options=options, words=words,
        decision=x.form.get("decision", ""), typed=x.form.get("answer", ""),
        about=_about(resource),
    )  # fmt: skip
    page.status_code = status
    return page


async def _request(x: Visit) -> tuple[View, Resource]:
    """The request that the address names, if it is of this patient. Raises NotFound."""
    entry_id = x.param("entry_id")
    text = f"Communication?_id={quote(entry_id)}&category={quote(CATEGORY, safe='|')}"
    view = await x.record().view(f"{_KEY}/{entry_id}", x.param("patient_id"), {**SEARCHES, _KEY: text})
    if not view.found.get(_KEY):
        raise NotFound("There is no such entry in this chart.")
    return view, view.found[_KEY][0]


_SECTION_OF = {
    "AllergyIntolerance": "allergies", "Condition": "problems", "DocumentReference": "notes", "Procedure": "procedures",
    "Immunization": "immunizations", "MedicationRequest": "medicines", "MedicationStatement": "medicines",
    "Encounter": "visits", "DiagnosticReport": "reports",
}  # fmt: skip


def _about(resource: dict[str, Any]) -> str:
    """The address, below the chart, of the entry that the request is about; "" where no one page shows it."""
    reference = next((str(one.get("reference", "")) for one in resource.get("about", ())), "")
    kind, _, entry_id = reference.partition("/")
    return f"{_SECTION_OF[kind]}#{kind}-{entry_id}" if kind in _SECTION_OF else ""
