"""How each R4 data type becomes search values; called by the generated extractors (`_generated/index_*.py`)."""

import re
from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache
from itertools import product
from typing import Any

from continuum.fhir.dates import interval
from continuum.fhir.types import TYPE_IDS
from continuum.kernel.clock import MAX_US, MIN_US
from continuum.kernel.limits import ADDRESSES_CACHED_MAX

Json = dict[str, Any]
_LOWEST = Decimal("-Infinity")
_HIGHEST = Decimal("Infinity")
_POINT = re.compile(r"[+-]?\d{1,20}(\.\d{1,20})?([eE][+-]?\d{1,2})?", re.ASCII).fullmatch
_SPECIAL = "http://terminology.hl7.org/CodeSystem/special-values"


class Part:
    """The values of one component of a composite, under one element."""

    __slots__ = ("dates", "numbers", "quantities", "references", "strings", "texts", "tokens", "uris")

    def __init__(self) -> None:
        self.tokens: list[tuple[Any, ...]] = []
        self.references: list[tuple[Any, ...]] = []
        self.strings: list[tuple[Any, ...]] = []
        self.dates: list[tuple[Any, ...]] = []
        self.numbers: list[tuple[Any, ...]] = []
        self.quantities: list[tuple[Any, ...]] = []
        self.uris: list[tuple[Any, ...]] = []
        self.texts: list[tuple[Any, ...]] = []

    def components(self) -> list[tuple[Any, ...]]:
        """The values as components of Index.composites."""
        found: list[tuple[Any, ...]] = [("token", *value[1:]) for value in self.tokens]
        for kind, values in (
            ("reference", self.references), ("string", self.strings), ("date", self.dates), ("number", self.numbers),
            ("quantity", self.quantities), ("uri", self.uris),
        ):  # fmt: skip
            if values:
                found += [(kind, *value[1:]) for value in values]
        return found


def combine(out: Any, code: str, *parts: Part) -> None:
    """Every combination of the components' values."""
    for values in product(*[part.components() for part in parts]):
        out.composites.append((code, *values))


@lru_cache(maxsize=ADDRESSES_CACHED_MAX)
def address_of(reference: str) -> str | None:
    """`Type/id` of a relative reference, without its version; None for any other."""
    parts = reference.split("/")
    if len(parts) >= 2 and parts[0] in TYPE_IDS and (len(parts) == 2 or (len(parts) == 4 and parts[2] == "_history")):
        return f"{parts[0]}/{parts[1]}"
    return None


def reference(out: Any, value: Json, codes: Iterable[str]) -> None:
    """A Reference: its target, and its logical identifier under `:identifier`."""
    text = value.get("reference")
    if text and text[0] != "#":
        target = address_of(text) or text.partition("/_history/")[0]
        for code in codes:
            out.references.append((code, target))
    display = value.get("display")
    if display:
        out.texts.extend((code, display) for code in codes)
    identifier = value.get("identifier")
    if identifier is not None:
        system, code_value = identifier.get("system", ""), identifier.get("value", "")
        if system or code_value:
            for code in codes:
                out.tokens.append((f"{code}:identifier", system, code_value))


def identifier_type(out: Any, value: Json, codes: Iterable[str]) -> None:
    """What kind of identifier it is: in words for `:text`, in codes for `:of-type`."""
    kind, number = value["type"], value.get("value")
    if "text" in kind:
        out.texts.extend((code, kind["text"]) for code in codes)
    for coding in kind.get("coding", ()):
        if "display" in coding:
            out.texts.extend((code, coding["display"]) for code in codes)
        if number and "code" in coding:
            out.typed.extend((code, coding.get("system", ""), coding["code"], number) for code in codes)


def points_to(value: Json, resource_type: str) -> bool:
    """`resolve() is Type`, decided by the reference's text or its `type`."""
    text = value.get("reference")
    if text and text[0] != "#":
        parts = text.partition("/_history/")[0].rsplit("/", 2)
        if len(parts) >= 2 and parts[-2] in TYPE_IDS:
            return bool(parts[-2] == resource_type)
    return bool(value.get("type") == resource_type)


def human_name(strings: list[tuple[Any, ...]], value: Json, codes: Iterable[str]) -> None:
    """Every part of a HumanName."""
    texts = [value.get("family"), value.get("text")]
    for name in ("given", "prefix", "suffix"):
        texts += value.get(name, ())
    strings.extend((code, text) for text in texts if text for code in codes)


def address(strings: list[tuple[Any, ...]], value: Json, codes: Iterable[str]) -> None:
    """Every part of an Address."""
    texts = [value.get(name) for name in ("text", "city", "district", "state", "postalCode", "country")]
    texts += value.get("line", ())
    strings.extend((code, text) for text in texts if text for code in codes)


def moment(value: str | None) -> tuple[int | None, int]:
    """A date, dateTime or instant."""
    if value is None:
        return None, 0
    try:
        return interval(value)
    except ValueError:  # what a validator would have refused has no place in time
        return None, 0


def period(value: Json) -> tuple[int | None, int]:
    """A Period; an end that is missing is open."""
    low, _ = moment(value.get("start"))
    start, (last, high) = value.get("start"), moment(value.get("end"))
    if start is None and last is None:
        return None, 0
    return (MIN_US if low is None else low), (MAX_US if last is None else high)


def timing(value: Json) -> tuple[int | None, int]:
    """A Timing: from the first to the last of its events and its bounds."""
    found = [moment(event) for event in value.get("event", ())]
    bounds = value.get("repeat", {}).get("boundsPeriod")
    if bounds is not None:
        found.append(period(bounds))
    known = [(low, high) for low, high in found if low is not None]
    if not known:
        return None, 0
    return min(low for low, _ in known), max(high for _, high in known)


def number(value: Any) -> tuple[Decimal | None, Decimal]:
    """An integer or decimal."""
    if value is None:
        return None, _HIGHEST
    exact = Decimal(value)
    return exact, exact


def range_bounds(value: Json) -> tuple[Decimal | None, Decimal]:
    """A Range without its units."""
    got = range_quantity(value)
    return (None, _HIGHEST) if got is None else (got[0], got[1])


def quantity(value: Json) -> tuple[Decimal, Decimal, str, str, str] | None:
    """A Quantity: a comparator opens one side."""
    amount = value.get("value")
    if amount is None:
        return None
    low = high = Decimal(amount)
    comparator = value.get("comparator")
    if comparator in {"<", "<="}:
        low = _LOWEST
    elif comparator in {">", ">="}:
        high = _HIGHEST
    return low, high, value.get("system", ""), value.get("code", ""), value.get("unit", "")


def money(value: Json) -> tuple[Decimal, Decimal, str, str, str] | None:
    """Money: its currency is its unit."""
    amount = value.get("value")
    if amount is None:
        return None
    exact = Decimal(amount)
    currency = value.get("currency", "")
    return exact, exact, "urn:iso:std:iso:4217" if currency else "", currency, currency


def range_quantity(value: Json) -> tuple[Decimal, Decimal, str, str, str] | None:
    """A Range of quantities; an end that is missing is open."""
    low, high = value.get("low"), value.get("high")
    either = low or high
    if either is None:
        return None
    return (
        Decimal(low["value"]) if low and "value" in low else _LOWEST,
        Decimal(high["value"]) if high and "value" in high else _HIGHEST,
        either.get("system", ""),
        either.get("code", ""),
        either.get("unit", ""),
    )


def sampled(value: Json) -> tuple[Decimal, Decimal, str, str, str] | None:
    """SampledData: from the least to the greatest of its values, in the unit of its origin (R4 §2.24.0.9).

    U and L are values beyond what the device can measure, E is none.
    """
    origin, factor = value["origin"], Decimal(value.get("factor", 1))
    at = Decimal(origin.get("value", 0))
    points = set(value.get("data", "").split())
    found = [at + Decimal(point) * factor for point in points if _POINT(point)]
    if "U" in points:
        found.append(_HIGHEST)
    if "L" in points:
        found.append(_LOWEST)
    if not found:
        return None
    return min(found), max(found), origin.get("system", ""), origin.get("code", ""), origin.get("unit", "")


def deceased(out: Any, patient: Json) -> None:
    """Patient.deceased: true when it is said and is not false, false for everybody else."""
    value = patient.get("deceasedBoolean", patient.get("deceasedDateTime", False))
    out.tokens.append(("deceased", _SPECIAL, "false" if value is False else "true"))


def finish(out: Any, resource: Json, patient_params: tuple[str, ...]) -> None:
    """The patient whose record the resource is part of."""
    if resource["resourceType"] == "Patient":
        out.patient_id = resource["id"]
        return
    for wanted in patient_params:
        for code, target in out.references:
            if code == wanted and target.startswith("Patient/"):
                out.patient_id = target[8:]
                return
