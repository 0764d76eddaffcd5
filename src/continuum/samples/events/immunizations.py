"""Immunizations: childhood by age, entry into service, deployment, and the yearly ones."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

from continuum.samples.data import vaccines
from continuum.samples.data.vaccines import VACCINES
from continuum.samples.elements import CVX, SNOMED, US_CORE, Resource, concept, quantity, reference, table, years_after
from continuum.samples.life import Life
from continuum.samples.streams import Draw

_PROFILE = {"profile": [f"{US_CORE}us-core-immunization"]}
_MUSCLE = table("v3-RouteOfAdministration", "IM", "Injection, intramuscular")
_SKIN = table("v3-RouteOfAdministration", "SQ", "Injection, subcutaneous")
_MOUTH = table("v3-RouteOfAdministration", "PO", "Swallow, oral")
_ARM = concept(SNOMED, "368208006", "Left upper arm structure")


class _Dose(NamedTuple):
    day: date
    key: str


def events(life: Life, draw: Draw) -> Iterator[Resource]:
    """Immunizations within the record; those of one day were given at one time."""
    doses = sorted({*_childhood(life, draw), *_service(life, draw), *_grown(life, draw), *_yearly(life, draw)})
    by_day = {visit.day: visit for visit in life.visits if visit.kind in {"well_child", "checkup", "newborn"}}
    for dose in doses:
        if not life.since <= dose.day <= life.until:
            continue
        replaced_on, instead = vaccines.REPLACED.get(dose.key, (None, ""))
        vaccine = VACCINES[instead if replaced_on is not None and dose.day >= replaced_on else dose.key]
        site = life.world.care(life.family.base(dose.day))
        resource: Resource = {
            "resourceType": "Immunization",
            "id": draw.id(),
            "meta": _PROFILE,
            "status": "completed",
            "vaccineCode": concept(CVX, vaccine.cvx, vaccine.display),
            "patient": life.subject,
            "occurrenceDateTime": dose.day.isoformat(),
            "primarySource": True,
            "location": reference("Location", site.location),
            "lotNumber": f"{vaccine.cvx}-{draw.rng.randint(1000, 9999)}S",
            "route": _MOUTH if vaccine.oral else _SKIN if vaccine.skin else _MUSCLE,
            "performer": [{"actor": {"reference": site.one_of("nursing", life.person.key[1]).reference}}],
        }
        if not vaccine.oral:
            resource["site"] = _ARM
            resource["doseQuantity"] = quantity(vaccine.dose_ml, "mL", "mL")
        visit = by_day.get(dose.day)
        if visit is not None:
            resource["encounter"] = visit.reference
        yield resource


def _childhood(life: Life, draw: Draw) -> Iterator[_Dose]:
    well = [visit.day for visit in life.visits if visit.kind == "well_child"]
    for months, keys in vaccines.CHILDHOOD:
        due = years_after(life.person.born, months / 12) + timedelta(days=draw.rng.randrange(6))
        given = draw.rng.random() < 0.96
        if months < 0.5:
            due = life.person.born
        # Given at the check-up, if there is one in the weeks after the dose is due.
        day = next((day for day in well if 0 <= (day - due).days <= 35), due)
        if given:
            yield from (_Dose(day, key) for key in keys)


def _service(life: Life, draw: Draw) -> Iterator[_Dose]:
    if life.service is None:
        return
    immune = {key for key, needed in vaccines.NEEDED_AT_ENTRY.items() if draw.rng.random() >= needed}
    for days, keys in vaccines.ENTRY:
        yield from (_Dose(life.service.entered + timedelta(days=days), key) for key in keys if key not in immune)
    if life.deployments:
        for days, keys in vaccines.BEFORE_DEPLOYMENT:
            yield from (_Dose(life.deployments[0].start - timedelta(days=days), key) for key in keys)


def _grown(life: Life, draw: Draw) -> Iterator[_Dose]:
    had = set()
    for years, key, share, doses in vaccines.ADULT:
        if draw.rng.random() < share and key not in had:
            had.add(key)
            wait = timedelta(days=draw.rng.randrange(200))
            yield from _series(life, key, years_after(life.person.born, years), wait, doses)
    day = years_after(life.service.entered if life.service is not None else life.person.born, 0 if life.service else 21)
    while (day := years_after(day, vaccines.TDAP_EVERY_YEARS)) < life.until:
        yield _Dose(day + timedelta(days=draw.rng.randrange(90)), "tdap")


def _series(life: Life, key: str, due: date, wait: timedelta, doses: int) -> Iterator[_Dose]:
    """The doses of an adult, or the one dose of what was given before there was this vaccine."""
    earlier = vaccines.EARLIER[key]
    first = max(earlier.since, years_after(life.person.born, earlier.from_years))
    begun = max(due, min(first, earlier.until)) + wait
    if begun < earlier.until:
        yield _Dose(begun, earlier.key)
        return
    apart = timedelta(days=vaccines.ADULT_DOSES_APART_DAYS)
    yield from (_Dose(begun + dose * apart, key) for dose in range(doses))


def _yearly(life: Life, draw: Draw) -> Iterator[_Dose]:
    """Influenza each autumn and, since 2021, COVID-19."""
    for year in range(life.since.year, life.until.year + 1):
        season = date(year, 9, 20) + timedelta(days=draw.rng.randrange(70))
        first, second = draw.rng.random(), draw.rng.random()
        age = life.person.age(season)
        if age < 0.5:
            continue
        serving = life.service is not None and life.service.serving(season)
        group = "service" if serving else "child" if age < 18 else "old" if age >= 65 else "adult"
        if first < vaccines.INFLUENZA[group]:
            yield _Dose(season, "influenza" if year < vaccines.TRIVALENT_FROM_YEAR else "influenza_trivalent")
        if year == vaccines.COVID_FIRST_YEAR and age >= 12 and second < vaccines.COVID_FIRST[group]:
            begun = date(year, 3, 20) + timedelta(days=draw.rng.randrange(120))
            yield from (_Dose(begun, "covid_first"), _Dose(begun + timedelta(days=21), "covid_first"))
        if year >= 2023 and age >= 12 and second < vaccines.COVID[group]:
            yield _Dose(season, "covid")
