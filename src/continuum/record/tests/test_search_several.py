"""Several searches at once answer what each would answer alone, and what is asked in the same words goes together."""

from dataclasses import replace
from urllib.parse import parse_qsl

import pytest

from continuum.fhir.grammar import parse
from continuum.kernel.errors import Malformed
from continuum.record import read
from continuum.record.keys import Keys
from continuum.record.search import search, search_several
from continuum.record.tests.desk import SECRET, Desk, put
from continuum.record.visibility import EVERYTHING, Scope, Visibility

KEYS = Keys(SECRET)
MADE = [
    {"resourceType": "Patient", "id": "p", "name": [{"family": "Quill"}]},
    {"resourceType": "Patient", "id": "q", "name": [{"family": "Quill"}]},
    {"resourceType": "Practitioner", "id": "doctor", "name": [{"family": "Marsh"}]},
    {"resourceType": "Practitioner", "id": "gone", "name": [{"family": "Fern"}]},
    {"resourceType": "Organization", "id": "clinic", "name": "Clinic"},
]
for number in range(9):
    at = f"2026-0{1 + number}-03T08:00:00Z"
    for who in ("p", "q"):
        subject = {"reference": f"Patient/{who}"}
        MADE += [
            {"resourceType": "Encounter", "id": f"{who}-visit-{number}", "status": "finished", "subject": subject,
             "class": {"code": "AMB"}, "period": {"start": at}},
            {"resourceType": "Observation", "id": f"{who}-pulse-{number}", "status": "final", "subject": subject,
             "code": {"text": "Pulse"}, "effectiveDateTime": at,
             "category": [{"coding": [{"code": "vital-signs" if number % 2 else "laboratory"}]}]},
            {"resourceType": "Condition", "id": f"{who}-ill-{number}", "subject": subject, "onsetDateTime": at},
        ]  # fmt: skip
ASKED = {
    "visits": "Encounter?patient=p&_sort=-date&_count=4",
    "pulses": "Observation?patient=p&_sort=-date&_count=4",
    "labs": "Observation?patient=p&category=laboratory&_sort=-date&_count=4",
    "vitals": "Observation?patient=p&category=vital-signs&_sort=-date&_count=4",
    "ill": "Condition?patient=p&_count=60",
    "theirs": "Encounter?patient=q&_sort=-date&_count=4",
    "by name": "Patient?family=quill&_sort=family&_count=1",
    "counted": "Observation?patient=p&_total=accurate&_count=2",
    "number": "Observation?patient=p&_summary=count",
    "by state": "Encounter?patient=p&_sort=status,date&_count=3",
    "with patient": "Encounter?patient=p&_include=Encounter:subject&_count=2&_sort=-date",
    "none": "Goal?patient=p&_count=5",
}


def query(text, cursor=""):
    kind, _, criteria = text.partition("?")
    return replace(parse(kind, parse_qsl(criteria), lenient=False), cursor=cursor)


class Counted:
    """Notes how many round trips a connection makes."""

    def __init__(self, conn):
        self._conn, self.trips = conn, 0

    def __getattr__(self, name):
        found = getattr(self._conn, name)
        if name in {"fetch", "fetchrow", "fetchmany"}:
            self.trips += 1
        return found


@pytest.fixture
async def conn(pool):
    desk = Desk(pool)
    await desk.do(*(put(one) for one in MADE))
    await desk.delete("Practitioner", "gone")
    async with pool.connection() as conn:
        yield conn


async def test_each_is_answered_as_if_it_were_asked_alone(conn):
    queries = {label: query(text) for label, text in ASKED.items()}
    shown = []
    while queries:
        alone = {label: await search(conn, one, visibility=EVERYTHING, keys=KEYS) for label, one in queries.items()}
        found = await search_several(conn, queries, visibility=EVERYTHING, keys=KEYS)
        assert list(found) == list(queries)
        assert found == alone
        shown += [one.id for one in found["visits"].matches] if "visits" in found else []
        queries = {label: query(ASKED[label], page.next_cursor) for label, page in found.items() if page.next_cursor}
    assert shown == [f"p-visit-{number}" for number in reversed(range(9))]


async def test_what_has_the_same_words_goes_together(conn):
    queries = {label: query(ASKED[label]) for label in ("visits", "pulses", "theirs")}
    await search_several(conn, queries, visibility=EVERYTHING, keys=KEYS)
    counted = Counted(conn)
    found = await search_several(counted, queries, visibility=EVERYTHING, keys=KEYS)
    assert counted.trips == 1
    assert [one.id for one in found["theirs"].matches] == [f"q-visit-{number}" for number in (8, 7, 6, 5)]


async def test_a_cursor_of_another_search_is_refused(conn):
    found = await search_several(conn, {"a": query(ASKED["visits"])}, visibility=EVERYTHING, keys=KEYS)
    foreign = query(ASKED["pulses"], found["a"].next_cursor)
    with pytest.raises(Malformed):
        await search_several(conn, {"a": foreign}, visibility=EVERYTHING, keys=KEYS)


async def test_of_ids_those_are_read_that_are_there_and_may_be_seen(conn):
    wanted = {
        "Practitioner": ["doctor", "gone", "nobody"], "Organization": ["clinic"],
        "Encounter": ["p-visit-1", "q-visit-1"],
    }  # fmt: skip
    found = await read.by_ids(conn, wanted, EVERYTHING)
    assert [one.id for one in found[:2]] == ["doctor", "clinic"]
    assert sorted(one.id for one in found[2:]) == ["p-visit-1", "q-visit-1"]
    own = Scope("patients", patients=(KEYS.self_key("Patient", "p"),))
    seen = Visibility({"Encounter": own})
    assert [one.id for one in await read.by_ids(conn, wanted, seen)] == ["p-visit-1"]
    assert await read.by_ids(conn, {}, EVERYTHING) == []
