"""Charts that are merged, and merges that are taken back."""

from decimal import Decimal

import pytest

from continuum.fhir.json import parse
from continuum.kernel.clock import now_us
from continuum.kernel.errors import Conflict, Gone, Invalid, NotFound
from continuum.kernel.limits import (
    MERGE_ENTRIES_MAX,
)
from continuum.record.relocation import merge as merging
from continuum.record.relocation.tests.charts import Charts, observation, patient, refusal


@pytest.fixture
async def charts(pool):
    """Anna, who was registered twice (`a`, `b`), each with an entry."""
    found = Charts(pool)
    await found.put(
        patient("a", identifier=[{"system": "urn:mrn", "value": "1"}]),
        patient("b", active=True, identifier=[{"system": "urn:mrn", "value": "2"}]),
    )
    await found.put(observation("of-a", "a", valueQuantity={"value": Decimal("1.50")}), observation("of-b", "b"))
    return found


async def test_every_entry_of_the_source_is_one_of_the_target_afterwards(charts):
    outcome = await charts.merge("a", "b")
    assert outcome.done
    assert dict(outcome.moved) == {"Observation": 1}
    assert (await charts.read("Observation/of-a"))["subject"] == {"reference": "Patient/b"}
    traces = {f"Provenance/{one}" for one in outcome.provenances}
    assert await charts.chart("b") == {"Observation/of-a", "Observation/of-b", *(traces & await charts.chart("b"))}
    assert len(await charts.chart("a")) == 1, "its Provenance"
    assert await charts.chart("a") <= traces


async def test_whoever_reads_the_source_is_told_where_it_went_and_the_target_answers_to_its_identifiers(charts):
    outcome = await charts.merge("a", "b")
    source, target = await charts.read("Patient/a"), await charts.read("Patient/b")
    assert source["active"] is False
    assert source["link"] == [{"other": {"reference": "Patient/b"}, "type": "replaced-by"}]
    assert target["active"] is True
    assert target["link"] == [{"other": {"reference": "Patient/a"}, "type": "replaces"}]
    assert target["identifier"][1:] == [{"system": "urn:mrn", "value": "1", "use": "old"}]
    assert [parse(one.body) for one in outcome.patients] == [source, target]


async def test_both_charts_keep_a_trace_that_says_who_and_why(charts):
    outcome = await charts.merge("a", "b")
    traces = [await charts.read(f"Provenance/{one}") for one in outcome.provenances]
    assert [one["target"][0]["reference"] for one in traces] == ["Patient/a", "Patient/b"]
    for one in traces:
        assert one["agent"][0]["who"] == {"identifier": {"value": "clerk"}, "display": "Chris Clerk"}
        assert one["reason"] == [{"text": "the same person was registered twice"}]
        assert one["entity"][0]["what"]["identifier"]["value"] == f"urn:uuid:{outcome.id}"
    assert "Patient/b" in traces[0]["activity"]["text"]


async def test_a_merge_that_is_taken_back_leaves_every_read_as_it_was(charts):
    before = await charts.texts()
    await charts.merge("a", "b")
    assert await charts.texts() != before
    outcome = await charts.unmerge("a")
    assert await charts.texts() == before
    assert outcome.warnings == []
    assert dict(outcome.moved) == {"Observation": 1}
    assert (await charts.read("Observation/of-a"))["meta"]["versionId"] == "3", "versions are never rewritten"


async def test_a_preview_says_what_would_be_and_changes_nothing(charts):
    before = await charts.texts(without=())
    planned = await charts.merge("a", "b", preview=True)
    assert not planned.done
    assert dict(planned.moved) == {"Observation": 1}
    assert parse(planned.patients[0].body)["active"] is False
    assert await charts.texts(without=()) == before
    done = await charts.merge("a", "b")
    assert done.patients[0].body[:60] == planned.patients[0].body[:60]
    merged = await charts.texts(without=())
    back = await charts.unmerge("a", preview=True)
    assert dict(back.moved) == {"Observation": 1}
    assert await charts.texts(without=()) == merged


async def test_entries_written_after_the_merge_stay_where_they_were_put(charts):
    await charts.merge("a", "b")
    await charts.put(observation("later", "b"))
    await charts.unmerge("a")
    assert "Observation/later" in await charts.chart("b")
    assert "Observation/of-a" in await charts.chart("a")


async def test_an_entry_that_was_amended_after_the_merge_goes_back_with_its_amendment_and_is_named(charts):
    await charts.merge("a", "b")
    amended = await charts.read("Observation/of-a")
    await charts.put({**amended, "status": "amended", "note": [{"text": "checked again"}]})
    outcome = await charts.unmerge("a")
    found = await charts.read("Observation/of-a")
    assert found["subject"] == {"reference": "Patient/a"}
    assert found["status"] == "amended"
    assert any("Observation/of-a was changed since" in words for words in outcome.warnings)


async def test_an_entry_that_was_put_elsewhere_since_stays_there(charts):
    await charts.merge("a", "b")
    await charts.put(patient("c"))
    await charts.put(observation("of-a", "c"))
    outcome = await charts.unmerge("a")
    assert "Observation/of-a" in await charts.chart("c")
    assert any("Observation/of-a was put elsewhere" in words for words in outcome.warnings)


async def test_what_was_deleted_after_the_merge_stays_deleted(charts):
    await charts.merge("a", "b")
    await charts.delete("Observation", "of-a")
    outcome = await charts.unmerge("a")
    assert isinstance(await refusal(charts.read("Observation/of-a")), Gone)
    assert any("Observation/of-a was deleted" in words for words in outcome.warnings)


async def test_patients_that_were_changed_after_the_merge_lose_only_what_the_merge_made_of_them(charts):
    await charts.merge("a", "b")
    source, target = await charts.read("Patient/a"), await charts.read("Patient/b")
    await charts.put({**source, "gender": "female"})
    await charts.put({**target, "gender": "female", "identifier": [*target["identifier"], {"value": "new"}]})
    await charts.unmerge("a")
    source, target = await charts.read("Patient/a"), await charts.read("Patient/b")
    assert (source["gender"], "active" in source, "link" in source) == ("female", False, False)
    assert (target["gender"], target["active"], "link" in target) == ("female", True, False)
    assert [one["value"] for one in target["identifier"]] == ["2", "new"]


async def test_nobody_writes_into_a_chart_that_was_merged_away_until_it_is_back(charts):
    await charts.merge("a", "b")
    for entry in (observation("new", "a"), observation("of-b", "a")):
        refused = await refusal(charts.put(entry))
        assert isinstance(refused, Conflict)
        assert "Patient/a was merged into Patient/b" in str(refused)
    await charts.unmerge("a")
    await charts.put(observation("new", "a"))
    assert "Observation/new" in await charts.chart("a")


async def test_a_person_is_not_merged_with_themself(charts):
    assert isinstance(await refusal(charts.merge("a", "a")), Invalid)


async def test_a_merge_cannot_go_in_a_circle_or_be_done_twice(charts):
    await charts.put(patient("c"))
    await charts.merge("a", "b")
    for source, target in (("b", "a"), ("a", "b"), ("a", "c"), ("c", "a")):
        refused = await refusal(charts.merge(source, target))
        assert isinstance(refused, Conflict)
        assert "Patient/a was merged into Patient/b" in str(refused)


async def test_a_patient_who_came_with_a_replaced_by_link_is_not_merged_again(charts):
    await charts.put(patient("old", link=[{"other": {"reference": "Patient/b"}, "type": "replaced-by"}]))
    assert "merged into Patient/b" in str(await refusal(charts.merge("old", "a")))
    assert isinstance(await refusal(charts.unmerge("old")), NotFound), "it was not merged here"


async def test_a_test_patient_is_not_merged_with_a_real_one(charts):
    test = {"tag": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HTEST"}]}
    await charts.put(patient("t", meta=test), patient("u", meta=test))
    for source, target in (("t", "a"), ("a", "t")):
        assert "Patient/t is a test patient" in str(await refusal(charts.merge(source, target)))
    assert (await charts.merge("t", "u")).done


async def test_patients_who_are_not_there_are_not_merged(charts):
    await charts.put(patient("gone"))
    await charts.delete("Patient", "gone")
    assert isinstance(await refusal(charts.merge("a", "nobody")), NotFound)
    assert isinstance(await refusal(charts.merge("nobody", "a")), NotFound)
    assert isinstance(await refusal(charts.merge("gone", "a")), Gone)


async def test_merges_that_build_on_each_other_are_undone_from_the_last_one(charts):
    await charts.put(patient("c"))
    before = await charts.texts()
    await charts.merge("a", "b")
    await charts.merge("b", "c")
    assert {"Observation/of-a", "Observation/of-b"} <= await charts.chart("c")
    assert "Undo that merge first" in str(await refusal(charts.unmerge("a")))
    await charts.unmerge("b")
    await charts.unmerge("a")
    assert await charts.texts() == before


async def test_merges_into_one_chart_are_undone_in_any_order(charts):
    await charts.put(patient("c", identifier=[{"system": "urn:mrn", "value": "1"}]))
    group = {
        "resourceType": "Group", "id": "g", "type": "person", "actual": True,
        "member": [{"entity": {"reference": "Patient/a"}}, {"entity": {"reference": "Patient/c"}}],
    }  # fmt: skip
    await charts.put(group)
    before = await charts.texts()
    for order in (("a", "c"), ("c", "a")):
        await charts.merge("a", "b")
        await charts.merge("c", "b")
        for source in order:
            outcome = await charts.unmerge(source)
        assert await charts.texts() == before
        assert outcome.warnings == []


async def test_references_to_a_version_of_the_source_move_too_and_come_back(charts):
    await charts.put(observation("v", "a", performer=[{"reference": "Patient/a/_history/1", "display": "herself"}]))
    before = await charts.texts()
    await charts.merge("a", "b")
    assert (await charts.read("Observation/v"))["performer"] == [{"reference": "Patient/b", "display": "herself"}]
    await charts.unmerge("a")
    assert await charts.texts() == before


async def test_facilities_that_cared_for_the_source_care_for_the_target_until_the_merge_is_undone(charts, pool):
    facilities = [{"resourceType": "Organization", "id": name, "name": name} for name in ("f", "g")]
    await charts.put(*facilities)
    for facility in ("f", "g"):
        here = {"reference": f"Organization/{facility}"}
        await charts.put({**(await charts.read("Patient/a")), "managingOrganization": here})

    async def caring():
        async with pool.connection() as conn:
            rows = await conn.fetch(
                "SELECT who FROM record.relation WHERE patient = $1 AND basis = 0 AND ends > $2",
                charts.keys.self_key("Patient", "b"), now_us(),
            )  # fmt: skip
        return {row["who"] for row in rows}

    f, g = (charts.keys.self_key("Organization", name) for name in ("f", "g"))
    await charts.merge("a", "b")
    assert await caring() == {f, g}
    await charts.put({
        "resourceType": "Encounter", "id": "e", "status": "finished", "class": {"code": "AMB"},
        "subject": {"reference": "Patient/b"}, "serviceProvider": {"reference": "Organization/g"},
    })  # fmt: skip
    await charts.unmerge("a")
    assert await caring() == {g}, "who has seen the patient since goes on doing so"


async def test_a_chart_too_large_for_one_transaction_is_refused_in_words(charts, monkeypatch):
    monkeypatch.setattr(merging, "MERGE_ENTRIES_MAX", 1)
    await charts.put(observation("one-more", "a"))
    assert "more than 1 entries" in str(await refusal(charts.merge("a", "b")))
    assert MERGE_ENTRIES_MAX > 1_000
