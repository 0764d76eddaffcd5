"""Which passwords are taken under which profile, and what becomes of them."""

import asyncio
import string

import pytest
from argon2 import extract_parameters
from hypothesis import given
from hypothesis import strategies as st

from continuum.identity.limits import (
    PASSWORD_HASHES_WAITING_MAX,
    PASSWORD_MAX_CHARS,
)
from continuum.identity.passwords import PROFILES, Hasher, objections, of_nobody
from continuum.kernel.errors import Busy

NIST, STIG = PROFILES["nist-63b-4"], PROFILES["dod-stig"]
ABOUT = ("Robert James", "O'Brien", "9900000001", "1958-11-30", "robert.obrien")
GOOD = "seven yellow ferries at dawn"
GOOD_STIG = "Seven yellow ferries at dawn, 4 blue!"


@pytest.fixture(scope="module")
def hasher():
    made = Hasher(memory_kib=64, passes=1)
    yield made
    made.close()


@pytest.mark.parametrize("password", [GOOD, "Fähre Nebel Tisch Quitte", "ржавый якорь поёт ночью", GOOD + " " * 30])
@pytest.mark.requirement("V6.2.5")
def test_a_row_of_words_is_enough_for_the_default_profile(password):
    assert objections(password, NIST, about=ABOUT) == ()


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("short but odd", "15 characters"),
        ("passwordpassword", "easy to guess"),
        ("P@ssw0rdP@ssw0rd", "easy to guess"),
        ("qwertyuiopasdfgh", "easy to guess"),
        ("aaaaaaaaaaaaaaaaaaaaaaa", "easy to guess"),
        ("continuumcontinuum", "easy to guess"),
        ("robert sings at dawn", "name, number or date"),
        ("under OBRIEN's yellow roof", "name, number or date"),
        ("seven ferries 9900000001", "name, number or date"),
        ("seven ferries in 1958 fog", "name, number or date"),
        ("x" * (PASSWORD_MAX_CHARS + 1), "at most"),
    ],
)
@pytest.mark.requirement("V6.2.11", "V6.2.12", "V6.2.4")
def test_what_others_would_guess_is_refused_with_the_reason(password, words):
    assert any(words in text for text in objections(password, NIST, about=ABOUT))


@pytest.mark.requirement("V-222536", "V6.2.1")
def test_beside_a_second_factor_it_may_be_shorter_but_not_under_the_stig():
    short = "gulf-Tn4 rye"
    assert objections(short, NIST, second_factor=True) == ()
    assert objections(short, NIST) != ()
    assert objections(short, STIG, second_factor=True) != ()


@pytest.mark.parametrize(
    ("password", "missing"),
    [
        (GOOD_STIG.lower(), "an upper-case letter"), (GOOD_STIG.upper(), "a lower-case letter"),
        (GOOD_STIG.replace("4", ""), "a digit"), ("Seven yellow ferries at dawn 4 blue", "a special character"),
    ],
)  # fmt: skip
@pytest.mark.requirement("V-222537", "V-222538", "V-222539", "V-222540")
def test_the_stig_asks_for_all_four_kinds(password, missing):
    assert objections(GOOD_STIG, STIG) == ()
    assert any(missing in text for text in objections(password, STIG))
    assert objections(password, NIST) == ()


@given(st.text(alphabet=string.ascii_letters + string.digits + "!#,.", min_size=15, max_size=40), st.integers(0, 14))
@pytest.mark.requirement("V-222541")
def test_under_the_stig_eight_characters_must_change(former, kept):
    new = former[:kept] + "".join(chr(0x4E00 + n) for n in range(len(former) - kept))
    complaint = any("must differ" in text for text in objections(new, STIG, former=former))
    assert complaint == (len(former) - kept < 8)


@given(st.text(max_size=300))
@pytest.mark.requirement("V1.1.1", "V6.2.9")
def test_any_text_is_judged_without_a_fault(password):
    for profile in (NIST, STIG):
        assert all(isinstance(text, str) and text for text in objections(password, profile, about=ABOUT))


@pytest.mark.requirement("V-222542", "V6.2.8")
async def test_a_hash_knows_its_password_and_no_other(hasher):
    kept = await hasher.hash(GOOD)
    assert kept.startswith("$argon2id$")
    assert GOOD not in kept
    assert await hasher.verify(GOOD, kept)
    assert not await hasher.verify(GOOD + " ", kept)
    assert not await hasher.verify("", kept)
    assert not await hasher.verify(GOOD, "not a hash")
    assert await hasher.hash(GOOD) != kept


@pytest.mark.requirement("V1.1.1")
async def test_the_same_signs_typed_another_way_are_the_same_password(hasher):
    kept = await hasher.hash("Fa\u0308hre \ufb01nden wir im Nebel")
    assert await hasher.verify("F\u00e4hre finden wir im Nebel", kept)


async def test_nobodys_password_is_checked_just_as_long_and_never_right(hasher):
    assert not await hasher.verify("the password of nobody", None)
    assert extract_parameters(of_nobody(64, 1)) == extract_parameters(await hasher.hash(GOOD))


async def test_a_hash_of_cheaper_days_is_known(hasher):
    dearer = Hasher(memory_kib=128, passes=2)
    kept = await hasher.hash(GOOD)
    assert dearer.outdated(kept)
    assert not hasher.outdated(kept)
    assert await dearer.verify(GOOD, kept)
    dearer.close()


async def test_too_many_at_once_are_asked_to_come_back(hasher):
    work = [asyncio.create_task(hasher.hash(GOOD)) for _ in range(PASSWORD_HASHES_WAITING_MAX + 20)]
    done = await asyncio.gather(*work, return_exceptions=True)
    assert sum(isinstance(one, Busy) for one in done) == 20
    assert sum(isinstance(one, str) for one in done) == PASSWORD_HASHES_WAITING_MAX


@pytest.mark.requirement("V11.4.2")
def test_the_product_hashes_at_the_recommended_cost():
    made = Hasher()
    kept = asyncio.run(made.hash(GOOD))
    made.close()
    assert "$m=65536,t=3,p=1$" in kept
