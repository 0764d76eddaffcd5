"""What somebody adds to their own record: readings, notes, requests for correction."""

from datetime import datetime
from typing import Any

from starlette.responses import Response

from continuum.access import Operation
from continuum.apps.frame.visit import Visit
from continuum.apps.portal.record import entry_of, show
from continuum.apps.portal.whose import Whose, now_of, own_only
from continuum.chart import own
from continuum.chart.measuring import SIGN_NAMES, SIGNS
from continuum.chart.reading import version_of
from continuum.chart.sections import own as own_section
from continuum.chart.sheet import Author, Checked
from continuum.chart.writing import taken_back
from continuum.fhir.json import dump, parse
from continuum.kernel.errors import NotFound
from continuum.ui.formats.quantities import unit

_WRITERS = {"reading": own.readings, "note": own.note}
_OWN_FIELDS = frozenset({"csrf", "sure"})


def author(x: Visit) -> Author:
    """Who writes, and when."""
    assert x.account is not None, "somebody stands here"
    now: datetime = now_of(x).astimezone(x.reader.zone).replace(microsecond=0)
    return Author(x.account.display_name, None, now.isoformat(), x.reader.today)


async def new(x: Visit) -> Response:
    """A reading or a note of one's own."""
    here = await own_only(x)
    kind = x.param("kind")
    if kind not in _WRITERS:
        raise NotFound("There is no such page.")
    fields = {name: value for name, value in x.form.items() if name not in _OWN_FIELDS and value}
    if x.request.method == "GET":
        return _form(x, here, kind, fields, Checked())
    checked = _WRITERS[kind](fields, here.patient_id, author(x))
    if checked.problems or (checked.doubts and not x.form.get("sure")):
        return _form(x, here, kind, fields, checked, status=422)
    await here.session.transaction([
        Operation("POST", one["resourceType"], resource=parse(dump(one))) for one in checked.resources
    ])  # fmt: skip
    return x.go(f"{here.base}/own", done="own")


def _form(x: Visit, here: Whose, kind: str, fields: dict[str, str], checked: Checked, **more: Any) -> Response:
    errors = {one.field: one.text for one in (*checked.problems, *checked.doubts)}
    return show(
        x, here, f"portal/new_{kind}.html", "own", fields=fields, problems=checked.problems, doubts=checked.doubts,
        errors=errors, unit=unit, signs=SIGNS, sign_names=SIGN_NAMES, **more,
    )  # fmt: skip


async def take_back(x: Visit) -> Response:
    """Takes an own reading or note back; it stays, struck out."""
    here = await own_only(x)
    entry = await entry_of(here, own_section.SECTION.key, x.param("entry_id"))
    stored = await here.session.read(entry.resource_type, entry.id)
    resource = parse(stored.body) if stored.body is not None else {}
    if not entry.wrong:
        await here.session.update(parse(dump(taken_back(resource))), if_match=version_of(resource))
    return x.go(f"{here.base}/own", done="back")


async def correct(x: Visit) -> Response:
    """Asks for a correction of one entry."""
    here = await own_only(x)
    key = x.param("section")
    entry = await entry_of(here, key, x.param("entry_id"))
    checked = Checked()
    if x.request.method == "POST":
        checked = own.correction(x.form, here.patient_id, author(x), entry)
        if not checked.problems:
            await here.session.create(parse(dump(checked.resources[0])))
            return x.go(f"{here.base}/amendments", done="asked")
    return show(
        x, here, "portal/correct.html", key, entry=entry, text=x.form.get("text", ""),
        problems=checked.problems, status=422 if checked.problems else 200,
    )  # fmt: skip
