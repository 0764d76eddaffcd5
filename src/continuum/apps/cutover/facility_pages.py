"""One facility: where it stands, whether it is ready, and what is done with it."""

from pathlib import Path
from typing import Any

from starlette.responses import Response

from continuum.apps.cutover.planner import WAVES, Planner, planner
from continuum.apps.cutover.telling import tell_facility
from continuum.apps.frame.visit import Visit
from continuum.chart.entry import N_
from continuum.interop.cutover import report, waves
from continuum.interop.cutover.limits import REASON_MAX_CHARS, UPLOAD_MAX_BYTES
from continuum.interop.cutover.readiness import Around, readiness, ready
from continuum.interop.cutover.report import TOLD, Report
from continuum.interop.cutover.status import Facility, with_details
from continuum.kernel.errors import DomainError, Invalid
from continuum.ui.language import gettext
from continuum.ui.people import Problem
from continuum.ui.view import showing

_SHOWN = frozenset({400, 409, 412, 422})
_DETAILS = ("line", "city", "state", "postal", "phone", "zone")


def facility_of(x: Visit, here: Planner) -> Facility:
    """The facility that the address names. Raises NotFound."""
    return here.plan.facility(x.param("facility_id"))


def base_of(one: Facility) -> str:
    """Where the pages of a facility begin."""
    return f"{WAVES}/facility/{one.id}"


async def facility_page(x: Visit) -> Response:
    """A facility, and every act on it."""
    here = await planner(x)
    one = facility_of(x, here)
    if x.request.method == "GET":
        return await show(x, here, one)
    here.allowed()
    try:
        done = await _act(x, here, one)
    except DomainError as refusal:
        if refusal.status not in _SHOWN:
            raise
        with showing(x.reader):
            text = gettext(str(refusal))
        act = x.form.get("act", "")
        field = {"details": "zone", "place": "into"}.get(act, f"reason-{act}")
        return await show(x, here, one, [Problem(field, text)], status=422)
    return x.go(base_of(one), done=done)


async def _act(x: Visit, here: Planner, one: Facility) -> str:
    form, session = x.form, here.session
    act, reason = form.get("act", ""), form.get(f"reason-{form.get('act', '')}", "")
    if act == "hold":
        await waves.hold(session, one, reason)
    elif act == "resume":
        await waves.resume(session, one)
    elif act == "live":
        await waves.go_live(session, one)
    elif act == "back":
        await waves.go_back(session, one, reason)
    elif act == "place":
        await waves.place(session, here.plan, one.id, form.get("into", ""))
    elif act == "details":
        changed = with_details(one.resource, {name: form.get(name, "").strip() for name in _DETAILS})
        await waves.save_facility(session, one, changed)
    elif act == "tell":
        people = await tell_facility(x.access, session, one, here.now)
        told = Report(TOLD, one.id, here.now, x.account.display_name if x.account else "")
        told.counts["people"] = people
        await report.keep(session, told)
    else:
        raise Invalid(N_("The form is not complete."))
    return act


async def show(
    x: Visit, here: Planner, one: Facility, problems: list[Problem] | None = None, *, status: int = 200, **more: Any
) -> Response:
    """The page of a facility; registrars see no reports, which name people."""
    reports = await report.reports(here.session, one.id) if here.may else []
    waiting = await report.unmatched(here.session, one.id) if here.may else []
    checks = []
    if here.may:
        on = x.services.sign_on
        backups = Path(x.services.settings.backups) if x.services.settings.backups else None
        around = Around(x.access.connect, on.today(), here.now, backups)
        checks = await readiness(here.session, one, around, reports, len(waiting))
    with showing(x.reader):
        said = [(one_, gettext(one_.words) % one_.values) for one_ in checks]
    address: dict[str, Any] = next(iter(one.resource.get("address", ())), {})
    details = {
        "line": ", ".join(address.get("line", ())), "city": address.get("city", ""), "state": address.get("state", ""),
        "postal": address.get("postalCode", ""), "phone": one.phone,
        "zone": next((said.get("valueCode", "") for said in one.resource.get("extension", ())
                      if str(said.get("url", "")).endswith("/timezone")), ""),
    }  # fmt: skip
    typed = x.form if problems else {}
    return x.page(
        "cutover/facility.html", here=here, one=one, home=WAVES, at=base_of(one), checks=said, ready=ready(checks),
        reports=reports, newest=next((run for run in reports if run.kind != TOLD), None), waiting=waiting,
        problems=problems or [], typed=typed,
        errors={problem.field: problem.text for problem in problems or []}, reason_most=REASON_MAX_CHARS,
        details={**details, **{name: typed[name] for name in _DETAILS if name in typed}},
        most_mib=UPLOAD_MAX_BYTES // 1024 // 1024, status=status, **more,
    )  # fmt: skip
