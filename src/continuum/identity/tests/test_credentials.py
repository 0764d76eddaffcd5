"""Changing passwords and factors: only right after showing them; recovery that takes nothing over."""

import pyotp
import pytest

from continuum.identity.credentials import CodeWrong, SignInAgain
from continuum.identity.limits import (
    REAUTHENTICATED_S,
    RECOVERY_CODES,
)
from continuum.identity.passwords import PROFILES, PasswordRefused
from continuum.identity.sessions import Assurance, SessionEnded
from continuum.identity.sign_on import SignInRefused
from continuum.kernel.errors import NotFound

NEW = "twelve green boats, quite late 7 Times!"


async def second_step(home, name="robert"):
    return await home.on.with_password(name, home.password, home.here)


@pytest.mark.requirement("V6.2.2")
async def test_a_new_password_opens_and_the_old_one_does_not(home):
    await home.account()
    arrived, other = await home.arrive(), await home.arrive()
    changed = await home.credentials.change_password(arrived.session, home.password, NEW, home.here)
    assert (await home.arrive(password=NEW)).session.methods == ("pwd",)
    with pytest.raises(SignInRefused):
        await home.arrive()
    await home.on.resume(changed.token)
    for token in (other.token, arrived.token):
        with pytest.raises(SessionEnded):
            await home.on.resume(token)


@pytest.mark.parametrize(
    ("present", "new", "words"),
    [
        ("wrong", NEW, "present password is not right"), (None, "short", "15 characters"),
        (None, "robert likes yellow boats", "name, number or date"), (None, None, "before"),
    ],
)  # fmt: skip
async def test_a_password_that_will_not_do_changes_nothing(home, present, new, words):
    account = await home.account()
    arrived = await home.arrive()
    with pytest.raises(PasswordRefused, match=words):
        await home.credentials.change_password(
            arrived.session, present or home.password, new or home.password, home.here
        )
    assert (await home.get(account.account_id)).password_hash == account.password_hash


@pytest.mark.requirement("V6.2.3", "V7.5.1")
async def test_a_session_left_open_cannot_change_what_opens_the_account(home):
    account = await home.account()
    arrived, app, _ = await home.with_app()
    home.clock.pass_s(REAUTHENTICATED_S)
    session, _ = await home.on.resume(arrived.token)
    for change in (
        home.credentials.change_password(session, home.password, NEW, home.here),
        home.credentials.begin_app(session, ""), home.credentials.ask_passkey(session),
        home.credentials.renew_recovery_codes(session, home.here),
        home.credentials.remove_app(session, "x", home.here),
    ):  # fmt: skip
        with pytest.raises(SignInAgain):
            await change
    assert (await home.get(account.account_id)).password_hash == account.password_hash
    step = await second_step(home)
    fresh = await home.on.with_code(step.ticket, home.code(app), home.here)
    await home.credentials.change_password(fresh.session, home.password, NEW, home.here)


async def test_setting_up_the_first_factor_raises_the_session_and_gives_recovery_codes_once(home):
    account = await home.account()
    before = await home.arrive()
    begun = await home.credentials.begin_app(before.session, "  My\x00 phone ")
    app = pyotp.TOTP(begun.seed)
    assert begun.uri.startswith("otpauth://totp/Continuum:robert?secret=")
    changed = await home.credentials.confirm_app(before.session, begun.factor_id, home.code(app), home.here)
    session, _ = await home.on.resume(changed.token)
    assert session.assurance == Assurance(1, 2)
    assert len(set(changed.recovery_codes)) == RECOVERY_CODES
    with pytest.raises(SessionEnded):
        await home.on.resume(before.token)
    apps, passkeys, codes_left = await home.credentials.present(session)
    assert ([one.label for one in apps], passkeys, codes_left) == (["My phone"], [], RECOVERY_CODES)
    again = await home.credentials.begin_app(session, "Tablet")
    code = home.code(pyotp.TOTP(again.seed))
    assert (await home.credentials.confirm_app(session, again.factor_id, code, home.here)).recovery_codes == ()
    assert any("app was set up" in text for text in await home.notices(account.account_id))


async def test_an_app_that_showed_no_right_code_is_no_factor(home):
    await home.account()
    arrived = await home.arrive()
    begun = await home.credentials.begin_app(arrived.session, "")
    with pytest.raises(CodeWrong):
        await home.credentials.confirm_app(arrived.session, begun.factor_id, "000000", home.here)
    assert (await home.arrive()).session.assurance == Assurance(1, 1)
    another = await home.credentials.begin_app(arrived.session, "")
    with pytest.raises(CodeWrong):
        await home.credentials.confirm_app(
            arrived.session, begun.factor_id, home.code(pyotp.TOTP(begun.seed)), home.here
        )
    assert another.factor_id != begun.factor_id


@pytest.mark.requirement("V7.5.1")
async def test_a_stolen_password_alone_cannot_add_a_factor_beside_the_holders(home):
    await home.account()
    early = await home.arrive()
    await home.with_app()
    for change in (home.credentials.begin_app(early.session, ""), home.credentials.ask_passkey(early.session)):
        with pytest.raises(SignInAgain):
            await change


@pytest.mark.requirement("V6.4.3")
async def test_recovery_needs_the_password_and_a_code_and_leads_to_a_new_factor_only(home):
    account = await home.account()
    arrived, _, codes = await home.with_app()
    step = await second_step(home)
    recovered = await home.on.with_recovery_code(step.ticket, codes[3].lower().replace("-", " "), home.here)
    assert recovered.session.recovering
    assert recovered.session.assurance == Assurance(1, 1)
    for change in (
        home.credentials.change_password(recovered.session, home.password, NEW, home.here),
        home.credentials.renew_recovery_codes(recovered.session, home.here),
        home.credentials.remove_app(recovered.session, "x", home.here),
    ):
        with pytest.raises(SignInAgain):
            await change
    begun = await home.credentials.begin_app(recovered.session, "New phone")
    app = pyotp.TOTP(begun.seed)
    changed = await home.credentials.confirm_app(recovered.session, begun.factor_id, home.code(app), home.here)
    assert (changed.token, changed.recovery_codes) == (None, ())
    for token in (recovered.token, arrived.token):
        with pytest.raises(SessionEnded):
            await home.on.resume(token)
    home.clock.pass_s(30)
    again = await second_step(home)
    assert (await home.on.with_code(again.ticket, home.code(app), home.here)).session.assurance == Assurance(1, 2)
    assert any("recovery code was used" in text for text in await home.notices(account.account_id))


@pytest.mark.requirement("V6.5.1")
async def test_a_recovery_code_is_good_once_and_for_its_account(home):
    await home.account()
    await home.account("linda")
    _, _, codes = await home.with_app()
    _, _, hers = await home.with_app("linda")
    await home.on.with_recovery_code((await second_step(home)).ticket, codes[0], home.here)
    for code in (codes[0], hers[0], "", "2345-6789-ABCD-EFGH"):
        home.clock.pass_s(1000)
        with pytest.raises(SignInRefused, match="unused recovery codes"):
            await home.on.with_recovery_code((await second_step(home)).ticket, code, home.here)


async def test_new_recovery_codes_make_the_old_ones_void(home):
    await home.account()
    arrived, _, codes = await home.with_app()
    renewed = await home.credentials.renew_recovery_codes(arrived.session, home.here)
    assert not set(renewed) & set(codes)
    with pytest.raises(SignInRefused):
        await home.on.with_recovery_code((await second_step(home)).ticket, codes[0], home.here)
    arrived = await home.on.with_recovery_code((await second_step(home)).ticket, renewed[0], home.here)
    assert arrived.session.recovering


@pytest.mark.requirement("V6.4.3")
async def test_whoever_signed_in_with_a_passkey_may_set_a_forgotten_password(home, passkey):
    await home.account()
    device = passkey()
    await home.with_passkey(device)
    asked = await home.on.ask_passkey()
    arrived = await home.on.with_passkey(asked.ticket, device.sign_in(asked.options), home.here)
    await home.credentials.change_password(arrived.session, "", NEW, home.here)
    step = await home.on.with_password("robert", NEW, home.here)
    assert step.passkeys


async def test_removing_takes_away_only_what_is_ones_own(home):
    await home.account()
    await home.account("linda")
    mine, _, _ = await home.with_app()
    hers, _, _ = await home.with_app("linda")
    [her_app], _, _ = await home.credentials.present(hers.session)
    with pytest.raises(NotFound):
        await home.credentials.remove_app(mine.session, her_app.factor_id, home.here)
    [my_app], _, _ = await home.credentials.present(mine.session)
    await home.credentials.remove_app(mine.session, my_app.factor_id, home.here)
    assert (await home.arrive()).session.assurance == Assurance(1, 1)
    assert not hasattr(await second_step(home, "linda"), "token")


@pytest.mark.requirement("V-222544", "V-222546")
async def test_under_the_stig_former_passwords_and_daily_changes_are_refused(stig_home):
    home, rules = stig_home, PROFILES["dod-stig"]
    await home.account()
    words = ("boats", "trains", "planes", "wagons", "rafts", "sleds")
    used = [home.password]
    arrived = await home.arrive()
    with pytest.raises(PasswordRefused, match="less than a day old"):
        await home.credentials.change_password(arrived.session, home.password, NEW, home.here)
    for number, word in enumerate(words[: rules.former_refused]):
        home.clock.pass_s(rules.min_age_s + 1)
        arrived = await home.arrive(password=used[-1])
        for former in used:
            with pytest.raises(PasswordRefused, match=r"before|must differ"):
                await home.credentials.change_password(arrived.session, used[-1], former, home.here)
        new = f"Zx{number}! {word} {word.upper()} q{number}kv & 80 {'mnw'[number % 3] * 3}"
        await home.credentials.change_password(arrived.session, used[-1], new, home.here)
        used.append(new)


@pytest.mark.requirement("V6.5.2")
async def test_seeds_and_codes_are_not_readable_in_the_database(home):
    await home.account()
    arrived = await home.arrive()
    begun = await home.credentials.begin_app(arrived.session, "")
    code = home.code(pyotp.TOTP(begun.seed))
    changed = await home.credentials.confirm_app(arrived.session, begun.factor_id, code, home.here)
    async with home.pool.connection() as conn:
        seeds = await conn.fetch("SELECT sealed_seed FROM identity.authenticator_app")
        digests = await conn.fetch("SELECT code_digest FROM identity.recovery_code")
    kept = b" ".join(row[0] for row in (*seeds, *digests))
    assert begun.seed.encode() not in kept
    assert all(one.replace("-", "").encode() not in kept for one in changed.recovery_codes)
