"""The first ten seconds: what matters now, what changed, what is due."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from continuum.access import Session, Stored
from continuum.access.views import Found, View
from continuum.chart.banner import SEARCHES
from continuum.chart.dated import newest_texts, only
from continuum.chart.dated import since as changed
from continuum.chart.entry import N_, Entry, Fact
from continuum.chart.limits import SUMMARY_COUNT
from continuum.chart.reading import Resource, codes, words
from continuum.chart.section import criteria, entries, made, section
from continuum.chart.trends import Course, courses

_NOW = "Now"
CHANGED_DAYS = 90
"""What is newer counts as a change."""
_CHANGES = ("problems", "allergies", "medicines", "visits", "reports", "notes", "immunizations")
_LOOKED_AT = (*_CHANGES, "labs", "vitals", "plans")
_CHANGES_MAX = 8
_MEASURED = ("labs", "vitals")
_ONLY_CHANGES = ("visits", "reports", "notes")
"""Of these a summary shows nothing but what is new."""
_NEWEST = 2
"""Results of one kind that a summary shows or compares: the last, and the one before it."""


@dataclass(frozen=True, slots=True)
class Due:
    """Something that should be done, and why. both are messages of ours; when: FHIR's date, "" for now."""

    what: str
    why: str
    when: str = ""
    entry: Entry | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """What a page shows first."""

    problems: tuple[Entry, ...]
    medicines: tuple[Entry, ...]
    allergies: tuple[Entry, ...]
    vitals: tuple[Course, ...]
    abnormal: tuple[Entry, ...]
    changed: tuple[tuple[str, Entry], ...]
    due: tuple[Due, ...]
    plans: tuple[Entry, ...]


async def summary(session: Session, patient_id: str, today: date) -> tuple[View, Summary]:
    """The summary of one person. Raises NotFound."""
    searches = dict(SEARCHES)
    for key in _LOOKED_AT:
        searches[key] = criteria(section(key), count=SUMMARY_COUNT * (4 if key in {"labs", "vitals"} else 1))
    searches["appointments"] = (
        f"Appointment?date=ge{today.isoformat()}&status=booked,pending,proposed&_sort=date&_count=5"
    )
    since = (today - timedelta(days=CHANGED_DAYS)).isoformat()

    def fewer(found: Found) -> Callable[[Stored], bool]:
        kept = {key: newest_texts(found[key], _NEWEST) for key in _MEASURED}
        return only(kept | {key: changed(found[key], since) for key in _ONLY_CHANGES}, found)

    view = await session.view("summary", patient_id, searches, fewer=fewer)
    found = {key: entries(section(key), view, key) for key in (*_LOOKED_AT, "appointments") if key not in _MEASURED}
    for key in _MEASURED:
        found[key] = made(section(key), view, newest(view.found[key]))
    now = {
        key: tuple(one for one in found[key] if one.group == _NOW and not one.wrong)
        for key in ("problems", "medicines", "allergies", "plans")
    }
    return view, Summary(
        problems=now["problems"],
        medicines=now["medicines"],
        allergies=now["allergies"],
        vitals=courses([one for one in found["vitals"] if not one.wrong]),
        abnormal=_abnormal(found["labs"]),
        changed=_changed(found, since),
        due=due(view, found, today),
        plans=now["plans"],
    )


def newest(measured: Iterable[Resource]) -> Iterator[Resource]:
    """Of what was measured, newest first, as much of each kind as is shown; what was an error counts for none.

    The others would become entries that nobody sees, and they are nine of ten in a long chart.
    """
    met: Counter[str] = Counter()
    for one in measured:
        known = codes(one.get("code"))
        kind = known[0] if known else words(one.get("code"))
        if met[kind] < _NEWEST:
            met[kind] += one.get("status") != "entered-in-error"
            yield one


def _abnormal(labs: Sequence[Entry]) -> tuple[Entry, ...]:
    """The latest result of each test, where it is not as expected."""
    latest: dict[str, Entry] = {}
    for one in labs:
        if not one.wrong:
            latest.setdefault(one.codes[0] if one.codes else one.title, one)
    return tuple(one for one in latest.values() if any(mark.kind in {"warning", "error"} for mark in one.marks))


def _changed(found: dict[str, tuple[Entry, ...]], since: str) -> tuple[tuple[str, Entry], ...]:
    met = [(key, one) for key in _CHANGES for one in found[key] if one.day >= since and not one.wrong]
    met.sort(key=lambda pair: pair[1].when, reverse=True)
    return tuple(met[:_CHANGES_MAX])


def due(view: View, found: dict[str, tuple[Entry, ...]], today: date) -> tuple[Due, ...]:
    """What is planned, and what is missing: pure, for one day."""
    planned = [Due(N_("Appointment"), one.title, one.when, one) for one in found["appointments"]]
    missing = []
    if not view.found.get("banner.allergies"):
        missing.append(Due(N_("Ask about allergies"), N_("Nothing is recorded, not even that there are none.")))
    last = {key: found[key][0].day if found[key] else "" for key in ("vitals", "immunizations")}
    year = _years_before(today, 1)
    if last["vitals"] < year:
        missing.append(Due(N_("Measure vital signs"), N_("The last ones are older than a year."), last["vitals"]))
    if not _influenza(found["immunizations"], today):
        missing.append(Due(N_("Influenza vaccine"), N_("None is recorded for this season.")))
    return (*planned, *missing)


def _influenza(doses: Sequence[Entry], today: date) -> bool:
    """Whether a dose of this season is there: seasons run from July (CDC, influenza season weeks 40 to 20)."""
    begin = date(today.year if today.month >= 7 else today.year - 1, 7, 1).isoformat()
    return any("influenza" in one.title.lower() and one.day >= begin for one in doses)


def _years_before(today: date, years: int) -> str:
    return f"{today.year - years:04d}{today.isoformat()[4:]}"


def latest(entry: Entry) -> Fact | None:
    """The value that stands beside an entry in a short list."""
    return entry.fact("value") or entry.fact("dosage") or entry.fact("reaction") or entry.fact("since")
