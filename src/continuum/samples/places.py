"""The shared world: facilities and those who work there. It is the same for every seed."""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from continuum.samples.data import names, staff
from continuum.samples.data.bases import AFLOAT, BASES, Afloat, Base, Kind
from continuum.samples.streams import identity, stream


@dataclass(frozen=True, slots=True)
class Practitioner:
    """Someone who works at a site."""

    id: str
    role_id: str
    specialty: staff.Specialty
    given: str
    family_name: str
    npi: str

    @property
    def reference(self) -> str:
        """`Practitioner/id`."""
        return f"Practitioner/{self.id}"


@dataclass(frozen=True, slots=True)
class Site:
    """One facility: an Organization with a Location, people, services and a schedule."""

    key: str
    name: str
    kind: Kind
    place: Base | Afloat
    organization: str
    location: str
    zone: ZoneInfo
    people: tuple[Practitioner, ...]
    by_specialty: dict[str, tuple[Practitioner, ...]] = field(default_factory=dict)

    def one_of(self, specialty: str, number: int) -> Practitioner:
        """A person of this specialty, or of the site's first one; the same number gives the same person."""
        found = self.by_specialty.get(specialty) or self.people
        return found[number % len(found)]

    def instant(self, day: date, minute: int) -> str:
        """The minute of the day, local time, as a FHIR dateTime with the offset of that day."""
        moment = datetime.combine(day, time(0), self.zone) + timedelta(minutes=minute)
        return moment.isoformat()


@dataclass(frozen=True, slots=True)
class World:
    """All sites by key."""

    sites: dict[str, Site]
    bases: dict[str, Base]

    def care(self, base: Base) -> Site:
        """Where people of a base go for ordinary care."""
        return self.sites[f"{base.key}-hospital"] if base.hospital == base.key else self.sites[f"{base.key}-clinic"]

    def hospital(self, base: Base) -> Site:
        """The hospital that serves a base."""
        return self.sites[f"{base.hospital}-hospital"]

    def care_team(self, base: Base) -> str:
        """The id of the CareTeam of a base's ordinary care."""
        return identity("team", self.care(base).key)

    def dental(self, base: Base) -> Site:
        """The dental clinic of a base."""
        return self.sites[f"{base.key}-dental"]


@cache
def world() -> World:
    """The sites, made once per process."""
    found: list[Site] = []
    for base in BASES:
        if base.hospital == base.key:
            found.append(_site(f"{base.key}-hospital", f"{base.name} Military Hospital", "hospital", base))
        else:
            found.append(_site(f"{base.key}-clinic", f"{base.name} Clinic", "clinic", base))
        found.append(_site(f"{base.key}-dental", f"{base.name} Dental Clinic", "dental", base))
    found += [_site(place.key, place.name, place.kind, place) for place in AFLOAT]
    return World({site.key: site for site in found}, {base.key: base for base in BASES})


def _site(key: str, name: str, kind: Kind, place: Base | Afloat) -> Site:
    rng = stream("site", key)
    people: list[Practitioner] = []
    for specialty, count in staff.STAFFING[kind]:
        for _ in range(count):
            given = rng.choice(names.GIVEN_FEMALE if rng.random() < 0.5 else names.GIVEN_MALE)
            number = len(people)
            # An NPI in use begins with 1 or 2 (45 CFR 162.406); ours with 9.
            npi = f"9{rng.randint(0, 99_999_999):08d}{number % 10}"
            people.append(
                Practitioner(
                    identity("practitioner", key, number),
                    identity("practitioner-role", key, number),
                    staff.SPECIALTIES[specialty],
                    given,
                    rng.choice(names.FAMILY_NAMES),
                    npi,
                )
            )
    by_specialty: dict[str, tuple[Practitioner, ...]] = {}
    for person in people:
        by_specialty[person.specialty.key] = (*by_specialty.get(person.specialty.key, ()), person)
    organization, location = identity("organization", key), identity("location", key)
    return Site(key, name, kind, place, organization, location, ZoneInfo(place.zone), tuple(people), by_specialty)
