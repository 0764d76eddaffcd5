"""An import from beginning to end: what was done before is passed over, the rest is loaded, the links are checked."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import asyncpg

from continuum.apps.admin.importing.resources import Reject
from continuum.apps.admin.importing.sources import Chunk, Unreadable, chunks, digest
from continuum.apps.admin.importing.work import Target, Workers
from continuum.kernel.limits import IMPORT_DANGLING_SHOWN_MAX
from continuum.record.bulk import dangling
from continuum.record.keys import Keys


@dataclass(slots=True)
class Report:
    """What an import did, in resources; `dangling` are (source, target) of references to nothing."""

    written: int = 0
    updated: int = 0
    equal: int = 0
    passed_over: int = 0
    rejected: int = 0
    unread: list[Unreadable] = field(default_factory=list)
    dangling: list[tuple[str, str]] = field(default_factory=list)


Progress = Callable[[Path, int], None]
"""Called with a file and how many of its bytes or lines are settled."""


async def run(paths: list[Path], target: Target, *, workers: int, rejects: Path, progress: Progress) -> Report:
    """Imports the files; rejected resources are listed in the file `rejects`, one JSON object a line."""
    report = Report()
    conn = await asyncpg.connect(**target.connect)
    try:
        sources = {path: digest(path) for path in paths}
        settled = await _settled(conn, list(sources.values()))
        with rejects.open("w", encoding="utf-8") as refused, Workers(target, workers) as pool:
            for done in pool.run(_todo(paths, sources, settled, report, progress)):
                report.written += done.written
                report.updated += done.updated
                report.equal += done.equal
                report.rejected += len(done.rejects)
                for reject in done.rejects:
                    refused.write(json.dumps(asdict(reject), ensure_ascii=False) + "\n")
                if done.chunk is not None:
                    progress(done.chunk.path, len(done.chunk.lines))
            for unread in report.unread:
                refused.write(json.dumps(asdict(Reject(str(unread.path), unread.line, "", unread.reason))) + "\n")
        if report.written + report.updated:
            await analyze(target)
        await _forget(conn, list(sources.values()))
        report.dangling = await dangling(conn, Keys(target.key_secret), IMPORT_DANGLING_SHOWN_MAX)
    finally:
        await conn.close()
    return report


async def _settled(conn: asyncpg.Connection, sources: list[str]) -> Counter[tuple[str, int]]:
    """The chunks that earlier runs finished, with how many resources each held."""
    rows = await conn.fetch(
        "SELECT source, chunk, written + updated + equal AS loaded FROM record.import_chunk"
        " WHERE source = ANY($1::text[]) AND rejected = 0",  # rejects are said again in every run
        sources,
    )
    return Counter({(row["source"], row["chunk"]): row["loaded"] for row in rows})


async def _forget(conn: asyncpg.Connection, sources: list[str]) -> None:
    """What a run notes helps to go on with it; after its end, the same files are compared with the record again."""
    await conn.execute("DELETE FROM record.import_chunk WHERE source = ANY($1::text[])", sources)


def _todo(
    paths: list[Path],
    sources: dict[Path, str],
    settled: Counter[tuple[str, int]],
    report: Report,
    progress: Progress,
) -> Iterator[Chunk]:
    for path in paths:
        try:
            for chunk in chunks(path, sources[path]):
                if (chunk.source, chunk.number) in settled:
                    report.passed_over += settled[chunk.source, chunk.number]
                    progress(path, len(chunk.lines))
                else:
                    yield chunk
        except Unreadable as error:
            report.unread.append(error)


async def analyze(target: Target) -> None:
    """Renews PostgreSQL's statistics, by which searches steer, and tidies the index of keys after so many rows."""
    if target.owner is None:
        return  # PostgreSQL does it by itself, a little later
    # The first takes as long as all others together: two connections use two processors.
    await asyncio.gather(
        _analyze(target.owner, "record.search"),
        _analyze(target.owner, "record.resource, record.string, record.date, record.quantity"),
    )


async def _analyze(owner: dict[str, Any], tables: str) -> None:
    conn = await asyncpg.connect(**owner)
    try:
        await conn.execute(f"VACUUM (ANALYZE) {tables}")
    finally:
        await conn.close()
