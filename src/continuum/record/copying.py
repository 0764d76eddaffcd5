"""Rows as PostgreSQL's binary COPY takes them: what a driver that serves every type spends twice as long on.

The format is PostgreSQL's own ("COPY", Binary Format): a header, tuples of length-prefixed fields, a trailer.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from decimal import Decimal
from functools import lru_cache
from struct import Struct

from continuum.record.entry import Prepared, QuantityRow, StringRow

_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
_NULL = b"\xff\xff\xff\xff"
_INT4_OID, _INT8_OID = 23, 20
_length = Struct(">i").pack
_int2 = Struct(">ih").pack
_int8 = Struct(">iq").pack
_head = Struct(">hiqih").pack
"""Field count, row id, type number: how a row of search begins."""
_updated = Struct(">iqiqii").pack
_string = Struct(">hiqii").pack
_date = Struct(">hiqiiiqiq").pack
_quantity = Struct(">hiqiqidid").pack
_numeric_head = Struct(">ihhHH").pack
_BASE_DIGITS = 4
"""Decimal digits in one digit of PostgreSQL's numeric."""

COLUMNS = {
    "search": (
        "row_id", "type", "self", "patient", "date_low", "date_high", "updated", "present", "labels", "ref_params",
        "refs", "keys",
    ),
    "string": ("row_id", "param", "value", "exact", "parts"),
    "date": ("row_id", "param", "low", "high"),
    "quantity": ("row_id", "key", "low", "high", "unit", "system_unit", "under", "exact_low", "exact_high"),
}  # fmt: skip
"""The columns of each table of schema `record` in the order in which the functions here write them."""


def search_row(row_id: int, new: Prepared, updated_us: int) -> bytes:
    """A row of record.search."""
    return b"".join((
        _head(12, 8, row_id, 2, new.type_id), _int8(8, new.self_key), _maybe8(new.patient),
        _maybe8(new.date_low), _maybe8(new.date_high), _updated(8, updated_us, 8, new.present, 4, new.labels),
        _int4s(new.ref_params), _int8s(new.refs), _int8s(new.keys),
    ))  # fmt: skip


def string_row(row_id: int, row: StringRow) -> bytes:
    """A row of record.string."""
    param, value, exact, parts = row
    return b"".join((_string(5, 8, row_id, 4, param), _text(value), _text(exact), _int2(2, parts)))


def date_row(row_id: int, row: tuple[int, int, int]) -> bytes:
    """A row of record.date."""
    param, low, high = row
    return _date(4, 8, row_id, 4, param, 8, low, 8, high)


def quantity_row(row_id: int, row: QuantityRow) -> bytes:
    """A row of record.quantity."""
    key, low, high, unit, system_unit, under, exact_low, exact_high = row
    return b"".join((
        _quantity(9, 8, row_id, 8, key, 8, low, 8, high), _maybe8(unit), _maybe8(system_unit), _maybe8(under),
        _NULL if exact_low is None else numeric(exact_low), _NULL if exact_high is None else numeric(exact_high),
    ))  # fmt: skip


async def stream(rows: Iterable[bytes]) -> AsyncIterator[bytes]:
    """The whole of a COPY."""
    yield b"".join((_HEADER, *rows, _TRAILER))


def numeric(value: Decimal) -> bytes:
    """A finite decimal as a field of type numeric."""
    negative, figures, exponent = value.as_tuple()
    assert isinstance(exponent, int), "only finite numbers are filed exactly"
    text = "".join(map(str, figures)) + "0" * (exponent % _BASE_DIGITS)
    text = text.rjust(-(-len(text) // _BASE_DIGITS) * _BASE_DIGITS, "0")
    digits = [int(text[at : at + _BASE_DIGITS]) for at in range(0, len(text), _BASE_DIGITS)]
    weight = len(digits) + exponent // _BASE_DIGITS - 1
    while digits and not digits[0]:
        del digits[0]
        weight -= 1
    while digits and not digits[-1]:
        digits.pop()
    head = _numeric_head(
        8 + 2 * len(digits), len(digits), weight if digits else 0, 0x4000 if negative else 0, max(-exponent, 0)
    )
    return head + Struct(f">{len(digits)}h").pack(*digits)


def _text(value: str) -> bytes:
    raw = value.encode()
    return _length(len(raw)) + raw


def _maybe8(value: int | None) -> bytes:
    return _NULL if value is None else _int8(8, value)


@lru_cache(maxsize=1_024)
def _shape(count: int, size: int) -> Struct:
    """Length, dimensions, flags, oid, count, lower bound; then each element behind its length."""
    return Struct(">iiiiii" + ("iq" if size == 8 else "ii") * count)


def _int8s(values: Sequence[int]) -> bytes:
    return _array(values, 8, _INT8_OID)


def _int4s(values: Sequence[int]) -> bytes:
    return _array(values, 4, _INT4_OID)


def _array(values: Sequence[int], size: int, oid: int) -> bytes:
    count = len(values)
    if not count:
        return Struct(">iiii").pack(12, 0, 0, oid)
    flat = [size] * (2 * count)
    flat[1::2] = values
    return _shape(count, size).pack(20 + (4 + size) * count, 1, 0, oid, count, 1, *flat)
