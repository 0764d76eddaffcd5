import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuum.fhir.json import dump, dump_pretty, parse
from continuum.kernel.errors import Malformed

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.parametrize("number", ["1.10", "0.0000001", "-0.0", "1e2", "1.50e-7", "123456789012345678901234567890"])
def test_numbers_keep_their_digits(number):
    written = dump(parse(b'{"a":' + number.encode() + b"}"))
    back = json.loads(written, parse_float=Decimal)["a"]
    assert Decimal(back) == Decimal(number)
    assert Decimal(back).as_tuple().digits == Decimal(number).as_tuple().digits


@given(st.dictionaries(st.text(), VALUES, max_size=5))
def test_what_is_written_reads_back_equal(value):
    assert parse(dump(value)) == value
    assert parse(dump_pretty(value)) == value


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a":1,"a":2}',
        b'{"x":{"a":1,"a":1}}',
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":"\\ud800"}',
        b"[" * 200_000 + b"]" * 200_000,
        b'{"a":' * 300 + b"1" + b"}" * 300,
        b"",
        b"[]",
        b'"text"',
        b'{"a":1} {"b":2}',
        b'{"a":"\xff"}',
        b'{"a":01}',
    ],
    ids=lambda raw: raw[:12].decode("latin-1"),
)
def test_what_is_ambiguous_broken_or_too_deep_is_refused_in_words(raw):
    with pytest.raises(Malformed) as refused:
        parse(raw)
    assert refused.value.issues[0].text
