"""Each clause of a query as a predicate over one row of record.search."""

from dataclasses import replace
from typing import Any

from continuum.fhir.query import (
    AllOf,
    AnyOf,
    Chain,
    Clause,
    Criterion,
    Has,
    InCompartment,
    Negation,
    SearchParam,
    Value,
)
from continuum.fhir.search_params import (
    IMPLIED_SYSTEMS,
    MAIN_DATE,
    PATIENT_IMPLIED,
    PRESENCE,
    UNIONS,
    has_grams,
    param,
)
from continuum.fhir.text import MORE_GRAMS, normalise, trigrams
from continuum.fhir.types import TYPE_IDS
from continuum.kernel.limits import STRING_INDEX_CHARS
from continuum.record.keys import Keys, param_id
from continuum.record.search.bindings import Bindings
from continuum.record.search.conditions import (
    date_condition,
    quantity_condition,
    side_exists,
    stretch_condition,
    string_condition,
    uri_below_condition,
)
from continuum.record.search.near import near_condition
from continuum.record.search.words import asks_for_words, word_keys


def clause_sql(clause: Clause, resource_type: str, alias: str, bindings: Bindings) -> str:
    """The predicate of a clause over the row `alias` of a type."""
    if isinstance(clause, Criterion):
        return criterion_sql(clause, resource_type, alias, bindings)
    if isinstance(clause, Chain):
        return _chain(clause, alias, bindings)
    if isinstance(clause, Has):
        return _has(clause, resource_type, alias, bindings)
    if isinstance(clause, Negation):
        return f"({clause_sql(clause.clause, resource_type, alias, bindings)}) IS NOT TRUE"
    if isinstance(clause, AllOf | AnyOf):
        parts = [clause_sql(one, resource_type, alias, bindings) for one in clause.clauses]
        return "(" + (" AND " if isinstance(clause, AllOf) else " OR ").join(parts) + ")"
    return f"{alias}.keys && {bindings.bind(compartment_keys(clause, resource_type, bindings.keys), 'bigint[]')}"


def compartment_keys(clause: InCompartment, resource_type: str, keys: Keys) -> list[int]:
    """The keys of which a member of the compartment has at least one."""
    target = f"{clause.compartment_type}/{clause.id}"
    return [keys.reference(resource_type, one.code, target) for one in clause.params]


def criterion_sql(criterion: Criterion, resource_type: str, alias: str, bindings: Bindings) -> str:
    """The predicate of one criterion."""
    code = criterion.param.code
    union = UNIONS.get(resource_type, {}).get(code)
    if union is not None:
        return _union(criterion, union, resource_type, alias, bindings)
    if criterion.modifier == "missing" and code in {"_id", "_lastUpdated"}:
        return "false" if criterion.values[0].text == "true" else "true"
    if code == "_id":
        ids = [value.code or value.text for value in criterion.values]
        wanted = [bindings.keys.self_key(resource_type, one) for one in ids]
        inside = f"{alias}.self = ANY({bindings.bind(wanted, 'bigint[]')})"
        return f"NOT {inside}" if criterion.modifier == "not" else inside
    if criterion.modifier == "missing":
        return present_sql(code, resource_type, alias, missing=criterion.values[0].text == "true")
    kind = criterion.param.kind
    if asks_for_words(criterion):
        return _any(_words(criterion, value, resource_type, alias, bindings) for value in criterion.values)
    exact = exact_keys(criterion, resource_type, bindings.keys)
    if exact is not None:
        holds = f"{alias}.keys && {bindings.bind(exact, 'bigint[]')}"
        return f"NOT {holds}" if criterion.modifier == "not" else holds
    if kind == "token":
        return _of_implied_system(criterion, resource_type, alias, bindings)
    if kind == "date":
        return _any(_date(criterion.param, value, resource_type, alias, bindings) for value in criterion.values)
    if kind == "string":
        return _any(
            side_exists("string", string_condition(criterion, value, resource_type, bindings), alias)
            for value in criterion.values
        )
    if kind == "uri":  # :below
        return _any(
            side_exists("string", uri_below_condition(criterion.param, value, resource_type, bindings), alias)
            for value in criterion.values
        )
    if kind == "special":
        key = bindings.keys.quantity(resource_type, code)
        return _any(side_exists("quantity", near_condition(key, value, bindings), alias) for value in criterion.values)
    if kind in {"number", "quantity"}:
        key = bindings.keys.quantity(resource_type, code)
        return _any(
            side_exists("quantity", quantity_condition(key, value, bindings), alias) for value in criterion.values
        )
    return _any(_composite(criterion.param, value, resource_type, alias, bindings) for value in criterion.values)


def _words(criterion: Criterion, value: Value, resource_type: str, alias: str, bindings: Bindings) -> str:
    wanted = word_keys(criterion, value, resource_type, bindings.keys)
    return "(" + " AND ".join(f"{alias}.keys && {bindings.bind(keys, 'bigint[]')}" for keys in wanted) + ")"


def present_sql(code: str, resource_type: str, alias: str, *, missing: bool) -> str:
    """Whether a row has any value for a parameter, or has none."""
    bit = PRESENCE[resource_type].get(code)
    if bit is None:
        return "true" if missing else "false"
    return f"{alias}.present & {bit}::bigint {'=' if missing else '<>'} 0"


def _of_implied_system(criterion: Criterion, resource_type: str, alias: str, bindings: Bindings) -> str:
    """Tokens of which one asks for every code of the system that R4 gives the parameter."""
    parts = []
    for value in criterion.values:
        wanted = exact_keys(replace(criterion, values=(value,)), resource_type, bindings.keys)
        if wanted is None:
            parts.append(present_sql(criterion.param.code, resource_type, alias, missing=False))
        else:
            parts.append(f"{alias}.keys && {bindings.bind(wanted, 'bigint[]')}")
    return f"{'NOT ' if criterion.modifier == 'not' else ''}({' OR '.join(parts)})"


def _union(criterion: Criterion, codes: tuple[str, ...], resource_type: str, alias: str, bindings: Bindings) -> str:
    """A parameter that is the union of others; what is said of all its values is said of each part."""
    negative = criterion.modifier == "not" or (criterion.modifier == "missing" and criterion.values[0].text == "true")
    parts = [criterion_sql(one, resource_type, alias, bindings) for one in parts_of(criterion, codes)]
    return "(" + (" AND " if negative else " OR ").join(parts) + ")"


def parts_of(criterion: Criterion, codes: tuple[str, ...]) -> list[Criterion]:
    """The same criterion on each parameter of a union."""
    found = []
    for code in codes:
        one = param(criterion.param.resource_type, code)
        assert one is not None, "unions are made of parameters of the same type"
        found.append(replace(criterion, param=one))
    return found


def _any(parts: Any) -> str:
    texts = list(parts)
    return texts[0] if len(texts) == 1 else "(" + " OR ".join(texts) + ")"


def exact_keys(criterion: Criterion, resource_type: str, keys: Keys) -> list[int] | None:
    """The keys of which a matching row has one, when the criterion is a matter of keys alone."""
    union = UNIONS.get(resource_type, {}).get(criterion.param.code)
    if union is not None:
        parts = [exact_keys(one, resource_type, keys) for one in parts_of(criterion, union)]
        return None if any(part is None for part in parts) else [key for part in parts for key in part or ()]
    code, kind = criterion.param.code, criterion.param.kind
    if criterion.modifier == "missing" or code in {"_id", "_lastUpdated"}:
        return None
    if asks_for_words(criterion):
        wanted = [word_keys(criterion, value, resource_type, keys) for value in criterion.values]
        return [key for one in wanted for key in one[0]] if all(len(one) == 1 for one in wanted) else None
    if criterion.modifier == "of-type":
        return [
            keys.of_type_token(resource_type, code, value.system or "", value.code or "", value.text)
            for value in criterion.values
        ]
    if criterion.modifier == "identifier":
        return [keys.identifier(resource_type, code, value.system, value.code) for value in criterion.values]
    if kind == "token":
        implied = IMPLIED_SYSTEMS.get(resource_type, {}).get(code)
        if implied is not None and any(value.code is None and value.system == implied for value in criterion.values):
            return None  # any code of the one system: a matter of presence
        return [
            keys.token(resource_type, code, None if value.system == implied else value.system, value.code)
            for value in criterion.values
        ]
    if kind == "reference":
        return [keys.reference(resource_type, code, target) for value in criterion.values for target in value.targets]
    if kind == "uri" and criterion.modifier != "below":
        texts = [value.text for value in criterion.values]
        if criterion.modifier == "above":
            texts = [prefix for text in texts for prefix in _prefixes(text)]
        return [keys.uri(resource_type, code, text) for text in texts]
    if kind == "composite":
        return _composite_keys(criterion, resource_type, keys)
    return None


def _composite_keys(criterion: Criterion, resource_type: str, keys: Keys) -> list[int] | None:
    wanted = []
    for value in criterion.values:
        forms = []
        for (_, kind), part in zip(criterion.param.components, value.parts, strict=True):
            if kind == "token" and part.code is not None:
                forms.append(f"{'*' if part.system is None else part.system}|{part.code}")
            elif kind in {"reference", "uri"} and len(part.targets or (part.text,)) == 1:
                forms.append((part.targets or (part.text,))[0])
            else:
                return None
        wanted.append(keys.composite(resource_type, criterion.param.code, *forms))
    return wanted


def _prefixes(uri: str) -> list[str]:
    """The uri and every uri above it, by path segments."""
    found = [uri]
    root = uri.find("://") + 3 if "://" in uri else 0
    at = uri.rfind("/")
    while at > root:
        found += [uri[:at], uri[: at + 1]]
        at = uri.rfind("/", 0, at)
    return found


def contains_grams(criterion: Criterion, resource_type: str, keys: Keys) -> tuple[list[int], int] | None:
    """The keys that a row holding the text somewhere must have, or else the second one; None where there are none."""
    if criterion.param.kind != "string" or criterion.modifier != "contains" or len(criterion.values) != 1:
        return None
    if not has_grams(criterion.param.code):
        return None
    grams = trigrams(normalise(criterion.values[0].text)[:STRING_INDEX_CHARS])
    if not grams:
        return None
    return [keys.gram(resource_type, gram) for gram in sorted(grams)], keys.gram(resource_type, MORE_GRAMS)


def _date(found: SearchParam, value: Value, resource_type: str, alias: str, bindings: Bindings) -> str:
    if found.code == "_lastUpdated":
        return date_condition(f"{alias}.updated", f"{alias}.updated", value, bindings)
    if MAIN_DATE.get(resource_type) == found.code:
        condition = date_condition(f"{alias}.date_low", f"{alias}.date_high", value, bindings)
        return f"({alias}.date_low IS NOT NULL AND {condition})"
    which = f"x.param = {bindings.bind(param_id(resource_type, found.code), 'integer')}"
    return side_exists("date", f"{which} AND {date_condition('x.low', 'x.high', value, bindings)}", alias)


def _composite(found: SearchParam, value: Value, resource_type: str, alias: str, bindings: Bindings) -> str:
    """A composite that is no matter of keys alone: filed under its code, or one value each, so that AND is the same."""
    filed = filed_condition(found, value, resource_type, bindings)
    if filed is not None:
        return side_exists("quantity", filed, alias)
    parts = []
    for (code, _), part in zip(found.components, value.parts, strict=True):
        component = param(resource_type, code)
        assert component is not None, "R4's components name parameters of the same type"
        parts.append(criterion_sql(Criterion(component, "", (part,)), resource_type, alias, bindings))
    return "(" + " AND ".join(parts) + ")"


def filed_condition(found: SearchParam, value: Value, resource_type: str, bindings: Bindings) -> str | None:
    """The condition on rows of record.quantity filed under a code: a composite of it and a quantity, or two numbers."""
    kinds = [kind for _, kind in found.components]
    token, *others = value.parts
    if kinds[0] != "token" or kinds[1] not in {"quantity", "number"} or not token.code:
        return None
    key = bindings.keys.quantity_under(resource_type, found.code, token.code)
    if len(others) == 2:
        condition = stretch_condition(key, others[0], others[1], bindings)
    else:
        condition = quantity_condition(key, others[0], bindings)
    if token.system is not None:
        condition += f" AND x.under = {bindings.bind(bindings.keys.of(token.system), 'bigint')}"
    return condition


def _chain(chain: Chain, alias: str, bindings: Bindings) -> str:
    """Some reference of the row leads to a visible row for which the rest holds."""
    which = bindings.bind(param_id(chain.param.resource_type, chain.param.code), "integer")
    inner, link = bindings.alias("i"), bindings.alias("u")
    branches = [
        f"({inner}.type = {TYPE_IDS[target]} AND {clause_sql(clause, target, inner, bindings)}"
        f" AND {bindings.visible(target, inner)})"
        for target, clause in chain.inner
    ]
    return (
        f"EXISTS (SELECT 1 FROM unnest({alias}.ref_params, {alias}.refs) {link}(p, t)"
        f" JOIN record.search {inner} ON {inner}.self = {link}.t"
        f" WHERE {link}.p = {which} AND ({' OR '.join(branches)}) OFFSET 0)"
    )


def _has(has: Has, resource_type: str, alias: str, bindings: Bindings) -> str:
    """Some visible row that refers to this one fulfils the rest."""
    source = has.param.resource_type
    inner, link = bindings.alias("i"), bindings.alias("u")
    which = bindings.bind(param_id(source, has.param.code), "integer")
    by_patient = resource_type == "Patient" and has.param.code in PATIENT_IMPLIED.get(source, ())
    reach = f"{inner}.patient = {alias}.self" if by_patient else f"{inner}.keys @> ARRAY[{alias}.self]"
    return (
        f"EXISTS (SELECT 1 FROM record.search {inner} WHERE {reach} AND {inner}.type = {TYPE_IDS[source]}"
        f" AND EXISTS (SELECT 1 FROM unnest({inner}.ref_params, {inner}.refs) {link}(p, t)"
        f" WHERE {link}.p = {which} AND {link}.t = {alias}.self)"
        f" AND {clause_sql(has.inner, source, inner, bindings)} AND {bindings.visible(source, inner)} OFFSET 0)"
    )
