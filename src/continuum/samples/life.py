"""A life: one person's plan of illnesses and visits, from which every contributor makes its resources.

The plan is drawn first and is the same for everyone who reads it. Whatever stands in it is also in the output:
`visits` become Encounters and `illnesses` become Conditions, so any contributor may refer to them.
"""

from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from continuum.samples.body import Physiology
from continuum.samples.data.acute import Acute
from continuum.samples.data.allergies import Allergen
from continuum.samples.data.illnesses import Chronic
from continuum.samples.elements import Element
from continuum.samples.persons import Birth, Deployment, Family, Person, Service
from continuum.samples.places import Site, World
from continuum.samples.streams import Draw

VisitKind = Literal[
    "checkup", "well_child", "follow_up", "acute", "emergency", "inpatient", "prenatal", "delivery", "newborn",
    "postpartum", "dental", "hearing", "deployed", "telehealth",
]  # fmt: skip


@dataclass(slots=True)
class Illness:
    """One illness of one person. `found` is the visit at which it was first seen, if that is in the record."""

    id: str
    kind: Chronic | Acute
    onset: date
    abated: date | None
    found: "Visit | None" = None

    @property
    def chronic(self) -> bool:
        """Whether it stays."""
        return isinstance(self.kind, Chronic)

    def active(self, day: date) -> bool:
        """Whether the person has it on a day."""
        return self.onset <= day and (self.abated is None or day <= self.abated)


@dataclass(slots=True)
class Visit:
    """One contact with care. `start` and `end` are instants with the place's offset, as FHIR writes them."""

    id: str
    kind: VisitKind
    day: date
    last_day: date
    start: str
    end: str
    site: Site
    practitioner: str
    reason: Illness | None
    reference: Element
    birth: Birth | None = None
    before: "Visit | None" = None


@dataclass(frozen=True, slots=True)
class Allergy:
    """An allergy of a person, since a day."""

    allergen: Allergen
    since: date
    severe: bool


@dataclass(slots=True)
class Life:
    """One person's plan. Days run from `since` (the first that is recorded) to `until` (death or today)."""

    person: Person
    family: Family
    service: Service | None
    world: World
    seed: int
    today: date
    since: date
    until: date
    physiology: Physiology
    subject: Element
    illnesses: list[Illness] = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)
    allergies: list[Allergy] = field(default_factory=list)
    births: list[Birth] = field(default_factory=list)
    deployments: tuple[Deployment, ...] = ()

    def draw(self, event: str) -> Draw:
        """The stream of one contributor for this person."""
        return Draw(self.person.key[0], self.person.key[1], event)

    def has(self, key: str, day: date) -> bool:
        """Whether the person has the illness of this key on a day."""
        return any(illness.kind.key == key and illness.active(day) for illness in self.illnesses)

    def illness(self, key: str) -> Illness | None:
        """The first illness of this key."""
        return next((illness for illness in self.illnesses if illness.kind.key == key), None)

    def pregnancy(self, day: date) -> Birth | None:
        """The pregnancy under way on a day."""
        return next((birth for birth in self.births if birth.conceived <= day < birth.born), None)
