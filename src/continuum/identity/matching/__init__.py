"""Which registered patients may be the person who is described: found, scored and explained.

The score is that of Fellegi and Sunter: each field that agrees or differs adds or takes points, which are binary
logarithms of how much more often that happens among records of one person than among records of two. Nothing is
learned from the record, so a score can be recomputed by hand from its reasons.
"""

from continuum.identity.matching.blocking import blocks
from continuum.identity.matching.comparison import Reason, compare
from continuum.identity.matching.grading import CERTAIN, Grade, grade

__all__ = ["CERTAIN", "Grade", "Reason", "blocks", "compare", "grade"]
