"""What the personnel and eligibility registry knows of the sample families."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta

from continuum.identity.registry import Category, Eligibility, Entry, Relation, Sponsorship
from continuum.identity.registry import Person as Registered
from continuum.samples import families
from continuum.samples.data.families import DEPENDENT_UNTIL_YEARS
from continuum.samples.elements import birthday
from continuum.samples.personas import personas
from continuum.samples.persons import Family, Person, Status
from continuum.samples.streams import identity

_DAY = timedelta(days=1)
_EMAIL_FROM_YEARS = 16
_DUTY: dict[Status, Category] = {
    "active": "active", "reserve": "reserve", "guard": "guard", "retired": "active", "veteran": "active",
}  # fmt: skip
"""In which category somebody of today's status served."""
_AFTER: dict[Status, Category] = {"retired": "retired", "veteran": "veteran"}


def entries(numbers: Iterable[int], *, seed: int, today: date, story: bool = True) -> Iterator[Entry]:
    """The entries of families by number, and of the people with a story; each sponsor before the dependents."""
    for number in numbers:
        yield from of_family(families.compose(seed, number, today), today)
    if story:
        for persona in personas():
            yield from of_family(persona.family, today)


def of_family(family: Family, today: date) -> Iterator[Entry]:
    """The entries of one family."""
    yield Entry(_registered(family, family.sponsor, today), _service(family))
    sponsor_id = person_id(family.sponsor)
    if family.spouse is not None and family.married is not None:
        yield Entry(
            _registered(family, family.spouse, today),
            _dependent(family, family.spouse, "spouse", family.married, None),
            (Sponsorship(sponsor_id, "spouse", family.married, _earliest(family.spouse.died)),),
        )
    for child in family.children:
        relation: Relation = "child"
        until = birthday(child.born, DEPENDENT_UNTIL_YEARS) - _DAY
        yield Entry(
            _registered(family, child, today),
            _dependent(family, child, "child", child.born, until),
            (Sponsorship(sponsor_id, relation, child.born, _earliest(until, child.died)),),
        )


def person_id(person: Person) -> str:
    """The registry's id of a sample person."""
    return identity("registry", *person.key)


def _registered(family: Family, person: Person, today: date) -> Registered:
    home = family.base(person.died or today)
    return Registered(
        person_id=person_id(person),
        dod_id=person.dod_id,
        given_names=" ".join(person.given),
        family_name=person.family_name,
        sex=person.sex,
        born=person.born,
        died=person.died,
        email=f"person{person.dod_id[2:]}@mail.example" if person.age(today) >= _EMAIL_FROM_YEARS else None,
        phone=family.phone,
        street=family.street,
        city=home.city,
        state=home.state,
        postal_code=home.postal_code,
        country=home.country,
        patient_id=person.id,
    )


def _service(family: Family) -> tuple[Eligibility, ...]:
    """Duty, and what follows it: retirement or the years as a veteran."""
    service, died = family.service, family.sponsor.died
    left = service.left
    duty = Eligibility(_DUTY[service.status], service.entered, _earliest(left - _DAY if left else None, died))
    if left is None or service.status not in _AFTER:
        return (duty,)
    return duty, Eligibility(_AFTER[service.status], left, died)


def _dependent(
    family: Family, person: Person, category: Category, since: date, until: date | None
) -> tuple[Eligibility, ...]:
    """As long as the sponsor serves or is retired; then as a survivor. A veteran's dependents have none."""
    service, sponsor_died = family.service, family.sponsor.died
    starts = max(since, service.entered)
    ended = service.left - _DAY if service.status == "veteran" and service.left is not None else None
    own = _earliest(until, person.died)
    found = []
    last = _earliest(own, ended, sponsor_died)
    if last is None or last >= starts:
        found.append(Eligibility(category, starts, last))
    if sponsor_died is not None and ended is None and (own is None or own > sponsor_died):
        found.append(Eligibility("survivor", max(starts, sponsor_died + _DAY), own))
    return tuple(found)


def _earliest(*days: date | None) -> date | None:
    return min((day for day in days if day is not None), default=None)
