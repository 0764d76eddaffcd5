"""Which sample facilities are on Continuum, since when, and which are still on the older portal."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from continuum.samples.elements import LOCAL, LOCAL_EXTENSION, Element, Resource
from continuum.samples.places import Site
from continuum.samples.streams import identity


@dataclass(frozen=True, slots=True)
class _Wave:
    """A wave. days: from the last day of the record to the first on Continuum. bases: by their keys."""

    name: str
    days: int
    bases: tuple[str, ...]

    def day(self, today: date) -> date:
        return today + timedelta(days=self.days)

    @property
    def id(self) -> str:
        return identity("wave", self.name)


_WAVES = (
    _Wave("Wave 1, Atlantic", -400, ("alder", "graycliff")),
    _Wave("Wave 2, Inland", -150, ("larkmoor", "calloway", "northgate", "mesa")),
    _Wave("Wave 3, Carolina", 64, ("pinewater",)),
    _Wave("Wave 4, Overseas", 155, ("kitahama", "lindental")),
)
_HELD = {"lindental": "The network of the hospital is being renewed."}
_OLDER = ("torrey",)
"""Bases that are in no wave yet."""


def plans(today: date) -> Iterator[Resource]:
    """The waves themselves."""
    for one in _WAVES:
        yield {
            "resourceType": "PlanDefinition",
            "id": one.id,
            "status": "active",
            "title": one.name,
            "topic": [
                {"coding": [{"system": f"{LOCAL}plan-kind", "code": "portal-wave"}],
                 "text": "Facilities that go live together"},
            ],
            "effectivePeriod": {"start": one.day(today).isoformat()},
        }  # fmt: skip


def status(site: Site, today: date) -> list[Element]:
    """What the Organization of a site says; [] for those that were on Continuum from the beginning."""
    base = site.key.rpartition("-")[0]
    wave = next((one for one in _WAVES if base in one.bases), None)
    if wave is None and base not in _OLDER:
        return []
    said: list[Element] = []
    if wave is not None:
        said = [
            {"url": "liveFrom", "valueDate": wave.day(today).isoformat()},
            {"url": "wave", "valueString": wave.id},
        ]
    if base in _HELD:
        said.append({"url": "reason", "valueString": _HELD[base]})
    return [
        {"url": f"{LOCAL_EXTENSION}portal-status",
         "extension": [*said, {"url": "held", "valueBoolean": base in _HELD}]},
    ]  # fmt: skip
