"""Sealed secrets open only in their own row and under their own key."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuum.identity.vault import SealBroken, Vault, random_token, token_digest

VAULT = Vault(bytes(range(32)))


@given(st.binary(max_size=100), st.text(max_size=20))
def test_what_was_sealed_comes_out_again(plain, row):
    assert VAULT.unseal(VAULT.seal(plain, row), row) == plain


def test_a_secret_moved_to_another_row_or_installation_stays_shut():
    sealed = VAULT.seal(b"seed", "app/1")
    with pytest.raises(SealBroken, match="keys/identity"):
        VAULT.unseal(sealed, "app/2")
    with pytest.raises(SealBroken):
        Vault(bytes(32)).unseal(sealed, "app/1")


@given(st.integers(0, 32), st.integers(1, 255))
@pytest.mark.requirement("V11.3.3")
def test_any_changed_byte_is_noticed(place, difference):
    sealed = bytearray(VAULT.seal(b"seed", "app/1"))
    sealed[place % len(sealed)] ^= difference
    with pytest.raises(SealBroken):
        VAULT.unseal(bytes(sealed), "app/1")


def test_nothing_is_sealed_the_same_way_twice():
    assert VAULT.seal(b"seed", "app/1") != VAULT.seal(b"seed", "app/1")


def test_digests_differ_by_purpose_part_and_installation():
    found = {
        VAULT.digest("a", "b", "c"), VAULT.digest("a", "bc"), VAULT.digest("ab", "c"), VAULT.digest("a", "b", "d"),
        Vault(bytes(32)).digest("a", "b", "c"),
    }  # fmt: skip
    assert len(found) == 5
    assert VAULT.digest("a", "b", "c") == VAULT.digest("a", "b", "c")


@pytest.mark.requirement("V11.5.1", "V6.5.3", "V7.2.3")
def test_random_tokens_are_long_and_their_digests_apart():
    tokens = {random_token() for _ in range(1000)}
    assert len(tokens) == 1000
    assert min(map(len, tokens)) >= 43
    assert len({token_digest(token) for token in tokens}) == 1000


@pytest.mark.requirement("V11.5.1")
def test_a_short_secret_is_refused():
    with pytest.raises(ValueError, match="32 bytes"):
        Vault(b"short")
