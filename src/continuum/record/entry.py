"""From a resource to the rows that it becomes: validated, indexed, serialised, keyed. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from itertools import product
from typing import Any

from continuum.fhir.index import Index, extract
from continuum.fhir.search_params import ALONE_SHIFT, MAIN_DATE, PRESENCE, UNLISTED_URIS
from continuum.fhir.text import MORE_GRAMS, normalise
from continuum.fhir.types import TYPE_IDS
from continuum.fhir.ucum import UCUM, Unit
from continuum.fhir.validate import validate
from continuum.fhir.values import address_of
from continuum.kernel.errors import Invalid, Malformed
from continuum.kernel.limits import (
    ADDRESSES_CACHED_MAX,
    GRAMS_CACHED_CHARS,
    GRAMS_MAX,
    STRING_EXACT_CHARS,
    STRING_INDEX_CHARS,
)
from continuum.record.body import tail
from continuum.record.claims import CLAIMING_TYPES, claimed
from continuum.record.days import DAYED, file_days
from continuum.record.geography import filed_longitude
from continuum.record.keys import Keys, param_id
from continuum.record.model import Mark
from continuum.record.relations import Relation, relations
from continuum.record.words import file_words

LABEL_BITS = {
    "R": 1,  # v3-Confidentiality restricted
    "V": 2,  # v3-Confidentiality very restricted
    "ETH": 4,  # substance use
    "ETHUD": 4,
    "42CFRPart2": 4,
    "PSY": 8,  # psychiatry, behavioural health
    "BH": 8,
    "MH": 8,
    "SEX": 16,  # sexuality and reproductive health
    "STD": 16,
    "HIV": 32,
    "VIP": 64,
    "CEL": 64,
}
"""The bit of `labels` for each sensitivity code of v3-Confidentiality and v3-ActCode."""

_LINK = re.compile(rb'"reference":"([A-Z][A-Za-z]*/[A-Za-z0-9\-.]{1,64})(?:/_history/[^"/]*)?"')

StringRow = tuple[int, str, str, int]
"""param, value, exact, parts: a row of record.string without its row id."""
QuantityRow = tuple[int, float, float, int | None, int | None, int | None, Decimal | None, Decimal | None]
"""key, low, high, unit, system_unit, under, exact_low, exact_high: a row of record.quantity without its row id."""


@dataclass(slots=True)
class Prepared:
    """A resource ready to be written: everything but its row id, version and time."""

    resource: dict[str, Any]
    resource_type: str
    type_id: int
    id: str
    labels: int
    self_key: int
    patient_id: str | None
    patient: int | None
    date_low: int | None
    date_high: int | None
    present: int
    """A bit of PRESENCE for each parameter that has a value."""
    tail: bytes
    ref_params: list[int]
    refs: list[int]
    keys: list[int]
    links: list[str]
    """ "Type/id" of every local reference anywhere in the resource, each once."""
    strings: list[StringRow] = field(default_factory=list)
    dates: list[tuple[int, int, int]] = field(default_factory=list)
    quantities: list[QuantityRow] = field(default_factory=list)
    measures: dict[int, Unit] = field(default_factory=dict)
    """The units of its quantities that others can be compared with, by Keys.measure."""
    relations: list[Relation] = field(default_factory=list)
    """Who has to do with its patient, as it says."""
    claims: list[tuple[int, str]] = field(default_factory=list)
    """What it holds, and nobody else may: key and Slot.id of rows of record.claim."""
    marks: dict[int, Mark] = field(default_factory=dict)
    """Its profiles, security labels and tags, by their keys."""


def prepare(resource: dict[str, Any], keys: Keys) -> Prepared:
    """Validates and indexes a resource that has its `id`.

    Raises:
        Malformed: there is no type that R4 knows.
        Invalid: the structure breaks R4; the issues say where.
    """
    resource_type = resource.get("resourceType")
    type_id = TYPE_IDS.get(resource_type) if isinstance(resource_type, str) else None
    if resource_type is None or type_id is None:
        raise Malformed("The resource needs a resourceType that FHIR R4 knows.")
    issues = validate(resource)
    errors = tuple(issue for issue in issues if issue.severity in ("error", "fatal")) if issues else ()
    if errors:
        raise Invalid(f"The {resource_type} is not valid FHIR R4.", issues=errors)
    return arrange(resource, resource_type, type_id, keys)


def arrange(resource: dict[str, Any], resource_type: str, type_id: int, keys: Keys) -> Prepared:
    """Indexes a resource whose structure is known to be valid."""
    index = extract(resource)
    patient_id = index.patient_id
    resource_id: str = resource["id"]
    text = tail(resource)
    measures: dict[int, Unit] = {}
    # What is inside a stored document or message is a copy whose references lead to its own entries first.
    links = [] if resource_type == "Bundle" else links_of(text)
    wanted, present = _exact_keys(index, links, resource_type, keys)
    date_low, date_high, dates = _dates(index, resource_type)
    strings = _strings(index, resource_type, wanted, keys)
    file_words(resource, index, keys.of_type[resource_type], wanted)
    if resource_type in DAYED:
        wanted.update(file_days(index, resource_type, date_low, date_high, keys))
    ref_params = []
    refs = []
    local, params = keys.local, keys.of_type[resource_type].params
    for param, target in index.references:
        to = local[target]
        if to is not None:
            ref_params.append(params[param])
            refs.append(to)
    return Prepared(
        resource=resource,
        resource_type=resource_type,
        type_id=type_id,
        id=resource_id,
        labels=_labels(resource),
        self_key=keys.self_key(resource_type, resource_id),
        patient_id=patient_id,
        patient=None if patient_id is None else local[f"Patient/{patient_id}"],
        date_low=date_low,
        date_high=date_high,
        present=present,
        tail=text,
        ref_params=ref_params,
        refs=refs,
        keys=list(wanted),
        links=links,
        strings=strings,
        dates=dates,
        quantities=_quantities(index, resource_type, keys, measures),
        measures=measures,
        relations=relations(resource, keys, _bits) if patient_id is not None else [],
        claims=claimed(resource, keys) if resource_type in CLAIMING_TYPES else [],
        marks=_marks(resource["meta"], resource_type, keys) if resource.get("meta") else {},
    )


def links_of(text: bytes) -> list[str]:
    """The local references in a resource's JSON text as `dump` writes it: no other element is called `reference`."""
    found = dict.fromkeys(_LINK.findall(text))
    return [link for link in map(_link, found) if link is not None]


@lru_cache(maxsize=ADDRESSES_CACHED_MAX)
def _link(found: bytes) -> str | None:
    link = found.decode()
    return link if link.partition("/")[0] in TYPE_IDS else None


def locations(resource: dict[str, Any], target: str) -> list[str]:
    """Where a resource refers to `target`, as FHIRPath; asked only when something is wrong with it."""
    found: list[str] = []

    def walk(node: Any, at: str) -> None:
        if isinstance(node, dict):
            text = node.get("reference")
            if isinstance(text, str) and address_of(text) == target:
                found.append(at)
            for name, value in node.items():
                walk(value, f"{at}.{name}")
        elif isinstance(node, list):
            for number, value in enumerate(node):
                walk(value, f"{at}[{number}]")

    walk(resource, resource["resourceType"])
    return found


def _exact_keys(index: Index, links: Iterable[str], resource_type: str, keys: Keys) -> tuple[set[int], int]:
    """Tokens, references, uris and exact composites; and which parameters have values."""
    mine = keys.of_type[resource_type]
    wanted: set[int] = set()
    add = wanted.add
    wanted.update(
        *map(mine.tokens.__getitem__, index.tokens),
        *map(mine.references.__getitem__, index.references),
        *map(mine.uris.__getitem__, index.uris),
        map(keys.address, links),
    )
    for typed in index.typed:
        add(keys.of_type_token(resource_type, *typed))
    for param, *parts in index.composites:
        exact = [_component_forms(part) for part in parts]
        for combination in product(*exact) if all(exact) else ():
            add(keys.composite(resource_type, param, *combination))
    named = {
        value[0]
        for values in (
            index.tokens, index.references, index.uris, index.strings, index.dates, index.numbers, index.quantities,
            index.positions, index.composites,
        )
        for value in values
    }  # fmt: skip
    bits = PRESENCE[resource_type]
    return wanted, sum([bits[param] for param in named if param in bits])


def _component_forms(part: tuple[Any, ...]) -> list[str]:
    """The exact forms of a composite's component; none for ranges, which are rechecked or filed elsewhere."""
    kind = part[0]
    if kind == "token":
        return [f"*|{part[2]}", f"{part[1]}|{part[2]}"] if part[2] else []
    if kind in ("reference", "uri"):
        return [part[1]]
    return []


def _dates(index: Index, resource_type: str) -> tuple[int | None, int | None, list[tuple[int, int, int]]]:
    """The hull of the type's main date, and rows for every other date (and for a main date with several values)."""
    if not index.dates:
        return None, None, []
    main = MAIN_DATE.get(resource_type)
    if len(index.dates) == 1 and index.dates[0][0] == main:
        return index.dates[0][1], index.dates[0][2], []
    mains = [value for value in index.dates if value[0] == main]
    low = min([value[1] for value in mains], default=None)
    high = max([value[2] for value in mains], default=None)
    rows = [
        (param_id(resource_type, param), first, last)
        for param, first, last in index.dates
        if param != main or len(mains) > 1
    ]
    return low, high, rows


def _strings(index: Index, resource_type: str, wanted: set[int], keys: Keys) -> list[StringRow]:
    """Rows of normalised strings, and of uris for `:below`; the trigrams of names join the row's keys.

    What is the only family name of its resource says so (ALONE_SHIFT), and nobody has to look for others.
    """
    mine = keys.of_type[resource_type]
    rows = [
        (mine.params[param], value[:STRING_INDEX_CHARS], value[:STRING_EXACT_CHARS], 0)
        for param, value in index.uris
        if param not in UNLISTED_URIS
    ]
    if not index.strings:
        return rows
    filed = mine.strings
    texts: dict[tuple[tuple[int, bool], str], int] = {}
    for param, text in index.strings:
        whole, bit = filed[param]
        texts[whole, text] = texts.get((whole, text), 0) | bit
    once: dict[tuple[int, bool], int] = {}
    again: dict[tuple[int, bool], int] = {}
    for (whole, _), bits in texts.items():
        before = once.get(whole, 0)
        if before & bits:
            again[whole] = again.get(whole, 0) | before & bits
        once[whole] = before | bits
    grams: set[int] = set()
    for (whole, text), bits in texts.items():
        number, has_grams = whole
        plain = normalise(text)[:STRING_INDEX_CHARS]
        alone = bits & ~again[whole] if whole in again else bits
        rows.append((number, plain, text[:STRING_EXACT_CHARS], bits | alone << ALONE_SHIFT))
        if not has_grams:
            continue
        if len(grams) < GRAMS_MAX:
            grams.update(mine.grams[plain] if len(plain) <= GRAMS_CACHED_CHARS else mine.gram_keys(plain))
        else:
            grams.add(mine.gram[MORE_GRAMS])
    wanted |= grams
    return rows


def _quantities(index: Index, resource_type: str, keys: Keys, measures: dict[int, Unit]) -> list[QuantityRow]:
    """Rows of positions, numbers and quantities, and of those filed under the code that they belong to; their units."""
    rows: list[QuantityRow] = []
    for param, latitude, longitude in index.positions:
        key = keys.quantity(resource_type, param)
        rows.append((key, latitude, filed_longitude(longitude), None, None, None, None, None))
    for param, low, high in index.numbers:
        rows.append(_quantity_row(keys.quantity(resource_type, param), low, high, (None, None), None))
    for param, low, high, system, code, unit in index.quantities:
        units = _units(system, code, unit, keys, measures)
        rows.append(_quantity_row(keys.quantity(resource_type, param), low, high, units, None))
    for param, (kind, *token), *parts in index.composites:
        if kind != "token" or not token[1] or parts[0][0] not in {"quantity", "number"}:
            continue
        system, code = token
        key, under = keys.quantity_under(resource_type, param, code), keys.of(system)
        if len(parts) == 2:  # where a stretch begins, and where it ends
            rows.append(_quantity_row(key, parts[0][1], parts[1][2], (None, None), under))
            continue
        _, low, high, unit_system, unit_code, unit = (*parts[0], "", "", "")[:6]
        units = _units(unit_system, unit_code, unit, keys, measures)
        rows.append(_quantity_row(key, low, high, units, under))
    return rows


def _quantity_row(
    key: int, low: Decimal, high: Decimal, units: tuple[int | None, int | None], under: int | None
) -> QuantityRow:
    first = float(low)
    if high is low:
        exact = None if Decimal(repr(first)) == low else low
        return key, first, first, *units, under, exact, exact
    last = float(high)
    exact_low = None if Decimal(repr(first)) == low else low
    exact_high = None if Decimal(repr(last)) == high else high
    return key, first, last, *units, under, exact_low, exact_high


def _units(system: str, code: str, unit: str, keys: Keys, measures: dict[int, Unit]) -> tuple[int | None, int | None]:
    named = code or unit
    plain = keys.unit(None, named) if named else None
    if system != UCUM or not code:
        return plain, keys.unit(system, code) if system and code else None
    measure = keys.measures[code]
    if measure is None:
        return plain, keys.unit(system, code)
    measures[measure[0]] = measure[1]
    return plain, measure[0]


def _labels(resource: dict[str, Any]) -> int:
    return _bits((resource.get("meta") or {}).get("security", ()))


def _marks(meta: dict[str, Any], resource_type: str, keys: Keys) -> dict[int, Mark]:
    """What has no code is left out: it is filed as any of its system."""
    found = [("profile", "", url) for url in meta.get("profile", ()) if url]
    for element in ("security", "tag"):
        found += [(element, one.get("system") or "", one["code"]) for one in meta.get(element, ()) if one.get("code")]
    key_of = keys.of_type[resource_type].marks
    return {key_of[mark]: Mark(resource_type, *mark) for mark in found}


def _bits(codings: Iterable[dict[str, Any]]) -> int:
    """The sensitivity bits of codings."""
    bits = 0
    for coding in codings:
        bits |= LABEL_BITS.get(coding.get("code", ""), 0)
    return bits
