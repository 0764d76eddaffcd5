"""Who has lost every way in comes in person; nobody else gets in by that, and nothing of before opens any more."""

from datetime import date

import pytest

from continuum.identity import accounts
from continuum.identity.limits import RECOVERY_AT_DESK_S
from continuum.identity.proofing import ACCOUNT_RECOVERY, Document, ProofingRefused
from continuum.identity.sessions import Assurance, SessionEnded
from continuum.identity.sign_on import FactorNeeded, SignInRefused
from continuum.identity.staffing import Staffing
from continuum.identity.tickets import TicketGone
from continuum.kernel.errors import Forbidden, NotFound

CARD = Document("passport", "United States", date(2030, 1, 1))
BILL = Document("utility bill", "City Water", None)
NEW = "eleven purple kites over town"


@pytest.fixture
def staffing(registered):
    return Staffing(registered.on)


async def somebody(home, name, role="", level=2):
    """A member of staff at this level with a second factor: the session."""
    account = await home.account(name)
    if role:
        await home.grant(account, role, facility_id="org-1" if role == "registrar" else None)
    async with home.pool.connection() as conn:
        await accounts.raise_identity_level(conn, account.account_id, level)
    return (await home.with_app(name))[0].session


@pytest.mark.requirement("V6.4.3", "V7.4.3")
async def test_who_lost_all_is_proofed_again_and_what_opened_the_account_before_is_void(registered, staffing):
    home = registered
    clerk = await somebody(home, "clerk", "registrar")
    account = await home.account("robert", person_id="p-1")
    arrived, app, codes = await home.with_app("robert")
    _, ticket = await home.proofing.recover(clerk, "Robert", [CARD, BILL], home.here)
    assert any("set your account up anew" in text for text in await home.notices(account.account_id))
    async with home.pool.connection() as conn:
        mails = await conn.fetch("SELECT kind, patient_id FROM identity.letter")
    assert [tuple(one) for one in mails] == [(ACCOUNT_RECOVERY, "pat-1")]
    assert (await home.on.resume(arrived.token))[0], "nothing is taken away before the link is used"

    back = await staffing.enrol(ticket, NEW, home.here)
    assert back.session.assurance == Assurance(2, 1), "proofed, and not Premium before a new second factor"
    with pytest.raises(SessionEnded):
        await home.on.resume(arrived.token)
    with pytest.raises(SignInRefused):
        await home.on.with_password("robert", "correct horse battery staple", home.here)
    step = await home.on.with_password("robert", NEW, home.here)
    assert not isinstance(step, FactorNeeded), "the lost phone is asked for no more"
    async with home.pool.connection() as conn:
        assert not await home.on.apps.check(conn, account.account_id, home.code(app))
        assert not await home.on.recovery_codes.use(conn, account.account_id, codes[0])
    with pytest.raises(TicketGone):
        await staffing.enrol(ticket, "another good long pass phrase", home.here)
    assert ("recover", clerk.account_id, 0) in await home.trail()


async def test_a_link_of_the_desk_has_half_an_hour(registered, staffing):
    home = registered
    clerk = await somebody(home, "clerk", "registrar")
    await home.account("robert", person_id="p-1")
    _, ticket = await home.proofing.recover(clerk, "robert", [CARD, BILL], home.here)
    home.clock.pass_s(RECOVERY_AT_DESK_S)
    with pytest.raises(TicketGone):
        await staffing.enrol(ticket, NEW, home.here)


@pytest.mark.requirement("V6.4.3")
async def test_nobody_gets_into_anothers_account_by_recovering_it(registered, staffing):
    home = registered
    clerk = await somebody(home, "clerk", "registrar")
    robert = await home.account("robert", person_id="p-1")
    unproofed = await somebody(home, "unproofed", "registrar", level=1)
    admin, other = await somebody(home, "ada", "administrator"), await somebody(home, "nick")
    for session in (unproofed, admin, other):
        with pytest.raises(Forbidden, match="Only registrars"):
            await home.proofing.recover(session, "robert", [CARD, BILL], home.here)
    with pytest.raises(ProofingRefused):
        await home.proofing.recover(clerk, "robert", [CARD], home.here)
    for name in ("nick", "nobody"):
        with pytest.raises(NotFound):
            await home.proofing.recover(clerk, name, [CARD, BILL], home.here)
    for session, account_id in ((admin, robert.account_id), (admin, admin.account_id), (clerk, other.account_id)):
        with pytest.raises(Forbidden):
            await staffing.set_up_anew(session, account_id, home.here)
    async with home.pool.connection() as conn:
        assert await conn.fetchval("SELECT count(*) FROM identity.ticket WHERE purpose = 'enrolment'") == 0


async def test_staff_without_a_factor_are_let_in_again_by_an_administrator(registered, staffing):
    home = registered
    admin, nick = await somebody(home, "ada", "administrator"), await somebody(home, "nick")
    _, ticket = await staffing.set_up_anew(admin, nick.account_id, home.here)
    back = await staffing.enrol(ticket, NEW, home.here)
    assert back.session.assurance == Assurance(2, 1)
    assert any("administrator had your account" in text for text in await home.notices(nick.account_id))
    assert ("recover", admin.account_id, 0) in await home.trail()
