"""The sieve of a search within a record: it keeps back much, and never an entry that has the words."""

import re
from base64 import b64encode

import pytest

from continuum.chart.section import sections
from continuum.chart.sieve import Sieve, folded
from continuum.chart.within import matches, words_of
from continuum.fhir.json import dump

LOOKED = tuple(sections().values())
NAMED = ("Practitioner", "Organization", "Location", "PractitionerRole")
EVERY = 7
"""One of so many sample resources is looked at."""
TOGETHER = 3
"""So many are looked at at once."""


def words_in(entry):
    """Words that an entry has, as it is told and in parts."""
    text = folded(f"{entry.title} {entry.when} {entry.note} {entry.source.author} {entry.source.place}")
    text += folded(" ".join(f" {fact.text} {fact.unit} {fact.number}" for _, fact in entry.facts))
    return {*text.split(), *re.findall("[a-z0-9]+", text)}


def kept(resource, text, names=(), visits=None):
    """Whether the sieve lets it pass, and whether its entries have the words."""
    words, visits = words_of(text), visits or {}
    called = {f"{one['resourceType']}/{one['id']}": one for one in names}
    kinds = (one for one in LOOKED if one.search.partition("?")[0] == resource["resourceType"])
    made = [entry for one in kinds if (entry := one.make(resource, called | visits)) is not None]
    (passes,) = Sieve(called, visits, LOOKED, words).passing([dump(resource)])
    return passes, any(matches(entry, words) for entry in made)


def test_no_word_of_any_sample_entry_is_kept_back(sampled):
    names = {f"{kind}/{one['id']}": one for kind in NAMED for one in sampled[kind]}
    visits = {
        f"Encounter/{one['id']}": {"serviceProvider": one["serviceProvider"]}
        for one in sampled["Encounter"] if "serviceProvider" in one
    }  # fmt: skip
    sieves, looked, kept_back = {}, 0, 0
    for section in LOOKED:
        resources = sampled[section.search.partition("?")[0]][::EVERY]
        made = [(one, entry) for one in resources if (entry := section.make(one, names | visits)) is not None]
        for some in (made[at : at + TOGETHER] for at in range(0, len(made), TOGETHER)):
            for word in {word for _, entry in some for word in words_in(entry)} | {"zzz", "nothing"}:
                if word not in sieves:
                    sieves[word] = Sieve(names, visits, LOOKED, [word])
                passing = sieves[word].passing([dump(resource) for resource, _ in some])
                for passes, (resource, entry) in zip(passing, some, strict=True):
                    assert passes or not matches(entry, [word]), (section.key, word, resource)
                looked, kept_back = looked + len(some), kept_back + passing.count(False)
    assert looked > 40_000
    assert kept_back > looked / 6, "what nobody has is kept back"


ORGANIZATION = {"resourceType": "Organization", "id": "O1", "name": "Naval Hospital Pine Sound"}
WRITER = {"resourceType": "Practitioner", "id": "P1", "name": [{"given": ["Zoë"], "family": "Ülker"}]}


def observation(**more):
    return {"resourceType": "Observation", "id": "o", "status": "final", "code": {"text": "Something"}, **more}


@pytest.mark.parametrize(
    ("resource", "text"),
    [
        (observation(code={"text": "Glu [x]cose in Blood"}), "glucose"),
        (observation(code={"text": "Gl [x]Ücose in Blood"}), "glucose"),
        (observation(code={"coding": [{"system": "http://loinc.org", "code": "4548-4"}]}), "a1c hemoglobin"),
        (observation(code={"text": "Überlingen"}), "uberlingen"),
        (observation(code={"text": "Straße \u2460"}), "strasse 1"),
        (observation(valueBoolean=True), "yes"),
        (observation(valueQuantity={"value": 5, "comparator": "<", "unit": "mg"}), "<5 mg"),
        (observation(performer=[{"reference": "Practitioner/P1"}]), "zoe ulker"),
        (observation(encounter={"reference": "Encounter/E1"}), "pine"),
        (observation(code={"text": 'Line\n"break"\\'}), "line break"),
        ({"resourceType": "DocumentReference", "id": "d", "status": "current", "type": {"text": "Note"}, "content": [
            {"attachment": {"contentType": "text/plain", "data": b64encode(b"wheezing at night").decode()}}]},
         "wheezing"),
        ({"resourceType": "CarePlan", "id": "c", "status": "active", "text": {"div": "<p>wal<b>king</b></p>"}},
         "walking"),
        ({"resourceType": "Encounter", "id": "e", "status": "finished", "class": {"code": "AMB"}}, "outpatient"),
        ({"resourceType": "AllergyIntolerance", "id": "a", "code": {"text": "Nuts"}, "category": ["food"],
          "criticality": "high"}, "severe food"),
        ({"resourceType": "QuestionnaireResponse", "id": "q", "status": "completed", "item": [
            {"text": "Fever?", "answer": [{"valueBoolean": False}]}]}, "no answers"),
    ],
)  # fmt: skip
def test_what_entries_put_together_themselves_passes(resource, text):
    visits = {"Encounter/E1": {"serviceProvider": {"reference": "Organization/O1"}}}
    passes, has = kept(resource, text, [ORGANIZATION, WRITER], visits)
    assert passes
    assert has, "the case is about words that the entry has"
    assert kept(resource, f"{text} xylophone", [ORGANIZATION, WRITER], visits) == (
        resource["resourceType"] == "CarePlan" or "[x]" in str(resource), False
    )  # fmt: skip


def note(text, *, kind="text/plain", encode=True):
    data = b64encode(text.encode()).decode() if encode else text
    attachment = {"contentType": kind, "data": data}
    return {"resourceType": "DocumentReference", "id": "d", "status": "current", "type": {"text": "Progress note"},
            "content": [{"attachment": attachment}]}  # fmt: skip


@pytest.mark.parametrize(
    ("resource", "text", "found"),
    [
        (note("Überlingen, wheezing"), "uberlingen progress", (True, True)),
        (note("Wheezing at night"), "wheezing night progress", (True, True)),
        (note("Wheezing at night"), "wheezing day", (False, False)),
        (note("Wheezing at night"), "day", (False, False)),
        (note("<p>whee<b>zing</b></p>", kind="text/html"), "wheezing", (True, True)),
        (note("Fam&iacute;lia, Andr&eacute;", kind="text/html"), "andre familia", (True, True)),
        (note("no base64 at all!", encode=False), "wheezing", (True, False)),
    ],
)
def test_attached_texts_are_read_for_their_words(resource, text, found):
    assert kept(resource, text) == found


def test_each_of_several_is_told_apart():
    several = [
        observation(code={"text": "Überlingen"}), observation(code={"text": "Wheezing"}), note("Wheezing at night"),
        observation(note=[{"text": "no wheezing, no cough, much wheezing"}]), note("Nothing"), note("ÜBER wheezing"),
        observation(code={"text": "Whee[x]zing"}), observation(text={"div": "<p>whee<b>zing</b></p>"}),
    ]  # fmt: skip
    bodies = [dump(one) for one in several]

    def passing(text):
        return Sieve({}, {}, LOOKED, words_of(text)).passing(bodies)

    assert passing("wheezing") == [False, True, True, True, False, True, True, True]
    assert passing("uberlingen") == [True, False, False, False, False, False, True, True]
    assert passing("wheezing night") == [False, False, True, False, False, False, True, True]
    assert passing("wheezing cough") == [False, False, False, True, False, False, True, True]
    assert passing("5") == [True] * len(bodies), "numbers are put together by entries"
    assert Sieve({}, {}, LOOKED, ["wheezing"]).passing([]) == []


def test_somebody_whom_the_entry_does_not_refer_to_lets_nothing_pass():
    assert kept(observation(), "ulker", [ORGANIZATION, WRITER]) == (False, False)
