"""The policy files: typed, complete, and never wider for somebody who is less."""

import dataclasses
import re

import pytest
from cedarpy import PolicySet, validate_policies

from continuum.access.actor import FACILITY_ROLES, MEMBERSHIPS, PERSON_ROLES, PURPOSES, ROLES, USUAL_PURPOSE, Actor
from continuum.access.classes import ASKABLE, ELEMENT_GROUPS, GROUPS, TYPES_OF
from continuum.access.policy import decide
from continuum.access.rules import LABELS, RELATIONS, Shape, policy_files, rules, schema_text
from continuum.fhir import structure
from continuum.fhir.search_params import params
from continuum.fhir.types import TYPES
from continuum.identity.staff import ROLES as STAFF_ROLES
from continuum.kernel.errors import Forbidden
from continuum.record.entry import LABEL_BITS
from continuum.record.keys import Keys

DOCTOR = Keys(bytes(32)).self_key("Practitioner", "d")
FACILITY = Keys(bytes(32)).self_key("Organization", "f")
FILES = dict(policy_files())


@pytest.mark.parametrize("name", FILES)
@pytest.mark.requirement("V8.1.1")
def test_every_policy_file_is_typed_by_the_schema_and_says_why(name):
    found = validate_policies(FILES[name], schema_text())
    assert found.validation_passed, [str(error) for error in found.errors]
    assert FILES[name].startswith("//"), "a policy begins with its reason"


def test_a_policy_that_misspells_an_attribute_does_not_pass():
    wrong = 'permit (principal, action == Action::"see", resource) when { principal.identety > 1 };'
    assert not validate_policies(wrong, schema_text()).validation_passed


def test_policies_speak_of_roles_classes_relations_and_labels_that_there_are():
    text = "\n".join(FILES.values())
    known_roles = {*MEMBERSHIPS, *(group for groups in MEMBERSHIPS.values() for group in groups)}
    for kind, known in (("Role", known_roles), ("Class", TYPES_OF), ("Group", GROUPS), ("Elements", ELEMENT_GROUPS),
                        ("Purpose", PURPOSES)):  # fmt: skip
        assert set(re.findall(rf'{kind}::"([^"]+)"', text)) <= set(known), kind
    relations = re.findall(r'context\.relation == "(\w+)"', text)
    assert set(relations) <= set(RELATIONS)
    labels = re.findall(r'context\.label == "(\w+)"', text)
    assert set(labels) <= {*LABELS, "none"}
    assert len(PolicySet.from_str(text)) > 20


@pytest.mark.requirement("V14.1.1")
def test_each_type_is_in_one_class_and_each_label_of_the_record_has_a_name():
    sorted_types = [name for members in TYPES_OF.values() for name in members]
    assert sorted(sorted_types) == sorted(TYPES)
    assert set(LABELS.values()) == set(LABEL_BITS.values())


@pytest.mark.requirement("V8.1.2")
def test_hidden_elements_and_what_may_still_be_asked_are_named_as_r4_names_them():
    for group, types in ELEMENT_GROUPS.items():
        named = set()
        for name, elements in types.items():
            there = {element for element in elements if structure.json_names(name, element)}
            named |= there
            assert not there & structure.mandatory(name), (group, name)
        assert named, group
    for group, types in ASKABLE.items():
        for name, codes in types.items():
            assert codes <= {*params(name), "_id", "_lastUpdated"}, (group, name, codes - set(params(name)))


def test_every_role_that_can_be_granted_is_known_to_the_door():
    assert set(ROLES) >= STAFF_ROLES
    assert set(USUAL_PURPOSE) == set(ROLES)


def _actor(role: str, **more) -> Actor:
    own = {"facility_id": "f"} if role in FACILITY_ROLES else {}
    own |= {"patient_id": "p"} if role in PERSON_ROLES else {}
    return Actor("x", role, **{"practitioner_id": "d", **own, **more})


def _open_rows(policy):
    """(type, part of a scope, labels that it leaves out): wider means more of these."""
    found = set()
    for name in TYPES:
        scope = policy.visibility.of(name)
        for part in scope.parts or (scope,):
            if part.kind != "nothing":
                bits = [bit for bit in (0, *LABELS.values()) if not part.label_mask & bit]
                for who in part.who or (0,):
                    bare = dataclasses.replace(part, label_mask=0, shielded=False, heeds=(), who=(who,))
                    found |= {(name, bare, bit) for bit in bits}
    return found


def _unheeding(policy):
    """(type, kind, whose refusals it does not heed) of the parts of scopes; somebody without a name heeds all."""
    found = set()
    for name in TYPES:
        scope = policy.visibility.of(name)
        for part in scope.parts or (scope,):
            if part.kind in ("facility", "treatment", "order") and 0 not in part.heeds:
                found |= {(name, part.kind, one) for one in (DOCTOR, FACILITY) if one not in part.heeds}
    return found


LESS = {
    "without a facility": {"facility_id": None},
    "without a practitioner": {"practitioner_id": None},
    "with a password only": {"authenticator_level": 1},
    "with a name of their own saying": {"identity_level": 1},
    "with levels that are not known": {"identity_level": 0, "authenticator_level": 0},
    "with one scope": {"scopes": "system/Observation.rs"},
    "with no patient": {"patient_id": None},
}


@pytest.mark.parametrize("less", LESS)
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.requirement("V8.2.1")
def test_who_is_less_never_sees_or_writes_more(role, less):
    keys = Keys(bytes(32))
    for purpose in PURPOSES:
        try:
            whole = decide(_actor(role), purpose, keys)
        except Forbidden:
            with pytest.raises(Forbidden):
                decide(_actor(role, **LESS[less]), purpose, keys)
            continue
        try:
            part = decide(_actor(role, **LESS[less]), purpose, keys)
        except Forbidden:
            continue
        assert _open_rows(part) <= _open_rows(whole)
        assert _unheeding(part) <= _unheeding(whole)
        assert part.writes.keys() <= whole.writes.keys()
        assert all(set(through) <= set(whole.writes[name]) for name, through in part.writes.items())
        assert part.breaks <= whole.breaks
        assert part.watches <= whole.watches
        assert part.reviews <= whole.reviews
        assert part.authored <= whole.authored
        assert part.visibility.hidden.keys() >= {
            name for name in whole.visibility.hidden if part.visibility.of(name).kind != "nothing"
        }


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"administrator", "system"}))
@pytest.mark.requirement("V14.2.4")
def test_substance_use_opens_to_its_owner_by_consent_and_in_an_emergency_only(role):
    for purpose in PURPOSES:
        said = rules(Shape(role, purpose, 3, 3))
        for opened in (*said.sees.items(), *said.writes.items()):
            name, parts = opened
            if name in GROUPS["record"]:
                ways = {one.relation for one in parts if not one.label_mask & LABELS["part2"]}
                assert ways <= {"own", "granted", "emergency"}, (name, ways)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.requirement("V6.3.3")
def test_a_basic_session_opens_the_directory_and_nothing_else(role):
    for purpose in PURPOSES:
        for levels in ((1, 1), (1, 2), (2, 1), (0, 0)):
            said = rules(Shape(role, purpose, *levels))
            assert set(said.sees) <= {"directory", "services"}
            assert (said.writes, said.says, said.arranges, said.acts) == ({}, frozenset(), {}, frozenset())
            assert (said.breaks, said.watches, said.reviews) == (False, False, False)


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"administrator", "system"}))
def test_whoever_is_not_the_operator_reaches_patients_by_a_relation(role):
    for purpose in PURPOSES:
        for name, parts in rules(Shape(role, purpose, 2, 2)).sees.items():
            if name in GROUPS["record"] and role != "population-analyst":
                assert "all" not in {one.relation for one in parts}, name
