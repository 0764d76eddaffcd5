"""From the code of a unit to what it measures and by what factor (UCUM 2.1 §2-§12). Pure.

A product is a dimension, written as its bases with their exponents, and a factor, an exact fraction. Two units are
commensurable when their dimensions are equal. Annotations in braces say nothing about the size of a unit.
"""

import re
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from continuum.fhir.limits import (
    UNIT_CHARS_MAX,
    UNIT_DEPTH_MAX,
    UNIT_DIGITS_MAX,
    UNIT_EXPONENT_MAX,
    UNIT_FORM_CHARS_MAX,
    UNITS_CACHED_MAX,
)
from continuum.fhir.ucum.atoms import AFFINE, ARBITRARY, ARBITRARY_METRIC, BASES, METRIC, PLAIN, PREFIXES

UCUM = "http://unitsofmeasure.org"
"""The code system of units that FHIR names."""

_ONE = Fraction(1)
_ANNOTATION = re.compile(r"\{[\x20-\x7a\x7c\x7e]*\}")
_NUMBER = re.compile(rf"\d{{1,{UNIT_DIGITS_MAX}}}", re.ASCII)
_SYMBOL = re.compile(r"(?:10[*^]|(?:\[[^\]]*\]|[A-Za-z_%]|'{1,2})+)", re.ASCII)
_EXPONENT = re.compile(r"[+-]?\d{1,2}", re.ASCII)
_DECIMAL = re.compile(r"(?<![\w\]*^])\d+\.(?!10[*^])\d", re.ASCII)
"""UCUM has no decimals: `1.73.m2` would be 1 times 73 times m2, which nobody who writes it means."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit: so many of it are factor times number + offset of what its dimension is measured in.

    dimension: the bases and their exponents, as in `g1.m-3`; "1" for a mere number.
    """

    dimension: str
    factor: Fraction
    offset: Fraction = Fraction(0)

    def canonical(self, number: Decimal | Fraction) -> Fraction:
        """The number in the base units of the dimension, exactly."""
        return self.factor * Fraction(number) + self.offset

    def of_canonical(self, number: Fraction) -> Fraction:
        """The number in this unit of so many base units of the dimension, exactly."""
        return (number - self.offset) / self.factor

    @property
    def form(self) -> str:
        """What two units have in common that are the same whatever they are called: `dimension factor offset`."""
        return f"{self.dimension} {self.factor} {self.offset}"

    @staticmethod
    def of_form(form: str) -> "Unit":
        """The unit of a form."""
        dimension, factor, offset = form.split(" ")
        return Unit(dimension, Fraction(factor), Fraction(offset))


class _Unreadable(Exception):
    """The code is not one of UCUM's, or not one that is known here."""


_Product = tuple[Fraction, Counter[str]]


@lru_cache(maxsize=UNITS_CACHED_MAX)
def unit_of(code: str) -> Unit | None:
    """The unit of a UCUM code (case sensitive); None for one that is unknown, comparable only with itself."""
    if len(code) > UNIT_CHARS_MAX:
        return None
    plain = _ANNOTATION.sub("", code)
    if _DECIMAL.search(plain):
        return None
    affine = AFFINE.get(plain)
    if affine is not None:
        dimension, factor, offset = affine
        return Unit(f"{dimension}1", Fraction(factor), Fraction(offset))
    try:
        factor_found, bases = _Reader(code).whole()
    except _Unreadable:
        return None
    dimension = ".".join(f"{base}{power}" for base, power in sorted(bases.items()) if power) or "1"
    unit = Unit(dimension, factor_found)
    return unit if len(unit.form) <= UNIT_FORM_CHARS_MAX else None


class _Reader:
    """Reads one code from its beginning to its end."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def whole(self) -> _Product:
        """All of the code: a term, or one under a leading solidus."""
        if not self._text:
            raise _Unreadable
        found = self._leading(0)
        if self._at != len(self._text) or not found[0]:
            raise _Unreadable
        return found

    def _leading(self, depth: int) -> _Product:
        if self._skips("/"):
            return self._rest(_times((_ONE, Counter()), self._component(depth), -1), depth)
        return self._rest(self._component(depth), depth)

    def _rest(self, so_far: _Product, depth: int) -> _Product:
        """What follows by `.` or `/`, from left to right: both bind equally."""
        while self._at < len(self._text):
            if self._skips("."):
                so_far = _times(so_far, self._component(depth), 1)
            elif self._skips("/"):
                so_far = _times(so_far, self._component(depth), -1)
            else:
                break
        return so_far

    def _component(self, depth: int) -> _Product:
        if self._skips("("):
            if depth >= UNIT_DEPTH_MAX:
                raise _Unreadable
            found = self._leading(depth + 1)
            if not self._skips(")"):
                raise _Unreadable
            self._takes(_ANNOTATION)
            return found
        symbol = self._takes(_SYMBOL)
        if symbol is not None:
            found = self._raised(_symbol(symbol))
            self._takes(_ANNOTATION)
            return found
        number = self._takes(_NUMBER)
        if number is None and self._takes(_ANNOTATION) is None:
            raise _Unreadable
        self._takes(_ANNOTATION)
        return Fraction(number or 1), Counter()

    def _raised(self, base: _Product) -> _Product:
        written = self._takes(_EXPONENT)
        if written is None:
            return base
        if not 0 < abs(int(written)) <= UNIT_EXPONENT_MAX:
            raise _Unreadable
        return _times((_ONE, Counter()), base, int(written))

    def _skips(self, char: str) -> bool:
        if self._text[self._at : self._at + 1] != char:
            return False
        self._at += 1
        return True

    def _takes(self, pattern: re.Pattern[str]) -> str | None:
        found = pattern.match(self._text, self._at)
        if found is None:
            return None
        self._at = found.end()
        return found.group()


def _times(left: _Product, right: _Product, power: int) -> _Product:
    bases = left[1].copy()
    for base, exponent in right[1].items():
        bases[base] += exponent * power
    if not right[0]:
        raise _Unreadable
    return left[0] * right[0] ** power, bases


@lru_cache(maxsize=UNITS_CACHED_MAX)
def _symbol(symbol: str) -> _Product:
    """A unit without an exponent: known as it stands, or by a prefix."""
    whole = _atom(symbol, prefixed=False)
    if whole is not None:
        return whole
    for length in (1, 2):
        power = PREFIXES.get(symbol[:length])
        atom = _atom(symbol[length:], prefixed=True) if power is not None else None
        if power is not None and atom is not None:
            return atom[0] * Fraction(10) ** power, atom[1]
    raise _Unreadable


def _atom(code: str, *, prefixed: bool) -> _Product | None:
    if code in BASES or code in (ARBITRARY_METRIC if prefixed else ARBITRARY):
        return _ONE, Counter({code: 1})
    defined = METRIC.get(code) or (None if prefixed else PLAIN.get(code))
    if code == "''" and not prefixed:
        return _ONE, Counter({code: 1})
    if defined is None:
        return None
    factor, expression = defined
    found = _Reader(expression).whole()
    return Fraction(factor) * found[0], found[1]
