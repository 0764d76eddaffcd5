"""What the help desk may do for an account, and that talking somebody there into something gains nothing."""

import pytest

from continuum.identity import accounts
from continuum.identity.helping import HelpDesk
from continuum.identity.limits import ACTIVATION_LIFETIME_S
from continuum.identity.proofing import ACCOUNT_RECOVERY
from continuum.identity.sessions import Assurance, SessionEnded
from continuum.identity.sign_on import SignInRefused
from continuum.kernel.errors import Conflict, Forbidden, NotFound


@pytest.fixture
def desk(registered):
    return HelpDesk(registered.on)


async def somebody(home, name, role="", level=2):
    """A member of staff with a second factor: the session."""
    account = await home.account(name)
    if role:
        await home.grant(account, role, facility_id="org-1" if role == "registrar" else None)
    async with home.pool.connection() as conn:
        await accounts.raise_identity_level(conn, account.account_id, level)
    return (await home.with_app(name))[0].session


async def rows(home, account_id):
    """The acts of somebody at the help desk, with what they were about."""
    found = await home.trail("interaction", "actor", "outcome", "query")
    return [(one[0], one[2], one[3]) for one in found if one[1] == account_id and one[0].startswith("help-")]


async def test_an_account_is_found_by_what_its_holder_says_whole_and_by_no_part_of_it(registered, desk):
    home, agent = registered, await somebody(registered, "hella", "help-desk")
    robert = await home.account("robert", person_id="p-1")
    for said in ("Robert ", "9900000001", "ROBERT@mail.example"):
        (found,) = await desk.find(agent, said, home.here)
        assert found.account_id == robert.account_id
    for said in ("rob", "990000000", "mail.example", "", "O'Brien", "%"):
        assert await desk.find(agent, said, home.here) == []
    assert (await rows(home, agent.account_id))[0] == ("help-find", 0, f"found {robert.account_id}")
    assert (await rows(home, agent.account_id))[-1] == ("help-find", 0, "found nobody")


async def test_how_an_account_stands_is_seen_and_written_down(registered, desk):
    home, agent = registered, await somebody(registered, "hella", "help-desk")
    robert = await home.account("robert", person_id="p-1")
    await home.with_app("robert")
    with pytest.raises(SignInRefused):
        await home.on.with_password("robert", "not the password at all", home.stranger)
    state = await desk.look(agent, robert.account_id, home.here)
    assert (state.state, state.identity_level, state.failures, state.person) == ("open", 1, 1, True)
    assert (state.factors.apps, state.factors.passkeys, state.factors.recovery_codes) == (1, 0, 10)
    assert [one.browser for one in state.sessions] == ["Firefox on Linux"]
    assert await rows(home, agent.account_id) == [("help-look", 0, robert.account_id)]
    async with home.pool.connection() as conn:
        await accounts.lock(conn, robert.account_id, home.clock())
    assert (await desk.look(agent, robert.account_id, home.here)).state == "locked"
    with pytest.raises(NotFound):
        await desk.look(agent, "nobody", home.here)


@pytest.mark.requirement("V7.4.5")
async def test_it_signs_somebody_out_everywhere_who_is_told(registered, desk):
    home, agent = registered, await somebody(registered, "hella", "help-desk")
    robert = await home.account("robert", person_id="p-1")
    first, second = await home.arrive("robert"), await home.arrive("robert")
    assert await desk.end_sessions(agent, robert.account_id, home.here) == 2
    for arrived in (first, second):
        with pytest.raises(SessionEnded):
            await home.on.resume(arrived.token)
    assert any("help desk signed you out" in text for text in await home.notices(robert.account_id))
    assert (await home.on.resume((await home.arrive("robert")).token))[0], "and may come back"
    assert await rows(home, agent.account_id) == [("help-sign-out", 0, f"2 sessions of {robert.account_id}")]


async def test_who_lost_the_phone_and_knows_the_password_comes_back_by_a_letter(registered, desk):
    home, agent = registered, await somebody(registered, "hella", "help-desk")
    clerk = await somebody(home, "clerk", "registrar")
    robert = await home.account("robert", person_id="p-1")
    async with home.pool.connection() as conn:
        await accounts.raise_identity_level(conn, robert.account_id, 2)
    _, _, codes = await home.with_app("robert")
    assert await desk.send_code(agent, robert.account_id, home.here) == "recovery"
    with pytest.raises(Conflict, match="on its way"):
        await desk.send_code(agent, robert.account_id, home.here)
    state = await desk.look(agent, robert.account_id, home.here)
    assert [(kind, printed) for kind, _, printed in state.letters] == [("recovery", None)]
    assert state.factors.recovery_codes == len(codes), "what its holder keeps is counted apart"
    (letter,) = await home.proofing.letters(clerk, home.here)
    assert (letter.kind, letter.street) == ("recovery", home.robert.street)
    async with home.pool.connection() as conn:
        mails = await conn.fetch("SELECT kind, patient_id FROM identity.letter")
    assert [tuple(one) for one in mails] == [(ACCOUNT_RECOVERY, "pat-1")]
    assert any("help desk had a code sent" in text for text in await home.notices(robert.account_id))

    step = await home.on.with_password("robert", home.password, home.here)
    assert step.recovery_codes
    back = await home.on.with_recovery_code(step.ticket, letter.code, home.here)
    assert back.session.recovering
    assert back.session.assurance == Assurance(2, 1), "it may set up a factor, and opens no record"
    step = await home.on.with_password("robert", home.password, home.here)
    with pytest.raises(SignInRefused):
        await home.on.with_recovery_code(step.ticket, letter.code, home.here)


async def test_a_code_in_a_letter_gets_old_and_makes_nobody_premium(registered, desk):
    home, agent = registered, await somebody(registered, "hella", "help-desk")
    clerk = await somebody(home, "clerk", "registrar")
    robert = await home.account("robert", person_id="p-1")
    async with home.pool.connection() as conn:
        await accounts.raise_identity_level(conn, robert.account_id, 2)
    arrived, _, _ = await home.with_app("robert")
    await desk.send_code(agent, robert.account_id, home.here)
    (letter,) = await home.proofing.letters(clerk, home.here)
    with pytest.raises(Forbidden):
        await home.proofing.activate(arrived.session, letter.code, home.here)
    home.clock.pass_s(ACTIVATION_LIFETIME_S)
    step = await home.on.with_password("robert", home.password, home.here)
    with pytest.raises(SignInRefused):
        await home.on.with_recovery_code(step.ticket, letter.code, home.here)


async def test_who_is_basic_is_sent_the_code_that_makes_premium(registered, desk):
    home, agent = registered, await somebody(registered, "hella", "help-desk")
    clerk = await somebody(home, "clerk", "registrar")
    robert = await home.account("robert", person_id="p-1")
    assert await desk.send_code(agent, robert.account_id, home.here) == "activation"
    (letter,) = await home.proofing.letters(clerk, home.here)
    _, session = await home.proofing.activate((await home.arrive("robert")).session, letter.code, home.here)
    assert session.assurance == Assurance(2, 1)
    assert ("help-post-code", 0, f"activation for {robert.account_id}") in await rows(home, agent.account_id)


@pytest.mark.requirement("V6.4.3", "V8.2.1")
async def test_nobody_else_may_and_the_help_desk_does_nothing_for_itself_or_for_staff(registered, desk):
    home, agent = registered, await somebody(registered, "hella", "help-desk")
    robert = await home.account("robert", person_id="p-1")
    clerk, admin = await somebody(home, "clerk", "registrar"), await somebody(home, "ada", "administrator")
    unproofed = await somebody(home, "unproofed", "help-desk", level=1)
    arrived = await home.arrive("robert")
    for session in (clerk, admin, unproofed, arrived.session):
        for act in (desk.find, desk.look, desk.end_sessions, desk.send_code):
            with pytest.raises(Forbidden, match="Only the help desk"):
                await act(session, robert.account_id, home.here)
    for own in (agent.account_id, admin.account_id):
        with pytest.raises((Forbidden, Conflict)):
            await desk.send_code(agent, own, home.here)
    assert (await home.on.resume(arrived.token))[0], "nothing has happened to the account"
    async with home.pool.connection() as conn:
        assert await conn.fetchval("SELECT count(*) FROM identity.activation") == 0
        await accounts.lock(conn, robert.account_id, home.clock())
    with pytest.raises(Conflict):
        await desk.send_code(agent, robert.account_id, home.here)
