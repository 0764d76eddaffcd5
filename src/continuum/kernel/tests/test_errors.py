"""Refusals are typed: each says its HTTP status, its FHIR code and plain words."""

import pytest

from continuum.kernel import errors
from continuum.kernel.errors import DomainError, Issue

# R4 value set http://hl7.org/fhir/ValueSet/issue-type.
ISSUE_TYPES = [
    "invalid",
    "structure",
    "required",
    "value",
    "invariant",
    "security",
    "login",
    "unknown",
    "expired",
    "forbidden",
    "suppressed",
    "processing",
    "not-supported",
    "duplicate",
    "multiple-matches",
    "not-found",
    "deleted",
    "too-long",
    "code-invalid",
    "extension",
    "too-costly",
    "business-rule",
    "conflict",
    "transient",
    "lock-error",
    "no-store",
    "exception",
    "timeout",
    "incomplete",
    "throttled",
    "informational",
]


def every_refusal() -> list[type[DomainError]]:
    found, waiting = [], [DomainError]
    while waiting:
        kind = waiting.pop()
        if kind.__module__ == errors.__name__:
            found.append(kind)
            waiting.extend(kind.__subclasses__())
    return sorted(found, key=lambda kind: kind.__name__)


REFUSALS = every_refusal()


def test_the_refusals_that_rest_needs_are_all_there():
    assert {kind.status for kind in REFUSALS} >= {400, 401, 403, 404, 405, 409, 410, 412, 413, 422, 503, 507}


@pytest.mark.parametrize("kind", REFUSALS, ids=lambda kind: kind.__name__)
def test_a_refusal_has_an_error_status_a_fhir_code_and_its_own_words(kind):
    refusal = kind("The bed is taken.")
    assert 400 <= refusal.status <= 599
    assert refusal.code in ISSUE_TYPES
    assert refusal.issues == (Issue(kind.code, "The bed is taken."),)
    assert refusal.issues[0].severity == "error"
    assert str(refusal) == "The bed is taken."
    assert kind.__doc__


def test_a_refusal_can_carry_several_issues_each_with_its_place():
    found = (
        Issue("required", "A status is missing.", at=("Observation.status",)),
        Issue("value", "Not a date.", at=("Observation.issued",)),
    )
    refusal = errors.Invalid("Two things are wrong.", issues=found)
    assert refusal.issues == found


def test_what_may_not_be_known_looks_the_same_as_what_is_not_there():
    assert (errors.NotFound.status, errors.NotFound.code) == (404, "not-found")
    assert not issubclass(errors.Forbidden, errors.NotFound)


def test_a_handler_of_failed_preconditions_also_takes_several_matches():
    with pytest.raises(errors.PreconditionFailed):
        raise errors.MultipleMatches("Two patients have this number.")
