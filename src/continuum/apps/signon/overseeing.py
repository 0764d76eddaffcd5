"""Who broke the glass, for privacy officers; who looked at my record, when and why, for everybody."""

from starlette.responses import Response

from continuum.access import Actor
from continuum.access import Session as Door
from continuum.access.actor import USUAL_PURPOSE
from continuum.apps.signon.exchange import Exchange
from continuum.identity import standing
from continuum.kernel.errors import Forbidden, NotFound
from continuum.kernel.limits import PAGE_DEFAULT


async def door(x: Exchange, scope: str) -> tuple[Door, Actor]:
    """The door to the record, opened for whoever is signed in, as staff or as a patient."""
    session, account = await x.require()
    access = x.services.access
    if access is None:
        raise NotFound("There is no such page.")
    on = x.services.sign_on
    async with on.connect() as conn:
        stands = await standing.of(conn, account, session, scope, on.today())
    level = session.assurance
    actor = Actor(
        account.account_id, stands.role, account.display_name, stands.facility_id, stands.patient_id,
        practitioner_id=stands.practitioner_id, identity_level=level.identity,
        authenticator_level=level.authenticator,
    )  # fmt: skip
    source, request_id = x.origin.source, x.origin.request_id
    purpose = USUAL_PURPOSE.get(actor.role, "")
    try:
        return access.open(actor, purpose, source=source, request_id=request_id), actor
    except Forbidden as error:
        await access.turned_away(actor, purpose, error, source=source, request_id=request_id)
        raise


async def emergencies(x: Exchange) -> Response:
    """The latest emergencies, newest first."""
    opened, _ = await door(x, "staff")
    now = x.services.sign_on.clock()
    rows = [{"one": one, "open": one.ends > now} for one in await opened.oversight.emergencies(PAGE_DEFAULT)]
    return x.page("emergencies.html", rows=rows)


async def who_looked(x: Exchange) -> Response:
    """What was done about the record of whoever is signed in, newest first, page by page."""
    opened, actor = await door(x, "patient")
    cursor = x.request.query_params.get("before", "")
    told, after = await opened.oversight.report(actor.patient_id or "", cursor=cursor, count=PAGE_DEFAULT)
    return x.page("who_looked.html", told=told, after=after)
