"""From nobody to Basic to Premium: the registry's facts, plain words, documents, letters."""

import asyncio
from dataclasses import replace
from datetime import date

import pytest

from continuum.identity import accounts
from continuum.identity.attempts import TooManyAttempts
from continuum.identity.limits import (
    ACTIVATION_AGAIN_S,
    ACTIVATION_LIFETIME_S,
    ATTEMPTS_FREE,
    REGISTRATION_S,
)
from continuum.identity.passwords import PasswordRefused
from continuum.identity.proofing import CodeRefused, Document, ProofingRefused, objections
from continuum.identity.registration import NotEligible, NotRecognised
from continuum.identity.sessions import BASIC, PREMIUM, Assurance
from continuum.identity.tickets import TicketGone
from continuum.kernel.errors import Conflict, Forbidden, NotFound

FACTS = {"dod_id": "9900000001", "family_name": "O'Brien", "born": date(1958, 11, 30)}
CARD = Document("uniformed services ID card", "Department of the Air Force", date(2030, 1, 1))
BIRTH = Document("birth certificate", "Bexar County", None)


async def look_up(home, **facts):
    return await home.registration.look_up(**{**FACTS, **facts}, origin=home.here)


async def register(home, name="robert", **changes):
    found = await look_up(home)
    wanted = {"sign_in_name": name, "password": "seven yellow ferries at dawn", "email": None, **changes}
    return await home.registration.create(found.ticket, **wanted, origin=home.here)


async def clerk(home):
    """A registrar at level 2."""
    account = await home.account("clerk")
    await home.grant(account, "registrar", facility_id="org-1")
    async with home.pool.connection() as conn:
        await accounts.raise_identity_level(conn, account.account_id, 2)
    return (await home.with_app("clerk"))[0].session


async def test_somebody_eligible_registers_and_is_basic(registered):
    home = registered
    found = await look_up(home, dod_id="99 0000-0001", family_name="OBRIEN")
    assert found.name == "Robert James O'Brien"
    arrived = await home.registration.create(
        found.ticket, sign_in_name="robert", password="seven yellow ferries at dawn", email="r@mail.example",
        origin=home.here,
    )  # fmt: skip
    session, account = await home.on.resume(arrived.token)
    assert session.assurance == BASIC
    assert (account.person_id, account.display_name, account.email) == ("p-1", found.name, "r@mail.example")
    assert await home.trail("interaction", "outcome", "patient_id") == [("register", 0, "pat-1"), ("sign-in", 0, None)]


@pytest.mark.parametrize("wrong", [{"dod_id": "9900000009"}, {"family_name": "Bryan"}, {"born": date(1958, 11, 3)}])
async def test_whoever_is_not_found_hears_the_same_words_and_a_number(registered, wrong):
    with pytest.raises(NotRecognised, match=r"three facts together.*the ID card office, 555-0100.*free") as refused:
        await look_up(registered, **wrong)
    with pytest.raises(NotRecognised) as other:
        await look_up(registered, dod_id="1234567890", family_name="Nobody")
    assert str(other.value) == str(refused.value)
    assert await registered.trail("interaction", "outcome") == [("register", 4)] * 2


async def test_whoever_is_not_eligible_hears_why_and_whom_to_call(registered):
    with pytest.raises(NotEligible, match=r"ended on 1 March 2012.*please call the ID card office, 555-0100"):
        await look_up(registered, dod_id="9900000002")


async def test_numbers_cannot_be_tried_out(registered):
    for number in range(ATTEMPTS_FREE):
        with pytest.raises(NotRecognised):
            await look_up(registered, dod_id=f"990000000{number + 3}")
    with pytest.raises(TooManyAttempts):
        await look_up(registered)
    found = await registered.registration.look_up(**FACTS, origin=replace(registered.here, source="198.51.100.1"))
    assert found.name == "Robert James O'Brien"


async def test_a_person_has_one_account_also_when_two_register_at_once(registered):
    home = registered
    tickets = [(await look_up(home)).ticket for _ in range(4)]
    done = await asyncio.gather(
        *[
            home.registration.create(
                ticket, sign_in_name=f"robert{number}", password="seven yellow ferries at dawn", email=None,
                origin=home.here,
            )
            for number, ticket in enumerate(tickets)
        ],
        return_exceptions=True,
    )  # fmt: skip
    assert sorted(type(one).__name__ for one in done) == ["Arrived"] + ["HasAccount"] * 3
    with pytest.raises(accounts.HasAccount, match="Sign in"):
        await look_up(home)


async def test_a_password_or_name_that_will_not_do_can_be_chosen_anew(registered):
    home = registered
    await home.account("taken")
    found = await look_up(home)
    for name, password, error in (
        ("robert", "Robert 1958 yellow ferries", PasswordRefused), ("robert", "short", PasswordRefused),
        ("taken", "seven yellow ferries at dawn", accounts.NameTaken),
        ("no name", "seven yellow ferries at dawn", accounts.NameRefused),
    ):  # fmt: skip
        with pytest.raises(error):
            await home.registration.create(
                found.ticket, sign_in_name=name, password=password, email=None, origin=home.here
            )
    arrived = await home.registration.create(
        found.ticket, sign_in_name="robert", password="seven yellow ferries at dawn", email=None, origin=home.here
    )
    assert arrived.session.assurance == BASIC


async def test_registering_has_its_time(registered):
    found = await look_up(registered)
    registered.clock.pass_s(REGISTRATION_S)
    with pytest.raises(TicketGone):
        await registered.registration.create(
            found.ticket, sign_in_name="robert", password="seven yellow ferries at dawn", email=None,
            origin=registered.here,
        )  # fmt: skip


async def test_a_clerk_proofs_somebody_and_their_next_sign_in_is_premium_with_a_second_factor(registered):
    home = registered
    registrar = await clerk(home)
    await register(home)
    account = await home.proofing.in_person(registrar, "Robert", [CARD, BIRTH], home.here)
    assert (await home.get(account.account_id)).identity_level == 2
    arrived = await home.on.with_password("robert", "seven yellow ferries at dawn", home.here)
    assert arrived.session.assurance == Assurance(2, 1)
    assert not arrived.session.assurance.reaches(PREMIUM)
    async with home.pool.connection() as conn:
        row = await conn.fetchrow("SELECT * FROM identity.proofing")
    assert (row["method"], row["by_account"]) == ("in_person", registrar.account_id)
    assert "Bexar County" in row["documents"]
    assert (await home.trail())[-2] == ("proof", registrar.account_id, 0)


async def test_only_registrars_with_a_second_factor_proof_and_nobody_themselves(registered):
    home = registered
    await register(home)
    registrar = await clerk(home)
    await home.grant(await home.account("weak"), "registrar", facility_id="org-1")
    await home.account("patient")
    weak, (patient, _, _) = await home.arrive("weak"), await home.with_app("patient")
    await home.grant(await home.account("unproofed"), "registrar", facility_id="org-1")
    unproofed, _, _ = await home.with_app("unproofed")
    for session in (weak.session, patient.session, unproofed.session):
        with pytest.raises(Forbidden, match="Only registrars"):
            await home.proofing.in_person(session, "robert", [CARD, BIRTH], home.here)
        with pytest.raises(Forbidden):
            await home.proofing.letters(session, home.here)
    for name in ("clerk", "nobody"):
        with pytest.raises(NotFound):
            await home.proofing.in_person(registrar, name, [CARD, BIRTH], home.here)


@pytest.mark.parametrize(
    ("documents", "words"),
    [
        ([CARD], "Two documents"), ([CARD, CARD], "Two documents"),
        ([BIRTH, replace(BIRTH, kind="utility bill")], "photo"),
        ([replace(CARD, valid_until=date(2026, 11, 22)), BIRTH], "No longer valid"),
        ([replace(CARD, kind="library card"), BIRTH], "Not accepted"), ([replace(CARD, issuer=" "), BIRTH], "issuer"),
    ],
)  # fmt: skip
async def test_documents_that_prove_nothing_are_refused_in_words(registered, documents, words):
    registrar = await clerk(registered)
    await register(registered)
    with pytest.raises(ProofingRefused, match=words):
        await registered.proofing.in_person(registrar, "robert", documents, registered.here)
    assert objections([CARD, BIRTH], date(2026, 11, 23)) == ()


async def test_a_letter_to_the_address_of_record_makes_premium(registered):
    home = registered
    registrar = await clerk(home)
    arrived = await register(home)
    await home.proofing.ask_letter(arrived.session, home.here)
    [letter] = await home.proofing.letters(registrar, home.here)
    assert (letter.name, letter.street, letter.city) == (
        "Robert James O'Brien", "88 Juniper Circle", "San Antonio TX 78236, US",
    )  # fmt: skip
    assert await home.proofing.letters(registrar, home.here) == []
    token, raised = await home.proofing.activate(arrived.session, letter.code.lower(), home.here)
    assert raised.assurance == Assurance(2, 1)
    session, account = await home.on.resume(token)
    assert (session.session_id, account.identity_level) == (arrived.session.session_id, 2)
    with pytest.raises(CodeRefused):
        await home.proofing.activate(session, letter.code, home.here)


@pytest.mark.requirement("V6.4.1", "V6.6.2", "V6.6.3")
async def test_codes_from_letters_cannot_be_guessed_or_used_late_or_by_others(registered):
    home = registered
    registrar = await clerk(home)
    arrived = await register(home)
    await home.account("linda")
    hers = await home.arrive("linda")
    await home.proofing.ask_letter(arrived.session, home.here)
    with pytest.raises(Conflict, match="on its way"):
        await home.proofing.ask_letter(arrived.session, home.here)
    with pytest.raises(NotFound):
        await home.proofing.ask_letter(hers.session, home.here)
    [letter] = await home.proofing.letters(registrar, home.here)
    with pytest.raises(CodeRefused):
        await home.proofing.activate(hers.session, letter.code, home.here)
    for _ in range(ATTEMPTS_FREE):
        with pytest.raises(CodeRefused):
            await home.proofing.activate(arrived.session, "2222-2222-2222-2222", home.here)
    with pytest.raises(TooManyAttempts):
        await home.proofing.activate(arrived.session, letter.code, home.here)
    home.clock.pass_s(ACTIVATION_LIFETIME_S)
    with pytest.raises(CodeRefused, match="three weeks"):
        await home.proofing.activate(arrived.session, letter.code, home.here)
    home.clock.pass_s(ACTIVATION_AGAIN_S)
    await home.proofing.ask_letter(arrived.session, home.here)


async def test_proofings_cannot_be_rewritten_by_the_application(registered):
    registrar = await clerk(registered)
    await register(registered)
    await registered.proofing.in_person(registrar, "robert", [CARD, BIRTH], registered.here)
    async with registered.pool.connection() as conn:
        for sql in ("UPDATE identity.proofing SET documents = '[]'", "DELETE FROM identity.proofing"):
            with pytest.raises(Exception, match="permission denied"):
                await conn.execute(sql)
