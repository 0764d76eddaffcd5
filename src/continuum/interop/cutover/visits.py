"""Appointments that come in: decided against what is here, and given a time of the calendar where there is one."""

from collections.abc import Awaitable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from continuum.access import Session
from continuum.access.claims import Claims
from continuum.chart.entry import N_
from continuum.chart.reading import version_of
from continuum.clinical.scheduling.finding import Offer, kinds, offers
from continuum.clinical.scheduling.model import Resource, instant
from continuum.clinical.scheduling.opening import utc
from continuum.clinical.scheduling.reading import find
from continuum.fhir.json import dump, parse
from continuum.interop.cutover.form import Row, digest
from continuum.interop.cutover.origin import came, identifier, refuse_other, with_came
from continuum.interop.cutover.outgoing import Travelling
from continuum.interop.cutover.report import Report
from continuum.kernel.errors import Conflict

Taking = Awaitable[tuple[str, str]]
BOTH_CHANGED = N_("it was changed here and on the older portal: somebody has to say which holds")
TIME_TAKEN = N_("somebody else has its time in the calendar here; it was brought in without the time")
_LASTING = ("status", "start", "end")
_OVER = frozenset({"cancelled", "fulfilled", "noshow"})


class Visits:
    """Appointments for one facility."""

    def __init__(self, session: Session, claims: Claims, facility_id: str, now: datetime) -> None:
        self._session, self._claims, self._facility_id, self._now = session, claims, facility_id, now
        self._calendars: list[Offer] | None = None
        self._places: list[Resource] = []
        self._taken: set[str] = set()

    async def take(self, row: Row, there: Travelling, found: Report, *, write: bool) -> tuple[str, str]:
        """Decides one row, and writes it: (new, changed, equal or clash, why)."""
        present = there.appointment(row["origin"])
        what = _decided(row, present)
        if what in {"equal", "clash"}:
            return what, BOTH_CHANGED if what == "clash" else ""
        if present is None:
            unique = identifier("appointment", row["origin"])
            await refuse_other(self._session, "Appointment", unique, str(there.patient["id"]))
        resource, lost = await self._made(row, there, present)
        if lost:
            found.clash(row["origin"], TIME_TAKEN)
        if not resource.get("slot") and row["status"] == "booked":
            found.counts["without_time"] += 1
        if write:
            await self._written(resource, present)
        return what, ""

    async def _made(self, row: Row, there: Travelling, present: tuple[Row, Resource] | None) -> tuple[Resource, bool]:
        """The Appointment as it will be, and whether somebody else has its time."""
        ahead = row["status"] == "booked" and instant(row["end"]) > self._now
        same = present is not None and present[1].get("start") == row["start"]
        held: list[Any] = list(present[1].get("slot", ())) if present is not None and same else []
        offer, slot, lost = None, "", False
        if ahead and not held:
            offer, slot, lost = await self._time(row)
        before = present[1] if present is not None else {}
        resource: Resource = {
            **{name: value for name, value in before.items() if name != "slot"},
            "resourceType": "Appointment", "status": row["status"], "start": row["start"], "end": row["end"],
        }  # fmt: skip
        if not before or offer is not None:
            resource["participant"] = await self._participants(str(there.patient["id"]), offer)
        if not before:
            resource["identifier"] = [identifier("appointment", row["origin"])]
        if row["reason"]:
            resource["comment"] = row["reason"]
        else:
            resource.pop("comment", None)
        if slot or (held and ahead):
            resource["slot"] = [{"reference": f"Slot/{slot}"}] if slot else held
        if before and not came(before):
            return resource, lost  # made here: it says itself what it is
        said = {name: str(row[name]) for name in ("kind", "clinician", "place", "start")}
        return with_came(resource, row["origin"], {**said, "digest": digest(row)}), lost

    async def _participants(self, patient_id: str, offer: Offer | None) -> list[Resource]:
        names = [f"Patient/{patient_id}"]
        if offer is not None:
            one = offer.calendar
            names += [f"Practitioner/{one.practitioner_id}"] if one.practitioner_id else []
            names += [f"Location/{one.location_id}"] if one.location_id else []
            names += [f"HealthcareService/{one.service_id}"] if one.service_id else []
        else:
            await self._known()
            names += [f"Location/{one['id']}" for one in self._places[:1]]
        return [{"actor": {"reference": name}, "status": "accepted"} for name in names]

    async def _known(self) -> list[Offer]:
        if self._calendars is None:
            services = await kinds(self._session, self._facility_id)
            self._calendars = await offers(self._session, [one.id for one in services])
            self._places, _ = await find(
                self._session, "Location", f"organization=Organization/{self._facility_id}&partof:missing=true&_count=5"
            )
        return self._calendars

    async def _time(self, row: Row) -> tuple[Offer | None, str, bool]:
        """The calendar and the free time that a row speaks of; whether there is one, but somebody has it."""
        chosen = {one.calendar.id: one for one in await self._known() if _speaks_of(row, one)}
        if not chosen:
            return None, "", False
        named = ",".join(f"Schedule/{one}" for one in chosen)
        when = utc(instant(row["start"]))
        slots, _ = await find(self._session, "Slot", f"schedule={named}&start={when}&_count=50")
        usable = [one for one in slots if one.get("status") in {"free", "busy", "busy-tentative"}]
        held = await self._claims.held([one["id"] for one in usable]) | self._taken
        for one in usable:
            if one["id"] not in held:
                self._taken.add(one["id"])
                return chosen[_schedule(one)], str(one["id"]), False
        return None, "", bool(usable)

    async def _written(self, resource: Resource, present: tuple[Row, Resource] | None) -> None:
        for one in (resource, {name: value for name, value in resource.items() if name != "slot"}):
            try:
                if present is not None:
                    await self._session.update(parse(dump(one)), if_match=version_of(present[1]))
                else:
                    unique = one["identifier"][0]
                    token = quote(f"{unique['system']}|{unique['value']}", safe="")
                    await self._session.create(parse(dump(one)), if_none_exist=f"identifier={token}")
            except Conflict:
                # Somebody booked that time a moment ago: the appointment comes in without it, and staff see so.
                if "slot" not in one:
                    raise
                continue
            return


def _schedule(slot: Mapping[str, Any]) -> str:
    return str(slot.get("schedule", {}).get("reference", "")).rpartition("/")[2]


def _speaks_of(row: Row, offer: Offer) -> bool:
    """Whether a calendar is the one that a row names: its kind and, if it names one, its clinician."""
    named = {offer.kind.name.casefold(), offer.kind.need.casefold()} if offer.kind else set()
    kind, clinician = row["kind"].casefold().strip(), row["clinician"].casefold().strip()
    if not kind and not clinician:
        return False
    return (not kind or kind in named) and (not clinician or clinician == offer.clinician.casefold())


def _decided(row: Row, present: tuple[Row, Resource] | None) -> str:
    if present is None:
        return "new"
    ours, resource = present
    if digest(row) == digest(ours) or all(row[name] == ours[name] for name in _LASTING):
        return "equal"
    last = came(resource).get("digest", "")
    if digest(row) == last:
        return "equal"  # nothing has happened there since; what happened here stays
    if last:
        return "changed" if digest(ours) == last else "clash"
    if ours["status"] in _OVER:
        return "equal" if row["status"] == "booked" else "clash"
    return "changed" if row["status"] in _OVER and row["start"] == ours["start"] else "clash"
