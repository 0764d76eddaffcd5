"""First writes into a chart: an allergy, a problem, vital signs, a note. Drafts are kept; nobody's words are lost."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from starlette.responses import PlainTextResponse, Response

from continuum.access import Operation
from continuum.access.views import View
from continuum.apps.frame.visit import Visit
from continuum.apps.signon.marked import unattended
from continuum.apps.workspace.area import BASE, staff
from continuum.apps.workspace.chart import show
from continuum.chart import codes, writing
from continuum.chart.banner import SEARCHES
from continuum.chart.desk import Desk, Draft
from continuum.chart.entry import N_
from continuum.chart.limits import REASON_MAX_CHARS
from continuum.chart.reading import version_of
from continuum.chart.section import entries, section
from continuum.chart.writing import WRITERS, Author, Checked, Json
from continuum.fhir.json import dump, parse
from continuum.kernel.clock import now_us
from continuum.kernel.errors import Conflict, DomainError, Invalid, NotFound
from continuum.ui.formats.quantities import unit
from continuum.ui.language import gettext
from continuum.ui.people import Problem
from continuum.ui.render import PAGE_HEADERS
from continuum.ui.view import showing

_TYPES = {
    "allergies": "AllergyIntolerance",
    "problems": "Condition",
    "notes": "DocumentReference",
    "vitals": "Observation",
}
_HOUR_US = 3_600_000_000
_OWN = frozenset({"csrf", "sure", "based_on", "next"})
CHANGED_MEANWHILE = N_("Somebody else changed this while you wrote. Nothing is lost: below are your words and theirs.")


def author(x: Visit) -> Author:
    """Who writes, and when."""
    assert x.account is not None, "somebody stands here"
    now = datetime.now(UTC).astimezone(x.reader.zone).replace(microsecond=0)
    return Author(x.account.display_name, x.standing.facility_id, now.isoformat(), x.reader.today)


def _kind(x: Visit) -> str:
    kind = x.param("kind")
    if kind not in WRITERS:
        raise NotFound("A record has no such part to write into.")
    return kind


def _typed(x: Visit) -> dict[str, str]:
    return {name: value for name, value in x.form.items() if name not in _OWN and value}


async def new(x: Visit) -> Response:
    """A new entry: the form, and what becomes of it."""
    desk, kind, patient_id = await staff(x), _kind(x), x.param("patient_id")
    if x.request.method == "GET":
        draft = await desk.draft(patient_id, kind, x.query.get("addend", ""))
        fields = dict(draft.fields) if draft else {}
        if addend := x.query.get("addend", ""):
            fields["addend"] = addend
        return await _form(x, kind, fields, draft=draft)
    fields = _typed(x)
    checked = WRITERS[kind](fields, patient_id, author(x))
    if checked.problems or (checked.doubts and not x.form.get("sure")):
        await _keep(desk, patient_id, kind, fields.get("addend", ""), fields)
        return await _form(x, kind, fields, checked=checked, status=422)
    operations = [Operation("POST", one["resourceType"], resource=plain(one)) for one in checked.resources]
    try:
        await x.record().transaction(operations)
    except DomainError:
        await _keep(desk, patient_id, kind, fields.get("addend", ""), fields)
        raise
    await desk.throw_away(patient_id, kind, fields.get("addend", ""))
    return x.go(f"{BASE}/patients/{patient_id}/{kind}", done="new")


async def _keep(desk: Desk, patient_id: str, kind: str, entry_id: str, fields: dict[str, str]) -> int:
    return await desk.save(Draft(patient_id, kind, entry_id, fields, 0, 0, 0))


def plain(resource: Json) -> Json:
    """As a client would send it: exact decimals, nothing of Python's."""
    again: Json = parse(dump(resource))
    return again


async def _form(
    x: Visit, kind: str, fields: dict[str, str], *, checked: Checked | None = None, draft: Draft | None = None,
    status: int = 200, view: View | None = None, **more: Any,
) -> Response:  # fmt: skip
    if view is None:
        view = await x.record().view(f"{kind}/new", x.param("patient_id"), SEARCHES)
    checked = checked or Checked()
    with showing(x.reader):
        shown = [Problem(one.field, gettext(one.text)) for one in checked.problems]
        errors = {one.field: one.text for one in shown}
        errors |= {one.field: gettext(one.text) for one in checked.doubts if one.field not in errors}
        kinds = [(code, gettext(text)) for code, text in writing.NOTE_TYPES.items()]
    values: dict[str, Any] = {
        "entry": None, "theirs": None, "based_on": 0, "words": "", "others": 0,
        "draft_at": draft.saved_us if draft else 0, **more,
    }  # fmt: skip
    page = show(
        x, view, f"workspace/write_{kind}.html", kind, fields=fields, shown_problems=shown, doubts=checked.doubts,
        errors=errors, signs=writing.SIGNS, sign_names=writing.SIGN_NAMES, note_types=kinds, unit=unit,
        substances=codes.SUBSTANCES.values(), known_problems=codes.PROBLEMS.values(), kind=kind, **values,
    )  # fmt: skip
    page.status_code = status
    return page


@unattended
async def draft(x: Visit) -> Response:
    """Keeps what somebody types; it does not count as activity. A part for the line below the form."""
    desk, kind, patient_id = await staff(x), _kind(x), x.param("patient_id")
    fields = _typed(x)
    entry_id = x.query.get("entry", "") or fields.get("addend", "")
    await x.record().read("Patient", patient_id)
    if x.form.get("away"):
        await desk.throw_away(patient_id, kind, entry_id)
        return x.go(f"{BASE}/patients/{patient_id}/{kind}")
    revision = await _keep(desk, patient_id, kind, entry_id, fields)
    headers = {**PAGE_HEADERS, "X-Revision": str(revision)}
    return PlainTextResponse("saved", headers=headers)


async def _one(x: Visit, kind: str) -> tuple[Json, View]:
    """The entry that the address names, if it is of this patient. Raises NotFound."""
    patient_id = x.param("patient_id")
    wanted = section(kind)
    text = f"{_TYPES[kind]}?_id={x.param('entry_id')}"
    view = await x.record().view(f"{kind}/{x.param('entry_id')}", patient_id, {**SEARCHES, kind: text})
    if not view.found.get(kind) or not entries(wanted, view, kind):
        raise NotFound("There is no such entry in this chart.")
    return view.found[kind][0], view


async def change(x: Visit) -> Response:
    """A problem or an allergy, changed. Who comes second is told, with both versions before them."""
    desk, kind, patient_id = await staff(x), _kind(x), x.param("patient_id")
    if kind not in {"allergies", "problems"}:
        raise Invalid("What was measured or signed is not changed; it is taken back, or added to.")
    before, view = await _one(x, kind)
    now = version_of(before)
    if x.request.method == "GET":
        draft = await desk.draft(patient_id, kind, before["id"])
        fields = dict(draft.fields) if draft else writing.fields_of(before)
        others = await desk.others(patient_id, kind, before["id"], now_us() - _HOUR_US)
        return await _form(x, kind, fields, draft=draft, view=view, entry=before, based_on=now, others=others)
    fields = _typed(x)
    checked = WRITERS[kind](fields, patient_id, author(x))
    based_on = int(x.form.get("based_on", "0")) if x.form.get("based_on", "0").isdigit() else 0
    if checked.problems or (checked.doubts and not x.form.get("sure")):
        await _keep(desk, patient_id, kind, before["id"], fields)
        return await _form(x, kind, fields, checked=checked, view=view, entry=before, based_on=based_on, status=422)
    resource = plain(writing.merged(before, checked.resources[0]))
    try:
        await x.record().update(resource, if_match=based_on)
    except DomainError as error:
        await _keep(desk, patient_id, kind, before["id"], fields)
        if error.status != 412:
            raise
        return await _form(
            x, kind, fields, view=view, entry=before, based_on=now, theirs=writing.fields_of(before),
            words=CHANGED_MEANWHILE, status=409,
        )  # fmt: skip
    await desk.throw_away(patient_id, kind, before["id"])
    return x.go(f"{BASE}/patients/{patient_id}/{kind}", done="changed")


async def wrong(x: Visit) -> Response:
    """Takes an entry back, with a reason. It stays in the chart, struck out."""
    await staff(x)
    kind, patient_id = _kind(x), x.param("patient_id")
    resource, view = await _one(x, kind)
    shown = entries(section(kind), view, kind)[0]
    words = " ".join(x.form.get("reason", "").split())
    problems: tuple[Problem, ...] = ()
    if x.request.method == "POST":
        if not words or len(words) > REASON_MAX_CHARS:
            with showing(x.reader):
                problems = (Problem("reason", gettext(N_("Say why, in one or two sentences."))),)
        elif shown.wrong:
            raise Conflict("This entry was taken back before.")
        else:
            reference, writer = shown.reference, author(x)
            await x.record().transaction((
                Operation("PUT", resource["resourceType"], id=resource["id"], if_match=version_of(resource),
                          resource=plain(writing.taken_back(resource))),
                Operation("POST", "Provenance", resource=plain(writing.reason(reference, patient_id, words, writer))),
            ))  # fmt: skip
            return x.go(f"{BASE}/patients/{patient_id}/{kind}?{urlencode({'done': 'wrong'})}")
    return show(x, view, "workspace/wrong.html", kind, entry=shown, problems=problems, words=words, kind=kind)
