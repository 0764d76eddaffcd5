"""A corpus of an exact size on disk: NDJSON by type, made by several processes, the same whatever their number.

The benchmarks use `patients=1_000` and `16_000`, `seed=1`, 60 resources a patient on average, for people made of the
system's own contributors only, so that a new clinical domain does not move old figures.
"""

import gzip
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from pathlib import Path
from typing import BinaryIO, cast

import orjson

from continuum.samples import families
from continuum.samples.contributors import Contributor, discover
from continuum.samples.elements import Resource
from continuum.samples.streams import curve
from continuum.samples.world import TODAY, lives, people, shared

PER_PATIENT = 60
YEARS = 6.0
SEED = 1
_KEEP = ((24.3, 0.02), (32.1, 0.05), (45.4, 0.1), (58.0, 0.15), (71.3, 0.2), (123.1, 0.4), (277.0, 1.0))
"""Mean resources a patient over YEARS, and the share of visits that gives it: the first 3,000 people of seed 1."""
FAMILIES_A_PROCESS = 50
"""Fewer are made sooner by one process than another is started."""
_GZIP_LEVEL = 1
_NO_DOMAINS = "continuum.samples.events.none"


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a corpus is made of. `core` leaves out what clinical domains add to people; the facilities stay whole."""

    seed: int = SEED
    today: date = TODAY
    years: float = YEARS
    keep: float = 1.0
    core: bool = False

    @property
    def contributors(self) -> tuple[Contributor, ...]:
        """Who makes it."""
        return core_contributors() if self.core else discover()

    def family(self, number: int) -> Iterator[Resource]:
        """The resources of a family."""
        household = families.compose(self.seed, number, self.today)
        return lives(
            household, seed=self.seed, today=self.today, years=self.years, keep=self.keep,
            contributors=self.contributors,
        )  # fmt: skip


@dataclass(slots=True)
class Written:
    """What was written: resources by type, and bytes of JSON before compression."""

    resources: Counter[str] = field(default_factory=Counter)
    size_bytes: int = 0

    def add(self, other: "Written") -> None:
        """Adds what another process wrote."""
        self.resources += other.resources
        self.size_bytes += other.size_bytes


def core_contributors() -> tuple[Contributor, ...]:
    """The system's own contributors, without those of clinical domains."""
    return discover(domains=_NO_DOMAINS)


def benchmark(*, per_patient: float = PER_PATIENT, seed: int = SEED, today: date = TODAY) -> Recipe:
    """The recipe of the fixed corpus; `per_patient` is the mean number of resources, 26 to 280."""
    return Recipe(seed=seed, today=today, years=YEARS, keep=curve(_KEEP, per_patient), core=True)


def families_for(patients: int, *, seed: int, today: date = TODAY) -> Iterator[int]:
    """Numbers of families that together have exactly this many patients; one that would be too many is left out."""
    left = patients
    number = 0
    while left > 0:
        size = len(families.compose(seed, number, today).members)
        if size <= left:
            left -= size
            yield number
        number += 1


def resources(recipe: Recipe, *, patients: int) -> Iterator[Resource]:
    """The corpus as resources, in one process: the shared world, then families for so many patients."""
    yield from shared(today=recipe.today)
    for number in families_for(patients, seed=recipe.seed, today=recipe.today):
        yield from recipe.family(number)


def write(
    folder: Path,
    recipe: Recipe,
    numbers: Iterable[int],
    *,
    processes: int = 1,
    story: bool = False,
    zipped: bool = True,
) -> Written:
    """Writes the shared world and the families as `<Type>.<part>.ndjson[.gz]`, one part for each process.

    Args:
        folder: made if it is not there; files of the same names are replaced.
        recipe: what is written.
        numbers: which families.
        processes: how many work at once, at most; the lines are the same for any number, only their files differ.
        story: whether the people with a story are written too.
        zipped: whether files are compressed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wanted = list(numbers)
    total = Written()
    processes = max(1, min(processes, len(wanted) // FAMILIES_A_PROCESS))
    shares = [wanted[part::processes] for part in range(processes)]
    if processes == 1:
        total.add(_write_part(folder, recipe, shares[0], 0, zipped))
    else:
        from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415  a small corpus is made before these are read
        from multiprocessing import get_context  # noqa: PLC0415  likewise

        with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
            tasks = [pool.submit(_write_part, folder, recipe, share, part, zipped) for part, share in enumerate(shares)]
            for task in tasks:
                total.add(task.result())
    total.add(_write(folder, common(recipe, story=story), "shared", zipped=zipped))
    return total


def common(recipe: Recipe, *, story: bool) -> Iterator[Resource]:
    """The shared world and, if wanted, the people with a story."""
    yield from shared(today=recipe.today)
    if story:
        yield from people(today=recipe.today)


def _write_part(folder: Path, recipe: Recipe, numbers: list[int], part: int, zipped: bool) -> Written:  # noqa: FBT001  sent to a process
    every = (resource for number in numbers for resource in recipe.family(number))
    return _write(folder, every, f"{part:03d}", zipped=zipped)


def _write(folder: Path, every: Iterator[Resource], part: str, *, zipped: bool) -> Written:
    written = Written()
    with ExitStack() as stack:
        files: dict[str, BinaryIO] = {}
        # In batches, so that each file is written to in large pieces.
        while batch := list(islice(every, 5_000)):
            lines: dict[str, list[bytes]] = {}
            for resource in batch:
                lines.setdefault(resource["resourceType"], []).append(
                    orjson.dumps(resource, option=orjson.OPT_APPEND_NEWLINE)
                )
            for kind, texts in lines.items():
                if kind not in files:
                    files[kind] = stack.enter_context(_open(folder, kind, part, zipped=zipped))
                piece = b"".join(texts)
                files[kind].write(piece)
                written.resources[kind] += len(texts)
                written.size_bytes += len(piece)
    return written


def _open(folder: Path, kind: str, part: str, *, zipped: bool) -> BinaryIO:
    path = folder / f"{kind}.{part}.ndjson"
    if not zipped:
        return path.open("wb")
    # No file name and no time in the header: the same corpus gives the same bytes.
    raw = path.with_name(f"{path.name}.gz").open("wb")
    return cast("BinaryIO", _Zipped(raw))


class _Zipped(gzip.GzipFile):
    """A gzip file without name and time that closes the file below it."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        super().__init__(filename="", mode="wb", compresslevel=_GZIP_LEVEL, fileobj=raw, mtime=0)

    def close(self) -> None:
        """Ends the stream and closes the file."""
        super().close()
        self._raw.close()
