"""What goes in comes out: any text, any number, any nesting."""

from decimal import Decimal

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from continuum.fhir.json import dump, parse
from continuum.record.body import compress, decode, tail
from continuum.record.tests.desk import Desk

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
numbers = st.integers(-(10**30), 10**30) | st.decimals(allow_nan=False, allow_infinity=False, places=6)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)
names = texts.filter(lambda name: name not in ("resourceType", "id", "meta"))
metas = st.dictionaries(texts.filter(lambda name: name not in ("versionId", "lastUpdated")), values, max_size=3)


@given(st.dictionaries(names, values, max_size=6), metas | st.none(), st.integers(1, 10**6))
def test_any_body_comes_back_equal_but_for_version_and_time(rest, meta, version):
    given_ = {"resourceType": "Basic", "id": "a", **({} if meta is None else {"meta": meta}), **rest}
    body = decode("Basic", "a", version, 1_700_000_000_000_000, compress(tail(given_)))
    found = parse(body)
    shown = found.pop("meta")
    assert shown.pop("versionId") == str(version)
    assert shown.pop("lastUpdated") == "2023-11-14T22:13:20.000Z"
    assert shown == (meta or {})
    assert found == {"resourceType": "Basic", "id": "a", **rest}


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20))
def test_a_decimal_keeps_every_digit(number):
    body = b'{"resourceType":"Basic","id":"a","x":%b}' % f"{number:.40f}".encode()
    again = parse(decode("Basic", "a", 1, 0, compress(tail(parse(body)))))
    assert again["x"].as_tuple() == Decimal(f"{number:.40f}").as_tuple()


def test_the_version_and_time_that_a_client_sends_are_not_kept():
    sent = {"resourceType": "Basic", "id": "a", "meta": {"versionId": "9", "lastUpdated": "2020-01-01T00:00:00Z"}}
    assert orjson.loads(decode("Basic", "a", 2, 0, compress(tail(sent))))["meta"] == {
        "versionId": "2", "lastUpdated": "1970-01-01T00:00:00.000Z",
    }  # fmt: skip


printable = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=200).filter(str.strip)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=printable, digits=st.integers(0, 12), whole=st.integers(-(10**9), 10**9))
async def test_what_is_written_is_read_from_the_database_as_it_was(pool, text, digits, whole):
    desk = Desk(pool)
    number = Decimal(whole).scaleb(-digits)
    made = {
        "resourceType": "Observation", "status": "final", "code": {"text": text, "coding": [{"display": text}]},
        "valueQuantity": {"value": number, "unit": text},
    }  # fmt: skip
    written = await desk.create(made)
    found = await desk.read("Observation", written.stored.id)
    assert dump(found) == written.stored.body
    del found["meta"], found["id"]
    assert found == made
    assert str(found["valueQuantity"]["value"]) == str(number)
