"""Whom another provider brings: to which account, and what the session is worth."""

from urllib.parse import parse_qs, urlsplit

import pytest

from continuum.identity.federation.elsewhere import Elsewhere, Linked
from continuum.identity.federation.providers import OtherProvider
from continuum.identity.registry import Eligibility, Entry
from continuum.identity.sessions import Assurance
from continuum.identity.sign_on import SignInRefused
from continuum.kernel.errors import Conflict

OWN = OtherProvider("own", "Own", "https://own.example", "c", "s")
TRUSTED = OtherProvider("card", "Cards", "https://card.example", "c", "s", person_claim="edipi")
VISIT = "v" * 43


class Says:
    """Stands for the network: a provider whose signed claims these are (asking.py is tried in tests/signon)."""

    def __init__(self, provider):
        self.provider, self.claimed = provider, {}

    async def address(self, back, *, state, nonce, verifier):
        assert back == f"https://ehr.example.org/signon/elsewhere/{self.provider.key}/back"
        assert len(nonce) == len(verifier) == 43
        return f"https://there.example/?state={state}"

    async def claims(self, code, back, *, nonce, verifier):  # noqa: ARG002  as asking.py has it
        return {"sub": code, **self.claimed}


class Ways:
    def __init__(self, home):
        self.home = home
        self.asking = {one.key: Says(one) for one in (OWN, TRUSTED)}
        self.ways = Elsewhere(home.on, home.credentials, tuple(self.asking.values()), origin="https://ehr.example.org")

    async def come(self, key, subject, *, session=None, **claims):
        self.asking[key].claimed = claims
        address = await self.ways.begin(key, VISIT, "/portal", session=session)
        said = {"state": parse_qs(urlsplit(address).query)["state"][0], "code": subject}
        came, to = await self.ways.end(key, VISIT, said, self.home.here)
        assert to == "/portal"
        return came


@pytest.fixture
async def ways(home):
    await home.store(*(Entry(one, (Eligibility("retired", home.born),)) for one in (home.robert, home.linda)))
    return Ways(home)


@pytest.mark.parametrize(
    ("levels", "worth"),
    [({}, (1, 1)), ({"ial": 3, "aal": 2}, (1, 2)), ({"ial": 2, "aal": 9}, (1, 1)), ({"ial": "3", "aal": True}, (1, 1))],
)
async def test_a_connected_provider_lowers_levels_and_never_raises_who_somebody_is(home, ways, levels, worth):
    await home.account(person_id="p-1")
    session = (await home.arrive()).session
    assert isinstance(await ways.come("own", "robert-there", session=session), Linked)
    came = await ways.come("own", "robert-there", **levels)
    assert came.session.account_id == session.account_id
    assert came.session.assurance == Assurance(*worth)


async def test_a_provider_that_is_trusted_to_know_people_opens_the_account_of_the_number(home, ways):
    account = await home.account(person_id="p-1")
    came = await ways.come("card", "s-1", edipi="9900000001", ial=3, aal=3)
    assert (came.session.account_id, came.session.assurance) == (account.account_id, Assurance(3, 3))
    with pytest.raises(SignInRefused):
        await ways.come("card", "s-2", edipi="9900000002", ial=3, aal=3)
    with pytest.raises(SignInRefused):
        await ways.come("own", "s-1", edipi="9900000001", ial=3, aal=3)
    assert [row[2] for row in await home.trail() if row[0] == "sign-in"] == [0, 4, 4]


async def test_what_is_connected_to_one_account_is_nobody_elses(home, ways):
    await home.account(person_id="p-1")
    await home.account("linda", person_id="p-2")
    await ways.come("own", "s-1", session=(await home.arrive()).session)
    with pytest.raises(Conflict):
        await ways.come("own", "s-1", session=(await home.arrive("linda")).session)
    session = (await home.arrive()).session
    assert [one.key for one, _ in await ways.ways.links(session.account_id)] == ["own"]
    await ways.ways.unlink(session, "own", home.here)
    with pytest.raises(SignInRefused):
        await ways.come("own", "s-1")
