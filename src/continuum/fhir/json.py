"""JSON without loss: decimals keep their digits, nothing ambiguous is read."""

from decimal import Decimal
from typing import Any

import jiter
import orjson

from continuum.kernel.errors import Malformed
from continuum.kernel.limits import JSON_MAX_DEPTH

_BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


def parse_value(raw: bytes) -> Any:
    """Reads any JSON value. Raises Malformed with the place and the reason."""
    try:
        return jiter.from_json(
            raw, allow_inf_nan=False, catch_duplicate_keys=True, float_mode="decimal", cache_mode="keys"
        )
    except ValueError as error:
        raise Malformed(_reason(raw, str(error))) from error


def _reason(raw: bytes, said: str) -> str:
    """The parser's words, in ours where its own say nothing to a person."""
    _, at, place = said.rpartition(" at line ")
    where = f"{at}{place}"
    if "recursion" in said:
        return f"The JSON nests deeper than {JSON_MAX_DEPTH} levels{where}, which no resource does."
    if raw.startswith(_BYTE_ORDER_MARKS):
        return "The JSON begins with a byte order mark; write it in UTF-8 without one."
    if not raw or raw.isspace():
        return "There is no JSON here: the body is empty."
    if "InvalidOperation" in said or "number out of range" in said:
        return f"This is not JSON that can be read: the number is too large or too small to be kept exactly{where}."
    return f"This is not JSON that can be read: {said}."


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
