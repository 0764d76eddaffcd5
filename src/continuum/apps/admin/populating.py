"""Sample families in the database: made in a folder, registered, and imported."""

import itertools
import tempfile
from pathlib import Path

import asyncpg
import click

from continuum.apps.admin.cli import asynchronous
from continuum.apps.admin.commands.import_ import load, tell
from continuum.apps.admin.importing.run import Report
from continuum.apps.admin.importing.sources import files
from continuum.apps.admin.importing.work import Target
from continuum.identity import registry
from continuum.identity.limits import REGISTRY_BATCH_MAX
from continuum.runtime import postgres, secrets
from continuum.runtime.migrate import migrate
from continuum.runtime.settings import Settings
from continuum.samples import corpus
from continuum.samples.registry import entries


@asynchronous
async def into_database(
    recipe: corpus.Recipe,
    numbers: list[int],
    processes: int,
    data: str | None,
    database_url: str | None,
    *,
    story: bool,
) -> None:
    """Makes the families in a folder of their own, then imports it."""
    settings = Settings.load(data=data, database_url=database_url)
    async with postgres.open(settings) as server:
        await migrate(server.owner)
        known = secrets.load(settings.data)
        target = Target(server.app.connect, server.owner.connect, known.record, known.audit)
        await _register(target, recipe, numbers, story=story)
        with tempfile.TemporaryDirectory(prefix="continuum-samples-") as folder:
            made = Path(folder)
            corpus.write(made, recipe, numbers, processes=processes, story=story)
            rejects = made / "rejects"
            report = await load(files(made), target, workers=processes, rejects=rejects)
            _judge(report, rejects)


async def _register(target: Target, recipe: corpus.Recipe, numbers: list[int], *, story: bool) -> None:
    """Fills the personnel and eligibility registry, so that the people can open accounts."""
    every = entries(numbers, seed=recipe.seed, today=recipe.today, story=story)
    conn = await asyncpg.connect(**target.connect)
    try:
        while some := list(itertools.islice(every, REGISTRY_BATCH_MAX)):
            async with conn.transaction():
                await registry.store(conn, some)
    finally:
        await conn.close()


def _judge(report: Report, rejects: Path) -> None:
    tell(report, rejects)
    if report.rejected or report.unread or report.dangling:
        first = rejects.read_text(encoding="utf-8").partition("\n")[0]
        raise click.ClickException(f"Not all sample resources could be loaded. {first}")
