"""Kinds of visit of a clinic: how long they take, what people are told before, and whether they are by video."""

from starlette.responses import Response

from continuum.apps.appointments.clinic import HOME, NOT_YOURS, Clinic, clinic, show
from continuum.apps.appointments.clinic_calendars import KEEPERS, NOT_FOR_YOU
from continuum.apps.frame.visit import Visit
from continuum.chart.entry import N_
from continuum.chart.reading import version_of
from continuum.clinical.scheduling.finding import kind_of, kinds, with_kind
from continuum.clinical.scheduling.model import Resource
from continuum.clinical.scheduling.reading import read
from continuum.fhir.json import dump, parse
from continuum.kernel.errors import DomainError, Forbidden, Invalid, NotFound
from continuum.ui.language import gettext
from continuum.ui.view import showing


async def listed(x: Visit) -> Response:
    """All kinds of visit for which the facility gives appointments."""
    here = await clinic(x)
    return show(x, here, "clinic_kinds.html", "kinds", kinds=await kinds(here.session, here.facility_id))


async def one(x: Visit) -> Response:
    """One kind of visit, changed here."""
    here = await clinic(x)
    service = await _ours(here, x.param("service_id"))
    kind, problem, status = kind_of(service), "", 200
    form = {
        "minutes": str(kind.minutes or ""),
        "instructions": kind.instructions,
        "remote": "yes" if kind.remote else "",
    }
    if x.request.method == "POST":
        if x.standing.role not in KEEPERS:
            raise Forbidden(NOT_FOR_YOU)
        form = {name: x.form.get(name, "") for name in form}
        try:
            await _keep(here, service, form, x.form.get("version", ""))
        except DomainError as refusal:
            if refusal.status not in {409, 412, 422}:
                raise
            status = refusal.status
            with showing(x.reader):
                problem = gettext(str(refusal) if refusal.status == 422 else CHANGED)
        else:
            return x.go(f"{HOME}/kinds/{kind.id}", done="kept")
    return show(
        x, here, "clinic_kind.html", "kinds", kind=kind, form=form, problem=problem, status=status,
        version=x.form.get("version") or version_of(service), done=x.query.get("done", ""),
        may_change=x.standing.role in KEEPERS,
    )  # fmt: skip


CHANGED = N_("Somebody has changed this meanwhile. Look at it again; what you typed is kept here.")


async def _keep(here: Clinic, service: Resource, form: dict[str, str], version: str) -> None:
    minutes = form["minutes"].strip()
    if minutes and not (minutes.isascii() and minutes.isdigit()):
        raise Invalid(N_("Write the minutes in digits."))
    made = with_kind(
        service, minutes=int(minutes or "0"), instructions=form["instructions"].strip(), remote=bool(form["remote"])
    )
    await here.session.update(parse(dump(made)), if_match=int(version) if version.isdigit() else version_of(service))


async def _ours(here: Clinic, service_id: str) -> Resource:
    service = await read(here.session, "HealthcareService", service_id)
    if kind_of(service).facility_id != here.facility_id:
        raise NotFound(NOT_YOURS)
    return service
