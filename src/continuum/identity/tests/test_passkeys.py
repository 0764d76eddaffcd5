"""Passkeys: one alone is two factors, and nothing but the real device at the real site is accepted."""

import asyncio
import json

import pytest

from continuum.identity.factors import TooManyFactors
from continuum.identity.factors.passkeys import PasskeyRefused
from continuum.identity.limits import (
    FACTORS_MAX,
    TICKET_LIFETIME_S,
)
from continuum.identity.sessions import Assurance
from continuum.identity.sign_on import AccountLocked, FactorNeeded
from continuum.identity.tickets import TicketGone


async def sign_in(home, device):
    asked = await home.on.ask_passkey()
    return await home.on.with_passkey(asked.ticket, device.sign_in(asked.options), home.here)


async def test_a_passkey_signs_in_without_name_and_password_at_level_two(home, passkey):
    account, device = await home.account(), passkey()
    assert (await home.with_passkey(device)).session.assurance == Assurance(1, 2)
    for _ in range(2):
        arrived = await sign_in(home, device)
        assert (arrived.session.account_id, arrived.session.assurance) == (account.account_id, Assurance(1, 2))
    assert (await home.trail())[-1] == ("sign-in", account.account_id, 0)


async def test_a_passkey_is_the_second_step_after_the_password(home, passkey):
    await home.account()
    device = passkey()
    await home.with_passkey(device)
    step = await home.on.with_password("robert", home.password, home.here)
    assert step == FactorNeeded(step.ticket, apps=False, passkeys=True, recovery_codes=True)
    asked = await home.on.ask_passkey(step.ticket)
    arrived = await home.on.with_passkey(asked.ticket, device.sign_in(asked.options), home.here)
    assert arrived.session.assurance.authenticator == 2


async def test_the_second_step_of_one_account_takes_no_passkey_of_another(home, passkey):
    await home.account()
    await home.account("linda")
    mine, hers = passkey(), passkey()
    await home.with_passkey(mine)
    await home.with_passkey(hers, "linda")
    step = await home.on.with_password("linda", home.password, home.here)
    asked = await home.on.ask_passkey(step.ticket)
    with pytest.raises(PasskeyRefused):
        await home.on.with_passkey(asked.ticket, mine.sign_in(asked.options), home.here)


@pytest.mark.parametrize(
    "lie",
    [
        {"origin": "https://ehr.example.org.evil.example"}, {"origin": "http://ehr.example.org"},
        {"host": "evil.example"}, {"flags": 0x01}, {"flags": 0x04}, {"count": -1},
    ],
)  # fmt: skip
async def test_what_is_not_quite_right_is_refused_with_a_trace(home, passkey, lie):
    await home.account()
    device = passkey()
    await home.with_passkey(device)
    await sign_in(home, device)
    for name, value in lie.items():
        setattr(device, name, value)
    with pytest.raises(PasskeyRefused):
        await sign_in(home, device)
    assert (await home.trail("interaction", "outcome", "detail"))[-1] == ("sign-in", 4, "passkey: PasskeyRefused")


async def test_a_copied_key_is_noticed_by_its_counter(home, passkey):
    await home.account()
    device = passkey()
    await home.with_passkey(device)
    for _ in range(3):
        await sign_in(home, device)
    device.count = 1
    with pytest.raises(PasskeyRefused):
        await sign_in(home, device)


async def test_another_key_under_the_same_name_is_refused(home, passkey):
    await home.account()
    device, other = passkey(), passkey()
    await home.with_passkey(device)
    other.credential_id = device.credential_id
    with pytest.raises(PasskeyRefused):
        await sign_in(home, other)


async def test_an_answer_is_good_once_and_for_its_question_only(home, passkey):
    await home.account()
    device = passkey()
    await home.with_passkey(device)
    asked, other = await home.on.ask_passkey(), await home.on.ask_passkey()
    answer = device.sign_in(asked.options)
    with pytest.raises(PasskeyRefused):
        await home.on.with_passkey(other.ticket, answer, home.here)
    await home.on.with_passkey(asked.ticket, answer, home.here)
    with pytest.raises(TicketGone):
        await home.on.with_passkey(asked.ticket, answer, home.here)
    late = await home.on.ask_passkey()
    home.clock.pass_s(TICKET_LIFETIME_S)
    with pytest.raises(TicketGone):
        await home.on.with_passkey(late.ticket, device.sign_in(late.options), home.here)


async def test_a_wrong_answer_uses_its_question_up(home, passkey):
    await home.account()
    device = passkey()
    await home.with_passkey(device)
    asked = await home.on.ask_passkey()
    right = device.sign_in(asked.options)
    with pytest.raises(PasskeyRefused):
        await home.on.with_passkey(asked.ticket, "{}", home.here)
    with pytest.raises(TicketGone):
        await home.on.with_passkey(asked.ticket, right, home.here)


@pytest.mark.parametrize(
    "answer", ["", "null", "[]", "{}", '{"rawId": 5}', '{"rawId": "AAAA"}', "[" * 100_000, '{"rawId": "\\ud800"}']
)
async def test_nonsense_is_refused_in_words(home, answer):
    asked = await home.on.ask_passkey()
    with pytest.raises(PasskeyRefused, match="try again"):
        await home.on.with_passkey(asked.ticket, answer, home.here)


async def test_one_passkey_serves_one_account(home, passkey):
    await home.account()
    await home.account("linda")
    device = passkey()
    await home.with_passkey(device)
    arrived = await home.arrive("linda")
    asked = await home.credentials.ask_passkey(arrived.session)
    with pytest.raises(PasskeyRefused, match="in use already"):
        await home.credentials.add_passkey(arrived.session, asked.ticket, device.register(asked.options), "", home.here)


async def test_the_question_for_a_new_passkey_is_answered_by_who_asked_it(home, passkey):
    await home.account()
    await home.account("linda")
    mine, hers = await home.arrive(), await home.arrive("linda")
    asked = await home.credentials.ask_passkey(mine.session)
    with pytest.raises(PasskeyRefused):
        await home.credentials.add_passkey(
            hers.session, asked.ticket, passkey().register(asked.options), "", home.here
        )  # fmt: skip


async def test_a_new_passkey_without_verification_of_the_user_is_refused(home, passkey):
    await home.account()
    device = passkey()
    device.flags = 0x01
    with pytest.raises(PasskeyRefused):
        await home.with_passkey(device)


async def test_the_question_asks_for_what_is_required_and_names_present_keys(home, passkey):
    account, device = await home.account(), passkey()
    arrived = await home.with_passkey(device)
    options = json.loads((await home.credentials.ask_passkey(arrived.session)).options)
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert options["authenticatorSelection"]["residentKey"] == "required"
    assert len(options["excludeCredentials"]) == 1
    assert account.account_id not in json.dumps(options)
    asked = json.loads((await home.on.ask_passkey()).options)
    assert (asked["userVerification"], asked["allowCredentials"]) == ("required", [])


async def test_a_removed_passkey_opens_nothing(home, passkey):
    await home.account()
    device = passkey()
    arrived = await home.with_passkey(device)
    await home.credentials.remove_passkey(arrived.session, device.credential_id, home.here)
    with pytest.raises(PasskeyRefused):
        await sign_in(home, device)


async def test_a_passkey_does_not_open_a_closed_account(home, passkey):
    account, device = await home.account(), passkey()
    await home.with_passkey(device)
    async with home.pool.connection() as conn:
        await conn.execute("UPDATE identity.account SET closed_us = 1 WHERE account_id = $1", account.account_id)
    with pytest.raises(AccountLocked):
        await sign_in(home, device)


async def test_a_drawer_full_of_keys_has_an_end(home, passkey):
    await home.account()
    arrived = await home.with_passkey(passkey())
    for _ in range(FACTORS_MAX - 1):
        asked = await home.credentials.ask_passkey(arrived.session)
        answer = passkey().register(asked.options)
        await home.credentials.add_passkey(arrived.session, asked.ticket, answer, "", home.here)
    with pytest.raises(TooManyFactors):
        await home.credentials.ask_passkey(arrived.session)


async def test_the_same_answer_at_the_same_moment_arrives_once(home, passkey):
    await home.account()
    device = passkey()
    await home.with_passkey(device)
    asked = await home.on.ask_passkey()
    answer = device.sign_in(asked.options)
    done = await asyncio.gather(
        *[home.on.with_passkey(asked.ticket, answer, home.here) for _ in range(8)], return_exceptions=True
    )
    assert sorted(type(one).__name__ for one in done) == ["Arrived"] + ["TicketGone"] * 7
