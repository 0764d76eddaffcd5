"""What a facility is on: Continuum, the older portal, or about to change. Pure: a date, a reason, and the day."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import available_timezones

from continuum.chart.entry import N_, Mark
from continuum.clinical.messaging.reading import zone_of
from continuum.clinical.scheduling.model import EXTENSION, nested, values_of, with_extension, without_extension
from continuum.kernel.errors import Invalid

Resource = dict[str, Any]
PORTAL_STATUS = f"{EXTENSION}portal-status"
TIMEZONE = "http://hl7.org/fhir/StructureDefinition/timezone"
LIVE, COMING, HELD, OLDER = "live", "coming", "held", "older"
WORDS: Mapping[str, Mark] = {
    LIVE: Mark(N_("on Continuum"), "success"),
    COMING: Mark(N_("going live"), "info"),
    HELD: Mark(N_("held"), "warning"),
    OLDER: Mark(N_("on the older portal")),
}
"""How a state is shown."""


@dataclass(frozen=True, slots=True)
class Portal:
    """What an Organization says of itself.

    live_from: the first day on Continuum; None without one. wave_id: "" outside of all waves. reason: why it is held,
    or went back. marked: whether anything is said; a facility that says nothing is on Continuum.
    """

    live_from: date | None = None
    wave_id: str = ""
    held: bool = False
    reason: str = ""
    marked: bool = False

    def state(self, today: date) -> str:
        """LIVE, COMING, HELD or OLDER on a day of the facility's own zone."""
        if not self.marked:
            return LIVE
        if self.held:
            return HELD
        if self.live_from is None:
            return OLDER
        return LIVE if self.live_from <= today else COMING

    def live(self, today: date) -> bool:
        """Whether people use Continuum there."""
        return self.state(today) == LIVE


def portal_of(organization: Mapping[str, Any]) -> Portal:
    """Reads an Organization."""
    for one in organization.get("extension", ()):
        if one.get("url") == PORTAL_STATUS:
            said = values_of(one)
            live_from = said.get("liveFrom")
            return Portal(
                date.fromisoformat(live_from) if live_from else None, str(said.get("wave") or ""),
                bool(said.get("held", False)), str(said.get("reason") or ""), marked=True,
            )  # fmt: skip
    return Portal()


def with_portal(organization: Mapping[str, Any], portal: Portal) -> Resource:
    """An Organization that says what a Portal says; whatever else it says stays."""
    if not portal.marked:
        return without_extension(organization, PORTAL_STATUS)
    said = nested(PORTAL_STATUS, liveFrom=portal.live_from, wave=portal.wave_id or None, reason=portal.reason or None)
    # An extension without any value is not valid FHIR; `held` is always said.
    said["extension"].append({"url": "held", "valueBoolean": portal.held})
    return with_extension(organization, said)


@dataclass(frozen=True, slots=True)
class Facility:
    """A facility on a day of its own zone. today: that day. state: see `Portal.state`."""

    resource: Resource
    id: str
    name: str
    portal: Portal
    today: date
    state: str

    @property
    def live(self) -> bool:
        """Whether people use Continuum there."""
        return self.state == LIVE

    @property
    def mark(self) -> Mark:
        """How its state is shown."""
        return WORDS[self.state]

    @property
    def days(self) -> int | None:
        """Days until it goes live; negative: since. None without a date."""
        return None if self.portal.live_from is None else (self.portal.live_from - self.today).days

    @property
    def phone(self) -> str:
        """Whom to call there, or ""."""
        return next((str(one["value"]) for one in self.resource.get("telecom", ()) if one.get("system") == "phone"), "")

    @property
    def address(self) -> str:
        """Where it is, on one line, or ""."""
        first: Mapping[str, Any] = next(iter(self.resource.get("address", ())), {})
        parts = [*first.get("line", ()), first.get("city"), first.get("state"), first.get("postalCode")]
        return ", ".join(str(one) for one in parts if one)


def facility(organization: Resource, now: datetime) -> Facility:
    """A facility as it is at an instant."""
    portal = portal_of(organization)
    today = now.astimezone(zone_of(organization)).date()
    return Facility(
        organization, str(organization["id"]), str(organization.get("name", "")), portal, today, portal.state(today)
    )


def with_details(organization: Mapping[str, Any], said: Mapping[str, str]) -> Resource:
    """An Organization with another address, phone and time zone. said: line, city, state, postal, phone, zone.

    Raises:
        Invalid: there is no such zone, or something is missing.
    """
    if said["zone"] not in available_timezones():
        raise Invalid(N_("There is no such time zone. Write it such as America/New_York."))
    if not said["line"] or not said["city"] or not said["phone"]:
        raise Invalid(N_("Fill in street, city and phone."))
    before: Mapping[str, Any] = next(iter(organization.get("address", ())), {})
    address = {**before, "line": [said["line"]], "city": said["city"], "postalCode": said["postal"],
               "state": said["state"]}  # fmt: skip
    others = [one for one in organization.get("telecom", ()) if one.get("system") != "phone"]
    rest = organization.get("address", ())[1:]
    changed = with_extension(organization, {"url": TIMEZONE, "valueCode": said["zone"]})
    return {
        **changed, "telecom": [{"system": "phone", "value": said["phone"], "use": "work"}, *others],
        "address": [{name: value for name, value in address.items() if value}, *rest],
    }  # fmt: skip
