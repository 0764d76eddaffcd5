"""A clinician has talked with the person about a result that waited: the person sees it from now on."""

from urllib.parse import quote

from starlette.responses import Response

from continuum.access import Operation
from continuum.apps.frame.visit import Visit
from continuum.apps.workspace.area import BASE, staff
from continuum.apps.workspace.writing import plain
from continuum.chart.banner import SEARCHES
from continuum.chart.limits import SECTION_COUNT
from continuum.chart.reading import Resource, version_of
from continuum.chart.release import held, released
from continuum.chart.section import section
from continuum.kernel.errors import NotFound


async def release(x: Visit) -> Response:
    """Shows a result to the person from now on, and the single values of a report with it."""
    await staff(x)
    patient_id, wanted, entry_id = x.param("patient_id"), section(x.param("section")), x.param("entry_id")
    kind = wanted.search.partition("?")[0]
    session, label = x.record(), f"{wanted.key}/{entry_id}"
    view = await session.view(label, patient_id, {**SEARCHES, wanted.key: f"{kind}?_id={quote(entry_id)}"})
    if not view.found.get(wanted.key):
        raise NotFound("There is no such entry in this chart.")
    found: list[Resource] = list(view.found[wanted.key][:1])
    parts = [str(one.get("reference", "")) for one in found[0].get("result", ())]
    ids = [one.removeprefix("Observation/") for one in parts if one.startswith("Observation/")][:SECTION_COUNT]
    if ids:
        text = f"Observation?_id={quote(','.join(ids))}&_count={len(ids)}"
        found = [*found, *(await session.view(label, patient_id, {"results": text})).found["results"]]
    held_back = [one for one in found if held(one, x.now) is not None]
    if held_back:
        await session.transaction([
            Operation("PUT", one["resourceType"], id=one["id"], if_match=version_of(one), resource=plain(released(one)))
            for one in held_back
        ])  # fmt: skip
    return x.go(f"{BASE}/patients/{patient_id}/{wanted.key}", done="released")
