"""Notice, sign-in, second step, passkey, sign-out."""

from urllib.parse import urlencode

from starlette.responses import JSONResponse, Response

from continuum.apps.signon.exchange import HOME, SECURE, Exchange
from continuum.apps.signon.marked import unattended
from continuum.apps.signon.services import BASE
from continuum.identity.attempts import TooManyAttempts
from continuum.identity.factors.passkeys import PasskeyRefused
from continuum.identity.sessions import SessionEnded
from continuum.identity.sign_on import AccountLocked, Arrived, FactorNeeded, SignInRefused
from continuum.identity.tickets import TicketGone

WHY = {
    "idle": "You were signed out because nothing was done for a while.",
    "limit": "You were signed out because the longest time for one session was over.",
    "account": "You were signed out because the account was locked or closed.",
    "ended": "You were signed out.",
    "again": "Please show once more who you are, with your second factor if you have one.",
    "out": "You are signed out.",
    "everywhere": "You are signed out everywhere.",
    "unlinked": "You were signed out because that way to sign in was removed.",
    "recovered": "Your new second factor is set up. Please sign in with it.",
}
"""Why somebody sees the sign-in page, by the word in its address."""
_REFUSALS = (SignInRefused, TooManyAttempts, AccountLocked, PasskeyRefused, TicketGone)


async def notice(x: Exchange) -> Response:
    """The notice; going on accepts it."""
    if x.request.method == "POST":
        await x.accept()
        return x.go(x.next(f"{BASE}/sign-in"))
    return x.page("notice.html", notice=x.services.notice, next=x.next(f"{BASE}/sign-in"))


async def sign_in(x: Exchange) -> Response:
    """Name and password, or a passkey; the notice first."""
    if not x.accepted:
        return x.to_notice(f"{BASE}/sign-in?{urlencode({'next': x.next()})}")
    if x.request.method == "POST":
        try:
            step = await x.services.sign_on.with_password(x.form.get("name", ""), x.form.get("password", ""), x.origin)
        except _REFUSALS as error:
            return await again(x, str(error), error.status)
        if isinstance(step, FactorNeeded):
            return await _second_step(x, step.ticket, step)
        return on_to(x, step)
    return await again(x, "", 200)


async def again(x: Exchange, words: str, status: int) -> Response:
    """The sign-in page, with what was wrong."""
    question = await x.services.sign_on.ask_passkey()
    return x.page(
        "sign_in.html", status=status, words=words, name=x.form.get("name", ""), next=x.next(), question=question,
        why=WHY.get(x.query.get("why", ""), "") if status == 200 else "", providers=x.services.elsewhere.providers,
    )  # fmt: skip


async def second_step(x: Exchange) -> Response:
    """A code from an authenticator app, or a recovery code, with the ticket of the first step."""
    on, ticket, code = x.services.sign_on, x.form.get("ticket", ""), x.form.get("code", "")
    try:
        if x.form.get("kind") == "recovery":
            return on_to(x, await on.with_recovery_code(ticket, code, x.origin))
        return on_to(x, await on.with_code(ticket, code, x.origin))
    except (SignInRefused, TooManyAttempts) as error:
        kinds = set(x.form.get("kinds", "").split())
        step = FactorNeeded(ticket, "app" in kinds, "passkey" in kinds, "recovery" in kinds)
        return await _second_step(x, ticket, step, words=str(error), status=error.status)
    except TicketGone as error:
        return await again(x, str(error), error.status)


async def _second_step(x: Exchange, ticket: str, step: FactorNeeded, *, words: str = "", status: int = 200) -> Response:
    question = await x.services.sign_on.ask_passkey(ticket) if step.passkeys else None
    kinds = [("app", step.apps), ("passkey", step.passkeys), ("recovery", step.recovery_codes)]
    return x.page(
        "second_step.html", status=status, words=words, ticket=ticket, step=step, question=question, next=x.next(),
        kinds=" ".join(name for name, there in kinds if there),
    )  # fmt: skip


async def passkey(x: Exchange) -> Response:
    """What a passkey answered."""
    if not x.accepted:
        return x.to_notice(f"{BASE}/sign-in?{urlencode({'next': x.next()})}")
    try:
        arrived = await x.services.sign_on.with_passkey(x.form.get("ticket", ""), x.form.get("answer", ""), x.origin)
    except _REFUSALS as error:
        return await again(x, str(error), error.status)
    return on_to(x, arrived)


def on_to(x: Exchange, arrived: Arrived) -> Response:
    """On, signed in. By way of a page: browsers hold back a form's answer that leads to another site."""
    x.arrived(arrived)
    session = arrived.session
    if session.recovering or "expired" in session.methods:
        return x.go(HOME)
    return x.go(f"{BASE}/go-on", next=x.next())


async def go_on(x: Exchange) -> Response:
    """Leads on to where somebody wanted to go before they signed in."""
    await x.require(restricted=True)
    return x.page("go_on.html", next=x.next())


async def stay(x: Exchange) -> Response:
    """Somebody is still there. Their page stays as it is, with what they are typing."""
    return await _left(x)


@unattended
async def left(x: Exchange) -> Response:
    """What a page asks by itself before it warns of the end, or brings it: somebody may be busy on another page."""
    return await _left(x)


async def _left(x: Exchange) -> Response:
    await x.require(restricted=True)
    return JSONResponse({"left_s": x.idle_left_s, "at_limit": x.at_limit}, headers=dict(SECURE))


async def sign_out(x: Exchange) -> Response:
    """Ends this session, or all of them."""
    try:
        await x.load()
    except SessionEnded:
        x.session = None
    why = "out"
    if x.session is not None and x.form.get("all"):
        await x.services.sign_on.sign_out_everywhere(x.session, x.origin)
        why = "everywhere"
    elif x.session is not None:
        await x.services.sign_on.sign_out(x.session, x.origin)
    x.keep_session(None)
    response = x.go(f"{BASE}/signed-out", why=why)
    # What browsers keep of this site beyond cookies goes too (ASD STIG V-222388).
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


async def signed_out(x: Exchange) -> Response:
    """Says that it is done (ASD STIG V-222392)."""
    return x.page("signed_out.html", words=WHY.get(x.query.get("why", ""), WHY["out"]))
