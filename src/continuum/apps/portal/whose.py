"""Whose record a page is about: one's own, that of a child in one's care, or of somebody who let one look."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from continuum.access import Session
from continuum.access.actor import USUAL_PURPOSE, Actor
from continuum.apps.frame.visit import Visit
from continuum.apps.portal.area import BASE, person
from continuum.apps.signon.services import SignonServices
from continuum.chart.limits import FACILITIES_KNOWN_MAX
from continuum.chart.personal import Limits, Looking
from continuum.chart.sensitivity import LABELS
from continuum.chart.trust import (
    CHILD_UNTIL_YEARS,
    Pointers,
    birthday,
    by_age,
    by_parts,
    grant_of,
    narrowed,
    scopes,
)
from continuum.fhir.json import parse
from continuum.identity import accounts, registry
from continuum.identity.family import in_care
from continuum.identity.registry import Person
from continuum.kernel.errors import DomainError, Forbidden, NotFound

OWN = "me"
"""How addresses name the own record."""
READ_ONLY = "This record is open to you for reading only."
_CLOSED = "There is no such record, or it is not open to you."


@dataclass(frozen=True, slots=True)
class Other:
    """Somebody else whose record is open. why: child, teenager or grant. paper: whether a desk recorded the grant."""

    patient_id: str
    name: str
    age_years: int
    why: str
    limits: Limits
    until: date | None = None
    paper: bool = False


@dataclass(slots=True)
class Whose:
    """The record that a page is about, open as far as it is. other: None for the own one."""

    patient_id: str
    looking: Looking
    session: Session
    other: Other | None = None

    @property
    def key(self) -> str:
        """As addresses name it."""
        return OWN if self.other is None else self.patient_id

    @property
    def base(self) -> str:
        """Where its pages begin."""
        return f"{BASE}/record/{self.key}"

    @property
    def own(self) -> bool:
        """Whether it is one's own."""
        return self.other is None

    @property
    def limits(self) -> Limits:
        """How much of it is open."""
        return self.looking.limits

    def writable(self) -> None:
        """Raises Forbidden for a record of somebody else."""
        if not self.own:
            raise Forbidden(READ_ONLY)


def now_of(x: Visit) -> datetime:
    """The present, for rules."""
    return datetime.fromtimestamp(x.access.clock() / 1_000_000, UTC)


async def whose(x: Visit) -> Whose:
    """The record that the address names. Raises as `area.person`, and NotFound for one that is not open."""
    own = await person(x)
    name = x.param("who") or OWN
    x.zone = await _zone(x, own)
    if name in {OWN, own}:
        session = x.record()
        return Whose(own, Looking(session, Limits(), now_of(x)), session)
    other = next((one for one in await others(x) if one.patient_id == name), None)
    if other is None:
        await _turned_away(x, name)
        raise NotFound(_CLOSED)
    session = _session(x, other)
    return Whose(other.patient_id, Looking(session, other.limits, now_of(x)), session, other)


async def _zone(x: Visit, own: str) -> ZoneInfo:
    """The zone of the facility that cares for the person, that of their appointments; looked up once a day."""
    today = x.services.sign_on.today()
    facility = _FACILITIES.get((own, today))
    if facility is None:
        view = await x.record().view("facility", own, {})
        facility = str(view.patient.get("managingOrganization", {}).get("reference", "")).rpartition("/")[2]
        if len(_FACILITIES) >= FACILITIES_KNOWN_MAX:
            _FACILITIES.clear()
        _FACILITIES[(own, today)] = facility
    return await x.zones.of(x.record(), facility) if facility else x.zone


_FACILITIES: dict[tuple[str, date], str] = {}
"""By person and day: somebody may move overnight."""


async def own_only(x: Visit) -> Whose:
    """The own record, whatever the address names. Raises as `whose`, and Forbidden for one of somebody else."""
    found = await whose(x)
    found.writable()
    return found


def _session(x: Visit, other: Other) -> Session:
    """The door for one's own act on another's record: the trace says who acted."""
    assert x.account is not None, "somebody stands here"
    actor = Actor(
        x.account.account_id, "patient", x.account.display_name, patient_id=other.patient_id,
        scopes=scopes(other.limits), closed=LABELS if other.limits.closed else "",
    )  # fmt: skip
    return x.access.open(actor, USUAL_PURPOSE["patient"], source=x.origin.source, request_id=x.origin.request_id)


async def _turned_away(x: Visit, name: str) -> None:
    assert x.account is not None, "somebody stands here"
    actor = Actor(x.account.account_id, "patient", x.account.display_name, patient_id=x.standing.patient_id)
    refusal = NotFound(f"not open to them: {name}")
    await x.access.turned_away(
        actor, USUAL_PURPOSE["patient"], refusal, source=x.origin.source, request_id=x.origin.request_id
    )


async def me(x: Visit) -> Person:
    """The person in the registry. Raises Forbidden for an account that belongs to nobody there."""
    assert x.account is not None, "somebody stands here"
    async with x.services.sign_on.connect() as conn:
        entry = await registry.get(conn, x.account.person_id or "")
    if entry is None:
        raise Forbidden(_CLOSED)
    return entry.person


async def others(x: Visit) -> list[Other]:
    """All whose records are open today: children by their age, then those who let one look. Asked anew each time."""
    mine, today = await me(x), x.services.sign_on.today()
    async with x.services.sign_on.connect() as conn:
        children = await in_care(conn, mine.person_id, today)
    found: list[Other] = []
    for one in children:
        age = one.age_years(today)
        limits = by_age(age)
        if limits is not None and one.patient_id is not None:
            why = "child" if not limits.closed else "teenager"
            found.append(Other(one.patient_id, one.name, age, why, limits))
    known = {one.patient_id for one in found}
    found += [one for one in await _granted(x, mine, today) if one.patient_id not in known]
    return found


async def _granted(x: Visit, mine: Person, today: date) -> list[Other]:
    found: dict[str, Other] = {}
    for consent_id, grantor_id in await Pointers(x.access).to(mine.person_id):
        async with x.services.sign_on.connect() as conn:
            entry = await registry.get(conn, grantor_id)
        grantor = entry.person if entry is not None else None
        if grantor is None or grantor.patient_id is None:
            continue
        asked = _session(x, Other(grantor.patient_id, grantor.name, 0, "grant", Limits(frozenset(), frozenset())))
        try:
            stored = await asked.read("Consent", consent_id)
        except DomainError:
            continue
        grant = grant_of(parse(stored.body)) if stored.body is not None else None
        if grant is None or not grant.holds(mine.dod_id, today):
            continue
        limits = narrowed(by_parts(grant.parts), grantor.age_years(today))
        before = found.get(grantor.patient_id)
        if before is not None:
            limits = _either(before.limits, limits)
        found[grantor.patient_id] = Other(
            grantor.patient_id,
            grantor.name,
            grantor.age_years(today),
            "grant",
            limits,
            grant.ends,
            paper=bool(grant.paper),
        )
    return list(found.values())


async def may_share(services: SignonServices, account_id: str, patient_id: str) -> bool:
    """Whether an account may hand on this whole record today: the own one, or of a child that keeps nothing back."""
    on = services.sign_on
    async with on.connect() as conn:
        account = await accounts.get(conn, account_id)
        if account is None or account.closed_us is not None or account.person_id is None:
            return False
        entry = await registry.get(conn, account.person_id)
        if entry is None:
            return False
        if entry.person.patient_id == patient_id:
            return True
        today = on.today()
        children = await in_care(conn, account.person_id, today)
    return any(one.patient_id == patient_id and by_age(one.age_years(today)) == Limits() for one in children)


async def shared_until(x: Visit, here: Whose) -> date | None:
    """The day from which on the whole of this record cannot be shared any more; None for the own one."""
    if here.own:
        return None
    async with x.services.sign_on.connect() as conn:
        person = await registry.of_patient(conn, here.patient_id)
    if person is None:
        raise NotFound(_CLOSED)
    return birthday(person.born, CHILD_UNTIL_YEARS)


def _either(one: Limits, two: Limits) -> Limits:
    """Two grants of the same person: the sections of both; closed stays what either closes."""
    first, second = one.sections or frozenset(), two.sections or frozenset()
    return replace(one, closed=one.closed | two.closed, sections=first | second)
