"""A quantity is found whatever unit of the same thing it was written in, by exact figures, and nothing else is."""

from decimal import Decimal

import pytest

from continuum.kernel.errors import TooCostly
from continuum.record.entry import prepare
from continuum.record.search import measures
from continuum.record.tests.desk import Desk
from continuum.record.tests.stock import Stock, amount, coded, observation, patient
from continuum.record.units import file_units

UCUM = "http://unitsofmeasure.org"


@pytest.fixture
def stock(pool):
    return Stock(pool)


def of(name, value, unit, /, **more):
    return observation(name, valueQuantity=amount(value, system=UCUM, code=unit), **more)


async def test_milligrams_find_grams(stock):
    await stock.fill(of("a", Decimal("0.0054"), "g"), of("b", Decimal("5.4"), "mg"), of("c", Decimal("5.5"), "mg"))
    assert await stock.ids(f"Observation?value-quantity=5.4|{UCUM}|mg") == ["a", "b"]
    assert await stock.ids(f"Observation?value-quantity=0.0000054|{UCUM}|kg") == ["a", "b"]
    assert await stock.ids(f"Observation?value-quantity=gt5400|{UCUM}|ug") == ["c"]
    assert await stock.ids(f"Observation?value-quantity=le5400|{UCUM}|ug") == ["a", "b"]
    assert (await stock.page(f"Observation?value-quantity=5.4|{UCUM}|mg&_total=accurate")).total == 2


async def test_without_a_system_the_unit_is_a_word(stock):
    await stock.fill(of("a", Decimal("0.0054"), "g"), of("b", Decimal("5.4"), "mg"))
    assert await stock.ids("Observation?value-quantity=5.4||mg") == ["b"]
    assert await stock.ids("Observation?value-quantity=5.4") == ["b"]


async def test_arbitrary_units_are_compared_with_themselves_alone(stock):
    await stock.fill(
        of("a", 5, "[iU]/L"), of("b", 5, "/L"), of("c", 5, "m[iU]/mL"), of("d", 7, "[pH]"), of("e", 7, "1")
    )
    assert await stock.ids(f"Observation?value-quantity=5|{UCUM}|[iU]/L") == ["a", "c"]
    assert await stock.ids(f"Observation?value-quantity=5|{UCUM}|/L") == ["b"]
    assert await stock.ids(f"Observation?value-quantity=7|{UCUM}|[pH]") == ["d"]


async def test_a_third_is_neither_more_nor_less_than_it_is(stock):
    """20 per minute is a third per second, which no decimal says."""
    await stock.fill(of("a", 20, "/min"), of("b", Decimal("20.000000000000000001"), "/min"))
    assert await stock.ids(f"Observation?value-quantity=gt1200|{UCUM}|/h") == ["b"]
    assert await stock.ids(f"Observation?value-quantity=ge1200|{UCUM}|/h") == ["a", "b"]
    assert await stock.ids(f"Observation?value-quantity=gt0.3333333333333333333333|{UCUM}|/s") == ["a", "b"]
    assert await stock.ids(f"Observation?value-quantity=lt0.33333333333333333334|{UCUM}|/s") == ["a"]


async def test_a_code_of_no_unit_is_found_as_it_was_written(stock):
    await stock.fill(of("a", 3, "furlong"), of("b", 3, "m"))
    assert await stock.ids(f"Observation?value-quantity=3|{UCUM}|furlong") == ["a"]


async def test_composites_chains_and_has_convert_too(stock):
    code = coded("http://loinc.org", "2345-7")
    await stock.fill(patient("p"), of("a", 90, "mg/dL", code=code), of("b", Decimal("0.9"), "g/L", code=code))
    assert await stock.ids(f"Observation?code-value-quantity=2345-7$0.90|{UCUM}|g/L") == ["a", "b"]
    assert await stock.ids(f"Observation?code=2345-7&value-quantity=lt91|{UCUM}|mg/dL") == ["a", "b"]
    assert await stock.ids(f"Patient?_has:Observation:patient:value-quantity=900|{UCUM}|ug/mL") == ["p"]
    assert await stock.ids(f"Patient?_has:Observation:patient:value-quantity=gt900|{UCUM}|mg/L") == []


async def test_a_unit_first_written_in_an_act_that_fails_is_filed_by_the_next(pool):
    desk = Desk(pool)
    await desk.update(patient("p"))
    glucose = of("new", 3, "mg/dL")
    glucose["subject"] = {"reference": "Patient/p"}
    async with desk.connect() as conn:
        with pytest.raises(ZeroDivisionError):
            await _fails_after(conn, desk, glucose)
    await desk.update(glucose)
    assert [one.id for one in (await desk.search("Observation", f"value-quantity=30|{UCUM}|mg/L")).matches] == ["new"]


async def _fails_after(conn, desk, resource):
    prepared = [prepare(resource, desk.keys)]
    async with conn.transaction():
        await file_units(conn, prepared, desk.performer.row_ids.units)
        await file_units(conn, prepared, desk.performer.row_ids.units)
        raise ZeroDivisionError


async def test_units_of_one_dimension_have_a_bound(stock, monkeypatch):
    monkeypatch.setattr(measures, "COMMENSURABLE_MAX", 3)
    await stock.fill(*(of(f"o{n}", 1, f"{n}.mg") for n in range(1, 6)))
    with pytest.raises(TooCostly, match="unit"):
        await stock.page(f"Observation?value-quantity=1|{UCUM}|mg")
    assert len(await stock.ids("Observation?value-quantity=1")) == 5
