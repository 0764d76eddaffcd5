"""A server that is started again whenever it ends, as systemd would, and its processes by kind."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import asynccontextmanager, contextmanager, suppress

import asyncpg
import httpx
import psutil

from continuum.runtime import secrets
from continuum.runtime.postgres.layout import plan
from continuum.runtime.settings import Settings

RESTART_WAIT_S = 0.1
"""systemd's own pause before a restart (RestartSec)."""
KINDS = ("postmaster", "server", "all", "backend", "worker", "keeper")
START = (
    "import ctypes; ctypes.CDLL(None).prctl(1, 9); "  # PR_SET_PDEATHSIG: a test that is killed leaves no server
    "from continuum.apps.admin.cli import main; main()"
)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return one.getsockname()[1]


class Supervised:
    """`continuum serve` with two workers on a data folder, restarted by a task of ours."""

    def __init__(self, data, workers=2):
        self.data = data
        self.origin = f"http://127.0.0.1:{free_port()}"
        self.process = None
        self.starts = 0
        self._command = [
            sys.executable, "-c", START, "serve",
            "--port", self.origin.rpartition(":")[2], "--data", str(data), "--workers", str(workers),
        ]  # fmt: skip

    def start(self):
        self.starts += 1
        with (self.data.parent / f"{self.data.name}.log").open("ab") as log:
            self.process = subprocess.Popen(self._command, stdout=log, stderr=log, start_new_session=True)

    @asynccontextmanager
    async def running(self):
        """Runs and restarts it; at the end everything is stopped."""
        self.start()
        watching = asyncio.create_task(self._watch())
        try:
            yield self
        finally:
            watching.cancel()
            self.stop()

    async def _watch(self):
        while True:
            if self.process.poll() is not None:
                await asyncio.sleep(RESTART_WAIT_S)
                self.start()
            await asyncio.sleep(0.02)

    def stop(self, *, politely=True):
        """Ends it and what belongs to it, if need be by force."""
        if politely and self.process.poll() is None:
            self.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(30)
        kill(self.everything())
        self.process.wait(30)
        end = time.monotonic() + 30
        while self.everything() and time.monotonic() < end:
            time.sleep(0.02)
        assert self.everything() == [], "processes are left behind"

    def everything(self) -> list[psutil.Process]:
        """All processes of the server: of its group, and whatever else works on the data folder."""
        mine = psutil.pids()
        return [one for pid in mine if pid != os.getpid() and (one := self._of_mine(pid))]

    def _of_mine(self, pid) -> psutil.Process | None:
        with suppress(psutil.Error, OSError):
            process = psutil.Process(pid)
            if process.status() == psutil.STATUS_ZOMBIE:
                return None
            place = str(self.data)
            words = process.cmdline()
            if os.getpgid(pid) == self.process.pid or process.cwd().startswith(place):
                return process
            if any(place in word for word in words) or pid == self._keeper():
                return process
        return None

    def of_kind(self, kind) -> list[psutil.Process]:
        """The processes that a kill of this kind ends; none while there is no such process."""
        everything, keeper = self.everything(), self._keeper()
        found = {kind: [] for kind in KINDS}
        postmaster = self._postmaster()
        for one in everything:
            with suppress(psutil.Error):
                words = " ".join(one.cmdline())
                if one.pid == self.process.pid:
                    found["server"].append(one)
                elif one.pid == postmaster:
                    found["postmaster"].append(one)
                elif words.startswith("postgres:"):
                    found["backend"].append(one)
                elif "continuum.apps.fhir_api.worker" in words:
                    found["worker"].append(one)
                elif one.pid == keeper:
                    found["keeper"].append(one)
        found["all"] = everything
        return found[kind]

    def _postmaster(self) -> int:
        with suppress(OSError, ValueError, StopIteration):
            file = next((self.data / "postgres").glob("*/postmaster.pid"))
            return int(file.read_text().split("\n", 1)[0])
        return -1

    def _keeper(self) -> int:
        """The process that watches the postmaster: its parent."""
        with suppress(psutil.Error, ValueError):
            parent = psutil.Process(self._postmaster()).parent()
            if parent and "continuum.runtime.keeper" in " ".join(parent.cmdline()):
                return parent.pid
        return -1

    def token(self) -> str:
        """An administrator's."""
        asked = [*self._command[:3], "token", "--data", str(self.data), "--as", "administrator", "--expires", "48h"]
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()

    @asynccontextmanager
    async def superuser(self):
        """A connection past the door, to look at the tables."""
        settings = Settings.load({}, data=str(self.data))
        password = secrets.load(settings.data).password("postgres")
        place = str(plan(settings).sockets)
        connection = await asyncpg.connect(host=place, user="postgres", password=password, database="continuum")
        try:
            yield connection
        finally:
            await connection.close()

    @contextmanager
    def verified(self):
        """What `continuum audit verify` says: (exit code, output)."""
        asked = [*self._command[:3], "audit", "verify", "--data", str(self.data), "--json"]
        yield subprocess.run(asked, capture_output=True, text=True, check=False)

    async def until_it_writes(self, bearer, within_s=120.0) -> float:
        """Seconds until a write is acknowledged."""
        began_s = time.monotonic()
        async with httpx.AsyncClient(headers=bearer, timeout=5) as client:
            while True:
                with suppress(httpx.TransportError):
                    answer = await client.put(
                        f"{self.origin}/fhir/Organization/probe",
                        json={"resourceType": "Organization", "id": "probe", "name": "Probe"},
                    )
                    if answer.status_code in (200, 201):
                        return time.monotonic() - began_s
                assert time.monotonic() - began_s < within_s, "it does not come back"
                await asyncio.sleep(0.02)


def kill(processes) -> None:
    """SIGKILL to all, at once."""
    for one in processes:
        with suppress(ProcessLookupError):
            os.kill(one.pid, signal.SIGKILL)
