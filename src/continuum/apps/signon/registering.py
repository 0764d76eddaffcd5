"""Registering: the registry first, then a name and a password."""

from datetime import date
from urllib.parse import urlencode

from starlette.responses import Response

from continuum.apps.signon.exchange import Exchange
from continuum.apps.signon.services import BASE
from continuum.apps.signon.signing_in import on_to
from continuum.identity.accounts import HasAccount, NameRefused, NameTaken
from continuum.identity.attempts import TooManyAttempts
from continuum.identity.passwords import PasswordRefused
from continuum.identity.registration import NotEligible, NotRecognised


async def register(x: Exchange) -> Response:
    """Three facts about the person."""
    if not x.accepted:
        return x.to_notice(f"{BASE}/register")
    if x.request.method == "GET":
        return x.page("register.html", words="", form={})
    try:
        born = date.fromisoformat(x.form.get("born", ""))
        found = await x.services.registration.look_up(
            dod_id=x.form.get("dod_id", ""), family_name=x.form.get("family_name", ""), born=born, origin=x.origin
        )
    except ValueError:
        return x.page("register.html", status=422, words="Please write the date of birth as 1985-03-31.", form=x.form)
    except (NotRecognised, NotEligible, HasAccount, TooManyAttempts) as error:
        return x.page("register.html", status=error.status, words=str(error), form=x.form)
    return _choose(x, found.ticket, found.name, email=found.email or "")


async def create(x: Exchange) -> Response:
    """The name, the password; then the account is there, Basic."""
    form = x.form
    if form.get("password", "") != form.get("again", ""):
        return _choose(x, form.get("ticket", ""), form.get("who", ""), words="The two passwords differ.", status=422)
    try:
        arrived = await x.services.registration.create(
            form.get("ticket", ""), sign_in_name=form.get("name", ""), password=form.get("password", ""),
            email=form.get("email") or None, origin=x.origin,
        )  # fmt: skip
    except (NameRefused, NameTaken, PasswordRefused) as error:
        return _choose(x, form.get("ticket", ""), form.get("who", ""), words=str(error), status=error.status)
    return on_to(x, arrived)


def _choose(
    x: Exchange, ticket: str, who: str, *, words: str = "", status: int = 200, email: str | None = None
) -> Response:
    return x.page(
        "choose.html", status=status, ticket=ticket, who=who, words=words, name=x.form.get("name", ""),
        email=x.form.get("email", "") if email is None else email, profile=x.services.sign_on.profile,
    )  # fmt: skip


async def enrol(x: Exchange) -> Response:
    """A member of staff sets up the account with the link that an administrator gave them."""
    ticket = x.form.get("ticket") or x.query.get("ticket", "")
    if not x.accepted:
        return x.to_notice(f"{BASE}/enrol?{urlencode({'ticket': ticket})}")
    words, status = "", 200
    if x.request.method == "POST":
        if x.form.get("password", "") == x.form.get("again", ""):
            try:
                return on_to(x, await x.services.staffing.enrol(ticket, x.form.get("password", ""), x.origin))
            except PasswordRefused as error:
                words, status = str(error), error.status
        else:
            words, status = "The two passwords differ.", 422
    return x.page("enrol.html", status=status, ticket=ticket, words=words, profile=x.services.sign_on.profile)
