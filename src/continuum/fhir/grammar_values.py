"""How the text of one search value is read, for each kind of parameter (R4 §3.1.1.4). Pure."""

import re
import time
from collections.abc import Callable
from dataclasses import replace
from decimal import Context, Decimal, InvalidOperation

from continuum.fhir.dates import interval
from continuum.fhir.limits import NEAR_DEFAULT_KM
from continuum.fhir.query import SearchParam, Value
from continuum.fhir.search_params import IMPLIED_SYSTEMS
from continuum.fhir.text import words
from continuum.fhir.types import TYPE_IDS
from continuum.fhir.ucum import UCUM, unit_of
from continuum.kernel.errors import UnusableParameter
from continuum.kernel.limits import NUMBER_EXPONENT_MAX, SEARCH_WORDS_MAX

_EXACT = Context(prec=3 * NUMBER_EXPONENT_MAX)
"""Enough digits for any number that the limits let through."""
_WRITTEN = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)

_LENGTHS = {"mi": "[mi_i]", "ft": "[ft_i]", "yd": "[yd_i]", "nmi": "[nmi_i]"}
"""What people write for units of length that UCUM calls otherwise."""

OF_CODES = frozenset({"in", "not-in", "above", "below"})
"""Modifiers of a token that ask what a value set holds or which code is above another."""
PREFIXES = ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")


def split(text: str, mark: str) -> list[str]:
    """Splits at each mark that has no backslash before it; the parts keep their escapes."""
    if mark not in text:
        return [text]
    parts: list[str] = []
    part: list[str] = []
    escaped = False
    for char in text:
        if char == mark and not escaped:
            parts.append("".join(part))
            part = []
            continue
        part.append(char)
        escaped = char == "\\" and not escaped
    parts.append("".join(part))
    return parts


def unescape(text: str) -> str:
    r"""Resolves `\,`, `\|`, `\$` and `\\`."""
    if "\\" not in text:
        return text
    out, at = [], 0
    while at < len(text):
        if text[at] == "\\" and at + 1 < len(text) and text[at + 1] in ",|$\\":
            at += 1
        out.append(text[at])
        at += 1
    return "".join(out)


def _prefixed(text: str) -> tuple[str, str]:
    return (text[:2], text[2:]) if text[:2] in PREFIXES else ("eq", text)


def token_value(code: str, text: str) -> Value:
    """`code`, `system|code`, `|code` or `system|`."""
    parts = [unescape(part) for part in split(text, "|")]
    if len(parts) == 1:
        return Value(text, code=parts[0])
    if len(parts) != 2 or not any(parts):
        raise UnusableParameter(f"{code}: a token is written code, system|code, |code or system|, not {text!r}.")
    return Value(text, system=parts[0], code=parts[1] or None)


def coded_value(found: SearchParam, modifier: str, text: str) -> Value:
    """The value set of `:in` and `:not-in`, without code; the code of `:below` and `:above`, with its system."""
    if found.code == "_id":
        raise UnusableParameter(f"_id does not take :{modifier}; ids are of no code system.")
    if modifier in {"in", "not-in"}:
        return Value(unescape(text))
    value = token_value(found.code, text)
    if not value.code or (not value.system and found.code not in IMPLIED_SYSTEMS.get(found.resource_type, {})):
        raise UnusableParameter(f"{found.code}:{modifier} is written system|code, not {text!r}.")
    return value


def identifier_value(text: str) -> Value:
    """The `:identifier` of a reference, written like a token."""
    return token_value("identifier", text)


def of_type_value(code: str, text: str) -> Value:
    """The `:of-type` of an identifier: `system|code|value` of which the first two are its type."""
    parts = [unescape(part) for part in split(text, "|")]
    if len(parts) != 3 or not parts[1] or not parts[2]:
        raise UnusableParameter(f"{code}:of-type is written system-of-the-type|code-of-the-type|value, not {text!r}.")
    return Value(parts[2], system=parts[0], code=parts[1])


def words_value(code: str, text: str) -> Value:
    """Words, each of which must be there."""
    found = words(unescape(text))
    if not 0 < len(found) <= SEARCH_WORDS_MAX:
        raise UnusableParameter(f"{code} takes 1 to {SEARCH_WORDS_MAX} words of letters or digits, not {text!r}.")
    return Value(" ".join(found))


def string_value(_: str, text: str) -> Value:
    """Any text."""
    return Value(unescape(text))


def uri_value(_: str, text: str) -> Value:
    """A uri, as written."""
    return Value(unescape(text))


def date_value(code: str, text: str) -> Value:
    """A prefix and a date of any precision."""
    prefix, rest = _prefixed(text)
    try:
        low_us, high_us = interval(rest.replace(" ", "+"))  # a + that was not percent-encoded
    except ValueError as error:
        raise UnusableParameter(
            f"{code}: {rest!r} is not a date. Write it like 2026, 2026-11, 2026-11-23 or 2026-11-23T06:00:00Z."
        ) from error
    if prefix == "ap":
        margin = abs(time.time_ns() // 1_000 - low_us) // 10
        low_us, high_us = low_us - margin, high_us + margin
    return Value(rest, prefix=prefix, low_us=low_us, high_us=high_us)


def _number(code: str, prefix: str, text: str) -> Value:
    plain = text.strip()
    if _WRITTEN.fullmatch(plain) is None:
        raise UnusableParameter(f"{code}: {text!r} is not a number. Write it like 5.4, -3 or 1e2.")
    try:
        number = Decimal(plain)
    except InvalidOperation as error:  # an exponent beyond what a decimal can hold
        raise UnusableParameter(f"{code}: {text!r} is not a number that can be compared.") from error
    exponent = number.as_tuple().exponent
    if (
        not isinstance(exponent, int)
        or abs(exponent) > NUMBER_EXPONENT_MAX
        or abs(number.adjusted()) > NUMBER_EXPONENT_MAX
    ):
        raise UnusableParameter(f"{code}: {text!r} is not a number that can be compared.")
    # R4 §3.1.1.4.6: 100 means [99.5, 100.5), 100.00 means [99.995, 100.005), 1e2 means [95, 105).
    half = Decimal((0, (5,), exponent - 1 if exponent <= 0 else exponent - 2))
    if prefix == "ap":
        half = max(half, _EXACT.divide(number.copy_abs(), Decimal(10)))
    low, high = _EXACT.subtract(number, half), _EXACT.add(number, half)
    return Value(text, prefix=prefix, number=number, low=low, high=high)


def number_value(code: str, text: str) -> Value:
    """A prefix and a number."""
    return _number(code, *_prefixed(text))


def quantity_value(code: str, text: str) -> Value:
    """`number`, `number|system|code` or `number||code`, with a prefix."""
    parts = [unescape(part) for part in split(text, "|")]
    if len(parts) not in {1, 3}:
        raise UnusableParameter(f"{code}: a quantity is written 5.4, 5.4|http://unitsofmeasure.org|mg or 5.4||mg.")
    value = _number(code, *_prefixed(parts[0]))
    if len(parts) == 1 or not any(parts[1:]):
        return value
    system, unit = parts[1] or None, parts[2] or None
    if unit is None:
        raise UnusableParameter(f"{code}: {text!r} names a system of units but no unit of it.")
    measure = unit_of(unit) if system == UCUM else None
    return replace(value, text=text, system=system, code=unit, unit=measure)


def reference_value(found: SearchParam, modifier: str, text: str, base_url: str) -> Value:
    """`Type/id`, a bare id (tried for each target type), or a URL; our own URLs become relative."""
    plain = unescape(text)
    if base_url and plain.startswith(f"{base_url}/"):
        plain = plain[len(base_url) + 1 :]
    parts = plain.split("/")
    if len(parts) >= 2 and parts[0] in TYPE_IDS:
        if modifier and parts[0] != modifier:
            raise UnusableParameter(f"{found.code}:{modifier} does not go with a reference to {parts[0]}.")
        return Value(text, targets=(f"{parts[0]}/{parts[1]}",))
    if ":" in plain or "/" in plain:
        return Value(text, targets=(plain,))
    kinds = (modifier,) if modifier else (found.targets or tuple(TYPE_IDS))
    return Value(text, targets=tuple(f"{kind}/{plain}" for kind in kinds))


def near_value(code: str, text: str) -> Value:
    """`latitude|longitude|distance|units` (R4 Location `near`): km without units, NEAR_DEFAULT_KM without distance."""
    parts = [unescape(part).strip() for part in split(text, "|")]
    if len(parts) not in {2, 3, 4} or _WRITTEN.fullmatch(parts[0]) is None or _WRITTEN.fullmatch(parts[1]) is None:
        raise UnusableParameter(f"{code} is written latitude|longitude|distance|units, not {text!r}.")
    latitude, longitude = float(parts[0]), float(parts[1])
    if abs(latitude) > 90 or abs(longitude) > 180:
        raise UnusableParameter(f"{code}: a latitude lies from -90 to 90 degrees, a longitude from -180 to 180.")
    distance = parts[2] if len(parts) > 2 and parts[2] else str(NEAR_DEFAULT_KM)
    named = parts[3] if len(parts) > 3 and parts[3] else "km"
    unit = unit_of(_LENGTHS.get(named, named))
    if unit is None or unit.dimension != "m1":
        raise UnusableParameter(f"{code}: {named!r} is no unit of length; take m, km, [mi_i], [ft_i] or [nmi_i].")
    if _WRITTEN.fullmatch(distance) is None or not 0 <= float(distance) < float("inf"):
        raise UnusableParameter(f"{code}: {distance!r} is not a distance.")
    return Value(text, around=(latitude, longitude, float(distance) * float(unit.factor)))


VALUE_READERS: dict[str, Callable[[str, str], Value]] = {
    "token": token_value,
    "string": string_value,
    "uri": uri_value,
    "date": date_value,
    "number": number_value,
    "quantity": quantity_value,
    "special": near_value,
}
