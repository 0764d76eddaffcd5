"""A summary makes entries of what it shows: the newest of each kind of measurement says what all of them would."""

import random
from types import MappingProxyType

from continuum.chart.entry import Entry, Source
from continuum.chart.reading import entry
from continuum.chart.section import section
from continuum.chart.summary import _NEWEST, _abnormal, newest
from continuum.chart.trends import courses
from continuum.chart.within import matches

KINDS = ("2345-7", "2160-0", "718-7", "4548-4", "8867-4")


def measured(rng, number):
    """One of many results; some are errors, some have no code but words, some are unusual."""
    kind = rng.choice(KINDS)
    code = (
        {"text": f"Test {kind}"} if rng.random() < 0.2 else {"coding": [{"system": "http://loinc.org", "code": kind}]}
    )
    return {
        "resourceType": "Observation", "id": f"o{number}", "code": code,
        "status": "entered-in-error" if rng.random() < 0.2 else "final",
        "effectiveDateTime": f"2026-{12 - number // 28:02d}-{28 - number % 28:02d}",
        "valueQuantity": {"value": rng.randint(1, 9), "code": "mg"},
        "interpretation": [{"coding": [{"code": rng.choice(["H", "N", "L"])}]}],
    }  # fmt: skip


def test_the_newest_of_each_kind_say_what_all_say():
    rng = random.Random(3)
    make = section("labs").make
    for _ in range(60):
        every = [measured(rng, number) for number in range(rng.randint(0, 60))]
        all_made = [make(one, {}) for one in every]
        made = [make(one, {}) for one in newest(every)]
        assert _abnormal(made) == _abnormal(all_made)
        assert made[:1] == all_made[:1]
        shown, wanted = (courses([one for one in found if not one.wrong]) for found in (made, all_made))
        assert [(one.code, one.title, one.last, one.change) for one in shown] == [
            (one.code, one.title, one.last, one.change) for one in wanted
        ]


def test_a_long_chart_becomes_no_more_entries_than_there_are_kinds_to_show():
    rng = random.Random(5)
    every = [measured(rng, number) | {"status": "final"} for number in range(240)]
    assert len(list(newest(every))) == 2 * len(KINDS) * _NEWEST, "each kind by its code and by its words"


def test_where_an_entry_comes_from_is_looked_up_only_where_it_is_shown():
    asked = []

    class Names(dict):
        def get(self, key, default=None):
            asked.append(key)
            return super().get(key, default)

    names = MappingProxyType(Names({"Practitioner/p": {"name": [{"family": "Reyes", "given": ["Tom"]}]}}))
    made = entry({"resourceType": "Observation", "id": "o", "performer": [{"reference": "Practitioner/p"}]}, names, "A")
    assert asked == []
    assert made.source.author == "Tom Reyes"
    assert asked


def test_a_search_looks_up_once_where_an_entry_comes_from():
    asked = []
    made = Entry(
        "Condition", "c", 1, "Migraine", "2020-05", origin=lambda: asked.append(1) or Source("Tom Reyes", "Here")
    )
    assert matches(made, ["reyes", "here", "migraine"])
    assert len(asked) == 1
