"""JSON without loss: decimals keep their digits, nothing ambiguous is read."""

from decimal import Decimal
from typing import Any

import jiter
import orjson

from continuum.kernel.errors import Malformed


def parse_value(raw: bytes) -> Any:
    """Reads any JSON value. Raises Malformed with the place and the reason."""
    try:
        return jiter.from_json(
            raw, allow_inf_nan=False, catch_duplicate_keys=True, float_mode="decimal", cache_mode="keys"
        )
    except ValueError as error:
        raise Malformed(f"This is not JSON that can be read: {error}.") from error


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


def _widened(node: Any) -> Any:
    """A copy in which integers beyond 64 bits, which orjson refuses, are Decimals of the same digits."""
    if isinstance(node, dict):
        return {name: _widened(value) for name, value in node.items()}
    if isinstance(node, list):
        return [_widened(value) for value in node]
    if isinstance(node, int) and not -(2**63) <= node < 2**64:
        return Decimal(node)
    return node


def _dump(resource: Any, option: int) -> bytes:
    try:
        return orjson.dumps(resource, default=_exact, option=option)
    except TypeError:
        return orjson.dumps(_widened(resource), default=_exact, option=option)


def dump(resource: Any) -> bytes:
    """Writes JSON (UTF-8, no spaces)."""
    return _dump(resource, 0)


def dump_pretty(resource: Any) -> bytes:
    """Writes JSON (UTF-8) indented by two spaces, for people."""
    return _dump(resource, orjson.OPT_INDENT_2)
