"""What a search means where it is easy to get it wrong."""

import random
import string
from decimal import Decimal

import pytest

from continuum.kernel.errors import DomainError, Malformed, TooCostly, UnusableParameter
from continuum.record.search import includes, profiles
from continuum.record.tests.stock import Stock, amount, coded, observation, patient
from continuum.record.visibility import Scope, Visibility


@pytest.fixture
def stock(pool):
    return Stock(pool)


async def test_many_rows_of_one_resource_do_not_hide_another(stock):
    """Several strings of one patient begin alike; the rows that are gathered are counted, not the patients."""
    people = [
        patient(f"p{n:03}", name=[{"family": f"Smith {n:03}", "given": [f"Smith {n:03}{x}" for x in "abcdef"]}])
        for n in range(120)
    ]
    await stock.fill(*people)
    assert await stock.ids("Patient?name=smith") == [one["id"] for one in people]
    assert (await stock.page("Patient?name=smith&_total=accurate")).total == 120


async def test_text_longer_than_its_trigrams_is_still_found_by_contains(stock):
    rng = random.Random(1)
    many = ["".join(rng.choice(string.ascii_lowercase) for _ in range(190)) for _ in range(8)]
    await stock.fill(patient("p", name=[{"text": text} for text in [*many, "the last one is zebrafish"]]))
    assert await stock.ids("Patient?name:contains=brafis") == ["p"]


async def test_a_canonical_is_found_with_and_without_its_version(stock):
    plan = {"resourceType": "CarePlan", "status": "active", "intent": "plan", "subject": {"reference": "Patient/p"}}
    await stock.fill({**plan, "id": "c", "instantiatesCanonical": ["http://x.org/PlanDefinition/a|1.0"]})
    for text in (
        "http://x.org/PlanDefinition/a",
        "http://x.org/PlanDefinition/a\\|1.0",
        "http://x.org/PlanDefinition/a|1.0",
    ):
        assert await stock.ids(f"CarePlan?instantiates-canonical={text}") == ["c"], text
    assert await stock.ids("CarePlan?instantiates-canonical=http://x.org/PlanDefinition/a|2.0") == []


async def test_a_value_that_is_filed_with_another_parameter_is_found_by_both(stock):
    """An e-mail address is filed as telecom only, a patient as the subject: own keys would be second ones."""
    said = [{"system": "email", "value": "a"}, {"system": "phone", "value": "b"}, {"system": "fax", "value": "a"}]
    await stock.fill(
        patient("p", telecom=said), patient("q", telecom=[{"value": "a"}]), patient("r", deceasedBoolean=True),
        observation("o", subject={"reference": "Patient/p"}), observation("g", subject={"reference": "Group/p"}),
        observation("away", subject={"reference": "https://x.org/Patient/p"}),
    )  # fmt: skip
    for text, found in {
        "email=a": ["p"], "email=email|a": ["p"], "email=email|": ["p"], "email=b": [], "email=phone|b": [],
        "email=|a": [], "email:not=a": ["q", "r"], "email:missing=true": ["q", "r"], "phone=b": ["p"],
        "phone=a": [], "telecom=a": ["p", "q"], "telecom=fax|a": ["p"], "telecom=phone|": ["p"],
        "deceased=false": ["p", "q"], "deceased=true": ["r"],
        "deceased=http://terminology.hl7.org/CodeSystem/special-values|true": ["r"], "deceased=other|true": [],
    }.items():  # fmt: skip
        assert await stock.ids(f"Patient?{text}") == found, text
    for text, found in {
        "patient=Patient/p": ["o"], "patient=p": ["o"], "subject=Patient/p": ["o"], "subject=Group/p": ["g"],
        "patient=https://x.org/Patient/p": ["away"], "subject=https://x.org/Patient/p": ["away"],
        "patient:missing=true": ["g"], "patient.telecom=b": ["o"],
    }.items():  # fmt: skip
        assert await stock.ids(f"Observation?{text}") == found, text
    assert await stock.included("Patient?_id=p&_revinclude=Observation:patient") == {"Observation/o"}


async def test_a_unit_needs_its_code(stock):
    await stock.fill(observation("o", valueQuantity=amount(5, system="urn:a", code="mg")))
    with pytest.raises(DomainError, match="value-quantity"):
        await stock.page("Observation?value-quantity=5|urn:b|")


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("gt5.4", ["more"]), ("ge5.4", ["plain", "more"]), ("lt5.4", ["less"]), ("le5.4", ["plain", "less"]),
        ("gt5.400000000000000001", ["more"]), ("ge5.4000000000000000010", ["more"]),
        ("lt5.400000000000000001", ["plain", "less"]), ("sa5.4", ["more"]), ("eb5.4", ["less"]),
        ("5.400000000000000002", ["more"]), ("ne5.400000000000000002", ["plain", "less"]),
        ("5.4", ["plain", "more", "less"]), ("ap5.4", ["plain", "more", "less"]),
    ],
)  # fmt: skip
async def test_numbers_are_compared_to_their_last_digit(stock, search, found):
    values = {"plain": "5.4", "more": "5.400000000000000002", "less": "5.399999999999999998"}
    await stock.fill(*(observation(name, valueQuantity=amount(Decimal(text))) for name, text in values.items()))
    assert sorted(await stock.ids(f"Observation?value-quantity={search}")) == sorted(found)


async def test_everything_leaves_out_what_belongs_to_somebody_else(stock):
    await stock.fill(
        patient("a"), patient("b"), observation("own", "Patient/a"),
        observation("of-b", "Patient/b", focus=[{"reference": "Patient/a"}]),
        observation("by-a", "Patient/b", performer=[{"reference": "Patient/a"}]),
    )  # fmt: skip
    assert await stock.everything("a") == {"Patient/a", "Observation/own", "Observation/by-a"}


async def test_a_reverse_include_shows_what_may_be_seen_however_much_may_not(stock, monkeypatch):
    monkeypatch.setattr(includes, "INCLUDE_MAX", 5)
    doctor = {"resourceType": "Practitioner", "id": "d"}
    others = [observation(f"x{n}", "Patient/other", performer=[{"reference": "Practitioner/d"}]) for n in range(20)]
    await stock.fill(doctor, patient("mine"), patient("other"), *others)
    await stock.fill(observation("seen", "Patient/mine", performer=[{"reference": "Practitioner/d"}]))
    own = Visibility({"Observation": Scope("patients", (stock.keys.self_key("Patient", "mine"),))}, Scope("all"))
    text = "Practitioner?_id=d&_revinclude=Observation:performer"
    assert await stock.included(text, visibility=own) == {"Observation/seen"}
    with pytest.raises(TooCostly):
        await stock.included(text)


@pytest.mark.parametrize(
    "text",
    ["Patient?family=%00", "Patient?family:exact=a%00", "Patient?_id=%00", "Patient?identifier=%00|x",
     "Patient?general-practitioner=%00", "Patient?name:contains=%00%00%00", "ValueSet?url:below=http://x%00",
     "Observation?code=%00&value-quantity=5||%00", "Patient?identifier=%ED%A0%80"],
)  # fmt: skip
async def test_characters_that_no_resource_can_hold_find_nothing_and_break_nothing(stock, text):
    await stock.fill(patient("p", name=[{"family": "a"}]))
    if "%00" in text:
        with pytest.raises(Malformed, match="may not stand in FHIR text"):
            await stock.ids(text)
    else:
        assert await stock.ids(text) == []


CURSORS = ("", "x", "!!", "W10", "e30", "bnVsbA", "WyJyb3ciLFtdLDFd", "WyJkYXRlIixbMWUzMF0sNV0", "é", "A" * 5_000)


@pytest.mark.parametrize("cursor", CURSORS[1:])
@pytest.mark.parametrize("search", ["Patient?", "Patient?_sort=birthdate", "Patient?_sort=family", "Patient?name=a"])
async def test_a_page_link_that_was_changed_is_refused(stock, search, cursor):
    with pytest.raises(Malformed, match="page link"):
        await stock.page(search, cursor=cursor)
    async with stock.pool.connection():
        pass


async def test_a_page_link_of_another_search_is_refused(stock):
    await stock.fill(*(patient(f"p{n}", birthDate="1990-01-01", name=[{"family": f"{n}"}]) for n in range(9)))
    links = {}
    for order in ("", "_sort=birthdate", "_sort=-birthdate", "_sort=family", "_sort=_id", "birthdate=1990"):
        links[order] = (await stock.page(f"Patient?{order}", count=2)).next_cursor
        assert links[order]
    for order in links:
        for other, link in links.items():
            if other != order:
                with pytest.raises(Malformed, match="page link"):
                    await stock.page(f"Patient?{order}", cursor=link)


async def test_a_page_link_with_any_character_changed_is_refused(stock):
    await stock.fill(*(patient(f"p{n}") for n in range(5)))
    link = (await stock.page("Patient?", count=2)).next_cursor
    for at in range(len(link)):
        changed = link[:at] + ("A" if link[at] != "A" else "B") + link[at + 1 :]
        with pytest.raises(Malformed):
            await stock.page("Patient?", cursor=changed)


async def test_composites_speak_of_values_that_belong_together(stock):
    group = {"resourceType": "Group", "type": "person", "actual": True}
    traits = [("height", "tall"), ("build", "slim")]
    await stock.fill(
        {**group, "id": "g", "characteristic": [
            {"code": coded("urn:c", trait), "valueCodeableConcept": coded("urn:v", value), "exclude": False}
            for trait, value in traits]},
    )  # fmt: skip
    assert await stock.ids("Group?characteristic-value=height$tall") == ["g"]
    assert await stock.ids("Group?characteristic-value=urn:c|height$urn:v|tall") == ["g"]
    assert await stock.ids("Group?characteristic-value=height$slim") == []
    assert await stock.ids("Group?characteristic=height&value=slim") == ["g"]


async def test_a_variant_begins_and_ends_where_it_is_said_and_not_where_another_does(stock):
    def sequence(name, *variants):
        return {"resourceType": "MolecularSequence", "id": name, "coordinateSystem": 0,
                "referenceSeq": {"chromosome": coded("urn:c", "7"), "windowStart": 1, "windowEnd": 900},
                "variant": [{"start": start, "end": end} for start, end in variants]}  # fmt: skip

    await stock.fill(sequence("one", (10, 400)), sequence("two", (10, 20), (300, 400)), sequence("none"))
    for text, found in {
        "7$lt100$gt200": ["one"], "urn:c|7$lt100$gt200": ["one"], "urn:d|7$lt100$gt200": [], "8$lt100$gt200": [],
        "7$10$20": ["two"], "7$ge300$le400": ["two"], "7$ne10$ne20": ["two"], "7$sa9$eb401": ["one", "two"],
    }.items():  # fmt: skip
        assert await stock.ids(f"MolecularSequence?chromosome-variant-coordinate={text}") == found, text
    assert await stock.ids("MolecularSequence?chromosome-window-coordinate=7$le1$ge900") == ["one", "two", "none"]


async def test_a_pair_of_which_there_may_be_several_needs_its_code(stock):
    """By the system alone, the parts would be looked for apart, and found in pairs that do not belong together."""
    await stock.fill(observation("o", code=coded("urn:c", "a"), valueQuantity=amount(5)))
    assert await stock.ids("Observation?code-value-quantity=urn:c|$5") == ["o"]
    for text in ("combo-code-value-quantity=urn:c|$5", "component-code-value-concept=urn:c|$x"):
        with pytest.raises(UnusableParameter, match="needs a code, not only a system"):
            await stock.ids(f"Observation?{text}")
    with pytest.raises(UnusableParameter, match="of relation"):
        await stock.ids("DocumentReference?relationship=DocumentReference/a$urn:c|")


async def test_a_uri_is_found_below_and_above_another(stock):
    sets = {"a": "http://x.org/fhir/ValueSet/a", "b": "http://x.org/fhir/ValueSet/a/b", "c": "http://x.org/other"}
    await stock.fill(*({"resourceType": "ValueSet", "id": n, "status": "draft", "url": u} for n, u in sets.items()))
    assert await stock.ids("ValueSet?url:below=http://x.org/fhir") == ["a", "b"]
    assert await stock.ids("ValueSet?url:below=http://x.org/fhir/ValueSet/a/b") == ["b"]
    assert await stock.ids("ValueSet?url:above=http://x.org/fhir/ValueSet/a/b/c") == ["a", "b"]
    assert await stock.ids("ValueSet?url=http://x.org/other") == ["c"]


async def test_profiles_are_found_below_an_address_wherever_that_is_asked(stock, monkeypatch):
    core, own = "http://hl7.org/fhir/us/core/StructureDefinition", "http://own.org/StructureDefinition"
    await stock.fill(
        patient("a", meta={"profile": [f"{core}/patient|6.1.0"]}), patient("b", meta={"profile": [f"{own}/soldier"]}),
        patient("c", meta={"profile": [f"{core}/other", f"{own}/soldier"]}), patient("d"),
        observation("o", "Patient/a", meta={"profile": [f"{core}/vitals"]}), observation("p", "Patient/b"),
    )  # fmt: skip
    for text, found in {
        f"_profile:below={core}": ["a", "c"], f"_profile:below={own},{core}/patient": ["a", "b", "c"],
        f"_profile:below={core}/patient\\|6": ["a"], f"_profile:below={own}/sailor": [], "_profile:below=%25": [],
        f"_filter=_profile sw {core}": ["a", "c"], f"_filter=not (_profile sw {core})": ["b", "d"],
        f"_has:Observation:subject:_profile:below={core}": ["a"],
    }.items():  # fmt: skip
        assert await stock.ids(f"Patient?{text}") == found, text
    assert await stock.ids(f"Observation?subject:Patient._profile:below={own}") == ["p"]
    monkeypatch.setattr(profiles, "PROFILES_BELOW_MAX", 1)
    with pytest.raises(TooCostly, match="More than 1 profiles"):
        await stock.ids(f"Patient?_profile:below={core}")


async def test_a_search_over_either_of_two_values_sorts_by_either(stock):
    part = {"code": coded("urn:c", "x"), "valueQuantity": amount(3)}
    await stock.fill(
        observation("five", valueQuantity=amount(5)), observation("none"), observation("three", component=[part]),
    )  # fmt: skip
    assert await stock.ids("Observation?_sort=combo-value-quantity") == ["three", "five", "none"]
    assert await stock.ids("Observation?_sort=-combo-value-quantity") == ["five", "three", "none"]


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("gender=male", ["a"]),
        ("gender=http://hl7.org/fhir/administrative-gender|male", ["a"]),
        ("gender=http://hl7.org/fhir/administrative-gender|", ["a", "b"]),
        ("gender=http://hl7.org/fhir/administrative-gender|,urn:x|male", ["a", "b"]),
        ("gender:not=http://hl7.org/fhir/administrative-gender|", ["c"]),
        ("gender:not=urn:x|male", ["a", "b", "c"]),
        ("gender=urn:x|male", []),
        ("gender=urn:x|", []),
        ("gender=|male", []),
        ("gender:missing=true", ["c"]),
        ("active=true&gender:missing=false", ["b"]),
    ],
)
async def test_a_code_is_found_with_and_without_the_system_that_r4_gives_it(stock, search, found):
    await stock.fill(patient("a", gender="male"), patient("b", gender="female", active=True), patient("c"))
    assert await stock.ids(f"Patient?{search}") == found


def allergy(name, over="p", **more):
    status = {
        key: {"coding": [{"code": more.pop(key)}]} for key in ("clinicalStatus", "verificationStatus") if key in more
    }
    return {
        "resourceType": "AllergyIntolerance", "id": name, "patient": {"reference": f"Patient/{over}"}, **status, **more,
    }  # fmt: skip


async def test_an_allergy_is_current_until_it_is_said_to_be_over_or_wrong(stock):
    await stock.fill(
        patient("p"), patient("q"), allergy("said nothing"), allergy("now", clinicalStatus="active"),
        allergy("over", clinicalStatus="resolved"), allergy("asleep", clinicalStatus="inactive"),
        allergy("refuted", clinicalStatus="active", verificationStatus="refuted"),
        allergy("mistake", verificationStatus="entered-in-error"),
        allergy("doubtful", verificationStatus="unconfirmed", category=["food", "medication"]),
        allergy("another's", over="q", clinicalStatus="active", category=["medication"]),
    )  # fmt: skip
    of_p = "AllergyIntolerance?patient=p&_list="
    assert await stock.ids(f"{of_p}$current-allergies") == ["said nothing", "now", "doubtful"]
    assert await stock.ids(f"{of_p}$current-drug-allergies") == ["doubtful"]
    assert await stock.ids("AllergyIntolerance?_list=$current-drug-allergies") == ["doubtful", "another's"]
    assert await stock.ids("Patient?_has:AllergyIntolerance:patient:_list=$current-drug-allergies") == ["p", "q"]
    assert (await stock.page(f"{of_p}$current-allergies&_total=accurate&_summary=count")).total == 3


async def test_problems_and_medicines_are_current_by_their_status(stock):
    def condition(name, category="problem-list-item", status=None):
        clinical = {"clinicalStatus": {"coding": [{"code": status}]}} if status else {}
        return {"resourceType": "Condition", "id": name, "subject": {"reference": "Patient/p"},
                "category": [{"coding": [{"code": category}]}], **clinical}  # fmt: skip

    def medication(kind, name, status, **more):
        return {"resourceType": kind, "id": name, "status": status, "subject": {"reference": "Patient/p"},
                "medicationCodeableConcept": {"text": "x"}, **more}  # fmt: skip

    await stock.fill(
        patient("p"), condition("c1"), condition("c2", status="relapse"), condition("c3", status="remission"),
        condition("c4", category="encounter-diagnosis"), condition("c5", category="health-concern", status="active"),
        medication("MedicationRequest", "m1", "active", intent="order"),
        medication("MedicationRequest", "m2", "on-hold", intent="plan"),
        medication("MedicationRequest", "m3", "active", intent="proposal"),
        medication("MedicationRequest", "m4", "stopped", intent="order"),
        medication("MedicationStatement", "s1", "active"), medication("MedicationStatement", "s2", "not-taken"),
    )  # fmt: skip
    assert await stock.ids("Condition?subject=Patient/p&_list=$current-problems") == ["c1", "c2", "c5"]
    assert await stock.ids("MedicationRequest?patient=p&_list=$current-medications") == ["m1", "m2"]
    assert await stock.ids("MedicationStatement?patient=p&_list=$current-medications") == ["s1"]
    with pytest.raises(UnusableParameter, match="is of MedicationRequest and MedicationStatement"):
        await stock.ids("MedicationDispense?patient=p&_list=$current-medications")
