"""Staff, as administrators see it."""

from collections.abc import Mapping
from datetime import date

from starlette.responses import Response

from continuum.apps.signon.exchange import Exchange
from continuum.apps.signon.facilities import named, to_choose
from continuum.apps.signon.leaving import hand_on
from continuum.apps.signon.overseeing import door
from continuum.apps.signon.rendering import drawn
from continuum.apps.signon.services import BASE
from continuum.identity.accounts import NameRefused, NameTaken
from continuum.identity.sessions import Session
from continuum.identity.staff import EVERYWHERE, ROLES
from continuum.kernel.errors import Conflict, DomainError, Invalid, NotFound

STAFF = f"{BASE}/staff"


async def people(x: Exchange) -> Response:
    """Everybody, with their roles."""
    session, _ = await x.require()
    return await _page(x, session)


async def _page(
    x: Exchange,
    session: Session,
    *,
    words: str = "",
    link: str = "",
    status: int = 200,
    handed: tuple[str, str, int, int] | None = None,
) -> Response:
    members = await x.services.staffing.members(session)
    facilities: list[tuple[str, str]] = []
    places: Mapping[str, str] = {}
    if x.services.access is not None:
        opened, _ = await door(x, "staff")
        facilities = await to_choose(opened)
        held = (one.facility_id for member in members for one in member.privileges)
        places = await named(opened, held, x.services.sign_on.today())
    return x.page(
        "staff.html", status=status, members=members, words=words, link=link, qr=drawn(link), handed=handed,
        facilities=facilities, places=places, form=x.form,
        roles=sorted(ROLES), everywhere=sorted(EVERYWHERE), today=x.services.sign_on.today().isoformat(),
    )  # fmt: skip


async def open_account(x: Exchange) -> Response:
    """Somebody new; shows the link to give to them."""
    session, _ = await x.require()
    try:
        _, ticket = await x.services.staffing.open_account(
            session, sign_in_name=x.form.get("name", ""), display_name=x.form.get("display_name", ""),
            email=x.form.get("email") or None, origin=x.origin,
        )  # fmt: skip
    except (NameRefused, NameTaken, Invalid) as error:
        return await _page(x, session, words=str(error), status=error.status)
    x.form = {}
    return await _page(x, session, link=f"{x.services.settings.origin}{BASE}/enrol?ticket={ticket}")


async def grant(x: Exchange) -> Response:
    """A role, at a facility, from a day to a day."""
    session, _ = await x.require()
    try:
        ends = x.form.get("ends", "")
        await x.services.staffing.grant(
            session, x.form.get("account", ""), x.form.get("role", ""), facility_id=x.form.get("facility") or None,
            starts=date.fromisoformat(x.form.get("starts", "")), ends=date.fromisoformat(ends) if ends else None,
            origin=x.origin,
        )  # fmt: skip
    except ValueError:
        return await _page(x, session, words="Please write dates as 2031-03-31.", status=422)
    except (Invalid, NotFound) as error:
        return await _page(x, session, words=str(error), status=error.status)
    return x.go(STAFF)


async def withdraw(x: Exchange) -> Response:
    """Takes a role away."""
    session, _ = await x.require()
    await x.services.staffing.withdraw(session, x.form.get("account", ""), x.form.get("privilege", ""), x.origin)
    return x.go(STAFF)


async def practitioner(x: Exchange) -> Response:
    """Says which Practitioner of the record somebody is."""
    session, _ = await x.require()
    name = x.form.get("practitioner", "").strip().removeprefix("Practitioner/")
    try:
        if name and x.services.access is not None:
            await (await door(x, "staff"))[0].read("Practitioner", name)
        await x.services.staffing.name_practitioner(session, x.form.get("account", ""), name or None, x.origin)
    except (Conflict, NotFound) as error:
        return await _page(x, session, words=str(error), status=error.status)
    return x.go(STAFF)


async def leave(x: Exchange) -> Response:
    """Closes the account of somebody who leaves, and hands their work on; once more hands on what is left of it."""
    session, _ = await x.require()
    try:
        leaver, heir = await x.services.staffing.leave(
            session, x.form.get("account", ""), hand_to=x.form.get("hand_to") or None, origin=x.origin
        )
    except DomainError as error:
        return await _page(x, session, words=str(error), status=error.status)
    if heir is None or x.services.access is None:
        return x.go(STAFF)
    done, left = await hand_on(x.services.access, leaver, heir, x.origin)
    return await _page(x, session, handed=(leaver.display_name, heir.display_name, done, left))


async def set_up_anew(x: Exchange) -> Response:
    """The link for a member of staff who has lost every factor."""
    session, _ = await x.require()
    _, ticket = await x.services.staffing.set_up_anew(session, x.form.get("account", ""), x.origin)
    return await _page(x, session, link=f"{x.services.settings.origin}{BASE}/enrol?ticket={ticket}")


async def unlock(x: Exchange) -> Response:
    """Opens a locked account."""
    session, _ = await x.require()
    await x.services.staffing.unlock(session, x.form.get("account", ""), x.origin)
    return x.go(STAFF)
