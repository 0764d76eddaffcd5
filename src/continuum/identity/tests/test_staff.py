"""Privileges of staff: at a facility, from a day to a day, gone at once when withdrawn."""

from datetime import date, timedelta

import pytest

from continuum.identity import staff
from continuum.kernel.errors import Invalid, NotFound

DAY = date(2026, 11, 23)


async def grant(home, account, role="nurse", facility_id="org-1", starts=DAY, ends=None):
    async with home.pool.connection() as conn:
        return await staff.grant(
            conn, account.account_id, role, facility_id=facility_id, starts=starts, ends=ends, by_account=None,
            now=home.clock(),
        )  # fmt: skip


async def roles(home, account, day=DAY):
    async with home.pool.connection() as conn:
        return [(one.role, one.facility_id) for one in await staff.of(conn, account.account_id, day)]


async def test_a_privilege_holds_from_its_first_to_its_last_day(home):
    account = await home.account()
    await grant(home, account, starts=DAY, ends=DAY + timedelta(days=2))
    days = [await roles(home, account, DAY + timedelta(days=offset)) for offset in (-1, 0, 2, 3)]
    assert days == [[], [("nurse", "org-1")], [("nurse", "org-1")], []]
    assert await roles(home, account, None) == [("nurse", "org-1")]


async def test_one_person_has_different_roles_at_different_facilities(home):
    account = await home.account()
    await grant(home, account)
    await grant(home, account, "scheduler", "org-2")
    await grant(home, account, "administrator", None)
    assert await roles(home, account) == [("administrator", None), ("nurse", "org-1"), ("scheduler", "org-2")]


@pytest.mark.parametrize(
    "wrong", [{"role": "king"}, {"facility_id": None}, {"role": "administrator"}, {"ends": DAY - timedelta(days=1)}]
)
async def test_what_makes_no_sense_is_not_granted(home, wrong):
    account = await home.account()
    with pytest.raises(Invalid):
        await grant(home, account, **wrong)
    assert await roles(home, account, None) == []


async def test_what_is_withdrawn_is_gone_at_once_and_only_ones_own(home):
    account, other = await home.account(), await home.account("linda")
    mine, hers = await grant(home, account), await grant(home, other)
    async with home.pool.connection() as conn:
        with pytest.raises(NotFound):
            await staff.withdraw(conn, account.account_id, hers.privilege_id, home.clock())
        await staff.withdraw(conn, account.account_id, mine.privilege_id, home.clock())
    assert await roles(home, account) == []
    assert await roles(home, other) == [("nurse", "org-1")]
