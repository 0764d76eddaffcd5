"""One postmaster: started as an unprivileged account, told to end when its keeper does, watched."""

import ctypes
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG = 1


class Postmaster:
    """The running server of one data folder."""

    def __init__(self, program: str, folder: Path, log: Path, uid: int | None, gid: int | None) -> None:
        self._program = program
        self._folder = folder
        self._log = log
        self._account: dict[str, Any] = {} if uid is None else {"user": uid, "group": gid, "extra_groups": []}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process, 0 when there is none."""
        return self._process.pid if self._process is not None else 0

    def start(self) -> None:
        """Starts the server; `ready` tells when it answers."""
        keeper = os.getpid()
        environment = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
        for name in ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"):
            if name in os.environ:
                environment[name] = os.environ[name]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603  our own program
                [self._program, "-D", str(self._folder)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._folder if not self._account else "/",
                env=environment,
                start_new_session=True,
                umask=0o077,
                preexec_fn=lambda: _die_with(keeper),  # noqa: PLW1509  the keeper has one thread
                **self._account,
            )

    def exited(self) -> bool:
        """Whether the process is gone (or was never there)."""
        return self._process is None or self._process.poll() is not None

    def ready(self) -> bool:
        """Whether the server takes connections: the eighth line of its pid file says so."""
        try:
            lines = (self._folder / "postmaster.pid").read_text(encoding="utf-8", errors="replace").split("\n")
        except OSError:
            return False
        return len(lines) > 7 and lines[0].strip() == str(self.pid) and lines[7].strip() == "ready"

    def send(self, number: signal.Signals) -> None:
        """SIGINT ends it politely, SIGQUIT at once."""
        if self._process is not None and not self.exited():
            self._process.send_signal(number)


def _die_with(keeper: int) -> None:
    """Runs in the new process: when the keeper dies, the kernel tells PostgreSQL to shut down (fast)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(signal.SIGINT))
    if os.getppid() != keeper:
        os._exit(1)
