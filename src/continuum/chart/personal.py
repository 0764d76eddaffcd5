"""What a person sees of a record, their own or somebody else's: the door's answer, less what waits and what is closed.

Every page, download and link of the portal looks through this, so that no exit forgets a rule.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from continuum.access import Session, Stored
from continuum.access.views import NO_MORE, Fewer, Sift, View
from continuum.chart.limits import CLOSED_LOOK_COUNT
from continuum.chart.release import Held, held, may_wait
from continuum.chart.sensitivity import kinds, references
from continuum.kernel.errors import NotFound

_BASES = {"closed.conditions": "Condition", "closed.procedures": "Procedure"}
"""What is looked at beside what is asked for: what of it is closed closes the visits that were about it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a record is open. closed: kinds of chart/sensitivity.py. sections: keys, None for all of them."""

    closed: frozenset[str] = frozenset()
    sections: frozenset[str] | None = None

    def opens(self, key: str) -> bool:
        """Whether a section is open."""
        return self.sections is None or key in self.sections


@dataclass(slots=True)
class Looking:
    """The record of one person as somebody may see it.

    waiting: what was held back so far. left_out: how many were closed.
    """

    session: Session
    limits: Limits
    now: datetime
    waiting: dict[str, Held] = field(default_factory=dict)
    left_out: int = 0

    async def view(
        self, name: str, patient_id: str, searches: Mapping[str, str], *, places: bool = True,
        further: Mapping[str, tuple[str, str]] = NO_MORE, fewer: Fewer | None = None, sift: Sift | None = None,
    ) -> View:  # fmt: skip
        """As `access.views.ViewActs.view`; in the trace it is one act.

        Without `fewer`: what is not shown here may be what it would keep, and what it leaves out may close others.
        """
        assert fewer is None, "of what a person sees no less is read"
        asked = dict(searches)
        if self.limits.closed:
            asked |= {label: f"{kind}?_count={CLOSED_LOOK_COUNT}" for label, kind in _BASES.items()}
        passed: set[str] = set()
        view = await self.session.view(
            name, patient_id, asked, places=places, further=further, sift=sift and self._keeping(sift, passed)
        )
        shut = self._shut(view)
        found = {
            label: [one for one in resources if (not sift or _own(one) in passed) and self._shown(one, shut)]
            for label, resources in view.found.items()
            if label not in _BASES
        }
        return replace(view, found=found)

    def _keeping(self, sift: Sift, passed: set[str]) -> Sift:
        """Keeps as well what may close others: it is looked at, and not shown. passed: is told what the sift keeps."""

        def told(names: Mapping[str, Any], visits: Mapping[str, Any]) -> Callable[[Sequence[Stored]], Sequence[bool]]:
            keeps = sift(names, visits)

            def kept(read: Sequence[Stored]) -> Sequence[bool]:
                found = keeps(read)
                passed.update(f"{one.resource_type}/{one.id}" for one, keep in zip(read, found, strict=True) if keep)
                if self.limits.closed:
                    return [True] * len(read)
                return [keep or may_wait(one, self.now) for one, keep in zip(read, found, strict=True)]

            return kept

        return told

    def _shut(self, view: View) -> frozenset[str]:
        """References to what must not be shown, and to the visits that were about it."""
        shut = set()
        for resources in view.found.values():
            for one in resources:
                if self._waits(one):
                    shut.add(_own(one))
                elif self.limits.closed and self.limits.closed & kinds(one):
                    shut.add(_own(one))
                    visit = one.get("encounter", {}).get("reference")
                    if visit and one["resourceType"] in {"Condition", "Procedure"}:
                        shut.add(str(visit))
        return frozenset(shut)

    def _waits(self, resource: Mapping[str, Any]) -> bool:
        wait = held(resource, self.now)
        if wait is not None:
            self.waiting[wait.reference] = wait
        return wait is not None

    def _shown(self, resource: Mapping[str, Any], shut: frozenset[str]) -> bool:
        own = _own(resource)
        if own in shut:
            self.left_out += own not in self.waiting
            return False
        if shut and not shut.isdisjoint(references(resource)):
            self.left_out += 1
            return False
        return True

    def require(self, key: str) -> None:
        """Raises NotFound for a section that is closed."""
        if not self.limits.opens(key):
            raise NotFound("This part of the record is not open to you.")


def _own(resource: Mapping[str, Any]) -> str:
    return f"{resource['resourceType']}/{resource['id']}"
