"""What a search begins with: the clauses that an index answers with few rows, and how many they may be.

PostgreSQL would guess; a wrong guess between walking an order and intersecting keys costs a thousand times.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from continuum.fhir.query import Chain, Clause, Criterion, Has, InCompartment, Query, Value
from continuum.fhir.search_params import MAIN_DATE, PATIENT_IMPLIED, UNIONS, param
from continuum.fhir.types import TYPE_IDS
from continuum.record.keys import param_id
from continuum.record.search.filters import (
    Bindings,
    clause_sql,
    compartment_keys,
    contains_grams,
    date_condition,
    exact_keys,
    filed_condition,
    quantity_condition,
    string_condition,
)
from continuum.record.search.statistics import Statistics

FEW = 200.0
"""What one patient or one exact string is taken to have; real figures are bounded when the search runs."""
FILED = 150.0
"""What a quantity under its code is taken to have before it is tried."""
UNKNOWN = 1_000.0
"""What a range is taken to have before it is tried."""


@dataclass(frozen=True, slots=True)
class Driver:
    """A way to begin.

    sql: a predicate over record.search `s` that an index answers, or (rows=True) a SELECT of row ids.
    estimate: rows expected. cost: index entries read before the first row.
    certain: the estimate comes from figures, so no bound needs to be tried.
    """

    sql: str
    estimate: float
    cost: float
    rows: bool = False
    certain: bool = False
    covers: Clause | None = None
    """The clause that holds for exactly these rows, so that it needs not be asked again."""
    filed: bool = False
    """The rows lie together under one code, and can also be walked there in order of their row ids."""


def choose(query: Query, bindings: Bindings, statistics: Statistics) -> Driver | None:
    """The cheapest way to begin, or None when every row of the type has to be walked.

    Only the chosen driver's values are bound.
    """
    start = len(bindings.values)
    best: tuple[float, Driver, list[object]] | None = None
    for driver in _candidates(query, bindings, statistics):
        price = driver.estimate + driver.cost * 0.05
        if best is None or price < best[0]:
            best = (price, driver, bindings.values[start:])
        del bindings.values[start:]
    if best is None:
        return None
    bindings.values.extend(best[2])
    return best[1]


def _candidates(query: Query, bindings: Bindings, statistics: Statistics) -> Iterator[Driver]:
    resource_type = query.resource_type
    common: list[tuple[float, int]] = []
    for clause in query.where:
        if isinstance(clause, Criterion):
            driver = _of_criterion(clause, resource_type, bindings, statistics)
            if driver is not None:
                yield driver
            one = _single_key(clause, resource_type, bindings)
            if one is not None:
                common.append((statistics.rows_with(one), one))
        elif isinstance(clause, InCompartment):
            wanted = compartment_keys(clause, resource_type, bindings.keys)
            rows = sum(statistics.rows_with(key) for key in wanted)
            yield Driver(f"s.keys && {bindings.bind(wanted, 'bigint[]')}", rows, rows, certain=True)
        elif isinstance(clause, Chain):
            yield _of_chain(clause, resource_type, bindings)
        elif isinstance(clause, Has):
            yield _of_has(clause, bindings)
    condition = filed(query, bindings)
    if condition is not None:
        yield Driver(f"SELECT x.row_id FROM record.quantity x WHERE {condition}", FILED, 0.0, rows=True, filed=True)
    scope = bindings.visibility.of(resource_type)
    if scope.kind == "patients":
        who = bindings.bind(list(scope.patients), "bigint[]")
        yield Driver(f"s.patient = ANY({who})", FEW * len(scope.patients), 0.0)
    if len(common) > 1:
        total = max(statistics.rows_of(TYPE_IDS[resource_type]), 1.0)
        joint = total
        for rows, _ in common:
            joint *= min(rows / total, 1.0)
        both = bindings.bind([key for _, key in common], "bigint[]")
        # GIN reads the shorter list and skips through the longer ones.
        yield Driver(f"s.keys @> {both}", joint, min(rows for rows, _ in common), certain=True)


def _single_key(clause: Criterion, resource_type: str, bindings: Bindings) -> int | None:
    if clause.modifier == "not":
        return None
    wanted = exact_keys(clause, resource_type, bindings.keys)
    return wanted[0] if wanted and len(wanted) == 1 else None


def _of_criterion(clause: Criterion, resource_type: str, bindings: Bindings, statistics: Statistics) -> Driver | None:
    code = clause.param.code
    if clause.modifier in {"missing", "not"}:
        return None
    if code == "_id":
        ids = [value.code or value.text for value in clause.values]
        wanted = [bindings.keys.self_key(resource_type, one) for one in ids]
        mine = bindings.bind(wanted, "bigint[]")
        return Driver(f"s.self = ANY({mine})", len(ids), 0.0, certain=True, covers=clause)
    patients = _patients(clause, resource_type)
    if patients:
        wanted = [bindings.keys.address(target) for target in patients]
        known = [bindings.keys.reference(resource_type, code, target) for target in patients]
        rows = min(sum(statistics.rows_with(key) for key in known), FEW * len(patients))
        return Driver(f"s.patient = ANY({bindings.bind(wanted, 'bigint[]')})", rows, 0.0, certain=True)
    exact = exact_keys(clause, resource_type, bindings.keys)
    if exact is not None:
        rows = sum(statistics.rows_with(key) for key in exact)
        operator = "@>" if len(exact) == 1 else "&&"
        wanted_keys = bindings.bind(exact, "bigint[]")
        return Driver(f"s.keys {operator} {wanted_keys}", rows, rows, certain=True, covers=clause)
    return _of_range(clause, resource_type, bindings, statistics)


def _of_range(clause: Criterion, resource_type: str, bindings: Bindings, statistics: Statistics) -> Driver | None:
    """Strings, dates, numbers and quantities of one value."""
    if len(clause.values) != 1:
        return None
    kind, value = clause.param.kind, clause.values[0]
    grams = contains_grams(clause, resource_type, bindings.keys)
    if grams is not None:
        rows = min(statistics.rows_with(gram) for gram in grams)
        return Driver(f"s.keys @> {bindings.bind(grams, 'bigint[]')}", rows, rows)
    if kind == "string" and clause.modifier != "contains":
        condition = string_condition(clause, value, resource_type, bindings)
        return Driver(f"SELECT x.row_id FROM record.string x WHERE {condition}", FEW, 0.0, rows=True, covers=clause)
    if value.prefix == "ne":
        return None
    if kind in {"number", "quantity"} and clause.param.code not in UNIONS.get(resource_type, {}):
        condition = quantity_condition(bindings.keys.quantity(resource_type, clause.param.code), value, bindings)
        return Driver(
            f"SELECT x.row_id FROM record.quantity x WHERE {condition}", UNKNOWN, 0.0, rows=True, covers=clause
        )
    if clause.param.code in UNIONS.get(resource_type, {}):
        return None
    if kind == "date" and clause.param.code not in {"_lastUpdated", MAIN_DATE.get(resource_type)}:
        which = f"x.param = {bindings.bind(param_id(resource_type, clause.param.code), 'integer')}"
        condition = f"{which} AND {date_condition('x.low', 'x.high', value, bindings)}"
        return Driver(f"SELECT x.row_id FROM record.date x WHERE {condition}", UNKNOWN, 0.0, rows=True, covers=clause)
    return None


def _patients(clause: Criterion, resource_type: str) -> list[str]:
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
    for clause in query.where:
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


def _inner(pairs: tuple[tuple[str, Clause], ...], alias: str, bindings: Bindings) -> str:
    branches = [
        f"({alias}.type = {TYPE_IDS[target]} AND {clause_sql(clause, target, alias, bindings)}"
        f" AND {bindings.visible(target, alias)})"
        for target, clause in pairs
    ]
    return f"({' OR '.join(branches)})"


def _of_chain(chain: Chain, resource_type: str, bindings: Bindings) -> Driver:
    """Begin with the rows at the end of the chain, when an index finds them."""
    alias = bindings.alias("i")
    targets = f"SELECT {alias}.self FROM record.search {alias} WHERE {_inner(chain.inner, alias, bindings)}"
    if chain.param.code in PATIENT_IMPLIED.get(resource_type, ()) and chain.target_types == ("Patient",):
        link = bindings.alias("u")
        which = bindings.bind(param_id(resource_type, chain.param.code), "integer")
        # The patient of the row is nearly always the one that this parameter names; that it is, is asked here.
        named = f"SELECT 1 FROM unnest(s.ref_params, s.refs) {link}(p, t) WHERE {link}.p = {which}"
        sql = f"s.patient IN ({targets}) AND EXISTS ({named} AND {link}.t = s.patient)"
        return Driver(sql, FEW, 0.0, covers=chain)
    return Driver(f"s.keys && ARRAY({targets})", FEW * 2, 0.0)


def _of_has(has: Has, bindings: Bindings) -> Driver:
    """Begin with the rows that refer, when an index finds them."""
    source = has.param.resource_type
    alias, link = bindings.alias("i"), bindings.alias("u")
    which = bindings.bind(param_id(source, has.param.code), "integer")
    inner = _inner(((source, has.inner),), alias, bindings)
    targets = (
        f"SELECT {link}.t FROM record.search {alias}, unnest({alias}.ref_params, {alias}.refs) {link}(p, t)"
        f" WHERE {inner} AND {link}.p = {which}"
    )
    return Driver(f"s.self IN ({targets})", FEW * 2, 0.0, covers=has)
