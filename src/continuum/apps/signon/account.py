"""The account's page: levels, password, second factors, sessions, what was done."""

import binascii
from collections.abc import Mapping, Sequence

import segno
from markupsafe import Markup
from starlette.responses import Response

from continuum.apps.signon.exchange import HOME, Exchange
from continuum.apps.signon.facilities import named
from continuum.apps.signon.overseeing import door
from continuum.apps.signon.services import BASE
from continuum.identity import accounts, staff, standing
from continuum.identity.accounts import Account
from continuum.identity.browsers import told
from continuum.identity.credentials import Changed, CodeWrong, SignInAgain
from continuum.identity.factors.passkeys import PasskeyRefused
from continuum.identity.passwords import PasswordRefused
from continuum.identity.sessions import PREMIUM, Session
from continuum.identity.sign_on import EXPIRED
from continuum.identity.staff import Privilege
from continuum.identity.tickets import TicketGone


async def home(x: Exchange) -> Response:
    """Everything at a glance."""
    session, account = await x.require(restricted=True)
    return await _page(x, session, account)


async def _page(x: Exchange, session: Session, account: Account, *, words: str = "", status: int = 200) -> Response:
    on = x.services.sign_on
    apps, passkeys, codes_left = await x.services.credentials.present(session)
    links = await x.services.elsewhere.links(account.account_id)
    async with on.connect() as conn:
        sessions = await on.sessions.of(conn, account.account_id)
        notices = await accounts.notices(conn, account.account_id)
        privileges = await staff.of(conn, account.account_id, on.today())
        acts_as = (await standing.of(conn, account, session, "staff", on.today())).privilege_id
    return x.page(
        "account.html", status=status, places=await _places(x, session, privileges),
        told=told, account=account, session=session, apps=apps, passkeys=passkeys,
        codes_left=codes_left, sessions=sessions, notices=notices, words=words, expired=EXPIRED in session.methods,
        links=links, providers=[one for one in x.services.elsewhere.providers if one not in dict(links)],
        roles={one.role for one in privileges}, privileges=privileges, acts_as=acts_as,
        fresh=session.fresh(on.clock()), has_password=account.password_hash is not None,
    )  # fmt: skip


async def _places(x: Exchange, session: Session, privileges: Sequence[Privilege]) -> Mapping[str, str]:
    """The facilities of somebody's roles by name, for those who may open the record at all."""
    held = {one.facility_id for one in privileges if one.facility_id}
    unfinished = session.recovering or EXPIRED in session.methods
    if not held or unfinished or not session.assurance.reaches(PREMIUM) or x.services.access is None:
        return {}
    opened, _ = await door(x, "staff")
    return await named(opened, held, x.services.sign_on.today())


async def role(x: Exchange) -> Response:
    """Which of several roles somebody acts as, in this session."""
    session, _ = await x.require()
    await x.services.staffing.act_as(session, x.form.get("privilege", ""), x.origin)
    return x.go(HOME)


async def password(x: Exchange) -> Response:
    """A new password."""
    session, account = await x.require(restricted=True)
    if x.form.get("password", "") != x.form.get("again", ""):
        return await _page(x, session, account, words="The two passwords differ.", status=422)
    try:
        changed = await x.services.credentials.change_password(
            session, x.form.get("present", ""), x.form.get("password", ""), x.origin
        )
    except PasswordRefused as error:
        return await _page(x, session, account, words=str(error), status=error.status)
    except SignInAgain:
        return again(x)
    x.keep_session(changed.token)
    return x.go(HOME)


def again(x: Exchange) -> Response:
    """To the sign-in page, and back here."""
    return x.go(f"{BASE}/sign-in", next=HOME, why="again")


async def new_app(x: Exchange) -> Response:
    """Shows the seed of a new authenticator app, as a picture and as text."""
    session, _ = await x.require(restricted=True)
    try:
        begun = await x.services.credentials.begin_app(session, x.form.get("label", ""))
    except SignInAgain:
        return again(x)
    return _app_page(x, begun.factor_id, begun.seed, begun.uri)


def _app_page(x: Exchange, factor_id: str, seed: str, uri: str, *, words: str = "", status: int = 200) -> Response:
    drawn = segno.make(uri, error="m").svg_inline(scale=4, border=4, omitsize=True) if uri else ""
    picture = Markup(drawn)  # noqa: S704  drawn by us: squares, no text
    return x.page(
        "new_app.html", status=status, factor_id=factor_id, uri=uri, picture=picture, words=words,
        seed=" ".join(seed[at : at + 4] for at in range(0, len(seed), 4)),
    )  # fmt: skip


async def confirm_app(x: Exchange) -> Response:
    """The first code of the new app."""
    session, _ = await x.require(restricted=True)
    factor_id = x.form.get("factor_id", "")
    try:
        changed = await x.services.credentials.confirm_app(session, factor_id, x.form.get("code", ""), x.origin)
    except CodeWrong as error:
        return _app_page(x, factor_id, "", "", words=str(error), status=error.status)
    except SignInAgain:
        return again(x)
    return _added(x, changed)


def _added(x: Exchange, changed: Changed) -> Response:
    x.keep_session(changed.token)
    if changed.recovery_codes:
        return x.page("recovery_codes.html", codes=changed.recovery_codes)
    return x.go(HOME) if changed.token else x.go(f"{BASE}/sign-in", why="recovered")


async def new_passkey(x: Exchange) -> Response:
    """Asks the browser for a new passkey, or keeps the one that it made."""
    session, _ = await x.require(restricted=True)
    words, status = "", 200
    try:
        if x.form.get("answer"):
            changed = await x.services.credentials.add_passkey(
                session, x.form.get("ticket", ""), x.form["answer"], x.form.get("label", ""), x.origin
            )
            return _added(x, changed)
        question = await x.services.credentials.ask_passkey(session)
    except SignInAgain:
        return again(x)
    except (PasskeyRefused, TicketGone) as error:
        words, status = str(error), error.status
        question = await x.services.credentials.ask_passkey(session)
    return x.page("new_passkey.html", status=status, question=question, words=words, label=x.form.get("label", ""))


async def remove(x: Exchange) -> Response:
    """Takes an authenticator app or a passkey away."""
    session, _ = await x.require()
    try:
        if x.form.get("app"):
            await x.services.credentials.remove_app(session, x.form["app"], x.origin)
        else:
            await x.services.credentials.remove_passkey(session, _bytes(x.form.get("passkey", "")), x.origin)
    except SignInAgain:
        return again(x)
    return x.go(HOME)


def _bytes(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except (ValueError, binascii.Error):
        return b""


async def recovery_codes(x: Exchange) -> Response:
    """New recovery codes."""
    session, _ = await x.require()
    try:
        codes = await x.services.credentials.renew_recovery_codes(session, x.origin)
    except SignInAgain:
        return again(x)
    return x.page("recovery_codes.html", codes=codes)


async def end_session(x: Exchange) -> Response:
    """Ends one other session."""
    session, _ = await x.require()
    await x.services.sign_on.sign_out_one(session, x.form.get("session", ""), x.origin)
    return x.go(HOME)
