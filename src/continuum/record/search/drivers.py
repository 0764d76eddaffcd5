"""What a search begins with: the clauses that an index answers with few rows, and how many they may be.

PostgreSQL would guess; a wrong guess between walking an order and intersecting keys costs a thousand times.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from continuum.fhir.query import AllOf, AnyOf, Chain, Clause, Criterion, Has, InCompartment, Query, Value
from continuum.fhir.search_params import MAIN_DATE, PATIENT_IMPLIED, UNIONS, param
from continuum.fhir.types import TYPE_IDS
from continuum.kernel.limits import CHAIN_TARGETS_MAX
from continuum.record.days import day_keys
from continuum.record.index_rules import filed_by_day
from continuum.record.keys import param_id
from continuum.record.search.bindings import Bindings
from continuum.record.search.conditions import date_condition, quantity_condition, string_condition, uri_below_condition
from continuum.record.search.filters import (
    clause_sql,
    compartment_keys,
    contains_grams,
    exact_keys,
    filed_condition,
    parts_of,
)
from continuum.record.search.measures import apart
from continuum.record.search.near import near_condition
from continuum.record.search.statistics import Statistics
from continuum.record.search.walk import date_rows
from continuum.record.search.words import asks_for_words, rarest

FEW = 200.0
"""What one patient or one exact string is taken to have; real figures are bounded when the search runs."""
FILED = 150.0
"""What a quantity under its code is taken to have before it is tried."""
ON_DAY = 1.0
"""What a place has on one day: a week's list asks for many places, and most of them are closed."""
UNKNOWN = 1_000.0
"""What a range is taken to have before it is tried."""
ALTERNATIVES_MAX = 8
"""Ranges joined by OR, or types at the end of a chain, up to which a search begins with them."""


@dataclass(frozen=True, slots=True)
class Driver:
    """A way to begin.

    sql: a predicate over record.search `s` that an index answers, or (rows=True) a SELECT of row ids that gives at
    most as many as its placeholder `{most}` says.
    estimate: rows expected. cost: index entries read before the first row.
    certain: the estimate comes from figures, so no bound needs to be tried.
    typed: the index of the predicate has the type in it.
    steps: common table expressions that must come first. overflow: SQL that says whether one of them was cut.
    """

    sql: str
    estimate: float
    cost: float
    rows: bool = False
    certain: bool = False
    typed: bool = False
    covers: Clause | None = None
    """The clause that holds for exactly these rows, so that it needs not be asked again."""
    filed: bool = False
    """The rows lie together under one code, and can also be walked there in order of their row ids."""
    steps: tuple[str, ...] = ()
    overflow: tuple[str, ...] = ()

    @property
    def price(self) -> float:
        """What the driver is chosen by; an index entry costs a twentieth of a row."""
        return self.estimate + self.cost * 0.05

    def begin(self, type_id: int, most: str) -> str:
        """SELECT of at most `most` rows of record.search, or (rows) of ids, some perhaps more than once."""
        if self.rows:
            return self.sql.replace("{most}", most)
        # Only the driver's index may be used: no other condition is one that an index could answer.
        kind = f"s.type = {type_id}" if self.typed else f"(s.type = {type_id}) IS TRUE"
        return f"SELECT s.* FROM record.search s WHERE {self.sql} AND {kind} LIMIT {most}"


def choose(query: Query, bindings: Bindings, statistics: Statistics) -> Driver | None:
    """The cheapest way to begin, or None when every row of the type has to be walked.

    Only the chosen driver's values are bound.
    """
    start = len(bindings.values)
    best: tuple[Driver, list[object]] | None = None
    for driver in _candidates(query, bindings, statistics):
        if driver is not None and (best is None or driver.price < best[0].price):
            best = (driver, bindings.values[start:])
        del bindings.values[start:]
    if best is None:
        return None
    bindings.values.extend(best[1])
    return best[0]


def _candidates(query: Query, bindings: Bindings, statistics: Statistics) -> Iterator[Driver | None]:
    """Every way to begin, and None after each attempt that came to nothing but has bound values."""
    resource_type = query.resource_type
    common: list[tuple[float, int]] = []
    linked: list[Chain | Has] = []
    for clause in flat(query.where):
        if query.begin and not (isinstance(clause, Criterion) and clause.param.code == query.begin):
            continue
        if isinstance(clause, Criterion):
            yield _of_criterion(clause, resource_type, bindings, statistics)
            one = _single_key(clause, resource_type, bindings)
            if one is not None:
                common.append((statistics.rows_with(one), one))
        elif isinstance(clause, InCompartment):
            wanted = compartment_keys(clause, resource_type, bindings.keys)
            rows = sum(statistics.rows_with(key) for key in wanted)
            yield Driver(f"s.keys && {bindings.bind(wanted, 'bigint[]')}", rows, rows, certain=True)
        elif isinstance(clause, Chain | Has):
            linked.append(clause)
        elif isinstance(clause, AnyOf):
            yield _of_any(clause, resource_type, bindings, statistics)
    if query.begin:
        return
    if (days := day_keys(query, bindings.keys)) and filed_by_day(resource_type, bindings.keys):
        yield Driver(f"s.keys && {bindings.bind(days, 'bigint[]')}", ON_DAY * len(days), len(days))
    condition = filed(query, bindings)
    if condition is not None:
        yield Driver(_beside("quantity", condition), FILED, 0.0, rows=True, filed=True)
    scope = bindings.visibility.of(resource_type)
    if scope.kind == "patients":
        who = bindings.bind(list(scope.patients), "bigint[]")
        yield Driver(f"s.patient = ANY({who})", FEW * len(scope.patients), 0.0, typed=True)
    if len(common) > 1:
        total = max(statistics.rows_of(TYPE_IDS[resource_type]), 1.0)
        joint = total
        for rows, _ in common:
            joint *= min(rows / total, 1.0)
        both = bindings.bind([key for _, key in common], "bigint[]")
        # GIN reads the shorter list and skips through the longer ones.
        yield Driver(f"s.keys @> {both}", joint, min(rows for rows, _ in common), certain=True)
    for link in linked:
        yield (
            _of_chain(link, resource_type, bindings, statistics)
            if isinstance(link, Chain)
            else _of_has(link, bindings, statistics)
        )
    dated = date_rows(query, TYPE_IDS[resource_type], bindings, "{most}")
    if dated:
        yield Driver(dated, UNKNOWN, 0.0, rows=True)


def flat(clauses: tuple[Clause, ...]) -> Iterator[Clause]:
    """All clauses that a row must fulfil, those within others too."""
    for clause in clauses:
        if isinstance(clause, AllOf):
            yield from flat(clause.clauses)
        else:
            yield clause


def _beside(table: str, *conditions: str) -> str:
    """SELECT of the row ids in a table beside record.search that fulfil any of the conditions."""
    selects = [f"(SELECT x.row_id FROM record.{table} x WHERE {one} LIMIT {{most}})" for one in conditions]
    return " UNION ALL ".join(selects)


def _single_key(clause: Criterion, resource_type: str, bindings: Bindings) -> int | None:
    if clause.modifier == "not":
        return None
    wanted = exact_keys(clause, resource_type, bindings.keys)
    return wanted[0] if wanted and len(wanted) == 1 else None


def _of_criterion(clause: Criterion, resource_type: str, bindings: Bindings, statistics: Statistics) -> Driver | None:
    code = clause.param.code
    if clause.modifier in {"missing", "not", "unequal"}:
        return None
    if code == "_id":
        ids = [value.code or value.text for value in clause.values]
        wanted = [bindings.keys.self_key(resource_type, one) for one in ids]
        mine = bindings.bind(wanted, "bigint[]")
        return Driver(f"s.self = ANY({mine})", len(ids), 0.0, certain=True, covers=clause)
    patients = patients_of(clause, resource_type)
    if patients:
        wanted = [bindings.keys.address(target) for target in patients]
        known = [bindings.keys.reference(resource_type, code, target) for target in patients]
        rows = min(sum(statistics.rows_with(key) for key in known), FEW * len(patients))
        sql = f"s.patient = ANY({bindings.bind(wanted, 'bigint[]')})"
        return Driver(sql, rows, 0.0, certain=True, typed=True)
    exact = exact_keys(clause, resource_type, bindings.keys)
    if exact is not None:
        rows = sum(statistics.rows_with(key) for key in exact)
        operator = "@>" if len(exact) == 1 else "&&"
        wanted_keys = bindings.bind(exact, "bigint[]")
        return Driver(f"s.keys {operator} {wanted_keys}", rows, rows, certain=True, covers=clause)
    if asks_for_words(clause) and clause.param.code not in UNIONS.get(resource_type, {}):
        wanted, rows = rarest(clause, resource_type, bindings.keys, statistics)
        return Driver(f"s.keys && {bindings.bind(wanted, 'bigint[]')}", rows, rows, certain=True)
    grams = contains_grams(clause, resource_type, bindings.keys)
    if grams is not None:
        wanted, more = grams
        rows = min(statistics.rows_with(gram) for gram in wanted)
        return Driver(
            f"(s.keys @> {bindings.bind(wanted, 'bigint[]')} OR s.keys @> {bindings.bind([more], 'bigint[]')})",
            rows, rows,
        )  # fmt: skip
    start = len(bindings.values)
    found = _of_range(clause, resource_type, bindings)
    if found is None:
        del bindings.values[start:]
        found = _of_component(clause, resource_type, bindings, statistics)
    return found


def _of_component(clause: Criterion, resource_type: str, bindings: Bindings, statistics: Statistics) -> Driver | None:
    """What fulfils a composite fulfils each of its components."""
    if len(clause.values) != 1 or clause.param.code in UNIONS.get(resource_type, {}):
        return None
    for (code, _), part in zip(clause.param.components, clause.values[0].parts, strict=False):
        component = param(resource_type, code)
        assert component is not None, "R4's components name parameters of the same type"
        start = len(bindings.values)
        driver = _of_criterion(Criterion(component, "", (part,)), resource_type, bindings, statistics)
        if driver is not None:
            return replace(driver, covers=None)
        del bindings.values[start:]
    return None


def _of_range(clause: Criterion, resource_type: str, bindings: Bindings) -> Driver | None:
    """Strings, uris, dates, numbers and quantities: each value of each parameter of a union is a range of an index."""
    union = UNIONS.get(resource_type, {}).get(clause.param.code)
    parts = parts_of(clause, union) if union is not None else [clause]
    kind = clause.param.kind
    if len(parts) * len(clause.values) > ALTERNATIVES_MAX or any(value.prefix == "ne" for value in clause.values):
        return None
    if kind == "date" and clause.param.code in {"_lastUpdated", MAIN_DATE.get(resource_type)}:
        return None
    conditions = []
    for part in parts:
        for value in (one for whole in part.values for one in apart(whole)):
            condition = _condition(part, value, resource_type, bindings)
            if condition is None:
                return None
            conditions.append(condition)
    table = {"uri": "string", "number": "quantity", "composite": "quantity", "special": "quantity"}.get(kind, kind)
    estimate = FEW if table == "string" and clause.modifier != "contains" else UNKNOWN
    return Driver(_beside(table, *conditions), estimate * len(conditions), 0.0, rows=True, covers=clause)


def _condition(clause: Criterion, value: Value, resource_type: str, bindings: Bindings) -> str | None:
    """The condition on the rows `x` beside record.search that one value is a range of; None when it is none."""
    kind = clause.param.kind
    if kind == "string":
        return string_condition(clause, value, resource_type, bindings)
    if kind == "uri" and clause.modifier == "below":
        return uri_below_condition(clause.param, value, resource_type, bindings)
    if kind in {"number", "quantity"}:
        return quantity_condition(bindings.keys.quantity(resource_type, clause.param.code), value, bindings)
    if kind == "special":
        return near_condition(bindings.keys.quantity(resource_type, clause.param.code), value, bindings)
    if kind == "date":
        which = f"x.param = {bindings.bind(param_id(resource_type, clause.param.code), 'integer')}"
        return f"{which} AND {date_condition('x.low', 'x.high', value, bindings)}"
    if kind == "composite":
        return filed_condition(clause.param, value, resource_type, bindings)
    return None


def patients_of(clause: Criterion, resource_type: str) -> list[str]:
    """The patients that all matching rows are filed under, when the criterion says so."""
    if clause.param.code not in PATIENT_IMPLIED.get(resource_type, ()) or clause.modifier == "identifier":
        return []
    targets = []
    for value in clause.values:
        found = [target for target in value.targets if target.startswith("Patient/")]
        if len(found) != 1 or len(value.targets) != 1:
            return []
        targets += found
    return targets


def filed(query: Query, bindings: Bindings) -> str | None:
    """The condition on rows of record.quantity that lie together under one code, when the query names one.

    `code=X&value-quantity=gt5` is the composite `code-value-quantity=X$gt5`: both speak of the same one value.
    """
    code: Value | None = None
    quantity: Value | None = None
    for clause in flat(query.where):
        if not isinstance(clause, Criterion) or clause.modifier or len(clause.values) != 1:
            continue
        value = clause.values[0]
        if clause.param.kind == "composite" and clause.param.code not in UNIONS.get(query.resource_type, {}):
            condition = filed_condition(clause.param, value, query.resource_type, bindings)
            if condition is not None:
                return condition
        elif clause.param.code == "code" and value.code:
            code = value
        elif clause.param.code == "value-quantity" and value.prefix != "ne":
            quantity = value
    found = param(query.resource_type, "code-value-quantity")
    if found is None or code is None or quantity is None:
        return None
    return filed_condition(found, Value("", parts=(code, quantity)), query.resource_type, bindings)


def _steps(
    pairs: tuple[tuple[str, Clause], ...],
    shown: str,
    bindings: Bindings,
    statistics: Statistics,
    *,
    unfolded: str = "",
    more: str = "",
) -> tuple[list[str], list[str], list[str]] | None:
    """The visible rows of each type for which its clause holds, from few rows on.

    Returns the steps, the names of those that give `shown` of each row `i`, and when they were cut; None when a
    type would have to be walked.
    """
    if len(pairs) > ALTERNATIVES_MAX:
        return None
    steps: list[str] = []
    names: list[str] = []
    cut: list[str] = []
    most = bindings.bind(CHAIN_TARGETS_MAX + 1, "bigint")
    for target, clause in pairs:
        driver = choose(Query(target, where=(clause,)), bindings, statistics)
        if driver is None or (driver.certain and driver.estimate > CHAIN_TARGETS_MAX):
            return None
        begun, kept = bindings.alias("b"), bindings.alias("c")
        steps += driver.steps
        cut += driver.overflow
        steps.append(f"{begun} AS MATERIALIZED ({driver.begin(TYPE_IDS[target], most)})")
        source = f"{begun} i"
        if driver.rows:
            source = f"(SELECT DISTINCT row_id FROM {begun}) o JOIN record.search i ON i.row_id = o.row_id"
        holds = clause_sql(clause, target, "i", bindings)
        steps.append(
            f"{kept} AS MATERIALIZED (SELECT {shown} FROM {source}{unfolded}"
            f" WHERE (i.type = {TYPE_IDS[target]} AND {holds} AND {bindings.visible(target, 'i')}) IS TRUE{more})"
        )
        names.append(kept)
        cut.append(f"(SELECT count(*) FROM {begun}) > {CHAIN_TARGETS_MAX}")
    return steps, names, cut


def _of_any(either: AnyOf, resource_type: str, bindings: Bindings, statistics: Statistics) -> Driver | None:
    """Begin with the keys of all alternatives, or with the rows of each."""
    wanted: list[int] = []
    for clause in either.clauses:
        keys = None
        if isinstance(clause, Criterion) and clause.modifier != "not":
            keys = exact_keys(clause, resource_type, bindings.keys)
        if keys is None:
            break
        wanted += keys
    else:
        rows = sum(statistics.rows_with(key) for key in wanted)
        return Driver(f"s.keys && {bindings.bind(wanted, 'bigint[]')}", rows, rows, certain=True, covers=either)
    pairs = tuple((resource_type, clause) for clause in either.clauses)
    found = _steps(pairs, "i.row_id", bindings, statistics)
    if found is None:
        return None
    steps, names, cut = found
    sql = " UNION ALL ".join(f"(SELECT row_id FROM {name} LIMIT {{most}})" for name in names)
    return Driver(sql, FEW * 2, 0.0, rows=True, covers=either, steps=tuple(steps), overflow=tuple(cut))


def _of_chain(chain: Chain, resource_type: str, bindings: Bindings, statistics: Statistics) -> Driver | None:
    """Begin with the rows at the end of the chain, when an index finds them and they are few."""
    found = _steps(chain.inner, "i.self", bindings, statistics)
    if found is None:
        return None
    steps, names, cut = found
    targets = f"ARRAY({' UNION ALL '.join(f'SELECT self FROM {name}' for name in names)})"
    by_patient = chain.param.code in PATIENT_IMPLIED.get(resource_type, ()) and chain.target_types == ("Patient",)
    if not by_patient:
        sql = f"s.keys && {targets}"
        return Driver(sql, FEW * 2, 0.0, steps=tuple(steps), overflow=tuple(cut))
    which = bindings.bind(param_id(resource_type, chain.param.code), "integer")
    # The patient of a row is nearly always the one that this parameter names; that it is, is asked here.
    named = f"SELECT 1 FROM unnest(s.ref_params, s.refs) u(p, t) WHERE u.p = {which} AND u.t = s.patient"
    sql = f"s.patient = ANY({targets}) AND EXISTS ({named} OFFSET 0)"
    return Driver(sql, FEW, 0.0, typed=True, covers=chain, steps=tuple(steps), overflow=tuple(cut))


def _of_has(has: Has, bindings: Bindings, statistics: Statistics) -> Driver | None:
    """Begin with the rows that refer, when an index finds them and they are few."""
    source = has.param.resource_type
    which = bindings.bind(param_id(source, has.param.code), "integer")
    found = _steps(
        ((source, has.inner),), "u.t AS self", bindings, statistics,
        unfolded=", LATERAL unnest(i.ref_params, i.refs) u(p, t)", more=f" AND u.p = {which}",
    )  # fmt: skip
    if found is None:
        return None
    steps, names, cut = found
    targets = f"ARRAY(SELECT self FROM {names[0]})"
    return Driver(f"s.self = ANY({targets})", FEW * 2, 0.0, covers=has, steps=tuple(steps), overflow=tuple(cut))
