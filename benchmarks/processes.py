"""CPU time and memory of process trees, from /proc."""

from collections.abc import Iterable

import psutil


def _tree(pid: int) -> list[psutil.Process]:
    root = psutil.Process(pid)
    return [root, *root.children(recursive=True)]


def cpu_s(pids: Iterable[int]) -> float:
    """Seconds of CPU (user and system) that the trees under `pids` have used, their ended children included."""
    total = 0.0
    for pid in pids:
        for process in _tree(pid):
            try:
                times = process.cpu_times()
            except psutil.NoSuchProcess:
                continue
            total += times.user + times.system + times.children_user + times.children_system
    return total


def rss_mb(pid: int) -> float:
    """The largest resident set in MB among the processes of a tree."""
    return max(process.memory_info().rss for process in _tree(pid)) / 1e6
