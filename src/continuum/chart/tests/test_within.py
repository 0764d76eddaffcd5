"""Search within one record: what is left out by its text still closes and holds back what belongs to it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from continuum.access import Stored
from continuum.access.views import View
from continuum.chart.personal import Limits, Looking
from continuum.chart.section import sections
from continuum.chart.sensitivity import PROTECTED
from continuum.chart.within import within
from continuum.fhir.json import dump

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
LOOKED = tuple(sections().values())
PERSON = {"resourceType": "Patient", "id": "p"}


@dataclass
class Record:
    """What a session finds: every resource of the type that is asked for, whatever else is asked."""

    resources: list[dict]
    asked: tuple[str, ...] = ()

    async def view(self, _name, _patient_id, searches, *, sift, further, **_more):
        assert not searches.keys() & further.keys()
        keeps = sift({}, {})
        found = {label: [one for one in self.resources if text.startswith(f"{one['resourceType']}?")
                         and all(keeps([Stored(one["resourceType"], one["id"], 1, 0, False, "p", dump(one))]))]
                 for label, text in searches.items()}  # fmt: skip
        self.asked = tuple(further)
        return View(PERSON, found, {}, {})


async def found(resources, text, limits=None):
    looking = Looking(Record(resources), limits or Limits(), NOW)
    answer = await within(looking, "p", text, LOOKED)
    return [entry.title for _, entry in answer.entries], set(looking.waiting)


HIV = {
    "resourceType": "Observation", "id": "o", "status": "final", "issued": NOW.isoformat(),
    "code": {"coding": [{"system": "http://loinc.org", "code": "7917-8"}], "text": "A test"},
    "category": [{"coding": [{"code": "laboratory"}]}],
}  # fmt: skip
REPORT = {
    "resourceType": "DiagnosticReport", "id": "r", "status": "final", "code": {"text": "Panel of this week"},
    "issued": (NOW - timedelta(days=30)).isoformat(), "result": [{"reference": "Observation/o"}],
}  # fmt: skip
SAD = {
    "resourceType": "Condition", "id": "c", "code": {"text": "Depression"}, "encounter": {"reference": "Encounter/e"},
}  # fmt: skip
VISIT = {
    "resourceType": "Encounter", "id": "e", "status": "finished", "class": {"code": "AMB"},
    "type": [{"text": "Visit in the panel's hour"}],
}  # fmt: skip


@pytest.mark.parametrize("text", ["panel", "week", "panel's"])
async def test_what_belongs_to_a_result_that_waits_is_not_found_though_the_result_has_not_the_word(text):
    assert await found([REPORT], "panel") == (["Panel of this week"], set())
    titles, waiting = await found([HIV, REPORT], text)
    assert titles == []
    assert waiting == {"Observation/o"}, "and the page says that something waits"


@pytest.mark.parametrize("text", ["visit", "hour", "panel's"])
async def test_a_visit_about_what_is_closed_is_not_found_though_the_condition_has_not_the_word(text):
    assert (await found([SAD, VISIT], text))[0] == ["Visit in the panel's hour"]
    assert (await found([SAD, VISIT], text, Limits(PROTECTED)))[0] == []


async def test_an_open_entry_is_found_beside_what_is_closed():
    other = {**VISIT, "id": "f"}
    assert (await found([SAD, VISIT, other], "visit", Limits(PROTECTED)))[0] == ["Visit in the panel's hour"]


async def test_words_of_an_index_are_asked_for_every_part_and_only_further():
    record = Record([VISIT])
    await within(Looking(record, Limits(), NOW), "p", "visit", LOOKED)
    assert record.asked == tuple(f"{one.key}.whole" for one in LOOKED)
    await within(Looking(record, Limits(), NOW), "p", "+", LOOKED)
    assert record.asked == (), "what has no word is in no index of words"
