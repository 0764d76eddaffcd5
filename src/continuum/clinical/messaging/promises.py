"""Until when a team answers: working days by the clock of its facility."""

from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

from continuum.clinical.messaging import rules


@lru_cache(maxsize=8)
def _federal(year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("US", years=year, categories=holidays.PUBLIC))


def promise(now: datetime, zone: ZoneInfo, working_days: int) -> datetime:
    """Until when a team answers what it gets now: working days, federal holidays left out (5 U.S.C. 6103)."""
    return rules.answer_until(now, zone, working_days, _federal(now.year) | _federal(now.year + 1))
