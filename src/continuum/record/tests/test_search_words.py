"""Finding by words: beside codes, in all text, in the narrative; and identifiers by their type."""

import pytest

from continuum.record import words
from continuum.record.tests.stock import Stock, coded, observation, patient
from continuum.record.visibility import Scope, Visibility

DIV = '<div xmlns="http://www.w3.org/1999/xhtml">{}</div>'


@pytest.fixture
def stock(pool):
    return Stock(pool)


async def test_a_code_is_found_by_what_stands_beside_it(stock):
    pain = {
        "coding": [{"system": "urn:c", "code": "2506", "display": "Headache (finding)"}],
        "text": "Kopf-Schmerz",
    }
    await stock.fill(observation("a", code=pain), observation("b", code=coded("urn:c", "2506")))
    for text, found in {
        "headache": ["a"], "HEADACHE finding": ["a"], "schmerz": ["a"], "head": [], "headache migraine": [],
        "migraine,finding": ["a"], "kopf finding": ["a"],
    }.items():  # fmt: skip
        assert await stock.ids(f"Observation?code:text={text}") == found, text
    assert await stock.ids("Observation?combo-code:text=headache") == ["a"]
    assert await stock.ids("Observation?category:text=headache") == []
    assert await stock.ids("Patient?_has:Observation:subject:code:text=headache") == []


async def test_content_is_all_text_and_narrative_but_no_codes_or_numbers(stock):
    await stock.fill(
        patient(
            "a", name=[{"family": "Núñez", "given": ["Ana"]}], gender="female",
            text={"status": "generated", "div": DIV.format("<p>Keeps <b>bees</b> &amp; goats</p>")},
            contact=[{"name": {"text": "Uncle Bob"}, "relationship": [{"text": "next of kin"}]}],
            identifier=[{"system": "urn:x", "value": "secret-12345", "type": {"text": "Badge number"}}],
            extension=[{"url": "urn:nickname", "valueString": "Speedy"}, {"url": "urn:c", "valueCode": "coded"}],
        )
    )  # fmt: skip
    for word in ("nunez", "ana", "bees", "goats", "uncle bob", "kin", "badge", "speedy", "NÚÑEZ bees"):
        assert await stock.ids(f"Patient?_content={word}") == ["a"], word
    for word in ("female", "generated", "12345", "b", "amp", "xhtml", "coded", "urn"):
        assert await stock.ids(f"Patient?_content={word}") == [], word
    assert await stock.ids("Patient?_text=bees goats") == ["a"]
    assert await stock.ids("Patient?_text=nunez") == []


async def test_words_change_with_their_resource_and_only_the_visible_are_found(stock):
    await stock.fill(*(observation(f"o{n}", f"Patient/p{n}", code={"text": "Grip strength"}) for n in range(30)))
    own = Visibility({"Observation": Scope("patients", (stock.keys.self_key("Patient", "p7"),))})
    assert await stock.ids("Observation?code:text=grip", visibility=own) == ["o7"]
    page = await stock.page("Observation?_content=strength grip&_total=accurate", visibility=own)
    assert page.total == 1


async def test_a_very_long_text_is_found_by_its_first_words(stock, monkeypatch):
    monkeypatch.setattr(words, "WORDS_MAX", 5)
    told = " ".join(f"w{n}" for n in range(9))
    await stock.fill(patient("a", text={"status": "generated", "div": DIV.format(told)}))
    assert await stock.ids("Patient?_text=w4") == ["a"]
    assert await stock.ids("Patient?_text=w5") == []


async def test_an_identifier_is_found_by_its_type_and_value_together(stock):
    def known(kind, value):
        return {"type": coded("urn:t", kind), "system": "urn:s", "value": value}

    await stock.fill(patient("a", identifier=[known("MR", "1"), known("SS", "2")]))
    assert await stock.ids("Patient?identifier:of-type=urn:t|MR|1") == ["a"]
    assert await stock.ids("Patient?identifier:of-type=urn:t|MR|2") == []
    assert await stock.ids("Patient?identifier:of-type=urn:t|SS|1,urn:t|SS|2") == ["a"]
