"""JSON without loss: decimals keep their digits, nothing ambiguous is read."""

import re
from decimal import Decimal
from typing import Any

import jiter
import orjson

from continuum.kernel.errors import Malformed
from continuum.kernel.limits import JSON_MAX_DEPTH

_NAME_SHOWN_CHARS = 80


_PLACE = re.compile(r" at line (\d+) column (\d+)$")
_DUPLICATE = re.compile(r'Detected duplicate key (".*")', re.DOTALL)
_WORDS = (
    ("recursion", f"it nests deeper than {JSON_MAX_DEPTH} levels, which no resource does"),
    ("EOF while parsing", "it ends too early"),
    ("trailing characters", "something follows after its end"),
    ("trailing comma", "a comma stands before a closing bracket"),
    ("key must be a string", "the name of a member must stand in double quotes"),
    ("control character", "text holds a control character that is not escaped"),
    ("lone leading surrogate", "text holds half of a character (a lone surrogate)"),
    ("unexpected end of hex escape", "text holds half of a character (a lone surrogate)"),
    ("invalid unicode code point", "text is not UTF-8"),
    ("invalid escape", "text holds an escape that JSON does not have"),
    ("number out of range", "a whole number has too many digits"),
    ("InvalidOperation", "a number has a power of ten that cannot be read"),
    ("invalid number", "a number is not written as JSON writes numbers"),
    ("expected `:`", "a colon is missing after the name of a member"),
    ("expected `,`", "a comma or a closing bracket is missing"),
    ("expected", "a value is missing, or is none that JSON knows (NaN and Infinity are not)"),
)
"""What the parser says → what it means."""


def _why(raw: bytes, message: str) -> str:
    """Plain words for a parser's message, with line and column where it names them."""
    if raw[:3] == b"\xef\xbb\xbf" or raw[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return "it begins with a byte order mark; send plain UTF-8 without one"
    if not raw.strip():
        return "it is empty"
    duplicate = _DUPLICATE.match(message)
    if duplicate:
        name = duplicate[1][:_NAME_SHOWN_CHARS]
        reason = f"the member {name} stands twice in one object"
    else:
        reason = next((words for part, words in _WORDS if part in message), "its text is not right")
    place = _PLACE.search(message)
    return f"{reason} (line {place[1]}, column {place[2]})" if place else reason


def parse_value(raw: bytes) -> Any:
    """Reads any JSON value. Raises Malformed with the place and the reason."""
    try:
        return jiter.from_json(
            raw, allow_inf_nan=False, catch_duplicate_keys=True, float_mode="decimal", cache_mode="keys"
        )
    except ValueError as error:
        raise Malformed(f"This JSON cannot be read: {_why(raw, str(error))}.") from error


def parse(raw: bytes) -> dict[str, Any]:
    """Reads a JSON object. Raises Malformed with the place and the reason."""
    value = parse_value(raw)
    if not isinstance(value, dict):
        raise Malformed("A resource is a JSON object: it begins with { and ends with }.")
    return value


def _exact(value: object) -> orjson.Fragment:
    if isinstance(value, Decimal | int):
        return orjson.Fragment(str(value))
    raise TypeError(f"{type(value).__name__} is not JSON")


def _written(resource: Any, option: int) -> bytes:
    try:
        return orjson.dumps(resource, default=_exact, option=option)
    except TypeError:
        return orjson.dumps(_wide(resource), default=_exact, option=option)


def _wide(value: Any) -> Any:
    """A copy in which whole numbers of more than 64 bits are written by their digits."""
    if isinstance(value, dict):
        return {name: _wide(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_wide(one) for one in value]
    if type(value) is int and not -(2**63) <= value < 2**64:
        return orjson.Fragment(str(value))
    return value


def dump(resource: Any) -> bytes:
    """Writes JSON (UTF-8, no spaces)."""
    return _written(resource, 0)


def dump_pretty(resource: Any) -> bytes:
    """Writes JSON (UTF-8) indented by two spaces, for people."""
    return _written(resource, orjson.OPT_INDENT_2)
