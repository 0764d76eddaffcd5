"""`make bench`: every row of the table, measured; answers are checked before anything is timed.

    python -m benchmarks.run [--short] [--patients 1000 16000] [--rows read …] [--no-write]

CPU per request is that of the server and of PostgreSQL (all their processes, from /proc), the client left out.
"""

import argparse
import asyncio
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import corpus as corpora
from benchmarks.client import Load, Response
from benchmarks.processes import Tree
from benchmarks.rows import Row, rows
from benchmarks.sign_in import access_token, prepared
from benchmarks.targets import DISK_MOST_BYTES, IMPORT_LEAST_PER_S, MEMORY_MOST_MB, SCALE_MOST, SEARCH_ROWS, TARGETS

ROOT = Path(__file__).resolve().parent.parent
PROOF = ROOT / "docs" / "proof" / "benchmarks.md"
CONNECTIONS = 16
REPETITIONS = 5
SHORT_PATIENTS = 500
"""Of the short form: with fewer, the empty pages that every table has weigh more than the patients."""
SECONDS_A_ROW = 2.5
PASSES = 2
"""Times that all rows are measured, one after another: other tenants of a machine come and go."""
YARDSTICK_LOOPS = 5_000_000
START_TIMEOUT_S = 60.0
WRITING = ("create_patient", "create_observation", "transaction")


@dataclass(slots=True)
class Figures:
    """What was measured on one corpus: row → (server µs, PostgreSQL µs), for each column."""

    patients: int
    resources: int = 0
    mean_bytes: float = 0.0
    import_per_s: float = 0.0
    disk_bytes: float = 0.0
    memory_mb: float = 0.0
    yardstick_s: list[float] = field(default_factory=list)
    columns: dict[str, dict[str, tuple[float, float]]] = field(default_factory=dict)


def continuum(*words: str) -> list[str]:
    """The product's command line in this environment."""
    return [str(Path(sys.executable).parent / "continuum"), *words]


@contextmanager
def serving(command: list[str]) -> Iterator[tuple[int, int]]:
    """Runs a server; yields its port and process id."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        port = 0
        began_s = time.monotonic()
        for line in process.stdout or ():
            found = re.search(r"Serving http://[^:]+:(\d+)/", line)
            if found:
                port = int(found.group(1))
                break
            if time.monotonic() - began_s > START_TIMEOUT_S:
                break
        if not port:
            raise SystemExit("The server did not start.")
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(30)


async def measure(
    row: Row, port: int, pid: int, token: str, *, seconds: float, repetitions: int
) -> tuple[float, float]:
    """(server µs, PostgreSQL µs) a unit: the least of the repetitions."""
    async with Load("127.0.0.1", port, token, CONNECTIONS) as load:
        for number, request in enumerate(row.requests):
            response = await load.one(request)
            if response.status >= 300 or not row.right(number, response):
                raise SystemExit(
                    f"Wrong answer to {request.method} {request.path}: {response.status} {response.body[:300]!r}"
                )
    # Connections of their own: the server has closed those that said nothing while the answers were looked at.
    async with Load("127.0.0.1", port, token, CONNECTIONS) as load:
        began_s = time.perf_counter()
        await load.run(row.requests, _fine)
        each_s = (time.perf_counter() - began_s) / len(row.requests)
        wanted = max(int(seconds / repetitions / max(each_s, 1e-6)), len(row.requests))
        batch = (row.requests * (wanted // len(row.requests) + 1))[:wanted]
        best = (float("inf"), float("inf"))
        for _ in range(repetitions):
            before = Tree(pid).cpu_us()
            failed = await load.run(batch, _fine)
            after = Tree(pid).cpu_us()
            if failed:
                raise SystemExit(f"{failed} of {len(batch)} requests failed.")
            cost = tuple((b - a) / len(batch) / row.per for a, b in zip(before, after, strict=True))
            best = min(best, (cost[0], cost[1]), key=sum)
    return best


def yardstick() -> float:
    """Seconds of CPU of a fixed loop: on a shared machine they differ from minute to minute, and all figures too."""
    began_s = time.process_time()
    total = 0
    for number in range(YARDSTICK_LOOPS):
        total += number & 3
    return time.process_time() - began_s


def _fine(response: Response) -> bool:
    return response.status < 300


def run(patients: int, wanted: list[str], *, seconds: float, repetitions: int, passes: int) -> Figures:
    """Loads a corpus into a fresh installation and measures both columns."""
    folder = corpora.make(patients)
    corpus = corpora.read(folder, most=1_200)
    figures = Figures(patients, corpus.resources, corpus.json_bytes / corpus.resources)
    base = Path(tempfile.mkdtemp(prefix="continuum-bench-"))
    base.chmod(0o755)
    data = base / "data"
    os.environ["CONTINUUM_DATA"] = str(data)
    try:
        subprocess.run(continuum("migrate"), check=True, stdout=subprocess.DEVNULL)
        began_s = time.monotonic()
        subprocess.run(
            continuum("import", str(folder), "--rejects", str(base / "rejects")), check=True, stdout=subprocess.DEVNULL
        )
        figures.import_per_s = corpus.resources / (time.monotonic() - began_s)
        token = subprocess.run(
            continuum("token", "--as", "system", "--expires", "10h"), check=True, capture_output=True, text=True
        ).stdout.strip()
        figures.disk_bytes = asyncio.run(_disk(data)) / corpus.resources
        who = prepared(continuum(), data, corpus) if "read_signed_in" in wanted else ("", "")
        commands = {
            "whole": continuum("serve", "--port", "0"),
            "bare": [sys.executable, "-m", "benchmarks.bare_app", str(data), "0"],
        }
        # All that reads comes first: the rows that create would change the right answers.
        for writing in (False,) * passes + (True,) * passes:
            for column, command in commands.items():
                names = [name for name in wanted if (name in WRITING) is writing]
                kept = figures.columns.setdefault(column, {})
                with serving(command) as (port, pid):
                    for name in names:
                        figures.yardstick_s.append(yardstick())
                        row = rows(corpus)[name]
                        # A token of somebody lives for minutes: each row gets a fresh one. The bare server asks nobody.
                        own = asyncio.run(access_token(port, who)) if row.signed_in and column == "whole" else token
                        cost = asyncio.run(measure(row, port, pid, own, seconds=seconds, repetitions=repetitions))
                        kept[name] = min(cost, kept.get(name, cost), key=sum)
                        print(f"{patients:>6} {column:<5} {name:<20} {sum(cost) / 1000:8.3f} ms", flush=True)
                    if column == "whole":
                        figures.memory_mb = max(figures.memory_mb, Tree(pid).memory_mb())
    finally:
        shutil.rmtree(base, ignore_errors=True)
    return figures


async def _disk(data: Path) -> float:
    import asyncpg  # noqa: PLC0415  only here

    from continuum.runtime import postgres  # noqa: PLC0415  only here
    from continuum.runtime.settings import Settings  # noqa: PLC0415  only here

    async with postgres.open(Settings.load(data=str(data))) as server:
        conn = await asyncpg.connect(**server.owner.connect)
        try:
            return float(
                await conn.fetchval(
                    "SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c JOIN pg_namespace n ON n.oid ="
                    " c.relnamespace WHERE n.nspname = 'record' AND c.relkind = 'r' AND c.relname NOT LIKE 'audit%'"
                )
            )
        finally:
            await conn.close()


def table(all_figures: list[Figures]) -> str:
    """The report."""
    lines = []
    for figures in all_figures:
        lines += [
            f"## {figures.patients:,} patients, {figures.resources:,} resources of {figures.mean_bytes:,.0f} bytes",
            "",
            "| Work | Others, CPU ms | Ours at most, bare | Ours, bare (server + PostgreSQL) | with access + audit, at most |"
            " with access + audit |",
            "|---|---|---|---|---|---|",
        ]
        for name, target in TARGETS.items():
            bare, whole = figures.columns["bare"].get(name), figures.columns["whole"].get(name)
            if bare and whole:
                lines.append(
                    f"| {target.title} | {target.others} | {_limit(target.bare_ms)} | {_cost(bare, target.bare_ms)} |"
                    f" {_limit(target.whole_ms)} | {_cost(whole, target.whole_ms)} |"
                )
        lines += [
            f"| import, all indexes in place, 2 workers | – | ≥ {IMPORT_LEAST_PER_S:,}/s | {figures.import_per_s:,.0f}/s"
            f"{'' if figures.import_per_s >= IMPORT_LEAST_PER_S else ' **missed**'} | | |",
            f"| memory of the largest process | 35–340 MB | ≤ {MEMORY_MOST_MB} MB | {figures.memory_mb:,.0f} MB | | |",
            f"| disk for each resource | 5.7–11.6 KB | ≤ {DISK_MOST_BYTES / 1024:.0f} KB | {figures.disk_bytes / 1024:.2f} KB | | |",
            "",
            f"While it ran, one fixed Python loop took {min(figures.yardstick_s):.2f} to {max(figures.yardstick_s):.2f} s"
            " of CPU: so much did the machine itself differ. Each figure is the least of its repetitions.",
            "",
        ]
    if len(all_figures) > 1:
        lines += ["## From the first corpus to the last", "", f"At most ×{SCALE_MOST} is wanted.", ""]
        for name in SEARCH_ROWS:
            few, many = all_figures[0].columns["bare"].get(name), all_figures[-1].columns["bare"].get(name)
            if few and many:
                ratio = sum(many) / sum(few)
                lines.append(f"- {TARGETS[name].title}: ×{ratio:.2f}{'' if ratio <= SCALE_MOST else ' **missed**'}")
    return "\n".join(lines)


def _limit(most: float | None) -> str:
    return "" if most is None else f"{most:.2f}"


def _cost(cost: tuple[float, float], most: float | None) -> str:
    total = sum(cost) / 1000
    mark = " **missed**" if most is not None and total > most else ""
    return f"{total:.3f} ({cost[0] / 1000:.3f} + {cost[1] / 1000:.3f}){mark}"


def main() -> None:
    """Measures, prints, and keeps the figures in docs/proof/."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--short", action="store_true", help=f"{SHORT_PATIENTS} patients, a fraction of a second for each row"
    )
    parser.add_argument("--patients", type=int, nargs="+", default=[1_000, 16_000])
    parser.add_argument("--rows", nargs="+", default=list(TARGETS), choices=list(TARGETS))
    parser.add_argument("--no-write", action="store_true", help="print only")
    given = parser.parse_args()
    patients = [SHORT_PATIENTS] if given.short else given.patients
    seconds, repetitions, passes = (0.3, 1, 1) if given.short else (SECONDS_A_ROW, REPETITIONS, PASSES)
    load = os.getloadavg()[0]
    measured = [run(number, given.rows, seconds=seconds, repetitions=repetitions, passes=passes) for number in patients]
    report = table(measured)
    print(report)
    if not given.short and not given.no_write:
        PROOF.parent.mkdir(parents=True, exist_ok=True)
        PROOF.write_text(
            "# Benchmarks\n\n"
            f"`python -m benchmarks.run --patients {' '.join(map(str, patients))}`, seed {corpora.SEED},"
            f" {datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores ({platform.machine()}), load before {load:.1f},"
            f" {CONNECTIONS} connections, least of {passes} × {repetitions}; fsync and synchronous_commit on.\n\n{report}\n",
            encoding="utf-8",
        )


if __name__ == "__main__":
    main()
