"""The search grammar of R4 (§3.1.1): from names and values, as they stand in a URL, to a `Query`. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from continuum.fhir.functional_lists import criteria_of
from continuum.fhir.grammar_filter import parse_filter
from continuum.fhir.grammar_sort import placed
from continuum.fhir.grammar_values import (
    OF_CODES,
    VALUE_READERS,
    coded_value,
    identifier_value,
    of_type_value,
    reference_value,
    split,
    unescape,
    words_value,
)
from continuum.fhir.query import (
    AllOf,
    Chain,
    Clause,
    Criterion,
    Has,
    Include,
    InCompartment,
    Query,
    SearchParam,
    Sort,
    Value,
)
from continuum.fhir.search_params import COMPARTMENTS, SINGLE_PAIRS, param, params
from continuum.fhir.text import normalise
from continuum.fhir.types import TYPE_IDS
from continuum.kernel.errors import DomainError, Malformed, UnknownParameter, UnusableParameter
from continuum.kernel.limits import (
    CHAIN_BRANCHES_MAX,
    CHAIN_DEPTH_MAX,
    PAGE_DEFAULT,
    PAGE_MAX,
    SEARCH_PARAMETERS_MAX,
    SEARCH_VALUES_MAX,
)

MODIFIERS = {
    "string": ("exact", "contains", "missing"),
    "token": ("not", "text", "of-type", "in", "not-in", "above", "below", "missing"),
    "reference": ("identifier", "text", "missing"),
    "date": ("missing",),
    "number": ("missing",),
    "quantity": ("missing",),
    "uri": ("above", "below", "missing"),
    "composite": ("missing",),
    "special": ("missing",),
    "words": (),
}
"""The modifiers that each kind of parameter takes; a reference also takes the name of a target type."""

TOTALS = ("none", "estimate", "accurate")
SUMMARIES = ("true", "text", "data", "count", "false")
PRESENTATION = frozenset({"_format", "_pretty"})
"""Parameters that say how to answer, not what to find; the API reads them."""


ASKED_OF_ANY = frozenset({"_has", "_list", "id"})
"""What may be asked of every type though it is no parameter of it."""


@dataclass(slots=True)
class _Draft:
    """A query while it is read."""

    resource_type: str
    base_url: str
    where: list[Clause] = field(default_factory=list)
    includes: list[Include] = field(default_factory=list)
    sort: list[Sort] = field(default_factory=list)
    count: int = PAGE_DEFAULT
    total: str = ""
    summary: str = ""
    elements: list[str] = field(default_factory=list)
    cursor: str = ""
    branches: int = 0
    """Types that chains have led to so far."""


def parse(
    resource_type: str,
    given: Sequence[tuple[str, str]],
    *,
    lenient: bool,
    compartment: tuple[str, str] | None = None,
    base_url: str = "",
) -> Query:
    """Reads a search.

    lenient: parameters that are not known are ignored and named in `Query.ignored` instead of refused.
    compartment: (type, id) for a compartment search. base_url: our own address, so that absolute references
    to ourselves are understood.

    Raises:
        UnknownParameter: a name that is not known; UnusableParameter: a modifier or value that cannot be used, which
            is never ignored. The words say what would be valid.
        Malformed: more than the named limits, or characters that no FHIR string can hold.
    """
    if len(given) > SEARCH_PARAMETERS_MAX:
        raise Malformed(f"A search takes at most {SEARCH_PARAMETERS_MAX} parameters; this one has {len(given)}.")
    draft = _Draft(resource_type, base_url.rstrip("/"))
    understood: list[tuple[str, str]] = []
    ignored: list[str] = []
    for name, text in given:
        if name in PRESENTATION:
            continue
        _refuse_unwritable(name, text)
        try:
            _read(draft, name, text)
        except UnknownParameter as error:
            if not lenient or isinstance(error, UnusableParameter):
                raise
            ignored.append(name)
        else:
            if name != "_cursor":
                understood.append((name, text))
    if compartment is not None:
        draft.where.append(_compartment(resource_type, *compartment))
    return Query(
        resource_type=resource_type,
        where=tuple(draft.where),
        includes=tuple(draft.includes),
        sort=placed(draft.sort, draft.where),
        count=draft.count,
        total=draft.total,
        summary=draft.summary,
        elements=tuple(draft.elements),
        cursor=draft.cursor,
        self_params=tuple(understood),
        ignored=tuple(ignored),
    )


def _refuse_unwritable(name: str, text: str) -> None:
    """R4 §2.24.0.1: no U+0000; and half of a surrogate pair is no character at all."""
    try:
        found = b"\0" in name.encode() or b"\0" in text.encode()
    except UnicodeEncodeError:
        found = True
    if found:
        shown = name.encode("ascii", "backslashreplace").decode().replace("\0", "\\0")
        raise Malformed(f"{shown} holds a character that may not stand in FHIR text.")


def _read(draft: _Draft, name: str, text: str) -> None:
    plain, _, modifier = name.partition(":")
    control = _CONTROLS.get(plain)
    if control is not None:
        control(draft, modifier, text)
    elif name == "_filter":
        draft.where += _filter(draft, text)
    elif plain == "_has":
        draft.where.append(_has(draft, modifier, text, 1))
    else:
        draft.where.append(_clause(draft, draft.resource_type, name, text, 1))


def _clause(draft: _Draft, resource_type: str, name: str, text: str, depth: int) -> Clause:
    """A criterion, a chain or a `_has` on a type."""
    if depth > CHAIN_DEPTH_MAX:
        raise Malformed(f"A chain has at most {CHAIN_DEPTH_MAX} links.")
    if name == "_list":
        return _on_list(draft, resource_type, text)
    if name.startswith("_has:"):
        return _has(draft, name[5:], text, depth)
    head, dot, rest = name.partition(".")
    code, _, modifier = head.partition(":")
    found = param(resource_type, code)
    if found is None:
        raise UnknownParameter(_unknown(resource_type, code))
    if dot:
        return _chain(draft, found, modifier, rest, text, depth)
    return _criterion(draft, found, modifier, text)


def _unknown(resource_type: str, code: str) -> str:
    known = ", ".join(sorted(params(resource_type)))
    return f"{resource_type} has no search parameter {code!r}. It has: {known}."


def _filter(draft: _Draft, text: str) -> tuple[Clause, ...]:
    """The clauses of a `_filter`; those that it joins by `and` stand beside the other criteria."""
    found = parse_filter(
        draft.resource_type,
        text,
        lambda resource_type, name, value: _clause(draft, resource_type, name, value, 1),
        lambda param, modifier, code, inner: _follow(draft, param, modifier, code, inner),
    )
    return found.clauses if isinstance(found, AllOf) else (found,)


def _chain(draft: _Draft, found: SearchParam, modifier: str, rest: str, text: str, depth: int) -> Chain:
    code = rest.partition(".")[0].partition(":")[0]
    return _follow(draft, found, modifier, code, lambda target: _clause(draft, target, rest, text, depth + 1))


def _follow(draft: _Draft, found: SearchParam, modifier: str, code: str, inner_of: Callable[[str], Clause]) -> Chain:
    """A chain through a reference to each type that has the parameter asked for."""
    if found.kind != "reference":
        raise UnusableParameter(f"{found.code} is a {found.kind}, not a reference; it cannot be chained.")
    if modifier and modifier not in TYPE_IDS:
        raise UnusableParameter(f"{found.code}:{modifier}: {modifier} is not a resource type.")
    candidates = (modifier,) if modifier else (found.targets or tuple(TYPE_IDS))
    inner: list[tuple[str, Clause]] = []
    refusal: DomainError | None = None
    for target in candidates:
        if code not in ASKED_OF_ANY and param(target, code) is None:
            continue
        draft.branches += 1
        if draft.branches > CHAIN_BRANCHES_MAX:
            raise Malformed(
                f"The chain leads to more than {CHAIN_BRANCHES_MAX} types;"
                f" say which one is meant, as in {found.code}:{target}.{code}."
            )
        try:
            inner.append((target, inner_of(target)))
        except UnknownParameter as error:
            refusal = error
    if not inner:
        raise refusal or UnknownParameter(_unknown(candidates[0], code))
    return Chain(found, tuple(target for target, _ in inner), tuple(inner))


def _has(draft: _Draft, spec: str, text: str, depth: int) -> Has:
    if depth > CHAIN_DEPTH_MAX:
        raise Malformed(f"A chain has at most {CHAIN_DEPTH_MAX} links.")
    parts = spec.split(":", 2)
    if len(parts) != 3 or parts[0] not in TYPE_IDS:
        raise UnusableParameter("_has is written _has:Type:reference-parameter:parameter=value.")
    source, code, rest = parts
    found = param(source, code)
    if found is None:
        raise UnknownParameter(_unknown(source, code))
    if found.kind != "reference":
        raise UnusableParameter(f"{source}.{code} is a {found.kind}, not a reference.")
    return Has(found, _clause(draft, source, rest, text, depth + 1))


def _on_list(draft: _Draft, resource_type: str, text: str) -> Clause:
    """`_list=42`: what the List 42 has as an item; `_list=$current-problems`: what is current (R4 §3.1.1.4.15)."""
    if text.startswith("$"):
        return AllOf(tuple(_clause(draft, resource_type, *one, 1) for one in criteria_of(text, resource_type)))
    ids = [one.removeprefix("List/") for one in text.split(",") if one]
    if not ids:
        raise UnusableParameter("_list has no value; it takes the id of a List.")
    if any(one.startswith("$") for one in ids):
        raise UnusableParameter(f"_list takes ids of Lists, or one functional list alone, not {text}.")
    item, own = param("List", "item"), param("List", "_id")
    assert item is not None, f"R4 gives List its items, of which a {resource_type} may be one"
    assert own is not None, "every type has it"
    return Has(item, Criterion(own, "", tuple(Value(one, code=one) for one in ids)))


def _criterion(draft: _Draft, found: SearchParam, modifier: str, text: str) -> Criterion:
    if modifier and modifier not in MODIFIERS[found.kind] and not (found.kind == "reference" and modifier in TYPE_IDS):
        valid = ", ".join(f":{name}" for name in MODIFIERS[found.kind]) or "none"
        raise UnusableParameter(f"{found.code} does not take :{modifier}. Of modifiers, a {found.kind} takes {valid}.")
    if modifier == "of-type" and not found.typed:
        raise UnusableParameter(f"{found.code} does not take :of-type; only identifiers say of what type they are.")
    if modifier == "missing":
        if text not in {"true", "false"}:
            raise UnusableParameter(f"{found.code}:missing is true or false, not {text!r}.")
        return Criterion(found, modifier, (Value(text),))
    texts = split(text, ",")
    if len(texts) > SEARCH_VALUES_MAX:
        raise Malformed(f"{found.code} takes at most {SEARCH_VALUES_MAX} values.")
    if not any(texts):
        raise UnknownParameter(f"{found.code} has no value.")
    return Criterion(found, modifier, tuple(_value(draft, found, modifier, one) for one in texts if one))


def _value(draft: _Draft, found: SearchParam, modifier: str, text: str) -> Value:
    if modifier == "text" or found.kind == "words":
        return words_value(found.code, text)
    if modifier == "of-type":
        return of_type_value(found.code, text)
    if found.kind == "reference":
        if modifier == "identifier":
            return identifier_value(text)
        return reference_value(found, modifier, text, draft.base_url)
    if found.kind == "composite":
        return _composite(draft, found, text)
    if found.kind == "token" and modifier in OF_CODES:
        return coded_value(found, modifier, text)
    if found.kind == "string" and modifier not in ("exact", "missing") and text and not normalise(unescape(text)):
        # As the beginning of a name, nothing would match everybody.
        raise UnusableParameter(f"{found.code} needs a letter or digit to look for; {text} has none.")
    return VALUE_READERS[found.kind](found.code, text)


def _composite(draft: _Draft, found: SearchParam, text: str) -> Value:
    parts = split(text, "$")
    if len(parts) != len(found.components):
        names = "$".join(code for code, _ in found.components)
        raise UnusableParameter(f"{found.code} is written {names}.")
    read = []
    for (code, kind), part in zip(found.components, parts, strict=True):
        component = param(found.resource_type, code) or replace(found, code=code, kind=kind, components=())
        one = _value(draft, replace(component, kind=kind), "", part)
        if kind == "token" and one.code is None and (found.resource_type, found.code) not in SINGLE_PAIRS:
            raise UnusableParameter(f"{found.code} needs a code, not only a system, of {code}: {part!r} has none.")
        read.append(one)
    return Value(text, parts=tuple(read))


def _compartment(resource_type: str, compartment_type: str, compartment_id: str) -> InCompartment:
    members = COMPARTMENTS.get(compartment_type)
    if members is None:
        raise UnusableParameter(f"There is no {compartment_type} compartment; there are: {', '.join(COMPARTMENTS)}.")
    if resource_type not in members:
        raise UnusableParameter(f"{resource_type} is not part of the {compartment_type} compartment.")
    found = [param(resource_type, code) for code in members[resource_type]]
    return InCompartment(compartment_type, compartment_id, tuple(one for one in found if one is not None))


def _include(draft: _Draft, modifier: str, text: str, *, reverse: bool) -> None:
    if modifier not in {"", "iterate", "recurse"}:
        raise UnusableParameter(f"_include takes :iterate, not :{modifier}.")
    iterate = modifier != ""
    if text == "*":
        draft.includes.append(Include("*", None, None, reverse, iterate))
        return
    source, _, rest = text.partition(":")
    code, _, target = rest.partition(":")
    if source not in TYPE_IDS or not code or (target and target not in TYPE_IDS):
        raise UnusableParameter("An include is written Type:parameter or Type:parameter:TargetType.")
    if code == "*":
        draft.includes.append(Include(source, None, target or None, reverse, iterate))
        return
    found = param(source, code)
    if found is None:
        raise UnknownParameter(_unknown(source, code))
    if found.kind != "reference":
        raise UnusableParameter(f"{source}.{code} is a {found.kind}, not a reference; it cannot be included.")
    draft.includes.append(Include(source, found, target or None, reverse, iterate))


def _sort(draft: _Draft, modifier: str, text: str) -> None:
    if modifier:
        raise UnusableParameter("_sort takes no modifier; a minus before a name sorts downwards.")
    for one in text.split(","):
        code = one.removeprefix("-")
        found = param(draft.resource_type, code)
        if found is None:
            raise UnknownParameter(_unknown(draft.resource_type, code))
        if found.kind == "words":
            raise UnknownParameter(f"{code} looks for words anywhere; results cannot be sorted by it.")
        draft.sort.append(Sort(found, one.startswith("-")))


def _count(draft: _Draft, modifier: str, text: str) -> None:
    if modifier or not text.isdecimal() or len(text) > 9:
        raise UnusableParameter(f"_count is a whole number from 0 to {PAGE_MAX}, not {text!r}.")
    draft.count = min(int(text), PAGE_MAX)
    if draft.count == 0:
        draft.summary = "count"


def _choice(name: str, valid: tuple[str, ...], of: str = "") -> Callable[[_Draft, str, str], None]:
    def read(draft: _Draft, modifier: str, text: str) -> None:
        if modifier or text not in valid:
            raise UnusableParameter(f"_{name} is one of {', '.join(valid)}, not {text!r}.")
        setattr(draft, of or name, {"count": "accurate"}.get(text, text) if of else text)

    return read


def _elements(draft: _Draft, _: str, text: str) -> None:
    draft.elements.extend(name.strip() for name in text.split(",") if name.strip())


def _cursor(draft: _Draft, _: str, text: str) -> None:
    draft.cursor = text


_CONTROLS: dict[str, Callable[[_Draft, str, str], None]] = {
    "_include": lambda draft, modifier, text: _include(draft, modifier, text, reverse=False),
    "_revinclude": lambda draft, modifier, text: _include(draft, modifier, text, reverse=True),
    "_sort": _sort,
    "_count": _count,
    "_total": _choice("total", TOTALS),
    "_totalMethod": _choice(
        "totalMethod", ("count", "estimate", "none"), of="total"
    ),  # Aidbox's, by which fhirpy counts
    "_summary": _choice("summary", SUMMARIES),
    "_elements": _elements,
    "_cursor": _cursor,
}

CONTROL_PARAMETERS = tuple(_CONTROLS)
"""The parameters of every search that are not criteria."""
