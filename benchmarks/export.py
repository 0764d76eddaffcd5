"""How fast the record is exported: `python -m benchmarks.export [--patients 16000] [--processes 2] [--no-write]`.

Three rows. *Bare*: the product's reading in processes of its own, with no token, no predicate and no trace. *System*:
over REST, from the kick-off to the manifest, traced. *Clinician*: the same with a predicate on every row, at a facility
that cares for everybody. CPU is that of the export's processes and of PostgreSQL, sampled from /proc while they run.
"""

import argparse
import asyncio
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import psutil

from benchmarks import corpus as corpora
from benchmarks.run import continuum, serving
from continuum.access import exporting
from continuum.access.bulk import Asked
from continuum.kernel.clock import now_us
from continuum.kernel.ids import uuid7
from continuum.record import jobs
from continuum.record.jobs import Job
from continuum.runtime import postgres, secrets
from continuum.runtime.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
PROOF = ROOT / "docs" / "proof" / "export.md"
LEAST_PER_S = {"bare": 100_000, "system": 40_000, "clinician": 40_000}
FACILITY = "everybody"
SAMPLE_S = 0.02
TIMEOUT_S = 600.0


@dataclass(frozen=True, slots=True)
class Figure:
    """One export. cpu_us: for a resource, of the export and of PostgreSQL together. memory_mb: the largest process."""

    resources: int
    json_bytes: int
    took_s: float
    cpu_us: float
    memory_mb: float
    curve_mb: tuple[float, ...] = ()
    """The largest process of the export in each tenth of its time."""

    @property
    def per_s(self) -> float:
        """Resources a second, everything included: start of processes, settling, the trace."""
        return self.resources / self.took_s


class Sampler:
    """CPU and memory of a process and of all below it, those that end meanwhile included up to their last sample."""

    def __init__(self, pid: int) -> None:
        self._root = psutil.Process(pid)
        self._seen: list[tuple[float, float]] = []
        self._before = self._look()
        self._used: dict[int, float] = dict(self._before)

    def _look(self) -> dict[int, float]:
        found: dict[int, float] = {}
        largest_mb = 0.0
        for process in (self._root, *self._root.children(recursive=True)):
            try:
                times = process.cpu_times()
                found[process.pid] = (times.user + times.system) * 1e6
                if "postgres" not in process.name():
                    largest_mb = max(largest_mb, process.memory_info().rss / 1e6)
            except psutil.NoSuchProcess:
                continue
        self._seen.append((time.perf_counter(), largest_mb))
        return found

    def sample(self) -> None:
        """Looks at all processes."""
        self._used.update(self._look())

    def memory_mb(self) -> float:
        """The most that one process, PostgreSQL's left out, ever held."""
        return max(held for _, held in self._seen)

    def curve_mb(self) -> tuple[float, ...]:
        """The same in each tenth of the time."""
        began_s, ended_s = self._seen[0][0], self._seen[-1][0]
        tenths = [0.0] * 10
        for at_s, held in self._seen:
            tenth = min(int((at_s - began_s) / (ended_s - began_s) * 10), 9)
            tenths[tenth] = max(tenths[tenth], held)
        return tuple(tenths)

    def cpu_us(self) -> float:
        """Microseconds of CPU since the beginning."""
        return sum(used - self._before.get(pid, 0.0) for pid, used in self._used.items())


async def _sampled(sampler: Sampler, work: Any) -> Any:
    task = asyncio.ensure_future(work)
    while not task.done():
        sampler.sample()
        await asyncio.wait({task}, timeout=SAMPLE_S)
    sampler.sample()
    return task.result()


async def bare(data: Path, processes: int, folder: Path) -> Figure:
    """Reads everything in `processes` processes; PostgreSQL is started here, below this process."""
    folder.mkdir()  # noqa: ASYNC240  nothing else runs in this program yet
    async with postgres.open(Settings.load(data=str(data))) as server:
        conn = await asyncpg.connect(**server.app.connect)
        actor = json.dumps({"id": "bench", "role": "system"})
        asked = Asked(url="bench").text()
        now = now_us()
        job = Job(uuid7(), "export", jobs.ACCEPTED, asked, actor, "bench", "HOPERAT", "", "bench", now, now)
        await jobs.add(conn, job)
        taken = await jobs.take(conn, now)
        assert taken is not None, "it waits to be taken"
        sampler = Sampler(os.getpid())
        began_s = time.perf_counter()

        async def work() -> None:
            secret = secrets.load(data).record.hex()
            arguments = [server.app.dsn, secret, job.id, str(folder)]
            running = [
                await asyncio.create_subprocess_exec(
                    sys.executable, "-m", "benchmarks.export", "--process", str(number), *arguments
                )
                for number in range(processes)
            ]
            codes = [await process.wait() for process in running]
            assert codes == [0] * processes, "every process reads to the end"

        await _sampled(sampler, work())
        took_s = time.perf_counter() - began_s
        found = await jobs.progress(conn, job.id)
        size = sum(file.bytes for file in await jobs.files(conn, job.id))
        await jobs.remove(conn, job.id)
        await conn.close()
    shutil.rmtree(folder)
    return Figure(
        found.resources, size, took_s, sampler.cpu_us() / found.resources, sampler.memory_mb(), sampler.curve_mb()
    )


async def _process(number: str, database: str, secret: str, job_id: str, folder: str) -> None:
    from continuum.apps.fhir_api.bulk_process import connect  # noqa: PLC0415  the product's own connection

    conn = await connect(database)
    job = await jobs.get(conn, job_id)
    assert job is not None, "it was made a moment ago"
    keys = exporting.keys_of(bytes.fromhex(secret))
    done = await exporting.work(conn, job, keys=keys, folder=Path(folder), mark=number, show=None, clock=now_us)
    assert done, "nobody else takes it"
    await conn.close()


async def over_rest(port: int, pid: int, token: str) -> Figure:
    """From the kick-off to the manifest."""
    headers = {"authorization": f"Bearer {token}", "prefer": "respond-async"}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}/fhir", headers=headers, timeout=60) as http:
        sampler = Sampler(pid)
        began_s = time.perf_counter()

        async def work() -> tuple[str, httpx.Response]:
            started = await http.get("/$export")
            status: str = started.headers["content-location"]
            while time.perf_counter() - began_s < TIMEOUT_S:
                answer = await http.get(status)
                if answer.status_code != 202:
                    return status, answer
                await asyncio.sleep(SAMPLE_S)
            raise SystemExit("The export did not end.")

        status, answer = await _sampled(sampler, work())
        took_s = time.perf_counter() - began_s
        manifest = answer.json()
        assert answer.status_code == 200, answer.text
        assert not manifest["error"], answer.text
        resources = sum(file["count"] for file in manifest["output"])
        sizes = [int((await http.head(file["url"])).headers["content-length"]) for file in manifest["output"]]
        await http.delete(status)
    return Figure(resources, sum(sizes), took_s, sampler.cpu_us() / resources, sampler.memory_mb(), sampler.curve_mb())


async def _everybody_cared_for(data: Path) -> None:
    """Makes a facility that cares for every patient."""
    keys = exporting.keys_of(secrets.load(data).record)
    async with postgres.open(Settings.load(data=str(data))) as server:
        conn = await asyncpg.connect(**server.owner.connect)
        await conn.execute(
            "INSERT INTO record.relation (patient, basis, who, row_id, labels, starts, ends)"
            " SELECT DISTINCT patient, 0, $1::bigint, 0, 0, 0, max(ends) OVER () FROM record.relation WHERE basis = 0"
            " ON CONFLICT DO NOTHING",
            keys.self_key("Organization", FACILITY),
        )
        await conn.execute("VACUUM (ANALYZE) record.relation")
        await conn.close()


def run(patients: int, processes: int, repetitions: int) -> dict[str, Figure]:
    """Loads a corpus into a fresh installation and exports it in every way; the fastest of the repetitions."""
    folder = corpora.make(patients)
    base = Path(tempfile.mkdtemp(prefix="continuum-bench-"))
    base.chmod(0o755)
    data = base / "data"
    os.environ["CONTINUUM_DATA"] = str(data)
    os.environ["CONTINUUM_BULK_PROCESSES"] = str(processes)
    found: dict[str, list[Figure]] = {name: [] for name in LEAST_PER_S}
    try:
        subprocess.run(continuum("migrate"), check=True, stdout=subprocess.DEVNULL)
        words = ("import", str(folder), "--rejects", str(base / "rejects"))
        subprocess.run(continuum(*words), check=True, stdout=subprocess.DEVNULL)
        asyncio.run(_everybody_cared_for(data))
        for _ in range(repetitions):
            found["bare"].append(asyncio.run(bare(data, processes, base / "out")))
        for role, more in (("system", ()), ("clinician", ("--facility", FACILITY))):
            made = subprocess.run(
                continuum("token", "--as", role, *more, "--expires", "10h"), check=True, capture_output=True, text=True
            )
            with serving(continuum("serve", "--port", "0")) as (port, pid):
                for _ in range(repetitions):
                    found[role].append(asyncio.run(over_rest(port, pid, made.stdout.strip())))
    finally:
        shutil.rmtree(base, ignore_errors=True)
    return {name: max(figures, key=lambda one: one.per_s) for name, figures in found.items()}


def table(figures: dict[str, Figure]) -> str:
    """The report."""
    lines = [
        "| Export | resources | NDJSON | took | resources a second | at least | CPU a resource | of 2 cores for itself |"
        " largest process |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, one in figures.items():
        least = LEAST_PER_S[name]
        missed = "" if one.per_s >= least else " **missed**"
        lines.append(
            f"| {name} | {one.resources:,} | {one.json_bytes / 1e6:,.0f} MB | {one.took_s:.2f} s |"
            f" {one.per_s:,.0f}{missed} | {least:,} | {one.cpu_us:.1f} µs | {2e6 / one.cpu_us:,.0f}/s |"
            f" {one.memory_mb:.0f} MB |"
        )
    lines += ["", "Memory of the largest process, PostgreSQL's left out, in each tenth of the time (MB):", ""]
    lines += [f"- {name}: {' · '.join(f'{held:.0f}' for held in one.curve_mb)}" for name, one in figures.items()]
    return "\n".join(lines)


def main() -> None:
    """Measures, prints, and keeps the figures in docs/proof/."""
    if sys.argv[1:2] == ["--process"]:
        asyncio.run(_process(*sys.argv[2:7]))
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=16_000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--no-write", action="store_true", help="print only")
    given = parser.parse_args()
    load = os.getloadavg()[0]
    report = table(run(given.patients, given.processes, given.repetitions))
    print(report)
    if not given.no_write:
        PROOF.parent.mkdir(parents=True, exist_ok=True)
        PROOF.write_text(
            "# Exports\n\n"
            f"`python -m benchmarks.export --patients {given.patients} --processes {given.processes}`,"
            f" seed {corpora.SEED}, {datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores ({platform.machine()}), load"
            f" before {load:.1f}, the fastest of {given.repetitions}. *Bare*: no token, no predicate, no trace."
            " *System*: over REST from the kick-off to the manifest, traced. *Clinician*: the same with a predicate on"
            " every row. *Of 2 cores for itself*: two seconds of CPU, divided by that of a resource; where it is far above"
            " the rate, others used the machine. The time includes the start of the processes and the wait for older transactions; files are"
            f" synced.\n\n{report}\n",
            encoding="utf-8",
        )


if __name__ == "__main__":
    main()
