"""The first page: find a patient, today's appointments, charts opened lately, own lists, what is unfinished."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from continuum.apps.frame.visit import Visit
from continuum.apps.workspace.area import BASE, rescues, staff
from continuum.chart.banner import SEXES, identifiers
from continuum.chart.entry import N_
from continuum.chart.finding import Found, by_ids, find
from continuum.chart.limits import FOUND_MAX
from continuum.chart.listing import Lists, PatientList
from continuum.chart.reading import Resource, first_words
from continuum.fhir.json import parse
from continuum.kernel.errors import DomainError
from continuum.ui.language import gettext
from continuum.ui.view import showing

Json = dict[str, Any]
_LISTED = 6
"""People of each list on the first page."""
DRAFT_NAMES = {"note": N_("Note"), "allergies": N_("Allergy"), "problems": N_("Problem"), "vitals": N_("Vital signs")}


async def home(x: Visit) -> Response:
    """What somebody needs at the beginning of a day."""
    desk = await staff(x)
    session = x.record()
    opened, mine = await desk.recent(), await _mine(x)
    listed = [patient_id for one in mine for patient_id in one.patient_ids[:_LISTED]]
    known = {one["id"]: one for one in await by_ids(session, list(dict.fromkeys([*opened, *listed])))}
    recent = _known_of(known, opened)
    today, patients = await _today(x)
    return x.page(
        "workspace/home.html", recent=rows_of(x, recent), today=today,
        lists=[(one.name, rows_of(x, _known_of(known, one.patient_ids[:_LISTED])), len(one.patient_ids))
               for one in mine],
        names={one["id"]: one.get("name", []) for one in patients}, drafts=await desk.drafts(), q="", found=None,
        draft_names=DRAFT_NAMES,
    )  # fmt: skip


async def _mine(x: Visit) -> list[PatientList]:
    """The lists of whoever is here that have somebody."""
    assert x.account is not None, "somebody stands here"
    mine = await Lists(x.access, x.services.sign_on.vault, x.account.account_id).all()
    return [one for one in mine if one.patient_ids or not one.list_id]


def _known_of(known: dict[str, Resource], ids: Sequence[str]) -> list[Resource]:
    """Those of some patients whom the session may know of."""
    return [known[one] for one in ids if one in known]


async def _today(x: Visit) -> tuple[list[Json], list[Resource]]:
    """Today's appointments of those whom the session may see: when, why, who."""
    session = x.record()
    day = x.reader.today.isoformat()
    text = (
        f"date={day}&status=booked,arrived,checked-in,pending&_sort=date&_count={FOUND_MAX}"
        "&_include=Appointment:patient"
    )
    try:
        page = await session.search(session.parse("Appointment", text))
    except DomainError:
        return [], []
    appointments = [parse(one.body) for one in page.matches if one.body is not None]
    patients = [parse(one.body) for one in page.included if one.body is not None]
    known = {one["id"] for one in patients}
    rows = []
    for one in appointments:
        ids = [str(part.get("actor", {}).get("reference", "")).removeprefix("Patient/") for part in one["participant"]]
        who = next((name for name in ids if name in known), "")
        if who:
            rows.append({
                "start": one.get("start", ""), "patient_id": who,
                "why": one.get("description") or first_words(one.get("serviceType")),
            })  # fmt: skip
    return rows, patients


def rows_of(x: Visit, patients: list[Resource]) -> list[Json]:
    """Patients as a list to choose from has them."""
    with showing(x.reader):
        return [
            {
                "id": one["id"], "names": one.get("name", []), "born": one.get("birthDate", ""),
                "sex": gettext(SEXES.get(one.get("gender", "unknown"), SEXES["unknown"])),
                "identifiers": identifiers(one), "href": f"{BASE}/patients/{one['id']}",
                "phone": next((part["value"] for part in one.get("telecom", ()) if part.get("system") == "phone"), ""),
            }
            for one in patients
        ]  # fmt: skip


async def search(x: Visit) -> Response:
    """Those who were found; as a part of the page while somebody types."""
    await staff(x)
    q = x.query.get("q", "").strip()
    found = await find(x.record(), q) if q else Found()
    one = found.patients[0]["id"] if len(found.patients) == 1 and not found.alike else ""
    if one and not x.partial and x.query.get("go"):
        return x.go(f"{BASE}/patients/{quote(one)}")
    template = "workspace/found_part.html" if x.partial else "workspace/find.html"
    return x.page(template, q=q, found=found, rows=rows_of(x, list(found.patients)), rescues=rescues(x))


async def palette(x: Visit) -> Response:
    """What the palette offers for a few typed letters: patients."""
    await staff(x)
    q = x.query.get("q", "").strip()
    found = await find(x.record(), q) if len(q) > 1 else Found()
    return x.page("workspace/palette_part.html", rows=rows_of(x, list(found.patients)[:8]), q=q)


async def unfinished(x: Visit) -> Response:
    """What somebody has typed and not signed."""
    desk = await staff(x)
    drafts = await desk.drafts()
    people = await by_ids(x.record(), list(dict.fromkeys(one.patient_id for one in drafts)))
    return x.page(
        "workspace/unfinished.html", drafts=drafts, names={one["id"]: one.get("name", []) for one in people},
        draft_names=DRAFT_NAMES,
    )  # fmt: skip
