"""JSON comes back as it came, digit by digit; what is ambiguous or made to hurt is refused in bounded time."""

import json
import time
from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuum.fhir.json import dump, dump_pretty, parse
from continuum.fhir.primitives import is_decimal
from continuum.fhir.report import report
from continuum.fhir.validate import validate
from continuum.kernel.errors import Malformed
from continuum.kernel.limits import BODY_MAX_BYTES, JSON_MAX_DEPTH

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
@pytest.mark.requirement("V1.2.3")
def test_what_is_written_reads_back_equal(value):
    assert parse(dump(value)) == value
    assert parse(dump_pretty(value)) == value


TOO_DEEP = "nests deeper than 200 levels"


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b'{"a":1,\n"a":2}', 'the member "a" stands twice in one object (line 2'),
        (b'{"x":{"a":1,"a":1}}', 'the member "a" stands twice'),
        (b'{"a":NaN}', "NaN and Infinity are not"),
        (b'{"a":Infinity}', "NaN and Infinity are not"),
        (b'{"a":-Infinity}', "not written as JSON writes numbers (line 1, column 7)"),
        (b'{"a":"\\ud800"}', "half of a character"),
        (b'{"a":"\\udc00"}', "half of a character"),
        (b"[" * 200_000 + b"]" * 200_000, TOO_DEEP),
        (b'{"a":' * 300 + b"1" + b"}" * 300, TOO_DEEP),
        (b"", "it is empty"),
        (b" \n\t", "it is empty"),
        (b'\xef\xbb\xbf{"a":1}', "byte order mark"),
        ('{"a":1}'.encode("utf-16"), "byte order mark"),
        (b"[]", "begins with { and ends with }"),
        (b'"text"', "begins with { and ends with }"),
        (b'{"a":1} {"b":2}', "something follows after its end (line 1"),
        (b'{"a":"\xff"}', "not UTF-8 (line 1"),
        (b'{"a":01}', "JSON writes numbers"),
        (b'{"a":', "ends too early (line 1, column 5)"),
        (b'{"a":"x\ny"}', "control character"),
        (b'{"a":"\\x"}', "an escape that JSON does not have"),
        (b"{'a':1}", "double quotes"),
        (b'{"a":1,}', "a comma stands before a closing bracket"),
        (b'{"a" 1}', "a colon is missing"),
        (b'{"a":[1 2]}', "a comma or a closing bracket is missing"),
        (b'{"a":1e99999999999999999999999}', "power of ten"),
        (b'{"a":' + b"9" * 5_000 + b"}", "too many digits"),
    ],
    ids=lambda value: value[:16].decode("latin-1") if isinstance(value, bytes) else "",
)
@pytest.mark.requirement("V1.1.1")
def test_what_is_ambiguous_broken_or_too_deep_is_refused_in_words(raw, words):
    with pytest.raises(Malformed) as refused:
        parse(raw)
    assert words in refused.value.issues[0].text


def nested(depth: int, opening: bytes, closing: bytes) -> bytes:
    return b'{"a":' + opening * (depth - 1) + b"1" + closing * (depth - 1) + b"}"


@pytest.mark.parametrize(("opening", "closing"), [(b'{"a":', b"}"), (b"[", b"]")], ids=["objects", "lists"])
def test_what_is_deep_is_read_and_written_and_what_is_too_deep_is_refused_with_its_place(opening, closing):
    deep = nested(JSON_MAX_DEPTH, opening, closing)
    assert dump(parse(deep)) == deep
    with pytest.raises(Malformed, match=rf"deeper than {JSON_MAX_DEPTH} levels.*\(line 1, column \d+\)"):
        parse(nested(JSON_MAX_DEPTH + 2, opening, closing))


@given(st.integers(0, 10**60), st.integers(0, 40), st.sampled_from(["", "-"]))
def test_a_decimal_is_written_with_the_digits_it_came_with(digits, places, sign):
    text = f"{sign}{digits}.{'0' * places}7"
    written = dump(parse(f'{{"a":{text}}}'.encode()))[5:-1].decode()
    assert Decimal(written).as_tuple() == Decimal(text).as_tuple()


@pytest.mark.requirement("V1.4.2")
def test_a_number_with_a_vast_exponent_costs_nothing_and_is_no_valid_decimal():
    began = time.process_time()
    resource = parse(b'{"resourceType":"Basic","a":1e999999999,"b":1e-999999999}')
    assert len(dump(resource)) < 100
    assert not is_decimal(resource["a"])
    assert not is_decimal(resource["b"])
    assert report({"resourceType": "Observation", "valueQuantity": {"value": resource["a"]}})
    assert time.process_time() - began < 1


CPU_MAX_S = 20
"""Far above what these take (4 s at most on a slow machine), far below what a quadratic reading would."""
QUANTITY = b'{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":%s}}'
NARRATIVE = b'{"resourceType":"Patient","text":{"status":"generated","div":"%s"}}'
HOSTILE: dict[str, Callable[[], bytes]] = {
    "a number of 16 MB": lambda: QUANTITY % (b"1." + b"9" * 15_000_000),
    "a huge exponent": lambda: QUANTITY % b"1e999999999",
    "a tiny exponent": lambda: QUANTITY % b"1e-999999999",
    "a million names": lambda: b'{"resourceType":"Patient",%s}' % b",".join(b'"k%d":1' % n for n in range(1_000_000)),
    "names that end wrong": lambda: b'{"resourceType":"Patient","name":[%s{}]}' % (b'{"text":"a"},' * 1_100_000),
    "empty objects": lambda: b'{"resourceType":"Patient","name":[%s{}]}' % (b"{}," * 5_000_000),
    "open brackets of a narrative": lambda: NARRATIVE % (b"<div>" + b"< " * 7_000_000 + b"</div>"),
    "nulls": lambda: b'{"resourceType":"Patient","name":[%s{}]}' % (b"null," * 3_300_000),
    "small numbers": lambda: b'{"resourceType":"Patient","name":[%s1]}' % (b"1e9," * 4_100_000),
    "base64 with spaces": lambda: b'{"resourceType":"Binary","contentType":"a/b","data":"%s="}' % (b"A " * 8_000_000),
    "a deep narrative": lambda: NARRATIVE % (b"<div>" * 1_300_000 + b"</div>" * 1_300_000 + b"x"),
    "a code with many spaces": lambda: b'{"resourceType":"Patient","language":"%s"}' % (b"a " * 7_500_000),
    "an instant that never ends": lambda: (
        b'{"resourceType":"Patient","deceasedDateTime":"2020-01-01T00:00:00.%sZ"}' % (b"1" * 15_000_000)
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.requirement("V-222612")
def test_the_largest_hostile_bodies_are_refused_in_bounded_time(name):
    raw = HOSTILE[name]()
    assert len(raw) <= BODY_MAX_BYTES
    began = time.process_time()
    assert validate(parse(raw))
    assert time.process_time() - began < CPU_MAX_S
