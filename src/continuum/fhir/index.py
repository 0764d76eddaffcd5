"""What one resource says to every search parameter of its type, before anything is hashed or stored.

The generated extractors (`fhir/_generated/index_<type>.py`) fill an `Index`; `record/` turns it into rows.
All instants are microseconds since 1970 UTC (`kernel/clock.py`), as closed intervals [low, high]; an open
end is MIN_US or MAX_US. A date without a time zone means UTC.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any

Component = tuple[Any, ...]
"""One component of a composite: ("token", system, code), ("quantity", low, high, system, code, unit),
("date", low, high), ("string", text), ("reference", target), ("uri", value) or ("number", low, high)."""


class Index:
    """The search values of one resource. Every list holds tuples that begin with the parameter's code.

    tokens       (param, system, code); "" where the element has none. References with a logical identifier
                 add (f"{param}:identifier", system, value).
    references   (param, target): "Type/id" for a relative or own reference, else the URL as written;
                 a versioned reference is filed without its version.
    strings      (param, text) as written.
    dates        (param, low_us, high_us).
    numbers      (param, low, high) as exact Decimals.
    quantities   (param, low, high, system, code, unit); Decimals, and "" where the element has none.
    uris         (param, value); canonicals as written (with `|version` when present).
    composites   (param, component, component, …), one tuple per pair of values that belong together.
    positions    (param, latitude, longitude) in degrees.
    texts        (param, text) that stands beside a code or a reference: its display, the text of its concept, or
                 the kind of an identifier in words.
    typed        (param, type's system, type's code, value) of identifiers that say of what kind they are.
    patient_id   the logical id of the patient in whose compartment the resource lies first, or None.
    """

    __slots__ = (
        "composites", "dates", "numbers", "patient_id", "positions", "quantities", "references",
        "strings", "texts", "tokens", "typed", "uris",
    )  # fmt: skip

    def __init__(self) -> None:
        self.tokens: list[tuple[str, str, str]] = []
        self.references: list[tuple[str, str]] = []
        self.strings: list[tuple[str, str]] = []
        self.dates: list[tuple[str, int, int]] = []
        self.numbers: list[tuple[str, Any, Any]] = []
        self.quantities: list[tuple[str, Any, Any, str, str, str]] = []
        self.uris: list[tuple[str, str]] = []
        self.composites: list[tuple[Any, ...]] = []
        self.positions: list[tuple[str, float, float]] = []
        self.texts: list[tuple[str, str]] = []
        self.typed: list[tuple[str, str, str, str]] = []
        self.patient_id: str | None = None


_extractors: dict[str, Callable[[dict[str, Any], Index], None]] = {}


def extract(resource: dict[str, Any]) -> Index:
    """The search values of a structurally valid resource."""
    resource_type = resource["resourceType"]
    extractor = _extractors.get(resource_type)
    if extractor is None:
        module = import_module(f"continuum.fhir._generated.index_{resource_type.lower()}")
        extractor = _extractors[resource_type] = module.index
    index = Index()
    extractor(resource, index)
    return index
