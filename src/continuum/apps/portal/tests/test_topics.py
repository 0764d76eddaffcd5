"""Which topics stand beside somebody's conditions, and that looks of a day stand together."""

import pytest

from continuum.apps.portal.looks import together
from continuum.apps.portal.topics import TOPICS, about
from continuum.chart.looked import Look


@pytest.mark.parametrize(
    ("title", "key"),
    [
        ("Hypertensive disorder", "blood-pressure"),
        ("Diabetes mellitus type 2", "diabetes"),
        ("Tinnitus", "hearing"),
        ("Sensorineural hearing loss", "hearing"),
        ("Post-traumatic stress disorder", "stress"),
        ("Asthma", "asthma"),
        ("Gout", "gout"),
        ("Chronic kidney disease stage 3", "kidneys"),
        ("Hyperlipidemia", "cholesterol"),
        ("Body mass index 30+ - obesity", "weight"),
        ("Concussion with no loss of consciousness", "concussion"),
    ],
)
def test_a_condition_leads_to_its_topic(title, key):
    assert [one.key for one in about([title])] == [key]


def test_a_condition_without_a_topic_leads_nowhere():
    assert about(["Appendicitis", "Fracture of clavicle"]) == ()


def test_topics_lead_to_the_library_in_the_readers_language():
    for one in TOPICS:
        assert one.address("en").startswith("https://medlineplus.gov/")
        assert one.address("es").startswith("https://medlineplus.gov/spanish/")


def look(when, who="a", act="read"):
    return Look(when, who, "clinician", act, "", "treatment", refused=False)


def test_like_looks_of_one_day_stand_together_and_others_do_not():
    found = together([
        look("2026-11-02T10:00:00Z"), look("2026-11-02T09:00:00Z"), look("2026-11-02T08:00:00Z", who="b"),
        look("2026-11-02T07:00:00Z"), look("2026-11-01T07:00:00Z"), look("2026-11-01T06:00:00Z", act="wrote"),
    ])  # fmt: skip
    assert [(one.look.who, one.number, one.first[:13]) for one in found] == [
        ("a", 3, "2026-11-02T07"), ("b", 1, "2026-11-02T08"), ("a", 1, "2026-11-01T07"), ("a", 1, "2026-11-01T06"),
    ]  # fmt: skip
