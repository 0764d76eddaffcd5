"""`continuum import`."""

import sys
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from continuum.apps.admin.cli import asynchronous
from continuum.apps.admin.importing.run import Report, run
from continuum.apps.admin.importing.sources import files, others
from continuum.apps.admin.importing.work import Target
from continuum.apps.admin.limits import IMPORT_OTHERS_SHOWN_MAX
from continuum.apps.admin.options import setting
from continuum.kernel.limits import IMPORT_WORKERS_MAX
from continuum.runtime import postgres, secrets
from continuum.runtime.migrate import migrate
from continuum.runtime.settings import Settings


@click.command("import")
@click.argument("source", type=click.Path(path_type=Path))
@setting("data")
@setting("database_url")
@click.option(
    "--workers",
    type=click.IntRange(1, IMPORT_WORKERS_MAX),
    default=2,
    show_default=True,
    help="Processes that validate, index and load.",
)
@click.option(
    "--rejects",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("rejects.ndjson"),
    show_default=True,
    help="Where resources that cannot be loaded are listed, each with file, line and reason.",
)
@asynchronous
async def command(source: Path, data: str | None, database_url: str | None, workers: int, rejects: Path) -> None:
    """Load resources from a file or a folder: NDJSON, Bundles, plain or .gz.

    Ids are kept. What is there already and equal is left alone, what differs becomes a new version. A stopped
    import goes on where it was when it is started again. Nothing is skipped silently.

    \b
    Examples:
      continuum import patients.ndjson.gz
      continuum import exported/ --workers 2 --rejects refused.ndjson
    """  # noqa: D301  click's mark for a block that keeps its lines
    paths = files(source)
    settings = Settings.load(data=data, database_url=database_url)
    async with postgres.open(settings) as server:
        await migrate(server.owner)
        known = secrets.load(settings.data)
        target = Target(server.app.connect, server.owner.connect, known.record, known.audit)
        report = await load(paths, target, workers=workers, rejects=rejects)
    tell(report, rejects)
    tell_others(others(source))
    if report.rejected or report.unread or report.dangling:
        sys.exit(1)


async def load(paths: list[Path], target: Target, *, workers: int, rejects: Path) -> Report:
    """Runs an import with a progress bar on the terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        whole = bar.add_task("Bytes read", total=sum(path.stat().st_size for path in paths))
        lines = bar.add_task("Resources settled", total=None)
        left = dict.fromkeys(paths, True)

        def progress(path: Path, settled: int) -> None:
            bar.advance(lines, settled)
            for earlier in list(left):
                if earlier == path:
                    break
                del left[earlier]
                bar.advance(whole, earlier.stat().st_size)

        report = await run(paths, target, workers=workers, rejects=rejects, progress=progress)
        for path in left:
            bar.advance(whole, path.stat().st_size)
    return report


def tell_others(left: list[Path]) -> None:
    """Names files of kinds that an import does not take: they are no failure, but nobody shall believe them loaded."""
    if left:
        shown = ", ".join(str(path) for path in left[:IMPORT_OTHERS_SHOWN_MAX])
        more = "" if len(left) <= IMPORT_OTHERS_SHOWN_MAX else f" and {len(left) - IMPORT_OTHERS_SHOWN_MAX} more"
        click.echo(f"Not looked at, because they are no .ndjson or .json files: {shown}{more}.", err=True)


def tell(report: Report, rejects: Path) -> None:
    """Says what an import did."""
    click.echo(
        f"Loaded {report.written} new, {report.updated} changed; {report.equal} were equal,"
        f" {report.passed_over} were loaded by an earlier run."
    )
    for unread in report.unread:
        click.echo(f"Not read: {unread}", err=True)
    if report.rejected:
        click.echo(f"{report.rejected} resources were refused; {rejects} says which and why.", err=True)
    for source, target in report.dangling:
        click.echo(f"{source} refers to {target}, which is not in the record.", err=True)
