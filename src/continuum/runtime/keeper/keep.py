"""The keeper's loop: leases in, PostgreSQL up, restarts with a bound, down with the last lease.

A lease is a connection to `keeper.sock`. The keeper writes one JSON line at each change of state,
`{"state": "starting" | "ready" | "failed" | "stopping", "pid": 123, "starts": 1, "reason": ""}`, and answers
`bye` with `{"state": "kept"}` when others still hold leases; otherwise the connection closes when all is down.
"""

import fcntl
import json
import os
import selectors
import signal
import socket
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from continuum.kernel import limits
from continuum.runtime.keeper.postmaster import Postmaster
from continuum.runtime.keeper.sweep import sweep

OCCUPIED = 75
"""Exit code when another keeper has the data folder (EX_TEMPFAIL)."""
POLL_S = 0.01
IDLE_S = 30.0


@dataclass(frozen=True, slots=True)
class Order:
    """What the keeper is asked to keep; handed over as JSON on its standard input."""

    program: str
    folder: str
    run: str
    lock: str
    log: str
    uid: int | None
    gid: int | None


class Keeper:
    """Keeps one server. `first` is the lease of the process that started the keeper."""

    def __init__(self, order: Order, first: socket.socket) -> None:
        self._folder = Path(order.folder)
        self._log = Path(order.log)
        self._socket_path = Path(order.run) / "keeper.sock"
        self._sockets = Path(order.run) / "pg"
        self._server = Postmaster(order.program, self._folder, self._log, order.uid, order.gid)
        self._leases: set[socket.socket] = set()
        self._selector = selectors.DefaultSelector()
        self._state = "starting"
        self._reason = ""
        self._starts: list[float] = []
        self._count = 0
        self._restart_at = 0.0
        self._deadline = 0.0
        self._stop = False
        self._first = first

    def run(self) -> int:
        """Returns the exit code when everything is down."""
        listener = self._listen()
        waker, woken = socket.socketpair()
        for end in (waker, woken):
            end.setblocking(False)
        signal.set_wakeup_fd(woken.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._asked_to_stop)
        self._selector.register(listener, selectors.EVENT_READ, "listener")
        self._selector.register(waker, selectors.EVENT_READ, "signal")
        self._join(self._first)
        self._start()
        while self._leases and not self._stop and self._state != "failed":
            waiting = self._state == "starting"
            for key, _ in self._selector.select(POLL_S if waiting else IDLE_S):
                if key.data == "listener":
                    self._join(listener.accept()[0])
                elif key.data == "signal":
                    waker.recv(4096)
                else:
                    self._hear(key.fileobj)  # type: ignore[arg-type]
            self._watch()
        self._socket_path.unlink(missing_ok=True)
        listener.close()
        return self._shut_down()

    def _asked_to_stop(self, *_: object) -> None:
        self._stop = True

    def _listen(self) -> socket.socket:
        self._socket_path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(self._socket_path))
        self._socket_path.chmod(0o600)
        listener.listen(64)
        return listener

    def _start(self) -> None:
        sweep(self._folder, wait_s=limits.ORPHANS_STOP_TIMEOUT_S, sockets=self._sockets)
        self._trim_log()
        self._starts.append(time.monotonic())
        self._count += 1
        self._restart_at = 0.0
        self._deadline = time.monotonic() + limits.POSTGRES_START_TIMEOUT_S
        self._server.start()

    def _watch(self) -> None:
        """One look at the server, and what follows from it."""
        now = time.monotonic()
        if self._state == "ready":
            self._trim_log()
        if self._restart_at:
            if now >= self._restart_at:
                self._start()
        elif self._server.exited():
            self._died(now)
        elif self._state == "starting":
            if self._server.ready():
                self._say("ready")
            elif now > self._deadline:
                self._say("failed", f"PostgreSQL did not start in {limits.POSTGRES_START_TIMEOUT_S:.0f} s.")

    def _died(self, now: float) -> None:
        self._starts = [at for at in self._starts if now - at < limits.POSTGRES_RESTARTS_WINDOW_S]
        failures = len(self._starts)
        never_ran = self._count == failures and self._state == "starting"
        if failures >= limits.POSTGRES_RESTARTS_MAX or (never_ran and failures >= 3):
            self._say("failed", "PostgreSQL does not start. The end of its log:\n" + self._end_of_log())
            return
        self._say("starting")
        wait_s = 0.0 if failures == 1 else min(0.05 * 2**failures, limits.POSTGRES_RESTART_WAIT_MAX_S)
        self._restart_at = now + wait_s

    def _shut_down(self) -> int:
        failed = self._state == "failed"
        if not failed:
            self._say("stopping")
        for number, timeout_s in ((signal.SIGINT, limits.POSTGRES_STOP_TIMEOUT_S), (signal.SIGQUIT, 5.0)):
            self._server.send(number)
            end = time.monotonic() + timeout_s
            while not self._server.exited() and time.monotonic() < end:
                time.sleep(POLL_S / 2)
        sweep(self._folder, wait_s=0)
        return 1 if failed else 0

    def _join(self, lease: socket.socket) -> None:
        lease.setblocking(False)
        self._leases.add(lease)
        self._selector.register(lease, selectors.EVENT_READ, "lease")
        self._tell(lease, self._news())

    def _hear(self, lease: socket.socket) -> None:
        try:
            said = lease.recv(4096)
        except BlockingIOError:
            return
        except OSError:
            said = b""
        if said and len(self._leases) > 1:
            self._tell(lease, {"state": "kept"})
        self._leave(lease, close=not said or len(self._leases) > 1)

    def _leave(self, lease: socket.socket, *, close: bool) -> None:
        """Ends a lease; the last one that says goodbye is closed only when all is down."""
        self._leases.discard(lease)
        self._selector.unregister(lease)
        if close:
            lease.close()
        else:
            self._first = lease

    def _say(self, state: str, reason: str = "") -> None:
        self._state, self._reason = state, reason
        for lease in list(self._leases):
            self._tell(lease, self._news())

    def _news(self) -> dict[str, Any]:
        return {"state": self._state, "pid": self._server.pid, "starts": self._count, "reason": self._reason}

    def _tell(self, lease: socket.socket, news: dict[str, Any]) -> None:
        with suppress(OSError):  # it is gone or does not listen; reading from it will tell
            lease.sendall(json.dumps(news).encode() + b"\n")

    def _end_of_log(self) -> str:
        try:
            return "\n".join(self._log.read_text(encoding="utf-8", errors="replace").splitlines()[-8:])
        except OSError:
            return ""

    def _trim_log(self) -> None:
        """Keeps the second half of a log that grew over its limit; PostgreSQL appends, so it goes on at the end."""
        try:
            if self._log.stat().st_size > limits.POSTGRES_LOG_MAX_BYTES:
                with self._log.open("r+b") as log:
                    log.seek(-limits.POSTGRES_LOG_MAX_BYTES // 2, os.SEEK_END)
                    end = log.read()
                    log.seek(0)
                    log.truncate()
                    log.write(end)
        except OSError:
            return


def main() -> int:
    """Called with the file descriptor of the first lease and an Order as JSON on standard input."""
    os.umask(0o077)
    lease = socket.socket(fileno=int(sys.argv[1]))
    order = Order(**json.load(sys.stdin))
    lock = os.open(order.lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return OCCUPIED
    return Keeper(order, lease).run()
