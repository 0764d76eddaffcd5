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


def dump(resource: Any) -> bytes:
    """Writes JSON (UTF-8, no spaces)."""
    return orjson.dumps(resource, default=_exact)


def dump_pretty(resource: Any) -> bytes:
    """Writes JSON (UTF-8) indented by two spaces, for people."""
    return orjson.dumps(resource, default=_exact, option=orjson.OPT_INDENT_2)
