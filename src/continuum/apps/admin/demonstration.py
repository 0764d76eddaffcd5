"""The sample people of `continuum demo`: made, loaded with a progress bar, remembered, so that it happens once."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from continuum.apps.admin.importing.run import analyze
from continuum.apps.admin.importing.sources import Chunk
from continuum.apps.admin.importing.work import Target, Workers
from continuum.fhir.json import dump
from continuum.identity import registry
from continuum.kernel.limits import IMPORT_CHUNK_LINES
from continuum.samples.places import world
from continuum.samples.registry import entries
from continuum.samples.world import TODAY, family, people, personas, shared

FAMILIES = 88
"""About 200 people."""
SEED = 1
KEEP = 0.25
"""The share of their visits that is recorded: enough to look at, quick to load."""
SOURCE = f"sample families {SEED}/{FAMILIES}/{KEEP}"
WORKERS = 2


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in the demo whom it is worth looking at."""

    patient_id: str
    name: str
    facility_id: str


async def load_once(target: Target) -> None:
    """Loads the sample families unless they are there; what a stopped run has loaded is passed over."""
    conn = await asyncpg.connect(**target.connect)
    try:
        if not await _settled(conn, f"{SOURCE} registered"):
            async with conn.transaction():
                await registry.store(conn, list(entries(range(FAMILIES), seed=SEED, today=TODAY)))
                await _settle(conn, f"{SOURCE} registered")
        if await _settled(conn, f"{SOURCE} complete"):
            return
        settled = {
            row["chunk"] for row in await conn.fetch("SELECT chunk FROM record.import_chunk WHERE source = $1", SOURCE)
        }
        _load(target, settled)
        await analyze(target)
        await _settle(conn, f"{SOURCE} complete")
    finally:
        await conn.close()


async def _settle(conn: asyncpg.Connection, source: str) -> None:
    await conn.execute("INSERT INTO record.import_chunk VALUES ($1, 0, 0, 0, 0, 0) ON CONFLICT DO NOTHING", source)


async def _settled(conn: asyncpg.Connection, source: str) -> bool:
    return bool(await conn.fetchval("SELECT count(*) FROM record.import_chunk WHERE source = $1", source))


def _load(target: Target, settled: set[int]) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar, Workers(target, WORKERS) as pool:
        task = bar.add_task(f"Loading {FAMILIES} sample families", total=FAMILIES)

        def todo() -> Iterator[Chunk]:
            for chunk, families_done in _chunks():
                bar.update(task, completed=families_done)
                if chunk.number not in settled:
                    yield chunk

        for done in pool.run(todo()):
            if done.rejects:
                raise click.ClickException(f"A sample resource was refused: {done.rejects[0].reason}")
        bar.update(task, completed=FAMILIES)


def _chunks() -> Iterator[tuple[Chunk, int]]:
    """Chunks of the sample families, the same each time, and how many families were begun."""
    lines: list[tuple[int, bytes]] = []
    number = 0
    for which in range(-1, FAMILIES + 1):
        sample = family(which, seed=SEED, keep=KEEP) if which < FAMILIES else people()
        made = shared() if which < 0 else sample
        for resource in made:
            lines.append((len(lines) + 1, dump(resource)))
            if len(lines) == IMPORT_CHUNK_LINES:
                yield Chunk(Path(SOURCE), SOURCE, number, tuple(lines), document=False), min(max(which, 0), FAMILIES)
                number += 1
                lines = []
    if lines:
        yield Chunk(Path(SOURCE), SOURCE, number, tuple(lines), document=False), FAMILIES


def somebody() -> Person:
    """The retiree of the stories, and the facility that cares for him."""
    retiree = next(one for one in personas() if one.key == "retiree")
    facility = world().care(retiree.family.base(TODAY))
    return Person(retiree.patient_id, retiree.name, facility.organization)
