"""Which rows a session may see, as data that every query of the record compiles in.

`access` decides it once per session; nothing in `record` decides anything about people.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from continuum.kernel.clock import now_us
from continuum.record.relations import CARED, EVERYBODY, GRANTED, ORDER, REFUSED, SHIELD, TREATMENT

_OWNED = (
    "EXISTS (SELECT 1 FROM record.subscription own"
    " WHERE own.row_id = {alias}.row_id AND own.owner_key = {owner} OFFSET 0)"
)
# OFFSET 0 keeps PostgreSQL from joining with all of a facility's patients first: a row is asked when it comes.
_RELATED = (
    "EXISTS (SELECT 1 FROM record.relation tie WHERE tie.patient = {patient} AND tie.basis = {basis}"
    " AND tie.who = ANY({who}) AND tie.starts <= {now} AND tie.ends > {now}{more} OFFSET 0)"
)
# Few patients have such a row: one look into the index says that there is none.
_HINDRANCE = (
    "EXISTS (SELECT 1 FROM record.relation tie WHERE tie.patient = {patient}"
    f" AND tie.basis >= {min(REFUSED, SHIELD)} AND tie.starts <= {{now}} AND tie.ends > {{now}}"
)
_UNHINDERED = f"NOT {_HINDRANCE} AND ({{hindered}}) OFFSET 0)"
# Where all rows are one patient's this is asked once, and nearly always answers for all of them.
_UNHINDERED_ALL = f"(NOT {_HINDRANCE} OFFSET 0) OR {_UNHINDERED})"
_EMERGENCY = (
    "EXISTS (SELECT 1 FROM record.emergency open WHERE open.actor_key = {owner} AND open.patient = {patient}"
    " AND open.starts <= {now} AND open.ends > {now} OFFSET 0)"
)
# What a consent covers: each protected label of the row. Of a refusal: any, or without labels everything.
_COVERED = " AND {alias}.labels & ~tie.labels & {protected} = 0"
_REFUSED_ROW = " AND (tie.labels = 0 OR tie.labels & {alias}.labels <> 0)"
_BASES = {"treatment": TREATMENT, "order": ORDER, "granted": GRANTED}
PROTECTED = 127
"""Every sensitivity bit there is (record/entry.py LABEL_BITS): a consent opens only the ones that it names."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The rows of one resource type that may be seen.

    kind:
      - "all", "nothing";
      - "nobody": rows of no patient;
      - "patients": rows whose `patient` is in `patients`;
      - "facility": rows of a patient whom `facility` cares for at this time;
      - "treatment", "order", "granted": rows whose patient has such a relation to one of `who` at this time;
      - "emergency": rows of a patient for whom `owner` broke the glass, while that lasts;
      - "owned": Subscriptions that `owner` wrote;
      - "any": rows of any of `parts`.

    label_mask: rows with any of these sensitivity bits in `labels` are left out. heeds: whom a patient's refusal
    must not name; with EVERYBODY among them, no refusal may be there at all. shielded: rows of patients who are
    shielded themselves are left out too.
    """

    kind: str
    patients: tuple[int, ...] = ()
    facility: int = 0
    owner: int = 0
    label_mask: int = 0
    who: tuple[int, ...] = ()
    heeds: tuple[int, ...] = ()
    shielded: bool = False
    parts: "tuple[Scope, ...]" = ()
    digest: int = field(init=False, repr=False, compare=False, default=0)

    @property
    def limited(self) -> bool:
        """Whether there can be rows outside of it."""
        return self.kind != "all" or bool(self.label_mask)

    def __post_init__(self) -> None:
        # Asked for with every query, and the same for ever.
        mine = (self.kind, self.patients, self.facility, self.owner, self.label_mask, self.who, self.heeds)
        object.__setattr__(self, "digest", hash((*mine, self.shielded, self.parts)))

    def __hash__(self) -> int:
        return self.digest

    def sql(self, alias: str, arguments: list[Any], patient: str = "") -> str:
        """The predicate over a row `alias` with columns patient and labels; appends what it binds.

        patient: the placeholder of the one patient whose rows these are; then what depends on the patient alone is
        asked once, and not of each row.
        """
        text, values, timed = _sql(self, alias, len(arguments), patient)
        arguments.extend(values)
        if timed:
            arguments.append(now_us())
        return text


@lru_cache(maxsize=16_384)
def _sql(scope: Scope, alias: str, before: int, patient: str) -> tuple[str, tuple[Any, ...], bool]:
    """The predicate after `before` arguments, what it binds, and whether the present time is bound last."""
    shape, bound = _shape(scope, one=bool(patient))
    marks = {name: f"${before + number}::{kind}" for number, (name, kind, _) in enumerate(bound, 1)}
    now = f"${before + len(bound) + 1}::bigint"
    values = tuple(list(value) if isinstance(value, tuple) else value for _, _, value in bound)
    whose = patient or f"{alias}.patient"
    return shape.format(alias=alias, patient=whose, now=now, **marks), values, "{now}" in shape


Bound = tuple[str, str, int | tuple[int, ...]]
"""The name of a mark in a shape, its SQL type, its value."""


def _shape(scope: Scope, *, one: bool) -> tuple[str, tuple[Bound, ...]]:
    """The predicate's text with marks instead of what it binds, each value once, and those values."""
    known: dict[tuple[str, int | tuple[int, ...]], str] = {}

    def bind(kind: str, value: int | tuple[int, ...]) -> str:
        name = known.setdefault((kind, value), f"v{len(known)}")
        return f"{{{name}}}"

    text = _text(scope, bind, one=one)
    return text, tuple((name, kind, value) for (kind, value), name in known.items())


def _text(scope: Scope, bind: Any, *, one: bool) -> str:
    kind = scope.kind
    if kind == "nothing":
        return "false"
    if kind == "any":
        return "(" + " OR ".join(f"({_text(part, bind, one=one)})" for part in scope.parts) + ")"
    parts = []
    if kind == "nobody":
        parts.append("{patient} IS NULL")
    elif kind == "patients":
        parts.append(f"{{patient}} = ANY({bind('bigint[]', scope.patients)})")
    elif kind == "facility":
        who = bind("bigint[]", (scope.facility,))
        parts.append(_RELATED.format(patient="{patient}", now="{now}", basis=CARED, who=who, more=""))
    elif kind == "owned":
        parts.append(_OWNED.format(alias="{alias}", owner=bind("bigint", scope.owner)))
    elif kind == "emergency":
        parts.append(_EMERGENCY.format(patient="{patient}", now="{now}", owner=bind("bigint", scope.owner)))
    elif kind in _BASES:
        more = _COVERED.format(alias="{alias}", protected=PROTECTED) if kind == "granted" else ""
        who = bind("bigint[]", scope.who)
        parts.append(_RELATED.format(patient="{patient}", now="{now}", basis=_BASES[kind], who=who, more=more))
    if scope.label_mask:
        parts.append(f"{{alias}}.labels & {bind('integer', scope.label_mask)} = 0")
    if scope.heeds or scope.shielded:
        unhindered = _UNHINDERED_ALL if one else _UNHINDERED
        parts.append(unhindered.format(patient="{patient}", now="{now}", hindered=_hindered(scope, bind)))
    return " AND ".join(parts) or "true"


def _hindered(scope: Scope, bind: Any) -> str:
    refused = ""
    if scope.heeds:
        named = "" if EVERYBODY in scope.heeds else f" AND tie.who = ANY({bind('bigint[]', scope.heeds)})"
        refused = f"tie.basis = {REFUSED}{named}{_REFUSED_ROW.format(alias='{alias}')}"
    shielded = f"tie.basis = {SHIELD}" if scope.shielded else ""
    return " OR ".join(part for part in (refused, shielded) if part)


def union(parts: "tuple[Scope, ...]") -> Scope:
    """The rows of any of the scopes; one scope stays itself, none is nothing."""
    distinct = tuple(dict.fromkeys(part for part in parts if part.kind != "nothing"))
    if not distinct:
        return NOTHING
    if ALL in distinct:
        return ALL
    return distinct[0] if len(distinct) == 1 else Scope("any", parts=distinct)


def without(scope: "Scope", label_mask: int) -> "Scope":
    """The rows of a scope that have none of these labels."""
    parts = tuple(without(part, label_mask) for part in scope.parts)
    return replace(scope, label_mask=scope.label_mask | label_mask, parts=parts)


NOTHING = Scope("nothing")
ALL = Scope("all")


@dataclass(frozen=True, slots=True)
class Visibility:
    """A scope per resource type; a type that is not named gets `otherwise`, which is nothing by default.

    hidden: elements by type that are cut out of every version that is shown. unasked: parameters by type that no
    search may ask for, because their answers would tell of hidden elements; `only`: the only ones, where these are
    fewer. wall: the sensitivity bits that any scope opens, for the second wall; -1 for all.
    """

    by_type: Mapping[str, Scope] = field(default_factory=dict)
    otherwise: Scope = NOTHING
    hidden: Mapping[str, frozenset[str]] = field(default_factory=dict)
    unasked: Mapping[str, frozenset[str]] = field(default_factory=dict)
    only: Mapping[str, frozenset[str]] = field(default_factory=dict)
    wall: int = -1

    def of(self, resource_type: str) -> Scope:
        """The scope of one resource type."""
        return self.by_type.get(resource_type, self.otherwise)


EVERYTHING = Visibility(otherwise=ALL)
"""For maintenance that no person sees: verification after import, reindexing."""
