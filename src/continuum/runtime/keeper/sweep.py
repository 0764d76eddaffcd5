"""Finding and ending PostgreSQL processes that a killed server left behind in one data folder.

A backend that waits for a lock inside shared memory may outlive its postmaster for good and keep every new
one from starting ("pre-existing shared memory block is still in use"). Every process of a server stands in
its data folder (its working directory), so that is how its orphans are known.
"""

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

POLL_S = 0.01
QUIT_TIMEOUT_S = 1.0
KILL_TIMEOUT_S = 5.0


def processes_in(folder: Path) -> list[int]:
    """The PostgreSQL processes whose working directory is the folder."""
    place = os.path.realpath(folder)
    return _by_proc(place) if sys.platform == "linux" else _by_psutil(place)


def _by_proc(place: str) -> list[int]:
    found = []
    for name in os.listdir("/proc"):  # noqa: PTH208  polled; paths of hundreds of processes cost
        if name.isdigit():
            try:
                with open(f"/proc/{name}/comm", "rb") as comm:  # noqa: PTH123  read hundreds of times, fast
                    if comm.read() == b"postgres\n" and os.readlink(f"/proc/{name}/cwd") == place:  # noqa: PTH115  same
                        found.append(int(name))
            except OSError:
                continue  # it ended, or is not ours to look at
    return found


def _by_psutil(place: str) -> list[int]:
    import psutil  # noqa: PLC0415  only where there is no /proc

    found = []
    for process in psutil.process_iter(["pid", "name"]):
        try:
            if process.info["name"] == "postgres" and process.cwd() == place:
                found.append(process.info["pid"])
        except psutil.Error:
            continue
    return found


def end_workers(folder: Path) -> None:
    """Ends programs (initdb, pg_upgrade …) that a killed process left at work on a folder, named in their arguments."""
    place = os.fsencode(folder)
    _send(signal.SIGKILL, _named_in_arguments(place))
    _until(lambda: not _named_in_arguments(place), KILL_TIMEOUT_S)


def _named_in_arguments(place: bytes) -> list[int]:
    found = []
    for name in os.listdir("/proc") if sys.platform == "linux" else ():  # noqa: PTH208  as above
        if name.isdigit() and int(name) != os.getpid():
            try:
                with open(f"/proc/{name}/cmdline", "rb") as cmdline:  # noqa: PTH123  as above
                    words = cmdline.read().split(b"\0")
            except OSError:
                continue
            if place in words and os.path.basename(words[0]).startswith((b"postgres", b"initdb", b"pg_")):  # noqa: PTH119  bytes
                found.append(int(name))
    return found


def sweep(folder: Path, *, wait_s: float, sockets: Path | None = None) -> int:
    """Ends every PostgreSQL process of the folder and removes its stale lock files; returns how many there were.

    The caller holds the folder's lock. A postmaster that is still there gets `wait_s` seconds to end by
    itself (it was told to when its keeper died); backends without a postmaster are ended at once.
    """
    left = processes_in(folder)
    count = len(left)
    if left:
        postmaster = _postmaster(folder)
        if postmaster in left:
            _send(signal.SIGINT, [postmaster])
            _until(lambda: not processes_in(folder), wait_s)
        _send(signal.SIGQUIT, processes_in(folder))
        if not _until(lambda: not processes_in(folder), QUIT_TIMEOUT_S):
            _send(signal.SIGKILL, processes_in(folder))
            _until(lambda: not processes_in(folder), KILL_TIMEOUT_S)
    if not processes_in(folder):
        # PostgreSQL itself would refuse to start when the number in the file was given to another process since,
        # or is that of a dead one that nobody has buried (a container whose first process reaps no children).
        (folder / "postmaster.pid").unlink(missing_ok=True)
        for left_over in sockets.glob(".s.PGSQL.*") if sockets is not None else ():
            left_over.unlink(missing_ok=True)
    return count


def _postmaster(folder: Path) -> int:
    try:
        return int((folder / "postmaster.pid").read_text(encoding="utf-8", errors="replace").split("\n", 1)[0])
    except (OSError, ValueError):
        return -1


def _send(number: signal.Signals, processes: list[int]) -> None:
    for process in processes:
        try:
            os.kill(process, number)
        except ProcessLookupError:
            continue


def _until(done: Callable[[], bool], timeout_s: float) -> bool:
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        if done():
            return True
        time.sleep(POLL_S)
    return done()
