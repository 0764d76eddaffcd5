"""What is copied in PostgreSQL's binary form is what PostgreSQL reads."""

from dataclasses import replace
from decimal import Decimal

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from continuum.kernel.clock import MAX_US, MIN_US
from continuum.record import copying
from continuum.record.entry import prepare
from continuum.record.keys import Keys
from continuum.runtime.postgres.address import Address

INT8 = st.integers(-(2**63), 2**63 - 1)
INSTANTS = st.integers(MIN_US, MAX_US)
INT4 = st.integers(-(2**31), 2**31 - 1)
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40)
NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, min_value=Decimal("-1e60"), max_value=Decimal("1e60"))
KEEP = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


async def copied(database, table, rows):
    """The rows as they are read back; nothing stays."""
    conn = await asyncpg.connect(**Address.from_url(database).connect)
    try:
        transaction = conn.transaction()
        await transaction.start()
        columns = copying.COLUMNS[table]
        await conn.copy_to_table(
            table, schema_name="record", columns=columns, format="binary", source=copying.stream(rows)
        )
        found = await conn.fetch(f"SELECT {', '.join(columns)} FROM record.{table} ORDER BY row_id")
        await transaction.rollback()
        return [tuple(row) for row in found]
    finally:
        await conn.close()


@KEEP
@given(row=st.tuples(INT4, TEXT, TEXT, st.integers(0, 63)))
async def test_a_string_row_is_read_as_it_was_written(database, row):
    assert await copied(database, "string", [copying.string_row(7, row)]) == [(7, *row)]


@KEEP
@given(row=st.tuples(INT4, INT8, INT8))
async def test_a_date_row_is_read_as_it_was_written(database, row):
    assert await copied(database, "date", [copying.date_row(7, row)]) == [(7, *row)]


@KEEP
@given(
    row=st.tuples(
        INT8,
        st.floats(allow_nan=False),
        st.floats(allow_nan=False),
        *[st.none() | INT8] * 3,
        *[st.none() | NUMBERS] * 2,
    )
)
async def test_a_quantity_row_is_read_as_it_was_written(database, row):
    ((_, *read),) = await copied(database, "quantity", [copying.quantity_row(7, row)])
    assert tuple(read) == row


@pytest.mark.parametrize(
    "text", ["0", "0.000", "-0.0001", "10000", "9999.99990", "1E+40", "-123456789.000012345678", "1E-30"]
)
async def test_a_number_keeps_its_value_and_the_digits_after_its_point(database, text):
    row = (1, 0.0, 0.0, None, None, None, Decimal(text), None)
    ((*_, exact, none),) = await copied(database, "quantity", [copying.quantity_row(7, row)])
    assert (exact, none) == (Decimal(text), None)
    assert max(-exact.as_tuple().exponent, 0) == max(-Decimal(text).as_tuple().exponent, 0)


@KEEP
@given(
    numbers=st.lists(INT8, max_size=80), params=st.lists(INT4, max_size=20), date=st.none() | INSTANTS, resource_id=TEXT
)
async def test_a_search_row_is_read_as_written(database, numbers, params, date, resource_id):
    keys = Keys(b"k" * 32)
    new = replace(
        prepare({"resourceType": "Patient", "id": "x"}, keys),
        keys=numbers, refs=numbers[:3], ref_params=params, date_low=date, date_high=date, id=resource_id,
        present=numbers[0] if numbers else 0,
    )  # fmt: skip
    for one in (new, replace(new, patient=None, patient_id=None)):
        assert await copied(database, "search", [copying.search_row(7, one, 11)]) == [
            (7, one.type_id, one.self_key, one.patient, date, date, 11, new.present, 0, params, numbers[:3], numbers)
        ]
