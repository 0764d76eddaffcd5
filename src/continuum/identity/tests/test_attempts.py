"""Guessing is slow; strangers slow down only themselves; three failures lock where the STIG holds."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuum.identity.attempts import Attempts, TooManyAttempts, wait_s
from continuum.identity.limits import (
    ATTEMPT_WAIT_MAX_S,
    ATTEMPTS_FREE,
    ATTEMPTS_OF_STRANGERS_MAX,
    ATTEMPTS_REMEMBERED_S,
)
from continuum.identity.passwords import PROFILES
from continuum.identity.vault import Vault

VAULT = Vault(bytes(range(32)))
SUBJECT = "password/robert"


class Clock:
    def __init__(self):
        self.now_s = 1_800_000_000

    def __call__(self):
        return self.now_s * 1_000_000


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def attempts(clock):
    return Attempts(VAULT, PROFILES["nist-63b-4"], clock=clock)


@pytest.fixture
def stig(clock):
    return Attempts(VAULT, PROFILES["dod-stig"], clock=clock)


async def fail(pool, attempts, **origin):
    origin = {"network": "192.0.2.7", **origin}
    async with pool.connection() as conn:
        attempt = await attempts.begin(conn, SUBJECT, **origin)
        return await attempts.failed(conn, attempt)


@pytest.mark.requirement("V6.3.1")
async def test_waits_double_from_the_fourth_attempt_on(pool, attempts, clock):
    for _ in range(ATTEMPTS_FREE):
        await fail(pool, attempts)
    for expected_s in (2, 4, 8, 16):
        with pytest.raises(TooManyAttempts) as refused:
            await fail(pool, attempts)
        assert refused.value.wait_s == expected_s
        assert f"{expected_s} seconds" in str(refused.value)
        clock.now_s += expected_s - 1
        with pytest.raises(TooManyAttempts, match="1 seconds"):
            await fail(pool, attempts)
        clock.now_s += 1
        await fail(pool, attempts)


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_more_failures_never_wait_less_and_none_longer_than_the_limit(one, other):
    assert (wait_s(one) <= wait_s(other)) or one > other
    assert 0 <= wait_s(one) <= ATTEMPT_WAIT_MAX_S


async def test_a_stranger_does_not_slow_down_a_known_browser_or_another_network(pool, attempts):
    for _ in range(ATTEMPTS_FREE):
        await fail(pool, attempts)
    with pytest.raises(TooManyAttempts):
        await fail(pool, attempts)
    await fail(pool, attempts, mark="known")
    await fail(pool, attempts, network="198.51.100.9")


async def test_many_strangers_together_wait_long_and_the_known_browser_still_does_not(pool, attempts, clock):
    for number in range(ATTEMPTS_OF_STRANGERS_MAX):
        await fail(pool, attempts, network=f"network {number}")
    with pytest.raises(TooManyAttempts, match="15 minutes"):
        await fail(pool, attempts, network="one more")
    await fail(pool, attempts, mark="known")
    clock.now_s += ATTEMPT_WAIT_MAX_S
    await fail(pool, attempts, network="one more")
    with pytest.raises(TooManyAttempts):
        await fail(pool, attempts, network="and one more")


async def test_being_right_strikes_out_ones_own_failures_only(pool, attempts):
    for _ in range(ATTEMPTS_FREE - 1):
        await fail(pool, attempts)
        await fail(pool, attempts, mark="known")
    async with pool.connection() as conn:
        await attempts.succeeded(conn, await attempts.begin(conn, SUBJECT, network="192.0.2.7", mark="known"))
    for _ in range(ATTEMPTS_FREE):
        await fail(pool, attempts, mark="known")
    await fail(pool, attempts)
    with pytest.raises(TooManyAttempts):
        await fail(pool, attempts)


@pytest.mark.requirement("V6.3.1")
async def test_attempts_at_the_same_moment_all_count(pool, attempts):
    """Fifty at once from one network: no more are judged than may be."""

    async def one():
        async with pool.connection() as conn:
            return await attempts.begin(conn, SUBJECT, network="192.0.2.7")

    done = await asyncio.gather(*[one() for _ in range(50)], return_exceptions=True)
    assert sum(not isinstance(result, Exception) for result in done) == ATTEMPTS_FREE
    assert sum(isinstance(result, TooManyAttempts) for result in done) == 50 - ATTEMPTS_FREE


async def test_after_a_day_nothing_is_held_against_anybody(pool, attempts, clock):
    for _ in range(ATTEMPTS_FREE):
        await fail(pool, attempts)
    clock.now_s += ATTEMPTS_REMEMBERED_S
    for _ in range(ATTEMPTS_FREE):
        await fail(pool, attempts)
    clock.now_s += ATTEMPTS_REMEMBERED_S + 1
    async with pool.connection() as conn:
        await attempts.sweep(conn)
        assert await conn.fetchval("SELECT count(*) FROM identity.attempt") == 0


@pytest.mark.requirement("V-222432")
async def test_under_the_stig_the_third_failure_locks_from_wherever_it_comes(pool, stig):
    assert not await fail(pool, stig, network="a")
    assert not await fail(pool, stig, network="b")
    assert await fail(pool, stig, mark="known")
    with pytest.raises(TooManyAttempts, match="15 minutes"):
        await fail(pool, stig, network="d")


@pytest.mark.requirement("V-222432")
async def test_under_the_stig_failures_apart_by_more_than_15_minutes_do_not_lock(pool, stig, clock):
    for _ in range(5):
        assert not await fail(pool, stig)
        clock.now_s += 451


async def test_under_the_stig_fifty_at_once_lock_and_the_fifty_first_is_not_judged(pool, stig):
    async def one(number):
        return await fail(pool, stig, network=f"network {number}")

    done = await asyncio.gather(*[one(number) for number in range(50)], return_exceptions=True)
    assert sum(isinstance(result, TooManyAttempts) for result in done) == 47
    assert sum(result is True for result in done) >= 1
    with pytest.raises(TooManyAttempts):
        await fail(pool, stig, network="one more")


async def test_an_administrator_opens_and_counting_begins_again(pool, stig):
    for _ in range(3):
        await fail(pool, stig)
    async with pool.connection() as conn:
        await stig.forget(conn, SUBJECT)
    assert not await fail(pool, stig)


async def test_the_table_does_not_say_whose_name_was_tried(pool, attempts):
    await fail(pool, attempts)
    async with pool.connection() as conn:
        row = await conn.fetchrow("SELECT * FROM identity.attempt")
    assert b"robert" not in row["subject_digest"]
    assert b"192" not in row["origin_digest"]
