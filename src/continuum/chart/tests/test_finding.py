"""What somebody types to find a patient, understood; and whom it finds where nobody is called so."""

from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuum.access import Access, Operation
from continuum.access.actor import USUAL_PURPOSE, Actor
from continuum.chart.finding import Wanted, _likeness, find, understand
from continuum.record.tests.counting import Counting


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("rivera ana", Wanted(("rivera", "ana"))),
        ("Rivera, Ana", Wanted(("Rivera", "Ana"))),
        ("O'Brien 1958-11-30", Wanted(("O'Brien",), "1958-11-30")),
        ("obrien 11/30/1958", Wanted(("obrien",), "1958-11-30")),
        ("30 Nov 1958", Wanted((), "1958-11-30")),
        ("9984744672", Wanted(identifier="9984744672")),
        ("S84744672", Wanted(identifier="S84744672")),
        ("998 474 4672", Wanted(identifier="9984744672")),
        ("555-0117", Wanted(("555-0117",))),
        ("(910) 555-0117", Wanted(phone="(910) 555-0117")),
        ("rivera 1958-13-40", Wanted(("rivera", "1958-13-40"))),
        ("   ", Wanted()),
    ],
)
def test_what_is_typed_is_understood(typed, wanted):
    if typed == "555-0117":
        wanted = Wanted(phone="555-0117")
    assert understand(typed) == wanted


@given(st.text(max_size=80))
def test_whatever_is_typed_nothing_breaks(typed):
    wanted = understand(typed)
    assert isinstance(wanted, Wanted)
    assert all(word.strip() for word in wanted.words)


def test_names_nearly_spelt_are_alike_in_any_order_and_others_are_not():
    patient = {"name": [{"family": "O'Brien", "given": ["Robert", "James"]}]}
    assert _likeness(("obrian", "robbert"), patient) > 0.82
    assert _likeness(("robert", "brien"), patient) > 0.82
    assert _likeness(("robert", "washington"), patient) < 0.82
    assert _likeness(("robert",), {"name": []}) == 0


class Counted:
    """A pool whose connections count the rows of record.search and record.string that statements look at."""

    def __init__(self, pool):
        self._pool = pool
        self._opened = []

    @asynccontextmanager
    async def connection(self, *wall):
        async with self._pool.connection(*wall) as conn:
            self._opened.append(Counting(conn, ("search", "string"), small=True))
            yield self._opened[-1]

    def looked(self):
        """How many since this was asked."""
        found, self._opened = sum(sum(one.looked) for one in self._opened), []
        return found


def someone(number, given, family, facility):
    return {
        "resourceType": "Patient", "id": f"p{number}", "name": [{"family": family, "given": [given]}],
        "managingOrganization": {"reference": f"Organization/{facility}"}, "birthDate": f"19{50 + number % 50}-03-04",
    }  # fmt: skip


@pytest.fixture
async def town(pool):
    """Three people at one facility; 900 at another whose names begin like theirs."""
    counted = Counted(pool)
    door = Access(counted.connection, key_secret=bytes(32), audit_secret=bytes(32))
    system = door.open(Actor("s", "system"), USUAL_PURPOSE["system"], source="192.0.2.1", request_id="r")
    for one in ("here", "there"):
        await system.update({"resourceType": "Organization", "id": one, "name": one})
    people = [
        someone(1, "Ana", "Johnson", "here"), someone(2, "Anabel", "Rivas-Rivera", "here"),
        someone(3, "Robert", "O'Brien", "here"), someone(4, "Ana", "Johnston", "there"),
    ]  # fmt: skip
    people += [
        someone(number, "Jo", ("Jovanovic", "Joyce", "Joaquin")[number % 3], "there") for number in range(10, 910)
    ]
    for first in range(0, len(people), 100):
        await system.transaction([
            Operation("PUT", "Patient", id=one["id"], resource=one) for one in people[first : first + 100]
        ])  # fmt: skip
    return counted, door


def nurse(door):
    return door.open(
        Actor("n", "nurse", facility_id="here"), USUAL_PURPOSE["nurse"], source="192.0.2.1", request_id="r"
    )


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("johnsen", ["p1"]), ("Jonson Ana", ["p1"]), ("ana jonson", ["p1"]), ("johnsen 1951-03-04", ["p1"]),
        ("johnsen 1952-03-04", []), ("rivero", ["p2"]), ("anabell rivera", ["p2"]), ("obrian robbert", ["p3"]),
        ("brien", ["p3"]), ("robert brian", ["p3"]), ("johnsten", ["p1"]), ("washington", []),
    ],
)  # fmt: skip
async def test_people_of_ones_own_are_found_by_a_name_nearly_spelt_and_nobody_elses(town, typed, found):
    _, door = town
    met = await find(nurse(door), typed)
    assert [one["id"] for one in met.patients] == found


async def test_what_a_name_nearly_spelt_costs_follows_the_names_alike_and_not_all_that_begin_so(town):
    counted, door = town
    await find(nurse(door), "johnsen")
    counted.looked()
    met = await find(nurse(door), "johnsen")
    assert [one["id"] for one in met.patients] == ["p1"]
    assert 0 < counted.looked() < 60, "five names are alike or not; 900 people bear those that are not"
    async with door.connect() as conn:
        rows = await conn.fetch(
            "SELECT query, patient_id FROM record.audit WHERE role = 'nurse' ORDER BY seq DESC LIMIT 3"
        )
    assert [row["patient_id"] for row in rows if "like" in row["query"]] == ["p1"], "one act, of whom was shown"
