"""What each role may see and write: the first, coarse policies. Deny is the default; later ones only add.

A policy turns an actor and a purpose into data: a `Visibility` that every query compiles in, and the types
that may be written.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from continuum.access.actor import PURPOSES, ROLES, Actor
from continuum.fhir.search_params import COMPARTMENTS
from continuum.fhir.types import TYPES
from continuum.identity.scopes import scope
from continuum.kernel.errors import Forbidden
from continuum.record.keys import Keys
from continuum.record.visibility import ALL, NOTHING, Scope, Visibility

PATIENT_TYPES = frozenset(COMPARTMENTS["Patient"]) | {"Patient"}
"""Types whose resources are part of a patient's record."""

DIRECTORY_TYPES = frozenset(
    {
        "Endpoint", "HealthcareService", "Location", "Medication", "MedicationKnowledge", "Organization",
        "Practitioner", "PractitionerRole", "Questionnaire", "ValueSet", "CodeSystem", "StructureDefinition",
    }
)  # fmt: skip
"""Types that say nothing about any patient and that a patient may look up."""

STAFF_ONLY_TYPES = frozenset(
    {
        "AuditEvent", "Binary", "Bundle", "Contract", "Device", "DeviceMetric", "EnrollmentResponse",
        "GuidanceResponse", "Linkage", "MessageHeader", "Parameters", "PaymentNotice", "PaymentReconciliation",
        "Task", "TestReport", "VerificationResult",
    }
)  # fmt: skip
"""Types that may hold or name a patient's data without being filed under the patient."""

PATIENT_WRITES = frozenset({"Communication", "QuestionnaireResponse"})
"""What patients may add to their own record."""

_EVERY_WRITE = frozenset(TYPES) - {"AuditEvent"}

OWNED_TYPES = frozenset({"Subscription"})
"""Types of which everybody writes and sees their own; administrators and systems see all."""

_CLINICAL_WORK = frozenset({"match", "correct"})
"""What a clinician may do among the charts that are open to them: find duplicates, put wrong entries right."""
_IDENTITY_WORK = _CLINICAL_WORK | {"merge", "unmerge"}
"""Two people's charts become one only by those who keep the registry of patients."""

_PURPOSES_OF = {
    "administrator": frozenset({"HSYSADMIN", "HOPERAT"}),
    "clinician": frozenset({"TREAT", "ETREAT", "HOPERAT"}),
    "patient": frozenset({"PATRQT"}),
    "system": frozenset({"HOPERAT", "HSYSADMIN", "PUBHLTH", "HPAYMT"}),
}


@dataclass(frozen=True, slots=True)
class Policy:
    """What one session may do."""

    visibility: Visibility
    writes: frozenset[str]
    facility: int = 0
    """The clinician's facility: patients written about must be cared for there. 0: any patient."""
    acts: frozenset[str] = frozenset()
    """What of access/charts.py the session may do: match, merge, unmerge, correct."""
    patients: frozenset[int] = field(default=frozenset())
    """The only patients that may be written about; empty: no such limit."""

    @property
    def unrestricted(self) -> bool:
        """Whether everything may be seen and written, as an import does."""
        return self.writes == _EVERY_WRITE and self.visibility.otherwise == ALL and not self.visibility.by_type


def decide(actor: Actor, purpose: str, keys: Keys) -> Policy:
    """The policy for an actor and a purpose.

    Raises:
        Forbidden: the role or the purpose is unknown, they do not go together, or the actor lacks what the
            role needs (a facility, a patient).
    """
    if actor.role not in ROLES:
        raise Forbidden("The token names a role that this server does not know.")
    if purpose not in PURPOSES:
        raise Forbidden(f"{purpose or 'No purpose'} is not a purpose of use that this server knows.")
    if purpose not in _PURPOSES_OF[actor.role]:
        raise Forbidden(f"A {actor.role} may not act for the purpose of {PURPOSES[purpose]}.")
    policy = _POLICIES[actor.role](actor, keys)
    return narrowed(policy, actor.scopes) if actor.scopes else policy


def narrowed(policy: Policy, scopes: str) -> Policy:
    """A policy with no more than what the SMART scopes of a token leave of it."""
    granted = [found for text in scopes.split() if (found := scope(text)) is not None]
    readable = {name for one in granted if one.read for name in one.types}
    writable = {name for one in granted if one.write for name in one.types}
    seen = {name: policy.visibility.of(name) if name in readable else NOTHING for name in TYPES}
    return replace(policy, visibility=Visibility(seen), writes=policy.writes & writable)


def _everything(_: Actor, __: Keys) -> Policy:
    return Policy(Visibility(otherwise=ALL), _EVERY_WRITE, acts=_IDENTITY_WORK)


def _clinician(actor: Actor, keys: Keys) -> Policy:
    if not actor.facility_id:
        raise Forbidden("A clinician's token must name the facility.")
    facility = keys.self_key("Organization", actor.facility_id)
    cared_for = Scope("facility", facility=facility)
    scopes = {name: cared_for if name in PATIENT_TYPES else ALL for name in TYPES}
    scopes.update(dict.fromkeys(STAFF_ONLY_TYPES - PATIENT_TYPES, NOTHING))
    scopes["AuditEvent"] = NOTHING
    scopes.update(_own(actor, keys))
    writes = (PATIENT_TYPES - {"AuditEvent"}) | OWNED_TYPES
    return Policy(Visibility(scopes), writes, facility=facility, acts=_CLINICAL_WORK)


def _patient(actor: Actor, keys: Keys) -> Policy:
    if not actor.patient_id:
        raise Forbidden("A patient's token must name the patient.")
    own = keys.self_key("Patient", actor.patient_id)
    scope = Scope("patients", patients=(own,))
    scopes = dict.fromkeys(DIRECTORY_TYPES, ALL) | dict.fromkeys(PATIENT_TYPES - {"AuditEvent"}, scope)
    scopes.update(_own(actor, keys))
    return Policy(Visibility(scopes), PATIENT_WRITES | OWNED_TYPES, patients=frozenset({own}))


def owner_key(actor: Actor, keys: Keys) -> int:
    """What marks that which an actor owns."""
    return keys.of("owner", actor.role, actor.id, actor.facility_id or "", actor.patient_id or "")


def _own(actor: Actor, keys: Keys) -> dict[str, Scope]:
    return dict.fromkeys(OWNED_TYPES, Scope("owned", owner=owner_key(actor, keys)))


_POLICIES: dict[str, Callable[[Actor, Keys], Policy]] = {
    "administrator": _everything,
    "clinician": _clinician,
    "patient": _patient,
    "system": _everything,
}
