"""Who broke the glass, for privacy officers; who looked at my record, when and why, for everybody."""

from starlette.responses import Response

from continuum.access import Actor
from continuum.access import Session as Door
from continuum.access.actor import USUAL_PURPOSE
from continuum.apps.signon.exchange import SECURE, Exchange
from continuum.apps.signon.facilities import named
from continuum.apps.signon.marked import unattended
from continuum.identity import accounts, registry, standing
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
    return await _emergencies(x, opened)


@unattended
async def news(x: Exchange) -> Response:
    """The same for a page that lies open and asks by itself; nothing as long as there is nothing newer than it has."""
    opened, _ = await door(x, "staff")
    if await opened.oversight.newest() == x.query.get("after", ""):
        return Response(status_code=204, headers=dict(SECURE))
    return await _emergencies(x, opened)


async def _emergencies(x: Exchange, opened: Door) -> Response:
    on = x.services.sign_on
    found = await opened.oversight.emergencies(PAGE_DEFAULT)
    async with on.connect() as conn:
        people = {one: await registry.of_patient(conn, one) for one in {row.patient_id for row in found}}
    places = await named(opened, (row.facility for row in found), on.today())
    now = on.clock()
    rows = [{"one": one, "open": one.ends > now, "person": people[one.patient_id]} for one in found]
    return x.page("emergencies.html", rows=rows, places=places, latest=found[0].id if found else "")


async def who_looked(x: Exchange) -> Response:
    """What was done about the record of whoever is signed in, newest first, page by page."""
    opened, actor = await door(x, "patient")
    cursor = x.request.query_params.get("before", "")
    told, after = await opened.oversight.report(actor.patient_id or "", cursor=cursor, count=PAGE_DEFAULT)
    async with x.services.sign_on.connect() as conn:
        names = await accounts.names(conn, sorted({one.who for one in told}))
    return x.page("who_looked.html", told=told, after=after, names=names, own=actor.id)
