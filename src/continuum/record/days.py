"""What is at a place on a day, by one key: the cost of a day's list follows the place, and not all places.

The index of dates has the days of all facilities together, and the index of references has all days of one place. So a
resource of these types is filed under its place and its day together, too.
"""

from collections.abc import Mapping
from itertools import product

from continuum.fhir.index import Index
from continuum.fhir.query import Criterion, Query, Value
from continuum.fhir.search_params import MAIN_DATE
from continuum.kernel.limits import DAY_KEYS_MAX
from continuum.record.keys import Keys

DAYED: Mapping[str, str] = {"Appointment": "location", "Slot": "schedule"}
"""Type → the reference that says where. The main date of these types is an instant, also where they have an end."""
_DAY_US = 86_400_000_000


def file_days(index: Index, resource_type: str, low_us: int | None, high_us: int | None, keys: Keys) -> set[int]:
    """The keys of a resource's places with its day, in UTC; it has two where its second ends with the day."""
    param = DAYED.get(resource_type)
    if param is None or low_us is None or high_us is None:
        return set()
    places = [target for code, target in index.references if code == param]
    days = {low_us // _DAY_US, high_us // _DAY_US}
    return {keys.on_day(resource_type, place, day) for place, day in product(places, days)}


def day_keys(query: Query, keys: Keys) -> list[int]:
    """The keys of which every match has one; none where a search does not ask for places and for a few days."""
    param, places = DAYED.get(query.resource_type), list[str]()
    since: list[int] = []
    until: list[int] = []
    for clause in query.where:
        if not isinstance(clause, Criterion) or clause.modifier:
            continue
        if clause.param.code == param:
            places = _places(clause.values) or places
        elif clause.param.code == MAIN_DATE.get(query.resource_type) and len(clause.values) == 1:
            (value,) = clause.values
            if value.prefix in {"eq", "ge", "gt", "sa"}:
                since.append(value.low_us)
            if value.prefix in {"eq", "le"}:
                until.append(value.high_us)
            elif value.prefix in {"lt", "eb"}:
                until.append(value.low_us - 1)
    if not places or not since or not until:
        return []
    days = range(max(since) // _DAY_US, min(until) // _DAY_US + 1)
    if len(places) * len(days) > DAY_KEYS_MAX:
        return []
    return [keys.on_day(query.resource_type, place, day) for place, day in product(places, days)]


def _places(values: tuple[Value, ...]) -> list[str]:
    """What the alternatives name; nothing when one of them may mean several."""
    named = [value.targets for value in values]
    return [one for targets in named for one in targets] if all(len(targets) == 1 for targets in named) else []
