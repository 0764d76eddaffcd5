"""Who has to do with a patient, from when to when, as the resources of the record say it. Pure.

An encounter, an appointment, a care team and an addressed order tie a patient to those who treat; being enrolled or
seen at a facility ties one to it; a consent permits or refuses. Each relation has an end; one that names none ends
RELATION_OPEN_DAYS after it was last written, but an enrolment, which holds until the patient is enrolled elsewhere.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from continuum.fhir.dates import interval
from continuum.record.keys import Keys
from continuum.record.limits import FACILITY_CARE_DAYS, RELATION_DONE_DAYS, RELATION_OPEN_DAYS, RELATIONS_MAX

CARED, TREATMENT, ORDER, GRANTED, REFUSED, SHIELD = 0, 1, 2, 3, 4, 5
"""`basis` of a relation: a facility that cares for the patient, takes part in care, was addressed by an order, may by
consent, may not, is looked after."""
EVERYBODY = 0
"""`who` of a relation that concerns everybody."""
ALWAYS, OPEN = -(2**62), None
"""A start before all time; an end that is not said."""
DAY_US = 86_400_000_000
_BEFORE_US = 30 * DAY_US
"""How long before an appointment its clinicians may prepare for it."""
_AFTER_US = 30 * DAY_US
"""How long after care ended those who gave it may finish what belongs to it."""
_ESTABLISHED_US = FACILITY_CARE_DAYS * DAY_US
_PRACTITIONERS = ("Practitioner/", "PractitionerRole/")
_ACTORS = (*_PRACTITIONERS, "Organization/", "Patient/", "RelatedPerson/")


@dataclass(frozen=True, slots=True)
class Relation:
    """One relation. starts, ends: microseconds; ends None: `days` after it is written.

    labels: the sensitivity bits that a consent is about; 0 for none in particular.
    """

    who: int
    basis: int
    labels: int
    starts: int
    ends: int | None
    days: int = RELATION_OPEN_DAYS

    def row(self, written_us: int) -> tuple[int, int, int, int, int]:
        """basis, who, labels, starts, ends of its row, if it is written at that time."""
        ends = written_us + self.days * DAY_US if self.ends is None else self.ends
        return self.basis, self.who, self.labels, self.starts, ends

    def over(self, written_us: int) -> bool:
        """Whether it has ended before it is written: such a one ties nobody and is not kept."""
        return self.ends is not None and self.ends <= written_us


INSERT_RELATIONS = (
    "INSERT INTO record.relation (row_id, patient, basis, who, labels, starts, ends) SELECT * FROM"
    " unnest($1::bigint[], $2::bigint[], $3::smallint[], $4::bigint[], $5::integer[], $6::bigint[], $7::bigint[])"
    " ON CONFLICT DO NOTHING"
)
"""Files the rows of relations: row id and patient, then `Relation.row`."""


Bits = Callable[[list[dict[str, Any]]], int]
"""Sensitivity bits of codings."""


def relations(resource: dict[str, Any], keys: Keys, bits: Bits) -> list[Relation]:
    """What a resource says about who has to do with its patient."""
    read = _READERS.get(resource["resourceType"])
    if read is None:
        return []
    found = dict.fromkeys(read(resource, keys, bits))
    return list(found)[:RELATIONS_MAX]


def _period(period: Any) -> tuple[int, int | None]:
    """(start, end) of a Period; the end is the last microsecond that its text means."""
    said = period if isinstance(period, dict) else {}
    starts = interval(said["start"])[0] if said.get("start") else ALWAYS
    ends = interval(said["end"])[1] if said.get("end") else OPEN
    return starts, ends


def _named(references: Any, kinds: tuple[str, ...], keys: Keys) -> Iterator[int]:
    for reference in references:
        text = reference.get("reference") if isinstance(reference, dict) else None
        if isinstance(text, str) and text.startswith(kinds):
            yield keys.address(text.partition("/_history/")[0])


def _later(ends: int | None) -> int | None:
    return None if ends is None else ends + _AFTER_US


def _encounter(resource: dict[str, Any], keys: Keys, _: Bits) -> Iterator[Relation]:
    if resource.get("status") in ("cancelled", "entered-in-error"):
        return
    starts, ends = _period(resource.get("period"))
    people = (one.get("individual") for one in resource.get("participant", ()))
    for who in _named(people, _PRACTITIONERS, keys):
        yield Relation(who, TREATMENT, 0, starts, _later(ends))
    yield from _facility(resource.get("serviceProvider"), ends, keys)


def _facility(reference: Any, ends: int | None, keys: Keys) -> Iterator[Relation]:
    """Whoever was seen at a facility is known there for FACILITY_CARE_DAYS, also before the visit and its report."""
    for who in _named((reference,), ("Organization/",), keys):
        until = None if ends is None else ends + _ESTABLISHED_US
        yield Relation(who, CARED, 0, ALWAYS, until, FACILITY_CARE_DAYS)


def _episode(resource: dict[str, Any], keys: Keys, _: Bits) -> Iterator[Relation]:
    if resource.get("status") in ("planned", "waitlist", "active", "onhold", "finished"):
        starts, ends = _period(resource.get("period"))
        for who in _named((resource.get("careManager"),), _PRACTITIONERS, keys):
            yield Relation(who, TREATMENT, 0, starts, _later(ends))
        yield from _facility(resource.get("managingOrganization"), ends, keys)


def _appointment(resource: dict[str, Any], keys: Keys, _: Bits) -> Iterator[Relation]:
    if resource.get("status") in ("cancelled", "entered-in-error", "noshow", "waitlist"):
        return
    starts = interval(resource["start"])[0] - _BEFORE_US if resource.get("start") else ALWAYS
    ends = interval(resource["end"])[1] + _AFTER_US if resource.get("end") else OPEN
    actors = (one.get("actor") for one in resource.get("participant", ()) if one.get("status") != "declined")
    for who in _named(actors, _PRACTITIONERS, keys):
        yield Relation(who, TREATMENT, 0, starts, ends)


def _care_team(resource: dict[str, Any], keys: Keys, _: Bits) -> Iterator[Relation]:
    if resource.get("status") != "active":
        return
    whole = _period(resource.get("period"))
    for member in resource.get("participant", ()):
        starts, ends = _period(member.get("period"))
        both = [one for one in (ends, whole[1]) if one is not None]
        for who in _named((member.get("member"),), _PRACTITIONERS, keys):
            yield Relation(who, TREATMENT, 0, max(starts, whole[0]), min(both, default=OPEN))


def _order(resource: dict[str, Any], keys: Keys, _: Bits) -> Iterator[Relation]:
    """An order opens the record to whom it is addressed until it is done with, and a while after."""
    if resource.get("status") not in ("active", "on-hold", "completed"):
        return
    performers = resource.get("performer")
    addressed = [*performers] if isinstance(performers, list) else [performers]
    addressed.append((resource.get("dispenseRequest") or {}).get("performer"))
    ends = _period(resource.get("occurrencePeriod"))[1]
    days = RELATION_DONE_DAYS if resource["status"] == "completed" else RELATION_OPEN_DAYS
    for who in _named(addressed, (*_PRACTITIONERS, "Organization/"), keys):
        yield Relation(who, ORDER, 0, ALWAYS, _later(ends), days)


_UNREAD = ("action", "class", "code", "data", "dataPeriod", "provision", "purpose")
"""What narrows a provision in ways that rows cannot say: such a permission permits nothing, a refusal all."""


def _consent(resource: dict[str, Any], keys: Keys, bits: Bits) -> Iterator[Relation]:
    scopes = [coding.get("code") for coding in resource.get("scope", {}).get("coding", ())]
    provision = resource.get("provision")
    if resource.get("status") != "active" or "patient-privacy" not in scopes or not isinstance(provision, dict):
        return
    starts, ends = _period(provision.get("period"))
    narrowed = any(provision.get(name) for name in _UNREAD)
    labels = bits(provision.get("securityLabel", []))
    permits = provision.get("type") == "permit"
    if permits and (narrowed or (provision.get("securityLabel") and not labels)):
        return
    if not permits and ends is None:
        ends = -ALWAYS  # a refusal holds until it is taken back
    actors = (one.get("reference") for one in provision.get("actor", ()))
    for who in _named(actors, _ACTORS, keys):
        yield Relation(who, GRANTED if permits else REFUSED, labels, starts, ends)


def _patient(resource: dict[str, Any], keys: Keys, bits: Bits) -> Iterator[Relation]:
    for who in _named((resource.get("managingOrganization"),), ("Organization/",), keys):
        yield Relation(who, CARED, 0, ALWAYS, -ALWAYS)
    if bits(resource.get("meta", {}).get("security", [])) & _VIP:
        yield Relation(EVERYBODY, SHIELD, 0, ALWAYS, -ALWAYS)


_VIP = 64
_READERS: dict[str, Callable[[dict[str, Any], Keys, Bits], Iterator[Relation]]] = {
    "Appointment": _appointment,
    "CareTeam": _care_team,
    "Consent": _consent,
    "DeviceRequest": _order,
    "Encounter": _encounter,
    "EpisodeOfCare": _episode,
    "MedicationRequest": _order,
    "NutritionOrder": _order,
    "Patient": _patient,
    "ServiceRequest": _order,
}
