"""Whether one version of a resource matches criteria, judged from the version alone, without the database.

The search asks the index about present versions; a subscription asks about versions that may be past by now.
Both use the same keys of the same extraction, so they cannot disagree about what a value means.
"""

from dataclasses import replace

from continuum.fhir.grammar_values import OF_CODES
from continuum.fhir.query import Criterion, Query, Value
from continuum.fhir.search_params import MAIN_DATE, PARTS, PRESENCE, UNIONS
from continuum.fhir.text import normalise
from continuum.kernel.errors import UnknownParameter
from continuum.kernel.limits import STRING_EXACT_CHARS, STRING_INDEX_CHARS
from continuum.record.entry import Prepared
from continuum.record.keys import Keys, param_id
from continuum.record.search.filters import exact_keys, parts_of
from continuum.record.search.words import asks_for_words, word_keys

KINDS = frozenset({"token", "reference", "uri", "date", "string", "words"})
"""The kinds of parameters that are judged."""


def refuse_unjudged(query: Query) -> None:
    """Raises UnknownParameter for criteria that one version alone cannot answer."""
    for clause in query.where:
        if not isinstance(clause, Criterion):
            raise UnknownParameter("A filter names elements of the resource itself: no chain, no _has.")
        code, kind = clause.param.code, clause.param.kind
        if kind == "token" and clause.modifier in OF_CODES:
            raise UnknownParameter(f"{code}:{clause.modifier} needs what the record knows of codes; name the codes.")
        if kind not in KINDS or clause.modifier == "below" or code == "_lastUpdated":
            known = ", ".join(sorted(KINDS))
            raise UnknownParameter(f"{code} cannot be filtered by; parameters of these kinds can: {known}.")
    if query.includes or query.sort or query.total or query.summary or query.elements:
        raise UnknownParameter("A filter only says what must match: no _include, _sort, _total, _summary, _elements.")


def matches(query: Query, prepared: Prepared, keys: Keys) -> bool:
    """Whether every criterion holds. The query has passed `refuse_unjudged`."""
    return all(_holds(clause, prepared, keys) for clause in query.where if isinstance(clause, Criterion))


def _holds(criterion: Criterion, prepared: Prepared, keys: Keys) -> bool:
    resource_type, code = prepared.resource_type, criterion.param.code
    union = UNIONS.get(resource_type, {}).get(code)
    if union is not None:
        parts = [_holds(one, prepared, keys) for one in parts_of(criterion, union)]
        negative = criterion.modifier == "not" or (
            criterion.modifier == "missing" and criterion.values[0].text == "true"
        )
        return all(parts) if negative else any(parts)
    if code == "_id":
        named = prepared.id in {value.code or value.text for value in criterion.values}
        return named != (criterion.modifier == "not")
    if criterion.modifier == "missing":
        there = prepared.present & PRESENCE[resource_type].get(code, 0) != 0
        return there != (criterion.values[0].text == "true")
    if asks_for_words(criterion):
        return any(
            all(
                not set(wanted).isdisjoint(prepared.keys) for wanted in word_keys(criterion, value, resource_type, keys)
            )
            for value in criterion.values
        )
    exact = exact_keys(criterion, resource_type, keys)
    if exact is None and criterion.param.kind == "token":
        there = any(_of_implied_system(criterion, value, prepared, keys) for value in criterion.values)
        return there != (criterion.modifier == "not")
    if exact is not None:
        return (not set(exact).isdisjoint(prepared.keys)) != (criterion.modifier == "not")
    if criterion.param.kind == "date":
        return any(_date(code, value, prepared) for value in criterion.values)
    return any(_string(criterion, value, prepared) for value in criterion.values)


def _of_implied_system(criterion: Criterion, value: Value, prepared: Prepared, keys: Keys) -> bool:
    wanted = exact_keys(replace(criterion, values=(value,)), prepared.resource_type, keys)
    if wanted is None:
        return prepared.present & PRESENCE[prepared.resource_type][criterion.param.code] != 0
    return not set(wanted).isdisjoint(prepared.keys)


def _date(code: str, value: Value, prepared: Prepared) -> bool:
    """R4 §3.1.1.4.5, on any of the parameter's intervals; the main date is one interval, as in the search."""
    if MAIN_DATE.get(prepared.resource_type) == code:
        if prepared.date_low is None or prepared.date_high is None:
            return False
        return _within(value, prepared.date_low, prepared.date_high)
    which = param_id(prepared.resource_type, code)
    return any(_within(value, low, high) for param, low, high in prepared.dates if param == which)


def _within(value: Value, low: int, high: int) -> bool:
    inside = low >= value.low_us and high <= value.high_us
    return {
        "eq": inside,
        "ne": not inside,
        "ge": high > value.high_us or inside,
        "le": low < value.low_us or inside,
        "gt": high > value.high_us,
        "lt": low < value.low_us,
        "sa": low > value.high_us,
        "eb": high < value.low_us,
        "ap": low <= value.high_us and high >= value.low_us,
    }[value.prefix or "eq"]


def _string(criterion: Criterion, value: Value, prepared: Prepared) -> bool:
    whole, bit = PARTS.get(prepared.resource_type, {}).get(criterion.param.code) or (criterion.param.code, 0)
    which = param_id(prepared.resource_type, whole)
    plain = normalise(value.text)[:STRING_INDEX_CHARS]
    for param, text, exact, parts in prepared.strings:
        if param != which or (bit and not parts & bit):
            continue
        if criterion.modifier == "exact":
            holds = text == plain and exact == value.text[:STRING_EXACT_CHARS]
        elif criterion.modifier == "contains":
            holds = plain in text
        else:
            holds = text.startswith(plain)
        if holds:
            return True
    return False
