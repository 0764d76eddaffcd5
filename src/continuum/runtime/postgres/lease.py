"""The client's side of the keeper: joining the one that runs, or starting it."""

import fcntl
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import continuum
from continuum.kernel.errors import DomainError
from continuum.kernel.limits import POSTGRES_PREPARE_TIMEOUT_S, POSTGRES_START_TIMEOUT_S, POSTGRES_STOP_TIMEOUT_S
from continuum.runtime.keeper.keep import Order

POLL_S = 0.02
JOIN_ATTEMPTS = 100
_SOURCE = str(Path(continuum.__file__).resolve().parent.parent)
_PROGRAM = (
    "import sys; sys.path.insert(0, sys.argv[2]); from continuum.runtime.keeper.keep import main; sys.exit(main())"
)


_others_need: list["subprocess.Popen[bytes]"] = []
"""Keepers that we started, which go on for others; looked at now and then, so that none stays as a zombie."""


class CannotStart(DomainError):
    """The embedded PostgreSQL does not start; what it said follows."""

    status = 503
    code = "exception"


class Lease:
    """A hold on the running server: while one is open anywhere, the server runs."""

    def __init__(self, connection: socket.socket, keeper: "subprocess.Popen[bytes] | None" = None) -> None:
        self.connection = connection
        self._keeper = keeper
        self._heard = b""
        self.news: dict[str, object] = {"state": "starting"}

    def hear(self) -> bool:
        """Takes in what the keeper says; False when it is gone. Waits for the socket's timeout at most."""
        try:
            said = self.connection.recv(65_536)
        except (BlockingIOError, TimeoutError):
            return True
        except OSError:
            return False
        if not said:
            return False
        *lines, self._heard = (self._heard + said).split(b"\n")
        for line in lines:
            self.news = json.loads(line)
        return True

    def wait_until_ready(self) -> bool:
        """True when the server answers, False when the keeper went away before.

        Raises:
            CannotStart: the keeper gave up.
        """
        end = time.monotonic() + POSTGRES_START_TIMEOUT_S
        self.connection.settimeout(1.0)
        while time.monotonic() < end:
            if self.news["state"] == "ready":
                return True
            if self.news["state"] == "failed":
                raise CannotStart(str(self.news.get("reason")))
            if not self.hear():
                return False
        raise CannotStart(f"PostgreSQL did not start in {POSTGRES_START_TIMEOUT_S:.0f} s.")

    def close(self) -> None:
        """Gives the hold up; if it was the last one, returns when the server is down."""
        self.connection.settimeout(1.0)
        end = time.monotonic() + POSTGRES_STOP_TIMEOUT_S + 10
        try:
            self.connection.sendall(b"bye\n")
            while self.hear() and self.news["state"] != "kept" and time.monotonic() < end:
                pass
        except OSError:
            pass  # it went first
        self.abandon(max(0.1, end - time.monotonic()))

    def abandon(self, timeout_s: float = 1.0) -> None:
        """Closes the connection; a keeper that we started and that ends now is waited for."""
        self.connection.close()
        if self._keeper is None:
            return
        if self.news["state"] == "kept":
            _others_need.append(self._keeper)
            return
        try:
            self._keeper.wait(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            self._keeper.kill()
            self._keeper.wait()


def join(run: Path) -> Lease | None:
    """A hold on the server whose keeper listens in `run`, or None when there is none."""
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(str(run / "keeper.sock"))
    except OSError:
        connection.close()
        return None
    return Lease(connection)


def start(order: Order) -> Lease:
    """Starts a keeper; the hold it comes with is ours."""
    _others_need[:] = [keeper for keeper in _others_need if keeper.poll() is None]
    ours, theirs = socket.socketpair()
    lean = ["-I", "-S"] if sys.platform == "linux" else ["-I"]
    keeper = subprocess.Popen(  # noqa: S603  our own program
        [sys.executable, *lean, "-c", _PROGRAM, str(theirs.fileno()), _SOURCE],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=[theirs.fileno()],
        start_new_session=True,
        cwd="/",
    )
    theirs.close()
    assert keeper.stdin is not None, "it was opened as a pipe"
    try:
        with keeper.stdin:
            keeper.stdin.write(json.dumps(asdict(order)).encode())
    except BrokenPipeError:
        pass  # it ended at once; the lease will tell
    return Lease(ours, keeper)


def hold(run: Path, preparing: Path, prepare: Callable[[], Order]) -> Lease:
    """Joins the server that runs, or prepares and starts one; returns when it answers.

    preparing: a lock file that one process at a time holds while it prepares and starts the server.
    prepare: makes or upgrades the data where needed; says what to start.

    Raises:
        CannotStart: it does not start.
    """
    for _ in range(JOIN_ATTEMPTS):
        lease = join(run)
        if lease is None:
            with locked(preparing, POSTGRES_PREPARE_TIMEOUT_S):
                lease = join(run) or start(prepare())
                if _answers(lease):
                    return lease
        elif _answers(lease):
            return lease
        lease.abandon()
        time.sleep(POLL_S)
    raise CannotStart("The PostgreSQL of this data folder is being started and stopped again and again by others.")


def _answers(lease: Lease) -> bool:
    try:
        return lease.wait_until_ready()
    except CannotStart:
        lease.abandon(POSTGRES_STOP_TIMEOUT_S)
        raise


@contextmanager
def locked(path: Path, timeout_s: float) -> Iterator[None]:
    """Holds the lock of a file.

    Raises:
        CannotStart: somebody else holds it for longer than the timeout.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        end = time.monotonic() + timeout_s
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > end:
                    raise CannotStart(f"Another process works on the data folder and holds {path}.") from None
                time.sleep(POLL_S)
        yield
    finally:
        os.close(descriptor)
