"""Writing what changed of an appointment, and only that: the parts that somebody may not see stay as they are."""

from collections.abc import Sequence

from continuum.access import Operation, Patch, Session
from continuum.chart.reading import version_of
from continuum.clinical.scheduling.model import Resource
from continuum.clinical.scheduling.reading import body
from continuum.fhir.json import dump, parse

Change = tuple[Resource, Resource]
"""A resource as it was read, and as it shall be."""


def difference(before: Resource, after: Resource) -> Patch:
    """What makes of the stored resource what `after` says, as far as it differs from `before`."""
    gone = [name for name in before if name not in after]
    made = {name: value for name, value in after.items() if name not in before or before[name] != value}
    written = parse(dump(made))

    def apply(stored: Resource) -> Resource:
        return {**{name: value for name, value in stored.items() if name not in gone}, **written}

    return apply


async def rewrite(session: Session, before: Resource, after: Resource) -> Resource:
    """The next version of one resource, as it is in the record then. Raises as a patch with If-Match does."""
    apply = difference(before, after)
    written = await session.patch(before["resourceType"], before["id"], apply, if_match=version_of(before))
    return body(written.stored)


async def rewrite_all(session: Session, changes: Sequence[Change], more: Sequence[Operation] = ()) -> None:
    """Several of them and what else belongs to the act: all or nothing."""
    operations = [
        Operation("PATCH", before["resourceType"], id=before["id"], if_match=version_of(before))
        for before, _ in changes
    ]
    if operations or more:
        await session.transaction([*operations, *more], [difference(*one) for one in changes])
