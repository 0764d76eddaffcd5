"""Patients by names that are only nearly what was typed: which names there are is asked first, then who has them."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from urllib.parse import urlencode

from continuum.access.ground import Ground
from continuum.access.limits import NAMES_ALIKE_MAX, NAMES_LOOKED_AT_MAX
from continuum.fhir.query import Criterion, Query, Value
from continuum.record import search
from continuum.record.model import Page, Stored
from continuum.record.read import Connection

_AT_ONCE = 8
"""Names of one search: more would not be looked up by their index (`record.search.drivers.ALTERNATIVES_MAX`)."""


class NameActs(Ground):
    """The part of a Session that finds people by what they are called."""

    async def called(
        self, beginnings: Sequence[str], likeness: Callable[[str], float], rest: Sequence[tuple[str, str]], count: int
    ) -> Page:
        """Patients of whom a name begins with some letters and is like enough, those of the most alike names first.

        likeness: of a normalised name, 0 for one that is not meant. rest: further criteria. count: patients of each
        few names. Names of people whom the actor may not know of steer the search, and are not told: who is found is
        seen by the policy as in any search. One act, and one row in the trace.
        """

        async def work(conn: Connection) -> Page:
            met: dict[str, Stored] = {}
            for beginning in beginnings:
                there = await search.spelled(conn, "Patient", "name", beginning, NAMES_LOOKED_AT_MAX)
                graded = sorted(((likeness(one), one) for one in there), key=lambda pair: -pair[0])
                names = [one for grade, one in graded if grade > 0][:NAMES_ALIKE_MAX]
                for first in range(0, len(names), _AT_ONCE):
                    page = await search.search(
                        conn, _named(plain, names[first : first + _AT_ONCE]),
                        visibility=self._policy.visibility, keys=self._door.keys,
                    )  # fmt: skip
                    met.update((one.id, one) for one in page.matches)
            return Page(tuple(met.values()))

        plain = self.parse("Patient", urlencode([("name", "x"), *rest, ("_count", str(count))]))
        text = urlencode([("name", f"like {','.join(beginnings)}"), *rest])
        return await self._traced("search", work, "Patient", query=text)


def _named(query: Query, names: Sequence[str]) -> Query:
    """The query for people one of whose names is one of these, whole."""
    wanted = tuple(Value(one) for one in names)
    where = tuple(
        replace(clause, modifier="equal", values=wanted)
        if isinstance(clause, Criterion) and clause.param.code == "name"
        else clause
        for clause in query.where
    )
    return replace(query, where=where)
