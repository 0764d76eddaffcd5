# ruff: noqa: E501  a row on one line reads as a table
"""Installations that do not exist, beside towns that do, in the time zones of those towns."""

from dataclasses import dataclass
from typing import Literal

Branch = Literal["army", "navy", "marines", "air_force", "space_force", "coast_guard"]
Kind = Literal["hospital", "clinic", "dental", "ship", "surgical_team", "aid_station"]


@dataclass(frozen=True, slots=True)
class Base:
    """One installation. `hospital` is the key of the base whose hospital serves it (its own, or the nearest)."""

    key: str
    name: str
    branches: tuple[Branch, ...]
    city: str
    state: str
    postal_code: str
    country: str
    latitude: float
    longitude: float
    zone: str
    hospital: str


@dataclass(frozen=True, slots=True)
class Afloat:
    """A place of care that moves: a ship, a surgical team, an aid station."""

    key: str
    name: str
    kind: Kind
    branches: tuple[Branch, ...]
    zone: str
    country: str
    role: int


# fmt: off
BASES = (
    Base("alder", "Fort Alder", ("army",), "Fayetteville", "NC", "28310", "US", 35.14, -79.00, "America/New_York", "alder"),
    Base("calloway", "Fort Calloway", ("army",), "Killeen", "TX", "76544", "US", 31.13, -97.78, "America/Chicago", "calloway"),
    Base("mesa", "Fort Mesa Verdad", ("army",), "El Paso", "TX", "79916", "US", 31.81, -106.42, "America/Denver", "mesa"),
    Base("tamarack", "Joint Base Tamarack", ("army", "air_force"), "Tacoma", "WA", "98433", "US", 47.11, -122.55, "America/Los_Angeles", "tamarack"),
    Base("lindental", "Lindental Kaserne", ("army", "air_force"), "Landstuhl", "", "66849", "DE", 49.41, 7.57, "Europe/Berlin", "lindental"),
    Base("graycliff", "Naval Station Graycliff", ("navy", "coast_guard"), "Norfolk", "VA", "23511", "US", 36.95, -76.33, "America/New_York", "graycliff"),
    Base("sable", "Naval Base Sable Point", ("navy",), "San Diego", "CA", "92136", "US", 32.68, -117.12, "America/Los_Angeles", "sable"),
    Base("makani", "Joint Base Makani", ("navy", "air_force", "marines"), "Honolulu", "HI", "96860", "US", 21.36, -157.95, "Pacific/Honolulu", "makani"),
    Base("torrey", "Camp Torrey Pass", ("marines",), "Oceanside", "CA", "92055", "US", 33.30, -117.35, "America/Los_Angeles", "torrey"),
    Base("pinewater", "Camp Pinewater", ("marines",), "Jacksonville", "NC", "28542", "US", 34.66, -77.35, "America/New_York", "pinewater"),
    Base("kitahama", "Camp Kitahama", ("marines", "air_force"), "Okinawa", "", "904-0000", "JP", 26.33, 127.77, "Asia/Tokyo", "kitahama"),
    Base("larkmoor", "Larkmoor Air Force Base", ("air_force",), "San Antonio", "TX", "78236", "US", 29.39, -98.60, "America/Chicago", "larkmoor"),
    Base("northgate", "Northgate Space Force Base", ("space_force",), "Colorado Springs", "CO", "80914", "US", 38.82, -104.70, "America/Denver", "mesa"),
    Base("kelp", "Coast Guard Base Kelp Bay", ("coast_guard",), "Kodiak", "AK", "99615", "US", 57.75, -152.50, "America/Anchorage", "tamarack"),
)
AFLOAT = (
    Afloat("halcyon", "USS Halcyon Reach", "ship", ("navy", "marines"), "UTC", "", 2),
    Afloat("petrel", "USCGC Storm Petrel", "ship", ("coast_guard",), "UTC", "", 1),
    Afloat("fst", "745th Forward Resuscitative Surgical Team", "surgical_team", ("army", "air_force", "marines", "space_force"), "Asia/Kuwait", "KW", 2),
    Afloat("aid", "Battalion Aid Station Wadi", "aid_station", ("army", "air_force", "marines", "space_force", "navy"), "Asia/Kuwait", "KW", 1),
)
# fmt: on
