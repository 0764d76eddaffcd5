"""What one session may do: the answers of the policies (`rules.py`), with the names of this actor filled in.

A policy turns an actor and a purpose into data: a `Visibility` that every query compiles in, and the types
that may be written, with the relations that must hold for it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from continuum.access.actor import FACILITY_ROLES, PERSON_ROLES, PURPOSES, ROLES, Actor
from continuum.access.classes import ASKABLE, ELEMENT_GROUPS, GROUPS, OWNED_TYPES, PATIENT_TYPES, TYPES_OF, UNASKED
from continuum.access.rules import ALL_LABELS, CHART_ACTS, LABELS, Opened, Rules, Shape, rules
from continuum.fhir.types import TYPES
from continuum.identity.scopes import scope
from continuum.kernel.errors import Forbidden
from continuum.record.entry import LABEL_BITS
from continuum.record.keys import Keys
from continuum.record.relations import CARED, EVERYBODY, GRANTED, ORDER, TREATMENT
from continuum.record.visibility import ALL, NOTHING, Scope, Visibility, union, without
from continuum.record.write import EMERGENCY

__all__ = ["OWNED_TYPES", "PATIENT_TYPES", "Policy", "decide", "narrowed", "owner_key"]

AUTHORED_TYPES = frozenset({"Communication", "Consent", "Observation"})
"""What patients may add as well, where it says that it is theirs (access/authored.py), and change as long as it is."""

_EVERY_WRITE = frozenset(TYPES) - {"AuditEvent"}
_CHART_TYPES = PATIENT_TYPES - {"AuditEvent"}

_BASES = {"facility": CARED, "treatment": TREATMENT, "order": ORDER, "granted": GRANTED, "emergency": EMERGENCY}
_HEEDING = frozenset({"facility", "treatment", "order"})
"""Relations that a patient's refusal ends; an emergency and the patient's own permission stand."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What one session may do.

    writes: the types that may be written, and through what: () through anything, else (basis, who) of which one must
    hold for the patient. kept: labels by type that keep a resource from being written over. own: the only patient
    whose types in `own_writes` may be written. acts: what of access/charts.py may be done. breaks: whether the glass
    may be broken. watches: whether the trace of everybody is open; reviews: that of the own record.
    """

    visibility: Visibility
    writes: Mapping[str, tuple[tuple[int, int], ...]]
    kept: Mapping[str, int] = field(default_factory=dict)
    own: int = 0
    own_writes: frozenset[str] = field(default=frozenset())
    facility: int = 0
    acts: frozenset[str] = frozenset()
    breaks: bool = False
    watches: bool = False
    reviews: bool = False
    authored: frozenset[str] = frozenset()
    """Types of which a patient may write what the patient says (access/authored.py)."""
    arranged: frozenset[str] = frozenset()
    """Types that only the product's own workflows may write in this session."""

    @property
    def unrestricted(self) -> bool:
        """Whether everything may be seen and written, as an import does."""
        sees_all = all(self.visibility.of(name) == ALL for name in TYPES) and not self.arranged
        return sees_all and self.writes.keys() >= _EVERY_WRITE and not any(self.writes.values())


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
    said = rules(Shape(actor.role, purpose, actor.identity_level, actor.authenticator_level))
    if not said.opens:
        raise Forbidden(f"A {actor.role.replace('-', ' ')} may not act for the purpose of {PURPOSES[purpose]}.")
    if actor.role in FACILITY_ROLES and not actor.facility_id:
        raise Forbidden(f"A {actor.role.replace('-', ' ')}'s token must name the facility.")
    if actor.role in PERSON_ROLES and not actor.patient_id:
        raise Forbidden(f"A {actor.role}'s token must name the patient.")
    policy = _bound(said, _Names.of(actor, keys))
    policy = narrowed(policy, actor.scopes) if actor.scopes else policy
    return closed(policy, actor.closed) if actor.closed else policy


def closed(policy: Policy, codes: str) -> Policy:
    """A policy under which resources with these sensitivity codes do not exist."""
    mask = 0
    for code in codes.split():
        mask |= LABEL_BITS[code]
    seen = {name: without(policy.visibility.of(name), mask) for name in TYPES}
    kept = {name: policy.kept.get(name, 0) | mask for name in TYPES}
    return replace(policy, visibility=replace(policy.visibility, by_type=seen, otherwise=NOTHING), kept=kept)


def narrowed(policy: Policy, scopes: str) -> Policy:
    """A policy with no more than what the SMART scopes of a token leave of it."""
    granted = [found for text in scopes.split() if (found := scope(text)) is not None]
    readable = {name for one in granted if one.read for name in one.types}
    writable = {name for one in granted if one.write for name in one.types}
    seen = {name: policy.visibility.of(name) if name in readable else NOTHING for name in TYPES}
    return replace(
        policy,
        visibility=replace(policy.visibility, by_type=seen, otherwise=NOTHING),
        writes={name: through for name, through in policy.writes.items() if name in writable},
        own_writes=policy.own_writes & writable,
        authored=policy.authored & writable,
        arranged=policy.arranged & writable,
        acts=policy.acts & _acts_within(readable, writable),
        breaks=False,
        watches=policy.watches and "AuditEvent" in readable,
        reviews=policy.reviews and "AuditEvent" in readable,
    )


def _acts_within(readable: set[str], writable: set[str]) -> frozenset[str]:
    """What of access/charts.py types leave open: whoever moves entries must see and write all that charts have."""
    if readable & writable >= _CHART_TYPES:
        return frozenset(CHART_ACTS)
    return frozenset({"match"}) if "Patient" in readable else frozenset()


def owner_key(actor: Actor, keys: Keys) -> int:
    """What marks that which an actor owns."""
    return keys.of("owner", actor.role, actor.id, actor.facility_id or "", actor.patient_id or "")


@dataclass(frozen=True, slots=True)
class _Names:
    """The keys under which the record knows an actor; 0 and () for what the actor is not."""

    owner: int
    facility: int
    own: int
    people: tuple[int, ...]
    grantees: tuple[int, ...]

    @classmethod
    def of(cls, actor: Actor, keys: Keys) -> "_Names":
        facility = keys.self_key("Organization", actor.facility_id) if actor.facility_id else 0
        practitioner = keys.self_key("Practitioner", actor.practitioner_id) if actor.practitioner_id else 0
        own = keys.self_key("Patient", actor.patient_id) if actor.patient_id else 0
        people = tuple(one for one in (practitioner,) if one)
        return cls(
            owner=owner_key(actor, keys),
            facility=facility,
            own=own,
            people=people,
            grantees=tuple(one for one in (*people, facility, own) if one),
        )


def _bound(said: Rules, names: _Names) -> Policy:
    by_type: dict[str, Scope] = {}
    wall = 0
    for name, opened in said.sees.items():
        found = union(tuple(_SCOPES[one.relation](one, names) for one in opened))
        wall |= _opened_labels(opened) if name in GROUPS["record"] else 0
        by_type.update(dict.fromkeys(TYPES_OF[name], found))
    hidden, unasked, only = _cut(said.hidden, by_type)
    writes: dict[str, tuple[tuple[int, int], ...]] = {}
    own_writes: set[str] = set()
    kept: dict[str, int] = {}
    for name, opened in said.writes.items():
        through = _through(opened, names)
        kept.update(dict.fromkeys(TYPES_OF[name], ALL_LABELS & ~_opened_labels(opened)))
        if through is not None:
            writes.update(dict.fromkeys(TYPES_OF[name], through))
        if names.own and any(one.relation == "own" for one in opened):
            own_writes |= TYPES_OF[name]
            writes.update(dict.fromkeys(TYPES_OF[name], ()))
    authored = AUTHORED_TYPES & frozenset().union(*(TYPES_OF[name] for name in said.says)) if names.own else frozenset()
    authored -= writes.keys()
    own_writes |= authored
    writes.update(dict.fromkeys(authored, ()))
    arranged = frozenset(
        one
        for name, relations in said.arranges.items()
        for one in TYPES_OF[name] - writes.keys()
        if "all" in relations or names.own
    )
    own_writes |= {one for name, via in said.arranges.items() if "own" in via for one in TYPES_OF[name] & arranged}
    writes.update(dict.fromkeys(arranged, ()))
    return Policy(
        visibility=Visibility(
            by_type, hidden=hidden, unasked=unasked, only=only, wall=-1 if wall == ALL_LABELS else wall
        ),
        writes=writes,
        kept=kept,
        own=names.own,
        own_writes=frozenset(own_writes),
        authored=authored,
        arranged=arranged,
        facility=names.facility,
        acts=said.acts,
        breaks=said.breaks,
        watches=said.watches,
        reviews=said.reviews,
    )


def _opened_labels(opened: tuple[Opened, ...]) -> int:
    labels = 0
    for one in opened:
        labels |= ALL_LABELS & ~one.label_mask
    return labels


def _related(kind: str) -> Callable[[Opened, _Names], Scope]:
    def make(one: Opened, names: _Names) -> Scope:
        who = names.people if kind == "treatment" else tuple(x for x in (*names.people, names.facility) if x)
        return Scope(kind, who=who, **_minus(one, names)) if who else NOTHING  # type: ignore[arg-type]

    return make


def _minus(one: Opened, names: _Names) -> dict[str, object]:
    """What a relation leaves out: labels, patients who are shielded, patients who have refused.

    Of somebody whom the record does not know by name, every refusal could speak.
    """
    heeds: tuple[int, ...] = ()
    if one.relation in _HEEDING:
        heeds = (*names.people, names.facility) if names.people else (EVERYBODY,)
    return {
        "label_mask": one.label_mask,
        "shielded": one.relation in _HEEDING and bool(one.label_mask & LABELS["vip"]),
        "heeds": heeds,
    }


def _facility(one: Opened, names: _Names) -> Scope:
    if not names.facility:
        return NOTHING
    return Scope("facility", facility=names.facility, **_minus(one, names))  # type: ignore[arg-type]


def _granted(one: Opened, names: _Names) -> Scope:
    return Scope("granted", who=names.grantees, label_mask=one.label_mask) if names.grantees else NOTHING


_SCOPES: Mapping[str, Callable[[Opened, _Names], Scope]] = {
    "all": lambda one, _: Scope("all", label_mask=one.label_mask),
    "nobody": lambda one, _: Scope("nobody", label_mask=one.label_mask),
    "own": lambda one, names: Scope("patients", (names.own,), label_mask=one.label_mask) if names.own else NOTHING,
    "facility": _facility,
    "treatment": _related("treatment"),
    "order": _related("order"),
    "granted": _granted,
    "emergency": lambda one, names: Scope("emergency", owner=names.owner, label_mask=one.label_mask),
    "owned": lambda _, names: Scope("owned", owner=names.owner),
}


def _through(opened: tuple[Opened, ...], names: _Names) -> tuple[tuple[int, int], ...] | None:
    """Of what one must hold before a class is written: () for nothing, None if it may not be written at all."""
    relations = {one.relation for one in opened}
    if relations & {"all", "nobody", "owned"}:
        return ()
    found: list[tuple[int, int]] = []
    for relation in sorted(relations - {"own"}):
        who = {
            "facility": (names.facility,),
            "treatment": names.people,
            "order": (*names.people, names.facility),
            "granted": names.grantees,
            "emergency": (names.owner,),
        }[relation]
        found += [(_BASES[relation], one) for one in who if one]
    return tuple(found) or None


Cut = Mapping[str, frozenset[str]]


def _cut(groups: frozenset[str], by_type: Mapping[str, Scope]) -> tuple[Cut, Cut, Cut]:
    """(hidden elements, parameters that are not asked, the only ones that are) of the types that can be seen."""
    hidden: dict[str, frozenset[str]] = {}
    unasked: dict[str, frozenset[str]] = {}
    only: dict[str, frozenset[str]] = {}
    for group in groups:
        askable = ASKABLE.get(group, {})
        for name, elements in ELEMENT_GROUPS[group].items():
            if name not in by_type:
                continue
            hidden[name] = hidden.get(name, frozenset()) | elements
            unasked[name] = UNASKED
            if name in askable:
                only[name] = only[name] & askable[name] if name in only else askable[name]
    return hidden, unasked, only
