"""Facilities of every kind are there, each with a place and the time zone of that place."""

from collections import Counter
from zoneinfo import available_timezones

import pytest

from continuum.samples import world
from continuum.samples.facilities import TIMEZONE

KINDS = {
    "Military hospital": ("HOSP", "bu"),
    "Military clinic": ("OF", "bu"),
    "Dental clinic": ("DX", "bu"),
    "Ship's medical department": ("MOBL", "ve"),
    "Forward surgical team": ("MOBL", "si"),
}
"""What each kind is called, with the codes of its Location: what it does, and what it is in."""
HOURS = {
    "Pacific/Honolulu": -10, "America/Anchorage": -9, "America/Los_Angeles": -8, "America/Denver": -7,
    "America/Chicago": -6, "America/New_York": -5, "Europe/Berlin": 1, "Asia/Tokyo": 9,
}  # fmt: skip
"""Hours from UTC in winter."""


@pytest.fixture(scope="module")
def facilities():
    """The Organization of each facility, and its Location."""
    shared = [*world.shared()]
    places = {
        place["managingOrganization"]["reference"]: place
        for place in shared
        if place["resourceType"] == "Location" and "partOf" not in place
    }
    return [
        (one, places[f"Organization/{one['id']}"])
        for one in shared
        if one["resourceType"] == "Organization" and one["type"][0]["coding"][0]["code"] == "prov"
    ]


def zone_of(resource):
    (zone,) = [one["valueCode"] for one in resource["extension"] if one["url"] == TIMEZONE]
    return zone


def test_facilities_of_every_kind_are_there_each_with_a_place_and_a_known_time_zone(facilities):
    known = available_timezones()
    found = Counter()
    for facility, place in facilities:
        kind = facility["type"][0]["text"]
        assert zone_of(facility) in known
        assert zone_of(place) == zone_of(facility)
        assert place["name"] == facility["name"]
        if kind in KINDS:
            assert (place["type"][0]["coding"][0]["code"], place["physicalType"]["coding"][0]["code"]) == KINDS[kind]
            found[kind] += 1
    assert set(found) == set(KINDS)
    assert found["Military hospital"] >= 10


def test_what_stands_on_land_has_an_address_and_lies_in_its_time_zone(facilities):
    ashore = [place for _, place in facilities if place["physicalType"]["coding"][0]["code"] == "bu"]
    assert len(ashore) == 28
    for place in ashore:
        assert place["address"]["city"]
        assert place["address"]["country"] in {"US", "DE", "JP"}
        assert abs(place["position"]["longitude"] / 15 - HOURS[zone_of(place)]) < 1.6
