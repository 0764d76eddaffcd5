"""Sessions end by themselves, on time, and by their holder, everywhere."""

import pytest

from continuum.identity.limits import (
    REAUTHENTICATED_S,
    SESSION_IDLE_ADMINISTRATOR_S,
    SESSION_IDLE_S,
    SESSION_LIFETIME_S,
    SESSIONS_MAX,
)
from continuum.identity.passwords import PROFILES
from continuum.identity.sessions import BASIC, CARD, PREMIUM, Assurance, SessionEnded, Sessions


async def reason(home, token, **options):
    with pytest.raises(SessionEnded) as ended:
        await home.on.resume(token, **options)
    return ended.value.reason


@pytest.mark.requirement("V-222389", "V7.3.1")
async def test_a_session_idles_for_14_minutes_59_and_not_for_15(home):
    await home.account()
    arrived = await home.arrive()
    home.clock.pass_s(SESSION_IDLE_S - 1)
    session, _ = await home.on.resume(arrived.token)
    assert session.idle_left_s(home.clock()) == SESSION_IDLE_S
    home.clock.pass_s(SESSION_IDLE_S)
    assert await reason(home, arrived.token) == "idle"
    assert await reason(home, arrived.token) == "ended"


@pytest.mark.requirement("V-222390")
async def test_an_administrators_session_idles_for_9_minutes_59_and_not_for_10(home):
    await home.grant(await home.account(), "administrator")
    arrived = await home.arrive()
    home.clock.pass_s(SESSION_IDLE_ADMINISTRATOR_S - 1)
    await home.on.resume(arrived.token)
    home.clock.pass_s(SESSION_IDLE_ADMINISTRATOR_S)
    assert await reason(home, arrived.token) == "idle"


@pytest.mark.requirement("V7.3.1")
async def test_what_a_page_does_by_itself_is_no_activity(home):
    await home.account()
    arrived = await home.arrive()
    for _ in range(3):
        home.clock.pass_s(SESSION_IDLE_S / 3 - 1)
        session, _ = await home.on.resume(arrived.token, activity=False)
    assert session.idle_left_s(home.clock()) == 3
    home.clock.pass_s(3)
    assert await reason(home, arrived.token, activity=False) == "idle"


@pytest.mark.requirement("V7.3.2")
async def test_however_active_no_session_outlives_its_limit(home):
    await home.account()
    arrived = await home.arrive()
    passed_s = 0
    while passed_s + SESSION_IDLE_S - 1 < SESSION_LIFETIME_S:
        home.clock.pass_s(SESSION_IDLE_S - 1)
        passed_s += SESSION_IDLE_S - 1
        await home.on.resume(arrived.token)
    home.clock.pass_s(SESSION_LIFETIME_S - passed_s)
    assert await reason(home, arrived.token) == "limit"


async def test_activity_is_seen_by_every_worker(home):
    await home.account()
    arrived = await home.arrive()
    other = Sessions(clock=home.clock)
    home.clock.pass_s(SESSION_IDLE_S - 1)
    async with home.pool.connection() as conn:
        await other.resume(conn, arrived.token)
    home.clock.pass_s(SESSION_IDLE_S - 1)
    await home.on.resume(arrived.token)


@pytest.mark.parametrize("token", ["", "x", "' OR true --", "\ud800", "é" * 500])
@pytest.mark.requirement("V7.2.1", "V7.2.2")
async def test_a_made_up_cookie_is_nobody(home, token):
    assert await reason(home, token) == "none"


@pytest.mark.requirement("V-222387")
async def test_one_more_session_than_allowed_ends_the_oldest(home):
    account = await home.account()
    arrived = []
    for _ in range(SESSIONS_MAX + 1):
        arrived.append(await home.arrive())
        home.clock.pass_s(1)
    assert await reason(home, arrived[0].token) == "ended"
    async with home.pool.connection() as conn:
        listed = await home.on.sessions.of(conn, account.account_id)
    assert {one.session_id for one in listed} == {one.session.session_id for one in arrived[1:]}


@pytest.mark.requirement("V-222578", "V7.4.1")
async def test_signing_out_ends_this_session_and_leaves_the_others(home):
    account = await home.account()
    one, other = await home.arrive(), await home.arrive()
    await home.on.sign_out(one.session, home.here)
    await home.on.sign_out(one.session, home.here)
    assert await reason(home, one.token) == "ended"
    await home.on.resume(other.token)
    assert [name for name, actor, _ in await home.trail() if actor == account.account_id] == [
        "sign-in", "sign-in", "sign-out",
    ]  # fmt: skip


@pytest.mark.requirement("V7.5.2")
async def test_signing_out_everywhere_ends_all_of_mine_and_nobody_elses(home):
    await home.account()
    await home.account("linda")
    mine = [await home.arrive() for _ in range(3)]
    hers = await home.arrive("linda")
    assert await home.on.sign_out_everywhere(mine[0].session, home.here) == 3
    for one in mine:
        assert await reason(home, one.token) == "ended"
    await home.on.resume(hers.token)


async def test_nobody_ends_the_session_of_another_account(home):
    await home.account()
    await home.account("linda")
    mine, hers = await home.arrive(), await home.arrive("linda")
    await home.on.sign_out_one(mine.session, hers.session.session_id, home.here)
    await home.on.resume(hers.token)
    another = await home.arrive()
    await home.on.sign_out_one(mine.session, another.session.session_id, home.here)
    assert await reason(home, another.token) == "ended"


@pytest.mark.requirement("V7.5.1")
async def test_credentials_were_shown_just_now_for_five_minutes(home):
    await home.account()
    session = (await home.arrive()).session
    assert session.fresh(home.clock() + (REAUTHENTICATED_S - 1) * 1_000_000)
    assert not session.fresh(home.clock() + REAUTHENTICATED_S * 1_000_000)


@pytest.mark.requirement("V-222577", "V7.2.3")
async def test_the_database_holds_no_cookie(home):
    await home.account()
    arrived = await home.arrive()
    async with home.pool.connection() as conn:
        text = await conn.fetchval("SELECT string_agg(s::text, '') FROM identity.session s")
    assert arrived.token not in text
    assert arrived.token.encode().hex() not in text


@pytest.mark.requirement("V6.3.4")
def test_assurance_is_reached_only_when_both_levels_are():
    assert CARD.reaches(PREMIUM)
    assert PREMIUM.reaches(BASIC)
    assert not Assurance(2, 1).reaches(PREMIUM)
    assert not Assurance(1, 3).reaches(PREMIUM)
    assert not BASIC.reaches(PREMIUM)


@pytest.mark.requirement("V-222545")
async def test_under_the_stig_an_old_password_opens_only_the_page_that_changes_it(stig_home):
    await stig_home.account()
    home = stig_home
    home.clock.pass_s(PROFILES["dod-stig"].max_age_s)
    assert "expired" not in (await home.arrive()).session.methods
    home.clock.pass_s(1)
    arrived = await home.arrive()
    assert arrived.session.methods == ("pwd", "expired")
    changed = await home.credentials.change_password(
        arrived.session, home.password, "Another 12 green boats, quite late!", home.here
    )
    session, _ = await home.on.resume(changed.token)
    assert session.methods == ("pwd",)
