"""Scopes of programs: a token never has more than was registered, nor more than was asked for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuum.fhir.types import TYPES
from continuum.identity.scopes import granted, scope

KINDS = st.sampled_from(["*", "Patient", "Observation", "Group"])
PERMISSIONS = st.sampled_from(["read", "write", "*", "rs", "cud", "cruds", "r", "u", "s?x=y"])
SCOPES = st.lists(st.builds(lambda kind, permission: f"system/{kind}.{permission}", KINDS, PERMISSIONS), max_size=5)


def opened(scopes: str) -> set[tuple[str, str]]:
    found = set()
    for one in scopes.split():
        known = scope(one)
        if known is not None:
            found |= {(name, "read") for name in known.types if known.read}
            found |= {(name, "write") for name in known.types if known.write}
    return found


@given(SCOPES, SCOPES)
@pytest.mark.requirement("V10.3.2", "V10.4.11")
def test_a_token_has_exactly_what_was_both_asked_for_and_registered(asked, allowed):
    given_ = granted(" ".join(asked), " ".join(allowed))
    assert opened(given_) == opened(" ".join(asked)) & opened(" ".join(allowed))


def test_what_is_covered_is_given_in_the_words_it_was_asked_in():
    assert granted("system/Patient.read system/*.rs", "system/*.cruds") == "system/Patient.read system/*.rs"
    assert granted("system/*.*", "system/*.rs") == "system/*.rs"
    assert granted("system/*.read", "system/Patient.cruds") == "system/Patient.rs"


def test_a_scope_of_a_person_or_of_a_part_is_not_understood():
    for text in ("", "launch", "patient/Patient.rs", "user/*.read", "system/Patient.r", "system/Patient.rs?a=b",
                 "system/patient.rs", "system/Patient", "openid"):  # fmt: skip
        assert scope(text) is None
    everything = scope("system/*.cruds")
    assert everything is not None
    assert everything.types == TYPES
