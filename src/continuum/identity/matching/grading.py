"""From reasons to a probability and a grade (R4 match-grade). Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from continuum.identity.matching.comparison import Reason

CERTAIN, PROBABLE, POSSIBLE, CERTAINLY_NOT = "certain", "probable", "possible", "certainly-not"
PRIOR_BITS = 16.0
"""What has to be outweighed: one registered patient in 65,536 shares as much with a stranger by the search alone."""
_SURE, _LIKELY, _WORTH_A_LOOK = 0.999, 0.9, 0.1
_CONFIRMING = frozenset({"identifier", "contact", "address", "maiden name"})
"""Fields of which one must agree beside name and birth date: two people do share those two."""


@dataclass(frozen=True, slots=True)
class Grade:
    """score: the probability, 0 to 1. code: of match-grade. reasons: what it rests on, the weightiest first."""

    score: float
    code: str
    reasons: tuple[Reason, ...]


def grade(reasons: Sequence[Reason]) -> Grade:
    """How likely two records are one person's.

    Nothing that contradicts lets a match be certain; another given name lets it be no more than possible unless
    an identifier is shared, since brothers and sisters share nearly all else.
    """
    bits = sum(reason.points for reason in reasons) - PRIOR_BITS
    score = 1 / (1 + 2 ** -max(min(bits, 60.0), -60.0))
    agreeing = {reason.field for reason in reasons if reason.points > 0}
    differing = {reason.field for reason in reasons if reason.contradicts}
    if score < _WORTH_A_LOOK:
        code = CERTAINLY_NOT
    elif score < _LIKELY or ({"given", "birth order"} & differing and "identifier" not in agreeing):
        code = POSSIBLE
    elif score >= _SURE and not differing and _CONFIRMING & agreeing and {"family", "birth date"} <= agreeing:
        code = CERTAIN
    else:
        code = PROBABLE
    ordered = tuple(sorted(reasons, key=lambda reason: -abs(reason.points)))
    return Grade(round(score, 4), code, ordered)
