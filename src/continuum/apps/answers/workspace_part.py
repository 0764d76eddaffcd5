"""Staff tick off that they have read what somebody answered before a visit."""

from datetime import UTC, datetime

from starlette.responses import Response

from continuum.apps.frame.part import Part
from continuum.apps.frame.visit import Visit
from continuum.apps.workspace.area import BASE, staff
from continuum.chart.reading import version_of
from continuum.chart.sections.answers import REVIEWED, reviewed
from continuum.fhir.json import dump, parse
from continuum.kernel.clock import now_us
from continuum.kernel.errors import NotFound


async def tick(x: Visit) -> Response:
    """The answers were read: by whom and when stays with them. A second time changes nothing."""
    await staff(x)
    assert x.account is not None, "somebody stands here"
    patient_id, entry_id = x.param("patient_id"), x.param("entry_id")
    session = x.record()
    view = await session.view(f"answers/{entry_id}", patient_id, {"answers": f"QuestionnaireResponse?_id={entry_id}"})
    if not view.found["answers"]:
        raise NotFound("There is no such entry in this chart.")
    found = view.found["answers"][0]
    if not reviewed(found):
        by = {"url": "by", "valueString": x.account.display_name}
        at = {"url": "at", "valueInstant": datetime.fromtimestamp(now_us() / 1_000_000, UTC).isoformat()}
        said = {"url": REVIEWED, "extension": [by, at]}
        changed = {**found, "extension": [*found.get("extension", ()), said]}
        await session.update(parse(dump(changed)), if_match=version_of(found))
    return x.go(f"{BASE}/patients/{patient_id}/answers", done="reviewed")


PART = Part(key="answers", order=90, pages=(("/patients/{patient_id}/answers/{entry_id}/reviewed", tick, ("POST",)),))
