"""Passwords known from breaches, by an operator's list of either kind."""

import hashlib
import random

import pytest

from continuum.identity.breached import BadList, Breached
from continuum.identity.limits import BREACHED_PASSWORDS_MAX_BYTES
from continuum.identity.passwords import PasswordRefused
from continuum.identity.staffing import Staffing


def digests(words, *, counts=False, lower=False, end="\n"):
    lines = sorted(hashlib.sha1(one.encode(), usedforsecurity=False).hexdigest().upper() for one in words)
    text = [f"{one}:{number + 1}" if counts else one for number, one in enumerate(lines)]
    return "".join((one.lower() if lower else one) + end for one in text).encode()


@pytest.mark.parametrize(
    "form", [{}, {"counts": True}, {"lower": True}, {"counts": True, "end": "\r\n"}], ids=str
)  # fmt: skip
@pytest.mark.parametrize("size", [1, 2, 3, 1000])
@pytest.mark.requirement("V6.2.12")
def test_every_password_of_a_list_of_digests_is_found_and_no_other(tmp_path, form, size):
    chance = random.Random(size)
    words = [f"word {chance.random()}" for _ in range(size)] + ["grüße aus der bucht"] * (size > 1)
    path = tmp_path / "list"
    path.write_bytes(digests(words, **form).rstrip(b"\r\n") if size == 2 else digests(words, **form))
    held = Breached(path)
    assert all(held.holds(one) for one in words)
    assert not any(held.holds(f"other {chance.random()}") for _ in range(200))
    assert not held.holds("")


@pytest.mark.requirement("V6.2.12")
def test_every_password_of_a_plain_list_is_found_whatever_its_case(tmp_path):
    path = tmp_path / "list"
    path.write_text("seven yellow ferries\n\ncorrect horse battery staple\r\nÉté à la plage\n", encoding="utf-8")
    held = Breached(path)
    for one in ("seven yellow ferries", "Correct Horse Battery Staple", "e\u0301te\u0301 a\u0300 la plage"):
        assert held.holds(one)
    assert not held.holds("seven yellow ferrie")
    assert not held.holds("")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "does not begin"),
        (b"\nabc\n", "does not begin"),
        (b"word\n\xff\xfe\n", "not UTF-8"),
        (digests(["a", "b"]) + digests(["a"]), "ascending order"),
        (digests(["a"]) * 2, "ascending order"),
        (digests(["a"]) + b"word\n", "no SHA-1"),
        (b"word\n" * (BREACHED_PASSWORDS_MAX_BYTES // 5 + 1), "longer than"),
    ],
    ids=["empty", "begins empty", "not UTF-8", "not in order", "twice", "mixed", "long"],
)
def test_a_list_that_cannot_be_used_is_refused_in_words(tmp_path, content, words):
    path = tmp_path / "list"
    path.write_bytes(content)
    with pytest.raises(BadList, match=words):
        Breached(path)
    with pytest.raises(BadList, match="cannot be read"):
        Breached(tmp_path / "none")


@pytest.mark.requirement("V6.2.12")
async def test_a_breached_password_is_refused_wherever_one_is_chosen(registered, tmp_path):
    home, known = registered, "eleven purple kites over town"
    path = tmp_path / "list"
    path.write_bytes(digests([known, "another", "third"]))
    home.on.breached = Breached(path)
    words = "known from a breach"
    robert = home.robert
    began = await home.registration.look_up(
        dod_id=robert.dod_id, family_name=robert.family_name, born=home.born, origin=home.here
    )
    with pytest.raises(PasswordRefused, match=words):
        await home.registration.create(
            began.ticket, sign_in_name="robert", password=known, email=None, origin=home.here
        )
    await home.account("robert", person_id="p-1")
    session = (await home.arrive("robert")).session
    with pytest.raises(PasswordRefused, match=words):
        await home.credentials.change_password(session, home.password, known, home.here)
    ticket = await Staffing(home.on).first_administrator("ada", "Ada Example", home.here)
    with pytest.raises(PasswordRefused, match=words):
        await Staffing(home.on).enrol(ticket, known, home.here)
    assert await Staffing(home.on).enrol(ticket, f"{known} and country", home.here)
