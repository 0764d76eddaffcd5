"""Which of what was found can stand on a page at all, told from its text: far cheaper than reading it.

Pages look at many entries of each kind so that no kind hides another, and show few. Nothing that a page would show is
kept back (tests/test_dated.py holds both to that).
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta

from continuum.access import Stored
from continuum.access.views import Fewer, Found
from continuum.chart.section import Section
from continuum.fhir.json import parse

_DAY = re.compile(rb'"(\d{4}(?:-\d\d(?:-\d\d)?)?)(?=["T])')
_HEAD = b'"lastUpdated":"'
"""When it was stored says nothing of when it was."""
_TEXT = rb'"(?:[^"\\]|\\.)*"'
_CODE_BEGINS = b'"code":{'
_CODE = re.compile(rb'"code":(\{(?:[^{}"]|%(text)b|\{(?:[^{}"]|%(text)b)*\})*\})' % {b"text": _TEXT})
"""The element `code` with its codings, as far as these hold nothing deeper."""
_WRONG = b'"status":"entered-in-error"'
FIRST_DAY = "0001-01-01"
"""Stands in some records for an unknown one."""
_LAST = "~"
"""Comes after every digit: a month without a day may be any day of it."""


def day_of(when: str) -> str:
    """The day of a time, FHIR's text: the first one of a month or year that is told without a day."""
    return f"{when[:10]}-01-01"[:10] if when else ""


def day_before(day: str) -> str:
    """The day before one; the first day of all has none."""
    return day if day <= FIRST_DAY else (date.fromisoformat(day) - timedelta(days=1)).isoformat()


def in_order(when: str) -> str:
    """Sorts times by their text: the day first; offsets of one person's day change no order that matters to people."""
    return when[:19] if len(when) > len("2026-01-01") else day_of(when).ljust(19, _LAST)


def latest(body: bytes) -> str:
    """A day that is not before any time that a resource tells, of its JSON as the record stores it; "" for none."""
    days = _DAY.findall(body, body.find(_HEAD) + len(_HEAD) + 1)
    return max(day.decode().ljust(10, _LAST) for day in days) if days else ""


def among_newest(chosen: Sequence[Section], count: int, before: str = "") -> Fewer:
    """Keeps of these sections the newest entries before a day, of all together: one more than a page of `count` has.

    All of the last day of these are kept, whatever their number; and what other labels found.
    """

    def fewer(found: Found) -> Callable[[Stored], bool]:
        last = [(latest(one.body or b""), section, one) for section in chosen for one in found[section.key]]
        last.sort(key=lambda found: found[0], reverse=True)
        times: list[str] = []
        begin = ""
        for day, section, one in last:
            if day < begin:
                break
            made = section.make(parse(one.body or b""), {})
            if made is not None and made.when and (not before or day_of(made.when) < before):
                times.append(made.when)
                if len(times) > count:
                    times = sorted(times, key=in_order, reverse=True)[: count + 1]
                    # A day more: the same instant may be of the day before by another clock.
                    begin = day_before(min(map(day_of, times)))
        kept: dict[str, list[Stored]] = {section.key: [] for section in chosen}
        for day, section, one in last:
            if day >= begin:
                kept[section.key].append(one)
        return only(kept, found)

    return fewer


def newest_texts(measured: Sequence[Stored], most: int) -> Iterator[Stored]:
    """Of Observations, newest first, as many of each kind as `most`, and those whose kind their text does not tell.

    What was an error is given, and counts for none.
    """
    met: Counter[bytes] = Counter()
    for one in measured:
        body = one.body or b""
        # What has parts or contains others has several codes, and the first need not be its own.
        at = body.find(_CODE_BEGINS)
        kind = _CODE.match(body, at) if at >= 0 and body.find(_CODE_BEGINS, at + 1) < 0 else None
        if kind is None or met[kind[1]] < most:
            yield one
        if kind is not None:
            met[kind[1]] += _WRONG not in body


def since(found: Sequence[Stored], day: str) -> Iterator[Stored]:
    """Those that tell of this day or a later one."""
    return (one for one in found if latest(one.body or b"") >= day)


def only(kept: Mapping[str, Iterable[Stored]], found: Found) -> Callable[[Stored], bool]:
    """Keeps of some labels what is named here, and of all others everything."""
    wanted = {one[:3] for stored in kept.values() for one in stored}
    wanted |= {one[:3] for label, stored in found.items() if label not in kept for one in stored}
    return lambda stored: stored[:3] in wanted
