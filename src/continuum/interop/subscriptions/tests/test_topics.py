"""What each topic calls an event."""

import pytest

from continuum.access.feed import Change
from continuum.fhir.json import dump
from continuum.interop.subscriptions.topics import CANONICAL, NAMED, as_basic, filters, topics
from continuum.record.outbox import Version


def version(resource, number=1):
    return Version(resource["resourceType"], "x", number, deleted=False, body=dump(resource))


def change(after, before=None):
    """What was committed: a resource, or None for a deletion; and what was there."""
    if after is None:
        gone = Version(before["resourceType"], "x", 2, deleted=True, body=None)
        return Change(gone, version(before), None)
    return Change(version(after, 2 if before else 1), version(before) if before else None, None)


def encounter(status, kind="AMB"):
    return {"resourceType": "Encounter", "id": "x", "status": status, "class": {"code": kind}}


def observation(status, category=None):
    found = {"resourceType": "Observation", "id": "x", "status": status, "code": {"text": "x"}}
    return found | ({"category": [{"coding": [{"code": category}]}]} if category else {})


def appointment(status="booked", **more):
    return {"resourceType": "Appointment", "id": "x", "status": status, "participant": [], **more}


EVENTS = [
    ("encounter-start", encounter("in-progress"), None, True),
    ("encounter-start", encounter("in-progress"), encounter("planned"), True),
    ("encounter-start", encounter("in-progress"), encounter("in-progress"), False),
    ("encounter-start", encounter("planned"), None, False),
    ("encounter-start", None, encounter("in-progress"), False),
    ("encounter-end", encounter("finished"), encounter("in-progress"), True),
    ("encounter-end", encounter("finished"), None, True),
    ("encounter-end", encounter("finished"), encounter("finished"), False),
    ("encounter-end", None, encounter("in-progress"), False),
    ("patient-admitted", encounter("in-progress", "IMP"), None, True),
    ("patient-admitted", encounter("in-progress", "IMP"), encounter("in-progress", "EMER"), True),
    ("patient-admitted", encounter("in-progress", "IMP"), encounter("planned", "IMP"), True),
    ("patient-admitted", encounter("in-progress", "IMP"), encounter("in-progress", "ACUTE"), False),
    ("patient-admitted", encounter("in-progress", "AMB"), None, False),
    ("observation-new", observation("final"), None, True),
    ("observation-new", observation("final"), observation("registered"), True),
    ("observation-new", observation("amended"), observation("final"), False),
    ("observation-new", observation("registered"), None, False),
    ("lab-result", observation("final", "laboratory"), None, True),
    ("lab-result", observation("final", "laboratory"), observation("preliminary", "laboratory"), True),
    ("lab-result", observation("final", "laboratory"), observation("final", "laboratory"), False),
    ("lab-result", observation("final", "vital-signs"), None, False),
    ("lab-result", observation("final"), None, False),
    ("appointment-changed", appointment(), None, True),
    ("appointment-changed", appointment("cancelled"), appointment(), True),
    ("appointment-changed", appointment(start="2026-11-23T10:00:00Z"), appointment(), True),
    ("appointment-changed", appointment(comment="bring shoes"), appointment(), False),
    ("appointment-changed", None, appointment(), True),
    ("Encounter", encounter("planned"), encounter("planned"), True),
    ("Encounter", None, encounter("planned"), True),
]


@pytest.mark.parametrize(("topic", "after", "before", "is_event"), EVENTS)
def test_a_topic_tells_events_from_other_changes(topic, after, before, is_event):
    assert topics()[CANONICAL + topic].wants(change(after, before)) is is_event


def test_every_named_topic_is_judged_both_ways_here():
    for topic in NAMED:
        assert {is_event for name, _, _, is_event in EVENTS if name == topic.id} == {True, False}


def test_what_was_deleted_and_written_again_is_created():
    gone = Version("Encounter", "x", 2, deleted=True, body=None)
    again = Change(version(encounter("planned"), 3), gone, None)
    assert again.interaction == "create"


def test_a_topic_says_what_it_can_be_filtered_by():
    shown = as_basic(topics()[CANONICAL + "encounter-start"])
    named = [
        part["valueString"]
        for one in shown["extension"] if one["url"].endswith("SubscriptionTopic.canFilterBy")
        for part in one["extension"] if part["url"] == "filterParameter"
    ]  # fmt: skip
    assert named == filters("Encounter")
    assert {"patient", "status", "date"} <= set(named)
