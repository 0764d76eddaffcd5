"""Breaking the glass: from anywhere one click to this page, and one more, with a reason, to the record."""

from urllib.parse import quote

from starlette.responses import Response

from continuum.access.limits import EMERGENCY_REASON_CHARS, EMERGENCY_REASON_MIN_CHARS, EMERGENCY_S
from continuum.apps.frame.visit import Visit
from continuum.apps.workspace.area import BASE, EMERGENCY, staff
from continuum.chart.entry import N_
from continuum.kernel.errors import DomainError
from continuum.ui.language import gettext
from continuum.ui.people import Problem
from continuum.ui.view import showing

WHOM = N_("Write the DoD ID or another number of the patient.")
_FIELDS = {404: "identifier", 422: "reason"}
"""Beside which field a refusal stands, by its status; every other one is a page of its own."""


async def break_glass(x: Visit) -> Response:
    """Opens the record of one patient to one person for a while; who watches, and the patient, see it at once."""
    await staff(x)
    x.purpose = EMERGENCY
    session = x.record()
    patient_id = x.query.get("patient", "")
    if x.request.method == "GET":
        return _page(x, patient_id, ())
    identifier = "" if patient_id else x.form.get("identifier", "").strip()
    if not patient_id and not identifier:
        with showing(x.reader):
            return _page(x, patient_id, (Problem("identifier", gettext(WHOM)),))
    try:
        made = await session.oversight.break_glass(patient_id, x.form.get("reason", ""), identifier=identifier)
    except DomainError as refusal:
        if refusal.status not in _FIELDS or (patient_id and _FIELDS[refusal.status] == "identifier"):
            raise
        with showing(x.reader):
            return _page(x, patient_id, (Problem(_FIELDS[refusal.status], gettext(str(refusal))),))
    return x.go(f"{BASE}/patients/{quote(made.patient_id)}")


def _page(x: Visit, patient_id: str, problems: tuple[Problem, ...]) -> Response:
    return x.page(
        "workspace/emergency.html", patient_id=patient_id, problems=problems, fields=x.form,
        errors={one.field: one.text for one in problems}, hours=EMERGENCY_S // 3600,
        least=EMERGENCY_REASON_MIN_CHARS, most=EMERGENCY_REASON_CHARS, status=422 if problems else 200,
    )  # fmt: skip
