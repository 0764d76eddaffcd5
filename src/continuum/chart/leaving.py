"""Handing on the work of somebody who leaves: each domain hands on its own, in its module `leaving`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from continuum.access import Operation, Session
from continuum.chart.limits import HANDED_ON_MAX, HANDED_ON_PAGE
from continuum.chart.reading import version_of
from continuum.fhir.json import dump, parse
from continuum.kernel.errors import DomainError

Resource = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Colleague:
    """A member of staff: their account, their name, the Practitioner that they are in the record ("" for none)."""

    account_id: str
    name: str
    practitioner_id: str = ""


async def hand_on(
    session: Session, kind: str, criteria: str, change: Callable[[Resource], Resource | None]
) -> tuple[int, int]:
    """Changes all that a search finds, each in an act of its own; how many were handed on, and how many were not.

    What somebody changes at the same moment is found again by the next page. change: None leaves it as it is.
    """
    done: set[str] = set()
    stuck: set[str] = set()
    while len(done) + len(stuck) < HANDED_ON_MAX:
        page = await session.search(session.parse(kind, f"{criteria}&_count={HANDED_ON_PAGE}"))
        fresh = [one for one in page.matches if one.body is not None and one.id not in done | stuck]
        if not fresh:
            break
        for stored in fresh:
            before: Resource = parse(stored.body or b"{}")
            after = change(before)
            if after is None:
                stuck.add(stored.id)
                continue
            put = Operation("PUT", kind, id=stored.id, if_match=version_of(before), resource=parse(dump(after)))
            try:
                await session.transaction([put])
            except DomainError:
                stuck.add(stored.id)
            else:
                done.add(stored.id)
    return len(done), len(stuck)


def renamed(resource: Resource, before: str, after: Colleague) -> Resource:
    """The resource with another Practitioner wherever `Practitioner/before` takes part in it."""
    old, new = f"Practitioner/{before}", {"reference": f"Practitioner/{after.practitioner_id}", "display": after.name}

    def walk(value: Any) -> Any:
        if isinstance(value, dict):
            return new if value.get("reference") == old else {key: walk(one) for key, one in value.items()}
        return [walk(one) for one in value] if isinstance(value, list) else value

    changed: Resource = walk(resource)
    return changed
