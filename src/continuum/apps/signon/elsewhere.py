"""Signing in by way of another provider: off to it, back from it, and connecting it to an account."""

from urllib.parse import urlencode

from starlette.responses import Response

from continuum.apps.signon.account import again as sign_in_again
from continuum.apps.signon.exchange import HOME, Exchange
from continuum.apps.signon.services import BASE
from continuum.apps.signon.signing_in import again
from continuum.identity.credentials import SignInAgain
from continuum.identity.federation.asking import ProviderRefused
from continuum.identity.federation.elsewhere import Linked
from continuum.identity.sign_on import SignInRefused
from continuum.identity.tickets import TicketGone
from continuum.kernel.errors import Conflict


async def begin(x: Exchange) -> Response:
    """Off to the provider, by way of a page that says so: browsers hold back a form that leads to another site."""
    key, ways = x.request.path_params["key"], x.services.elsewhere
    if not x.accepted:
        return x.to_notice(f"{BASE}/sign-in?{urlencode({'next': x.next()})}")
    session = (await x.require())[0] if x.form.get("connect") else None
    try:
        address = await ways.begin(key, x.visit, x.next(), session=session)
    except SignInAgain:
        return sign_in_again(x)
    except ProviderRefused as error:
        return await again(x, str(error), error.status)
    name = next(one.name for one in ways.providers if one.key == key)
    return x.page("elsewhere.html", name=name, address=address)


async def back(x: Exchange) -> Response:
    """Back from the provider."""
    try:
        came, to = await x.services.elsewhere.end(x.request.path_params["key"], x.visit, x.query, x.origin)
    except (TicketGone, ProviderRefused, SignInRefused, Conflict) as error:
        return await again(x, str(error), error.status)
    if isinstance(came, Linked):
        return x.go(HOME)
    x.arrived(came)
    return x.page("go_on.html", next=to)


async def disconnect(x: Exchange) -> Response:
    """Takes a way to sign in away."""
    session, _ = await x.require()
    try:
        await x.services.elsewhere.unlink(session, x.form.get("key", ""), x.origin)
    except SignInAgain:
        return sign_in_again(x)
    return x.go(HOME)
