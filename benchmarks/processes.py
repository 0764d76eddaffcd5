"""CPU time and memory of a server and of the PostgreSQL below it, from /proc."""

import asyncio
from pathlib import Path

import psutil


class Tree:
    """The processes below one server, as they are now."""

    def __init__(self, pid: int) -> None:
        root = psutil.Process(pid)
        self._database: list[psutil.Process] = []
        self._server: list[psutil.Process] = []
        for process in (root, *root.children(recursive=True)):
            try:
                database = "postgres" in Path(process.exe()).name
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
            (self._database if database else self._server).append(process)

    def cpu_us(self) -> tuple[float, float]:
        """(server, PostgreSQL) µs of CPU since each process began."""
        return sum(map(_used_us, self._server)), sum(map(_used_us, self._database))

    def memory_mb(self) -> float:
        """The largest resident set of a server process, in MB."""
        return max(float(process.memory_info().rss) for process in self._server) / 1e6


QUIET_US = 50_000.0
"""CPU of a second in which a server does nothing but look whether there is something to do."""
QUIET_S, QUIET_WAIT_MOST_S = 5, 600


async def quiet(pid: int) -> bool:
    """Waits until a server has done what it does after its start, such as opening calendars; False where it did not."""
    calm = 0
    for _ in range(QUIET_WAIT_MOST_S):
        tree = Tree(pid)  # it starts processes of PostgreSQL for what it does
        before = sum(tree.cpu_us())
        await asyncio.sleep(1)
        calm = calm + 1 if sum(tree.cpu_us()) - before < QUIET_US else 0
        if calm >= QUIET_S:
            return True
    return False


def _used_us(process: psutil.Process) -> float:
    """From schedstat, which counts nanoseconds, over all threads."""
    total = 0
    for task in Path(f"/proc/{process.pid}/task").glob("*/schedstat"):
        try:
            total += int(task.read_text().split()[0])
        except (FileNotFoundError, ProcessLookupError):
            continue
    return total / 1_000
