"""The plan: waves with their dates and facilities. Load, decide, save in one act; administrators only may save."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from urllib.parse import quote

from continuum.access import Operation, Session
from continuum.chart.entry import N_
from continuum.chart.reading import LOCAL, version_of
from continuum.clinical.messaging.reading import body
from continuum.fhir.json import dump, parse
from continuum.interop.cutover.limits import FACILITIES_MAX, REASON_MAX_CHARS, WAVE_NAME_MAX_CHARS, WAVES_MAX
from continuum.interop.cutover.status import HELD, LIVE, Facility, Portal, facility, with_portal
from continuum.kernel.errors import Conflict, DomainError, Invalid, NotFound
from continuum.kernel.ids import uuid7

Resource = dict[str, Any]
PLAN_KIND = f"{LOCAL}plan-kind"
WAVE = "portal-wave"
NAME_IT = N_("Give the wave a name.")
NAME_TAKEN = N_("There is a wave of this name already.")
SAY_WHY = N_("Say why, so that people can be told.")
ALREADY_LIVE = N_("This facility is on Continuum already. Take it back first if it has to go live on another day.")
NOT_EMPTY = N_("This wave still has facilities. Move them first.")
GONE_BY = N_("Somebody else has just changed the plan. Look at it again before you go on.")
PAST = N_("The day is over already. Choose today or a later one.")
TOO_LONG = N_("That is too long.")
_GONE_BY = 412


@dataclass(frozen=True, slots=True)
class Wave:
    """Facilities that go live together. day: on which they do, each by its own clock."""

    id: str
    name: str
    day: date
    resource: Resource
    facilities: tuple[Facility, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """All waves by their day, and all facilities by their name."""

    waves: tuple[Wave, ...]
    facilities: tuple[Facility, ...]

    def wave(self, wave_id: str) -> Wave:
        """One wave. Raises NotFound."""
        found = next((one for one in self.waves if one.id == wave_id), None)
        if found is None:
            raise NotFound(N_("There is no such wave."))
        return found

    def facility(self, facility_id: str) -> Facility:
        """One facility. Raises NotFound."""
        found = next((one for one in self.facilities if one.id == facility_id), None)
        if found is None:
            raise NotFound(N_("There is no such facility."))
        return found

    @property
    def outside(self) -> tuple[Facility, ...]:
        """Facilities of no wave that are not on Continuum yet."""
        known = {one.id for one in self.waves}
        return tuple(one for one in self.facilities if one.portal.wave_id not in known and not one.live)

    @property
    def live(self) -> tuple[Facility, ...]:
        """Facilities of no wave that are on Continuum."""
        known = {one.id for one in self.waves}
        return tuple(one for one in self.facilities if one.portal.wave_id not in known and one.live)


async def facilities(session: Session, now: datetime) -> list[Facility]:
    """Every facility that gives care, by name, at most FACILITIES_MAX."""
    criteria = "type=prov&active=true&_sort=name&_count=200"
    page = await session.search(session.parse("Organization", criteria))
    found = [facility(body(one), now) for one in page.matches]
    while page.next_cursor and len(found) < FACILITIES_MAX:
        page = await session.search(session.parse("Organization", f"{criteria}&_cursor={quote(page.next_cursor)}"))
        found += [facility(body(one), now) for one in page.matches]
    return found[:FACILITIES_MAX]


async def plan(session: Session, now: datetime) -> Plan:
    """The plan as it is."""
    every = await facilities(session, now)
    token = quote(f"{PLAN_KIND}|{WAVE}", safe="")
    page = await session.search(session.parse("PlanDefinition", f"topic={token}&status=active&_count={WAVES_MAX}"))
    waves = [_wave(body(one), every) for one in page.matches]
    return Plan(tuple(sorted(waves, key=lambda one: (one.day, one.name))), tuple(every))


def _wave(resource: Resource, every: Sequence[Facility]) -> Wave:
    name = str(resource["id"])
    return Wave(
        name, str(resource.get("title", "")), date.fromisoformat(resource["effectivePeriod"]["start"]), resource,
        tuple(one for one in every if one.portal.wave_id == name),
    )  # fmt: skip


def _resource(wave_id: str, name: str, day: date) -> Resource:
    return {
        "resourceType": "PlanDefinition", "id": wave_id, "status": "active", "title": name,
        "topic": [{"coding": [{"system": PLAN_KIND, "code": WAVE}], "text": "Facilities that go live together"}],
        "effectivePeriod": {"start": day.isoformat()},
    }  # fmt: skip


def _name(plan: Plan, text: str, but: str = "") -> str:
    name = " ".join(text.split())
    if not name:
        raise Invalid(NAME_IT)
    if len(name) > WAVE_NAME_MAX_CHARS:
        raise Invalid(TOO_LONG)
    if any(one.name.casefold() == name.casefold() and one.id != but for one in plan.waves):
        raise Invalid(NAME_TAKEN)
    return name


def _reason(text: str) -> str:
    reason = " ".join(text.split())
    if not reason:
        raise Invalid(SAY_WHY)
    if len(reason) > REASON_MAX_CHARS:
        raise Invalid(TOO_LONG)
    return reason


async def add_wave(session: Session, plan: Plan, name: str, day: date, today: date) -> str:
    """A new wave without facilities; its id. Raises Invalid."""
    if day < today:
        raise Invalid(PAST)
    if len(plan.waves) >= WAVES_MAX:
        raise Invalid(N_("The plan has no room for more waves."))
    wave_id = uuid7()
    await _save(session, [_put(_resource(wave_id, _name(plan, name), day))])
    return wave_id


async def change_wave(session: Session, plan: Plan, wave_id: str, name: str, day: date, reason: str) -> None:
    """Another name or day; the facilities that are not live yet go with it.

    Raises:
        Invalid: the day is over, or it is a later one and nobody says why.
    """
    wave = plan.wave(wave_id)
    said = _name(plan, name, wave_id)
    if day != wave.day and day < min((one.today for one in wave.facilities), default=day):
        raise Invalid(PAST)
    why = _reason(reason) if day > wave.day and any(not one.live for one in wave.facilities) else ""
    operations = [_put({**wave.resource, **_resource(wave_id, said, day)}, wave.resource)]
    for one in wave.facilities:
        if not one.live and day != one.portal.live_from:
            changed = replace(one.portal, live_from=day, reason=one.portal.reason if one.state == HELD else why)
            operations.append(_put(with_portal(one.resource, changed), one.resource))
    await _save(session, operations)


async def drop_wave(session: Session, plan: Plan, wave_id: str) -> None:
    """Takes away a wave that has no facilities. Raises Invalid."""
    wave = plan.wave(wave_id)
    if wave.facilities:
        raise Invalid(NOT_EMPTY)
    await session.delete("PlanDefinition", wave_id, if_match=version_of(wave.resource))


async def place(session: Session, plan: Plan, facility_id: str, wave_id: str) -> None:
    """Puts a facility into a wave, or "" for none: it is on the older portal until further notice then.

    Raises:
        Invalid: it is live already.
    """
    one = plan.facility(facility_id)
    if one.state == LIVE and one.portal.marked:
        raise Invalid(ALREADY_LIVE)
    if wave_id:
        wave = plan.wave(wave_id)
        changed = Portal(wave.day, wave.id, one.portal.held, one.portal.reason if one.portal.held else "", marked=True)
    else:
        changed = Portal(None, "", held=False, reason="", marked=True)
    await change(session, one, changed)


async def hold(session: Session, one: Facility, reason: str) -> None:
    """A facility does not go live on its day, until somebody goes on with it. Raises Invalid."""
    if one.live:
        raise Invalid(ALREADY_LIVE)
    await change(session, one, replace(one.portal, held=True, reason=_reason(reason), marked=True))


async def resume(session: Session, one: Facility) -> None:
    """A facility that was held goes live on its day after all, on today if that is over."""
    day = one.portal.live_from
    await change(session, one, replace(one.portal, live_from=max(day, one.today) if day else None, held=False,
                                       reason=""))  # fmt: skip


async def go_live(session: Session, one: Facility) -> None:
    """A facility goes live today, whatever was planned. Raises Invalid for one that is."""
    if one.live:
        raise Invalid(ALREADY_LIVE)
    await change(session, one, replace(one.portal, live_from=one.today, held=False, reason="", marked=True))


async def go_back(session: Session, one: Facility, reason: str) -> None:
    """A facility is on the older portal again, until it is put into a wave. Raises Invalid."""
    if not one.live:
        raise Invalid(N_("This facility is not on Continuum."))
    await change(session, one, Portal(None, "", held=False, reason=_reason(reason), marked=True))


async def change(session: Session, one: Facility, portal: Portal) -> None:
    """Writes what a facility says of itself. Raises Conflict if somebody else did meanwhile."""
    await _save(session, [_put(with_portal(one.resource, portal), one.resource)])


async def save_facility(session: Session, one: Facility, changed: Resource) -> None:
    """Writes an Organization as somebody changed it. Raises Conflict if somebody else did meanwhile."""
    await _save(session, [_put(changed, one.resource)])


def _put(resource: Resource, before: Resource | None = None) -> Operation:
    return Operation(
        "PUT", resource["resourceType"], id=resource["id"], resource=parse(dump(resource)),
        if_match=version_of(before) if before is not None else None,
    )  # fmt: skip


async def _save(session: Session, operations: Sequence[Operation]) -> None:
    try:
        await session.transaction(operations)
    except DomainError as refusal:
        if refusal.status == _GONE_BY:
            raise Conflict(GONE_BY) from refusal
        raise
