"""Within one patient's chart: words and what is rare by the index of keys, the newest of many by a walk."""

from dataclasses import replace
from urllib.parse import parse_qsl

import pytest

from continuum.fhir.grammar import parse
from continuum.fhir.types import TYPE_IDS
from continuum.record.keys import Keys
from continuum.record.search import search
from continuum.record.search.bindings import Bindings
from continuum.record.search.in_chart import by_keys
from continuum.record.search.statistics import Statistics
from continuum.record.tests.test_search_oracle import fill
from continuum.record.visibility import EVERYTHING

KEYS = Keys(b"the secret of a test database ...")
COMMON, RARE_ONE = "vital-signs", "exposure"


def query(text):
    return parse("Observation", parse_qsl(text), lenient=False)


def figures():
    """Half of a million rows are Observations, most of them vital signs, and few are exposures."""
    shares = {KEYS.token("Observation", "category", None, COMMON): 0.4}
    return Statistics(rows=1e6, types={TYPE_IDS["Observation"]: 0.5}, keys=shares, rarest=0.0002)


@pytest.mark.parametrize(
    ("criteria", "lists"),
    [
        (f"patient=p&category={COMMON}", 0),
        ("patient=p", 0),
        ("patient=p&category:not=exposure", 0),
        ("patient=p&category:missing=true", 0),
        (f"patient=p&category={RARE_ONE}", 2),
        (f"patient=p&category={COMMON},{RARE_ONE}", 0),
        (f"patient=p&category={COMMON}&_content=cough", 3),
        (f"patient=p&category={COMMON}&_content=dry+cough", 4),
        ("patient=p&code:text=cough", 2),
        ("patient=p&_content=cough,fever", 2),
    ],
)
def test_the_index_is_asked_for_all_keys_where_few_rows_have_them(criteria, lists):
    bindings = Bindings(KEYS, EVERYTHING)
    asked = query(criteria)
    found, held = by_keys(asked, bindings, figures())
    assert (found.sql.count("s.keys &&") if found else 0) == lists
    assert set(held) <= set(asked.where)
    assert len(bindings.values) == lists or not found


def observation(number, *, patient="p", category=COMMON, text="Pulse", **more):
    return {
        "resourceType": "Observation", "id": f"o{number}", "status": "final", "code": {"text": text},
        "category": [{"coding": [{"code": category}]}], "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": f"20{10 + number % 10}-0{1 + number % 9}-01", **more,
    }  # fmt: skip


@pytest.fixture
async def chart(pool):
    """Two charts: many pulses, few exposures, one of them without a date, some words that both have."""
    made = [{"resourceType": "Patient", "id": one} for one in ("p", "q")]
    made += [observation(number) for number in range(40)]
    made += [observation(number, category=RARE_ONE, text="Dry cough from dust") for number in range(40, 47)]
    made += [observation(number, patient="q", category=RARE_ONE, text="Dry cough") for number in range(47, 50)]
    undated = observation(50, category=RARE_ONE, text="Dust")
    del undated["effectiveDateTime"]
    async with pool.connection() as conn:
        await fill(conn, KEYS, [*made, undated])
        yield conn


async def pages(conn, text, count):
    found, cursor = [], ""
    while True:
        wanted = replace(query(text), count=count, cursor=cursor)
        page = await search(conn, wanted, visibility=EVERYTHING, keys=KEYS)
        found += [one.id for one in page.matches]
        cursor = page.next_cursor
        if not cursor:
            return found


@pytest.mark.parametrize("count", [1, 3, 100])
async def test_pages_are_those_of_a_walk_and_stay_within_the_chart(chart, count):
    rare = await pages(chart, f"patient=p&category={RARE_ONE}&_sort=-date", count)
    assert rare == ["o46", "o45", "o44", "o43", "o42", "o41", "o40", "o50"]
    assert await pages(chart, "patient=p&_content=dust+cough&_sort=-date", count) == rare[:-1]
    assert await pages(chart, f"patient=p&_content=cough&category={COMMON}&_sort=-date", count) == []
    assert await pages(chart, "patient=q&_content=cough&_sort=-date", count) == ["o49", "o48", "o47"]
    assert len(await pages(chart, f"patient=p&category={COMMON}&_sort=-date", count)) == 40
