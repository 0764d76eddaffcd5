"""Staff: the first administrator, everybody after, leavers, and who may not do any of it."""

from datetime import date

import pytest

from continuum.identity import accounts
from continuum.identity.limits import (
    ENROLMENT_S,
)
from continuum.identity.passwords import PasswordRefused
from continuum.identity.sessions import PREMIUM, Assurance, SessionEnded
from continuum.identity.sign_on import AccountLocked, SignInRefused
from continuum.identity.staffing import Staffing
from continuum.identity.tickets import TicketGone
from continuum.kernel.errors import Forbidden, Invalid, NotFound

DAY = date(2026, 11, 23)
NEW = "eleven purple kites over town"


@pytest.fixture
def staffing(home):
    return Staffing(home.on)


async def administrator(home, name="ada"):
    await home.grant(await home.account(name), "administrator")
    async with home.pool.connection() as conn:
        await conn.execute("UPDATE identity.account SET identity_level = 2 WHERE sign_in_name = $1", name)
    return (await home.with_app(name))[0].session


async def hire(home, staffing, admin, name="nick"):
    account, ticket = await staffing.open_account(
        admin, sign_in_name=name, display_name="Nick Nurse", email=None, origin=home.here
    )
    arrived = await staffing.enrol(ticket, NEW, home.here)
    return account, arrived


@pytest.mark.requirement("V6.3.2")
async def test_the_first_administrator_comes_from_the_command_line_and_needs_a_second_factor(home, staffing):
    ticket = await staffing.first_administrator("Ada", "Ada Admin", home.here)
    arrived = await staffing.enrol(ticket, NEW, home.here)
    assert arrived.session.assurance == Assurance(2, 1)
    assert arrived.session.idle_s == 600
    with pytest.raises(Forbidden, match="second factor"):
        await staffing.members(arrived.session)
    with pytest.raises(TicketGone):
        await staffing.enrol(ticket, NEW, home.here)
    assert await home.trail("interaction", "actor") == [
        ("open-account", "command-line"), ("sign-in", arrived.session.account_id),
    ]  # fmt: skip


async def test_somebody_new_sets_the_account_up_and_works_from_the_first_day_on(home, staffing):
    admin = await administrator(home)
    account, arrived = await hire(home, staffing, admin)
    assert arrived.session.account_id == account.account_id
    assert (await home.get(account.account_id)).identity_level == PREMIUM.identity
    await staffing.grant(
        admin, account.account_id, "nurse", facility_id="org-1", starts=DAY, ends=date(2027, 1, 1), origin=home.here
    )
    [_, nick] = await staffing.members(admin)
    assert (nick.sign_in_name, nick.state) == ("nick", "open")
    assert [(one.role, one.facility_id, one.ends) for one in nick.privileges] == [("nurse", "org-1", date(2027, 1, 1))]
    assert (await home.trail())[-1] == ("grant", admin.account_id, 0)


@pytest.mark.requirement("V7.4.2", "V7.4.5")
async def test_a_leaver_is_out_at_once_and_the_trail_says_who_takes_over(home, staffing):
    admin = await administrator(home)
    account, arrived = await hire(home, staffing, admin)
    await staffing.grant(
        admin, account.account_id, "nurse", facility_id="org-1", starts=DAY, ends=None, origin=home.here
    )
    await staffing.leave(admin, account.account_id, hand_to="ada", origin=home.here)
    with pytest.raises(SessionEnded):
        await home.on.resume(arrived.token)
    with pytest.raises(AccountLocked):
        await home.on.with_password("nick", NEW, home.here)
    [_, nick] = await staffing.members(admin)
    assert (nick.state, nick.privileges) == ("closed", ())
    assert (await home.trail("interaction", "query"))[-2] == (
        "leave", f"{account.account_id} work to {admin.account_id}",
    )  # fmt: skip


async def test_work_is_not_handed_to_nobody_or_to_the_leaver(home, staffing):
    admin = await administrator(home)
    account, _ = await hire(home, staffing, admin)
    for heir in ("nobody", "nick"):
        with pytest.raises(NotFound, match="open account"):
            await staffing.leave(admin, account.account_id, hand_to=heir, origin=home.here)
    assert (await home.get(account.account_id)).open
    with pytest.raises(Forbidden, match="own account"):
        await staffing.leave(admin, admin.account_id, hand_to=None, origin=home.here)


async def test_a_withdrawn_role_holds_in_no_open_session(home, staffing):
    admin = await administrator(home)
    account, arrived = await hire(home, staffing, admin)
    made = await staffing.grant(
        admin, account.account_id, "nurse", facility_id="org-1", starts=DAY, ends=None, origin=home.here
    )
    await staffing.withdraw(admin, account.account_id, made.privilege_id, home.here)
    with pytest.raises(SessionEnded):
        await home.on.resume(arrived.token)
    with pytest.raises(NotFound):
        await staffing.withdraw(admin, account.account_id, made.privilege_id, home.here)


async def test_nobody_else_may_do_any_of_it(home, staffing):
    admin = await administrator(home)
    account, _ = await hire(home, staffing, admin)
    await home.account("paula")
    patient, _, _ = await home.with_app("paula")
    await home.grant(await home.account("weak"), "administrator")
    weak = await home.arrive("weak")
    before = await home.get(account.account_id)
    for session in (patient.session, weak.session):
        for work in (
            staffing.members(session), staffing.leave(session, account.account_id, hand_to=None, origin=home.here),
            staffing.unlock(session, account.account_id, home.here),
            staffing.withdraw(session, account.account_id, "x", home.here),
            staffing.grant(
                session, session.account_id, "administrator", facility_id=None, starts=DAY, ends=None, origin=home.here
            ),
            staffing.open_account(session, sign_in_name="x", display_name="X", email=None, origin=home.here),
        ):  # fmt: skip
            with pytest.raises(Forbidden, match="Only administrators"):
                await work
    assert await home.get(account.account_id) == before


@pytest.mark.requirement("V6.4.1")
async def test_the_link_to_set_up_an_account_has_its_time_and_wants_a_good_password(home, staffing):
    admin = await administrator(home)
    _, ticket = await staffing.open_account(
        admin, sign_in_name="nick", display_name="Nick Nurse", email=None, origin=home.here
    )
    with pytest.raises(PasswordRefused):
        await staffing.enrol(ticket, "nick nurse nick nurse", home.here)
    with pytest.raises(SignInRefused):
        await home.on.with_password("nick", "", home.here)
    home.clock.pass_s(ENROLMENT_S)
    with pytest.raises(TicketGone):
        await staffing.enrol(ticket, NEW, home.here)


@pytest.mark.parametrize("name", ["", "   ", "x" * 61, "a\x00b"])
async def test_a_name_is_needed(home, staffing, name):
    with pytest.raises(Invalid):
        await staffing.first_administrator("ada", name, home.here)


@pytest.mark.requirement("SRG-APP-000345")
async def test_an_administrator_opens_what_failures_have_locked(stig_home):
    home, staffing = stig_home, Staffing(stig_home.on)
    admin = await administrator(home)
    account = await home.account()
    for _ in range(3):
        with pytest.raises(SignInRefused):
            await home.on.with_password("robert", "wrong", home.stranger)
    assert (await home.get(account.account_id)).locked_us is not None
    await staffing.unlock(admin, account.account_id, home.here)
    assert (await home.arrive()).session.account_id == account.account_id
    async with home.pool.connection() as conn:
        assert (await accounts.get(conn, account.account_id)).open
