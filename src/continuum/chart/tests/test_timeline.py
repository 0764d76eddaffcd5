"""Page after page of a timeline shows everything once, whatever times entries tell and however many a day has."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from continuum.access import Stored
from continuum.access.views import View
from continuum.chart.timeline import kinds, timeline
from continuum.fhir.json import dump, parse

DATES = {
    "visits": lambda one: one["period"]["start"],
    "problems": lambda one: one.get("recordedDate"),
    "own": lambda one: one.get("effectiveDateTime"),
    "immunizations": lambda one: one.get("occurrenceDateTime"),
}
"""The date by which a search finds them."""


def low(text):
    """The instant with which a FHIR time begins; without a zone it is UTC's."""
    at = datetime.fromisoformat(text if len(text) >= 10 else f"{text}-01-01"[:10])
    return at if at.tzinfo else at.replace(tzinfo=UTC)


class Chart:
    """One person's record as a session shows it: searches by date, with bounds, in their order."""

    def __init__(self, resources):
        self.resources = resources

    async def view(self, _name, _patient_id, searches, *, fewer=None):
        found, on = {}, {}
        for label, text in searches.items():
            key = label.partition(".")[0]
            if key not in DATES:
                found[label] = []
                continue
            said = [part.partition("=")[::2] for part in text.partition("?")[2].split("&")]
            count = int(dict(said)["_count"])
            rows = list(self.resources[key])
            for parameter, value in said:
                if parameter.endswith(":missing"):
                    rows = [one for one in rows if not DATES[key](one)]
                elif value.startswith("lt"):
                    rows = [one for one in rows if DATES[key](one) and low(DATES[key](one)) < low(value[2:])]
                elif value.startswith("ge"):
                    rows = [one for one in rows if DATES[key](one) and low(DATES[key](one)) >= low(value[2:])]
            rows.sort(key=lambda one: low(DATES[key](one)) if DATES[key](one) else datetime.min.replace(tzinfo=UTC))
            rows.reverse()
            found[label] = [Stored(one["resourceType"], one["id"], 1, 0, False, "p", dump(one)) for one in rows[:count]]
            if len(rows) > count:
                on[label] = "more"
        keeps = fewer(found) if fewer else lambda _: True
        shown = {label: [parse(one.body) for one in rows if keeps(one)] for label, rows in found.items()}
        return View({"id": "p"}, shown, on, {}, {})


async def pages(chart, **more):
    """Every page from the newest to the last."""
    met, before = [], ""
    for _ in range(400):
        _, page = await timeline(chart, "p", before=before, **more)
        met.append([entry.reference for _, entry in page.entries])
        if not page.on:
            return met
        assert not before or page.on < before, "each page goes on"
        before = page.on
    raise AssertionError("the pages have no end")


def when(rng, *, days):
    at = datetime(2026, 8, 28, 12, tzinfo=UTC) - timedelta(days=rng.randrange(days), minutes=rng.randrange(1440))
    zone = rng.choice(["-11:00", "-05:00", "+00:00", "+02:00", "+11:00"])
    return rng.choice([at.date().isoformat(), f"{at:%Y-%m-%dT%H:%M:00}{zone}", f"{at:%Y-%m-%dT%H:%M:00}{zone}"])


def record(rng, number, *, days):
    made = {key: [] for key in DATES}
    for count in range(number):
        made["visits"].append({"resourceType": "Encounter", "id": f"v{count}", "status": "finished",
                               "class": {"code": "AMB"}, "period": {"start": when(rng, days=days)}})  # fmt: skip
        made["own"].append({"resourceType": "Observation", "id": f"o{count}", "status": "final",
                            "code": {"text": "Weight"}, "effectiveDateTime": when(rng, days=days)})  # fmt: skip
    for count in range(number // 4):
        one = {"resourceType": "Condition", "id": f"c{count}", "code": {"text": "Ill"}}
        one["onsetDateTime"] = rng.choice(["2010", "2010-04", "2026-08", when(rng, days=days)])
        if rng.random() < 0.6:
            one["recordedDate"] = when(rng, days=days)
        made["problems"].append(one)
        dose = {"resourceType": "Immunization", "id": f"i{count}", "status": "completed",
                "vaccineCode": {"text": "Influenza"}}  # fmt: skip
        dose |= rng.choice([{"occurrenceDateTime": when(rng, days=days)}, {"occurrenceDateTime": "2025"},
                            {"occurrenceString": "last autumn", "recorded": when(rng, days=days)}])  # fmt: skip
        made["immunizations"].append(dose)
    return made


@pytest.mark.parametrize("staff", [True, False])
@pytest.mark.parametrize(("number", "days"), [(40, 900), (120, 60), (150, 3), (12, 4000)])
async def test_all_pages_together_show_everything_once(number, days, staff):
    for seed in range(4):
        made = record(random.Random(seed), number, days=days)
        shown = await pages(Chart(made), staff=staff, count=10)
        every = sorted(f"{one['resourceType']}/{one['id']}" for found in made.values() for one in found)
        assert sorted(name for page in shown for name in page) == every


async def test_a_problem_that_was_told_of_long_after_it_began_stands_where_it_was_told():
    made = {key: [] for key in DATES}
    made["visits"] = [
        {"resourceType": "Encounter", "id": f"v{number}", "status": "finished", "class": {"code": "AMB"},
         "period": {"start": f"{2005 + number // 12}-{1 + number % 12:02d}-03"}} for number in range(250)
    ]  # fmt: skip
    made["problems"] = [{"resourceType": "Condition", "id": "asthma", "code": {"text": "Asthma"},
                         "onsetDateTime": "2010-04-01", "recordedDate": "2024-05-06"}]  # fmt: skip
    shown = await pages(Chart(made))
    page = next(page for page in shown if "Condition/asthma" in page)
    assert "Encounter/v232" in page, "of the same spring"


async def test_a_day_of_very_many_is_not_cut():
    made = {key: [] for key in DATES}
    made["own"] = [
        {"resourceType": "Observation", "id": f"o{number}", "status": "final", "code": {"text": "Pulse"},
         "effectiveDateTime": f"2026-08-{20 + number // 100}T10:{number % 60:02d}:00+02:00"} for number in range(300)
    ]  # fmt: skip
    shown = await pages(Chart(made))
    assert [len(page) for page in shown if page] == [100, 100, 100]


@pytest.mark.parametrize("staff", [True, False])
@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
async def test_days_that_stand_for_never_and_for_unknown_are_days(day, staff):
    made = record(random.Random(2), 40, days=90)
    for number in range(45):
        made["own"].append({"resourceType": "Observation", "id": f"x{number}", "status": "final",
                            "code": {"text": "Weight"}, "effectiveDateTime": day})  # fmt: skip
    shown = await pages(Chart(made), staff=staff, count=10)
    assert sum(name.startswith("Observation/x") for page in shown for name in page) == 45


@pytest.mark.parametrize("before", ["2010", "2010-04", "2010-13-45", "-------", "20100401"])
async def test_a_day_that_is_none_begins_somewhere(before):
    made = record(random.Random(1), 20, days=900)
    _, page = await timeline(Chart(made), "p", before=before)
    assert page.entries or before in {"2010", "2010-04", "20100401"}


def test_every_kind_has_a_date_to_go_back_by():
    assert {"visits", "problems", "own", "immunizations"} <= {one.key for one in kinds()}
