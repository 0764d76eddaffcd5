"""Signing in with a password, with a second factor or without; what strangers and the STIG do."""

import asyncio
from dataclasses import replace

import pytest

from continuum.identity import accounts
from continuum.identity.attempts import TooManyAttempts
from continuum.identity.limits import (
    ATTEMPTS_FREE,
    TICKET_LIFETIME_S,
)
from continuum.identity.passwords import Hasher
from continuum.identity.sessions import BASIC, Assurance
from continuum.identity.sign_on import AccountLocked, FactorNeeded, SignInRefused
from continuum.identity.tickets import TicketGone

WRONG = "not the password at all"


async def test_the_right_password_of_an_account_without_factors_opens_a_basic_session(home):
    account = await home.account()
    arrived = await home.arrive()
    assert (arrived.session.account_id, arrived.session.assurance) == (account.account_id, BASIC)
    session, found = await home.on.resume(arrived.token)
    assert (session.session_id, found) == (arrived.session.session_id, account)
    assert await home.trail() == [("sign-in", account.account_id, 0)]


@pytest.mark.parametrize("name", ["robert", "ROBERT", " Robert ", "\uff52obert"])
async def test_the_sign_in_name_may_be_typed_in_any_case(home, name):
    await home.account()
    assert (await home.arrive(name)).session.methods == ("pwd",)


@pytest.mark.requirement("V16.3.1")
async def test_wrong_passwords_and_wrong_names_look_alike_and_leave_a_trace(home):
    account = await home.account()
    said = set()
    for name, password in (("robert", WRONG), ("nobody", WRONG), ("robert'; --", WRONG), ("robert", "")):
        with pytest.raises(SignInRefused) as refused:
            await home.on.with_password(name, password, home.here)
        said.add(str(refused.value))
    assert len(said) == 1
    assert await home.trail() == [
        ("sign-in", account.account_id, 4), ("sign-in", "unknown", 4), ("sign-in", "unknown", 4),
        ("sign-in", account.account_id, 4),
    ]  # fmt: skip


@pytest.mark.requirement("V16.2.5")
async def test_what_was_typed_as_a_name_is_written_nowhere(home):
    with pytest.raises(SignInRefused):
        await home.on.with_password("MySecretPassword1", WRONG, home.here)
    async with home.pool.connection() as conn:
        for table in ("record.audit", "identity.attempt"):
            rows = await conn.fetch(f"SELECT t::text FROM {table} t")
            assert rows
            assert all("mysecretpassword1" not in row[0].lower() for row in rows)


@pytest.mark.requirement("V6.3.1")
async def test_a_stranger_guessing_does_not_keep_the_holder_out(home):
    await home.account()
    known = replace(home.here, mark=(await home.arrive()).mark)
    for _ in range(ATTEMPTS_FREE):
        with pytest.raises(SignInRefused):
            await home.on.with_password("robert", WRONG, home.stranger)
    with pytest.raises(TooManyAttempts):
        await home.on.with_password("robert", home.password, home.stranger)
    assert (await home.arrive(origin=known)).session.assurance == BASIC
    at_the_same_address = replace(known, source=home.stranger.source)
    assert (await home.arrive(origin=at_the_same_address)).session.assurance == BASIC


async def test_a_mark_of_another_account_or_one_made_up_is_worth_nothing(home):
    await home.account()
    await home.account("linda")
    of_linda = (await home.arrive("linda")).mark
    changed = of_linda[:-1] + ("1" if of_linda.endswith("0") else "0")
    for mark in (of_linda, changed, "a.9999999999.b", "..", "x"):
        guesses = replace(home.stranger, mark=mark, source=f"network of {mark}")
        for _ in range(ATTEMPTS_FREE):
            with pytest.raises(SignInRefused):
                await home.on.with_password("robert", WRONG, guesses)
        with pytest.raises(TooManyAttempts):
            await home.on.with_password("robert", WRONG, replace(guesses, mark=""))


@pytest.mark.requirement("V16.3.3")
async def test_an_attempt_that_comes_too_early_leaves_a_trace_and_is_not_judged(home):
    account = await home.account()
    for _ in range(ATTEMPTS_FREE):
        with pytest.raises(SignInRefused):
            await home.on.with_password("robert", WRONG, home.here)
    with pytest.raises(TooManyAttempts):
        await home.arrive()
    assert (await home.trail("actor", "outcome", "detail"))[-1] == (account.account_id, 4, "too early")
    home.clock.pass_s(2)
    assert (await home.arrive()).session.assurance == BASIC


@pytest.mark.requirement("V-222432")
async def test_under_the_stig_the_fourth_attempt_fails_although_it_is_right(stig_home):
    account = await stig_home.account()
    for number in range(3):
        origin = replace(stig_home.stranger, source=f"203.0.113.{number}")
        with pytest.raises(SignInRefused):
            await stig_home.on.with_password("robert", WRONG, origin)
    with pytest.raises(TooManyAttempts):
        await stig_home.arrive()
    stig_home.clock.pass_s(15 * 60 + 1)
    with pytest.raises(AccountLocked, match="locked"):
        await stig_home.arrive()
    async with stig_home.pool.connection() as conn:
        await accounts.unlock(conn, account.account_id)
    assert (await stig_home.arrive()).session.assurance == BASIC


@pytest.mark.requirement("V-222432")
async def test_under_the_stig_fifty_at_once_lock_the_account_and_end_its_sessions(stig_home):
    account = await stig_home.account()
    arrived = await stig_home.arrive()
    done = await asyncio.gather(
        *[stig_home.on.with_password("robert", WRONG, stig_home.stranger) for _ in range(50)], return_exceptions=True
    )
    assert sum(isinstance(one, SignInRefused) for one in done) == 3
    assert sum(isinstance(one, TooManyAttempts) for one in done) == 47
    assert (await stig_home.get(account.account_id)).locked_us is not None
    async with stig_home.pool.connection() as conn:
        assert await stig_home.on.sessions.lives(conn, arrived.session.session_id) is None


async def test_a_closed_account_stays_shut_with_the_right_password(home):
    account = await home.account()
    async with home.pool.connection() as conn:
        await accounts.close(conn, account.account_id, home.clock())
    with pytest.raises(AccountLocked, match="closed"):
        await home.arrive()
    assert (await home.trail("outcome", "detail")) == [(4, "account closed")]


async def test_with_a_second_factor_the_password_is_only_the_first_step(home):
    await home.account()
    _, app, _ = await home.with_app()
    home.clock.pass_s(30)
    step = await home.on.with_password("robert", home.password, home.here)
    assert step == FactorNeeded(step.ticket, apps=True, passkeys=False, recovery_codes=True)
    arrived = await home.on.with_code(step.ticket, home.code(app), home.here)
    assert (arrived.session.assurance, arrived.session.methods) == (Assurance(1, 2), ("pwd", "otp", "mfa"))
    with pytest.raises(TicketGone):
        await home.on.with_code(step.ticket, home.code(app), home.here)


@pytest.mark.requirement("V6.5.1")
async def test_a_code_is_taken_once_even_by_two_at_the_same_moment(home):
    await home.account()
    _, app, _ = await home.with_app()
    home.clock.pass_s(30)
    steps = [await home.on.with_password("robert", home.password, home.here) for _ in range(2)]
    code = home.code(app)
    done = await asyncio.gather(
        *[home.on.with_code(step.ticket, code, home.here) for step in steps], return_exceptions=True
    )
    assert sorted(type(one).__name__ for one in done) == ["Arrived", "SignInRefused"]


@pytest.mark.parametrize(("later_s", "taken"), [(-60, False), (-30, True), (0, True), (30, True), (60, False)])
@pytest.mark.requirement("V6.5.5")
async def test_a_phone_may_be_half_a_minute_off(home, later_s, taken):
    await home.account()
    _, app, _ = await home.with_app()
    home.clock.pass_s(600)
    step = await home.on.with_password("robert", home.password, home.here)
    code = app.at(home.clock() // 1_000_000 + later_s)
    if taken:
        assert (await home.on.with_code(step.ticket, code, home.here)).session.assurance.authenticator == 2
    else:
        with pytest.raises(SignInRefused, match="wrong"):
            await home.on.with_code(step.ticket, code, home.here)


@pytest.mark.requirement("V6.6.3")
async def test_codes_cannot_be_guessed_with_the_password_known(home):
    await home.account()
    await home.with_app()
    step = await home.on.with_password("robert", home.password, home.stranger)
    for _ in range(ATTEMPTS_FREE):
        with pytest.raises(SignInRefused):
            await home.on.with_code(step.ticket, "000000", home.stranger)
    again = await home.on.with_password("robert", home.password, home.stranger)
    with pytest.raises(TooManyAttempts):
        await home.on.with_code(again.ticket, "000001", home.stranger)


@pytest.mark.requirement("V2.3.1")
async def test_the_second_step_has_its_time(home):
    await home.account()
    _, app, _ = await home.with_app()
    step = await home.on.with_password("robert", home.password, home.here)
    home.clock.pass_s(TICKET_LIFETIME_S)
    with pytest.raises(TicketGone, match="begin again"):
        await home.on.with_code(step.ticket, home.code(app), home.here)


async def test_a_ticket_of_one_account_does_not_take_another_ones_code(home):
    await home.account()
    await home.account("linda")
    _, app, _ = await home.with_app()
    await home.with_app("linda")
    home.clock.pass_s(30)
    step = await home.on.with_password("linda", home.password, home.here)
    with pytest.raises(SignInRefused):
        await home.on.with_code(step.ticket, home.code(app), home.here)


async def test_a_sign_in_from_a_new_browser_is_told_to_the_holder_and_from_a_known_one_not(home):
    account = await home.account()
    arrived = await home.arrive()
    await home.arrive(origin=replace(home.here, mark=arrived.mark))
    assert len(await home.notices(account.account_id)) == 1
    await home.arrive(origin=home.stranger)
    assert "curl" in (await home.notices(account.account_id))[0]


async def test_a_hash_of_cheaper_days_is_renewed_when_the_password_is_shown(home):
    account = await home.account()
    dearer = Hasher(memory_kib=128, passes=2)
    home.on.hasher = dearer
    await home.arrive()
    renewed = await home.get(account.account_id)
    assert renewed.password_hash != account.password_hash
    assert "m=128,t=2" in renewed.password_hash
    assert (await home.arrive()).session.assurance == BASIC
    dearer.close()


async def test_two_accounts_cannot_have_the_same_name_or_person(home):
    await home.account()
    with pytest.raises(accounts.NameTaken):
        await home.account("ROBERT")
    with pytest.raises(accounts.NameRefused):
        await home.account("a b")
