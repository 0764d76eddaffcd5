"""The order of a search by distance: from where, its criteria say."""

from collections.abc import Sequence
from dataclasses import replace

from continuum.fhir.query import Clause, Criterion, Sort
from continuum.kernel.errors import UnusableParameter


def placed(sort: Sequence[Sort], where: Sequence[Clause]) -> tuple[Sort, ...]:
    """The sort keys, those by distance with the places that the search is near to.

    Raises:
        UnusableParameter: the search names no place.
    """
    return tuple(_placed(one, where) if one.param.kind == "special" else one for one in sort)


def _placed(sort: Sort, where: Sequence[Clause]) -> Sort:
    code = sort.param.code
    places = [
        value.around[:2]
        for clause in where
        if isinstance(clause, Criterion) and clause.param == sort.param
        for value in clause.values
        if value.around is not None
    ]
    if not places:
        raise UnusableParameter(
            f"_sort={code} puts the nearest first; say near what: {code}=latitude|longitude|distance|km."
        )
    return replace(sort, places=tuple(places))
