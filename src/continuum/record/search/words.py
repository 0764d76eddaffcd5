"""Criteria of words: `:text` of a parameter, `_text` of the narrative, `_content` of all text (record/words.py).

A value is found where every one of its words is: each word is a set of keys of which a row has one.
"""

from continuum.fhir.query import Criterion, Value
from continuum.fhir.search_params import UNIONS, params
from continuum.fhir.text import words
from continuum.record.keys import Keys
from continuum.record.search.statistics import Statistics


def asks_for_words(criterion: Criterion) -> bool:
    """Whether a criterion is one of words."""
    return criterion.modifier == "text" or criterion.param.kind == "words"


def word_keys(criterion: Criterion, value: Value, resource_type: str, keys: Keys) -> list[list[int]]:
    """For each word of a value the keys of which a matching row has one."""
    code = criterion.param.code
    found = words(value.text)
    if criterion.modifier == "text":
        return [[keys.text(resource_type, code, word)] for word in found]
    if code == "_text":
        return [[keys.narrative(resource_type, word)] for word in found]
    unions = UNIONS.get(resource_type, {})
    beside = [
        one.code
        for one in params(resource_type).values()
        if one.kind in {"token", "reference"} and one.code not in unions
    ]
    return [
        [
            keys.content(resource_type, word),
            keys.narrative(resource_type, word),
            *(keys.text(resource_type, one, word) for one in beside),
        ]
        for word in found
    ]


def rarest(criterion: Criterion, resource_type: str, keys: Keys, statistics: Statistics) -> tuple[list[int], float]:
    """Keys of which every match has one, and how many rows that may be: of each value its least common word."""
    chosen: list[int] = []
    total = 0.0
    for value in criterion.values:
        counted = [
            (sum(statistics.rows_with(key) for key in wanted), wanted)
            for wanted in word_keys(criterion, value, resource_type, keys)
        ]
        rows, wanted = min(counted)
        chosen += wanted
        total += rows
    return chosen, total
