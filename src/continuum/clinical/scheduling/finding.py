"""Looking for a time: by need, place, language and day."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from continuum.access import Session
from continuum.access.claims import Claims
from continuum.chart.entry import N_
from continuum.chart.reading import words
from continuum.clinical.scheduling.limits import (
    HORIZON_DAYS,
    INSTRUCTIONS_MAX_CHARS,
    SCHEDULES_MAX,
    TIMES_SHOWN_MAX,
    VISIT_MINUTES_MAX,
    VISIT_MINUTES_MIN,
)
from continuum.clinical.scheduling.model import (
    MINUTES,
    REMOTE,
    Calendar,
    Resource,
    calendar_of,
    extension_of,
    instant,
    reference_of,
    with_extension,
    without_extension,
)
from continuum.clinical.scheduling.opening import utc
from continuum.clinical.scheduling.reading import find, zone_of
from continuum.kernel.errors import Invalid
from continuum.ui.formats.names import full_name


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of visit. minutes: 0 where the schedule says. remote: by video."""

    id: str
    name: str
    need: str
    facility_id: str
    minutes: int
    instructions: str
    remote: bool


@dataclass(frozen=True, slots=True)
class Offer:
    """A calendar with who and where, as people choose it. languages: BCP 47."""

    calendar: Calendar
    kind: Kind | None
    clinician: str
    place: str
    zone_location: Mapping[str, Any]
    languages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Free:
    """A time that nobody has. starts, ends: by the clock of its place."""

    slot_id: str
    starts: datetime
    ends: datetime
    offer: Offer


def kind_of(service: Mapping[str, Any]) -> Kind:
    """Reads a HealthcareService."""
    specialty: Mapping[str, Any] = next(iter(service.get("specialty", ())), {})
    minutes = extension_of(service, MINUTES) or {}
    remote = extension_of(service, REMOTE) or {}
    return Kind(
        str(service["id"]), str(service.get("name", "")), words(specialty) or str(service.get("name", "")),
        reference_of(service.get("providedBy")).rpartition("/")[2], int(minutes.get("valueInteger", 0)),
        str(service.get("extraDetails", "")), bool(remote.get("valueBoolean", False)),
    )  # fmt: skip


def with_kind(service: Mapping[str, Any], *, minutes: int, instructions: str, remote: bool) -> Resource:
    """A HealthcareService that says how long a visit takes, what to know before, and whether it is by video.

    minutes: 0 leaves the length to the calendars' rules. Raises Invalid.
    """
    if minutes and not VISIT_MINUTES_MIN <= minutes <= VISIT_MINUTES_MAX:
        raise Invalid(N_("A visit takes between 5 minutes and 8 hours."))
    if len(instructions) > INSTRUCTIONS_MAX_CHARS:
        raise Invalid(N_("What to know before a visit is too long."))
    made = with_extension(service, {"url": REMOTE, "valueBoolean": remote})
    made = without_extension(made, MINUTES)
    if minutes:
        made = with_extension(made, {"url": MINUTES, "valueInteger": minutes})
    if instructions:
        return {**made, "extraDetails": instructions}
    return {name: value for name, value in made.items() if name != "extraDetails"}


async def kinds(session: Session, facility_id: str) -> list[Kind]:
    """The kinds of visit that a facility gives appointments for."""
    found, _ = await find(
        session, "HealthcareService", f"organization=Organization/{facility_id}&active=true&_count={SCHEDULES_MAX}"
    )
    return [kind_of(one) for one in found if one.get("appointmentRequired", True)]


async def offers(session: Session, kind_ids: Sequence[str], *, language: str = "") -> list[Offer]:
    """The active calendars for kinds of visit, of clinicians who speak a language if one is asked for."""
    if not kind_ids:
        return []
    actors = ",".join(f"HealthcareService/{one}" for one in kind_ids)
    found, included = await find(
        session, "Schedule", f"actor={actors}&active=true&_count={SCHEDULES_MAX}&_include=Schedule:actor"
    )
    made = [_offer(one, included) for one in found]
    return [one for one in made if not language or language in one.languages]


def _offer(schedule: Mapping[str, Any], included: Mapping[str, Resource]) -> Offer:
    calendar = calendar_of(schedule, horizon_days=HORIZON_DAYS)
    clinician = included.get(f"Practitioner/{calendar.practitioner_id}", {})
    location = included.get(f"Location/{calendar.location_id}", {})
    service = included.get(f"HealthcareService/{calendar.service_id}")
    spoken = [code for one in clinician.get("communication", ()) for code in _codes(one)]
    return Offer(
        calendar, kind_of(service) if service else None, clinician_name(clinician), str(location.get("name", "")),
        location, tuple(dict.fromkeys((*spoken, "en"))),
    )  # fmt: skip


def clinician_name(practitioner: Mapping[str, Any]) -> str:
    """A clinician as people call them."""
    return full_name(practitioner.get("name", ()))


def _codes(concept: Mapping[str, Any]) -> Iterable[str]:
    return (str(one.get("code", "")).partition("-")[0] for one in concept.get("coding", ()))


async def free_times(
    session: Session, claims: Claims, chosen: Sequence[Offer], first: datetime, until: datetime,
    *, count: int = TIMES_SHOWN_MAX,
) -> list[Free]:  # fmt: skip
    """Times that nobody has from an instant to before another, the first ones, at most TIMES_SHOWN_MAX.

    Of several seats at the same hour of a schedule one is shown.
    """
    if not chosen or until <= first:
        return []
    by_schedule = {one.calendar.id: one for one in chosen}
    named = ",".join(f"Schedule/{one}" for one in by_schedule)
    criteria = (
        f"schedule={named}&start=ge{utc(first)}&start=lt{utc(until)}&status=free&_sort=start"
        f"&_count={min(count, TIMES_SHOWN_MAX)}"
    )
    slots, _ = await find(session, "Slot", criteria)
    held = await claims.held([one["id"] for one in slots])
    found: dict[tuple[str, datetime], Free] = {}
    for one in slots:
        offer = by_schedule.get(reference_of(one.get("schedule")).rpartition("/")[2])
        if one["id"] in held or offer is None:
            continue
        zone = zone_of(offer.zone_location)
        starts, ends = instant(one["start"]).astimezone(zone), instant(one["end"]).astimezone(zone)
        if offer.calendar.closes(starts):
            continue  # it was taken until a moment ago, and closes at the next turn
        found.setdefault((offer.calendar.id, starts), Free(one["id"], starts, ends, offer))
    return list(found.values())
