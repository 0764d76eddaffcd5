"""A search as data: what the grammar (`fhir/grammar.py`) reads and the planner (`record/search/`) runs."""

from dataclasses import dataclass, field
from decimal import Decimal

from continuum.fhir.ucum import Unit
from continuum.kernel.limits import PAGE_DEFAULT

Place = tuple[float, float]
"""A latitude and a longitude in degrees."""


@dataclass(frozen=True, slots=True)
class SearchParam:
    """One search parameter of one resource type, from the R4 definitions.

    kind: number, date, string, token, reference, composite, quantity, uri, special, or words (a string for R4: words
    anywhere in the resource or its narrative).
    targets: the types a reference may point to. components: the component parameters of a composite,
    each as (code, kind).
    """

    resource_type: str
    code: str
    kind: str
    targets: tuple[str, ...] = ()
    components: tuple[tuple[str, str], ...] = ()
    typed: bool = False
    """Whether it is of identifiers, which may say of what type they are."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A number and its implicit range as they are in another unit, which resources are written in."""

    form: str
    """The unit's `Unit.form`."""
    number: Decimal
    low: Decimal
    high: Decimal


@dataclass(frozen=True, slots=True)
class Value:
    """One OR value of a criterion, read according to the parameter's kind.

    text is the value as written after unescaping. prefix: eq ne gt lt ge le sa eb ap ("" where the kind
    has none). token/quantity: system None = any, "" = none; code None = any code of the system.
    number/quantity: number, and low/high, its implicit range ("100" is [99.5, 100.5)).
    date: low_us/high_us. reference: target "Type/id", a URL, or a bare id with target_types to try.
    parts: the component values of a composite, in order.
    unit: what a UCUM code measures, when it is known; readings: the same quantity in every unit that it is to be
    compared with, once the record has said which there are (record/search/measures.py).
    """

    text: str
    prefix: str = ""
    system: str | None = None
    code: str | None = None
    number: Decimal | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    low_us: int = 0
    high_us: int = 0
    targets: tuple[str, ...] = ()
    parts: "tuple[Value, ...]" = ()
    unit: Unit | None = None
    readings: tuple[Reading, ...] = ()
    around: tuple[float, float, float] | None = None
    """Of `near`: latitude and longitude in degrees, and a distance in metres."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """`param:modifier=value,value`; for `missing` the modifier is "missing" and values[0].text true/false.

    A string of `_filter` also has the modifiers equal, unequal, ends, gt, ge, lt and le; a date or number of `_filter`
    the prefix co.
    """

    param: SearchParam
    modifier: str
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Chain:
    """`param:Type.rest=…`: rows that refer through `param` to a row for which `inner` holds."""

    param: SearchParam
    target_types: tuple[str, ...]
    inner: "tuple[tuple[str, Clause], ...]"
    """One (target type, clause) for each target type in which the rest is valid."""


@dataclass(frozen=True, slots=True)
class Has:
    """`_has:Type:param:rest=…`: rows that a row of `param.resource_type` for which `inner` holds refers to."""

    param: SearchParam
    inner: "Clause"


@dataclass(frozen=True, slots=True)
class InCompartment:
    """Rows in the compartment of `compartment_type/id` through any of `params` (a reference each)."""

    compartment_type: str
    id: str
    params: tuple[SearchParam, ...]


@dataclass(frozen=True, slots=True)
class AllOf:
    """Rows for which all the clauses hold."""

    clauses: "tuple[Clause, ...]"


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Rows for which at least one of the clauses holds."""

    clauses: "tuple[Clause, ...]"


@dataclass(frozen=True, slots=True)
class Negation:
    """Rows for which the clause does not hold."""

    clause: "Clause"


Clause = Criterion | Chain | Has | InCompartment | AllOf | AnyOf | Negation


@dataclass(frozen=True, slots=True)
class Include:
    """`_include` (forward) or `_revinclude` (reverse).

    param None is any parameter of the type (`Type:*`); source_type "*" is any type (`*`).
    """

    source_type: str
    param: SearchParam | None
    target_type: str | None
    reverse: bool
    iterate: bool


@dataclass(frozen=True, slots=True)
class Sort:
    """One `_sort` key; code may be `_id` or `_lastUpdated`. places: of `near`, from which distances are measured."""

    param: SearchParam
    descending: bool
    places: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True)
class Query:
    """One search over one type. `where` clauses are AND. cursor: opaque text of the previous page's link."""

    resource_type: str
    where: tuple[Clause, ...] = ()
    includes: tuple[Include, ...] = ()
    sort: tuple[Sort, ...] = ()
    count: int = PAGE_DEFAULT
    total: str = ""
    """none, estimate, accurate, or "" when not asked."""
    summary: str = ""
    """true, text, data, count, false, or "" when not asked."""
    elements: tuple[str, ...] = ()
    cursor: str = ""
    self_params: tuple[tuple[str, str], ...] = ()
    """The parameters that were understood, for the self link."""
    ignored: tuple[str, ...] = field(default=())
    """Parameters ignored under `handling=lenient`."""
    begin: str = ""
    """The parameter with which the search begins, where the caller knows that few rows fulfil its criterion."""
