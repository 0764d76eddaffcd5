"""How long answers took, measured against what was promised. Pure."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from continuum.clinical.messaging.model import OPEN, Resource, last_of, promised, team_of
from continuum.clinical.messaging.rules import overdue

_ENDS = frozenset({"answered", "closed"})


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one team. took: the median from the question to its answer. kept: answers within the promise.

    counted: the conversations that this was made of.
    """

    team_id: str
    answered: int
    kept: int
    took: timedelta | None
    longest: timedelta | None
    waiting: int
    late: int
    counted: int

    @property
    def kept_percent(self) -> int | None:
        """Of the answers, how many were within the promise; None where there is none yet."""
        return round(100 * self.kept / self.answered) if self.answered else None


def took(task: Mapping[str, object]) -> tuple[timedelta, bool] | None:
    """How long the latest answer took, and whether it kept its promise; None while it is owed."""
    until = promised(task)
    if task.get("status") in OPEN or until is None:
        return None
    restriction = task["restriction"]
    assert isinstance(restriction, dict), "R4: an element"
    asked = datetime.fromisoformat(restriction["period"]["start"])
    ended = last_of(task, _ENDS)
    return (max(ended - asked, timedelta()), ended <= until) if ended else None


def measured(tasks: Iterable[Resource], team_ids: Sequence[str], now: datetime) -> list[Figures]:
    """By team in the order given; what is in no team's list comes last, under ""."""
    by_team: dict[str, list[Resource]] = {one: [] for one in (*team_ids, "")}
    for task in tasks:
        name = team_of(task)
        by_team[name if name in by_team else ""].append(task)
    return [_figures(name, found, now) for name, found in by_team.items() if name or found]


def _figures(team_id: str, tasks: Sequence[Resource], now: datetime) -> Figures:
    answers = [found for one in tasks if (found := took(one)) is not None]
    spans = [span for span, _ in answers]
    median = timedelta(seconds=statistics.median(one.total_seconds() for one in spans)) if spans else None
    return Figures(
        team_id, len(answers), sum(kept for _, kept in answers), median,
        max(spans, default=None), sum(one.get("status") in OPEN for one in tasks),
        sum(overdue(one, now) for one in tasks), len(tasks),
    )  # fmt: skip
