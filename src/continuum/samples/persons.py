"""Who is who: persons, what they served, and the family they make. Plain values; nothing here draws."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal

from continuum.samples.data.bases import Base, Branch
from continuum.samples.data.services import Occupation
from continuum.samples.elements import years_between

Sex = Literal["male", "female"]
Part = Literal["sponsor", "spouse", "child"]
Status = Literal["active", "reserve", "guard", "retired", "veteran"]


@dataclass(frozen=True, slots=True)
class Body:
    """What someone is born with; z values are standard deviations from the mean for age and sex.

    `luck` is where the person stands in the prevalence of each illness; `habit` likewise for smoking.
    """

    height_z: float
    weight_z: float
    pressure_z: float
    pulse_z: float
    lipids_z: float
    habit: float


@dataclass(slots=True)
class Person:
    """One patient. `key` is (family, number in the family); the sponsor is number 0, a spouse 1, children from 2.

    `illnesses`, if given, are all the lasting illnesses of the person: keys with the age of onset in years.
    """

    key: tuple[str, int]
    id: str
    part: Part
    sex: Sex
    born: date
    given: tuple[str, ...]
    family_name: str
    race: tuple[str, str]
    hispanic: bool
    dod_id: str
    body: Body
    died: date | None = None
    illnesses: dict[str, float] | None = None

    def age(self, day: date) -> float:
        """Age in years on a day."""
        return years_between(self.born, day)

    @property
    def name(self) -> str:
        """Given and family name."""
        return f"{self.given[0]} {self.family_name}"


@dataclass(frozen=True, slots=True)
class Posting:
    """Where a service member (and the family) lives for some years. `end` is the last day, or None."""

    start: date
    end: date | None
    base: Base


@dataclass(frozen=True, slots=True)
class Deployment:
    """A stretch away from home, in a theatre or on a ship."""

    id: str
    start: date
    end: date
    afloat: str
    country: str
    exposures: tuple[str, ...]

    def covers(self, day: date) -> bool:
        """Whether the day falls into it."""
        return self.start <= day <= self.end


@dataclass(slots=True)
class Service:
    """A military career. `years` at any day follow from `entered` and `left`."""

    branch: Branch
    status: Status
    officer: bool
    warrant: bool
    entered: date
    left: date | None
    occupation: Occupation
    deployments: tuple[Deployment, ...] = ()

    def serving(self, day: date) -> bool:
        """Whether in uniform on that day (reserve and guard included)."""
        return self.entered <= day and (self.left is None or day < self.left)


@dataclass(frozen=True, slots=True)
class Birth:
    """A child's birth, as the mother's chart sees it."""

    child: Person
    conceived: date
    born: date
    weeks: int
    caesarean: bool


@dataclass(slots=True)
class Family:
    """A household around its sponsor. `postings` are where it lived, in order, without gaps."""

    key: str
    sponsor: Person
    service: Service
    street: str
    phone: str
    spouse: Person | None = None
    married: date | None = None
    children: list[Person] = field(default_factory=list)
    births: list[Birth] = field(default_factory=list)
    postings: list[Posting] = field(default_factory=list)

    @property
    def members(self) -> list[Person]:
        """All patients of the family."""
        return [self.sponsor, *([self.spouse] if self.spouse else []), *self.children]

    @property
    def mother(self) -> Person | None:
        """The woman who bears the children, if she is in the family."""
        if self.spouse is not None and self.spouse.sex == "female":
            return self.spouse
        return self.sponsor if self.sponsor.sex == "female" else None

    def base(self, day: date) -> Base:
        """Where the family lives on a day."""
        for posting in reversed(self.postings):
            if posting.start <= day:
                return posting.base
        return self.postings[0].base

    def covered(self, person: Person, day: date) -> bool:
        """Whether the person had a right to military care on a day: through service, marriage or birth."""
        if day < person.born or (person.died is not None and day > person.died):
            return False
        since = self.service.entered
        if person is self.spouse and self.married is not None:
            since = max(since, self.married)
        return day >= since - timedelta(days=1)
