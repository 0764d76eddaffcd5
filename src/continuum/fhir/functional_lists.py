"""Functional lists (R4 §3.1.1.4.15): what is current, as criteria that join those of the search. Pure.

R4 names the lists and leaves to each system what they hold. Here they are computed, not kept by anybody: whatever is
not said to be over, or wrong, is on them, also where nothing is said. A list that leaves out what nobody has judged
could hide an allergy.
"""

from collections.abc import Mapping

from continuum.kernel.errors import UnusableParameter

Criteria = tuple[tuple[str, str], ...]
_ALLERGIES: Criteria = (
    ("clinical-status:not", "inactive,resolved"),
    ("verification-status:not", "refuted,entered-in-error"),
)
LISTS: Mapping[str, Mapping[str, Criteria]] = {
    "$current-problems": {
        "Condition": (
            ("category", "problem-list-item,health-concern"),
            ("clinical-status:not", "inactive,remission,resolved"),
            ("verification-status:not", "refuted,entered-in-error"),
        ),
    },
    "$current-allergies": {"AllergyIntolerance": _ALLERGIES},
    "$current-drug-allergies": {"AllergyIntolerance": (("category", "medication"), *_ALLERGIES)},
    "$current-medications": {
        "MedicationRequest": (
            ("status:not", "cancelled,completed,draft,entered-in-error,stopped"),
            ("intent:not", "proposal,option"),
        ),
        "MedicationStatement": (("status:not", "completed,entered-in-error,intended,not-taken,stopped"),),
    },
}
"""List → type → the criteria by which resources of the type are on it."""


def criteria_of(name: str, resource_type: str) -> Criteria:
    """The criteria of a list on a type. Raises UnusableParameter: there is no such list, or not of this type."""
    by_type = LISTS.get(name)
    if by_type is None:
        raise UnusableParameter(f"There is no functional list {name}; there are: {', '.join(LISTS)}.")
    if resource_type not in by_type:
        raise UnusableParameter(f"_list={name} is of {' and '.join(by_type)}; no {resource_type} is on it.")
    return by_type[resource_type]
