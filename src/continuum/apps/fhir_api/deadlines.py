"""The total time of a request, its body included, however slowly it trickles in."""

import asyncio
from time import monotonic

SWEEP_S = 1.0
"""How often overdue requests are looked for: they end up to this much late."""


class Deadlines:
    """Cancels the tasks that are over their time. One timer for all costs less than a timeout for each."""

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._due: dict[asyncio.Task[object], float] = {}
        self._overdue: set[asyncio.Task[object]] = set()
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begins to look; needs a running loop."""
        self._timer = asyncio.get_running_loop().call_later(min(SWEEP_S, self._limit_s), self._sweep)

    def stop(self) -> None:
        """Looks no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def enter(self) -> asyncio.Task[object]:
        """Starts the clock of the present task."""
        task = asyncio.current_task()
        assert task is not None, "requests run in tasks"
        self._due[task] = monotonic() + self._limit_s
        return task

    def renew(self, task: asyncio.Task[object]) -> None:
        """Gives a task that gets on the whole time again."""
        if self._due.pop(task, None) is not None:
            self._due[task] = monotonic() + self._limit_s

    def hurry(self, limit_s: float) -> None:
        """Leaves what is under way, and what comes now, no more than this."""
        self._limit_s = limit_s
        latest = monotonic() + limit_s
        self._due = {task: min(due, latest) for task, due in self._due.items()}

    def leave(self, task: asyncio.Task[object]) -> None:
        """Ends the clock of a task."""
        self._due.pop(task, None)
        self._overdue.discard(task)

    def expired(self, task: asyncio.Task[object]) -> bool:
        """Whether a cancellation of the task came from here; if so it is taken back."""
        if task not in self._overdue:
            return False
        task.uncancel()
        return True

    def _sweep(self) -> None:
        now = monotonic()
        late = []
        for task, due in self._due.items():
            if due > now:
                break  # later requests are due later
            late.append(task)
        for task in late:
            del self._due[task]
            self._overdue.add(task)
            task.cancel()
        self.start()
