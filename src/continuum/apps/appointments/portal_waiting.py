"""Waiting for an earlier time, and what was offered."""

from starlette.responses import Response

from continuum.apps.appointments.booker import booker
from continuum.apps.appointments.portal_pages import refuse_older, show
from continuum.apps.appointments.shown import one
from continuum.apps.frame.visit import Visit
from continuum.clinical.scheduling import offers
from continuum.clinical.scheduling.finding import kind_of
from continuum.clinical.scheduling.model import actor_of
from continuum.clinical.scheduling.reading import read
from continuum.kernel.errors import Invalid


async def join(x: Visit) -> Response:
    """Onto the waiting list: for a kind of visit, or for an earlier time than one that is booked."""
    here = await booker(x)
    kind, instead = x.form.get("kind", ""), x.form.get("instead_of", "")
    if instead:
        item = await one(here.session, instead, here.patient_id, here.now, here.zone)
        if not item.ahead:
            raise Invalid("This appointment is over, or was called off before.")
        kind = actor_of(item.resource, "HealthcareService")
    await refuse_older(here, kind_of(await read(here.session, "HealthcareService", kind)).facility_id)
    await offers.join(here.session, here.patient_id, kind, here.now, instead_of=instead)
    return x.go(f"{here.base}/{instead}" if instead else here.base, done="waiting")


async def leave(x: Visit) -> Response:
    """Off the waiting list."""
    here = await booker(x)
    await offers.leave(here.session, x.param("entry_id"), here.patient_id)
    return x.go(here.base, done="left")


async def offer(x: Visit) -> Response:
    """An offered time: take it or leave it to the next."""
    here = await booker(x)
    item = await one(here.session, x.param("entry_id"), here.patient_id, here.now, here.zone)
    over = item.state != "proposed" or item.offered_until is None or item.offered_until < here.now
    if x.request.method == "POST" and not over:
        if x.form.get("answer") == "take":
            made = await offers.accept(here.session, item.id, here.patient_id, here.now)
            return x.go(f"{here.base}/{made['id']}", done="taken")
        if x.form.get("answer") == "leave":
            await offers.decline(here.session, item.id, here.patient_id)
            return x.go(here.base, done="declined")
    earlier = False if over else bool(await offers.instead_of(here.session, item.resource, here.patient_id))
    return show(x, here, "offer.html", item=item, over=over, earlier=earlier, status=409 if over else 200)
