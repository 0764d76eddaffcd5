"""Each role, each method, on the own, on another's and on nothing: another's is as if it were not there."""

import pytest

from continuum.access import Actor, Operation
from continuum.access.policy import decide
from continuum.access.tests.doors import ACTORS, World, criteria, furnish, observation
from continuum.fhir.search_params import params
from continuum.fhir.types import TYPES
from continuum.kernel.errors import (
    DomainError,
    Forbidden,
    Gone,
    Invalid,
    NotAllowed,
    NotFound,
    PreconditionFailed,
)
from continuum.record.keys import Keys


@pytest.fixture
async def world(pool):
    return await furnish(World(pool))


async def said(work):
    """What an act answers, or its refusal in words."""
    try:
        return await work
    except DomainError as error:
        return type(error), str(error), [issue.text for issue in error.issues]


def same(answer):
    """Turns a pass-through patch into a change that always applies."""
    return {**answer, "valueString": "changed"}


def spy(found):
    """A patch that tells what it saw."""

    def apply(resource):
        found.append(resource)
        return resource

    return apply


READS = {
    "read": lambda s, n: s.read("Observation", n),
    "vread 1": lambda s, n: s.vread("Observation", n, 1),
    "vread 2": lambda s, n: s.vread("Observation", n, 2),
    "history": lambda s, n: s.history(resource_type="Observation", resource_id=n, count=10),
}


@pytest.mark.parametrize("role", ["clinician", "patient"])
@pytest.mark.requirement("V8.2.2")
async def test_another_patients_record_reads_like_one_that_never_was(world, role):
    session = world.session(role)
    for name, act in READS.items():
        own = await act(session, "o-own")
        assert "secret of own" in str(own), name
        absent = await said(act(session, "nothing"))
        assert absent[0] is NotFound, name
        for hidden in ("o-other", "gone-other"):
            assert str(await said(act(session, hidden))) == str(absent).replace("nothing", hidden), name


@pytest.mark.parametrize("role", ["clinician", "patient"])
async def test_what_was_deleted_is_gone_for_those_who_knew_it_only(world, role):
    with pytest.raises(Gone):
        await world.session(role).read("Observation", "gone-own")
    with pytest.raises(NotFound):
        await world.session(role).read("Observation", "gone-other")


SEARCHES = [
    ("Observation", "_id=o-own,o-other"),
    ("Observation", ""),
    ("Observation", "subject=Patient/other"),
    ("Observation", "patient=Patient/other"),
    ("Observation", "subject:Patient.name=Family-other"),
    ("Observation", "patient.organization.name=f-other"),
    ("Observation", "_id=o-other&_include=Observation:subject"),
    ("Observation", "_include=*"),
    ("Patient", ""),
    ("Patient", "_id=other"),
    ("Patient", "family=Family-other"),
    ("Patient", "_has:Observation:subject:_id=o-other"),
    ("Patient", "_revinclude=Observation:subject"),
    ("Organization", "_has:Patient:organization:_id=other"),
    ("Organization", "_has:Patient:organization:family=Family-other"),
    ("Organization", "_revinclude=Patient:organization&_revinclude:iterate=Observation:subject"),
    ("Task", ""),
    ("Device", ""),
    ("Task", "patient=Patient/other"),
]


@pytest.mark.parametrize("role", ["clinician", "patient"])
async def test_no_search_shows_counts_or_hints_at_another_patient(world, role):
    session = world.session(role)
    for kind, text in SEARCHES:
        page = await session.search(criteria(kind, f"{text}&_total=accurate&_count=50"))
        shown = [*page.matches, *page.included]
        assert not [one for one in shown if one.id.endswith("other") and one.resource_type != "Organization"], text
        assert page.total == len(page.matches), text
        count = await session.search(criteria(kind, f"{text}&_summary=count"))
        assert count.total == page.total, text
        if "_has:" in text:
            assert not page.matches, text


@pytest.mark.parametrize("role", ["clinician", "patient"])
async def test_everything_of_another_patient_is_as_of_nobody(world, role):
    session = world.session(role)
    page = await session.everything("own")
    assert {"own", "o-own"} <= {one.id for one in (*page.matches, *page.included)}
    absent = await said(session.everything("nobody"))
    assert str(await said(session.everything("other"))) == str(absent).replace("nobody", "other")


@pytest.mark.parametrize("role", ["clinician", "patient"])
async def test_the_history_of_many_patients_is_closed(world, role):
    for kind in (None, "Observation", "Patient"):
        with pytest.raises(NotAllowed):
            await world.session(role).history(resource_type=kind, count=10)


WRITES = {
    "patch": lambda s, n: s.patch("Observation", n, same),
    "patch at a version": lambda s, n: s.patch("Observation", n, same, if_match=1),
    "delete": lambda s, n: s.delete("Observation", n),
    "delete at a version": lambda s, n: s.delete("Observation", n, if_match=1),
    "conditional patch": lambda s, n: s.patch_matching("Observation", f"_id={n}", same),
    "conditional delete": lambda s, n: s.delete_matching("Observation", f"_id={n}"),
    "update at a version": lambda s, n: s.update(observation(n, "other"), if_match=7),
    "patch in a transaction": lambda s, n: s.transaction([Operation("PATCH", "Observation", id=n)], [same]),
    "read in a transaction": lambda s, n: s.transaction([Operation("GET", "Observation", id=n)]),
}


@pytest.mark.parametrize("role", ["clinician", "patient"])
async def test_a_write_on_another_patients_resource_is_refused_as_on_none(world, role):
    session, before = world.session(role), await world.all()
    for name, act in WRITES.items():
        absent = await said(act(session, "nothing"))
        for hidden in ("o-other", "gone-other"):
            assert str(await said(act(session, hidden))) == str(absent).replace("nothing", hidden), name
    assert await world.all() == before


@pytest.mark.parametrize("role", ["clinician", "patient"])
async def test_a_patch_never_sees_what_its_sender_may_not(world, role):
    seen = []
    for name in ("o-other", "gone-other", "t-other"):
        with pytest.raises(DomainError):
            await world.session(role).patch("Task" if name[0] == "t" else "Observation", name, spy(seen))
    assert not seen


@pytest.mark.parametrize("role", ["clinician", "patient"])
async def test_nobody_writes_into_another_patients_record(world, role):
    session, before = world.session(role), await world.all()
    reply = {"resourceType": "QuestionnaireResponse", "status": "completed", "subject": {"reference": "Patient/other"}}
    acts = [
        session.update(observation("o-other", "own")),
        session.update(observation("new", "other")),
        session.create(reply),
        session.create({**reply, "subject": {"display": "nobody in particular"}}),
        session.transaction([Operation("POST", "QuestionnaireResponse", resource=reply)]),
        session.create({"resourceType": "Organization", "name": "mine"}),
        session.update({"resourceType": "Patient", "id": "other"}),
    ]
    for act in acts:
        with pytest.raises((Forbidden, Invalid, NotFound)):
            await act
    assert await world.all() == before


async def test_an_id_that_one_chooses_does_not_say_whether_somebody_has_it(world):
    session, before = world.session("clinician"), await world.all()
    answers = [await said(session.update(observation(name, "own"))) for name in ("o-other", "nothing")]
    assert [answer[0] for answer in answers] == [NotFound, NotFound]
    assert str(answers[1]).replace("nothing", "o-other") == str(answers[0])
    assert await world.all() == before


@pytest.mark.parametrize("role", ["clinician", "patient"])
async def test_a_reference_to_what_may_not_be_seen_is_one_to_nothing(world, role):
    session, before = world.session(role), await world.all()

    def reply(target):
        return {
            "resourceType": "QuestionnaireResponse", "status": "completed", "subject": {"reference": "Patient/own"},
            "partOf": [{"reference": f"Observation/{target}"}],
        }  # fmt: skip

    answers = [
        await said(act)
        for target in ("o-other", "nothing")
        for act in (
            session.create(reply(target)),
            session.transaction([Operation("POST", "QuestionnaireResponse", resource=reply(target))]),
        )
    ]
    assert {answer[0] for answer in answers} == {Invalid}
    assert [str(answer).replace("nothing", "o-other") for answer in answers[2:]] == list(map(str, answers[:2]))
    assert await world.all() == before
    assert (await session.create(reply("o-own"))).status == 201


async def test_an_update_may_keep_a_reference_that_its_writer_cannot_follow(world):
    linked = observation("o-own", "own", hasMember=[{"reference": "Observation/o-other"}])
    await world.session("administrator").update(linked)
    done = await world.session("clinician").update({**linked, "valueString": "new"})
    assert done.status == 200


@pytest.mark.parametrize("role", ["clinician", "patient"])
async def test_conditions_and_conditional_references_do_not_see_another_patient(world, role):
    session = world.session(role)
    reply = {
        "resourceType": "QuestionnaireResponse", "status": "completed",
        "subject": {"reference": "Patient?family=Family-other"},
    }  # fmt: skip
    absent = {**reply, "subject": {"reference": "Patient?family=Family-none"}}
    operations = [[Operation("POST", "QuestionnaireResponse", resource=one)] for one in (reply, absent)]
    first, second = [await said(session.transaction(one)) for one in operations]
    assert first[0] is PreconditionFailed
    assert str(first) == str(second).replace("Family-none", "Family-other")


async def test_clinicians_write_for_their_facilitys_patients_and_register_new_ones(world):
    session = world.session("clinician")
    assert (await session.create(observation("x", "own"))).status == 201
    registered = await session.create({"resourceType": "Patient"})
    assert (await session.create(observation("x", registered.stored.id))).status == 201
    results = await session.transaction([
        Operation("POST", "Patient", resource={"resourceType": "Patient"}, full_url="urn:uuid:p"),
        Operation("POST", "Observation", resource=observation("x", "") | {"subject": {"reference": "urn:uuid:p"}}),
    ])  # fmt: skip
    assert [result.status for result in results] == [201, 201]
    claim = {
        "resourceType": "Encounter", "status": "finished", "class": {"code": "AMB"},
        "subject": {"reference": "Patient/other"}, "serviceProvider": {"reference": "Organization/f-own"},
    }  # fmt: skip
    with pytest.raises(Forbidden):
        await session.create(claim)
    with pytest.raises(NotFound):
        await session.read("Patient", "other")


@pytest.mark.parametrize("role", ["administrator", "system"])
async def test_staff_without_limits_see_all_patients(world, role):
    page = await world.session(role).search(criteria("Observation", "_count=50"))
    assert {one.id for one in page.matches} == {"o-own", "o-other"}


DEFINITIONS = frozenset(
    {
        "ActivityDefinition", "EventDefinition", "Evidence", "EvidenceVariable", "ImplementationGuide", "Library",
        "Measure", "PlanDefinition", "ResearchDefinition", "ResearchElementDefinition",
    }
)  # fmt: skip
"""Knowledge, whose references to "any resource" lead to other knowledge."""


@pytest.mark.parametrize("kind", sorted(set(TYPES) - DEFINITIONS))
def test_whatever_can_name_a_patient_is_open_to_clinicians_only_if_filed_under_one(kind):
    policy = decide(ACTORS["clinician"], "TREAT", Keys(bytes(32)))
    names_patients = [one for one in params(kind).values() if one.kind == "reference" and "Patient" in one.targets]
    scope = policy.visibility.of(kind)
    kinds = {part.kind for part in scope.parts or (scope,)}
    assert not names_patients or kinds <= {"facility", "treatment", "granted", "nothing", "nobody"}


@pytest.mark.parametrize("role", ["administrator", "nobody", ""])
@pytest.mark.parametrize("purpose", ["TREAT", "", "X"])
@pytest.mark.requirement("V8.2.1")
def test_a_role_and_a_purpose_that_do_not_go_together_open_nothing(role, purpose):
    with pytest.raises(Forbidden):
        decide(Actor("x", role), purpose, Keys(bytes(32)))
