"""One version judged alone says what the search says of the same resource."""

import pytest

from continuum.kernel.errors import UnknownParameter
from continuum.record.entry import prepare
from continuum.record.search.matching import matches, refuse_unjudged
from continuum.record.tests.desk import Desk, patient

PEOPLE = [
    patient(id="a", gender="female", birthDate="1980-05-01", name=[{"family": "Rivera", "given": ["Ana"]}],
            identifier=[{"system": "urn:mrn", "value": "1"}], active=True),
    patient(id="b", gender="male", birthDate="1990", name=[{"family": "River"}], deceasedBoolean=False),
    patient(id="c", name=[{"text": "Álvarez y Rivera"}], identifier=[{"value": "1"}],
            managingOrganization={"reference": "Organization/o"}),
    patient(id="d", deceasedDateTime="2024-02-03T10:00:00Z", telecom=[{"system": "phone", "value": "555"}]),
    patient(id="e", meta={"profile": ["http://example.org/p|2"], "tag": [{"system": "urn:t", "code": "x"}]}),
]  # fmt: skip
CRITERIA = [
    "gender=female", "gender=female,male", "gender:not=female", "gender:missing=true", "gender:missing=false",
    "identifier=1", "identifier=urn:mrn|1", "identifier=|1", "identifier=urn:mrn|", "identifier=2",
    "birthdate=1980-05-01", "birthdate=1980", "birthdate=gt1985", "birthdate=le1980-05-01", "birthdate=ne1990",
    "birthdate=sa1980-05-01", "birthdate=eb1990", "birthdate=ge1990", "birthdate=lt1981", "birthdate=ap1990",
    "name=river", "name=rivera", "name:exact=River", "name:contains=vera", "family=RIVERA", "given=ana",
    "death-date=2024", "death-date=gt2024-02-03", "death-date:missing=true", "deceased=true", "deceased=false",
    "organization=o", "organization=Organization/o", "organization:missing=true", "telecom=555", "phone=phone|555",
    "_id=a", "_id=a,c", "_id:not=a", "_profile=http://example.org/p", "_profile=http://example.org/p|2", "_tag=x",
    "_tag=urn:t|x", "gender=female&name=rivera", "gender=male&name=rivera", "active=true",
    "_content=rivera", "_content=alvarez rivera,555", "identifier:text=x", "identifier:of-type=|x|1",
]  # fmt: skip


@pytest.fixture
async def desk(pool):
    desk = Desk(pool)
    await desk.update({"resourceType": "Organization", "id": "o", "name": "x"})
    for one in PEOPLE:
        await desk.update(one)
    return desk


async def test_every_criterion_means_the_same_to_both(desk):
    seen = set()
    for text in CRITERIA:
        query = desk.warrant.query("Patient", text)
        refuse_unjudged(query)
        found = {stored.id for stored in (await desk.search("Patient", text)).matches}
        alone = {one["id"] for one in PEOPLE if matches(query, prepare(one, desk.keys), desk.keys)}
        assert alone == found, text
        seen.add(bool(found))
    assert seen == {True, False}


async def test_a_stored_version_is_judged_like_the_given_one(desk):
    query = desk.warrant.query("Patient", "name=rivera")
    stored = await desk.read("Patient", "a")
    assert matches(query, prepare(stored, desk.keys), desk.keys)


@pytest.mark.parametrize(
    "text", ["organization.name=x", "_has:Observation:patient:code=1", "_lastUpdated=gt2020", "_sort=birthdate",
             "_total=accurate", "_include=Patient:organization", "gender:in=urn:x", "gender:below=male"],
)  # fmt: skip
async def test_what_one_version_cannot_answer_is_refused(desk, text):
    with pytest.raises(UnknownParameter):
        refuse_unjudged(desk.warrant.query("Patient", text))
