"""Within one patient's chart: where few of its rows match, the index of keys finds them by all their keys at once.

A walk through the chart's dates is the best way to the newest of many. Where words are asked for, or what few rows of
the type have, it would test the whole chart. The index of keys reads the lists of all criteria side by side, each from
where the others are, so that its work is bounded by the shortest of them and by the chart.
"""

from continuum.fhir.query import Clause, Criterion, Query
from continuum.fhir.search_params import PATIENT_IMPLIED, UNIONS
from continuum.fhir.types import TYPE_IDS
from continuum.record.keys import Keys
from continuum.record.search.bindings import Bindings
from continuum.record.search.drivers import Driver, flat, patients_of
from continuum.record.search.filters import exact_keys
from continuum.record.search.statistics import Statistics
from continuum.record.search.words import asks_for_words, word_keys

RARE = 0.1
"""The share of a type's rows below which a walk to a page of them is likely to test more rows than there are to find.

Of n rows in a chart the walk tests 60 / share, and there are n times the share to find: for a chart of 6,000
Observations both are 600. A chart that has less of it than others is walked to its end: the doubt speaks against it.
"""


def only_patient(query: Query, keys: Keys) -> int | None:
    """The key of the one patient in whose chart all matches are; None where ids say better where they are."""
    found = None
    for clause in query.where:
        if isinstance(clause, Criterion):
            if clause.param.code == "_id":
                return None
            targets = patients_of(clause, query.resource_type)
            found = keys.address(targets[0]) if len(targets) == 1 else found
    return found


def by_keys(query: Query, bindings: Bindings, statistics: Statistics) -> tuple[Driver | None, tuple[Clause, ...]]:
    """The rows that have a key of each criterion that is a matter of keys; these criteria need no other test.

    None where a walk is likely to be shorter. The query has a criterion on the patient.
    """
    rows = max(statistics.rows_of(TYPE_IDS[query.resource_type]), 1.0)
    wanted: list[list[int]] = []
    held: list[Clause] = []
    rare = False
    for clause in flat(query.where):
        if not isinstance(clause, Criterion) or clause.modifier in {"not", "missing"}:
            continue
        asks = asks_for_words(clause)
        if asks and len(clause.values) == 1 and clause.param.code not in UNIONS.get(query.resource_type, {}):
            found = word_keys(clause, clause.values[0], query.resource_type, bindings.keys)
        else:
            exact = exact_keys(clause, query.resource_type, bindings.keys)
            found = [exact] if exact else []
        wanted += found
        held += [clause] if found else []
        if clause.param.code not in PATIENT_IMPLIED.get(query.resource_type, ()):
            few = (sum(statistics.rows_with(key) for key in keys) < RARE * rows for keys in found)
            rare = rare or (asks and bool(found)) or any(few)
    if not rare or len(wanted) < 2:
        return None, ()
    sql = " AND ".join(f"s.keys && {bindings.bind(keys, 'bigint[]')}" for keys in wanted)
    return Driver(sql, 0.0, 0.0, certain=True), tuple(held)
