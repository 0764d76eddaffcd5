import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey

from continuum.identity.limits import TOKENS_CACHED_MAX
from continuum.identity.tokens import Claims, Verifier, duration_s, issue, signing_key
from continuum.kernel.errors import NotAuthenticated

NOW_S = 1_800_000_000
CLAIMS = Claims("dr-lee", "clinician", NOW_S + 3600, name="Dr Lee", facility="f1", purpose="TREAT")
KEY = signing_key(bytes(range(32)))


class Clock:
    def __init__(self, now_s=NOW_S):
        self.now_s = now_s

    def __call__(self):
        return self.now_s * 1_000_000


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("15m", 900), ("1h", 3600), ("30d", 2_592_000)])
def test_lifetimes_are_written_as_people_write_them(text, seconds):
    assert duration_s(text) == seconds


@pytest.mark.parametrize("text", ["", "1", "h", "-1h", "1.5h", "0s", "9999d", "1h30m"])
def test_other_lifetimes_are_refused_in_words(text):
    with pytest.raises(ValueError, match=r"token may live|length of time"):
        duration_s(text)


def test_a_token_says_what_it_was_given():
    verifier = Verifier(KEY, clock=Clock())
    token = issue(KEY, CLAIMS, clock=Clock()).encode()
    assert verifier.verify(token) == CLAIMS
    assert verifier.verify(token) == CLAIMS


@pytest.mark.requirement("V9.2.1")
def test_a_token_ends_when_it_says_even_when_it_was_verified_before():
    clock = Clock()
    verifier = Verifier(KEY, clock=clock)
    token = issue(KEY, CLAIMS, clock=clock).encode()
    verifier.verify(token)
    clock.now_s = CLAIMS.expires_s + 6
    for _ in range(2):
        with pytest.raises(NotAuthenticated, match="expired"):
            verifier.verify(token)


@given(st.integers(0, 2000), st.integers(1, 255))
@pytest.mark.requirement("V9.1.1")
def test_a_changed_token_is_nobodys(position, change):
    token = bytearray(issue(KEY, CLAIMS, clock=Clock()).encode())
    position %= len(token) - 1  # the last character holds bits that the signature does not use
    token[position] ^= change
    with pytest.raises(NotAuthenticated):
        Verifier(KEY, clock=Clock()).verify(bytes(token))


@pytest.mark.requirement("V9.1.2", "V9.1.3")
def test_another_key_and_other_algorithms_are_refused():
    verifier = Verifier(KEY, clock=Clock())
    forged = issue(signing_key(bytes(32)), CLAIMS, clock=Clock())
    said = {"iss": "continuum", "sub": "x", "role": "administrator", "exp": NOW_S + 60}
    elliptic = jwt.encode({"alg": "ES256"}, said, ECKey.generate_key("P-256"))
    longer = jwt.encode({"alg": "HS512"}, said, KEY, algorithms=["HS512"])
    unsigned = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4Iiwicm9sZSI6ImFkbWluaXN0cmF0b3IifQ."
    for token in (forged, elliptic, longer, unsigned, "", "a.b.c", "ä", "x" * 9000):
        with pytest.raises(NotAuthenticated):
            verifier.verify(token.encode())


@pytest.mark.parametrize("without", ["iss", "sub", "role", "exp"])
@pytest.mark.requirement("V9.2.2")
def test_a_token_must_say_who_as_what_and_until_when(without):
    said = {"iss": "continuum", "sub": "x", "role": "patient", "exp": NOW_S + 60}
    del said[without]
    token = jwt.encode({"alg": "HS256"}, said, KEY)
    with pytest.raises(NotAuthenticated):
        Verifier(KEY, clock=Clock()).verify(token.encode())


@pytest.mark.parametrize("claims", [{"sub": "a\0b"}, {"name": "\0"}, {"facility": 7}, {"ial": "2"}, {"aal": True}])
def test_what_no_text_or_level_may_be_is_refused(claims):
    said = {"iss": "continuum", "sub": "x", "role": "patient", "exp": NOW_S + 60, **claims}
    with pytest.raises(NotAuthenticated):
        Verifier(KEY, clock=Clock()).verify(jwt.encode({"alg": "HS256"}, said, KEY).encode())


def test_the_memory_of_verified_tokens_is_bounded(monkeypatch):
    monkeypatch.setattr("continuum.identity.tokens.TOKENS_CACHED_MAX", 3)
    assert TOKENS_CACHED_MAX > 3
    verifier = Verifier(KEY, clock=Clock())
    for number in range(5):
        verifier.verify(issue(KEY, Claims(f"p{number}", "patient", NOW_S + 60), clock=Clock()).encode())
    assert len(verifier._known) == 3  # noqa: SLF001  the bound is the thing under test


@pytest.mark.requirement("V11.5.1")
def test_a_short_secret_is_no_key():
    with pytest.raises(ValueError, match="at least 32 bytes"):
        signing_key(b"short")
