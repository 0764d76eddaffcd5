"""Search, compartments, paging, $everything and history, as clients see them."""

from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.api.conftest import fresh_id, outcome, patient

pytestmark = pytest.mark.server
SYSTEM = "urn:test"


def observation(subject, day, code="8867-4", **more):
    return {
        "resourceType": "Observation", "status": "final", "subject": {"reference": f"Patient/{subject}"},
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "effectiveDateTime": f"2026-01-{day:02d}T08:00:00Z", **more,
    }  # fmt: skip


async def ward(api, observations=3):
    """A patient with an identifier and some observations."""
    name = fresh_id()
    await api.put(
        f"/Patient/{name}",
        json=patient(id=name, identifier=[{"system": SYSTEM, "value": name}], name=[{"family": name}]),
    )
    ids = []
    for day in range(1, observations + 1):
        made = await api.post("/Observation", json=observation(name, day))
        assert made.status_code == 201, made.text
        ids.append(made.json()["id"])
    return name, ids


def ids_of(bundle, mode="match"):
    return [e["resource"]["id"] for e in bundle.get("entry", []) if e["search"]["mode"] == mode]


async def every_page(api, url, most=50):
    pages = []
    while url:
        answer = await api.get(url)
        assert answer.status_code == 200, answer.text
        pages.append(answer.json())
        url = next((link["url"] for link in pages[-1]["link"] if link["relation"] == "next"), None)
        assert len(pages) <= most
    return pages


async def test_get_and_post_find_the_same_with_links_for_get(api):
    name, _ = await ward(api, 0)
    by_get = await api.get("/Patient", params={"identifier": f"{SYSTEM}|{name}"})
    by_post = await api.post("/Patient/_search", data={"identifier": f"{SYSTEM}|{name}"})
    assert by_get.json() == by_post.json()
    bundle = by_get.json()
    assert (bundle["resourceType"], bundle["type"]) == ("Bundle", "searchset")
    (entry,) = bundle["entry"]
    assert entry["fullUrl"] == f"{api.base_url}Patient/{name}"
    assert entry["search"] == {"mode": "match"}
    (link,) = bundle["link"]
    assert link["relation"] == "self"
    assert dict(parse_qsl(urlsplit(link["url"]).query)) == {"identifier": f"{SYSTEM}|{name}"}
    assert (await api.get(link["url"])).json() == bundle


async def test_a_search_by_post_may_have_no_form(api):
    name, _ = await ward(api, 0)
    found = await api.post(f"/Patient/_search?identifier={SYSTEM}|{name}")
    assert ids_of(found.json()) == [name]
    outcome(await api.post("/Patient/_search", content=b"_id=x"), 415)


@pytest.mark.requirement("V15.3.7")
async def test_criteria_in_the_address_and_in_the_form_hold_together(api):
    name, _ = await ward(api, 0)
    found = await api.post("/Patient/_search?gender=male", data={"identifier": f"{SYSTEM}|{name}"})
    assert ids_of(found.json()) == []


async def test_nothing_found_is_an_empty_bundle(api):
    bundle = (await api.get("/Patient", params={"identifier": f"{SYSTEM}|{fresh_id()}"})).json()
    assert "entry" not in bundle
    counted = await api.get("/Patient", params={"identifier": f"{SYSTEM}|{fresh_id()}", "_total": "accurate"})
    assert counted.json()["total"] == 0


async def test_pages_lead_to_everything_once(api):
    name, ids = await ward(api, 7)
    pages = await every_page(api, f"/Observation?subject=Patient/{name}&_count=3&_sort=-date&_pretty=true")
    assert [len(page["entry"]) for page in pages] == [3, 3, 1]
    assert [found for page in pages for found in ids_of(page)] == ids[::-1]
    for page in pages:
        (own,) = [link["url"] for link in page["link"] if link["relation"] == "self"]
        assert "_count=3" in own
        assert "_pretty=true" in own


async def test_included_resources_are_marked(api):
    name, ids = await ward(api, 2)
    there = (await api.get(f"/Observation?subject=Patient/{name}&_include=Observation:subject")).json()
    assert sorted(ids_of(there)) == sorted(ids)
    assert ids_of(there, "include") == [name]
    back = (await api.get(f"/Patient?_id={name}&_revinclude=Observation:subject")).json()
    assert ids_of(back) == [name]
    assert sorted(ids_of(back, "include")) == sorted(ids)


async def test_totals_and_counts(api):
    name, _ = await ward(api, 4)
    base = f"/Observation?subject=Patient/{name}"
    assert (await api.get(f"{base}&_total=accurate&_count=2")).json()["total"] == 4
    counted = (await api.get(f"{base}&_summary=count")).json()
    assert counted["total"] == 4
    assert "entry" not in counted


async def test_a_searchset_can_show_parts(api):
    name, _ = await ward(api, 1)
    bundle = (await api.get(f"/Observation?subject=Patient/{name}&_elements=code&_include=Observation:subject")).json()
    shown = bundle["entry"][0]["resource"]
    assert "effectiveDateTime" not in shown
    assert shown["status"] == "final"
    assert shown["meta"]["tag"][0]["code"] == "SUBSETTED"
    assert bundle["meta"]["tag"][0]["code"] == "SUBSETTED"


async def test_an_unknown_parameter_is_refused_or_named(api):
    name, _ = await ward(api, 0)
    url = f"/Patient?identifier={SYSTEM}|{name}&shoe-size=43"
    assert "shoe-size" in outcome(await api.get(url), 400)["diagnostics"]
    assert "shoe-size" in outcome(await api.get(url, headers={"prefer": "handling=strict"}), 400)["diagnostics"]
    bundle = (await api.get(url, headers={"prefer": "handling=lenient"})).json()
    assert ids_of(bundle) == [name]
    (said,) = [entry for entry in bundle["entry"] if entry["search"]["mode"] == "outcome"]
    assert said["resource"]["issue"][0]["severity"] == "warning"
    assert "shoe-size" in said["resource"]["issue"][0]["diagnostics"]
    assert "shoe-size" not in bundle["link"][0]["url"]


@pytest.mark.parametrize("query", ["gender:nearly=male", "birthdate=yesterday", "name:exact:missing=true"])
async def test_what_would_find_others_if_it_were_left_out_is_refused_even_leniently(api, query):
    outcome(await api.get(f"/Patient?{query}", headers={"prefer": "handling=lenient"}), 400)


@pytest.mark.parametrize(
    "query", ["birthdate=yesterday", "_count=-1", "_count=x", "_sort=shoe", "_include=x", "name:sounds=x", "_total=all"]
)
async def test_values_that_cannot_be_used_are_refused_in_words(api, query):
    outcome(await api.get(f"/Patient?{query}"), 400)


async def test_a_compartment_is_searched_through_its_own_address(api):
    name, ids = await ward(api, 2)
    other, _ = await ward(api, 1)
    url = f"/Patient/{name}/Observation"
    assert sorted(ids_of((await api.get(url)).json())) == sorted(ids)
    assert ids_of((await api.get(f"{url}?date=2026-01-02")).json()) == [ids[1]]
    posted = (await api.post(f"{url}/_search", data={"date": "2026-01-01"})).json()
    assert ids_of(posted) == [ids[0]]
    assert posted["link"][0]["url"].startswith(f"{api.base_url}Patient/{name}/Observation?date=")
    pages = await every_page(api, f"{url}?_count=1")
    assert sorted(found for page in pages for found in ids_of(page)) == sorted(ids)
    assert other not in str(pages)
    outcome(await api.get(f"/Patient/{name}/Medication"), 400)


async def test_everything_of_a_patient_is_there_whole_or_in_pages(api):
    name, ids = await ward(api, 5)
    wanted = {name, *ids}
    whole = (await api.get(f"/Patient/{name}/$everything")).json()
    assert {entry["resource"]["id"] for entry in whole["entry"]} == wanted
    star = (await api.get(f"/Patient/{name}/*")).json()
    assert {entry["resource"]["id"] for entry in star["entry"]} == wanted
    pages = await every_page(api, f"/Patient/{name}/$everything?_count=2")
    assert len(pages) > 1
    seen = [entry["resource"]["id"] for page in pages for entry in page["entry"]]
    assert sorted(seen) == sorted(wanted)
    typed = (await api.get(f"/Patient/{name}/$everything?_type=Observation")).json()
    assert {entry["resource"]["resourceType"] for entry in typed["entry"]} == {"Observation"}
    dated = (await api.get(f"/Patient/{name}/$everything?start=2026-01-02&end=2026-01-03&_type=Observation")).json()
    assert sorted(ids_of(dated)) == sorted(ids[1:3])
    later = (await api.get(f"/Patient/{name}/$everything?_since=2999-01-01T00:00:00Z")).json()
    assert "entry" not in later


async def test_everything_can_be_asked_by_post(api):
    name, ids = await ward(api, 3)
    body = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "_type", "valueCode": "Patient"},
            {"name": "_type", "valueCode": "Observation"},
            {"name": "_count", "valueInteger": 2},
        ],
    }
    whole = (await api.post(f"/Patient/{name}/$everything")).json()
    assert {entry["resource"]["id"] for entry in whole["entry"]} == {name, *ids}
    first = (await api.post(f"/Patient/{name}/$everything", json=body)).json()
    onward = next(link["url"] for link in first["link"] if link["relation"] == "next")
    pages = [first, *await every_page(api, onward)]
    seen = [entry["resource"]["id"] for page in pages for entry in page["entry"]]
    assert sorted(seen) == sorted([name, *ids])
    wrong = {"resourceType": "Parameters", "parameter": [{"name": "start", "valuePeriod": {"start": "2026"}}]}
    assert "start" in outcome(await api.post(f"/Patient/{name}/$everything", json=wrong), 400)["diagnostics"]
    outcome(await api.post(f"/Patient/{name}/$everything", json=patient()), 400)


async def test_everything_refuses_what_it_does_not_know(api):
    name, _ = await ward(api, 0)
    for query in ("_type=Nonsense", "start=soon", "_count=0", "shoe=1", "_since=x"):
        outcome(await api.get(f"/Patient/{name}/$everything?{query}"), 400)
    outcome(await api.get(f"/Patient/{fresh_id()}/$everything"), 404)


async def versions(api, count=3):
    name = fresh_id()
    for number in range(count):
        await api.put(f"/Patient/{name}", json=patient(id=name, birthDate=f"19{10 + number}-01-01"))
    return name


async def test_a_history_has_every_version_newest_first_with_what_made_it(api):
    name = await versions(api, 2)
    await api.delete(f"/Patient/{name}")
    bundle = (await api.get(f"/Patient/{name}/_history")).json()
    assert bundle["type"] == "history"
    assert [entry["response"]["etag"] for entry in bundle["entry"]] == ['W/"3"', 'W/"2"', 'W/"1"']
    gone, second, first = bundle["entry"]
    assert gone["request"] == {"method": "DELETE", "url": f"Patient/{name}"}
    assert "resource" not in gone
    assert second["request"] == {"method": "PUT", "url": f"Patient/{name}"}
    assert first["resource"]["meta"]["versionId"] == "1"
    assert first["fullUrl"] == f"{api.base_url}Patient/{name}"


@pytest.mark.parametrize("path", ["/Patient/{}/_history", "/Patient/_history", "/_history"])
async def test_histories_are_paged_without_gap_or_repeat(api, path):
    name = await versions(api, 5)
    pages = await every_page(api, path.format(name) + "?_count=2") if "{}" in path else []
    if pages:
        assert [e["resource"]["meta"]["versionId"] for p in pages for e in p["entry"]] == ["5", "4", "3", "2", "1"]
        return
    first = (await api.get(f"{path}?_count=3")).json()
    second = (await api.get(next(link["url"] for link in first["link"] if link["relation"] == "next"))).json()
    shown = [entry["response"]["lastModified"] for entry in first["entry"] + second["entry"]]
    assert shown == sorted(shown, reverse=True)
    mine = [e["resource"]["meta"]["versionId"] for e in first["entry"] + second["entry"] if name in e["fullUrl"]]
    assert mine == ["5", "4", "3", "2", "1"]


async def test_a_history_since_and_at_a_moment(api):
    name = await versions(api, 1)
    first = (await api.get(f"/Patient/{name}")).json()["meta"]["lastUpdated"]
    later = first
    while later == first:  # versions have milliseconds; a test must not depend on being slower than that
        await api.put(f"/Patient/{name}", json=patient(id=name))
        later = (await api.get(f"/Patient/{name}")).json()["meta"]["lastUpdated"]
    since = (await api.get(f"/Patient/{name}/_history", params={"_since": later})).json()
    assert {entry["resource"]["meta"]["lastUpdated"] for entry in since["entry"]} == {later}
    at = (await api.get(f"/Patient/{name}/_history", params={"_at": first})).json()
    assert "1" in {entry["resource"]["meta"]["versionId"] for entry in at["entry"]}
    before = await api.get(f"/Patient/{name}/_history", params={"_at": "1999"})
    assert "entry" not in before.json()
    for query in ("_since=x", "_at=x", "_count=-1", "_count=x", "shoe=1", "_cursor=!!"):
        outcome(await api.get(f"/Patient/{name}/_history?{query}"), 400)
    outcome(await api.get(f"/Patient/{fresh_id()}/_history"), 404)


async def test_a_history_can_be_shown_in_part(api):
    name = await versions(api, 2)
    part = (await api.get(f"/Patient/{name}/_history?_elements=active")).json()
    assert all("birthDate" not in entry["resource"] for entry in part["entry"])


@pytest.mark.parametrize("asked", ["_summary=count", "_count=0", "_count=1&_summary=count"])
async def test_a_history_can_be_counted(api, asked):
    name = await versions(api, 3)
    await api.delete(f"/Patient/{name}")
    own = (await api.get(f"/Patient/{name}/_history?{asked}")).json()
    assert own["total"] == 4
    since = (await api.get(f"/Patient/{name}/_history?_count=1")).json()["entry"][0]["response"]["lastModified"]
    for path in ("/Patient/_history", "/_history"):
        pages = await every_page(api, str(api.build_request("GET", path, params={"_since": since}).url))
        counted = (await api.get(f"{path}?{asked}&_since={since}")).json()
        assert counted["total"] >= sum(len(page["entry"]) for page in pages) > 0
        assert "entry" not in counted
        assert [link["relation"] for link in counted["link"]] == ["self"]
    outcome(await api.get(f"/Patient/{fresh_id()}/_history?{asked}"), 404)


async def test_several_types_are_searched_at_once_page_by_page(api):
    name, ids = await ward(api)
    since = (await api.get(f"/Patient/{name}")).json()["meta"]["lastUpdated"]
    query = {"_type": "Patient,Observation", "_lastUpdated": f"ge{since}", "_content": f"{name.replace('-', ' ')}"}
    found = (await api.get("/", params={**query, "_total": "accurate"})).json()
    assert ids_of(found) == [name]
    assert (found["total"], found["link"][0]["relation"]) == (1, "self")
    everyone = {"_type": "Observation,Patient", "_id": ",".join([name, *ids]), "_count": "2"}
    pages = await every_page(api, str(api.build_request("GET", "/", params=everyone).url))
    assert [one for page in pages for one in ids_of(page)] == [name, *ids]
    assert len(pages) == 2
    form = await api.post("/_search", data={**everyone, "_sort": "-_lastUpdated", "_count": "9"})
    assert ids_of(form.json()) == [*reversed(ids), name]


@pytest.mark.parametrize(
    ("query", "words"),
    [("_type=Patient,Shoe", "Shoe"), ("_type=Patient,AuditEvent", "AuditEvent"), ("_type=", "no value"),
     ("_type=Patient,Observation&family=x", "family"), ("_type=Patient,Group&_sort=family", "family"),
     ("_type=Slot,GraphDefinition&_sort=_id,start", "start is a date of Slot and a token of GraphDefinition")],
)  # fmt: skip
async def test_a_search_across_types_that_cannot_be_is_refused_with_words(api, query, words):
    answer = await api.get(f"/?{query}")
    assert words in outcome(answer, 400)["diagnostics"]


async def test_value_sets_that_were_loaded_are_asked_by(api):
    name, ids = await ward(api, 2)
    url = f"http://x.org/sets/{name}"
    asked = {"patient": name, "code:in": url}
    assert f"no value set {url} here" in outcome(await api.get("/Observation", params=asked), 400)["diagnostics"]
    loinc = {"system": "http://loinc.org", "concept": [{"code": "8867-4"}]}
    made = {"resourceType": "ValueSet", "url": url, "status": "active", "compose": {"include": [loinc]}}
    assert (await api.post("/ValueSet", json=made)).status_code == 201
    assert sorted(ids_of((await api.get("/Observation", params=asked)).json())) == sorted(ids)
    by_filter = {"patient": name, "_filter": f"code ni {url}"}
    assert ids_of((await api.get("/Observation", params=by_filter)).json()) == []


async def test_several_types_are_sorted_by_what_all_of_them_have(api):
    name, ids = await ward(api, 2)
    met = {"resourceType": "Encounter", "status": "finished", "class": {"code": "AMB"}}
    met |= {"subject": {"reference": f"Patient/{name}"}, "period": {"start": "2020-01-01", "end": "2020-01-01"}}
    visit = (await api.post("/Encounter", json=met)).json()["id"]
    asked = f"/?_type=Encounter,Observation&subject=Patient/{name}&_count=2"
    pages = await every_page(api, f"{asked}&_sort=-date")
    assert [one for page in pages for one in ids_of(page)] == [ids[1], ids[0], visit]
    pages = await every_page(api, f"{asked}&_sort=-status,date")
    assert [one for page in pages for one in ids_of(page)] == [visit, *ids]  # finished comes after final


async def test_leniently_what_one_type_does_not_know_is_left_out_of_all(api):
    name, _ = await ward(api, 1)
    answer = await api.get(
        f"/?_type=Patient,Observation&family=nobody&_id={name}", headers={"prefer": "handling=lenient"}
    )
    assert ids_of(answer.json()) == [name]
    (said,) = [e["resource"] for e in answer.json()["entry"] if e["search"]["mode"] == "outcome"]
    assert "family" in said["issue"][0]["diagnostics"]


async def test_what_is_on_a_list_is_found_by_the_list(api):
    name, ids = await ward(api)
    entries = [{"item": {"reference": f"Observation/{one}"}} for one in ids[:2]]
    made = await api.post(
        "/List", json={"resourceType": "List", "status": "current", "mode": "working", "entry": entries}
    )
    on = made.json()["id"]
    assert ids_of((await api.get(f"/Observation?_list={on}")).json()) == ids[:2]
    assert ids_of((await api.get(f"/Observation?_list={on}&patient={name}&date=2026-01-02")).json()) == ids[1:2]
    assert ids_of((await api.get(f"/Patient?_has:Observation:patient:_list={on}")).json()) == [name]
    assert (await api.get("/Observation?_list=$current-problems")).status_code == 400


async def test_a_filter_goes_through_pages_and_is_refused_with_its_place(api):
    name, ids = await ward(api, 5)
    text = f"patient re Patient/{name} and (date le 2026-01-02 or not (date lt 2026-01-05))"
    pages = await every_page(
        api, str(api.build_request("GET", "/Observation", params={"_filter": text, "_count": 2}).url)
    )
    assert [one for page in pages for one in ids_of(page)] == [ids[0], ids[1], ids[4]]
    answer = await api.get("/Observation", params={"_filter": "date le"})
    assert "a value is expected at character 8" in outcome(answer, 400)["diagnostics"]


async def test_a_star_includes_all_that_is_named_and_all_that_names(api):
    name, ids = await ward(api, 2)
    there = (await api.get(f"/Observation?_id={ids[0]}&_include=*")).json()
    assert ids_of(there, "include") == [name]
    back = (await api.get(f"/Patient?_id={name}&_revinclude=*")).json()
    assert sorted(ids_of(back, "include")) == sorted(ids)


async def test_the_order_of_the_last_update_follows_changes_and_leaves_out_what_was_deleted(api):
    name, ids = await ward(api, observations=4)
    first = (await api.get(f"/Observation/{ids[0]}")).json()
    assert (await api.put(f"/Observation/{ids[0]}", json={**first, "status": "amended"})).status_code == 200
    assert (await api.delete(f"/Observation/{ids[2]}")).status_code == 204
    since = first["meta"]["lastUpdated"]
    for order, expected in (("_lastUpdated", [ids[1], ids[3], ids[0]]), ("-_lastUpdated", [ids[0], ids[3], ids[1]])):
        query = {"_sort": order, "_lastUpdated": f"ge{since}", "_count": "100"}
        found = ids_of((await api.get("/Observation", params=query)).json())
        assert [one for one in found if one in ids] == expected
        assert ids_of((await api.get("/Observation", params={**query, "patient": name})).json()) == expected
