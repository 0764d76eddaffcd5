"""People with a story, the same in every installation: for demonstrations, tutorials and tests."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from continuum.samples import families
from continuum.samples.data.bases import BASES, Branch
from continuum.samples.data.services import OCCUPATIONS
from continuum.samples.persons import Birth, Body, Deployment, Family, Part, Person, Posting, Service, Sex, Status
from continuum.samples.streams import identity

FIRST_TODAY = date(2026, 11, 1)
"""Their stories reach to this day; a record cannot end before it."""
_FIRST_NUMBER = 6_200_000
"""Family numbers from here on are theirs, so that their DoD ID numbers are nobody else's."""
_AVERAGE = Body(height_z=0.2, weight_z=0.1, pressure_z=0.3, pulse_z=0.0, lipids_z=0.1, habit=0.7)
_HEAVY = Body(height_z=0.1, weight_z=1.3, pressure_z=0.9, pulse_z=0.3, lipids_z=0.9, habit=0.05)
_SLIM = Body(height_z=0.4, weight_z=-0.6, pressure_z=-0.4, pulse_z=-0.5, lipids_z=-0.3, habit=0.8)
_WHITE = ("2106-3", "White")
_BLACK = ("2054-5", "Black or African American")
_ASIAN = ("2028-9", "Asian")
_HOMES = {base.key: base for base in BASES}


@dataclass(frozen=True, slots=True)
class Persona:
    """Someone with a story. `patient_id` is the id of the Patient, whatever the seed or the day."""

    key: str
    name: str
    patient_id: str
    about: str
    family: Family


def personas() -> tuple[Persona, ...]:
    """All of them; their families are made anew at each call."""
    return tuple(_persona(number, maker) for number, maker in enumerate(_MAKERS))


def _persona(number: int, maker: Callable[[int], tuple[Family, Person, str]]) -> Persona:
    family, person, about = maker(number)
    key = family.key.removeprefix("persona:")
    return Persona(key, person.name, person.id, about, family)


def _someone(
    key: str,
    number: int,
    index: int,
    part: Part,
    sex: Sex,
    born: date,
    name: tuple[str, ...],
    *,
    race: tuple[str, str] = _WHITE,
    hispanic: bool = False,
    body: Body = _AVERAGE,
    illnesses: Iterable[tuple[str, float]] = (),
) -> Person:
    """`name` is the given names and then the family name; `illnesses` are keys with the age of onset."""
    whose = (f"persona:{key}", index)
    return Person(
        whose, identity("patient", *whose), part, sex, born, name[:-1], name[-1], race, hispanic,
        families.dod_id(families.first_place(_FIRST_NUMBER + number, 0) + index), body, illnesses=dict(illnesses),
    )  # fmt: skip


def _service(
    branch: Branch,
    status: Status,
    entered: date,
    left: date | None,
    occupation: int,
    *,
    officer: bool = False,
    deployments: tuple[Deployment, ...] = (),
) -> Service:
    job = OCCUPATIONS[branch][occupation]
    return Service(branch, status, officer, warrant=False, entered=entered, left=left, occupation=job,
                   deployments=deployments)  # fmt: skip


def _away(key: str, number: int, start: date, days: int, place: str, country: str, *met: str) -> Deployment:
    whole = identity("deployment", f"persona:{key}", number)
    return Deployment(whole, start, start + timedelta(days=days), place, country, met)


def _postings(*moves: tuple[date, str]) -> list[Posting]:
    ends = [start - timedelta(days=1) for start, _ in moves[1:]]
    return [Posting(start, end, _HOMES[base]) for (start, base), end in zip(moves, [*ends, None], strict=True)]


def _born(child: Person, *, weeks: int = 39, caesarean: bool = False) -> Birth:
    return Birth(child, child.born - timedelta(days=(weeks - 2) * 7), child.born, weeks, caesarean)


def _sergeant(number: int) -> tuple[Family, Person, str]:
    key = "sergeant"
    person = _someone(key, number, 0, "sponsor", "male", date(1999, 5, 14), ("Marcus", "Elijah", "Freeman"),
                      race=_BLACK, body=_SLIM, illnesses=[("tinnitus", 25.2), ("low_back_pain", 26.1)])  # fmt: skip
    service = _service("army", "active", date(2018, 7, 9), None, 0, deployments=(
        _away(key, 1, date(2021, 2, 10), 240, "aid", "KW", "blast", "heat"),
        _away(key, 2, date(2024, 6, 3), 200, "aid", "KW", "airborne particulates", "noise")))  # fmt: skip
    family = Family(f"persona:{key}", person, service, "412 Kestrel Drive", "555-0141")
    family.postings = _postings((service.entered, "calloway"), (date(2022, 3, 1), "alder"))
    return family, person, "Active-duty Army sergeant, infantry, deployed twice; ringing ears and a sore back."


def _mother(number: int) -> tuple[Family, Person, str]:
    key = "mother"
    sponsor = _someone(key, number, 0, "sponsor", "male", date(1988, 2, 20), ("Daniel", "Núñez"), hispanic=True)
    mother = _someone(key, number, 1, "spouse", "female", date(1989, 9, 3), ("Inés", "María", "Núñez"),
                      hispanic=True, illnesses=[("migraine", 24.0)])  # fmt: skip
    teenager = _someone(key, number, 2, "child", "female", date(2011, 6, 18), ("Lucía", "Núñez"), hispanic=True,
                        body=_SLIM, illnesses=[("asthma", 6.5), ("allergic_rhinitis", 8.0)])  # fmt: skip
    toddler = _someone(key, number, 3, "child", "male", date(2024, 8, 27), ("Mateo", "Núñez"), hispanic=True)
    service = _service("navy", "active", date(2007, 8, 6), None, 0, deployments=(
        _away(key, 1, date(2015, 1, 12), 230, "halcyon", "", "noise"),
        _away(key, 2, date(2026, 7, 15), 190, "halcyon", "", "noise", "jet fuel")))  # fmt: skip
    family = Family(f"persona:{key}", sponsor, service, "2207 Sandpiper Loop", "555-0162", mother, date(2010, 5, 8))
    family.children = [teenager, toddler]
    family.births = [_born(teenager), _born(toddler, weeks=38, caesarean=True)]
    family.postings = _postings((service.entered, "sable"), (date(2017, 6, 1), "graycliff"))
    return family, mother, "Navy spouse with a toddler and a teenager who has asthma; her husband is at sea."


def _retiree(number: int) -> tuple[Family, Person, str]:
    key = "retiree"
    person = _someone(key, number, 0, "sponsor", "male", date(1958, 11, 30), ("Robert", "James", "O'Brien"),
                      body=_HEAVY, illnesses=[("hypertension", 44.0), ("hyperlipidemia", 46.5), ("diabetes2", 51.0),
                      ("hearing_loss", 52.0), ("kidney_disease3", 64.0), ("gout", 60.0)])  # fmt: skip
    wife = _someone(key, number, 1, "spouse", "female", date(1960, 4, 2), ("Linda", "O'Brien"),
                    illnesses=[("hypothyroidism", 48.0), ("osteoporosis", 61.0)])  # fmt: skip
    service = _service("air_force", "retired", date(1977, 6, 13), date(2001, 7, 1), 0)
    family = Family(f"persona:{key}", person, service, "88 Juniper Circle", "555-0117", wife, date(1982, 6, 19))
    family.postings = _postings((service.entered, "larkmoor"), (date(1990, 1, 5), "lindental"),
                                (date(1996, 8, 1), "larkmoor"))  # fmt: skip
    return family, person, "Air Force retiree with diabetes, high blood pressure and more than 20 years of records."


def _reservist(number: int) -> tuple[Family, Person, str]:
    key = "reservist"
    person = _someone(key, number, 0, "sponsor", "female", date(1994, 3, 9), ("Mei", "Chen"), race=_ASIAN, body=_SLIM,
                      illnesses=[("anxiety", 28.0)])  # fmt: skip
    service = _service("navy", "reserve", date(2016, 9, 12), None, 2)
    family = Family(f"persona:{key}", person, service, "540 Heron Street", "555-0128")
    family.postings = _postings((service.entered, "tamarack"))
    return family, person, "Navy reservist, hospital corpsman; civilian nurse between drills."


def _veteran(number: int) -> tuple[Family, Person, str]:
    key = "veteran"
    person = _someone(key, number, 0, "sponsor", "male", date(1985, 8, 1), ("Kekoa", "Kealoha"),
                      race=("2076-8", "Native Hawaiian or Other Pacific Islander"), body=_HEAVY,
                      illnesses=[("ptsd", 25.4), ("hearing_loss", 30.0), ("tinnitus", 26.0),
                                 ("sleep_apnea", 35.0)])  # fmt: skip
    service = _service("marines", "veteran", date(2004, 1, 12), date(2012, 1, 12), 0, deployments=(
        _away(key, 1, date(2006, 3, 1), 210, "aid", "KW", "blast", "burn pit smoke"),
        _away(key, 2, date(2010, 1, 20), 215, "aid", "KW", "blast", "heat", "noise")))  # fmt: skip
    family = Family(f"persona:{key}", person, service, "17 Windward Street", "555-0173")
    family.postings = _postings((service.entered, "pinewater"), (date(2012, 1, 12), "makani"))
    return family, person, "Marine Corps veteran of two deployments with PTSD, hearing loss and sleep apnea."


def _captain(number: int) -> tuple[Family, Person, str]:
    key = "captain"
    person = _someone(key, number, 0, "sponsor", "female", date(1995, 12, 12), ("Siobhán", "Grace", "D'Angelo"),
                      body=_SLIM)  # fmt: skip
    husband = _someone(key, number, 1, "spouse", "male", date(1994, 10, 5), ("Arjun", "Patel"), race=_ASIAN)
    baby = _someone(key, number, 2, "child", "female", date(2026, 9, 14), ("Zoë", "D'Angelo"))
    service = _service("space_force", "active", date(2018, 6, 4), None, 0, officer=True)
    family = Family(f"persona:{key}", person, service, "3305 Larkspur Lane", "555-0155", husband, date(2022, 7, 2))
    family.children, family.births = [baby], [_born(baby, weeks=40)]
    family.postings = _postings((service.entered, "northgate"))
    return family, person, "Space Force captain on leave with her first child, seven weeks old."


def _boatswain(number: int) -> tuple[Family, Person, str]:
    key = "boatswain"
    person = _someone(key, number, 0, "sponsor", "female", date(1996, 1, 28), ("Aoife", "Lindström"))
    service = _service("coast_guard", "active", date(2015, 2, 2), None, 0, deployments=(
        _away(key, 1, date(2023, 4, 10), 150, "petrel", "", "noise", "solvents"),))  # fmt: skip
    family = Family(f"persona:{key}", person, service, "9 Driftwood Court", "555-0136")
    family.postings = _postings((service.entered, "graycliff"), (date(2022, 8, 1), "kelp"))
    return family, person, "Coast Guard boatswain's mate in Alaska, often on a cutter."


_MAKERS = (_sergeant, _mother, _retiree, _reservist, _veteran, _captain, _boatswain)
