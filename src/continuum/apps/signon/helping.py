"""The help desk's pages: accounts, and never a record."""

from starlette.responses import Response

from continuum.apps.signon.exchange import Exchange
from continuum.apps.signon.services import BASE
from continuum.identity.browsers import told
from continuum.kernel.errors import Conflict, Forbidden, NotFound

HELP = f"{BASE}/help"


async def desk(x: Exchange) -> Response:
    """The form to find an account, and what was found; a single one is opened at once."""
    session, _ = await x.require()
    found = None
    if x.request.method == "POST":
        found = await x.services.help_desk.find(session, x.form.get("said", ""), x.origin)
        if len(found) == 1:
            return x.go(f"{HELP}/account", account=found[0].account_id)
    return x.page("help.html", found=found, form=x.form)


async def account(x: Exchange) -> Response:
    """How one account stands."""
    return await _page(x, x.query.get("account", ""))


async def _page(x: Exchange, account_id: str, *, words: str = "", good: str = "", status: int = 200) -> Response:
    session, _ = await x.require()
    state = await x.services.help_desk.look(session, account_id, x.origin)
    return x.page("help_account.html", status=status, words=words, good=good, state=state, told=told)


async def sign_out(x: Exchange) -> Response:
    """Ends every session of an account."""
    session, _ = await x.require()
    account_id = x.form.get("account", "")
    await x.services.help_desk.end_sessions(session, account_id, x.origin)
    return await _page(x, account_id, good="The account is signed out everywhere.")


async def post_code(x: Exchange) -> Response:
    """Has a code posted to the address of record."""
    session, _ = await x.require()
    account_id = x.form.get("account", "")
    try:
        await x.services.help_desk.send_code(session, account_id, x.origin)
    except (Conflict, Forbidden) as error:
        return await _page(x, account_id, words=str(error), status=error.status)
    except NotFound as error:
        return x.page("refused.html", status=error.status, words=str(error))
    return await _page(x, account_id, good="A letter is printed at the registration desk, and its holder is told.")
