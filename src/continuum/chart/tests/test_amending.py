"""An answer to a request for correction: accepted or denied, never without words, within 60 days."""

from datetime import date

import pytest

from continuum.chart.amending import answered, due, waits
from continuum.chart.limits import REASON_MAX_CHARS
from continuum.chart.reading import Names
from continuum.chart.sections.amendments import make
from continuum.chart.sheet import Author

ROSA = Author("Rosa Lim RN", None, "2026-11-23T10:00:00-06:00", date(2026, 11, 23))
NOBODY: Names = {}
ASKED = {
    "resourceType": "Communication", "id": "c-1", "status": "in-progress", "sent": "2026-10-01T09:00:00Z",
    "about": [{"reference": "Condition/1", "display": "Gout"}], "payload": [{"contentString": "It began in 2011."}],
}  # fmt: skip


@pytest.mark.parametrize(("decision", "mark"), [("completed", "accepted"), ("not-done", "denied")])
def test_the_person_reads_the_decision_the_words_and_who_answered(decision, mark):
    checked = answered(ASKED, {"decision": decision, "answer": "Because\r\nof this."}, ROSA)
    assert checked.problems == ()
    shown = make(checked.resources[0], NOBODY)
    assert [one.text for one in shown.marks] == [mark]
    assert [shown.fact(name).text for name in ("answer", "by", "answered")] == [
        "Because\nof this.", "Rosa Lim RN", "2026-11-23T10:00:00-06:00",
    ]  # fmt: skip
    assert shown.note == "It began in 2011.", "the person's own words stay"
    assert not waits(checked.resources[0])
    assert waits(ASKED), "what was read is not changed"


@pytest.mark.parametrize(("fields", "wrong"), [
    ({}, ["decision", "answer"]),
    ({"decision": "in-progress", "answer": "x"}, ["decision"]),
    ({"decision": "not-done", "answer": "  "}, ["answer"]),
    ({"decision": "not-done", "answer": "x" * (REASON_MAX_CHARS + 1)}, ["answer"]),
])  # fmt: skip
def test_no_answer_without_a_decision_and_words(fields, wrong):
    checked = answered(ASKED, fields, ROSA)
    assert [one.field for one in checked.problems] == wrong
    assert checked.resources == ()


def test_sixty_days_are_counted_from_the_day_it_was_sent():
    assert due(ASKED) == date(2026, 11, 30)
    assert due({"sent": "yesterday"}) is None
