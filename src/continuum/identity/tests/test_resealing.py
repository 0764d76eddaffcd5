"""The key that seals what people have is replaced: nothing that can be carried over is lost, the rest is void."""

import pytest

from continuum.chart.desk import SEALED as CHART
from continuum.chart.listing import SEALED as LISTS
from continuum.clinical.messaging.box import SEALED as MESSAGES
from continuum.identity import accounts
from continuum.identity.posting import ACTIVATION, RECOVERY, post
from continuum.identity.resealing import OWN, reseal
from continuum.identity.sign_on import SignInRefused
from continuum.identity.vault import SealBroken, Vault

PLACES = (*OWN, CHART, LISTS, MESSAGES)
OLD, NEW = bytes(range(32)), bytes(range(1, 33))


async def replaced(home, old=OLD, new=NEW):
    async with home.pool.connection() as conn, conn.transaction():
        return await reseal(conn, PLACES, None if old is None else Vault(old), Vault(new), home.clock())


async def drafts(home, vault):
    """A draft of each kind with odd ids: what seals them is bound to the whole key."""
    async with home.pool.connection() as conn:
        row = CHART.row(("acc", "pat", "note", ""))
        await conn.fetch(
            "INSERT INTO chart.draft VALUES ('acc', 'pat', 'note', '', $1, 0, 1, 1)", vault.seal(b"half a note", row)
        )
        row = MESSAGES.row(("acc", "d-1"))
        await conn.fetch(
            "INSERT INTO messages.draft VALUES ('acc', 'd-1', 'pat', '', $1, 1, 1)", vault.seal(b"half a word", row)
        )


async def opened(home, place, vault):
    """Everything in a column, opened."""
    async with home.pool.connection() as conn:
        rows = await conn.fetch(f"SELECT * FROM {place.table} WHERE {place.column} IS NOT NULL")
    return [vault.unseal(row[place.column], place.row([row[name] for name in place.keys])) for row in rows]


async def test_every_sealed_column_of_the_database_is_known_here(registered):
    async with registered.pool.connection() as conn:
        rows = await conn.fetch(
            "SELECT table_schema || '.' || table_name AS name, column_name FROM information_schema.columns"
            " WHERE column_name LIKE '%sealed%'"
        )
    assert {(row["name"], row["column_name"]) for row in rows} == {(one.table, one.column) for one in PLACES}


async def test_an_app_a_draft_and_a_letter_on_its_way_outlive_the_key_and_codes_do_not(registered):
    home = registered
    robert = await home.account("robert", person_id="p-1")
    async with home.pool.connection() as conn:
        await accounts.raise_identity_level(conn, robert.account_id, 2)
    _, app, codes = await home.with_app("robert")
    linda = await home.account("linda", person_id="p-2")
    async with home.pool.connection() as conn, conn.transaction():
        await post(home.on, conn, robert, RECOVERY)
        await post(home.on, conn, linda, ACTIVATION)
    await drafts(home, Vault(OLD))
    done = await replaced(home)
    assert (done.resealed, done.gone, done.without_codes) == (5, 0, 1)
    for place, texts in ((CHART, [b"half a note"]), (MESSAGES, [b"half a word"])):
        assert await opened(home, place, Vault(NEW)) == texts
        with pytest.raises(SealBroken):
            await opened(home, place, Vault(OLD))

    home = home.under(NEW)
    home.clock.pass_s(60)
    step = await home.on.with_password("robert", home.password, home.here)
    assert await home.on.with_code(step.ticket, home.code(app), home.here)
    step = await home.on.with_password("robert", home.password, home.here)
    with pytest.raises(SignInRefused):
        await home.on.with_recovery_code(step.ticket, codes[0], home.here)
    assert any("recovery codes are void" in text for text in await home.notices(robert.account_id))
    recovery, activation = [await _code(home, account) for account in (robert, linda)]
    assert (await home.on.with_recovery_code(step.ticket, recovery, home.here)).session.recovering
    arrived = await home.arrive("linda")
    assert (await home.proofing.activate(arrived.session, activation, home.here))[1].assurance.identity == 2


async def _code(home, account):
    async with home.pool.connection() as conn:
        row = await conn.fetchrow(
            "SELECT activation_id, sealed_code FROM identity.activation WHERE account_id = $1", account.account_id
        )
    return Vault(NEW).unseal(row["sealed_code"], f"activation/{row['activation_id']}").decode()


async def test_done_twice_it_is_as_done_once(registered):
    home = registered
    await home.account("robert", person_id="p-1")
    _, app, _ = await home.with_app("robert")
    await replaced(home)
    again = await replaced(home)
    assert (again.resealed, again.gone, again.without_codes) == (1, 0, 0)
    home = home.under(NEW)
    home.clock.pass_s(60)
    step = await home.on.with_password("robert", home.password, home.here)
    assert await home.on.with_code(step.ticket, home.code(app), home.here)


async def test_a_wrong_key_changes_nothing_and_a_lost_one_takes_what_it_sealed_along(registered):
    home = registered
    await home.account("robert", person_id="p-1")
    await home.with_app("robert")
    await drafts(home, Vault(OLD))
    with pytest.raises(SealBroken):
        await replaced(home, old=bytes(32))
    assert await opened(home, CHART, Vault(OLD)) == [b"half a note"]
    done = await replaced(home, old=None)
    assert (done.resealed, done.gone) == (0, 3)
    home = home.under(NEW)
    assert (await home.arrive("robert")).session, "the password is what is left"


async def test_a_letter_that_was_printed_is_void_and_another_can_be_asked_for_at_once(registered):
    home = registered
    clerk = await home.account("clerk")
    await home.grant(clerk, "registrar", facility_id="org-1")
    async with home.pool.connection() as conn:
        await accounts.raise_identity_level(conn, clerk.account_id, 2)
    session = (await home.with_app("clerk"))[0].session
    robert = await home.account("robert", person_id="p-1")
    async with home.pool.connection() as conn, conn.transaction():
        await post(home.on, conn, robert, ACTIVATION)
    (letter,) = await home.proofing.letters(session, home.here)
    await replaced(home)
    home = home.under(NEW)
    arrived = await home.arrive("robert")
    with pytest.raises(Exception, match="wrong, was used"):
        await home.proofing.activate(arrived.session, letter.code, home.here)
    await home.proofing.ask_letter(arrived.session, home.here)


async def test_many_are_sealed_anew_in_parts(registered, monkeypatch):
    home = registered
    monkeypatch.setattr("continuum.identity.resealing.RESEALED_AT_ONCE", 2)
    async with home.pool.connection() as conn:
        for number in range(5):
            keys = ("acc", f"d-{number}")
            await conn.fetch(
                "INSERT INTO messages.draft VALUES ($1, $2, 'pat', '', $3, 1, 1)",
                *keys, Vault(OLD).seal(f"word {number}".encode(), MESSAGES.row(keys)),
            )  # fmt: skip
    assert (await replaced(home)).resealed == 5
    assert sorted(await opened(home, MESSAGES, Vault(NEW))) == [f"word {number}".encode() for number in range(5)]
