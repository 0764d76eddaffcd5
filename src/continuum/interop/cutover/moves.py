"""People who move: planned with a day, settled on it, told before and after.

A planned move is an EpisodeOfCare of status `planned` at the facility somebody goes to. Settling makes it `active`,
gives the Patient the new facility, and leaves a finished one at the facility of before, whose teams keep what is open.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import quote

from continuum.access import Operation, Session
from continuum.chart.entry import N_
from continuum.chart.reading import LOCAL, version_of
from continuum.clinical.messaging.reading import body, safe, zone_of
from continuum.fhir.json import dump, parse
from continuum.interop.cutover.limits import MOVE_AHEAD_DAYS_MAX, MOVES_SHOWN_MAX, SETTLE_BATCH, TOLD_AFTER_DAYS
from continuum.interop.cutover.status import Facility, facility
from continuum.kernel.errors import Conflict, Invalid, NotFound

Resource = dict[str, Any]
KIND = f"{LOCAL}episode-kind"
CARE_AT = "care-at-facility"
_CONCEPT = {"coding": [{"system": KIND, "code": CARE_AT}], "text": "Care at a facility"}
_TOKEN = quote(f"{KIND}|{CARE_AT}", safe="")
NOT_AHEAD = N_("The day is over already. Choose today or a later one.")
TOO_FAR = N_("That day is too far ahead. A move is planned at most two years before.")
SAME = N_("The care is at this facility already. Choose another one.")
SETTLED = N_("This move has happened already. Plan another one.")


@dataclass(frozen=True, slots=True)
class Move:
    """One move of one person. day: the first one at the new facility."""

    id: str
    patient_id: str
    to_id: str
    from_id: str
    day: date
    planned: bool
    resource: Resource


def _reference(element: object) -> str:
    return str(element.get("reference", "")).rpartition("/")[2] if isinstance(element, dict) else ""


def facility_of(patient: Mapping[str, Any]) -> str:
    """The id of the facility that cares for a patient, or ""."""
    return _reference(patient.get("managingOrganization"))


def move(episode: Resource) -> Move:
    """Reads an EpisodeOfCare of ours."""
    before: Mapping[str, Any] = next(
        (one for one in episode.get("extension", ()) if str(one.get("url", "")).endswith(_FROM)), {}
    )
    return Move(
        str(episode["id"]), _reference(episode.get("patient")), _reference(episode.get("managingOrganization")),
        _reference(before.get("valueReference")), date.fromisoformat(str(episode["period"]["start"])[:10]),
        episode.get("status") == "planned", episode,
    )  # fmt: skip


_FROM = "moved-from-facility"
_FROM_URL = f"https://continuum.example/fhir/StructureDefinition/{_FROM}"


async def moves_of(session: Session, patient_id: str) -> list[Move]:
    """The moves of a person, the latest first."""
    criteria = f"patient={safe(patient_id)}&type={_TOKEN}&status=planned,active&_sort=-date&_count={MOVES_SHOWN_MAX}"
    page = await session.search(session.parse("EpisodeOfCare", criteria))
    return [move(body(one)) for one in page.matches]


async def planned(session: Session, *, count: int = MOVES_SHOWN_MAX) -> list[tuple[Move, Resource]]:
    """Planned moves that the session may see with their people, the soonest first."""
    criteria = f"type={_TOKEN}&status=planned&_sort=date&_count={count}&_include=EpisodeOfCare:patient"
    page = await session.search(session.parse("EpisodeOfCare", criteria))
    people = {one.id: body(one) for one in page.included}
    found = [move(body(one)) for one in page.matches]
    return [(one, people.get(one.patient_id, {})) for one in found]


async def plan(session: Session, patients: Sequence[Resource], to: Facility, day: date) -> None:
    """Plans the same move for people of a family; who had one planned gets this one instead. All or none.

    Raises:
        Invalid: the day or the facility is not possible.
    """
    if day < to.today:
        raise Invalid(NOT_AHEAD)
    if day > to.today + timedelta(days=MOVE_AHEAD_DAYS_MAX):
        raise Invalid(TOO_FAR)
    if not patients or all(facility_of(one) == to.id for one in patients):
        raise Invalid(SAME)
    operations = []
    for one in patients:
        if facility_of(one) == to.id:
            continue
        before = next((old for old in await moves_of(session, str(one["id"])) if old.planned), None)
        operations.append(_operation(one, to, day, before))
    await session.transaction(operations)


def _operation(patient: Resource, to: Facility, day: date, before: Move | None) -> Operation:
    resource: Resource = {
        "resourceType": "EpisodeOfCare", "status": "planned",
        "type": [_CONCEPT], "patient": {"reference": f"Patient/{patient['id']}"},
        "managingOrganization": {"reference": f"Organization/{to.id}", "display": to.name},
        "period": {"start": day.isoformat()},
    }  # fmt: skip
    if facility_of(patient):
        was = {"reference": f"Organization/{facility_of(patient)}"}
        resource["extension"] = [{"url": _FROM_URL, "valueReference": was}]
    if before is None:
        return Operation("POST", "EpisodeOfCare", resource=parse(dump(resource)))
    changed = parse(dump({**resource, "id": before.id}))
    return Operation("PUT", "EpisodeOfCare", id=before.id, resource=changed, if_match=version_of(before.resource))


async def call_off(session: Session, move_id: str) -> Move:
    """A planned move does not happen. Raises NotFound, Invalid for one that has happened."""
    found = move(body(await session.read("EpisodeOfCare", move_id)))
    codes = [coding.get("code") for one in found.resource.get("type", ()) for coding in one.get("coding", ())]
    if CARE_AT not in codes:
        raise NotFound(N_("There is no such move."))
    if not found.planned:
        raise Invalid(SETTLED)
    cancelled = {**found.resource, "status": "cancelled"}
    await session.update(parse(dump(cancelled)), if_match=version_of(found.resource))
    return found


async def settle(session: Session, now: datetime, *, patient_id: str = "") -> list[Move]:
    """Settles the moves whose day has come at the facility that they lead to; those that were. By the server.

    patient_id: of one person; "" for everybody, at most SETTLE_BATCH.
    """
    last = (now + timedelta(days=1)).date().isoformat()
    criteria = f"type={_TOKEN}&status=planned&date=le{last}&_sort=date&_count={SETTLE_BATCH}"
    criteria += f"&patient={safe(patient_id)}" if patient_id else ""
    criteria += "&_include=EpisodeOfCare:patient&_include=EpisodeOfCare:organization"
    page = await session.search(session.parse("EpisodeOfCare", criteria))
    known = {f"{one.resource_type}/{one.id}": body(one) for one in page.included}
    done = []
    for stored in page.matches:
        one = move(body(stored))
        patient, to = known.get(f"Patient/{one.patient_id}"), known.get(f"Organization/{one.to_id}")
        if patient is None or to is None or now.astimezone(zone_of(to)).date() < one.day:
            continue
        try:
            await session.transaction(_settling(one, patient))
        except Conflict:
            continue  # another worker was first
        done.append(one)
    return done


def _settling(one: Move, patient: Resource) -> list[Operation]:
    changed = {**patient, "managingOrganization": one.resource["managingOrganization"]}
    active = {**one.resource, "status": "active"}
    operations = [
        Operation("PUT", kind, id=resource["id"], resource=parse(dump(resource)), if_match=version_of(before))
        for kind, resource, before in (("Patient", changed, patient), ("EpisodeOfCare", active, one.resource))
    ]
    old = facility_of(patient)
    if old and old != one.to_id:
        was: Resource = {
            "resourceType": "EpisodeOfCare", "status": "finished", "type": [_CONCEPT],
            "patient": {"reference": f"Patient/{one.patient_id}"},
            "managingOrganization": {"reference": f"Organization/{old}"}, "period": {"end": one.day.isoformat()},
        }  # fmt: skip
        operations.append(Operation("POST", "EpisodeOfCare", resource=was))
    return operations


@dataclass(frozen=True, slots=True)
class Care:
    """Where somebody's care is, and where it goes. moves_to: with the day; None without a planned move.

    came_from: the facility of before, while a move is not long ago. since: the day of that move.
    """

    here: Facility | None
    moves_to: Facility | None = None
    day: date | None = None
    came_from: Facility | None = None
    since: date | None = None

    @property
    def just_live(self) -> bool:
        """Whether the facility has gone live not long ago."""
        one = self.here
        if one is None or not one.live or one.portal.live_from is None:
            return False
        return (one.today - one.portal.live_from).days <= TOLD_AFTER_DAYS


async def care_of(session: Session, patient: Mapping[str, Any], now: datetime) -> Care:
    """Where a person's care is today: a move whose day has come counts, settled or not."""
    found = await moves_of(session, str(patient["id"]))
    ids = {facility_of(patient)} | {one.to_id for one in found[:2]} | {one.from_id for one in found[:2]}
    ids.discard("")
    if not ids:
        return Care(None)
    page = await session.search(session.parse("Organization", f"_id={','.join(sorted(ids))}&_count=20"))
    known = {one.id: facility(body(one), now) for one in page.matches}
    here, since, was = known.get(facility_of(patient)), None, ""
    ahead = None
    for one in reversed(found):
        to = known.get(one.to_id)
        if to is None:
            continue
        if one.planned and one.day > to.today:
            ahead = one
        elif one.planned or one.to_id == facility_of(patient):
            here, since, was = to, one.day, one.from_id
    if since is not None and here is not None and (here.today - since).days > TOLD_AFTER_DAYS:
        since, was = None, ""
    to = known.get(ahead.to_id) if ahead is not None else None
    return Care(here, to, ahead.day if ahead is not None else None, known.get(was), since)
