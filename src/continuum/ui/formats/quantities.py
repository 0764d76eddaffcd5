"""Measured values as text. A decimal keeps the digits it was measured with: 5.0 is not 5 (R4 §2.24.0.1)."""

from decimal import Decimal
from functools import lru_cache

from babel.numbers import format_decimal

from continuum.ui.formats.times import locale_of
from continuum.ui.limits import (
    NUMBERS_CACHED_MAX,
)

NARROW_SPACE = "\u202f"
NO_BREAK = "\u00a0"

_UNITS = {
    "Cel": "°C",
    "[degF]": "°F",
    "mm[Hg]": "mmHg",
    "[in_i]": "in",
    "[lb_av]": "lb",
    "kg/m2": "kg/m²",
    "/min": "/min",
    "{beats}/min": "/min",
    "10*3/uL": "\u00d710³/µL",
    "10*6/uL": "\u00d710⁶/µL",
    "10*9/L": "\u00d710⁹/L",
    "ug/L": "µg/L",
    "ug": "µg",
    "umol/L": "µmol/L",
    "uL": "µL",
    "[iU]/L": "IU/L",
    "m[IU]/L": "mIU/L",
    "mL/min/{1.73_m2}": "mL/min/1.73 m²",
    "1": "",
}
"""UCUM codes that are not what people write, and what they write."""


def unit(code: str) -> str:
    """A UCUM code as people write it; `{annotations}` fall away."""
    if code in _UNITS:
        return _UNITS[code]
    return "" if code.startswith("{") and code.endswith("}") else code


@lru_cache(maxsize=NUMBERS_CACHED_MAX)
def _number(text: str, language: str) -> str:
    """Kept, because the same values come again and again; by text, because 5.0 equals 5 and is not 5."""
    exact = Decimal(text)
    _, digits, exponent = exact.as_tuple()
    decimals = max(-exponent, 0) if isinstance(exponent, int) else 0
    whole = len(digits) + (exponent if isinstance(exponent, int) else 0)
    pattern = ("#,##0" if whole > 4 else "0") + ("." + "0" * decimals if decimals else "")
    shown: str = format_decimal(exact, pattern, locale=locale_of(language))
    return shown.replace("-", "\u2212", 1) if shown.startswith("-") else shown


def number(value: Decimal | float, language: str) -> str:
    """A number with the digits it was given, in groups of three from 10,000 on.

    Args:
        value: exact; a float is taken as its shortest text.
        language: of the reader.
    """
    return _number(str(value), language)


def quantity(value: Decimal | float, unit_code: str, language: str, comparator: str = "") -> str:
    """A value and its unit, which stay on one line: `< 5.0 mg/dL`, `36.9 °C`, `98%`."""
    shown = number(value, language)
    name = unit(unit_code)
    sign = {"<=": "≤", ">=": "≥"}.get(comparator, comparator)
    text = f"{sign}{NO_BREAK}{shown}" if sign else shown
    if not name:
        return text
    return f"{text}%" if name == "%" else f"{text}{NO_BREAK}{name}"


def bounds(low: Decimal | float | None, high: Decimal | float | None, unit_code: str, language: str) -> str:
    """A range: `3.5-5.1 mmol/L`, `≥ 60 mL/min`, `≤ 5.6%`; "" when it has no end at all."""
    if low is None and high is None:
        return ""
    if low is None or high is None:
        known = high if low is None else low
        assert known is not None, "one of the two is there"
        return quantity(known, unit_code, language, "<=" if low is None else ">=")
    return f"{number(low, language)}\u2013\u2060{quantity(high, unit_code, language)}"
