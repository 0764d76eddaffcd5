"""Entries that were written for the wrong person, moved to the right one and back."""

import pytest

from continuum.kernel.errors import Conflict, Invalid, NotFound, TooCostly
from continuum.record.relocation import correct as correcting
from continuum.record.relocation.tests.charts import Charts, encounter, observation, patient, refusal


@pytest.fixture
async def charts(pool):
    """Two people; a visit of `b` and what was done at it were written into the chart of `a`."""
    found = Charts(pool)
    await found.put(patient("a"), patient("b"))
    await found.put(encounter("e", "a"), encounter("own", "a"))
    here = {"reference": "Encounter/e"}
    await found.put(encounter("part", "a", partOf=here))
    await found.put(observation("o", "a", encounter={"reference": "Encounter/part"}, valueString="x"))
    await found.put(observation("kept", "a", encounter={"reference": "Encounter/own"}))
    return found


async def test_an_encounter_takes_everything_in_it_along(charts):
    outcome = await charts.correct("a", "b", "Encounter/e")
    assert dict(outcome.moved) == {"Encounter": 2, "Observation": 1}
    assert {"Encounter/e", "Encounter/part", "Observation/o"} <= await charts.chart("b")
    assert {"Encounter/own", "Observation/kept"} <= await charts.chart("a")
    assert (await charts.read("Observation/o"))["encounter"] == {"reference": "Encounter/part"}
    assert outcome.warnings == []


async def test_the_original_stays_in_the_history(charts, pool):
    await charts.correct("a", "b", "Observation/o")
    async with pool.connection() as conn:
        rows = await conn.fetch("SELECT version, patient_id FROM record.history WHERE id = 'o'")
    assert [tuple(row) for row in rows] == [(1, "a")]


async def test_both_charts_have_a_trace_and_neither_names_the_other_person(charts):
    outcome = await charts.correct("a", "b", "Observation/o")
    source, target = [await charts.read(f"Provenance/{one}") for one in outcome.provenances]
    assert source["target"] == [{"reference": "Patient/a"}]
    assert source["entity"][1] == {"role": "removal", "what": {"reference": "Observation/o/_history/1"}}
    assert target["target"] == [{"reference": "Patient/b"}, {"reference": "Observation/o/_history/2"}]
    assert "Patient/b" not in str(source)
    assert "Patient/a" not in str(target)
    for one in (source, target):
        assert one["entity"][0]["what"]["identifier"]["value"] == f"urn:uuid:{outcome.id}"
    assert {f"Provenance/{outcome.provenances[0]}"} <= await charts.chart("a")
    assert {f"Provenance/{outcome.provenances[1]}"} <= await charts.chart("b")


async def test_an_entry_alone_no_longer_names_the_encounter_that_stays(charts):
    outcome = await charts.correct("a", "b", "Observation/o")
    found = await charts.read("Observation/o")
    assert "encounter" not in found
    assert found["subject"] == {"reference": "Patient/b"}
    assert any("no longer names that encounter" in words for words in outcome.warnings)


async def test_a_document_alone_no_longer_names_the_encounter_that_stays(charts):
    await charts.put({
        "resourceType": "DocumentReference", "id": "d", "status": "current", "subject": {"reference": "Patient/a"},
        "content": [{"attachment": {"url": "https://example.org/d"}}],
        "context": {"encounter": [{"reference": "Encounter/own"}], "facilityType": {"text": "clinic"}},
    })  # fmt: skip
    await charts.correct("a", "b", "DocumentReference/d")
    assert (await charts.read("DocumentReference/d"))["context"] == {"facilityType": {"text": "clinic"}}


async def test_what_stays_behind_though_it_refers_to_what_moved_is_named(charts):
    await charts.put({
        "resourceType": "DiagnosticReport", "id": "r", "status": "final", "code": {"text": "report"},
        "subject": {"reference": "Patient/a"}, "result": [{"reference": "Observation/o"}],
    })  # fmt: skip
    outcome = await charts.correct("a", "b", "Observation/o")
    assert any("DiagnosticReport/r stays" in words for words in outcome.warnings)
    both = await charts.correct("a", "b", "DiagnosticReport/r")
    assert not any("stays, though" in words for words in both.warnings)


async def test_a_correction_that_is_taken_back_leaves_every_read_as_it_was(charts):
    before = await charts.texts()
    for entries in (["Observation/o"], ["Encounter/e"], ["Encounter/own", "Observation/o"]):
        outcome = await charts.correct("a", "b", *entries)
        assert await charts.texts() != before
        back = await charts.revert(outcome.id)
        assert await charts.texts() == before
        assert back.warnings == []


async def test_an_entry_that_was_amended_since_comes_back_with_its_amendment_and_its_encounter(charts):
    outcome = await charts.correct("a", "b", "Observation/o")
    await charts.put({**(await charts.read("Observation/o")), "status": "amended"})
    back = await charts.revert(outcome.id)
    found = await charts.read("Observation/o")
    assert found["status"] == "amended"
    assert found["subject"] == {"reference": "Patient/a"}
    assert found["encounter"] == {"reference": "Encounter/part"}
    assert any("Observation/o was changed since" in words for words in back.warnings)


async def test_a_correction_is_undone_once(charts):
    outcome = await charts.correct("a", "b", "Observation/o")
    await charts.revert(outcome.id)
    assert isinstance(await refusal(charts.revert(outcome.id)), Conflict)
    assert isinstance(await refusal(charts.revert("nothing")), NotFound)


async def test_a_merge_is_not_undone_as_a_correction(charts):
    outcome = await charts.merge("a", "b")
    assert isinstance(await refusal(charts.revert(outcome.id)), NotFound)


async def test_entries_of_others_and_what_is_no_entry_are_refused(charts):
    await charts.put(observation("of-b", "b"))
    provenance = (await charts.correct("a", "b", "Observation/kept")).provenances[0]
    for entry, kind in (
        ("Observation/of-b", Invalid), ("Patient/a", Invalid), (f"Provenance/{provenance}", Invalid),
        ("Observation/nothing", NotFound),
    ):  # fmt: skip
        assert isinstance(await refusal(charts.correct("a", "b", entry)), kind)
    assert isinstance(await refusal(charts.correct("a", "a", "Observation/o")), Invalid)
    assert isinstance(await refusal(charts.correct("a", "nobody", "Observation/o")), NotFound)


async def test_entries_are_not_moved_between_a_test_patient_and_a_real_one(charts):
    await charts.put(patient("t", meta={"tag": [{"code": "HTEST"}]}))
    assert "test patient" in str(await refusal(charts.correct("a", "t", "Observation/o")))


async def test_entries_are_not_moved_into_a_chart_that_was_merged_away(charts):
    await charts.put(patient("c"))
    await charts.merge("b", "c")
    assert "name that one instead" in str(await refusal(charts.correct("a", "b", "Observation/o")))


async def test_a_preview_moves_nothing(charts):
    before = await charts.texts(without=())
    outcome = await charts.correct("a", "b", "Encounter/e", preview=True)
    assert dict(outcome.moved) == {"Encounter": 2, "Observation": 1}
    assert await charts.texts(without=()) == before


async def test_too_many_entries_at_once_are_refused_in_words(charts, monkeypatch):
    monkeypatch.setattr(correcting, "CORRECTION_ENTRIES_MAX", 2)
    refused = await refusal(charts.correct("a", "b", "Encounter/e"))
    assert isinstance(refused, TooCostly)


async def test_a_merge_is_not_undone_under_a_correction_that_was_built_on_it(charts):
    await charts.put(patient("c"))
    before = await charts.texts()
    await charts.merge("a", "b")
    correction = await charts.correct("b", "c", "Observation/o")
    refused = await refusal(charts.unmerge("a"))
    assert correction.id in str(refused)
    await charts.revert(correction.id)
    outcome = await charts.unmerge("a")
    assert await charts.texts() == before
    assert outcome.warnings == [], "what came back as it was is not called changed"


async def test_a_correction_is_not_undone_into_a_chart_that_was_merged_away_since(charts):
    correction = await charts.correct("a", "b", "Observation/o")
    await charts.put(patient("c"))
    await charts.merge("a", "c")
    assert "Undo that merge first" in str(await refusal(charts.revert(correction.id)))
    await charts.unmerge("a")
    assert (await charts.revert(correction.id)).done


async def test_what_moved_can_be_found_in_its_new_chart_at_once(charts, pool):
    await charts.correct("a", "b", "Encounter/e")
    async with pool.connection() as conn:
        rows = await conn.fetch(
            "SELECT r.body IS NOT NULL AS there, r.id FROM record.search s JOIN record.resource r USING (row_id)"
            " WHERE s.keys @> ARRAY[$1::bigint] ORDER BY r.id",
            charts.keys.reference("Observation", "patient", "Patient/b"),
        )
    assert [row["id"] for row in rows] == ["o"]
