"""The criteria in the clauses of a query, wherever they stand, and the same clauses with other criteria."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from continuum.fhir.query import AllOf, AnyOf, Chain, Clause, Criterion, Has, Negation


def criteria(clauses: tuple[Clause, ...]) -> Iterator[Criterion]:
    """Every criterion."""
    for clause in clauses:
        if isinstance(clause, Criterion):
            yield clause
        elif isinstance(clause, Chain):
            yield from criteria(tuple(inner for _, inner in clause.inner))
        elif isinstance(clause, Has):
            yield from criteria((clause.inner,))
        elif isinstance(clause, AllOf | AnyOf):
            yield from criteria(clause.clauses)
        elif isinstance(clause, Negation):
            yield from criteria((clause.clause,))


def rewritten(clause: Clause, change: Callable[[Criterion], Criterion]) -> Clause:
    """The clause with each of its criteria changed."""
    if isinstance(clause, Criterion):
        return change(clause)
    if isinstance(clause, Chain):
        return replace(clause, inner=tuple((target, rewritten(inner, change)) for target, inner in clause.inner))
    if isinstance(clause, Has):
        return replace(clause, inner=rewritten(clause.inner, change))
    if isinstance(clause, AllOf | AnyOf):
        return replace(clause, clauses=tuple(rewritten(one, change) for one in clause.clauses))
    if isinstance(clause, Negation):
        return replace(clause, clause=rewritten(clause.clause, change))
    return clause
