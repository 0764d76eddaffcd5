"""JSON comes back as it came, digit by digit; what is ambiguous or made to hurt is refused in bounded time."""

import json
import time
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuum.fhir.json import dump, dump_pretty, parse
from continuum.fhir.primitives import is_decimal
from continuum.fhir.report import report
from continuum.fhir.validate import validate
from continuum.kernel.errors import Malformed
from continuum.kernel.limits import BODY_MAX_BYTES, ISSUES_MAX, JSON_MAX_DEPTH

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


def nested(depth: int, opening: bytes, closing: bytes) -> bytes:
    return b'{"a":' + opening * (depth - 1) + b"1" + closing * (depth - 1) + b"}"


@pytest.mark.parametrize(("opening", "closing"), [(b'{"a":', b"}"), (b"[", b"]")], ids=["objects", "lists"])
def test_what_is_deep_is_read_and_written_and_what_is_too_deep_is_refused_with_its_place(opening, closing):
    deep = parse(nested(JSON_MAX_DEPTH, opening, closing))
    assert parse(dump(deep)) == deep
    with pytest.raises(Malformed, match=rf"deeper than {JSON_MAX_DEPTH} levels at line 1 column \d+"):
        parse(nested(JSON_MAX_DEPTH + 2, opening, closing))


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b'\xef\xbb\xbf{"a":1}', "byte order mark"),
        ('{"a":1}'.encode("utf-16"), "byte order mark"),
        (b"", "the body is empty"),
        (b" \n", "the body is empty"),
        (b"[]", r"begins with \{"),
        (b'{"a":\n "\\udc00x"}', "surrogate.* line 2 column"),
        (b'{"a":1,\n"\\u0061":2}', 'duplicate key "a" at line 2'),
        (b'{"a":-Infinity}', "line 1 column"),
        (b'{"a":1,}', "trailing comma at line 1 column 8"),
        (b'{"a":1e99999999999999999999}', "too large or too small to be kept exactly at line 1"),
        (b'{"a":1e-99999999999999999999}', "too large or too small to be kept exactly at line 1"),
        (b'{"a":' + b"9" * 5_000 + b"}", "too large or too small to be kept exactly at line 1"),
    ],
)
def test_a_refusal_says_what_is_wrong_and_where(raw, words):
    with pytest.raises(Malformed, match=words):
        parse(raw)


@given(st.integers(0, 10**60), st.integers(0, 40), st.sampled_from(["", "-"]))
def test_a_decimal_is_written_with_the_digits_it_came_with(digits, places, sign):
    text = f"{sign}{digits}.{'0' * places}7"
    written = dump(parse(f'{{"a":{text}}}'.encode()))[5:-1].decode()
    assert Decimal(written).as_tuple() == Decimal(text).as_tuple()


def test_a_number_with_a_vast_exponent_costs_nothing_and_is_no_valid_decimal():
    began = time.process_time()
    resource = parse(b'{"resourceType":"Basic","a":1e999999999,"b":1e-999999999}')
    assert len(dump(resource)) < 100
    assert not is_decimal(resource["a"])
    assert not is_decimal(resource["b"])
    assert report({"resourceType": "Observation", "valueQuantity": {"value": resource["a"]}})
    assert time.process_time() - began < 1


BODY = BODY_MAX_BYTES
HOSTILE = {
    "digits": b'{"a":' + b"9" * BODY + b"}",
    "decimals": b'{"a":1.' + b"9" * BODY + b"}",
    "brackets": b"[" * BODY,
    "text": b'{"a":"' + b"\\u00e9" * (BODY // 6) + b'"}',
    "objects": b'{"resourceType":"Patient","name":[' + b"{}," * (BODY // 3) + b"{}]}",
    "nulls": b'{"resourceType":"Patient","name":[' + b"null," * (BODY // 5) + b"{}]}",
    "numbers": b'{"resourceType":"Patient","name":[' + b"1e9," * (BODY // 4) + b"1]}",
    "members": b'{"resourceType":"Patient",' + b",".join(b'"%d":1' % n for n in range(BODY // 12)) + b"}",
    "base64": b'{"resourceType":"Binary","contentType":"a/b","data":"' + b"A " * (BODY // 2) + b'="}',
    "narrative": b'{"resourceType":"Patient","text":{"status":"generated","div":"<div>'
    + b"< on" * (BODY // 4)
    + b'"}}',
    "code": b'{"resourceType":"Patient","gender":"' + b"a " * (BODY // 2) + b'"}',
}


@pytest.mark.proof
@pytest.mark.parametrize("kind", HOSTILE)
def test_the_largest_body_made_to_hurt_is_read_and_judged_within_seconds(kind):
    began = time.process_time()
    with suppress(Malformed):
        resource = parse(HOSTILE[kind])
        assert len(validate(resource)) <= ISSUES_MAX
        assert kind == "decimals" or "resourceType" in resource or kind == "text"
    assert time.process_time() - began < 20
