"""Whatever is merged, corrected, written and undone in whatever order: taken back, every read is as it was.

The model is a plain dictionary: what each entry says, and whose it is where a clinician put it. It knows nothing of
how the record undoes things.
"""

import contextlib
import itertools
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from continuum.kernel.errors import DomainError
from continuum.record.relocation.tests.charts import Charts, patient
from tests.faults.figures import SEED, Proof, rounds

PEOPLE = ("p0", "p1", "p2", "p3")
WORLDS = itertools.count()
ENTRIES = tuple(f"e{number}" for number in range(6))
person = st.integers(0, len(PEOPLE) - 1)
entry = st.integers(0, len(ENTRIES) - 1)

TWO = st.permutations(range(len(PEOPLE))).map(lambda people: ("merge", *people[:2]))
STEP = st.one_of(
    TWO,
    st.tuples(st.just("merge"), person, person),
    st.tuples(st.just("unmerge"), person),
    st.tuples(st.just("unmerge latest")),
    st.tuples(st.just("correct"), person, person, entry),
    st.tuples(st.just("correct own"), st.integers(0, len(PEOPLE) - 2), entry),
    st.tuples(st.just("revert"), entry),
    st.tuples(st.just("amend"), entry),
    st.tuples(st.just("write"), person),
    st.tuples(st.just("amend patient"), person),
)
STEPS = st.lists(STEP, max_size=9)
WITH_A_MERGE = st.builds(
    lambda before, merge, after: [*before, merge, *after],
    st.lists(STEP, max_size=4), TWO, st.lists(STEP, min_size=1, max_size=6),
)  # fmt: skip
"""Steps at random refuse each other so often that few sequences would hold a merge that happens."""
PARTS = st.fixed_dictionaries(
    {
        "of": st.lists(person, min_size=len(ENTRIES), max_size=len(ENTRIES)),
        "also": st.lists(st.none() | person, min_size=len(ENTRIES), max_size=len(ENTRIES)),
        "identifiers": st.lists(st.integers(0, 2), min_size=len(PEOPLE), max_size=len(PEOPLE)),
        "active": st.lists(st.none() | st.booleans(), min_size=len(PEOPLE), max_size=len(PEOPLE)),
    }
)


class World:
    """One small world on a database that many share: every id carries the world's own mark."""

    def __init__(self, charts: Charts, mark: str) -> None:
        self.charts = charts
        self.mark = mark
        self.expected: dict[str, bytes] = {}
        self.merged: dict[str, str] = {}
        self.unmerged: list[tuple[str, str]] = []
        self.corrections: list[str] = []
        self.amended: dict[str, int] = {}
        self.happened: Counter[str] = Counter()
        self.late: list[tuple[str, str]] = []

    def name(self, kind: str, number: int) -> str:
        return f"{self.mark}-{kind}{number}"

    async def furnish(self, parts) -> None:
        people = []
        for number, value in enumerate(parts["identifiers"]):
            more = {} if parts["active"][number] is None else {"active": parts["active"][number]}
            if value:
                more["identifier"] = [{"system": "urn:mrn", "value": f"{self.mark} {value}"}]
            people.append(patient(self.name("p", number), **more))
        await self.charts.put(*people)
        await self.charts.put(*(self._entry(number, parts) for number in range(len(ENTRIES))))
        self.expected = await self._texts()

    def _entry(self, number, parts):
        of, also = parts["of"][number], parts["also"][number]
        made = {
            "resourceType": "Observation", "id": self.name("e", number), "status": "final",
            "code": {"text": "pulse"}, "subject": {"reference": f"Patient/{self.name('p', of)}"},
        }  # fmt: skip
        if also is not None:
            made["performer"] = [{"reference": f"Patient/{self.name('p', also)}"}]
        return made

    async def _texts(self) -> dict[str, bytes]:
        addresses = [f"Patient/{self.name('p', number)}" for number in range(len(PEOPLE))]
        addresses += [f"Observation/{self.name('e', number)}" for number in range(len(ENTRIES))]
        return {address: await self.charts.text(address) for address in addresses}

    async def step(self, kind, *arguments) -> None:
        try:
            await getattr(self, f"_{kind.replace(' ', '_')}")(*arguments)
        except DomainError:
            self.happened["refused"] += 1

    async def _merge(self, source, target):
        source, target = self.name("p", source), self.name("p", target)
        await self.charts.merge(source, target)
        assert {"other": {"reference": f"Patient/{target}"}, "type": "replaced-by"} in (
            await self.charts.read(f"Patient/{source}")
        )["link"]
        self.merged[source] = target
        self.happened["merge"] += 1

    async def _unmerge(self, source):
        await self._take_apart(self.name("p", source))

    async def _unmerge_latest(self):
        if self.merged:
            await self._take_apart(next(reversed(self.merged)))

    async def _take_apart(self, source):
        await self.charts.unmerge(source)
        self.unmerged.append((source, self.merged.pop(source)))
        self.happened["unmerge"] += 1

    async def _correct(self, source, target, number):
        await self._move(self.name("p", source), self.name("p", target), f"Observation/{self.name('e', number)}")

    async def _correct_own(self, other, number):
        """An entry of whoever has it by then, for one of the others."""
        address = f"Observation/{self.name('e', number)}"
        owner = (await self.charts.read(address))["subject"]["reference"].partition("/")[2]
        others = [name for name in (self.name("p", each) for each in range(len(PEOPLE))) if name != owner]
        await self._move(owner, others[other], address)

    async def _move(self, source, target, address):
        outcome = await self.charts.correct(source, target, address)
        self.corrections.append(outcome.id)
        self.happened["correct"] += 1

    async def _revert(self, number):
        if self.corrections:
            await self._take_back(self.corrections[number % len(self.corrections)])

    async def _take_back(self, correction):
        await self.charts.revert(correction)
        self.corrections.remove(correction)
        self.happened["revert"] += 1

    async def _amend(self, number):
        """A clinician adds a note, and says nothing about whose entry it is."""
        address = f"Observation/{self.name('e', number)}"
        found = await self.charts.read(address)
        count = self.amended.get(address, 0) + 1
        await self.charts.put({**found, "note": [{"text": f"checked {count} times"}]})
        self.amended[address] = count

    async def _amend_patient(self, number):
        address = f"Patient/{self.name('p', number)}"
        found = await self.charts.read(address)
        count = self.amended.get(address, 0) + 1
        await self.charts.put({**found, "name": [{"family": f"Renamed {count} times"}]})
        self.amended[address] = count

    async def _write(self, number):
        """A new entry, for whoever the chart is."""
        name = f"{self.mark}-late{len(self.late)}"
        of = self.name("p", number)
        await self.charts.put({
            "resourceType": "Observation", "id": name, "status": "final", "code": {"text": "late"},
            "subject": {"reference": f"Patient/{of}"},
        })  # fmt: skip
        self.late.append((name, of))

    async def undo_everything(self) -> None:
        """Until nothing is left: each refusal names what has to be undone first."""
        for _ in range(len(self.merged) + len(self.corrections)):
            for undo, known in ((self._take_back, self.corrections), (self._take_apart, self.merged)):
                for one in reversed(tuple(known)):
                    with contextlib.suppress(DomainError):
                        await undo(one)
        assert (self.merged, self.corrections) == ({}, []), "nothing can stand in the way of everything"

    def undone(self) -> int:
        """Merges that were undone of two whom nobody amended: both read byte for byte as before, or `check` failed."""
        return sum(not {f"Patient/{one}" for one in pair} & set(self.amended) for pair in self.unmerged)

    async def check(self) -> None:
        found = await self._texts()
        for address, text in self.expected.items():
            if address in self.amended:
                self._check_amended(address, await self.charts.read(address), text)
            else:
                assert found[address] == text, address
        wanted: dict[str, set[str]] = {self.name("p", number): set() for number in range(len(PEOPLE))}
        for address, text in found.items():
            if address.startswith("Observation"):
                wanted[text.partition(b'"subject":{"reference":"Patient/')[2].partition(b'"')[0].decode()].add(address)
        for late, of in self.late:
            wanted[of].add(f"Observation/{late}")
        for name, entries in wanted.items():
            kept = {address for address in await self.charts.chart(name) if not address.startswith("Provenance")}
            assert kept == entries, name

    def _check_amended(self, address, resource, text):
        count = self.amended[address]
        was = text.decode()
        if address.startswith("Patient"):
            assert resource["name"] == [{"family": f"Renamed {count} times"}]
            assert "link" not in resource
            assert ("active" in resource) == ('"active"' in was)
            assert len(resource.get("identifier", ())) == was.count('"system":"urn:mrn"')
        else:
            assert resource["note"] == [{"text": f"checked {count} times"}]
            assert f'"subject":{{"reference":"{resource["subject"]["reference"]}"}}' in was
            performers = [one["reference"] for one in resource.get("performer", ())]
            assert all(f'"performer":[{{"reference":"{one}"}}]' in was for one in performers)
            assert bool(performers) == ('"performer"' in was)


async def run(charts, parts, steps) -> World:
    world = World(charts, f"w{next(WORLDS)}")
    await world.furnish(parts)
    for kind, *arguments in steps:
        await world.step(kind, *arguments)
    await world.undo_everything()
    await world.check()
    return world


SHARED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)


@settings(SHARED, max_examples=60)
@given(parts=PARTS, steps=STEPS | WITH_A_MERGE)
async def test_whatever_was_merged_and_moved_reads_as_before_once_it_is_taken_back(pool, parts, steps):
    await run(Charts(pool), parts, steps)


SEQUENCES = rounds("MERGE_SEQUENCES", 500)


@pytest.fixture
def page():
    """Counts what happens in the sequences and writes the page of the proof at the end."""
    proof = Proof(
        "merging", "Merged, corrected and taken back", __doc__ or "",
        "src/continuum/record/relocation/tests/test_sequences.py",
        {"MERGE_SEQUENCES": SEQUENCES}, {"MERGE_SEQUENCES": 10_000},
    )  # fmt: skip
    counted: Counter[str] = Counter()
    yield counted
    done = counted["sequences"]
    proof.held("Sequences", done, f"at least {SEQUENCES:,}", holds=done >= SEQUENCES)
    proof.told("Steps tried in them", counted["steps"])
    proof.told("Steps that were refused, such as merging somebody twice", counted["refused"])
    for kind, words in (
        ("merge", "Merges that happened"), ("unmerge", "Merges undone, in a sequence or at its end"),
        ("correct", "Corrections that happened"), ("revert", "Corrections undone, in a sequence or at its end"),
    ):  # fmt: skip
        proof.told(words, counted[kind])
    proof.held(
        "Sequences with a merge that happened and was undone, after which both people read as before byte for byte",
        counted["undone"], "at least half", holds=2 * counted["undone"] >= done,
    )  # fmt: skip
    proof.zero("Sequences of which something was not as before once all was taken back", counted["begun"] - done)
    proof.close()


@pytest.mark.proof
@pytest.mark.timeout(7_200)
@seed(SEED)
@settings(SHARED, max_examples=SEQUENCES)
@given(parts=PARTS, steps=WITH_A_MERGE)
async def test_many_sequences_read_as_before_once_they_are_taken_back(pool, page, parts, steps):
    page["begun"] += 1
    world = await run(Charts(pool), parts, steps)
    page.update(world.happened)
    page.update(sequences=1, steps=len(steps), undone=world.undone() > 0)
