"""`continuum populate`."""

import itertools
import os
import sys
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path

import click
import orjson

from continuum.apps.admin.options import setting
from continuum.kernel.limits import (
    SAMPLE_FAMILIES_MAX,
    SAMPLE_PROCESSES_MAX,
    SAMPLE_YEARS_MAX,
)
from continuum.samples import corpus, world

FAMILIES = 100


@click.command("populate")
@click.option("--families", type=click.IntRange(0, SAMPLE_FAMILIES_MAX), help="How many families.  [default: 100]")
@click.option(
    "--patients",
    type=click.IntRange(1, SAMPLE_FAMILIES_MAX),
    help="Instead of --families: families that together have exactly this many patients.",
)
@click.option(
    "--seed", default=1, show_default=True, help="What everything is drawn from; the same seed gives the same people."
)
@click.option(
    "--today",
    type=click.DateTime(["%Y-%m-%d"]),
    default=world.TODAY.isoformat(),
    show_default=True,
    help="The last day of the records.",
)
@click.option(
    "--years",
    type=click.FloatRange(0.5, SAMPLE_YEARS_MAX),
    default=world.YEARS,
    show_default=True,
    help="How far back records go.",
)
@click.option(
    "--keep",
    type=click.FloatRange(0, 1, min_open=True),
    default=1.0,
    show_default=True,
    help="The share of visits that is recorded; a small one gives small records.",
)
@click.option(
    "--per-patient",
    type=click.IntRange(26, 280),
    help="The corpus of the benchmarks, with so many resources a patient on average; replaces --years and --keep.",
)
@click.option("--people/--no-people", default=True, show_default=True, help="Also the people with a story.")
@click.option(
    "--out", help="Write NDJSON to this folder, or to standard output (-), instead of loading it into the database."
)
@click.option("--plain", is_flag=True, help="Do not compress the files.")
@click.option(
    "--processes",
    type=click.IntRange(1, SAMPLE_PROCESSES_MAX),
    default=2,
    show_default=True,
    help="Processes that make families, and then load them.",
)
@setting("data")
@setting("database_url")
def command(
    families: int | None,
    patients: int | None,
    seed: int,
    today: datetime,
    years: float,
    keep: float,
    per_patient: int | None,
    people: bool,  # noqa: FBT001  click passes flags by name
    out: str | None,
    plain: bool,  # noqa: FBT001  same
    processes: int,
    data: str | None,
    database_url: str | None,
) -> None:
    """Make synthetic military families, and load them or write them to files.

    The same options give the same people, byte for byte, whatever the number of processes. Loading them again
    changes nothing. Nobody in them is real.

    \b
    Examples:
      continuum populate --families 100 --seed 1
      continuum populate --families 10 --out families/
      continuum populate --families 1 --no-people --out - | head -3
      continuum populate --patients 1000 --per-patient 60 --no-people --out corpus/
    """  # noqa: D301  click's mark for a block that keeps its lines
    day = today.date()
    recipe = (
        corpus.benchmark(per_patient=per_patient, seed=seed, today=day)
        if per_patient is not None
        else corpus.Recipe(seed=seed, today=day, years=years, keep=keep)
    )
    if people and day < world.FIRST_TODAY:
        raise click.UsageError(f"The people with a story need --today {world.FIRST_TODAY} or later; or --no-people.")
    numbers = _numbers(families, patients, seed, day)
    if out == "-":
        _print(recipe, numbers, story=people)
    elif out is not None:
        written = corpus.write(Path(out), recipe, numbers, processes=processes, story=people, zipped=not plain)
        click.echo(f"{written.resources.total():,} resources of {written.resources['Patient']:,} patients in {out}.")
    else:
        from continuum.apps.admin.populating import into_database  # noqa: PLC0415  files need nothing of a server

        into_database(recipe, list(numbers), processes, data, database_url, story=people)


def _numbers(families: int | None, patients: int | None, seed: int, day: date) -> Iterable[int]:
    if families is not None and patients is not None:
        raise click.UsageError("Give --families or --patients, not both.")
    if patients is not None:
        return corpus.families_for(patients, seed=seed, today=day)
    return range(FAMILIES if families is None else families)


def _print(recipe: corpus.Recipe, numbers: Iterable[int], *, story: bool) -> None:
    """NDJSON on standard output; a reader that has enough (`head`) ends it quietly."""
    output = sys.stdout.buffer
    every = itertools.chain(
        corpus.common(recipe, story=story), (resource for number in numbers for resource in recipe.family(number))
    )
    try:
        for resource in every:
            output.write(orjson.dumps(resource, option=orjson.OPT_APPEND_NEWLINE))
        output.flush()
    except BrokenPipeError:
        # What is still in the buffer has nowhere to go; Python would complain when it closes standard output.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
