"""Letting somebody look at one's record, and looking at somebody else's: by age, or by the person's own Consent."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from continuum.access import Access
from continuum.access.authored import TRUST
from continuum.chart.entry import N_
from continuum.chart.limits import GRANTS_MAX
from continuum.chart.personal import Limits
from continuum.chart.reading import DOD_ID, LOCAL
from continuum.chart.section import section, sections
from continuum.chart.sensitivity import PROTECTED
from continuum.kernel.errors import TooLarge

Resource = dict[str, Any]
CHILD_UNTIL_YEARS = 12
"""Under this age, parents and sponsors see everything."""
ADULT_FROM_YEARS = 18
"""From this age on, only the person's own Consent opens their record to somebody else."""
_FREE_TEXT = frozenset({"notes", "amendments"})
"""Nobody can tell by rule what stands in free text, so it stays closed where something is protected."""
PARTS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "conditions": (N_("Health conditions, procedures and care plans"), ("problems", "procedures", "plans")),
    "medicines": (N_("Medicines and allergies"), ("medicines", "allergies")),
    "vaccines": (N_("Vaccines"), ("immunizations",)),
    "results": (N_("Lab results, vitals and imaging"), ("labs", "vitals", "reports", "own")),
    "visits": (N_("Visits, notes and appointments"), ("visits", "notes", "appointments")),
    "dental": (N_("Dental care"), ("dental",)),
    "service": (N_("Service, deployments and exposures"), ("deployments",)),
    "protected": (N_("Also what is protected: behavioral health, sexual health, HIV, substance use"), ()),
}
"""What can be granted: its name for people, and the sections that it opens."""
CUSTODY, GUARDIANSHIP = "custody", "guardianship"
PAPERS: Mapping[str, str] = {
    "caregiver": N_("Caregiver, named by the patient on a signed form"),
    "power-of-attorney": N_("Power of attorney for health care"),
    GUARDIANSHIP: N_("Guardianship, by an order of a court"),
    CUSTODY: N_("Custody of a child, by an order of a court or an agreement"),
}
"""Papers by which somebody may look at another's record, as a clerk has seen them."""
_PAPER = f"{LOCAL}legal-paper"
_PART = f"{LOCAL}record-part"
_SCOPE = "http://terminology.hl7.org/CodeSystem/consentscope"


def by_age(age_years: int) -> Limits | None:
    """What parents and sponsors see of a child; None for an adult."""
    if age_years >= ADULT_FROM_YEARS:
        return None
    if age_years < CHILD_UNTIL_YEARS:
        return Limits()
    return Limits(PROTECTED, frozenset(sections()) - _FREE_TEXT)


def birthday(born: date, years: int) -> date:
    """The day on which somebody becomes so old; of somebody born on a leap day, the 1st of March where it is none."""
    try:
        return born.replace(year=born.year + years)
    except ValueError:
        return date(born.year + years, 3, 1)


def last_day_as_a_child(born: date) -> date:
    """The day before somebody comes of age; of somebody born on a leap day, the 28th of February."""
    return birthday(born, ADULT_FROM_YEARS) - timedelta(days=1)


def narrowed(limits: Limits, age_years: int) -> Limits:
    """What a grant about somebody of this age opens: of a teenager never what is protected, whatever the paper says."""
    of_age = by_age(age_years)
    if of_age is None or not of_age.closed:
        return limits
    sections_ = of_age.sections if limits.sections is None else limits.sections & (of_age.sections or frozenset())
    return Limits(limits.closed | of_age.closed, sections_)


def by_parts(parts: frozenset[str]) -> Limits:
    """What a grant opens."""
    opened = frozenset(key for part in parts if part in PARTS for key in PARTS[part][1])
    if "protected" in parts:
        return Limits(frozenset(), opened)
    return Limits(PROTECTED, opened - _FREE_TEXT)


def scopes(limits: Limits) -> str:
    """The same for the door: SMART scopes of the types that the open sections need. Nothing may be written."""
    if limits.sections is None:
        return "system/*.rs"
    types = {section(key).search.partition("?")[0] for key in limits.sections}
    types |= {"Consent", "Patient", "Practitioner", "PractitionerRole", "Organization", "Location", "Medication"}
    if limits.closed:
        types.add("Condition")  # what is closed is found by the conditions that it belongs to
    return " ".join(f"system/{name}.rs" for name in sorted(types))


@dataclass(frozen=True, slots=True)
class Grant:
    """A Consent that lets somebody look. parts: keys of PARTS. active: as the resource says, whatever the day.

    paper, issuer: of one that a clerk recorded, a key of PAPERS and who issued it; "" for one of the patient's own.
    """

    consent_id: str
    grantee: str
    grantee_dod_id: str
    parts: frozenset[str]
    starts: date
    ends: date | None
    active: bool
    paper: str = ""
    issuer: str = ""

    def holds(self, dod_id: str, today: date) -> bool:
        """Whether it lets this person look today."""
        return (
            self.active
            and self.grantee_dod_id == dod_id
            and self.starts <= today
            and (self.ends is None or today <= self.ends)
        )


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper that a clerk has seen. kind: a key of PAPERS. facility_id: where it was shown."""

    kind: str
    issuer: str
    day: date
    facility_id: str


def _said_by(patient_id: str, paper: Paper | None) -> Resource:
    """Who says that somebody may look: the patient, or a paper."""
    if paper is None:
        return {"performer": [{"reference": f"Patient/{patient_id}"}]}
    return {
        "organization": [{"reference": f"Organization/{paper.facility_id}"}],
        "sourceAttachment": {"title": paper.issuer, "creation": paper.day.isoformat()},
    }


def consent(
    patient_id: str, name: str, dod_id: str, parts: frozenset[str], today: date, now: str, ends: date | None,
    *, paper: Paper | None = None,
) -> Resource:  # fmt: skip
    """The Consent that lets somebody, by name and DoD ID, look at parts of a patient's record (R4 §6.2).

    paper: of one that a clerk records; without it, it is the patient's own word.
    """
    period = {"start": today.isoformat(), **({"end": ends.isoformat()} if ends else {})}
    system, _, code = TRUST.partition("|")
    return {
        "resourceType": "Consent",
        "status": "active",
        "scope": {"coding": [{"system": _SCOPE, "code": "patient-privacy"}]},
        "category": [
            {"coding": [{"system": system, "code": code}], "text": "Somebody may look at my record"},
            *([{"coding": [{"system": _PAPER, "code": paper.kind}], "text": PAPERS[paper.kind]}] if paper else []),
        ],
        "patient": {"reference": f"Patient/{patient_id}"},
        "dateTime": now,
        **_said_by(patient_id, paper),
        "policyRule": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "OPTIN"}]},
        "provision": {
            "type": "permit",
            "period": period,
            "actor": [
                {
                    "role": {"coding": [{
                        "system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode", "code": "DELEGATEE",
                    }]},
                    "reference": {"identifier": {"system": DOD_ID, "value": dod_id}, "display": name},
                }
            ],
            "action": [{"coding": [{
                "system": "http://terminology.hl7.org/CodeSystem/consentaction", "code": "access",
            }]}],
            "code": [{"coding": [{"system": _PART, "code": part}], "text": PARTS[part][0]} for part in sorted(parts)],
        },
    }  # fmt: skip


def grant_of(resource: Resource) -> Grant | None:
    """A Consent as a grant; None for one that is about something else."""
    system, _, code = TRUST.partition("|")
    marked = any(
        (coding.get("system"), coding.get("code")) == (system, code)
        for one in resource.get("category", ())
        for coding in one.get("coding", ())
    )
    provision = resource.get("provision", {})
    actor: Resource = next(iter(provision.get("actor", ())), {})
    reference = actor.get("reference", {})
    period = provision.get("period", {})
    if not marked or provision.get("type") != "permit" or "start" not in period:
        return None
    return Grant(
        consent_id=resource["id"],
        grantee=str(reference.get("display", "")),
        grantee_dod_id=str(reference.get("identifier", {}).get("value", "")),
        parts=frozenset(
            coding["code"]
            for one in provision.get("code", ())
            for coding in one.get("coding", ())
            if coding.get("system") == _PART and coding.get("code") in PARTS
        ),
        starts=date.fromisoformat(period["start"][:10]),
        ends=date.fromisoformat(period["end"][:10]) if period.get("end") else None,
        active=resource.get("status") == "active",
        paper=next(
            (
                str(coding.get("code"))
                for one in resource.get("category", ())
                for coding in one.get("coding", ())
                if coding.get("system") == _PAPER
            ),
            "",
        ),
        issuer=str(resource.get("sourceAttachment", {}).get("title", "")),
    )


class Pointers:
    """Where the Consents are that name somebody."""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def put(self, consent_id: str, grantor_person: str, grantee_person: str) -> None:
        """Remembers one."""
        async with self._access.connect() as conn:
            await conn.fetch(
                "INSERT INTO chart.trust VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
                consent_id, grantor_person, grantee_person, self._access.clock(),
            )  # fmt: skip

    async def room(self, grantor_person: str) -> None:
        """Raises TooLarge for somebody who has let very many look."""
        async with self._access.connect() as conn:
            rows = await conn.fetch("SELECT count(*) AS n FROM chart.trust WHERE grantor_person = $1", grantor_person)
        if rows[0]["n"] >= GRANTS_MAX:
            raise TooLarge("You have given as many permissions as one record can have. Please take some back first.")

    async def forget(self, consent_id: str, grantor_person: str) -> None:
        """Forgets one that was taken back."""
        async with self._access.connect() as conn:
            await conn.fetch(
                "DELETE FROM chart.trust WHERE consent_id = $1 AND grantor_person = $2", consent_id, grantor_person
            )

    async def to(self, grantee_person: str) -> list[tuple[str, str]]:
        """(Consent, grantor in the registry) of those that name somebody, the latest first."""
        async with self._access.connect() as conn:
            rows = await conn.fetch(
                "SELECT consent_id, grantor_person FROM chart.trust WHERE grantee_person = $1"
                " ORDER BY created_us DESC, consent_id LIMIT $2",
                grantee_person, GRANTS_MAX,
            )  # fmt: skip
        return [(row["consent_id"], row["grantor_person"]) for row in rows]
