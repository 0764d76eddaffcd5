"""What is told from the text keeps back nothing that a page would show."""

import random

import pytest

from continuum.access import Stored
from continuum.chart.dated import among_newest, day_of, in_order, latest, newest_texts, only, since
from continuum.chart.section import Section, section
from continuum.chart.summary import newest
from continuum.fhir.json import dump, parse


def stored(resource):
    head = {"resourceType": resource["resourceType"], "id": resource["id"],
            "meta": {"versionId": "1", "lastUpdated": "2031-01-01T00:00:00.000Z"}}  # fmt: skip
    return Stored(resource["resourceType"], resource["id"], 1, 0, False, "p", dump({**head, **resource}))


@pytest.mark.parametrize(
    ("resource", "day"),
    [
        ({"onsetDateTime": "2024-05-06T07:08:09Z", "recordedDate": "2024-05-07"}, "2024-05-07"),
        ({"onsetDateTime": "2024-05"}, "2024-05~~~"),
        ({"onsetDateTime": "2024"}, "2024~~~~~~"),
        ({"code": {"coding": [{"code": "2085-9"}], "text": "2024-05-06 or so"}}, ""),
        ({"onsetDateTime": "2024", "recordedDate": "2024-05-06"}, "2024~~~~~~"),
        ({"onsetPeriod": {"start": "2020-01-01", "end": "2025-02-03"}}, "2025-02-03"),
        ({}, ""),
    ],
)
def test_the_latest_day_of_a_text_is_never_before_one_that_it_tells(resource, day):
    body = stored({"resourceType": "Condition", "id": "c", **resource}).body
    assert latest(body) == day


def when(rng):
    day = f"20{rng.randint(10, 26)}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}"
    return rng.choice([day, day, f"{day}T{rng.randint(0, 23):02d}:00:00+02:00", day[:7], day[:4]])


def chart(rng, most):
    """Visits, notes and results of one person; some have no time, some tell of later ones than their own."""
    made = {"visits": [], "problems": [], "labs": []}
    for number in range(rng.randint(0, most)):
        made["visits"].append(
            {
                "resourceType": "Encounter",
                "id": f"v{number}",
                "status": "finished",
                "class": {"code": "AMB"},
                "period": {"start": when(rng), "end": when(rng)},
            }
        )
    for number in range(rng.randint(0, most)):
        one = {"resourceType": "Condition", "id": f"c{number}", "code": {"text": "Ill"}}
        made["problems"].append(one | ({"onsetDateTime": when(rng)} if rng.random() < 0.8 else {}))
    for number in range(rng.randint(0, most)):
        made["labs"].append(
            {
                "resourceType": "Observation",
                "id": f"o{number}",
                "status": "final",
                "code": {"text": "Sodium"},
                "effectiveDateTime": when(rng),
                "issued": when(rng),
            }
        )
    return {
        key: sorted(map(stored, found), key=lambda one: latest(one.body), reverse=True) for key, found in made.items()
    }


@pytest.mark.parametrize("count", [1, 3, 10])
def test_a_page_of_a_timeline_is_the_same_as_from_all_that_was_found(count):
    rng = random.Random(count)
    sections = [section(key) for key in ("visits", "problems", "labs")]
    kept_back = 0
    for _ in range(80):
        found = chart(rng, 25)
        keeps = among_newest(sections, count)(found)

        def page(every):
            met = [(one.key, one.make(parse(text.body), {})) for one in sections for text in every[one.key]]
            met = [pair for pair in met if pair[1] is not None and pair[1].when]
            met.sort(key=lambda pair: in_order(pair[1].when), reverse=True)
            if len(met) <= count:
                return False, {pair[1].reference for pair in met}
            on = day_of(met[count - 1][1].when)
            return True, {pair[1].reference for pair in met if day_of(pair[1].when) >= on}

        fewer = {key: [one for one in texts if keeps(one)] for key, texts in found.items()}
        assert page(fewer) == page(found)
        kept_back += sum(map(len, found.values())) - sum(map(len, fewer.values()))
    assert kept_back > 500, "most of what is old is kept back"


def test_what_another_part_of_the_page_found_is_kept():
    old = stored({"resourceType": "Condition", "id": "old", "onsetDateTime": "2001-01-01"})
    new = [stored({"resourceType": "Condition", "id": f"n{number}", "onsetDateTime": "2026-01-01"}) for number in "ab"]
    problems: Section = section("problems")
    found = {"problems": [*new, old], "banner": [old]}
    assert among_newest([problems], 1)(found)(old)
    assert not among_newest([problems], 1)({"problems": [*new, old]})(old)
    assert only({"problems": []}, found)(old)


def measured(rng, number):
    kind = rng.choice(["2345-7", "2160-0", "718-7"])
    deep = {"extension": [{"url": "u", "valueCode": "x"}]} if rng.random() < 0.1 else {}
    code = {
        "coding": [
            {"system": "http://loinc.org", "code": kind, "display": rng.choice(["Sodium"] * 8 + ["a},", "{b}"]), **deep}
        ]
    }
    if rng.random() < 0.3:
        code["text"] = rng.choice(["One", "Two"])
    parts = [{"code": {"coding": [{"code": rng.choice(["a", "b"])}]}}] if rng.random() < 0.2 else []
    made = {"component": parts} if parts else {}
    return stored({"resourceType": "Observation", "id": f"o{number}", **made, "code": code,
                   "status": "entered-in-error" if rng.random() < 0.2 else "final"})  # fmt: skip


def test_the_newest_by_their_texts_hold_the_newest_by_their_codes():
    rng = random.Random(7)
    kept_back = 0
    for _ in range(60):
        every = [measured(rng, number) for number in range(rng.randint(0, 60))]
        fewer = list(newest_texts(every, 2))
        assert list(newest(map(parse, (one.body for one in fewer)))) == list(
            newest(map(parse, (one.body for one in every)))
        )
        kept_back += len(every) - len(fewer)
    assert kept_back > 300


def test_what_tells_of_no_later_day_is_left_out():
    told = [
        stored({"resourceType": "Condition", "id": day, "onsetDateTime": day})
        for day in ("2026-01-01", "2025-12", "2026")
    ]
    assert [one.id for one in since(told, "2026-01-01")] == ["2026-01-01", "2026"]
