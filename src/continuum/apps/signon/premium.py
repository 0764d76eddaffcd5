"""From Basic to Premium, and the clerk's side of it. It costs nothing, and the pages say so."""

from datetime import date

from starlette.responses import Response

from continuum.apps.signon.exchange import Exchange
from continuum.apps.signon.rendering import drawn
from continuum.apps.signon.services import BASE
from continuum.identity import factors
from continuum.identity.attempts import TooManyAttempts
from continuum.identity.proofing import WITH_PHOTO, WITHOUT_PHOTO, CodeRefused, Document, ProofingRefused
from continuum.identity.sessions import PREMIUM
from continuum.kernel.errors import Conflict, NotFound


async def premium(x: Exchange) -> Response:
    """What is there and what is missing."""
    return await _page(x)


async def _page(x: Exchange, *, words: str = "", good: str = "", status: int = 200) -> Response:
    session, account = await x.require()
    async with x.services.sign_on.connect() as conn:
        present = await factors.of(conn, account.account_id)
    return x.page(
        "premium.html", status=status, words=words, good=good, next=x.next(""), factors=present, session=session,
        proofed=account.identity_level >= PREMIUM.identity, reached=session.assurance.reaches(PREMIUM),
        contact=x.services.settings.contact,
    )  # fmt: skip


async def letter(x: Exchange) -> Response:
    """Has a code sent to the address of record."""
    session, _ = await x.require()
    try:
        await x.services.proofing.ask_letter(session, x.origin)
    except (Conflict, NotFound) as error:
        return await _page(x, words=str(error), status=error.status)
    return await _page(x, good="A letter with your code is on its way to your address of record.")


async def activate(x: Exchange) -> Response:
    """The code from the letter."""
    session, _ = await x.require()
    try:
        token, _ = await x.services.proofing.activate(session, x.form.get("code", ""), x.origin)
    except (CodeRefused, TooManyAttempts) as error:
        return await _page(x, words=str(error), status=error.status)
    x.keep_session(token)
    return x.go(f"{BASE}/premium", next=x.next(""))


async def proof(x: Exchange) -> Response:
    """The clerk records two documents of somebody who stands before them; of one who lost every way in, too."""
    session, _ = await x.require()
    words, good, link, whose, status = "", "", "", "", 200
    if x.request.method == "POST":
        try:
            documents = [_document(x, number) for number in ("1", "2")]
            name, proofing = x.form.get("name", ""), x.services.proofing
            if x.form.get("anew"):
                account, ticket = await proofing.recover(session, name, documents, x.origin)
                link, whose = f"{x.services.settings.origin}{BASE}/enrol?ticket={ticket}", account.display_name
            else:
                account = await proofing.in_person(session, name, documents, x.origin)
                good = f"{account.display_name} is Premium from the next sign-in on."
        except ValueError:
            words, status = "Please write dates as 2031-03-31, or leave them empty.", 422
        except (ProofingRefused, NotFound) as error:
            words, status = str(error), error.status
    return x.page(
        "proof.html", status=status, words=words, good=good, link=link, qr=drawn(link), whose=whose,
        form={} if good or link else x.form,
        with_photo=sorted(WITH_PHOTO), without_photo=sorted(WITHOUT_PHOTO),
    )  # fmt: skip


def _document(x: Exchange, number: str) -> Document:
    until = x.form.get(f"until{number}", "")
    return Document(
        x.form.get(f"kind{number}", ""), x.form.get(f"issuer{number}", ""), date.fromisoformat(until) if until else None
    )


async def letters(x: Exchange) -> Response:
    """The letters to print; each is shown once."""
    session, _ = await x.require()
    if x.request.method == "POST":
        return x.page("letters.html", letters=await x.services.proofing.letters(session, x.origin))
    return x.page("letters.html", letters=None)
