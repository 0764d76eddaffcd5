"""How quickly people are made: `python -m benchmarks.populate [--patients 16000] [--no-write]`.

A hundred families with all their years, and the corpus of the benchmarks, as somebody makes them at the command line: from the
start of the command to its end, its processes and files included.
"""

import argparse
import gzip
import os
import platform
import resource
import subprocess
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.run import continuum

PROOF = Path(__file__).resolve().parent.parent / "docs" / "proof" / "populate.md"
SEED, PROCESSES, PER_PATIENT = 1, 2, 60
FAMILIES, FAMILIES_MOST_S = 100, 10.0
"""Ten in a second."""
CORPUS_MOST_S = 300.0


@dataclass(frozen=True, slots=True)
class Figure:
    """What was made, how long it took by the clock, and how much CPU all its processes used."""

    what: str
    patients: int
    resources: int
    took_s: float
    cpu_s: float
    most_s: float


def made(what: str, options: list[str], most_s: float) -> Figure:
    """Runs the command once."""
    words = continuum("populate", *options, "--seed", str(SEED), "--no-people", "--processes", str(PROCESSES))
    with tempfile.TemporaryDirectory() as folder:
        before, began_s = _cpu_s(), time.perf_counter()
        subprocess.run([*words, "--out", folder], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        took_s, cpu_s = time.perf_counter() - began_s, _cpu_s() - before
        patients = resources = 0
        for path in Path(folder).rglob("*.ndjson.gz"):
            with gzip.open(path, "rb") as lines:
                for line in lines:
                    resources += 1
                    patients += line.startswith(b'{"resourceType":"Patient"')
    return Figure(what, patients, resources, took_s, cpu_s, most_s)


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def table(figures: list[Figure]) -> str:
    """The report."""
    lines = ["| What | Patients | Resources | Took | At most | CPU |", "|---|---|---|---|---|---|"]
    for one in figures:
        late = " **missed**" if one.took_s > one.most_s else ""
        lines.append(
            f"| {one.what} | {one.patients:,} | {one.resources:,} | {one.took_s:.2f} s{late} | {one.most_s:.0f} s |"
            f" {one.cpu_s:.1f} s |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measures, prints, and keeps the figures in docs/proof/."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patients", type=int, default=16_000)
    parser.add_argument("--no-write", action="store_true", help="print only")
    given = parser.parse_args()
    load = os.getloadavg()[0]
    families = [made(f"{FAMILIES} families", ["--families", str(FAMILIES)], FAMILIES_MOST_S) for _ in range(3)]
    corpus = ["--patients", str(given.patients), "--per-patient", str(PER_PATIENT)]
    figures = [
        min(families, key=lambda one: one.took_s),
        made(f"{given.patients:,} patients, {PER_PATIENT} resources each", corpus, CORPUS_MOST_S),
    ]
    report = table(figures)
    print(report)
    if not given.no_write:
        PROOF.write_text(
            "# People, made\n\n"
            f"`python -m benchmarks.populate --patients {given.patients}`, seed {SEED}, {datetime.now(UTC):%Y-%m-%d %H:%M}"
            f" UTC, {PROCESSES} processes on {os.cpu_count()} cores ({platform.machine()}), load before {load:.1f}; of the"
            f" families the quickest of 3. From the start of `continuum populate` to its end.\n\n{report}\n",
            encoding="utf-8",
        )


if __name__ == "__main__":
    main()
